"""Clauses that take a cancellation for one of the errors beside which they name it, and let the coroutine return as if all were well."""

from __future__ import annotations

from shutdown_lint.facts import Attr, Await, Body, Call, Handler, If, Name, Return, Try, While
from shutdown_lint.findings import Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.rules.swallowed._catching import STOPPING, awaits, caught, forwards, last_name, leaves, raises
from shutdown_lint.rules.swallowed._steps import is_release_name
from shutdown_lint.rules.waits._stops import in_final, is_stop
from shutdown_lint.walk import At, Site, enclosing_loops, exprs, sites, subexprs, walk, what_runs_after

_OF_OTHERS = frozenset({"gather", "wait", "shield", "as_completed", "wrap_future"})
_KEEPS = frozenset({"set_exception", "exc_info", "print_exception", "exception_handler", "call_exception_handler"})
_MAX_HOPS = 2


def as_error(at: At, stmt: Try, handler: Handler, fn: Fn, project: Project) -> Tier | None:
    """How surely the clause swallows the coroutine's own cancellation beside errors, and somebody goes on."""
    names = caught(handler, fn, project)
    if "CancelledError" not in names or not own_awaits(stmt.body):
        return None
    alone = len(names - STOPPING) == 0
    if (
        raises(handler.body)
        or _keeps(handler, fn)
        or in_final(at)
        or is_stop(fn, project)
        or is_test(fn)
        or _cancels_before(fn, handler)
        or (alone and any(is_release_name(last_name(site.call)) for site in sites(handler.body)))
    ):
        return None  # the last is a cancellation that ends what there is, as it was asked
    if any(place.handler is not None for place in at.around()):
        return None  # what is undone after an error, which goes its way
    within = project.roles.only(fn, "task")  # a helper of a task: what goes on is that task
    if (within and is_top(fn, project)) or any(isinstance(loop.stmt, While) for loop in enclosing_loops(at)):
        return None
    if alone:
        told = any(isinstance(inner.stmt, Return) and inner.stmt.value is not None for inner in walk(handler.body))
        return "S" if _works_on(at) or _callers_go_on(fn, project, 0, told=told) else None
    if any(awaits((after,)) for after in what_runs_after(at)) or _callers_go_on(fn, project, 0):
        # who names the requests to stop one by one knows that cancellation is one
        meant = within or names & {"Exception", "KeyboardInterrupt", "SystemExit"}
        return "S" if meant else "D"
    return None if project.calls.callers(fn) else "S"


def is_top(fn: Fn, project: Project) -> bool:
    """Whether the coroutine is the top function of a task: what it swallows ends with it."""
    return any(role.kind == "task" and role.seed is fn for role in project.roles.of(fn))


def _cancels_before(fn: Fn, handler: Handler) -> bool:
    """Whether something is cancelled before the clause (or in it), so that this may be what comes out here."""
    end = max((site.call.span.line for site in sites(handler.body)), default=handler.span.line)
    return any("cancel" in last_name(site.call) and site.call.span.line <= end for site in fn.sites)


def _works_on(at: At) -> bool:
    """Whether something is awaited behind the clause that is no cleanup: a clause alone may mean the end of a task."""
    return any(
        site.awaited and not is_release_name(last_name(site.call))
        for after in what_runs_after(at)
        for site in sites((after,))
    )


def _keeps(handler: Handler, fn: Fn) -> bool:
    """Whether the exception is kept for someone else; what is put somewhere without it does not keep it."""
    if handler.name is None and all(last_name(site.call) not in _KEEPS for site in sites(handler.body)):
        return False
    return forwards(handler, fn)


def own_awaits(body: Body) -> bool:
    """Whether something is awaited, and all of it by a call: of a task or future by its name someone else may be the canceller."""
    found = [expr.value for root in exprs(body) for expr in subexprs(root) if isinstance(expr, Await)]
    return awaits(body) and all(isinstance(expr, Call) and not _of_others(expr) for expr in found)


def _of_others(call: Call) -> bool:
    if last_name(call).lstrip("_") in _OF_OTHERS and call.args:
        return True
    given = call.args[0].value if last_name(call) == "wait_for" and call.args else None
    return isinstance(given, (Name, Attr)) or (isinstance(given, Call) and _of_others(given))


def _leaves_if(site: Site) -> bool:
    """``if not await self._paused(): return``."""
    stmt = site.at.stmt
    return isinstance(stmt, If) and (raises(stmt.body) or leaves(stmt.body))


def _callers_go_on(fn: Fn, project: Project, hops: int, *, told: bool = False) -> bool:
    """Whether a caller awaits the coroutine in a loop, or awaits something else behind it; not where it is told, and leaves."""
    for caller in project.calls.callers(fn):
        if caller.confidence != "proven" or not caller.site.awaited or is_test(caller.fn):
            continue
        if told and _leaves_if(caller.site):
            continue
        at = caller.site.at
        if next(enclosing_loops(at), None) is not None or any(awaits((after,)) for after in what_runs_after(at)):
            return True
        if hops < _MAX_HOPS and _callers_go_on(caller.fn, project, hops + 1):
            return True
    return False
