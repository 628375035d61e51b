"""Waits with a limit that raise when the limit is reached: in a cleanup that is the planned case, and it skips what follows."""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Await, Call, Const, Expr, ExprStmt, Name, Raise, Try
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.failing import Why, shielded
from shutdown_lint.rules.swallowed._steps import Release
from shutdown_lint.walk import At, Site, argument, last_name, same, sites_at, subexprs, text

# call: the exception, and the position and keyword of the limit
_RAISE = {
    "asyncio.wait_for": ("TimeoutError", 1, "timeout"),
    "subprocess.Popen.wait": ("TimeoutExpired", 0, "timeout"),
    "subprocess.Popen.communicate": ("TimeoutExpired", 1, "timeout"),
    "concurrent.futures.Future.result": ("TimeoutError", 0, "timeout"),
    "multiprocessing.pool.AsyncResult.get": ("TimeoutError", 0, "timeout"),
}
_MAX_DEPTH = 1


def timed_waits(fn: Fn, project: Project) -> Iterator[tuple[Release, Why]]:
    """The statements of the function that wait with such a limit, as steps of a cleanup, with the reason why they raise."""
    for at in fn.statements:
        value = at.stmt.value if isinstance(at.stmt, (ExprStmt, Assign)) else None
        awaited = isinstance(value, Await)
        call = value.value if isinstance(value, Await) else value
        if isinstance(call, Call) and isinstance(call.func, Attr):
            reason = time_out(call, fn, project)
            if reason is not None:
                yield Release(call, at, awaited, None), reason


def time_out(call: Call, fn: Fn, project: Project, depth: int = 0, outer: Call | None = None) -> Why | None:
    """Why the call raises when a limit is reached: it says so itself, or the function that it runs lets that through."""
    name = next((name for name in project.calls.external(call, fn) if name in _RAISE), None)
    if name is not None:
        if _is_killed(call, fn):
            return None  # nothing survives SIGKILL: the wait only reaps
        error, position, keyword = _RAISE[name]
        limit = argument(call, position, keyword)
        if limit is None or (isinstance(limit, Const) and limit.value is None) or _is_open(limit, fn, outer):
            return None
        return Why("time", f"`{text(call)}` raises {error} when the time is over")
    targets = project.calls.targets(call, fn) if depth < _MAX_DEPTH else ()
    if len(targets) != 1 or targets[0].fn is fn:
        return None
    target = targets[0].fn
    for at in target.statements:
        for site in sites_at(at):
            reason = time_out(site.call, target, project, depth + 1, call) if _is_through(site, at) else None
            if reason is not None:
                step = target.step(site.call.span, f"`{text(call)}` runs `{target.qualname}`, which lets it through")
                return reason._replace(steps=(step, *reason.steps))
    return None


def _is_killed(call: Call, fn: Fn) -> bool:
    receiver = call.func.value if isinstance(call.func, Attr) else None
    return any(
        site.call.span.line < call.span.line
        and (
            (
                last_name(site.call.func) == "kill"
                and isinstance(site.call.func, Attr)
                and same(site.call.func.value, receiver)
            )
            or any(last_name(part) == "SIGKILL" for arg in site.call.args for part in subexprs(arg.value))
        )
        for site in fn.sites
    )


def _is_open(limit: Expr, fn: Fn, outer: Call | None) -> bool:
    """Whether the limit is a parameter that is None unless the caller says otherwise, and this caller does not."""
    params = [param for param in fn.facts.params if isinstance(limit, Name) and param.name == limit.id]
    if outer is None or not params or not (isinstance(params[0].default, Const) and params[0].default.value is None):
        return False
    return argument(outer, fn.facts.params.index(params[0]) - int(fn.is_method), params[0].name) is None


def _is_through(site: Site, at: At) -> bool:
    """Whether what the call raises leaves its function: nobody catches it, or every clause ends with a ``raise``."""
    if not isinstance(at.stmt, (ExprStmt, Assign)) or (site.parents and not site.awaited):
        return False
    for place in at.around():
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, Try) and place.part == "body" and outer.handlers:
            return all(handler.body and isinstance(handler.body[-1], Raise) for handler in outer.handlers)
    return not shielded(at)
