"""Reading and writing of the files that are fixed: whole or not at all."""

from __future__ import annotations

import os
import re
import stat
import tempfile
import time
from collections.abc import Sequence
from functools import cache

from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.source import TroubleError, decode, read_bytes
from shutdown_lint.source.decoding import BOM, declared_encoding

ABANDONED = 60  # seconds; a file is written in much less
_TEMPORARY = re.compile(r"\.shutdown-lint-(\d+)-.*\.tmp")


def encode(text: str, like: bytes, path: str = "") -> bytes:
    """The bytes of a text in the encoding, and with the byte order mark, of the file ``path`` that holds ``like``.

    Raises ``Refused`` where the encoding cannot hold the text, or not exactly.
    """
    bom = BOM if like.startswith(BOM) else b""
    try:
        data = bom + text.encode(declared_encoding(like, path) or "utf-8")
        exact = decode(data, path) == text
    except (UnicodeError, LookupError, TroubleError) as error:
        raise Refused("the result cannot be written in the encoding of the file") from error
    if not exact:
        raise Refused("the result would not be read back as it is written")
    return data


def target(path: str, root: str) -> str:
    """The file behind a path that may lead through links. Raises ``Refused`` where it lies outside the project."""
    real, top = os.path.realpath(path), os.path.realpath(root)
    if not real.startswith(os.path.join(top, "")):
        raise Refused("a file outside the project root is not written to")
    return real


def write(path: str, before: bytes, after: bytes, also: Sequence[str] = ()) -> None:
    """Replace the content of a file that still holds ``before``; mode, owner and extended attributes stay.

    ``also`` are further names of the same file (hard links), which stay the same file. Raises ``Refused`` or
    ``OSError``; the file is then as it was, and nothing is left beside it. A link is to be resolved before.
    """
    status = os.stat(path)
    if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
        raise Refused("the file is read-only")
    temporary = _beside(path, after, status)
    try:
        _require(path, before)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    for name in also:
        _link(path, name)
    _sync_folder(os.path.dirname(path))


def _beside(path: str, data: bytes, status: os.stat_result) -> str:
    """A new file in the same folder (so that replacing is one step) that holds the data and is safely on disk."""
    _sweep(os.path.dirname(path))
    handle, temporary = _temporary(os.path.dirname(path))
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            _take_after(path, stream.fileno(), status)
            os.fsync(stream.fileno())
    except BaseException:
        os.unlink(temporary)
        raise
    return temporary


def _temporary(folder: str) -> tuple[int, str]:
    return tempfile.mkstemp(prefix=f".shutdown-lint-{os.getpid()}-", suffix=".tmp", dir=folder)


@cache
def _sweep(folder: str) -> None:
    """Remove what a run that was killed has left in the folder, once a run; another run's files of now stay."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                found = _TEMPORARY.fullmatch(entry.name)
                is_old = found and time.time() - entry.stat(follow_symlinks=False).st_mtime > ABANDONED
                if found and is_old and not _is_running(int(found[1])):
                    os.unlink(entry.path)
    except OSError:
        return  # no reason not to fix


def _is_running(number: int) -> bool:
    if os.name != "posix":
        return False  # signal 0 would end the process there; a file in use cannot be removed
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _take_after(path: str, handle: int, status: os.stat_result) -> None:
    """Give the open file the owner, mode and extended attributes of the one that it replaces."""
    if hasattr(os, "fchown"):
        own = os.fstat(handle)
        if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
            os.fchown(handle, status.st_uid, status.st_gid)
        os.fchmod(handle, stat.S_IMODE(status.st_mode))
    if hasattr(os, "listxattr"):
        _copy_attributes(path, handle)


def _copy_attributes(path: str, handle: int) -> None:
    try:
        for name in os.listxattr(path):
            os.setxattr(handle, name, os.getxattr(path, name))
    except OSError:
        # not every file system has them, and some belong to the system: no reason to leave a file unfixed
        return


def _require(path: str, before: bytes) -> None:
    try:
        unchanged = read_bytes(path) == before
    except TroubleError as error:
        raise Refused(str(error)) from error
    if not unchanged:
        raise Refused("the file was changed in the meantime")


def _link(path: str, name: str) -> None:
    """Make ``name`` a hard link to ``path`` again."""
    handle, temporary = _temporary(os.path.dirname(name))
    os.close(handle)
    os.unlink(temporary)
    os.link(path, temporary)
    os.replace(temporary, name)


def _sync_folder(folder: str) -> None:
    """Make the replacement itself survive a power failure, where the system can open folders."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
