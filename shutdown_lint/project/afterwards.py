"""What the program still does after a place: in its own function, and in those that called it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shutdown_lint.facts import Stmt, While
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.roles import is_test
from shutdown_lint.walk import At, sites, walk, what_runs_after

if TYPE_CHECKING:
    from shutdown_lint.project import Project

MAX_CALLS = 4


def follows(at: At, fn: Fn, project: Project) -> Iterator[tuple[Stmt, Fn]]:
    """The statements that run after the place until the program ends, with the functions that hold them.

    Callers are followed while there is exactly one, tests aside; a loop around the place comes round again, so its body
    belongs to what follows.
    """
    here: At | None = at
    for _ in range(MAX_CALLS):
        if here is None:
            return
        yield from ((stmt, fn) for stmt in _after(here))
        here, fn = _only_caller(fn, project)


def program_ends_after(at: At, fn: Fn, project: Project, *, may_wait: bool = False) -> bool:
    """Whether the program surely runs to its end after the place without a further loop or (unless it may) wait.

    False for a function that is not the program's first one and has not exactly one caller.
    """
    here: At | None = at
    for _ in range(MAX_CALLS):
        if here is None or any(_goes_on(stmt, fn, project, may_wait) for stmt in _after(here)):
            return False
        if any(role.kind == "main" for role in project.roles.seeds().get(fn, ())):
            return True
        here, fn = _only_caller(fn, project)
    return False


def is_last_of_script(at: At, fn: Fn, project: Project) -> bool:
    """Whether the place stands in the body of a module, and nothing behind it goes on or waits."""
    return fn.is_module and not any(_goes_on(stmt, fn, project, False) for stmt in _after(at))


def _after(at: At) -> Iterator[Stmt]:
    for place in at.around():
        if place.outer is not None and type(place.outer.stmt).__name__ in ("While", "For") and place.part == "body":
            yield place.outer.stmt
    yield from what_runs_after(at)


def _goes_on(stmt: Stmt, fn: Fn, project: Project, may_wait: bool) -> bool:
    """A loop without a known end, or a call that waits."""
    if any(isinstance(inner.stmt, While) for inner in walk((stmt,))):
        return True
    if may_wait:
        return False
    for site in sites((stmt,)):
        if project.protocol.wait(site, fn) is not None:
            return True
        for target in project.calls.targets(site.call, fn):
            if project.protocol.worker_loops(target.fn) or project.protocol.waits(target.fn):
                return True
    return False


def _only_caller(fn: Fn, project: Project) -> tuple[At | None, Fn]:
    callers = [caller for caller in project.calls.callers(fn) if not is_test(caller.fn)]
    if len(callers) != 1 or callers[0].confidence != "proven":
        return None, fn
    return callers[0].site.at, callers[0].fn
