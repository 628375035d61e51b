"""The parts of a run: files that can know of each other, by what they import.

Packages that do not import one another, directly or through others, are different programs; nothing that a rule asks
leads from one to the other. Each part is analysed by itself, wherever there is a free process, and the parts do not
depend on how many there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from shutdown_lint.cache import Known
from shutdown_lint.source import SourceFile

# Small parts are put together: each costs about as much to begin with as lowering this many bytes.
MIN_BYTES = 200_000


class Part(NamedTuple):
    """Files to be analysed together, in the order of the run; ``size`` in bytes."""

    files: tuple[SourceFile, ...]
    size: int


def parts_of(files: Iterable[SourceFile], known: Mapping[str, Known]) -> list[Part]:
    """The parts that hold a file to be reported on; ``known`` is what is known of files by absolute path."""
    groups: dict[str, list[SourceFile]] = {}
    for file in files:
        groups.setdefault(_top(file.name), []).append(file)
    connected = _connected(groups, known)
    return list(_joined(_part(files, known) for files in connected if any(file.reported for file in files)))


def _part(files: list[SourceFile], known: Mapping[str, Known]) -> Part:
    return Part(tuple(files), sum(known[file.absolute].size for file in files if file.absolute in known))


def _top(name: str) -> str:
    return name.partition(".")[0]


def _connected(groups: dict[str, list[SourceFile]], known: Mapping[str, Known]) -> Iterator[list[SourceFile]]:
    """The files of top-level packages that import each other, by the first of them."""
    leader = {top: top for top in groups}

    def find(top: str) -> str:
        while leader[top] != top:
            leader[top] = leader[leader[top]]
            top = leader[top]
        return top

    for top, files in groups.items():
        read = [known[file.absolute] for file in files if file.absolute in known]
        for name in {name for file in read for name in file.packages}:
            if name in leader:
                leader[find(name)] = find(top)
    found: dict[str, list[SourceFile]] = {}
    for top, files in groups.items():
        found.setdefault(find(top), []).extend(files)
    yield from found.values()


def _joined(parts: Iterable[Part]) -> Iterator[Part]:
    waiting = Part((), 0)
    for part in parts:
        if part.size >= MIN_BYTES:
            yield part
            continue
        waiting = Part(waiting.files + part.files, waiting.size + part.size)
        if waiting.size >= MIN_BYTES:
            yield waiting
            waiting = Part((), 0)
    if waiting.files:
        yield waiting
