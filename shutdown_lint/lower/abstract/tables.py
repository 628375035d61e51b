"""The tables of a walk over ``ast``, with the text that the nodes' places are in."""

from __future__ import annotations

import ast
from bisect import bisect_right
from typing import TYPE_CHECKING, TypeAlias, Union

from shutdown_lint.facts import Span, make
from shutdown_lint.lower.scope import Tables, line_starts

if TYPE_CHECKING:
    from shutdown_lint.lower.concrete.tables import CursorTables

Placed: TypeAlias = Union[ast.expr, ast.stmt, ast.excepthandler]


class TextTables(Tables):
    """Tables that turn a node's place (columns in bytes of UTF-8) into spans and offsets (in code points)."""

    __slots__ = ("_ascii", "_lines", "_longest", "has_semicolons", "pieces", "text")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self._ascii, self.has_semicolons = text, text.isascii(), ";" in text
        self._lines: list[int] = []
        self._longest = max(map(len, text.split("\n")))  # one line end is enough: rather too long
        self.pieces: CursorTables | None = None  # for what LibCST reads of this text

    def span(self, node: Placed) -> Span:
        """From the first character of a node to behind its last."""
        return self.between(node, node)

    def between(self, first: Placed, last: Placed) -> Span:
        """From the first character of one node to behind the last of another."""
        line, col, end_line, end_col = first.lineno, first.col_offset, last.end_lineno or 0, last.end_col_offset or 0
        if not self._ascii:
            col, end_col = self._column(line, col), self._column(end_line, end_col)
        return make(Span, (line, col + 1, end_line, end_col + 1))

    def characters(self, node: Placed) -> int:
        """The most characters that a node can have."""
        lines = (node.end_lineno or 0) - node.lineno
        return (lines + 1) * self._longest if lines else (node.end_col_offset or 0) - node.col_offset

    def start(self, node: Placed) -> int:
        """The offset of a node's first character."""
        return self._offset(node.lineno, node.col_offset)

    def end(self, node: Placed) -> int:
        """The offset behind a node's last character."""
        return self._offset(node.end_lineno or 0, node.end_col_offset or 0)

    def place(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column of an offset."""
        starts = self._starts()
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def _offset(self, line: int, col: int) -> int:
        return self._starts()[line - 1] + (col if self._ascii else self._column(line, col))

    def _starts(self) -> list[int]:
        if not self._lines:
            self._lines = line_starts(self.text)
        return self._lines

    def _column(self, line: int, col: int) -> int:
        """A column in bytes as one in code points, both from 0."""
        start = self._starts()[line - 1]
        before = self.text[start : start + col]
        return col if before.isascii() else len(before.encode()[:col].decode(errors="replace"))
