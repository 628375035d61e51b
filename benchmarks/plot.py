"""A plot with logarithmic axes as SVG, in the colours of the docs, light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, floor, log10
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 24, 48

STYLE = """
    text { font: 12px system-ui, sans-serif; fill: #1c2528; }
    .axis, .grid { stroke: #d5dde0; stroke-width: 1; fill: none; } .axis { stroke: #4b5a60; }
    .s0 { stroke: #00796b; fill: #00796b; } .s1 { stroke: #4db6ac; fill: #4db6ac; } .s2 { stroke: #e65100; fill: #e65100; }
    .s3 { stroke: #6a1b9a; fill: #6a1b9a; } .s4 { stroke: #546e7a; fill: #546e7a; }
    polyline { stroke-width: 2; fill: none !important; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6ecee; } .grid { stroke: #3a4150; } .axis { stroke: #aebbc0; } .s3 { stroke: #ce93d8; fill: #ce93d8; }
      .s4 { stroke: #90a4ae; fill: #90a4ae; }
    }"""


class _Axis:
    """Values of powers of ten, and where they stand between two pixels."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self.first, self.last = floor(log10(min(values))), max(ceil(log10(max(values))), floor(log10(min(values))) + 1)
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        return self._start + (log10(value) - self.first) / (self.last - self.first) * (self._end - self._start)

    def ticks(self) -> list[float]:
        return [10.0**power for power in range(self.first, self.last + 1)]


def plot(lines: Mapping[str, Sequence[tuple[float, float]]], x_name: str, y_name: str, title: str) -> str:
    """An SVG of named lines through points (x, y), all above 0."""
    points = [point for line in lines.values() for point in line]
    x = _Axis([point[0] for point in points], LEFT, WIDTH - RIGHT)
    y = _Axis([point[1] for point in points], HEIGHT - BOTTOM, TOP)
    parts = [*_frame(x, y, x_name, y_name), *_lines(lines, x, y)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img">'
    return "\n".join([head, f"  <title>{escape(title)}</title>", f"  <style>{STYLE}\n  </style>", *parts, "</svg>\n"])


def _frame(x: _Axis, y: _Axis, x_name: str, y_name: str) -> Iterator[str]:
    for value in x.ticks():
        place = x.at(value)
        yield f'  <path class="grid" d="M{place:.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
        yield f'  <text x="{place:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{_number(value)}</text>'
    for value in y.ticks():
        place = y.at(value)
        yield f'  <path class="grid" d="M{LEFT} {place:.1f}H{WIDTH - RIGHT}"/>'
        yield f'  <text x="{LEFT - 8}" y="{place + 4:.1f}" text-anchor="end">{_number(value)}</text>'
    yield f'  <path class="axis" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>'
    yield f'  <text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_name)}</text>'
    yield f'  <text x="{LEFT - 50}" y="{TOP - 8}">{escape(y_name)}</text>'


def _lines(lines: Mapping[str, Sequence[tuple[float, float]]], x: _Axis, y: _Axis) -> Iterator[str]:
    taken: list[float] = []
    for number, (name, points) in enumerate(lines.items()):
        places = [(x.at(px), y.at(py)) for px, py in points]
        yield f'  <polyline class="s{number % 5}" points="{" ".join(f"{px:.1f},{py:.1f}" for px, py in places)}"/>'
        yield from (f'  <circle class="s{number % 5}" cx="{px:.1f}" cy="{py:.1f}" r="3"/>' for px, py in places)
        height = places[-1][1]
        while any(abs(height - other) < 14 for other in taken):
            height += 14
        taken.append(height)
        yield f'  <text class="s{number % 5}" style="stroke: none" x="{WIDTH - RIGHT + 8}" y="{height + 4:.1f}">{escape(name)}</text>'


def _number(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1_000_000:g} M"
    return f"{value / 1000:g} k" if value >= 1000 else f"{value:g}"
