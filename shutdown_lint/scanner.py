"""Reads a text token by token, without recursion, to find the shapes that ``shutdown_lint.bounds`` bounds.

It knows the lexical rules of Python 3.14 (f-strings and t-strings whose fields may hold any quotes, PEP 701) and no
grammar. What it counts, for each open bracket and each statement, are links: operators, dots and opening brackets since
the last comma, each of which makes the tree of an expression one level deeper.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from shutdown_lint.bounds import Limits
from shutdown_lint.source.trouble import Trouble

_TOKEN = re.compile(
    r"(?P<comment>#[^\r\n]*)"
    r"|(?P<quote>(?:(?<![0-9A-Za-z_])(?:[bBuUfFtTrR]|[bBfFtT][rR]|[rR][bBfFtT]))?(?:\"\"\"|'''|\"|'))"
    r"|(?P<joined>\\(?:\r\n|\r|\n))"
    r"|(?P<line>(?:\r\n|\r|\n)[ \t\f]*)"
    r"|(?P<open>[(\[{])"
    r"|(?P<close>[)\]}])"
    r"|(?P<comma>[,;])"
    r"|(?P<colon>:=?)"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<link>\.|->|[*/<>]{1,2}=?|[!=+\-%@&|^~]=?)"
)
_LINKS = frozenset({"not", "lambda", "else", "await", "yield", "is", "in", "and", "or"})
_ENDS = {
    '"""': re.compile(r'\\.|"""', re.DOTALL),
    "'''": re.compile(r"\\.|'''", re.DOTALL),
    '"': re.compile(r'\\(?:\r\n|.)|["\r\n]', re.DOTALL),
    "'": re.compile(r"\\(?:\r\n|.)|['\r\n]", re.DOTALL),
}
# A backslash does not hide the brace after it (3.12: "\\{x}" is a field), but \N{DASH} is a character.
_PARTS = {
    '"""': re.compile(r'\\N\{[^{}]*\}|\\[^{}]|\{\{|[{}]|"""'),
    "'''": re.compile(r"\\N\{[^{}]*\}|\\[^{}]|\{\{|[{}]|'''"),
    '"': re.compile(r'\\N\{[^{}]*\}|\\(?:\r\n|[^{}])|\{\{|[{}"\r\n]'),
    "'": re.compile(r"\\N\{[^{}]*\}|\\(?:\r\n|[^{}])|\{\{|[{}'\r\n]"),
}
_PLAIN, _BRACKET, _FIELD = "", "(", "{"
_WITHIN, _CLAUSE, _LINE = range(3)  # where the next word stands: in a statement, at its start, at the start of its line


_NO_LIMITS = Limits(*[1 << 60] * len(Limits._fields))


class _Level:
    """The statement itself, an open bracket, or a field of an f-string.

    Of a field, ``quote`` is the string's, and ``in_spec`` tells that it stands in a format specification.
    """

    __slots__ = ("in_spec", "kind", "lambdas", "links", "quote", "strings")

    def __init__(self, kind: str, quote: str = "", in_spec: bool = False) -> None:
        self.kind, self.quote, self.in_spec = kind, quote, in_spec
        self.links = self.strings = self.lambdas = 0


class _Exceeded(Exception):
    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset, self.message = offset, message


class _Scanner:
    """The state of one reading."""

    def __init__(self, text: str, limits: Limits) -> None:
        self.text, self.limits = text, limits
        self.levels = [_Level(_PLAIN)]
        self.total, self.first_word, self.fresh = 0, "", _LINE
        self.too_deep_at = -1
        self.elifs: list[tuple[int, int]] = []
        self.indent = 0
        self.comments: list[tuple[int, int]] = []
        self.line_ends: list[tuple[int, bool]] = []

    def run(self) -> None:
        """Read all of the text; raises ``_Exceeded``."""
        position, end = 0, len(self.text)
        while position < end:
            match = _TOKEN.search(self.text, position)
            if match is None:
                return
            position = self._token(match.lastgroup or "", match)

    def _token(self, kind: str, match: re.Match[str]) -> int:
        top, at = self.levels[-1], match.start()
        if kind == "quote":
            return self._string(match)
        if kind == "open":
            self._link(top, at)
            self._push(_Level(_BRACKET), at)
        elif kind == "close":
            return self._close(match)
        elif kind in ("link", "word"):
            self._word(top, match) if kind == "word" else self._link(top, at)
        elif kind == "comma":
            self._comma(top, match.group())
        elif kind == "colon":
            return self._colon(top, match)
        elif kind == "line":
            self._line(match)
        elif kind == "comment":
            self.comments.append(match.span())
        return match.end()

    def _word(self, top: _Level, match: re.Match[str]) -> None:
        word = match.group()
        if self.fresh:
            if self.fresh == _LINE:
                self._count_elif(word, match.start())
            self.fresh, self.first_word = _WITHIN, word
        if word in _LINKS:
            top.lambdas += word == "lambda"
            self._link(top, match.start())

    def _line(self, match: re.Match[str]) -> None:
        outermost = len(self.levels) == 1
        self.line_ends.append((match.start(), outermost))
        if outermost:
            self.levels[0] = _Level(_PLAIN)
            self.total, self.fresh, self.first_word = 0, _LINE, ""
            self.indent = len(match.group().expandtabs())

    def _count_elif(self, word: str, at: int) -> None:
        while self.elifs and self.elifs[-1][0] > self.indent:
            self.elifs.pop()
        if word == "elif":
            before = self.elifs.pop()[1] if self.elifs and self.elifs[-1][0] == self.indent else 0
            self.elifs.append((self.indent, before + 1))
            if before >= self.limits.elifs:
                raise _Exceeded(at, f"more than {self.limits.elifs} `elif` in a row")
        elif self.elifs and self.elifs[-1][0] == self.indent:
            self.elifs.pop()

    def _link(self, top: _Level, at: int) -> None:
        top.links += 1
        self.total += 1
        if top.links > self.limits.chain:
            raise _Exceeded(at, f"an expression with more than {self.limits.chain} links in a chain")
        if self.total > self.limits.total:
            raise _Exceeded(at, f"an expression nested and chained more than {self.limits.total} levels deep")

    def _comma(self, top: _Level, sign: str) -> None:
        # the commas between the parameters of a lambda end nothing
        if top.lambdas and sign == ",":
            return
        self.total -= top.links
        top.links = top.strings = top.lambdas = 0
        if sign == ";":
            self.fresh = _CLAUSE

    def _colon(self, top: _Level, match: re.Match[str]) -> int:
        if match.group() == ":=" and top.kind != _FIELD:
            self._link(top, match.start())
            return match.end()
        if top.lambdas:
            top.lambdas -= 1
        elif top.kind == _FIELD:
            return self._literal(match.start() + 1, top.quote, True)
        elif len(self.levels) == 1:
            self._comma(top, ";")
        return match.start() + 1

    def _push(self, level: _Level, at: int) -> None:
        self.levels.append(level)
        depth, limits = len(self.levels) - 1, self.limits
        if depth > limits.depth and self.too_deep_at < 0:
            self.too_deep_at = at
        if depth > limits.hopeless_depth:
            raise _Exceeded(self.too_deep_at, f"more than {limits.hopeless_depth} nested brackets")
        if depth > limits.case_depth and self.first_word == "case":
            raise _Exceeded(at, f"a pattern with more than {limits.case_depth} nested brackets")
        if depth > limits.del_depth and self.first_word == "del":
            raise _Exceeded(at, f"a `del` with more than {limits.del_depth} nested brackets")

    def _close(self, match: re.Match[str]) -> int:
        if len(self.levels) == 1:
            return match.end()
        level = self.levels.pop()
        self.total -= level.links
        return self._literal(match.end(), level.quote, level.in_spec) if level.kind == _FIELD else match.end()

    def _string(self, match: re.Match[str]) -> int:
        top, token = self.levels[-1], match.group()
        self.fresh = _WITHIN
        top.strings += 1
        if top.strings > self.limits.strings:
            raise _Exceeded(match.start(), f"more than {self.limits.strings} string literals in one expression")
        prefix = token.rstrip("\"'").lower()
        quote = token[len(prefix) :]
        if "f" in prefix or "t" in prefix:
            return self._literal(match.end(), quote)
        return self._skip(match.end(), quote)

    def _skip(self, position: int, quote: str) -> int:
        """The end of a plain string that begins before ``position``."""
        for match in _ENDS[quote].finditer(self.text, position):
            if match.group() == quote:
                return match.end()
            if match.group() in ("\r", "\n"):
                return match.start()
        return len(self.text)

    def _literal(self, position: int, quote: str, spec: bool = False) -> int:
        """Literal text of an f-string, or of a format specification: up to the next field or the end."""
        for match in _PARTS[quote].finditer(self.text, position):
            part = match.group()
            if part == "{" or (spec and part == "{{"):
                self._link(self.levels[-1], match.start())
                self._push(_Level(_FIELD, quote, spec), match.start())
                return match.start() + 1
            if part == "}" and spec:
                level = self.levels.pop()
                self.total -= level.links
                return self._literal(match.end(), quote, level.in_spec)
            if part == quote:
                return match.end()
            if part in ("\r", "\n"):
                return match.start()
        return len(self.text)


def scan(text: str, limits: Limits) -> Trouble | None:
    """Why LibCST must not see this text: SHD900 (as CPython) or SHD903 with line and column (1-based), or None."""
    scanner = _Scanner(text, limits)
    try:
        scanner.run()
    except _Exceeded as exceeded:
        return Trouble("SHD903", exceeded.message, *_place(text, exceeded.offset))
    if scanner.too_deep_at >= 0:
        return Trouble("SHD900", "too many nested parentheses", *_place(text, scanner.too_deep_at))
    return None


class Layout(NamedTuple):
    """Where a text's comments and lines are, in offsets.

    ``comments`` are (start, end). ``line_ends`` are the line ends that stand outside of strings and are not hidden by a
    backslash, each with whether it also ends a statement (that is, stands outside of brackets).
    """

    comments: tuple[tuple[int, int], ...]
    line_ends: tuple[tuple[int, bool], ...]


def layout(text: str) -> Layout:
    """The layout of a text that LibCST has parsed."""
    scanner = _Scanner(text, _NO_LIMITS)
    scanner.run()
    return Layout(tuple(scanner.comments), tuple(scanner.line_ends))


def _place(text: str, offset: int) -> tuple[int, int]:
    ends = [match.end() for match in re.finditer(r"\r\n|\n|\r", text[:offset])]
    return len(ends) + 1, offset - (ends[-1] if ends else 0) + 1
