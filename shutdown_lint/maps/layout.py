"""Steps on an axis of time: when each of them begins at the latest, if every wait lasts as long as it may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shutdown_lint.maps.records import Late, Row
from shutdown_lint.maps.subjects import subject
from shutdown_lint.project import Project
from shutdown_lint.project.leaves import is_real
from shutdown_lint.project.step import FAILS, Step, leaves


class Clock(NamedTuple):
    """Seconds since the trigger; ``stuck`` behind a wait without a limit. A wait without a number counts as no time.

    ``until`` are the deadlines of the function that runs, with the second at which each is over.
    """

    now: float = 0.0
    stuck: bool = False
    until: tuple[tuple[str, float], ...] = ()


class Laid(NamedTuple):
    """Rows, and the clock where they go on; ``out`` where a way out ends them earlier. None: they do not go on, or have no such way."""

    rows: list[Row]
    on: Clock | None
    out: Clock | None

    @property
    def end(self) -> Clock:
        """When all of it is over, whatever the way."""
        return _latest([clock for clock in (self.on, self.out) if clock is not None])


def _latest(clocks: Sequence[Clock]) -> Clock:
    last = max(clocks, key=lambda clock: clock.now)
    return last._replace(stuck=any(clock.stuck for clock in clocks))


def rows_of(steps: Sequence[Step], clock: Clock, grace: float, project: Project) -> tuple[list[Row], Clock]:
    """The rows of steps that run one after the other, and the time at which they are over."""
    laid = _sequence(steps, clock, grace, project, 0)
    return laid.rows, laid.end


def _sequence(steps: Sequence[Step], begin: Clock, grace: float, project: Project, depth: int) -> Laid:
    """An exit or a way out of the block ends them; the latter is shown where the block does something before."""
    rows: list[Row] = []
    clock, outs = begin, []
    for step in steps:
        laid = _laid(plain(step), clock, grace, project, depth)
        if step.kind != "leave" or rows:
            rows += laid.rows
        outs += [laid.out] if laid.out is not None else []
        if laid.on is None:
            return Laid(rows, None, _latest(outs))
        clock = laid.on
    return Laid(rows, clock, _latest(outs) if outs else None)


def plain(step: Step) -> Step:
    """The step as it is shown: a choice with one branch that matters is a condition, what stands twice stands once."""
    if step.kind == "choice":
        branches = [branch for branch in step.steps if any(map(is_real, branch.steps))]
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


def _laid(step: Step, begin: Clock, grace: float, project: Project, depth: int) -> Laid:
    inner = _inner(step, begin, grace, project, depth + 1)
    if step.steps and not inner.rows:  # nothing but ways out
        return inner
    on, out = _cut(step, begin, inner) if step.kind == "limit" else (inner.on, inner.out)
    if step.kind == "maybe":
        on = _latest([begin, *([on] if on is not None else [])])
    end = _over(step, begin, _is_endless(step)) if not step.steps else _latest([c for c in (on, out) if c is not None])
    if step.kind in ("leave", "exit"):
        on, out = None, begin
    elif step.kind in ("call", "loop", "group") or not step.steps:  # what runs behind it waits for all of it
        end = _whole(step, begin, end)
        on, out = end, None
    rows = inner.rows
    if step.kind == "limit" and step.limit is not None:
        rows = [row._replace(endless=False, seconds=step.limit) if row.endless else row for row in rows]
    return Laid([_row(step, begin, end, grace, project, depth), *rows], on, out)


def _row(step: Step, begin: Clock, end: Clock, grace: float, project: Project, depth: int) -> Row:
    late: Late = "endless" if begin.stuck else "grace" if begin.now > grace else ""
    seconds = None if step.kind in ("wait", "limit") and step.limit is None else end.now - begin.now
    times = 1 if step.kind == "loop" and _shares(step) else step.times
    return Row(
        depth, step.kind, step.text, step.file, step.line, step.column, begin.now, seconds, _is_endless(step), times, late,
        *subject(step, project),
    )  # fmt: skip


def _whole(step: Step, begin: Clock, end: Clock) -> Clock:
    """When a call or all rounds of a loop are over."""
    if step.kind == "loop":
        rounds = 1 if step.times is None or _shares(step) else step.times
        return end._replace(now=begin.now + (end.now - begin.now) * rounds)
    return end._replace(until=begin.until) if step.kind == "call" else end


def _cut(limit: Step, begin: Clock, inner: Laid) -> tuple[Clock | None, Clock | None]:
    """What waits for ever is cut off by the limit around it, and so is what is only known at run time."""
    if limit.limit is None:
        return inner.on, inner.out
    last = begin.now + limit.limit
    whole = _is_open(limit) or not limit.bounded
    on, out = (
        None if clock is None else Clock(last if whole else min(clock.now, last), begin.stuck)
        for clock in (inner.on, inner.out)
    )
    return on, out


def _is_endless(step: Step) -> bool:
    return step.kind == "wait" and step.limit is None and not step.bounded


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


def _inner(step: Step, begin: Clock, grace: float, project: Project, depth: int) -> Laid:
    if step.kind not in ("choice", "group"):
        return _sequence(step.steps, begin, grace, project, depth)
    rows: list[Row] = []
    ons, outs = [begin] if step.kind == "group" else [], []
    for branch in step.steps:
        kind = "part" if step.kind == "group" else branch.kind
        found = _laid(plain(branch)._replace(kind=kind), begin, grace, project, depth)
        rows += found.rows if branch.steps or step.kind == "group" else []
        ons += [found.on] if found.on is not None else []
        outs += [found.out] if found.out is not None else []
    on = _latest(ons)._replace(until=begin.until) if ons else None
    return Laid(rows, on, _latest(outs) if outs else None)
