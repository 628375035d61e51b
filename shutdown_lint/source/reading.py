"""Bytes of files: only regular files are opened, and none above the size bound."""

from __future__ import annotations

import os
import stat

from shutdown_lint.source.decoding import decode
from shutdown_lint.source.trouble import Trouble, TroubleError

MAX_BYTES = 10 * 1024 * 1024

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def read_bytes(path: str, most: int = MAX_BYTES) -> bytes:
    """The content of a regular file of at most so many bytes. Raises ``TroubleError`` (SHD901, SHD903).

    The kind is asked before opening, as opening a pipe or a device may wait for ever or have effects.
    """
    try:
        _require_regular(os.stat(path))
        # The path may have been replaced since: O_NONBLOCK returns at once even for a pipe without a writer.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb", buffering=0) as stream:
            status = os.fstat(stream.fileno())
            _require_regular(status)
            data = _read_up_to(stream.fileno(), status.st_size, most)
    except (OSError, ValueError) as error:
        raise TroubleError(Trouble("SHD901", f"cannot be read: {reason(error)}")) from error
    if len(data) > most:
        raise too_large(most)
    return data


def _read_up_to(handle: int, size: int, most: int) -> bytes:
    # One byte more than the bound tells whether the file is larger; a file of /proc says that it has none.
    parts, left = [], most + 1
    while left > 0:
        part = os.read(handle, min(left, max(size + 1, 65536)))
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def too_large(most: int = MAX_BYTES) -> TroubleError:
    """SHD903 for a file above the bound."""
    return TroubleError(Trouble("SHD903", f"larger than {most // 1024 // 1024} MiB"))


def reason(error: OSError | ValueError) -> str:
    """The operating system's words, without its number and without the path."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text[:1].lower() + text[1:]


def _require_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise TroubleError(Trouble("SHD901", f"is {kind_of(status)}, not a regular file"))


def kind_of(status: os.stat_result) -> str:
    """What a path stands for, in words."""
    return next((words for test, words in _KINDS if test(status.st_mode)), "something else")


def digest(data: bytes) -> str:
    """The BLAKE2b digest of a file's bytes, in 32 hexadecimal digits."""
    from hashlib import blake2b

    return blake2b(data, digest_size=16).hexdigest()


def read_text(path: str) -> str:
    """A file's text, decoded as CPython does (deployment files: UTF-8). Raises ``TroubleError``."""
    return decode(read_bytes(path), path)
