"""What the name of a top-level package or module stands for, as Python would find it from the folder of whoever imports it.

Looked through are, in this order: the folders around the importing file, from the nearest up to the root of its project;
what else the project holds; then other projects, and only where one alone has a package of that name. So an ``import
config`` finds the ``config.py`` beside it, and never that of another program in the same repository.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shutdown_lint.source import SourceFile

# What other projects import does not lie among somebody's tests.
_NOT_FOR_OTHERS = frozenset({"test", "tests", "testing", "examples"})


class Unit(NamedTuple):
    """A package or module that imports can find: its place (a path without suffix), root of its project, dotted name."""

    place: str
    root: str
    name: str
    is_package: bool

    @property
    def base(self) -> str:
        """The name by which an import in the same folder finds it."""
        return os.path.basename(self.place)

    @property
    def origin(self) -> str:
        """The folder from which it is imported."""
        return os.path.dirname(self.place)

    @property
    def top(self) -> str:
        """The first part of its dotted name."""
        return self.name.partition(".")[0]


def unit_of(file: SourceFile) -> Unit:
    """The unit that the file belongs to."""
    place = file.unit or file.absolute
    below = file.absolute[len(place) + 1 :] if file.absolute.startswith(place + os.sep) else ""
    inner = below.count(os.sep) + (not file.is_package) if below else 0
    return Unit(place, file.root, file.name.rsplit(".", inner)[0] if inner else file.name, bool(below))


class Resolver:
    """Answers from the units of a run; remembers them."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self._places: dict[str, Unit] = {}
        self._own: dict[tuple[str, str], Unit] = {}  # project, plain name
        self._spaces: dict[tuple[str, str], list[Unit]] = {}  # project, first part of a dotted name
        self._shared: dict[str, list[Unit]] = {}  # first part of the dotted names of packages (PEP 420)
        self._packages: dict[str, list[Unit]] = {}
        self._modules: dict[str, list[Unit]] = {}
        self._below: dict[str, list[Unit]] = {}  # folder that is no package → packages further down
        for unit in units:
            self._add(unit)
        self.names = self._own_names()
        self._found: dict[tuple[str, str, str], Unit | None] = {}

    def _add(self, unit: Unit) -> None:
        self._places[unit.place] = unit
        if unit.name.startswith("~"):
            return
        if "." in unit.name:
            self._spaces.setdefault((unit.root, unit.top), []).append(unit)
            if unit.is_package and unit.name.rpartition(".")[2] == unit.base:
                self._shared.setdefault(unit.top, []).append(unit)
        else:
            self._own.setdefault((unit.root, unit.name), unit)
        (self._packages if unit.is_package else self._modules).setdefault(unit.base, []).append(unit)
        if unit.is_package:
            folder = unit.origin
            while len(folder) > len(unit.root):
                self._below.setdefault(folder, []).append(unit)
                folder = os.path.dirname(folder)

    def _own_names(self) -> frozenset[str]:
        """All names that an import could find anything by."""
        folders = map(os.path.basename, self._below)
        spaces = (name for _, name in self._spaces)
        return frozenset((*self._packages, *self._modules, *folders, *spaces, *(name for _, name in self._own)))

    def one(self, name: str, origin: str, root: str) -> Unit | None:
        """The package or module that an import of the name finds from a folder in a project."""
        key = (name, origin, root)
        if key not in self._found:
            self._found[key] = self._around(name, origin, root) or self._own.get((root, name))
            if self._found[key] is None and (root, name) not in self._spaces:
                self._found[key] = self._elsewhere(name, root)
        return self._found[key]

    def spread(self, name: str, root: str) -> Iterator[Unit]:
        """What lies in the namespace package of that name, seen from a project."""
        yield from self._spaces.get((root, name), ())
        yield from (unit for unit in self._shared.get(name, ()) if unit.root != root)

    def below(self, name: str, origin: str, root: str) -> Iterator[tuple[str, Unit]]:
        """The packages in folders that are none: ``_vendor/wire`` by how ``import _vendor.wire`` finds it from a folder."""
        folder = origin
        while self._below:
            found = self._below.get(os.path.join(folder, name))
            if found is not None and found[0].root == root:
                yield from ((unit.place[len(os.path.join(folder, "")) :].replace(os.sep, "."), unit) for unit in found)
                return
            if folder == root or len(folder) <= len(root):
                return
            folder = os.path.dirname(folder)

    def _around(self, name: str, origin: str, root: str) -> Unit | None:
        """By the folders around: that of a script is the first on its path."""
        folder, standard = origin, name in sys.stdlib_module_names
        while True:
            unit = self._places.get(os.path.join(folder, name))
            if unit is not None and unit.root == root and not unit.name.startswith("~"):
                # what is named like a module of the standard library is not taken for it
                if not standard or unit.name == name:
                    return unit
            above = os.path.dirname(folder)
            if folder == root or len(above) < len(root) or above == folder:
                return None
            folder = above

    def _elsewhere(self, name: str, root: str) -> Unit | None:
        """In other projects: first in those that this one lies in, and only a single one."""
        if name in sys.stdlib_module_names:
            return None
        others = [unit for unit in self._packages.get(name, ()) if unit.root != root and _is_for_others(unit)]
        others += [unit for unit in self._modules.get(name, ()) if unit.name == name and _is_within(root, unit.root)]
        around = [unit for unit in others if _is_within(root, unit.root)]
        found = around or others
        return found[0] if len(found) == 1 else None


def _is_within(folder: str, root: str) -> bool:
    return folder != root and folder.startswith(os.path.join(root, ""))


def _is_for_others(unit: Unit) -> bool:
    path = unit.place[len(unit.root) :].split(os.sep)
    return _NOT_FOR_OTHERS.isdisjoint(path[:-1])
