"""Steps on an axis of time: when each of them begins at the latest, if every wait lasts as long as it may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shutdown_lint.maps.records import Late, Row
from shutdown_lint.maps.subjects import subject
from shutdown_lint.project import Project
from shutdown_lint.project.steps import FAILS, Step, leaves


class Clock(NamedTuple):
    """Seconds since the trigger; ``stuck`` behind a wait without a limit. A wait without a number counts as no time.

    ``until`` are the deadlines of the function that runs, with the second at which each is over.
    """

    now: float = 0.0
    stuck: bool = False
    until: tuple[tuple[str, float], ...] = ()


def rows_of(
    steps: Sequence[Step], clock: Clock, grace: float, project: Project, depth: int = 0
) -> tuple[list[Row], Clock]:
    """The rows of steps that run one after the other, and the time at which they are over. An exit ends them."""
    rows: list[Row] = []
    for step in steps:
        found, clock = _rows_of(plain(step), clock, grace, project, depth)
        rows += found
        if step.kind == "exit":
            break
    return rows, clock


def plain(step: Step) -> Step:
    """The step as it is shown: a choice with one branch that matters is a condition, what stands twice stands once."""
    if step.kind == "choice":
        branches = [branch for branch in step.steps if branch.steps]
        if len(branches) == 1:
            said = step.text if branches[0].text == "then" else f"{_negated(step.text)}{branches[0].text}"
            return plain(step._replace(kind="maybe", text=said, steps=branches[0].steps))
    if step.kind == "group" and len(step.steps) == 1 and len(step.steps[0].steps) == 1:
        return step.steps[0].steps[0]
    if step.kind in ("branch", "maybe") and len(step.steps) == 1 and step.steps[0].text == step.text:
        return step._replace(steps=step.steps[0].steps)
    return step


def _negated(text: str) -> str:
    return "" if text == FAILS or not text.startswith("if ") else f"{text}: "


def _rows_of(step: Step, begin: Clock, grace: float, project: Project, depth: int) -> tuple[list[Row], Clock]:
    inner, end = _inner(step, begin, grace, project, depth + 1)
    waits = step.kind == "wait"
    endless = waits and step.limit is None and not step.bounded
    if not step.steps:
        end = _over(step, begin, endless)
    elif step.kind == "loop":
        rounds = 1 if step.times is None or _shares(step) else step.times
        end = end._replace(now=begin.now + (end.now - begin.now) * rounds)
    elif step.kind == "limit" and step.limit is not None:
        # what waits for ever is cut off by the limit around it, and so is what is only known at run time
        end = Clock(
            begin.now + step.limit if _is_open(step) or not step.bounded else min(end.now, begin.now + step.limit),
            begin.stuck,
        )
        inner = [row._replace(endless=False, seconds=step.limit) if row.endless else row for row in inner]
    if step.kind == "call":
        end = end._replace(until=begin.until)
    late: Late = "endless" if begin.stuck else "grace" if begin.now > grace else ""
    seconds = None if step.kind in ("wait", "limit") and step.limit is None else end.now - begin.now
    times = 1 if step.kind == "loop" and _shares(step) else step.times
    row = Row(
        depth, step.kind, step.text, step.file, step.line, step.column, begin.now, seconds, endless, times, late,
        *subject(step, project),
    )  # fmt: skip
    return [row, *inner], end


def _over(step: Step, begin: Clock, endless: bool) -> Clock:
    """The end of a single step; waits until one deadline end with it."""
    known = dict(begin.until)
    over = known.get(step.deadline, begin.now + (step.limit or 0.0))
    if step.deadline:
        known[step.deadline] = over
    return Clock(max(over, begin.now), begin.stuck or endless, tuple(known.items()))


def _shares(loop: Step) -> bool:
    """Whether all that the loop waits for has one deadline: a further round gets no time of its own."""
    waits = [step for step, _ in leaves(loop.steps) if step.kind == "wait" and step.limit != 0.0]
    return bool(waits) and all(step.deadline for step in waits)


def _is_open(step: Step) -> bool:
    """Whether something inside waits without a known limit."""
    return (step.kind == "wait" and step.limit is None) or (
        any(_is_open(below) for below in step.steps) or (step.kind == "loop" and step.times is None)
    )


def _inner(step: Step, begin: Clock, grace: float, project: Project, depth: int) -> tuple[list[Row], Clock]:
    if step.kind not in ("choice", "group"):
        return rows_of(step.steps, begin, grace, project, depth)
    rows: list[Row] = []
    ends = [begin]
    for branch in step.steps:
        if branch.steps or step.kind == "group":
            kind = "part" if step.kind == "group" else branch.kind
            found, end = _rows_of(plain(branch)._replace(kind=kind), begin, grace, project, depth)
            rows += found
            ends.append(end)
    return rows, Clock(max(end.now for end in ends), any(end.stuck for end in ends), begin.until)
