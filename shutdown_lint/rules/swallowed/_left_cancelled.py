"""Tasks that one method cancels and leaves in their attribute, and that a stop method awaits: the await raises ``CancelledError``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Assign, Attr, Call, Expr, Span
from shutdown_lint.findings import Step, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.rules.swallowed._awaited_cancelled import (
    awaited,
    cancelled_before,
    guard_of,
    is_asked_first,
    lost_by,
    tier_of,
)
from shutdown_lint.rules.waits._stops import is_stop
from shutdown_lint.walk import Site, line_of, same

# Who calls these asks for an await that raises.
_ON_PURPOSE = re.compile(r"cancel|abort|kill")


class LeftCancelled(NamedTuple):
    """The await in the stop, who cancels the task elsewhere, and what is skipped."""

    what: Expr
    span: Span
    canceller: Fn
    cancel: Call
    lost: tuple[Step, ...]
    tier: Tier


def left_cancelled(fn: Fn, project: Project) -> Iterator[LeftCancelled]:
    """``await self._timer`` in ``aclose``, and ``self._timer.cancel()`` in a method that neither renews nor forgets it."""
    if not fn.facts.is_async or fn.cls is None or not is_stop(fn, project):
        return
    for at in fn.statements:
        for what in awaited(at, fn, project):
            if fn.own_attribute(what) is None or cancelled_before(what, at, fn) is not None:
                continue
            if guard_of(at, fn, project) is not None or is_asked_first(at, "done", "cancelled", "exception"):
                continue
            found = next(_elsewhere(what, fn, project), None)
            lost = lost_by(what, at, None, fn, project) if found is not None else ()
            tier = tier_of(found[1].call, found[0], project) if found is not None else None
            if found is not None and lost and tier is not None:
                yield LeftCancelled(what, at.stmt.span, found[0], found[1].call, lost, tier)  # type: ignore[union-attr]  # it holds an expression
                return


def _elsewhere(what: Expr, fn: Fn, project: Project) -> Iterator[tuple[Fn, Site]]:
    assert isinstance(what, Attr) and fn.cls is not None
    for cls in project.classes.family(fn.cls):
        for method in cls.methods.values():
            if method is fn or what.name not in method.mentions or "cancel" not in method.mentions or is_test(method):
                continue
            if is_stop(method, project) or _ON_PURPOSE.search(method.name):
                continue
            for site in method.sites:
                func = site.call.func
                if isinstance(func, Attr) and func.name == "cancel" and same(func.value, what):
                    if not _is_renewed(what, site, method):
                        yield method, site


def _is_renewed(what: Expr, cancel: Site, method: Fn) -> bool:
    """Whether the method puts another task, or None, into the attribute behind it."""
    return any(
        isinstance(at.stmt, Assign)
        and line_of(at.stmt) >= cancel.call.span.line
        and any(same(target, what) for target in at.stmt.targets)
        for at in method.statements
    )
