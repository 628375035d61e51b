"""Whether a main thread that a handler interrupts is missed: it may do nothing but wait, or have nothing left to do.

``signal.signal(SIGTERM, stop)``, and then ``while True: signal.pause()`` or ``server.join()``: there is nothing that the handler
could keep from going on, and nothing in whose midst it could come.
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Stmt, Try
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.afterwards import follows
from shutdown_lint.project.endings import comes_back, of_function
from shutdown_lint.project.signals import Handling, handlings
from shutdown_lint.rules.signals._context import Reached
from shutdown_lint.walk import Site, last_name, sites, walk

_WAITS = frozenset({"join", "pause", "wait", "sleep", "sigwait", "waitpid"})
_STOPS = frozenset({"SIGTERM", "SIGINT", "SIGQUIT", "SIGABRT"})
_QUIET = frozenset(
    {"signal", "print", "debug", "info", "warning", "error", "exception", "critical", "log", "getLogger", "is_alive", "is_set", "getpid", "siginterrupt"}
)  # fmt: skip


def only_waits_behind(handling: Handling, project: Project) -> bool:
    """Whether what follows the installation of the handler is, logs aside, a wait for threads, children or signals."""
    own = {target.name for target in handling.targets}
    for stmt, fn in follows(handling.site.at, handling.fn, project):
        names = [last_name(site.call.func) for site in _work(stmt) if not _is_quiet(site, fn, project)]
        if any(name not in _WAITS and name not in own for name in names):
            return False
        if any(name in _WAITS for name in names):
            return True
    return False


def _is_quiet(site: Site, fn: Fn, project: Project) -> bool:
    name = last_name(site.call.func)
    return name in _QUIET and not project.calls.targets(site.call, fn)


def _work(stmt: Stmt) -> Iterator[Site]:
    """The calls of a statement; those in the clauses of a ``try`` are for when the wait is over."""
    left = {
        id(inner.stmt)
        for at in walk((stmt,))
        if isinstance(at.stmt, Try)
        for block in (*(handler.body for handler in at.stmt.handlers), at.stmt.final)
        for inner in walk(block)
    }
    return (site for site in sites((stmt,)) if id(site.at.stmt) not in left)


def is_way_out(reached: Reached, project: Project) -> bool:
    """Whether the handler is one of the end: the main thread, too, has nothing to do but to wait for it."""
    signals = reached.handling.signals
    return bool(signals) and _STOPS.issuperset(signals) and not _is_second(reached, project)


def _is_second(reached: Reached, project: Project) -> bool:
    """Whether the first signal puts the handler in place for the second one, which wants the end at once."""
    return any(reached.handling.fn in first.targets for first in handlings(project))


def never_returns(reached: Reached, project: Project) -> bool:
    """Whether the handler surely ends the program: then what the main thread cannot go on with is not missed."""
    if _is_second(reached, project):
        return False
    return not comes_back(of_function(reached.handler, project))
