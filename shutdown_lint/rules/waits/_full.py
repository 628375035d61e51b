"""SHD401 on a queue with a size into which a stop puts its sentinel, although it may be full."""

from __future__ import annotations

from shutdown_lint.facts import Attr, Call, Const
from shutdown_lint.findings import Finding, Step, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.values import Instance
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._stops import is_stop, receiver
from shutdown_lint.walk import Site, argument, has_star, last_name, text

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
    tier: Tier = "S" if any(project.roles.kinds(taker) & _WORKERS for taker in takers) else "D"
    return rule.finding(
        fn.module,
        site.call.span,
        f"`{text(site.call)}` in `{fn.qualname}` waits without limit while the queue is full, and "
        + ("its worker may have ended" if tier == "S" else "only its users empty it: who stops it reads no more"),
        tier=tier,
        trace=(made[1], fn.step(site.call.span, f"`{fn.qualname}` waits for a free place")),
        help="use `put_nowait()`, and take something out when the queue is full; or tell the end by an event",
    )


def _sized(queue: Attr, fn: Fn, project: Project) -> tuple[str, Step] | None:
    """The type of a queue that is made with a size, and where."""
    values = project.evaluate.values(queue, fn)
    for value in values:
        if isinstance(value, Instance) and isinstance(value.cls, str) and value.fn is not None:
            name = project.models.canonical(value.cls)
            size = argument(value.call, 0, "maxsize") if value.call is not None else None
            if name in _QUEUES and isinstance(size, Const) and isinstance(size.value, int) and size.value > 1:
                assert isinstance(value.call, Call)
                return name, value.fn.step(value.call.span, f"the queue holds {size.value}")
    return None


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
