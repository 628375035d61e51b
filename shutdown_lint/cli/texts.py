"""The texts behind the findings: lines to echo, edits for the JSON output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

HELD = 16  # files at a time; findings come sorted by file


def text_reader(stdin: bytes | None) -> Callable[[str], str | None]:
    """A function that gives the text of a file that has findings; what stands on stdin is not what is on disk."""
    from shutdown_lint.source import TroubleError, decode, read_text

    @lru_cache(maxsize=HELD)
    def read(path: str) -> str | None:
        try:
            return read_text(path) if stdin is None else decode(stdin, path)
        except TroubleError:
            return None

    return read


def line_reader(read: Callable[[str], str | None]) -> Callable[[str], Sequence[str] | None]:
    """The same by lines."""
    from shutdown_lint.report.view import lines_of

    @lru_cache(maxsize=HELD)
    def read_lines(path: str) -> Sequence[str] | None:
        text = read(path)
        return None if text is None else lines_of(text)

    return read_lines
