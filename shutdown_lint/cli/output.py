"""Where text goes: stdout that may be closed, full or gone; stderr; a file that is replaced as a whole."""

from __future__ import annotations

import os
import stat
import sys
from typing import TextIO


class OutputError(Exception):
    """The output could not be written."""


class ReaderGone(Exception):
    """Whoever read our stdout has closed it."""


def to_stdout(text: str | bytes) -> None:
    """Write all of the text now, bytes as they are. Raises ``OutputError`` or ``ReaderGone``."""
    stream: TextIO | None = sys.stdout
    if stream is None:
        raise OutputError("cannot write to stdout: it is closed")
    try:
        stream.flush()
        _write_all(stream, text)
        stream.flush()
    except BrokenPipeError as error:
        _discard(stream)
        raise ReaderGone from error
    except (OSError, ValueError) as error:
        _discard(stream)
        raise OutputError(f"cannot write to stdout: {_reason(error)}") from error


def _write_all(stream: TextIO, text: str | bytes) -> None:
    binary, encoding = getattr(stream, "buffer", None), stream.encoding or "utf-8"
    if binary is None:
        stream.write(text if isinstance(text, str) else text.decode(encoding, "backslashreplace"))
        return
    rest = memoryview(text.encode(encoding, "backslashreplace") if isinstance(text, str) else text)
    while rest:
        # unbuffered (PYTHONUNBUFFERED), a write may take only a part, and the text layer would not notice
        rest = rest[binary.write(rest) or 0 :]


def _discard(stream: TextIO) -> None:
    """Keep the interpreter from flushing into a broken stdout once more at its end (docs: signal, note on SIGPIPE)."""
    try:
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, stream.fileno())
        os.close(devnull)
    except (OSError, ValueError):
        return


def complain(text: str) -> None:
    """Tell on stderr, each line with our name."""
    from shutdown_lint.report.view import safe

    to_stderr("".join(f"shutdown-lint: {safe(line)}\n" for line in text.split("\n")))


def to_stderr(text: str) -> None:
    """Write to stderr; where that is gone too, nothing is left to tell."""
    if sys.stderr is None:
        return
    from shutdown_lint.cli.stopping import broken_pipe_held

    try:
        with broken_pipe_held():
            sys.stderr.write(text)
            sys.stderr.flush()
    except (OSError, ValueError):
        return


def to_file(text: str, path: str) -> None:
    """Replace the file by the text as a whole: readers see the old content or the new. Raises ``OutputError``."""
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            _to_device(text, path)
        else:
            _replace(text, os.path.realpath(path))
    except OSError as error:
        raise OutputError(f"cannot write {path}: {_reason(error)}") from error


def _to_device(text: str, path: str) -> None:
    # stdout, stderr and pipes of the shell have names there; anything else is hardly meant
    if os.path.isdir(path) or not path.startswith("/dev/"):
        raise OSError(None, "not a regular file")
    with open(path, "w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(text)


def _replace(text: str, path: str) -> None:
    temporary = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{os.getpid()}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with open(handle, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(handle)
        if os.path.exists(path):
            os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _reason(error: Exception) -> str:
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return text[:1].lower() + text[1:]
