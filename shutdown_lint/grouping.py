"""Groups of files that are connected by imports, each with module names that are its own.

Names are those of each file's project. Where two projects that are connected have modules of the same name, those of one are
known by their place instead, and its files are told so (``SourceFile.elsewhere``).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from shutdown_lint.cache import Known
from shutdown_lint.resolving import Resolver, Unit, unit_of
from shutdown_lint.source import SourceFile
from shutdown_lint.triggers import ABOVE

_FOLDERS_ABOVE = ABOVE.decode()


class Group(NamedTuple):
    """Files that know of each other, in the order of the run; ``size`` in bytes.

    ``renamed`` tells of projects (by root) which first part of a dotted name is another one here.
    """

    files: tuple[SourceFile, ...]
    size: int
    renamed: tuple[tuple[str, str, str], ...] = ()

    @property
    def roots(self) -> tuple[str, ...]:
        """The roots of the projects that the files belong to."""
        return tuple(dict.fromkeys(file.root for file in self.files))


class _Cluster:
    """Files that belong together by their place: a package, the modules of a folder, a module at the top of a project."""

    def __init__(self, number: int, unit: Unit) -> None:
        self.number, self.origin, self.root = number, unit.origin, unit.root
        self.units: dict[str, Unit] = {}
        self.files: list[tuple[int, SourceFile]] = []
        self.imports: set[str] = set()
        self.size = 0


def groups_of(files: Iterable[SourceFile], known: Mapping[str, Known], enough: int) -> list[Group]:
    """The groups that hold a file to be reported on, by their first files.

    Groups of one folder of one project are one until they have ``enough`` bytes: modules may name each other in texts.
    """
    clusters, resolver = _surveyed(files, known)
    found = list(_neighbours(_connected(clusters, resolver), enough))
    wanted = [some for some in found if any(file.reported for cluster in some for _, file in cluster.files)]
    return [_group(some, resolver) for some in sorted(wanted, key=lambda some: _first(some)[0])]


def whole(files: Sequence[SourceFile], known: Mapping[str, Known]) -> Group:
    """All files as one group, whether they know of each other or not."""
    return _group(*_surveyed(files, known))


def _surveyed(files: Iterable[SourceFile], known: Mapping[str, Known]) -> tuple[list[_Cluster], Resolver]:
    """The clusters, whose imports are those that may lead anywhere in the run, and who knows where."""
    clusters = _clusters(files, known)
    resolver = Resolver(unit for cluster in clusters for unit in cluster.units.values())
    for cluster in clusters:
        cluster.imports &= resolver.names | {_FOLDERS_ABOVE}
    return clusters, resolver


def _clusters(files: Iterable[SourceFile], known: Mapping[str, Known]) -> list[_Cluster]:
    found: dict[str, _Cluster] = {}
    for number, file in enumerate(files):
        unit = unit_of(file)
        key = unit.place if unit.is_package or "." not in unit.name else unit.origin + os.sep
        cluster = found.get(key)
        if cluster is None:
            cluster = found[key] = _Cluster(len(found), unit)
        cluster.units.setdefault(unit.place, unit)
        cluster.files.append((number, file))
        read = known.get(file.absolute)
        if read is not None:
            cluster.imports.update(read.packages)
            cluster.size += read.size
    return list(found.values())


# --- which belong together -------------------------------------------------------------------------------------------


def _connected(clusters: list[_Cluster], resolver: Resolver) -> list[list[_Cluster]]:
    leader = list(range(len(clusters)))

    def find(number: int) -> int:
        while leader[number] != number:
            leader[number] = leader[leader[number]]
            number = leader[number]
        return number

    numbers = {place: cluster.number for cluster in clusters for place in cluster.units}
    for cluster in clusters:
        for unit in _imported(cluster, resolver):
            leader[find(numbers[unit.place])] = find(cluster.number)
    found: dict[int, list[_Cluster]] = {}
    for cluster in clusters:
        found.setdefault(find(cluster.number), []).append(cluster)
    return list(found.values())


def _imported(cluster: _Cluster, resolver: Resolver) -> Iterator[Unit]:
    for name in cluster.imports:
        if name == _FOLDERS_ABOVE:
            for top in {unit.top for unit in cluster.units.values() if "." in unit.name}:
                yield from resolver.spread(top, cluster.root)
            continue
        unit = resolver.one(name, cluster.origin, cluster.root)
        if unit is not None:
            yield unit
        else:
            yield from resolver.spread(name, cluster.root)
            yield from (inner for _, inner in resolver.below(name, cluster.origin, cluster.root))


def _neighbours(found: list[list[_Cluster]], enough: int) -> Iterator[list[_Cluster]]:
    waiting: dict[str, list[_Cluster]] = {}
    for some in found:
        place = _first(some)[1].origin
        joined = [*waiting.pop(place, ()), *some]
        if _size(some) >= enough:
            yield some
            waiting[place] = joined[: len(joined) - len(some)]
        elif _size(joined) >= enough:
            yield joined
        else:
            waiting[place] = joined
    yield from filter(None, waiting.values())


def _size(clusters: list[_Cluster]) -> int:
    return sum(cluster.size for cluster in clusters)


def _first(clusters: list[_Cluster]) -> tuple[int, _Cluster]:
    """The number of the first file of the run among them, and the cluster that it is in."""
    return min(((cluster.files[0][0], cluster) for cluster in clusters), key=lambda pair: pair[0])


# --- names -----------------------------------------------------------------------------------------------------------


def _group(clusters: list[_Cluster], resolver: Resolver) -> Group:
    several = len({cluster.root for cluster in clusters}) > 1
    renamed = _renamed(clusters, resolver) if several else {}
    files: list[tuple[int, SourceFile]] = []
    for cluster in clusters:
        seen = _seen(cluster, resolver, renamed)
        files += [(number, _placed(file, seen, renamed)) for number, file in cluster.files]
    files.sort(key=lambda pair: pair[0])
    given = sorted((root, old, new) for (root, old), new in renamed.items())
    return Group(tuple(file for _, file in files), _size(clusters), tuple(given))


def _placed(file: SourceFile, seen: str, renamed: Mapping[tuple[str, str], str]) -> SourceFile:
    name = _known_as(file.name, file.root, renamed) if renamed else file.name
    return file._replace(name=name, elsewhere=seen) if seen or name != file.name else file


def _known_as(name: str, root: str, renamed: Mapping[tuple[str, str], str]) -> str:
    top, dot, rest = name.partition(".")
    return f"{renamed.get((root, top), top)}{dot}{rest}"


def _seen(cluster: _Cluster, resolver: Resolver, renamed: Mapping[tuple[str, str], str]) -> str:
    """What the names that files of the cluster import are known as, where that is not how they read."""
    pairs = []
    for name in sorted(cluster.imports - {_FOLDERS_ABOVE}):
        unit = resolver.one(name, cluster.origin, cluster.root)
        known = (
            _known_as(unit.name, unit.root, renamed) if unit is not None else renamed.get((cluster.root, name), name)
        )
        if known != name:
            pairs.append(f"{name}={known}")
        elif unit is None:
            pairs += _seen_below(name, cluster, resolver, renamed)
    return "/".join(pairs)


def _seen_below(
    name: str, cluster: _Cluster, resolver: Resolver, renamed: Mapping[tuple[str, str], str]
) -> Iterator[str]:
    for path, unit in resolver.below(name, cluster.origin, cluster.root):
        known = _known_as(unit.name, unit.root, renamed)
        if path.endswith(f".{known}"):
            yield f"{path}={known}"


def _renamed(clusters: list[_Cluster], resolver: Resolver) -> dict[tuple[str, str], str]:
    """(project, first part of names) → what it is in a group of several projects, where it must not be what it was."""
    tops: dict[str, dict[str, set[str]]] = {}  # first part → project → names
    for cluster in clusters:
        for unit in cluster.units.values():
            tops.setdefault(unit.top, {}).setdefault(unit.root, set()).add(unit.name)
    foreign = _foreign(clusters, resolver)
    common = os.path.commonpath([cluster.root for cluster in clusters])
    found = {}
    for top, owners in tops.items():
        taken: set[str] = set()
        for root, names in owners.items():
            if foreign.get(top, set()) - {root} or _clash(names, taken):
                place = os.path.relpath(root, common).replace(os.sep, ".")
                found[root, top] = f"{'~' if place == os.curdir else place}.{top}"
            else:
                taken |= names
    return found


def _foreign(clusters: list[_Cluster], resolver: Resolver) -> dict[str, set[str]]:
    """Names of which an import finds nothing in the run, with the projects that import them."""
    found: dict[str, set[str]] = {}
    for cluster in clusters:
        for name in cluster.imports - {_FOLDERS_ABOVE}:
            if resolver.one(name, cluster.origin, cluster.root) is None and not any(
                True for _ in resolver.spread(name, cluster.root)
            ):
                found.setdefault(name, set()).add(cluster.root)
    return found


def _clash(some: set[str], others: set[str]) -> bool:
    """Whether a name of one is a name of the other, or lies below one."""
    return not (some.isdisjoint(_with_above(others)) and others.isdisjoint(_with_above(some)))


def _with_above(names: set[str]) -> set[str]:
    return {name.rsplit(".", count)[0] for name in names for count in range(name.count(".") + 1)}
