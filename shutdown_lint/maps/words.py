"""How a map says things, in every format."""

from __future__ import annotations

from shutdown_lint.maps.records import Map, Program, Row, Way
from shutdown_lint.report.view import plural

LABELS = {
    "tell": "tells",
    "stop": "stops",
    "release": "closes",
    "wait": "waits",
    "call": "calls",
    "loop": "repeats",
    "choice": "either",
    "branch": "or",
    "maybe": "perhaps",
    "part": "and",
    "lost": "kills",
    "group": "together",
    "limit": "at most",
    "exit": "exits",
    "leave": "leaves",
    "raise": "raises",
}


def seconds(value: float) -> str:
    """``2.5 s``."""
    return f"{value:g} s"


def duration(row: Row) -> str:
    """How long the step may last; empty for what takes no time."""
    if row.endless:
        return "no limit"
    if row.seconds is None:
        return "limit set at run time"
    if not row.seconds:
        return ""
    return f"≤ {seconds(row.seconds)}{' a round' if row.kind == 'loop' and row.times is None else ''}"


def label(row: Row) -> str:
    """What kind of step it is, in a word."""
    word = LABELS.get(row.kind, row.kind)
    return f"{word} {row.times}×" if row.kind == "loop" and row.times not in (None, 1) else word


def title(program: Program) -> str:
    """The program's name, or that none is known."""
    if not program.name:
        return "no entry point known"
    return f"child process {program.name}" if program.kind == "process" else program.name


def verdict(way: Way, grace: float) -> str:
    """Whether the way fits into the grace period, in a sentence."""
    if not way.handled:
        return way.origin
    parts = [f"waits up to {seconds(way.seconds)} of {seconds(grace)}" if way.seconds else "no wait with a known limit"]
    if way.seconds > grace:
        parts.append(f"{seconds(way.seconds - grace)} too long")
    if way.endless:
        parts.append(f"{plural(way.endless, 'wait')} without a limit")
    if way.open:
        parts.append(f"{plural(way.open, 'wait')} with a limit set at run time")
    if not way.complete:
        parts.append("the way on to the end of the program was not found")
    return "; ".join(parts)


def grade(way: Way, grace: float) -> str:
    """``good`` for a whole way that fits into the grace period, ``lost`` for one that does not, ``unknown`` for the rest."""
    if way.seconds > grace or way.endless or (way.complete and not way.handled):
        return "lost"
    return "good" if way.complete else "unknown"


def fate(row: Row) -> str:
    """Why the step may never run."""
    return {"grace": "after the grace period: lost", "endless": "behind a wait without a limit: may never run"}.get(
        row.late, ""
    )


def horizon(shown: Map) -> float:
    """The last second that the axis of time shows: some way behind the grace period and the longest way."""
    longest = max((way.seconds for program in shown.programs for way in program.ways), default=0.0)
    return max(longest, shown.grace) * 1.1
