"""SHD401 on a queue with a size into which a stop puts its sentinel, although it may be full."""

from __future__ import annotations

from shutdown_lint.facts import Attr, Call, Const, Expr, Name, Try
from shutdown_lint.findings import Finding, Step, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.scopes import Value
from shutdown_lint.project.values import Constant, Instance
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._stops import is_stop, receiver
from shutdown_lint.walk import Site, argument, has_star, last_name, subexprs, text

_QUEUES = {
    "queue.Queue": "queue.Queue.put",
    "queue.LifoQueue": "queue.Queue.put",
    "queue.PriorityQueue": "queue.Queue.put",
    "asyncio.Queue": "asyncio.Queue.put",
    "asyncio.LifoQueue": "asyncio.Queue.put",
    "asyncio.PriorityQueue": "asyncio.Queue.put",
    "multiprocessing.Queue": "multiprocessing.Queue.put",
}
_GETS = ("get", "get_nowait")
_WORKERS = frozenset({"thread", "daemon-thread", "timer", "pool-thread", "process", "pool-process", "task"})


def check(rule: Rule, site: Site, fn: Fn, project: Project) -> Finding | None:
    """``put`` without limit, in a function that stops things, into a queue that nothing empties by itself."""
    queue = receiver(site.call)
    if not isinstance(queue, Attr) or not is_stop(fn, project) or len(site.call.args) != 1 or has_star(site.call):
        return None
    made = _sized(queue, fn, project)
    if made is None or (made[0].startswith("asyncio.") and not site.awaited):
        return None
    takers = _takers(queue.name, fn, project)
    if takers is None:
        return None
    workers = [taker for taker in takers if project.roles.kinds(taker) & _WORKERS]
    foreign = any(_runs_jobs(taker, project) for taker in workers) and _may_be_full(queue, project)
    tier: Tier = "S" if workers and not foreign else "D"
    return rule.finding(
        fn.module,
        site.call.span,
        f"`{text(site.call)}` in `{fn.qualname}` waits without limit while the queue is full, and "
        + (_WHO[foreign] if workers else "only its users empty it: who stops it reads no more"),
        tier=tier,
        trace=(made[1], fn.step(site.call.span, f"`{fn.qualname}` waits for a free place")),
        help="use `put_nowait()`, and take something out when the queue is full; or tell the end by an event",
    )


_WHO = {
    False: "its worker may have ended",
    True: "its worker runs jobs of others: one that hangs, or that stops it, keeps the place",
}


def _runs_jobs(taker: Fn, project: Project) -> bool:
    """``job, args = self._queue.get(); job(*args)``: it calls what it has taken."""
    return any(
        isinstance(site.call.func, Name)
        and any(isinstance(binding, Value) for binding in taker.bindings.get(site.call.func.id, ()))
        and not project.calls.targets(site.call, taker)
        and not project.calls.external(site.call, taker)
        for site in taker.sites
    )


def _sized(queue: Attr, fn: Fn, project: Project) -> tuple[str, Step] | None:
    """The type of a queue that is made with a size, and where."""
    values = project.evaluate.values(queue, fn)
    for value in values:
        if isinstance(value, Instance) and isinstance(value.cls, str) and value.fn is not None:
            name = project.models.canonical(value.cls)
            given = argument(value.call, 0, "maxsize") if value.call is not None else None
            size = _size(given, value.fn, project) if name in _QUEUES else None
            if size is not None and (size > 1 or (size < 0 and _may_be_full(queue, project))):
                assert isinstance(value.call, Call)
                how = f"the queue holds {size}" if size > 1 else f"the queue holds `{text(given)}`"
                return name, value.fn.step(value.call.span, how)
    return None


def _size(given: Expr | None, fn: Fn, project: Project) -> int | None:
    """The size, by what callers pass if it is a parameter; negative where it is somebody's choice, None where there is none."""
    if given is None:
        return None
    values = [v.value for v in project.evaluate.values(given, fn) if isinstance(v, Constant)]
    sizes = [value for value in values if isinstance(value, int) and value is not True]
    if isinstance(given, Const):
        return max(sizes, default=None)
    return max(sizes) if sizes and min(sizes) > 1 else -1


def _may_be_full(queue: Attr, project: Project) -> bool:
    """Whether somebody puts into the queue with a limit, or without waiting: who does that expects it to be full."""
    for fn in project.calls.mentioning(queue.name):
        for site in fn.attributes(queue.name):
            parent = site.parents[0] if site.parents else None
            if not isinstance(parent, Attr) or parent.name not in ("put", "put_nowait") or len(site.parents) < 2:
                continue
            call = site.parents[1]
            limited = isinstance(call, Call) and (
                parent.name == "put_nowait" or argument(call, 2, "timeout") is not None
            )
            outer = [place.outer.stmt for place in site.at.around() if place.outer is not None]
            if limited and any(isinstance(stmt, Try) and _sees_full(stmt) for stmt in outer):
                return True
    return False


def _sees_full(stmt: Try) -> bool:
    """``except queue.Full:``."""
    types = [handler.types for handler in stmt.handlers if handler.types is not None]
    return any(last_name(part) in ("Full", "QueueFull") for kind in types for part in subexprs(kind))


def _takers(name: str, fn: Fn, project: Project) -> list[Fn] | None:
    """The functions that take from a queue of that name; None where the queue itself goes elsewhere."""
    takers = []
    for other in project.calls.mentioning(name):
        for site in other.attributes(name):
            parent = site.parents[0] if site.parents else None
            if not isinstance(parent, Attr) and not _is_assigned(site):
                return None
            if isinstance(parent, Attr) and parent.name in _GETS:
                takers.append(other)
    return takers or None


def _is_assigned(site: Site) -> bool:
    return not site.parents and any(
        last_name(target) == last_name(site.expr) for target in getattr(site.at.stmt, "targets", ())
    )
