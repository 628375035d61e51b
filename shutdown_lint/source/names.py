"""Dotted module names from paths."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from shutdown_lint.settings import Settings
from shutdown_lint.source.discover import absolute

_INITS = ("__init__.py", "__init__.pyi")


class SourceFile(NamedTuple):
    """A file of the project.

    ``path`` is what findings show: relative to the working folder where it lies below it, else absolute. ``stub`` marks
    ``.pyi`` files, which are read for names only. ``reported`` tells files that were asked for from those that are only
    known.
    """

    path: str
    absolute: str
    name: str
    is_package: bool
    stub: bool
    reported: bool


def name_files(
    files: Iterable[tuple[str, bool]], settings: Settings, exists: Callable[[str], bool] = os.path.exists
) -> Iterator[SourceFile]:
    """Name files given as (absolute path, reported); the order decides which of two equal names stays plain.

    ``exists`` tells whether there is a file with an absolute path.
    """
    namer, here = _Namer(settings, exists), working_folder()
    for path, reported in files:
        name, is_package = namer.name(path)
        yield SourceFile(shown(path, here), path, name, is_package, path.endswith(".pyi"), reported)


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

    def __init__(self, settings: Settings, exists: Callable[[str], bool]) -> None:
        self._exists = exists
        root = absolute(settings.root)
        roots = {root, *(os.path.normpath(os.path.join(root, folder)) for folder in settings.src)}
        # the longest root that fits is the best one
        self._roots = sorted(roots, key=len, reverse=True)
        self._root = root
        self._prefixes: dict[str, str] = {}
        self._tops: dict[str, str] = {}

    def name(self, path: str) -> tuple[str, bool]:
        folder, file = os.path.split(path)
        stem = file.rpartition(".")[0] or file
        prefix = self._prefix(folder)
        if stem == "__init__" and prefix:
            return prefix, True
        if prefix:
            return f"{prefix}.{stem}", False
        # `import signal` means the standard library's, though a file of that name lies beside the importing one
        return (f"~{stem}" if stem in sys.stdlib_module_names else stem), False

    def _prefix(self, folder: str) -> str:
        if folder not in self._prefixes:
            self._prefixes[folder] = self._package(folder) if self._is_package(folder) else self._namespace(folder)
        return self._prefixes[folder]

    def _package(self, folder: str) -> str:
        above, base = os.path.split(folder)
        if above != folder and self._is_package(above):
            return f"{self._prefix(above)}.{base}"
        # Only an explicit source root (not the project root itself) tells that folders without __init__ are namespaces.
        source = self._source_root(above)
        namespace = _dotted(source, above) if source != self._root else ""
        name = f"{namespace}.{base}" if namespace else base
        if name in sys.stdlib_module_names and above not in self._roots:
            name = (
                f"~{name}"  # stubs of another interpreter, a vendored copy: below the roots nothing hides the library's
            )
        if self._tops.setdefault(name, folder) != folder:
            # a second package of the same name (vendored, an example): told apart by its place in the project
            name = _dotted(self._root, folder) or base
            self._tops.setdefault(name, folder)
        return name

    def _is_package(self, folder: str) -> bool:
        return any(self._exists(os.path.join(folder, name)) for name in _INITS)

    def _namespace(self, folder: str) -> str:
        return _dotted(self._source_root(folder), folder)

    def _source_root(self, folder: str) -> str:
        return next(
            (root for root in self._roots if folder == root or folder.startswith(os.path.join(root, ""))), folder
        )


def _dotted(root: str, folder: str) -> str:
    relative = os.path.relpath(folder, root)
    return "" if relative == os.curdir or relative.startswith(os.pardir) else relative.replace(os.sep, ".")
