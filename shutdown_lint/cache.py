"""What earlier runs found, in one file for a project: data only, never needed, rebuilt when anything about it is odd.

For each file: size and modification time at which it had which content (a digest) and imports; for each part of a run
that was analysed: its findings, by a key of everything that they depend on. (What files say is in ``facts_cache``, which
only an analysis reads.) A file whose time is so young that it could
have been changed again without the time telling is read again (the "racy git" problem).

The file is JSON and written whole, to a temporary file that then takes its place: of several processes at once the last
one wins, and a reader never sees half a file.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, NamedTuple

from shutdown_lint import __version__
from shutdown_lint.facts import Span
from shutdown_lint.findings import Finding, Fix, Step
from shutdown_lint.source import digest

FOLDER = ".shutdown_lint_cache"
_FACTS = ".facts"
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# This folder was made by shutdown-lint; it may be removed at any time.\n"
# Coarse file systems keep times in steps of two seconds (FAT); the clock of a network's server may be off as well.
_RACY = 3_000_000_000
_MAX_RESULTS = 2000
_MAX_BYTES = 256 * 1024 * 1024


class Known(NamedTuple):
    """A file as it was read: modification time (ns), size (bytes), digest of its bytes, packages that it may import."""

    mtime: int
    size: int
    digest: str
    packages: tuple[str, ...]


class Remembered(NamedTuple):
    """Findings, and how many more comments hide; of deployment files also how many were checked, and warnings."""

    findings: tuple[Finding, ...]
    hidden: int
    files: int = 0
    warnings: tuple[str, ...] = ()


class Cache:
    """The cache of one project. ``path`` empty: nothing is remembered."""

    def __init__(self, path: str, files: dict[str, Known], results: dict[str, Any]) -> None:
        self._path, self._files, self._results = path, files, results
        self._changed = False

    def file(self, path: str) -> Known | None:
        """What is known of the file, if it is still the same by size and time."""
        known = self._files.get(path)
        if known is None:
            return None
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            return None
        return known if (status.st_mtime_ns, status.st_size) == (known.mtime, known.size) else None

    def put_file(self, path: str, data: bytes, packages: Iterable[str]) -> Known:
        """Remember a file that was read just now."""
        if not self._path:
            return Known(-1, len(data), "", tuple(packages))
        known = Known(-1, len(data), digest(data), tuple(sorted(packages)))
        with suppress(OSError, ValueError):
            status = os.stat(path)
            if status.st_size == len(data) and status.st_mtime_ns < time.time_ns() - _RACY:
                known = self._files[path] = known._replace(mtime=status.st_mtime_ns)
                self._changed = True
        return known

    def result(self, key: str) -> Remembered | None:
        """What was found in a part, or in deployment files."""
        found = self._results.get(key)
        if found is None:
            return None
        try:
            findings, hidden, files, warnings = found
            return Remembered(
                tuple([finding_of(row) for row in findings]), int(hidden), int(files), tuple(map(str, warnings))
            )
        except (TypeError, ValueError, LookupError):
            return None

    def put_result(self, key: str, result: Remembered) -> None:
        """Remember what was found."""
        self._results[key] = result
        self._changed = True

    def save(self) -> None:
        """Write what is new, and what is not too old. Never raises: a run without a cache is only slower."""
        if not self._path or not self._changed:
            return
        for key in list(self._results)[:-_MAX_RESULTS]:
            del self._results[key]
        data = {"version": version(), "files": self._files, "results": self._results}
        with suppress(OSError, ValueError, RecursionError):
            _mark_folder(os.path.dirname(self._path))
            replace_file(self._path, json.dumps(data, separators=(",", ":")))

    def folder_of_facts(self) -> str:
        """Where the facts of files may be kept, in a folder that is marked as a cache; empty where nothing can be."""
        if not self._path:
            return ""
        try:
            _mark_folder(os.path.dirname(self._path))
        except OSError:
            return ""
        return self._path.removesuffix(".json") + _FACTS


def open_cache(folder: str, root: str) -> Cache:
    """The cache of the project at ``root`` in a folder; an empty one where there is none that this version can read."""
    if not folder:
        return Cache("", {}, {})
    path = os.path.join(folder, f"{digest(os.fsencode(os.path.abspath(root)))}.json")
    try:
        files, results = _read(path)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        files, results = {}, {}
    return Cache(path, files, results)


def usual_folder(root: str, marked: bool) -> str:
    """Where the cache of a project is if nobody says otherwise: named in the environment, else at its root.

    What is not ``marked`` as a project has its cache in the user's folder.
    """
    return os.environ.get("SHUTDOWN_LINT_CACHE_DIR") or (os.path.join(root, FOLDER) if marked else _users_folder())


def _users_folder() -> str:
    """The user's folder for caches of this program; empty where there is no home."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches")
    else:  # XDG Base Directory Specification 0.8
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return os.path.join(base, "shutdown-lint") if os.path.isabs(base) else ""


def unusable(folder: str, *, named: bool) -> str:
    """Why there can be no cache in the folder; empty if there can be.

    One that nobody has ``named`` may have come with the files: it is not followed where it is a link, and not trusted where
    it belongs to somebody else.
    """
    if not named and os.path.islink(folder):
        return "is a link"
    if not os.path.lexists(folder):
        parent = os.path.dirname(os.path.abspath(folder))
        while not os.path.lexists(parent) and parent != os.path.dirname(parent):
            parent = os.path.dirname(parent)
        return _unwritable(parent)
    if not named and hasattr(os, "geteuid") and os.stat(folder).st_uid != os.geteuid():
        return "belongs to another user"
    return _unwritable(folder)


def _unwritable(folder: str) -> str:
    if not os.path.isdir(folder):
        return "is no folder" if os.path.lexists(folder) else "leads nowhere"
    return "" if os.access(folder, os.W_OK | os.X_OK) else "cannot be written to"


def clean(folder: str) -> bool:
    """Remove a cache folder; whether there was one. Raises ``OSError``.

    Only what a cache writes is removed; a folder that holds anything else stays, and a link is not followed.
    """
    if os.path.islink(folder) or not os.path.isfile(os.path.join(folder, "CACHEDIR.TAG")):
        return False
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name.endswith(".json") or name.startswith("tmp") or name in ("CACHEDIR.TAG", ".gitignore"):
            os.unlink(path)
        elif name.endswith(_FACTS) and not os.path.islink(path):
            _clean_facts(path)
    os.rmdir(folder)
    return True


def _clean_facts(folder: str) -> None:
    """Remove files two levels below; anything else makes ``rmdir`` fail."""
    for name in os.listdir(folder):
        below = os.path.join(folder, name)
        for entry in [] if os.path.islink(below) else os.listdir(below):
            os.unlink(os.path.join(below, entry))
        os.rmdir(below)
    os.rmdir(folder)


def key_of(*parts: object) -> str:
    """A key for values whose ``repr`` tells all about them."""
    return digest(repr(parts).encode("utf-8", "surrogateescape"))


@lru_cache(maxsize=1)
def version() -> str:
    """What the results depend on besides the files and settings: this program, the parsers."""
    own = os.path.dirname(os.path.abspath(__file__))
    parts: list[object] = [
        __version__,
        sys.version_info[:2],
        _state(getattr(find_spec("libcst"), "origin", None) or ""),
    ]
    for folder, folders, names in os.walk(own):
        folders.sort()
        parts += [_state(os.path.join(folder, name)) for name in sorted(names) if name.endswith((".py", ".json"))]
    return key_of(*parts)


def _state(path: str) -> tuple[str, int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return path, 0, 0
    return path, status.st_mtime_ns, status.st_size


def _read(path: str) -> tuple[dict[str, Known], dict[str, Any]]:
    with open(path, "rb", opener=_at_once) as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
            return {}, {}
        data = json.loads(stream.read())
    if data["version"] != version():
        return {}, {}
    files = {
        name: Known(int(row[0]), int(row[1]), str(row[2]), tuple(map(str, row[3])))
        for name, row in data["files"].items()
    }
    return files, dict(data["results"])


def _at_once(path: str, flags: int) -> int:
    """Opens even a pipe without a writer, which may have been put there to be waited for."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def finding_of(row: Sequence[Any]) -> Finding:
    """A finding from what JSON makes of one."""
    path, span, code, name, message, severity, tier, confidence, lost, trace, help_text, fix, unfixed = row
    return Finding(
        str(path),
        Span(*map(int, span)),
        str(code),
        str(name),
        str(message),
        severity,
        tier,
        confidence,
        tuple([_step(step) for step in lost]),
        tuple([_step(step) for step in trace]),
        str(help_text),
        None
        if fix is None
        else Fix(fix[0], str(fix[1]), str(fix[2]), tuple((str(key), str(value)) for key, value in fix[3])),
        str(unfixed),
    )


def _step(row: Sequence[Any]) -> Step:
    path, line, column, text = row
    return Step(str(path), int(line), int(column), str(text))


def _mark_folder(folder: str) -> None:
    """Make the folder one that backups and git leave out. Raises ``OSError``."""
    os.makedirs(folder, exist_ok=True)
    for name, content in (("CACHEDIR.TAG", _TAG), (".gitignore", "*\n")):
        if not os.path.exists(os.path.join(folder, name)):
            replace_file(os.path.join(folder, name), content)


def replace_file(path: str, text: str) -> None:
    """Write a file whole, at once, whoever else does. Raises ``OSError``, and ``ValueError`` for what is not ASCII."""
    handle, name = tempfile.mkstemp(dir=os.path.dirname(path))
    try:
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(text)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
