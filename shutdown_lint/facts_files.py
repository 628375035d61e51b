"""Files of facts: what ``shutdown-lint facts`` makes of each source file, and ``check --facts`` reads instead of it.

As an object file to a linker: all that is to be known of one source file, made from its bytes alone. A file of facts has
three parts, each on its own line: a header in JSON (who wrote it, the source's path, size, digest and imports), the facts
in JSON (``lowered.dumps``), and, up to the end, the source itself, of which comments and the lines that findings quote
are read. The same source gives the same bytes on every machine. Nothing in it is ever executed; what does not fit is
refused, and what is read takes time and memory in proportion to its size.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from shutdown_lint import __version__
from shutdown_lint.facts_json import schema
from shutdown_lint.intake import Task, take_in
from shutdown_lint.lowered import SOUND, Record, dumps
from shutdown_lint.source import SourceFile, Trouble, TroubleError, digest, read_bytes
from shutdown_lint.source.kinds import deployment_kind
from shutdown_lint.triggers import imported_packages

SUFFIX = ".facts"
MAX_BYTES = 256 * 1024 * 1024  # of a file of facts; the largest source makes a fifth of it
_KEYS = {"facts", "version", "path", "size", "digest", "sum", "packages"}
_DIGEST = re.compile(r"[0-9a-f]{32}")
_FORMAT = 1


class FactsError(Exception):
    """A file of facts that cannot be used; the message names it."""


class FactsFile(NamedTuple):
    """A file of facts at ``place``: the path of its source (relative, with ``/``), its size in bytes, digest, imports."""

    place: str
    path: str
    size: int
    digest: str
    packages: tuple[str, ...]


def version() -> str:
    """Who may read what was written here: facts hang on the program, on Python's parser, and on the form of the facts."""
    python = ".".join(map(str, sys.version_info[:2]))
    return f"shutdown-lint {__version__}, Python {python}, facts {digest(schema().encode())[:8]}"


# --- writing ---------------------------------------------------------------------------------------------------------


def compiled(path: str, data: bytes, *, lower: bool = True) -> bytes:
    """The file of facts of a source with these bytes; without ``lower`` whoever reads it does that work."""
    outcome, packages = SOUND, set[str]()
    if not deployment_kind(path.rpartition("/")[2]):
        file = SourceFile("", "", "", False, False, False)
        outcome = dumps(take_in(Task(file, data, True))) if lower else ""
        packages = imported_packages(data)
    head = {
        "facts": _FORMAT,
        "version": version(),
        "path": path,
        "size": len(data),
        "digest": digest(data),
        "sum": digest(outcome.encode("ascii")),
        "packages": sorted(packages),
    }
    return f"{json.dumps(head, separators=(',', ':'))}\n{outcome}\n".encode("ascii") + data


# --- reading ---------------------------------------------------------------------------------------------------------


def read_all(paths: Iterable[str]) -> list[FactsFile]:
    """All files of facts at these paths, or below them where they name folders, by the path of the source.

    Raises ``FactsError`` for one that cannot be used, and for two that say different things about one source.
    """
    found: dict[str, FactsFile] = {}
    for path in paths:
        for place in _places(path):
            facts = _checked(place)
            other = found.setdefault(facts.path, facts)
            if other.digest != facts.digest:
                raise FactsError(f"{other.place} and {place} are of different contents of {facts.path}")
    return [found[path] for path in sorted(found, key=_order)]


def _order(path: str) -> tuple[tuple[bool, str], ...]:
    """As a walk finds files: those of a folder before the folders in it."""
    *folders, name = path.split("/")
    return (*((True, folder) for folder in folders), (False, name))


def _places(path: str) -> Iterator[str]:
    if not os.path.isdir(path):
        yield path
        return
    for folder, folders, names in os.walk(path, onerror=_refuse):  # links to folders are not followed
        folders.sort()
        yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith(SUFFIX))


def _refuse(error: OSError) -> None:
    raise FactsError(f"{error.filename}: cannot be read: {error.strerror}")


def _parts(place: str) -> tuple[dict[str, Any], bytes, bytes]:
    """Header, facts and source. Raises ``FactsError``."""
    try:
        data = read_bytes(place, MAX_BYTES)
    except TroubleError as error:
        raise FactsError(f"{place}: {error.trouble.message}") from error
    head, _, rest = data.partition(b"\n")
    outcome, _, source = rest.partition(b"\n")
    try:
        header = json.loads(head)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or "facts" not in header:
        raise FactsError(f"{place}: not a file of facts (`shutdown-lint facts` writes them)")
    if (header["facts"], header.get("version")) != (_FORMAT, version()):
        by = str(header.get("version"))[:100]
        raise FactsError(f"{place}: written by {by}; this is {version()}")
    return header, outcome, source


def _checked(place: str) -> FactsFile:
    header, outcome, source = _parts(place)
    packages = header.get("packages")
    if (
        header.keys() != _KEYS
        or not isinstance(packages, list)
        or not all(isinstance(name, str) for name in packages)
        or not _is_relative(header["path"])
        or (header["size"], header["digest"]) != (len(source), digest(source))
        or header["sum"] != digest(outcome)
    ):
        raise FactsError(f"{place}: damaged: make it again")
    return FactsFile(place, header["path"], header["size"], header["digest"], tuple(packages))


def _is_relative(path: object) -> bool:
    """Whether the path stays below the current folder, on any system."""
    if not isinstance(path, str) or "\0" in path or not set(path.split("/")).isdisjoint(("", ".", "..")):
        return False
    return os.sep == "/" or (os.sep not in path and ":" not in path)


class FactsStore(NamedTuple):
    """The ``lowered.Store`` that files of facts are: where the facts of a content are, by its digest."""

    places: dict[str, str]

    @property
    def final(self) -> bool:
        """Facts that cannot be read are a mistake to tell."""
        return True

    def get(self, key: str) -> Record | None:
        """The facts of a content."""
        place = self.places.get(key[:32])
        try:
            return Record(outcome=_parts(place)[1].decode("ascii")) if place else None
        except (FactsError, UnicodeDecodeError):
            return Record(outcome="?")

    def has(self, key: str) -> bool:
        """Whether there are facts."""
        return key[:32] in self.places

    def put(self, key: str, record: Record) -> None:
        """Files of facts are not written on the way."""

    def prune(self, in_use: Iterable[str]) -> None:
        """Nothing is removed."""


def source_of(place: str) -> bytes:
    """The source in a file of facts. Raises ``TroubleError`` when the file is not what it was."""
    try:
        return _parts(place)[2]
    except FactsError as error:
        raise TroubleError(Trouble("SHD901", f"cannot be read: {error}")) from error


def store_of(files: Sequence[FactsFile]) -> FactsStore:
    """The facts in the files."""
    return FactsStore({file.digest: file.place for file in files})
