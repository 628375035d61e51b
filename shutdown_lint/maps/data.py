"""The map as JSON, and as a flowchart in Mermaid."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from shutdown_lint.maps.records import Map, Row
from shutdown_lint.maps.words import duration, label, title, verdict
from shutdown_lint.report.view import safe


def as_json(shown: Map) -> str:
    """An object with the fields of the records; times in seconds from the trigger."""
    return json.dumps(_plain(shown), indent=2) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        fields = getattr(value, "_fields", None)
        return {name: _plain(getattr(value, name)) for name in fields} if fields else [_plain(item) for item in value]
    return value


def as_mermaid(shown: Map) -> str:
    """A flowchart: one chain of steps for each way."""
    lines = ["flowchart TD"]
    for number, program in enumerate(shown.programs):
        lines.append(f'  subgraph p{number}["{_quoted(title(program))}"]')
        for way_number, way in enumerate(program.ways):
            lines += [f"    {line}" for line in _chain(f"p{number}w{way_number}", way, shown.grace)]
        lines.append("  end")
    lines += ["  classDef late stroke:#c00,stroke-width:2px", "  classDef trigger font-weight:bold", ""]
    return "\n".join(lines)


def _chain(name: str, way: Any, grace: float) -> Iterator[str]:
    yield f'{name}(["{_quoted(way.trigger)}: {_quoted(verdict(way, grace))}"]):::trigger'
    before = name
    for stretch_number, stretch in enumerate(way.stretches):
        yield f'{name}s{stretch_number}{{{{"{_quoted(stretch.why)}"}}}}'
        yield f"{before} --> {name}s{stretch_number}"
        before = f"{name}s{stretch_number}"
        for row_number, row in enumerate(_leaves(stretch.rows)):
            node = f"{name}s{stretch_number}r{row_number}"
            took = f"<br/>{_quoted(duration(row))}" if duration(row) else ""
            mark = ":::late" if row.late or row.endless else ""
            yield f'{node}["{label(row)} {_quoted(row.text)}{took}"]{mark}'
            yield f"{before} --> {node}"
            before = node


def _leaves(rows: tuple[Row, ...]) -> Iterator[Row]:
    """The rows that hold no other: what really happens."""
    for row, following in zip(rows, (*rows[1:], None), strict=True):
        if following is None or following.depth <= row.depth:
            yield row


def _quoted(text: str) -> str:
    """Text inside the quotes of a Mermaid label: by its entities, which begin with ``#``."""
    plain = safe(text).replace("#", "#35;").replace("&", "#amp;").replace('"', "#quot;")
    return plain.replace("<", "#lt;").replace(">", "#gt;").replace("`", "#96;")
