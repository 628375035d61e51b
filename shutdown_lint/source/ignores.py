"""What a walk leaves out: exclude patterns and ``.gitignore`` files."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.source import slow
from shutdown_lint.source.reading import read_bytes
from shutdown_lint.source.trouble import TroubleError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

MAX_BYTES = 256 * 1024
_GLOB = re.compile(r"[*?\[]")


class Excludes(NamedTuple):
    """Exclude patterns: plain names match any path component; the rest is one regex over names and relative paths."""

    names: frozenset[str]
    pattern: re.Pattern[str] | None

    def match(self, name: str, relative: str) -> bool:
        """Whether the entry ``name`` with this path relative to the project root (POSIX) is left out."""
        if name in self.names:
            return True
        return self.pattern is not None and bool(self.pattern.match(name) or self.pattern.match(relative))

    def match_any_part(self, relative: str) -> bool:
        """Whether the path or a folder above it is left out."""
        parts = relative.split("/")
        return any(self.match(part, "/".join(parts[: index + 1])) for index, part in enumerate(parts))


def compile_excludes(patterns: Iterable[str]) -> Excludes:
    """Patterns as ruff's ``exclude``: a name, or a glob over a name or a path relative to the root."""
    cleaned = [pattern.removeprefix("./").rstrip("/") for pattern in patterns if pattern]
    plain = frozenset(p for p in cleaned if "/" not in p and not _GLOB.search(p))
    return Excludes(plain, glob_regex(p for p in cleaned if p not in plain))


def glob_regex(patterns: Iterable[str]) -> re.Pattern[str] | None:
    """One regex that matches what any of the globs matches; None without a glob. A broken set matches itself."""
    sources = [fnmatch.translate(pattern) for pattern in patterns]
    return re.compile("|".join(sources)) if sources else None


class IgnoreFile(NamedTuple):
    """One ``.gitignore``: ``prefix`` is its folder's path with a final separator.

    ``include`` tells what the file says of a path below (a folder's with a final ``/``): leave it out, take it, nothing.
    """

    prefix: str
    include: Callable[[str], bool | None]


def ignored(path: str, is_dir: bool, chain: tuple[IgnoreFile, ...]) -> bool:
    """Whether the nearest ``.gitignore`` with an opinion leaves the path out."""
    for file in reversed(chain):
        relative = path[len(file.prefix) :].replace(os.sep, "/")
        include = file.include(relative + "/" if is_dir else relative)
        if include is not None:
            return include
    return False


def read_gitignore(folder: str) -> IgnoreFile | None:
    """The ``.gitignore`` of a folder; one that cannot be read, or that nobody can have written by hand, counts as absent."""
    path = os.path.join(folder, ".gitignore")
    try:
        data = read_bytes(path)
    except TroubleError:
        return None
    if len(data) > MAX_BYTES:
        return None
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    if any(map(slow.is_slow, lines)):
        return IgnoreFile(os.path.join(folder, ""), slow.reader(lines))
    check = _spec(lines).check_file
    return IgnoreFile(os.path.join(folder, ""), lambda path: check(path).include)


def _spec(lines: list[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(lines)
    except (ValueError, re.error):
        return GitIgnoreSpec.from_lines(_sound(lines, GitIgnoreSpec.from_lines))


def _sound(lines: Iterable[str], parse: Callable[[list[str]], object]) -> Iterator[str]:
    # git skips a pattern that it cannot read
    for line in lines:
        try:
            parse([line])
        except (ValueError, re.error):
            continue
        yield line


def gitignores_above(folder: str, root: str) -> tuple[IgnoreFile, ...]:
    """The ``.gitignore`` files of the folders above, outermost first, up to the root of the repository or project."""
    found: list[IgnoreFile] = []
    current = folder
    while not os.path.exists(os.path.join(current, ".git")) and current != root:
        parent = os.path.dirname(current)
        if parent == current:
            break
        current = parent
        file = read_gitignore(current)
        if file is not None:
            found.append(file)
    return tuple(reversed(found))
