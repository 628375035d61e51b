"""SHD401 on waits for events, jobs and queues: who is to wake them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Call, Const, ModuleFacts, Return
from shutdown_lint.findings import Finding
from shutdown_lint.project import Project
from shutdown_lint.project.protocol import Wait
from shutdown_lint.rules._told import is_event, is_told, latched
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._drains import slow_consumer
from shutdown_lint.rules.waits._polls import WAITING
from shutdown_lint.rules.waits._stops import WayOut, is_patient, is_stop, receiver
from shutdown_lint.walk import At, last_name, same, text

_GATHERS = frozenset({"gather", "wait", "shield", "ensure_future", "create_task"})
_TELLS = re.compile(r"(^|_)(set|cancel|put|close|stop|shutdown|terminate|kill|abort|signal|notify)(_|$)")
_ORDERS = re.compile(
    r"(stop|shut_?down|exit|quit|terminate|cancel|abort|close)(_event|_signal|_requested|_flag|ing)?$", re.IGNORECASE
)
_STRICT = {
    "job": ("for the whole of a job", "pass a limit, and cancel or report the job when it is over"),
    "task_done": (
        "until a consumer has worked off the queue",
        "the queue's join takes no limit: count open jobs with a deadline instead",
    ),
    "set": ("for an event that others must set", "pass a limit, and act on a wait that returns False"),
}


def check(rule: Rule, module: ModuleFacts, project: Project, wait: Wait, out: WayOut) -> Iterator[Finding]:
    """An event that nobody sets is tier D, and a queue that a thread works off over the network; a wait for someone else's work is tier S."""
    fn, call, wakes = wait.fn, wait.site.call, wait.model.wakes
    waits = fn.step(call.span, f"`{fn.qualname}` waits")
    place = next(iter(project.protocol.places_read(expr, fn)), None) if (expr := receiver(call)) is not None else None
    if wakes == "set" and place is not None and is_event(project, place) and not is_told(project, place, True):
        yield rule.finding(
            module,
            call.span,
            f"`{text(call)}` in `{fn.qualname}` waits without limit for an event that nobody sets",
            trace=(*out.steps, waits),
            help="set the event where the awaited work ends, in a `finally`, and wait with a limit",
        )
    elif wakes == "task_done" and expr is not None and (slow := slow_consumer(expr, fn, project)) is not None:
        lasts = "for as long as each of them may take" if slow.limited else "for ever"
        yield rule.finding(
            module,
            call.span,
            f"`{text(call)}` in `{fn.qualname}` waits without limit until a thread has sent all that is queued: with a slow or dead peer, {lasts}",
            confidence="likely",
            trace=(slow.taken, slow.call, *out.steps, waits),
            help=_STRICT[wakes][1],
        )
    elif wakes == "set" and place is not None and latched(project, place):
        return  # a worker that was started is on its way there
    elif (
        _is_handed_on(wait)
        or _promises_to_wait(wait, out)
        or (wakes in ("set", "job") and _told_before(wait))
        or (wakes == "set" and _is_the_order(wait))
    ):
        return
    elif wakes in _STRICT and not project.roles.only(out.stop, "thread", "timer", "pool-thread"):
        what, help_ = _STRICT[wakes]
        yield rule.finding(
            module,
            call.span,
            f"`{text(call)}` in `{fn.qualname}` waits {what}, without limit",
            tier="S" if is_stop(out.stop, project) else "P",
            trace=(*out.steps, waits),
            help=help_,
        )


def _is_handed_on(wait: Wait) -> bool:
    """Whether someone else gets the coroutine and waits: ``add_cleanup_task(queue.join())``, ``return event.wait()``."""
    site = wait.site
    if site.awaited or not wait.model.call.startswith("asyncio."):
        return False
    calls = [parent for parent in site.parents if isinstance(parent, Call)]
    return any(last_name(call.func) not in _GATHERS for call in calls) or isinstance(site.at.stmt, Return)


def _promises_to_wait(wait: Wait, out: WayOut) -> bool:
    """Whether the function's name says that it waits for something, however long: the limit is its caller's."""
    waits = out.stop is wait.fn or wait.model.wakes == "set"
    return is_patient(out.stop) or (waits and bool(WAITING.match(wait.fn.name)))


def _is_the_order(wait: Wait) -> bool:
    """Whether the event tells to stop, and so is what the function waits for before it stops things: ``await self.shutdown.wait()``."""
    return bool(_ORDERS.search(last_name(receiver(wait.site.call))))


def _sets_flag(at: At) -> bool:
    """``self._quit = True``."""
    stmt = at.stmt
    return (
        isinstance(stmt, Assign)
        and isinstance(stmt.value, Const)
        and isinstance(stmt.value.value, bool)
        and any(isinstance(target, Attr) for target in stmt.targets)
    )


def _told_before(wait: Wait) -> bool:
    """Whether the function asks something to end before it waits for the end."""
    line, event = wait.site.call.span.line, receiver(wait.site.call)
    if any(_sets_flag(at) and at.stmt.span.line < line for at in wait.fn.statements):  # type: ignore[union-attr]  # an assignment
        return True
    return any(
        _TELLS.search(last_name(site.call.func)) and site.call.span.line < line and not same(receiver(site.call), event)
        for site in wait.fn.sites
    )
