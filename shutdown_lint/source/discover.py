"""Which files a run looks at."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shutdown_lint.settings import Settings
from shutdown_lint.source.ignores import (
    Excludes,
    IgnoreFile,
    compile_excludes,
    gitignores_above,
    ignored,
    read_gitignore,
)
from shutdown_lint.source.kinds import deployment_kind
from shutdown_lint.source.reading import kind_of, reason
from shutdown_lint.source.trouble import Trouble

SUFFIXES = (".py", ".pyw", ".pyi")


class Found(NamedTuple):
    """The result of a walk: absolute paths in order, without repetition; troubles and warnings by path.

    ``files`` are Python's; ``deployment`` those that may be deployment files by their names.
    """

    files: tuple[str, ...]
    troubles: tuple[tuple[str, Trouble], ...]
    warnings: tuple[str, ...]
    deployment: tuple[str, ...] = ()


class _Walk(NamedTuple):
    root: str
    excludes: Excludes
    respect_gitignore: bool
    files: dict[str, None]
    troubles: dict[str, Trouble]
    warnings: list[str]
    deployment: dict[str, None] | None  # None: they are not asked for

    def is_deployment(self, name: str) -> bool:
        return self.deployment is not None and bool(deployment_kind(name))

    def take(self, path: str) -> None:
        """Record a file under its sort."""
        if self.deployment is not None and deployment_kind(os.path.basename(path)):
            self.deployment[path] = None
        else:
            self.files[path] = None

    def relative(self, path: str) -> str:
        return os.path.relpath(path, self.root).replace(os.sep, "/")


def discover(paths: Sequence[str], settings: Settings) -> Found:
    """The Python and deployment files named by ``paths``, or below them where they name folders.

    A file that is named is taken whatever its suffix and excludes say (unless ``force_exclude`` is set). In a walk,
    links to folders are not followed, and links to files only where they stay inside the project root.
    """
    walk = _Walk(
        absolute(settings.root),
        compile_excludes((*settings.exclude, *settings.extend_exclude)),
        settings.respect_gitignore,
        {},
        {},
        [],
        {} if settings.deployment else None,
    )
    for path in paths:
        _named(absolute(path), settings.force_exclude, walk)
    return Found(tuple(walk.files), tuple(walk.troubles.items()), tuple(walk.warnings), tuple(walk.deployment or ()))


def absolute(path: str) -> str:
    """The absolute, normalised path; links are kept. In a folder that was removed, relative paths stay relative."""
    try:
        return os.path.abspath(path)
    except OSError:
        return os.path.normpath(path)


def _named(path: str, force_exclude: bool, walk: _Walk) -> None:
    if force_exclude and path != walk.root and walk.excludes.match_any_part(walk.relative(path)):
        return
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        walk.troubles[path] = Trouble("SHD901", f"cannot be read: {reason(error)}")
        return
    if stat.S_ISDIR(status.st_mode):
        _walk_folder(path, walk)
    elif not stat.S_ISREG(status.st_mode):
        walk.troubles[path] = Trouble("SHD901", f"is {kind_of(status)}, not a regular file")
    elif path.endswith(".ipynb"):
        walk.troubles[path] = Trouble("SHD901", "notebooks are not supported")
    else:
        walk.take(path)


def _walk_folder(top: str, walk: _Walk) -> None:
    chain = gitignores_above(top, walk.root) if walk.respect_gitignore else ()
    stack = [(top, chain)]
    while stack:
        folder, above = stack.pop()
        entries = _entries(folder, walk)
        chain = above
        if walk.respect_gitignore and any(entry.name == ".gitignore" for entry in entries):
            own = read_gitignore(folder)
            chain = (*above, own) if own else above
        # a stack turns the order round, and the walk is to be in order of names
        stack += [(entry.path, chain) for entry in reversed(list(_kept(entries, chain, walk)))]


def _entries(folder: str, walk: _Walk) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        walk.troubles[folder] = Trouble("SHD901", f"cannot be read: {reason(error)}")
        return []


def _kept(entries: list[os.DirEntry[str]], chain: tuple[IgnoreFile, ...], walk: _Walk) -> Iterator[os.DirEntry[str]]:
    """Records the files of a folder and yields the folders to descend into."""
    for entry in entries:
        is_dir = entry.is_dir(follow_symlinks=False)
        if not is_dir and not entry.name.endswith(SUFFIXES) and not walk.is_deployment(entry.name):
            continue
        if walk.excludes.match(entry.name, walk.relative(entry.path)) or ignored(entry.path, is_dir, chain):
            continue
        if not is_dir:
            _found_file(entry, walk)
        elif not os.path.exists(os.path.join(entry.path, "pyvenv.cfg")):
            yield entry


def _found_file(entry: os.DirEntry[str], walk: _Walk) -> None:
    if entry.is_file(follow_symlinks=False):
        walk.take(entry.path)
        return
    try:
        status = entry.stat()
    except (OSError, ValueError) as error:
        # editors leave dangling links like `.#name.py` as locks
        if not entry.name.startswith(".#"):
            walk.warnings.append(f"{entry.path}: skipped, a link that leads nowhere ({reason(error)})")
        return
    if stat.S_ISREG(status.st_mode):
        _found_link(entry, walk)
    elif not stat.S_ISDIR(status.st_mode):
        walk.troubles[entry.path] = Trouble("SHD901", f"is {kind_of(status)}, not a regular file")


def _found_link(entry: os.DirEntry[str], walk: _Walk) -> None:
    target, root = os.path.realpath(entry.path), os.path.realpath(walk.root)
    if os.path.commonpath((target, root)) == root:
        walk.take(entry.path)
    else:
        walk.warnings.append(f"{entry.path}: skipped, a link to a file outside the project root")
