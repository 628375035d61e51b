"""Dotted module names from paths."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from shutdown_lint.settings import Settings
from shutdown_lint.source.discover import absolute
from shutdown_lint.source.projects import Projects

_INITS = ("__init__.py", "__init__.pyi")


class SourceFile(NamedTuple):
    """A file of the project.

    ``path`` is what findings show: relative to the working folder where it lies below it, else absolute. ``stub`` marks
    ``.pyi`` files, which are read for names only. ``reported`` tells files that were asked for from those that are only
    known. ``root`` is the folder of its project, ``unit`` what an import finds to come to it: the folder of the outermost
    package, or the file without its suffix. ``elsewhere`` tells which names its imports mean otherwise than they read, see
    ``facts.ModuleFacts``.
    """

    path: str
    absolute: str
    name: str
    is_package: bool
    stub: bool
    reported: bool
    root: str = ""
    unit: str = ""
    elsewhere: str = ""


def name_files(
    files: Iterable[tuple[str, bool]], settings: Settings, exists: Callable[[str], bool] = os.path.exists
) -> Iterator[SourceFile]:
    """Name files given as (absolute path, reported), each as its project calls it.

    The order decides which of two equal names in one project stays plain. ``exists`` tells whether there is a file with
    an absolute path.
    """
    given = list(files)
    namer, here = _Namer(settings, exists, [path for path, _ in given]), working_folder()
    for path, reported in given:
        name, is_package, root, unit = namer.name(path)
        yield SourceFile(shown(path, here), path, name, is_package, path.endswith(".pyi"), reported, root, unit)


def shown(path: str, here: str | None) -> str:
    """The path relative to the working folder ``here`` when it lies below it."""
    if here is not None and path.startswith(here if here.endswith(os.sep) else here + os.sep):
        return path[len(here) :].lstrip(os.sep)
    return path


def working_folder() -> str | None:
    """The current folder; None when it was removed."""
    try:
        return os.getcwd()
    except OSError:
        return None


class _Namer:
    """Names modules by the folder they are in; remembers the folders."""

    def __init__(self, settings: Settings, exists: Callable[[str], bool], paths: Iterable[str]) -> None:
        self._exists, self._src = exists, settings.src
        self._packages: dict[str, bool] = {}
        self._above: dict[str, str] = {}
        self._prefixes: dict[str, str] = {}
        self._tops: dict[tuple[str, str], str] = {}
        self._roots: dict[str, list[str]] = {}
        folders = {os.path.dirname(path) for path in paths}
        loose = {folder for folder in folders if not self._is_package(folder)}
        holding = {self._origin(folder) for folder in folders - loose}
        self._projects = Projects(absolute(settings.root), settings.src, holding, loose, self._is_package)

    def name(self, path: str) -> tuple[str, bool, str, str]:
        """The name, whether it is a package's, the root of the project, the unit."""
        folder, file = os.path.split(path)
        stem = file.rpartition(".")[0] or file
        prefix, origin = self._prefix(folder), self._origin(folder)
        root = self._projects.of(origin)
        if origin != folder:  # in a package
            top = folder[len(os.path.join(origin, "")) :].partition(os.sep)[0]
            unit = os.path.join(origin, top)
        else:
            unit = os.path.join(folder, stem)
        if stem == "__init__" and prefix:
            return prefix, True, root, unit
        if prefix:
            return f"{prefix}.{stem}", False, root, unit
        # `import signal` means the standard library's, though a file of that name lies beside the importing one
        return (f"~{stem}" if stem in sys.stdlib_module_names else stem), False, root, unit

    def _prefix(self, folder: str) -> str:
        if folder not in self._prefixes:
            self._prefixes[folder] = self._package(folder) if self._is_package(folder) else self._namespace(folder)
        return self._prefixes[folder]

    def _package(self, folder: str) -> str:
        above, base = os.path.split(folder)
        if above != folder and self._is_package(above):
            return f"{self._prefix(above)}.{base}"
        root = self._projects.of(above)
        # Only an explicit source root (not the project root itself) tells that folders without __init__ are namespaces.
        source = self._source_root(above)
        namespace = _dotted(source, above) if source != root else ""
        name = f"{namespace}.{base}" if namespace else base
        if name in sys.stdlib_module_names and above not in self._roots_of(root):
            name = (
                f"~{name}"  # stubs of another interpreter, a vendored copy: below the roots nothing hides the library's
            )
        if self._tops.setdefault((root, name), folder) != folder:
            # a second package of the same name (vendored, an example): told apart by its place in the project
            name = _dotted(root, folder) or base
            self._tops.setdefault((root, name), folder)
        return name

    def _is_package(self, folder: str) -> bool:
        found = self._packages.get(folder)
        if found is None:
            found = self._packages[folder] = any(self._exists(os.path.join(folder, name)) for name in _INITS)
        return found

    def _origin(self, folder: str) -> str:
        """The folder from which a file in this one is imported: the one above the outermost package."""
        found = self._above.get(folder)
        if found is None:
            above = os.path.dirname(folder)
            within = above != folder and self._is_package(folder)
            found = self._above[folder] = self._origin(above) if within else folder
        return found

    def _namespace(self, folder: str) -> str:
        return _dotted(self._source_root(folder), folder)

    def _source_root(self, folder: str) -> str:
        roots = self._roots_of(self._projects.of(folder))
        return next((root for root in roots if folder == root or folder.startswith(os.path.join(root, ""))), folder)

    def _roots_of(self, project: str) -> list[str]:
        """The folders from which a project imports; the longest that fits is the best one."""
        found = self._roots.get(project)
        if found is None:
            roots = {project, *(os.path.normpath(os.path.join(project, folder)) for folder in self._src)}
            found = self._roots[project] = sorted(roots, key=len, reverse=True)
        return found


def _dotted(root: str, folder: str) -> str:
    relative = os.path.relpath(folder, root)
    return "" if relative == os.curdir or relative.startswith(os.pardir) else relative.replace(os.sep, ".")
