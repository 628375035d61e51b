"""Edits of several findings in one text: which go together, and the text that they make."""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from shutdown_lint.findings import Edit, Finding

_LINE_END = re.compile(r"\r\n|\n|\r")
_Range: TypeAlias = tuple[tuple[int, ...], tuple[int, ...]]


class Planned(NamedTuple):
    """What mends a finding: edits, or the reason why there are none."""

    finding: Finding
    edits: tuple[Edit, ...]
    refusal: str = ""


def compatible(planned: Iterable[Planned]) -> list[Planned]:
    """Those that can be made together: the first by position wins, what conflicts with it is left out.

    An edit that two findings share (the same import, the same handler) is made once.
    """
    chosen: list[Planned] = []
    made: set[Edit] = set()
    ranges: list[_Range] = []
    for plan in sorted((plan for plan in planned if plan.edits), key=lambda plan: plan.finding.sort_key()):
        new = {edit: (edit.span[:2], edit.span[2:]) for edit in plan.edits if edit not in made}
        if not any(_conflicts(place, ranges) for place in new.values()):
            chosen.append(plan)
            made.update(new)
            for place in new.values():
                insort(ranges, place)
    return chosen


def _conflicts(new: _Range, ranges: list[_Range]) -> bool:
    """Whether the range overlaps one of the sorted ranges (which do not overlap), or both insert at one place."""
    index = bisect_left(ranges, new)
    before, after = ranges[index - 1 : index], ranges[index : index + 1]
    return after == [new] or any(place[1] > new[0] for place in before) or any(new[1] > place[0] for place in after)


def changed(text: str, edits: Iterable[Edit]) -> str:
    """The text after the edits, none of which conflict."""
    starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
    parts: list[str] = []
    position = 0
    for edit in sorted(set(edits), key=lambda edit: edit.span):
        start = starts[edit.span.line - 1] + edit.span.col - 1
        end = starts[edit.span.end_line - 1] + edit.span.end_col - 1
        if start < position:
            raise ValueError(f"edits overlap at line {edit.span.line}")
        parts += (text[position:start], edit.content)
        position = end
    return "".join((*parts, text[position:]))
