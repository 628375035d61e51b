"""What a member is made with, of all that its owner has: it may end with that."""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Call, Name
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.walk import subexprs, text, unawaited


def given_members(acquisition: Acquisition) -> frozenset[str]:
    """What of its owner the maker is given, as it is called there: ``self.pair.client`` of ``self.pair = pair``, too."""
    parts = [part for arg in acquisition.call.args for part in subexprs(arg.value) if isinstance(part, (Attr, Name))]
    members = {text(part) for part in parts if isinstance(part, Attr)}
    for part in parts:
        first, dot, rest = text(part).partition(".")
        members |= {text(kept) + dot + rest for kept in kept_in(first, acquisition.fn)}
    return frozenset(members)


def makers(acquisition: Acquisition, project: Project) -> frozenset[str]:
    """The members whose methods have made a connection: ``self.driver`` of ``driver = self.start()``, ``driver.chromium.launch()``."""
    func, fn = acquisition.call.func, acquisition.fn
    if acquisition.model.kind not in ("connection", "session") or not isinstance(func, Attr):
        return frozenset()
    parts = [part for part in subexprs(func.value) if isinstance(part, (Attr, Name))]
    found = {text(part) for part in parts if isinstance(part, Attr)}
    for part in parts:
        given = fn.given(part.id) if isinstance(part, Name) else ()
        made = unawaited(getattr(given[0], "expr", None)) if len(given) == 1 else None
        if isinstance(made, Attr):
            found.add(text(made))
        elif isinstance(made, Call):
            returned = [value for target in project.calls.targets(made, fn) for value in target.fn.returns]
            found |= {text(value) for value in returned if isinstance(value, Attr)}
    return frozenset(found)


def kept_in(name: str, fn: Fn) -> Iterator[Attr]:
    """The attributes in which the function keeps a local."""
    for at in fn.statements:
        if isinstance(at.stmt, Assign) and isinstance(at.stmt.value, Name) and at.stmt.value.id == name:
            yield from (target for target in at.stmt.targets if isinstance(target, Attr))
