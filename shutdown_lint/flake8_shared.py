"""What the flake8 plugin knows of the whole project, found once for all worker processes of a flake8 run.

flake8 gives each file to one of several processes, and no plugin a look at two files. So the first worker that needs
findings computes those of all files, under a lock, and writes them to a file in a folder that only this user can enter;
the others wait for the lock and read. The file is JSON, holds findings by path, and tells by a fingerprint of each text
whether they are still those of the text that flake8 has.

The folder's name comes from the secret that ``multiprocessing`` shares among the processes of one run (whatever their
start method), so that the workers find it and nobody can guess it. The parent removes it at its end.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

from shutdown_lint.findings import Finding
from shutdown_lint.settings import Settings

STDIN = "-"
_MAX_LOST = 3
# flake8 tells of a file that it cannot open itself (E902)
_NOT_OURS = frozenset({"SHD901"})


class Row(NamedTuple):
    """One line of output: 1-based line, 0-based column, and ``SHD101 message``."""

    line: int
    col: int
    text: str


class Scope(NamedTuple):
    """A flake8 run: the paths that it was given, the settings, the folder to share results in (empty: not to)."""

    paths: tuple[str, ...]
    settings: Settings
    folder: str


class Results(NamedTuple):
    """By absolute path: the fingerprint of the text that was analysed (empty: not readable), and its findings."""

    fingerprints: dict[str, str]
    rows: dict[str, list[Row]]


def rows_for(scope: Scope, filename: str, text: str) -> list[Row]:
    """The findings in a file, given the text that flake8 has of it (no byte order mark, lines ended by ``\\n``)."""
    if scope.paths == (STDIN,):
        return _rows_of_text(scope, scope.settings.stdin_filename, text)
    path = os.path.abspath(filename)
    results = _results(scope)
    known = results.fingerprints.get(path)
    if known is None and _was_asked_for(scope, path):
        return []  # left out by our own configuration, or ignored by git
    if known is None or (known and known != fingerprint(text)):
        return _rows_of_text(scope, path, text)
    return results.rows.get(path, [])


def _was_asked_for(scope: Scope, path: str) -> bool:
    """Whether the file lies below a path of the run; flake8's API names files later than the paths."""
    return any(f"{path}{os.sep}".startswith(f"{os.path.abspath(top)}{os.sep}") for top in scope.paths)


def fingerprint(text: str) -> str:
    """A digest of a text, the same whatever its line ends."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


# --- finding out -----------------------------------------------------------------------------------------------------


def forget() -> None:
    """Begin a new run in this process."""
    _results.cache_clear()


@lru_cache(maxsize=1)
def _results(scope: Scope) -> Results:
    """The findings of the run, computed or read; once in a process."""
    if not scope.folder:
        return _computed(scope)
    path = os.path.join(scope.folder, "findings.json")
    try:
        make_private(scope.folder)
        with _locked(os.path.join(scope.folder, "lock")):
            found = _read(path)
            if found is None:
                found = _computed(scope)
                _write(path, found)
    except OSError:
        # no folder to share: each process on its own comes to the same result
        return _computed(scope)
    return found


def _computed(scope: Scope) -> Results:
    from shutdown_lint.engine import check
    from shutdown_lint.source import discover

    files = discover(scope.paths, scope.settings._replace(deployment=False)).files
    fingerprints = {path: _fingerprint_of_file(path) for path in files}
    rows: dict[str, list[Row]] = {}
    for finding in check(scope.paths, scope.settings._replace(deployment=False)).findings:
        if finding.code not in _NOT_OURS:
            rows.setdefault(os.path.abspath(finding.path), []).append(_row(finding))
    return Results(fingerprints, rows)


def _fingerprint_of_file(path: str) -> str:
    from shutdown_lint.source import TroubleError, read_text

    try:
        return fingerprint(read_text(path))
    except TroubleError:
        return ""


def _rows_of_text(scope: Scope, filename: str, text: str) -> list[Row]:
    """The findings in a text that is not (or not yet) on disk, in its project."""
    from shutdown_lint.engine import check

    settings = scope.settings._replace(stdin_filename=filename, deployment=False)
    findings = check([STDIN], settings, stdin=_encoded(text)).findings
    return [_row(finding) for finding in findings if finding.code not in _NOT_OURS]


def _encoded(text: str) -> bytes:
    """Bytes that decode to the text again: in the encoding that it declares, if it can be written so."""
    from shutdown_lint.source import TroubleError
    from shutdown_lint.source.decoding import declared_encoding

    data = text.encode("utf-8", "surrogatepass")
    try:
        return text.encode(declared_encoding(data) or "utf-8")
    except (UnicodeError, LookupError, TroubleError):
        return data


def _row(finding: Finding) -> Row:
    return Row(finding.span.line, finding.span.col - 1, f"{finding.code} {finding.message}{_lost(finding)}")


def _lost(finding: Finding) -> str:
    """What is lost and where: flake8 prints one line for a finding."""
    steps = [f"{step.text} ({step.path}:{step.line})" for step in finding.lost]
    more = [f"{len(steps) - _MAX_LOST} more"] if len(steps) > _MAX_LOST else []
    text = "; lost: " + ", ".join([*steps[:_MAX_LOST], *more]) if steps else ""
    return " ".join(text.split("\n"))


# --- sharing ---------------------------------------------------------------------------------------------------------


def shared_folder() -> str:
    """The path of the folder that all processes of this run share; it need not be there yet."""
    secret = bytes(multiprocessing.current_process().authkey)
    name = blake2b(secret, digest_size=16, person=b"shutdown-lint").hexdigest()
    return os.path.join(tempfile.gettempdir(), f"shutdown-lint-{name}")


def is_worker() -> bool:
    """Whether this process was started by another one of the run."""
    return multiprocessing.parent_process() is not None


def make_private(folder: str) -> None:
    """Make the folder for this user alone. Raises ``PermissionError`` where one is there that others could write to."""
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        status = os.lstat(folder)
        own = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
        closed = os.name == "nt" or not status.st_mode & 0o077
        if not (stat.S_ISDIR(status.st_mode) and own and closed):
            raise PermissionError(f"{folder} is not a private folder of this user") from None


@contextmanager
def _locked(path: str) -> Iterator[None]:
    """Hold the lock file; the system takes it back when the process dies."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        _lock(handle)
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX)


def _write(path: str, results: Results) -> None:
    with open(f"{path}.part", "w", encoding="ascii") as stream:
        json.dump({"fingerprints": results.fingerprints, "rows": results.rows}, stream)
    os.replace(f"{path}.part", path)


def _read(path: str) -> Results | None:
    """What another process wrote; None where it did not, or not to its end."""
    try:
        with open(path, encoding="ascii") as stream:
            data: Any = json.load(stream)
        rows = {name: [Row(*row) for row in found] for name, found in data["rows"].items()}
        return Results(dict(data["fingerprints"]), rows)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
