"""A file's text for the fixers: places as offsets and as lines, and edits in terms of offsets.

Offsets are 0-based code points of the text; lines and columns of spans are 1-based (see ``shutdown_lint.facts``).
"""

from __future__ import annotations

from bisect import bisect_right

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.source.decoding import LINE_END


class Text:
    """A text, and the offsets at which its lines begin."""

    __slots__ = ("lines", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = (0, *(match.end() for match in LINE_END.finditer(text)))

    def offset(self, line: int, col: int) -> int:
        """The offset of a 1-based line and column; raises ``Refused`` beyond the end of the text."""
        if not 1 <= line <= len(self.lines):
            raise Refused("the place lies outside the file")
        return self.lines[line - 1] + col - 1

    def span(self, start: int, end: int) -> Span:
        """The span of a range of offsets."""
        return Span(*self._place(start), *self._place(end))

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.lines, offset)
        return line, offset - self.lines[line - 1] + 1

    def line_start(self, offset: int) -> int:
        """Where the line of the offset begins."""
        return self.lines[bisect_right(self.lines, offset) - 1]

    def line_end(self, offset: int) -> int:
        """Where the line of the offset ends, before its line end."""
        found = LINE_END.search(self.text, offset)
        return found.start() if found else len(self.text)

    def newline(self, offset: int) -> str:
        """The line end of the line of the offset; of the last line, that of the line before."""
        found = LINE_END.search(self.text, self.line_start(offset))
        if found is None:
            before = LINE_END.findall(self.text)
            return before[-1] if before else "\n"
        return found.group()

    def edit(self, start: int, end: int, content: str) -> Edit:
        """Replace a range of offsets; line ends in ``content`` become those of the line."""
        return Edit(self.span(start, end), LINE_END.sub(self.newline(start), content))
