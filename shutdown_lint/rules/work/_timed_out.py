"""Children that run on: behind a wait whose limit is reached, and where only those are ended that have ended already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Call, Const, Expr, For, Handler, If, Op, Raise, Return, Try, While
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.endings import catches
from shutdown_lint.project.protocol import Wait
from shutdown_lint.project.tracks import Local, Track, Use
from shutdown_lint.walk import Site, argument, last_name, same, sites, walk

_WAITS = ("wait", "communicate")
# by these somebody ends the child, looks after it, or knows it by its number
_ENDS = ("kill", "terminate", "send_signal", "pid", "poll", "returncode")
_KILLS = frozenset({"kill", "terminate", "send_signal"})
_RAISED = ("TimeoutExpired", "SubprocessError", "TimeoutError", "Exception")


class LeftRunning(NamedTuple):
    """A wait with a limit behind which the child runs on; ``handler`` catches what it raises, if anything here does."""

    use: Use
    wait: Wait
    handler: Handler | None


def left_running(track: Track, made: Fn, project: Project) -> LeftRunning | None:
    """The wait for a child that nothing ends when its limit is reached; ``made`` is the function that starts the child.

    None where another wait has no limit, or where it may be meant that the child runs on.
    """
    if track.has(*_ENDS) or any(use.name in _ENDS for use in track.uses):
        return None
    waits = [(use, wait) for use in track.methods(*_WAITS) if (wait := project.protocol.wait(use.site, use.fn))]
    if not waits or not all(_has_limit(wait) for _, wait in waits) or len(waits) < len(track.methods(*_WAITS)):
        return None
    for use, _ in waits:
        if isinstance(use.place, Local) and use.place.fn is not made:
            return None  # what it was handed, a function may leave to who made it
        handlers = list(_handlers(use))
        if _is_repeated(use) or (handlers and not _gives_up(handlers[0], use)):
            return None
    use, wait = waits[0]
    return LeftRunning(use, wait, next(_handlers(use), None))


def _has_limit(wait: Wait) -> bool:
    """Whether the wait has a limit that is more than a look: ``wait(0)`` only asks whether the child has ended."""
    limit = argument(wait.site.call, wait.model.position, wait.model.timeout or "timeout")
    if any(isinstance(parent, Call) and last_name(parent.func) == "wait_for" for parent in wait.site.parents):
        return True
    return wait.bounded and not (isinstance(limit, Const) and not limit.value)


def _handlers(use: Use) -> Iterator[Handler]:
    """The clauses around the wait that catch what its limit raises, the nearest first."""
    for place in use.site.at.around():
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, Try) and place.part == "body":
            yield from (handler for handler in outer.handlers if catches(handler.types, *_RAISED))


def _gives_up(handler: Handler, use: Use) -> bool:
    """Whether the clause takes the child for lost; one that goes on may have wanted to see that the child stays up.

    So may one that returns, where an end of the child is the error.
    """
    if raises(handler):
        return True
    ends = (at.stmt for at in use.fn.statements if isinstance(at.stmt, Raise))
    return (
        len(handler.body) > 1
        and isinstance(handler.body[-1], Return)
        and not any(stmt.span.line > use.site.call.span.line for stmt in ends)
    )


def ended_too_late(fn: Fn) -> Iterator[tuple[Site, Site]]:
    """``if child.poll() is not None: child.kill()``: calls that end a child only where it has ended, each behind its question."""
    for asked in fn.sites if "poll" in fn.mentions and not fn.mentions.isdisjoint(_KILLS) else ():
        stmt, test = asked.at.stmt, asked.parents[0] if asked.parents else None
        if not isinstance(stmt, If) or stmt.test is not test or not isinstance(test, Op) or test.op != "is-not":
            continue
        if last_name(asked.call.func) == "poll" and asked.expr is test.operands[0] and _is_none(test.operands[1]):
            child = getattr(asked.call.func, "value", None)
            for site in sites(stmt.body):
                func = site.call.func
                if isinstance(func, Attr) and func.name in _KILLS and child is not None and same(func.value, child):
                    yield asked, site
                    break


def _is_none(expr: Expr) -> bool:
    return isinstance(expr, Const) and expr.value is None


def raises(handler: Handler) -> bool:
    """Whether the clause raises, or may."""
    return any(isinstance(at.stmt, Raise) for at in walk(handler.body))


def _is_repeated(use: Use) -> bool:
    """Whether a loop may wait for the child again."""
    return any(place.outer is not None and isinstance(place.outer.stmt, (While, For)) for place in use.site.at.around())
