"""The map for a terminal: a tree of steps, each with a bar on the axis of time."""

from __future__ import annotations

import os
from collections.abc import Iterator

from shutdown_lint.maps.records import Map, Program, Row, Way
from shutdown_lint.maps.words import duration, grade, horizon, label, title, verdict
from shutdown_lint.report.view import View, columns, plural, safe, shown_path

_BAR = 24  # columns
_COLORS = {"good": "help", "lost": "lost", "unknown": "trace"}


def render(shown: Map, view: View) -> str:
    """The whole map."""
    if not shown.programs:
        return "No program found: no entry point, and no handler of SIGTERM or SIGINT.\n"
    lines: list[str] = []
    for program in shown.programs:
        lines += [*_program(program, shown, view), ""]
    return "\n".join(lines)


def _program(program: Program, shown: Map, view: View) -> Iterator[str]:
    place = f"{shown_path(program.file)}:{program.line}"
    yield f"{view.paint('code', safe(title(program)))}  {view.paint('dim', place)}"
    for way in program.ways:
        yield ""
        yield from _way(way, shown, view)
    if program.left:
        yield ""
        yield f"  {view.paint('lost', 'left behind')}  {view.paint('dim', plural(len(program.left), 'finding'))}"
        for left in program.left:
            yield f"    {left.code} {safe(left.message)}  {view.paint('dim', f'{shown_path(left.file)}:{left.line}')}"


def _way(way: Way, shown: Map, view: View) -> Iterator[str]:
    yield f"  {view.paint(_COLORS[grade(way, shown.grace)], way.trigger)}  {safe(verdict(way, shown.grace))}"
    if way.handled:
        yield f"    {view.paint('dim', f'from {safe(way.origin)}, {shown_path(way.file)}:{way.line}')}"
    for stretch in way.stretches:
        yield f"    {safe(stretch.why)}"
        for number, row in enumerate(stretch.rows):
            yield _row(row, _prefix(stretch.rows, number), shown, view)


def _prefix(rows: tuple[Row, ...], number: int) -> str:
    """The lines of the tree in front of a row."""
    depth = rows[number].depth
    signs = []
    for level in range(depth + 1):
        following = next((row.depth for row in rows[number + 1 :] if row.depth <= level), -1)
        goes_on = following == level
        signs.append(("├─ " if goes_on else "└─ ") if level == depth else ("│  " if goes_on else "   "))
    return "".join(signs)


def _row(row: Row, prefix: str, shown: Map, view: View) -> str:
    place = f"{safe(os.path.basename(row.file))}:{row.line}"  # the tree is wide enough; other formats have the path
    took = duration(row)
    bar = _bar(row, shown)
    room = view.width - _BAR - columns(prefix) - columns(took) - columns(place) - 22
    said = _cut(safe(row.text), max(room, 12))
    kind = f"{label(row):<9}"
    fill = " " * max(1, room - columns(said))
    late = bool(row.late) or row.endless
    return (
        f"      {view.paint('dim', prefix)}{kind} {said}{fill}{view.paint('dim', place)}  "
        f"{view.paint('lost' if late else 'code', took)} {view.paint('lost' if late else 'trace', bar)}".rstrip()
    )


def _cut(text: str, room: int) -> str:
    if columns(text) <= room:
        return text
    while columns(text) > room - 1:
        text = text[:-1]
    return f"{text}…"


def _bar(row: Row, shown: Map) -> str:
    """Where the step lies between the trigger and the end of the axis; ``┊`` is the end of the grace period, ``?`` may never run."""
    scale = _BAR / horizon(shown)
    start, grace = int(row.start * scale), int(shown.grace * scale)
    length = _BAR - start if row.endless else max(round((row.seconds or 0.0) * scale), 1 if row.seconds else 0)
    cells = ["━" if start <= cell < start + length else "┊" if cell == grace else " " for cell in range(_BAR)]
    if not length and start < _BAR:
        cells[start] = "?" if row.late == "endless" else "·"
    return "".join(cells).rstrip()
