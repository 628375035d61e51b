"""The rows of a way by what they are about: one lane for each thread, process, task and resource."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.maps.records import Row, Way

MAIN = "main"


class Lane(NamedTuple):
    """One thing and what happens to it; ``sort`` as in ``Row``. The first lane is that of the program's own main thread."""

    name: str
    sort: str
    rows: tuple[Row, ...]


def lanes(way: Way) -> tuple[Lane, ...]:
    """The lanes in the order in which the way comes to them; of what is only told nothing more is known, and it has none."""
    found: dict[str, list[Row]] = {}
    rows = [row for stretch in way.stretches for row in stretch.rows]
    for row in rows:
        if row.subject:
            found.setdefault(row.subject, []).append(row)
    main = tuple(row for row in rows if row.kind in ("wait", "limit"))
    others = [
        Lane(name, next((row.sort for row in about if row.sort), "object"), tuple(about))
        for name, about in found.items()
        if any(row.sort or row.kind not in ("tell", "limit") for row in about)
    ]
    return (Lane(MAIN, "thread", main), *others) if others else ()


def end_of(lane: Lane, last: float) -> float:
    """The second at which the thing has ended: at its last row, or with the program where nothing ends it."""
    ends = [
        row.start + (row.seconds or 0.0) for row in lane.rows if row.kind in ("wait", "release") and not row.endless
    ]
    stays = any(row.endless or row.kind == "lost" for row in lane.rows) or not ends
    return last if stays else max(ends)


def marks(lane: Lane) -> Iterator[Row]:
    """The rows to draw: a wait inside of a limit about the same thing stands for both."""
    waits = {(row.start, row.seconds) for row in lane.rows if row.kind == "wait"}
    for row in lane.rows:
        if row.kind != "limit" or (row.start, row.seconds) not in waits:
            yield row
