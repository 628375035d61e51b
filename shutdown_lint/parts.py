"""The parts of a run: files that can know of each other, by what they import.

Packages that do not import one another, directly or through others, are different programs; nothing that a rule asks
leads from one to the other. Files that are connected are a group, analysed by itself: what is found in a program does not depend
on which others lie beside it. Small groups are handed out, and remembered, several at a time; the parts do
not depend on how many processes there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from shutdown_lint.cache import Known
from shutdown_lint.grouping import Group, groups_of
from shutdown_lint.source import SourceFile

# Small parts are put together: each costs about as much to begin with as lowering this many bytes.
MIN_BYTES = 200_000


class Part(NamedTuple):
    """Files to be analysed by one process, in the order of the run, and the groups that they make; ``size`` in bytes."""

    files: tuple[SourceFile, ...]
    size: int
    groups: tuple[Group, ...]


def parts_of(files: Iterable[SourceFile], known: Mapping[str, Known]) -> list[Part]:
    """The parts that hold a file to be reported on; ``known`` is what is known of files by absolute path."""
    return list(_joined(groups_of(files, known, MIN_BYTES)))


def _joined(groups: Iterable[Group]) -> Iterator[Part]:
    waiting: list[Group] = []
    for group in groups:
        if group.size >= MIN_BYTES:
            yield _part([group])
            continue
        waiting.append(group)
        if sum(group.size for group in waiting) >= MIN_BYTES:
            yield _part(waiting)
            waiting = []
    if waiting:
        yield _part(waiting)


def _part(groups: list[Group]) -> Part:
    files = tuple(file for group in groups for file in group.files)
    return Part(files, sum(group.size for group in groups), tuple(groups))
