"""Where the walk is in the text: exact positions without a second pass over the tree.

Lowering meets the tokens of a module in the order of the text, and between two tokens there is nothing but whitespace,
line ends, comments, backslashes and semicolons. So an offset that is moved past each token in turn tells where every node begins
and ends. Each token is compared with the text; should one not be there (a shape of syntax that lowering does not know),
the next place where it is found is taken, and ``lost`` counts it.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from shutdown_lint.facts import Span
from shutdown_lint.lower.scope import line_starts

_BETWEEN = re.compile(r"(?:[ \t\f\r\n\\;]+|#[^\r\n]*)*")
_BLANK = frozenset(" \t\f\r\n\\;#")


class Cursor:
    """A position in a text that only moves forward."""

    __slots__ = ("_lines", "lost", "pos", "text")

    def __init__(self, text: str) -> None:
        # what is added is no part of any token, so that there is always a next one
        self.text, self.pos, self.lost = text + "\n\0", 0, 0
        self._lines = line_starts(text)

    def start(self) -> int:
        """Go to the next token; its offset."""
        pos, text = self.pos, self.text
        if text[pos] == " ":
            pos += 1
        if text[pos] in _BLANK:
            pos = _end_of_blank(text, pos)
        self.pos = pos
        return pos

    def take(self, token: str) -> None:
        """Go past the next token, which is this one."""
        pos, text = self.pos, self.text
        if not text.startswith(token, pos):
            # mostly one space
            pos = pos + 1 if text[pos] == " " and text.startswith(token, pos + 1) else self._find(token, pos)
        self.pos = pos + len(token)

    def exact(self, token: str) -> None:
        """Go past a piece of text that begins right here."""
        if self.text.startswith(token, self.pos):
            self.pos += len(token)
        else:
            self.lost += 1

    def skip(self, token: str) -> bool:
        """Go past the next token if it is this one; whether it was."""
        pos = self.pos
        if self.text[pos] in _BLANK:
            pos = _end_of_blank(self.text, pos)
        if self.text.startswith(token, pos):
            self.pos = pos + len(token)
            return True
        return False

    def span(self, start: int) -> Span:
        """From the offset to the end of the last token."""
        lines, end = self._lines, self.pos
        line, end_line = bisect_right(lines, start), bisect_right(lines, end)
        return Span(line, start - lines[line - 1] + 1, end_line, end - lines[end_line - 1] + 1)

    def _find(self, token: str, pos: int) -> int:
        pos = _end_of_blank(self.text, pos)
        if self.text.startswith(token, pos):
            return pos
        self.lost += 1
        found = self.text.find(token, pos)
        return found if found >= 0 else self.pos - len(token)


def _end_of_blank(text: str, pos: int) -> int:
    match = _BETWEEN.match(text, pos)
    return match.end() if match else pos
