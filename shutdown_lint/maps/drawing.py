"""The map as a picture: a table of steps beside an axis of time, as SVG and as a self-contained HTML page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from importlib.resources import files
from typing import NamedTuple

from shutdown_lint.maps.lanes import MAIN, Lane, end_of, lanes, marks
from shutdown_lint.maps.records import Map, Program, Row, Way
from shutdown_lint.maps.words import duration, fate, grade, horizon, label, title, verdict
from shutdown_lint.report.view import plural, safe, shown_path

Read = Callable[[str], "Sequence[str] | None"]

_LINE = 22  # height of a row, in pixels, as all that follows
_TEXT = 560  # width of the text column
_AXIS = 560
_WIDTH = _TEXT + _AXIS + 40
_CHARACTER = 7.3  # of the monospaced font at 12 px


class _Canvas(NamedTuple):
    """What has been drawn, as lines of SVG, and the height so far."""

    lines: list[str]
    y: int


def as_svg(shown: Map, read: Read) -> str:
    """One picture of all programs; its colours follow the reader's preference for light or dark."""
    body, height = _drawn(shown, read)
    style = _resource("map.css")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img">'
        f"<title>Shutdown map</title><style>{style}</style>"
        f'<rect class="ground" width="{_WIDTH}" height="{height}"/>{body}</svg>\n'
    )


def as_html(shown: Map, read: Read) -> str:
    """A page that needs nothing else: the picture of each program, zoom, and the code of a step when it is pointed at."""
    parts = []
    for program in shown.programs:
        body, height = _drawn(Map((program,), shown.grace), read)
        parts.append(
            f'<section><svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(safe(title(program)))}">{body}</svg></section>'
        )
    text = _resource("map.html")
    page = {"{{css}}": _resource("map.css"), "{{script}}": _resource("map.js"), "{{programs}}": "\n".join(parts)}
    for mark, content in page.items():
        text = text.replace(mark, content)
    return text


def _resource(name: str) -> str:
    return (files("shutdown_lint.maps") / name).read_text(encoding="utf-8")


def _drawn(shown: Map, read: Read) -> tuple[str, int]:
    lines: list[str] = []
    y = 12
    for program in shown.programs:
        for line, height in _program(program, shown, read, y):
            lines.append(line)
            y += height
        y += _LINE
    return "".join(lines), y


def _program(program: Program, shown: Map, read: Read, y: int) -> Iterator[tuple[str, int]]:
    yield _words("program", 12, y, title(program), f"{shown_path(program.file)}:{program.line}"), _LINE + 4
    y += _LINE + 4
    for way in program.ways:
        for line, height in _way(way, shown, read, y):
            yield line, height
            y += height
    if program.left:
        yield _words("lost", 12, y, "left behind", plural(len(program.left), "finding")), _LINE
        y += _LINE
        for left in program.left:
            said = f"{left.code} {left.message}"
            yield (
                _words("step", 28, y, _cut(said, _WIDTH - 60), f"{shown_path(left.file)}:{left.line}", tip=said),
                _LINE,
            )
            y += _LINE


def _way(way: Way, shown: Map, read: Read, y: int) -> Iterator[tuple[str, int]]:
    said = verdict(way, shown.grace)
    yield (
        _words(grade(way, shown.grace), 12, y, way.trigger, _cut(said, _WIDTH - 130), tip=said),
        _LINE,
    )
    y += _LINE
    found = lanes(way)
    rows = sum(len(stretch.rows) + 1 for stretch in way.stretches) + (len(found) + 1 if found else 0)
    if rows:
        yield _axis(shown, y, rows), _LINE
        y += _LINE
    for stretch in way.stretches:
        yield _words("why", 28, y, _cut(stretch.why, _TEXT - 40), tip=stretch.why), _LINE
        y += _LINE
        for row in stretch.rows:
            yield _step(row, shown, read, y), _LINE
            y += _LINE
    if found:
        yield _words("why", 28, y, "threads, processes, tasks and resources"), _LINE
        y += _LINE
    for lane in found:
        yield _lane(lane, way, shown, read, y), _LINE
        y += _LINE
    yield "", 8


def _axis(shown: Map, y: int, rows: int) -> str:
    """The seconds above the rows, and the line at which the grace period ends."""
    end, bottom = horizon(shown), y + _LINE * (rows + 1)
    step = next(step for step in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 3600, 1e9) if end / step <= 10)
    ticks = []
    at = 0.0
    while at <= end and step < 1e9:
        x = _x(at, shown)
        ticks.append(f'<text class="tick" x="{x:.1f}" y="{y + 14}">{at:g} s</text>')
        ticks.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{y + 18}" y2="{bottom}"/>')
        at += step
    x = _x(shown.grace, shown)
    tip = f"grace period: {shown.grace:g} s, then SIGKILL"
    return "".join(ticks) + (
        f'<line class="grace" x1="{x:.1f}" x2="{x:.1f}" y1="{y + 18}" y2="{bottom}"><title>{tip}</title></line>'
    )


def _x(second: float, shown: Map) -> float:
    return _TEXT + _AXIS * second / horizon(shown)


def _step(row: Row, shown: Map, read: Read, y: int) -> str:
    tip = _tip(row, read)
    x = 44 + 14 * row.depth
    took = duration(row)
    room = _TEXT - x - (len(took) + 2) * _CHARACTER
    bad = bool(row.late) or row.endless
    said = _cut(f"{label(row)} {row.text}", room)
    parts = [
        f'<text class="step{" bad" if bad else ""}" x="{x}" y="{y + 15}">{escape(said)}</text>',
        f'<text class="took{" bad" if bad else ""}" x="{_TEXT - 12}" y="{y + 15}">{escape(took)}</text>',
    ]
    parts.append(_mark(row, shown, y))
    return f'<g class="row"><title>{escape(tip)}</title><rect class="hit" x="12" y="{y}" width="{_WIDTH - 24}" height="{_LINE}"/>{"".join(parts)}</g>'


def _mark(row: Row, shown: Map, y: int) -> str:
    """The row on the axis: a bar for what lasts, a dot for what takes no time, a cross for what is lost."""
    bad = bool(row.late) or row.endless
    begin = min(_x(row.start, shown), _TEXT + _AXIS)
    if row.endless:
        return f'<rect class="endless" x="{begin:.1f}" y="{y + 5}" width="{_TEXT + _AXIS - begin:.1f}" height="12"/>'
    if row.kind == "lost":
        x, top = begin, y + 11
        return f'<path class="gone" d="M{x - 4:.1f} {top - 4}l8 8m0 -8l-8 8"/>'
    if row.seconds:
        width = min(_x(row.start + row.seconds, shown), _TEXT + _AXIS) - begin
        inner = " inner" if row.kind not in ("wait", "limit") else ""
        return f'<rect class="bar{" bad" if bad else inner}" x="{begin:.1f}" y="{y + 5}" width="{max(width, 2):.1f}" height="12"/>'
    never = " never" if row.late == "endless" else ""
    return f'<circle class="dot{" bad" if bad else ""}{never}" cx="{begin:.1f}" cy="{y + 11}" r="3"/>'


def _lane(lane: Lane, way: Way, shown: Map, read: Read, y: int) -> str:
    """A line for the life of a thing, with what happens to it; each mark has a tip of its own."""
    stuck = bool(way.endless)
    last = horizon(shown) if stuck else way.seconds
    end = min(_x(last if lane.name == MAIN else end_of(lane, last), shown), _TEXT + _AXIS)
    name = _cut(lane.name, _TEXT - 170)
    drawn = "".join(
        f'<g class="mark"><title>{escape(_tip(row, read))}</title>{_mark(row, shown, y)}</g>' for row in marks(lane)
    )
    return (
        f'<g class="lane"><rect class="hit" x="12" y="{y}" width="{_WIDTH - 24}" height="{_LINE}"/>'
        f'<text class="sort" x="44" y="{y + 15}">{escape(lane.sort)}</text>'
        f'<text class="step" x="134" y="{y + 15}">{escape(name)}</text>'
        f'<line class="life" x1="{_TEXT}" x2="{end:.1f}" y1="{y + 11}" y2="{y + 11}"/>{drawn}</g>'
    )


def _tip(row: Row, read: Read) -> str:
    """Place and code of a step."""
    lines = read(row.file) or ()
    code = lines[row.line - 1].strip() if 0 < row.line <= len(lines) else row.text
    return "\n".join(filter(None, (f"{shown_path(row.file)}:{row.line}", safe(code), fate(row))))


def _words(kind: str, x: int, y: int, said: str, beside: str = "", tip: str = "") -> str:
    inner = f'<tspan class="beside" dx="12">{escape(safe(beside))}</tspan>' if beside else ""
    about = f"<title>{escape(safe(tip))}</title>" if tip else ""
    return f'<text class="{kind}" x="{x}" y="{y + 15}">{about}{escape(safe(said))}{inner}</text>'


def _cut(text: str, room: float) -> str:
    text = safe(text)
    most = max(int(room / _CHARACTER), 8)
    return text if len(text) <= most else f"{text[: most - 1]}…"
