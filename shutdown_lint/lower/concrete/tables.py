"""The tables of a walk that also moves through the text."""

from __future__ import annotations

from shutdown_lint.lower.concrete.cursor import Cursor
from shutdown_lint.lower.scope import Tables


class CursorTables(Tables):
    """Tables with a cursor; ``into`` are those of a walk that this one is a part of."""

    __slots__ = ("cursor",)

    def __init__(self, cursor: Cursor, into: Tables | None = None) -> None:
        super().__init__(into)
        self.cursor = cursor
