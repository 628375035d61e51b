"""How long steps may last: the longest of the ways through them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from shutdown_lint.project.step import Step


class Cost(NamedTuple):
    """How long steps may last: the sum of the limits that are known, the waits that make it up, and those without a number.

    ``counted`` are (wait, its limit, how often); ``endless`` have no limit, ``open`` a limit or number of rounds that only
    shows at run time.
    """

    seconds: float
    counted: tuple[tuple[Step, float, int], ...]
    endless: tuple[Step, ...]
    open: tuple[Step, ...]


NO_COST = Cost(0.0, (), (), ())


class _Flow(NamedTuple):
    """What it costs to go on behind some steps, and what it costs until a way out of their block; None where there is no such way."""

    on: Cost | None
    out: Cost | None


def cost(found: Iterable[Step]) -> Cost:
    """How long the steps may last one after the other; an exit request or a ``return`` ends them."""
    return _whole(_sequence(found))


def _whole(flow: _Flow) -> Cost:
    return _longest([way for way in flow if way is not None]) or NO_COST


def _longest(ways: list[Cost]) -> Cost | None:
    """The way that may last longest, with the waits without a known limit of all of them."""
    if len(ways) < 2:
        return ways[0] if ways else None
    longest = max(ways, key=lambda found: found.seconds)
    others = [way for way in ways if way is not longest]
    return longest._replace(
        endless=_joined(longest.endless, (way.endless for way in others)),
        open=_joined(longest.open, (way.open for way in others)),
    )


def _joined(own: tuple[Step, ...], others: Iterable[tuple[Step, ...]]) -> tuple[Step, ...]:
    """The waits of one way, and those that stand only on others."""
    known = {id(wait): wait for wait in own}
    more = {id(wait): wait for found in others for wait in found if id(wait) not in known}
    return (*own, *more.values())


def _sequence(found: Iterable[Step]) -> _Flow:
    total, out = NO_COST, []
    for step in found:
        flow = _flow(step)
        if flow.out is not None:
            out.append(plus(total, flow.out))
        if flow.on is None:
            return _Flow(None, _longest(out))
        total = plus(total, flow.on)
    return _Flow(total, _longest(out))


def _flow(step: Step) -> _Flow:
    if step.kind in ("leave", "exit"):
        return _Flow(None, NO_COST)
    if step.kind in ("branch", "maybe", "part"):
        return _sequence(step.steps)
    if step.kind == "choice":
        flows = [_flow(branch) for branch in step.steps]
        on = _longest([flow.on for flow in flows if flow.on is not None])
        return _Flow(on, _longest([flow.out for flow in flows if flow.out is not None]))
    if step.kind == "limit":
        inner = _sequence(step.steps)
        return _Flow(*(None if way is None else _within(step, way) for way in inner))
    return _Flow(_alone(step), None)


def _within(limit: Step, inner: Cost) -> Cost:
    if limit.limit is None:
        return inner._replace(open=(*inner.open, limit))
    if inner.endless or inner.open or inner.seconds > limit.limit or not limit.bounded:
        return Cost(limit.limit, ((limit, limit.limit, 1),), (), ())
    return inner


def _alone(step: Step) -> Cost:
    """What is over before the next step begins, whatever way it takes inside."""
    if step.kind == "group":
        return _longest([cost(part.steps) for part in step.steps]) or NO_COST
    inner = cost(step.steps)
    if step.kind == "call":  # the deadline is a local of the function: the next call sets another
        return inner._replace(counted=tuple((w._replace(deadline=""), limit, n) for w, limit, n in inner.counted))
    if step.kind == "loop":
        return _rounds(step, inner)
    if step.kind != "wait" or step.limit == 0:
        return inner
    if step.limit is not None:
        return Cost(step.limit, ((step, step.limit, 1),), (), ())
    return Cost(0.0, (), (), (step,)) if step.bounded else Cost(0.0, (), (step,), ())


def _rounds(loop: Step, inner: Cost) -> Cost:
    times = 1 if loop.times is None else loop.times
    opened = (loop,) if loop.times is None and any(not wait.deadline for wait, _, _ in inner.counted) else ()
    counted = tuple((wait, limit, 1 if wait.deadline else rounds * times) for wait, limit, rounds in inner.counted)
    return Cost(
        sum(limit * rounds for _, limit, rounds in counted),
        counted,
        inner.endless,
        (*inner.open, *opened),
    )


def plus(left: Cost, right: Cost) -> Cost:
    """One after the other; what waits until the same deadline lasts no longer together."""
    known = {wait.deadline for wait, _, _ in left.counted if wait.deadline}
    more = tuple(part for part in right.counted if part[0].deadline not in known)
    return Cost(
        left.seconds + sum(limit * rounds for _, limit, rounds in more),
        (*left.counted, *more),
        (*left.endless, *right.endless),
        (*left.open, *right.open),
    )
