"""Steps on an axis of time: when each of them begins at the latest, if every wait lasts as long as it may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shutdown_lint.maps.records import Late, Row
from shutdown_lint.project.steps import Step


class Clock(NamedTuple):
    """Seconds since the trigger; ``stuck`` behind a wait without a limit. A wait without a number counts as no time."""

    now: float = 0.0
    stuck: bool = False


def rows_of(steps: Sequence[Step], clock: Clock, grace: float, depth: int = 0) -> tuple[list[Row], Clock]:
    """The rows of steps that run one after the other, and the time at which they are over. An exit ends them."""
    rows: list[Row] = []
    for step in steps:
        found, clock = _rows_of(step, clock, grace, depth)
        rows += found
        if step.kind == "exit":
            break
    return rows, clock


def _rows_of(step: Step, begin: Clock, grace: float, depth: int) -> tuple[list[Row], Clock]:
    inner, end = _inner(step, begin, grace, depth + 1)
    waits = step.kind == "wait"
    endless = waits and step.limit is None and not step.bounded
    if not step.steps:
        end = Clock(begin.now + (step.limit or 0.0), begin.stuck or endless)
    elif step.kind == "loop":
        end = end._replace(now=begin.now + (end.now - begin.now) * (1 if step.times is None else step.times))
    elif step.kind == "limit" and step.limit is not None:
        # what waits for ever is cut off by the limit around it
        longest = step.limit if end.stuck and not begin.stuck else end.now - begin.now
        end = Clock(begin.now + min(longest, step.limit), begin.stuck)
        inner = [row._replace(endless=False, seconds=step.limit) if row.endless else row for row in inner]
    late: Late = "endless" if begin.stuck else "grace" if begin.now > grace else ""
    seconds = None if waits and step.limit is None else end.now - begin.now
    row = Row(
        depth, step.kind, step.text, step.file, step.line, step.column, begin.now, seconds, endless, step.times, late
    )  # fmt: skip
    return [row, *inner], end


def _inner(step: Step, begin: Clock, grace: float, depth: int) -> tuple[list[Row], Clock]:
    if step.kind not in ("choice", "group"):
        return rows_of(step.steps, begin, grace, depth)
    rows: list[Row] = []
    ends = [begin]
    for branch in step.steps:
        found, end = _rows_of(branch, begin, grace, depth)
        rows += found
        ends.append(end)
    return rows, Clock(max(end.now for end in ends), any(end.stuck for end in ends))
