"""SHD401 on waits for events, jobs and queues: who is to wake them."""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.findings import Finding
from shutdown_lint.project import Project
from shutdown_lint.project.protocol import Wait
from shutdown_lint.rules._told import is_event, is_told, latched
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._drains import slow_consumer
from shutdown_lint.rules.waits._stops import WayOut, receiver
from shutdown_lint.walk import text

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
        yield rule.finding(
            module,
            call.span,
            f"`{text(call)}` in `{fn.qualname}` waits without limit until a thread has sent all that is queued: with a slow or dead peer, for ever",
            confidence="likely",
            trace=(*slow, *out.steps, waits),
            help=_STRICT[wakes][1],
        )
    elif wakes == "set" and place is not None and latched(project, place):
        return  # a worker that was started is on its way there
    elif wakes in _STRICT:
        what, help_ = _STRICT[wakes]
        yield rule.finding(
            module,
            call.span,
            f"`{text(call)}` in `{fn.qualname}` waits {what}, without limit",
            tier="S",
            trace=(*out.steps, waits),
            help=help_,
        )
