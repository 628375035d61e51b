"""What a member is made with, of all that its owner has: it may end with that."""

from __future__ import annotations

from shutdown_lint.facts import Assign, Attr, Name
from shutdown_lint.project import Fn
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.walk import subexprs, text


def given_members(acquisition: Acquisition) -> frozenset[str]:
    """What of its owner the maker is given, as it is called there: ``self.pair.client`` of ``self.pair = pair``, too."""
    parts = [part for arg in acquisition.call.args for part in subexprs(arg.value) if isinstance(part, (Attr, Name))]
    members = {text(part) for part in parts if isinstance(part, Attr)}
    kept = _kept(acquisition.fn)
    for part in parts:
        first, dot, rest = text(part).partition(".")
        members |= {name + dot + rest for name in kept.get(first, ())}
    return frozenset(members)


def _kept(fn: Fn) -> dict[str, tuple[str, ...]]:
    """The attributes in which the function keeps its locals."""
    found: dict[str, tuple[str, ...]] = {}
    for at in fn.statements:
        if isinstance(at.stmt, Assign) and isinstance(at.stmt.value, Name):
            targets = tuple(text(target) for target in at.stmt.targets if isinstance(target, Attr))
            found[at.stmt.value.id] = (*found.get(at.stmt.value.id, ()), *targets)
    return found
