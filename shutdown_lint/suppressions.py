"""Reads the suppression comments of a file. Linear in the length of the text: no pattern here can backtrack far."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from shutdown_lint.facts import Span
from shutdown_lint.rules import registry
from shutdown_lint.scanner import Layout, layout
from shutdown_lint.source.decoding import LINE_END

MARKERS = (b"noqa", b"shutdown-lint:")

_NOQA = re.compile(r"#[ \t]*(?P<form>noqa)(?![\w-])(?P<colon>[ \t]*:)?", re.IGNORECASE)
_FILE_NOQA = re.compile(r"#[ \t]*flake8[:=][ \t]*(?P<form>noqa)(?![\w-])(?P<colon>[ \t]*:)?", re.IGNORECASE)
_OURS = re.compile(r"#[ \t]*shutdown-lint:[ \t]*(?P<word>[\w-]*)[ \t]*")
# flake8 takes letters with digits for a code, and whatever else for the end of the list
_CODE = re.compile(r"[,\s]*(?P<code>(?:[A-Za-z]+[0-9]+)+)")
_NAME = re.compile(r"\s*(?P<name>[A-Za-z][\w-]*)")
_HASH = re.compile(r"(?:^|\s)#(?=[^\n]*(?:noqa|shutdown-lint:))", re.IGNORECASE)
_SPACE = re.compile(r"\s*")
_WHOLE_FILE = (1, 1 << 60)
_HELP = "write `# shutdown-lint: ignore[SHD101, rule-name] reason`, or `ignore-file[…]`"


class Selector(NamedTuple):
    """One entry of a suppression as it is written, and the codes of ours that it stands for."""

    text: str
    codes: frozenset[str]


class Suppression(NamedTuple):
    """A comment that hides findings of its ``selectors``, or all findings, on ``lines`` (1-based, both inclusive).

    ``span`` is the part of the comment from its ``#`` to its last code or bracket. ``form`` is how it begins.
    """

    form: str
    selectors: tuple[Selector, ...]
    blanket: bool
    lines: tuple[int, int]
    span: Span

    @property
    def whole_file(self) -> bool:
        """Whether it counts everywhere in the file."""
        return self.lines == _WHOLE_FILE

    def covers(self, line: int) -> bool:
        """Whether it counts on the line."""
        return self.lines[0] <= line <= self.lines[1]

    def names(self, code: str) -> bool:
        """Whether it names the code, itself or by a prefix."""
        return any(code in selector.codes for selector in self.selectors)


class Malformed(NamedTuple):
    """A comment, or an entry of one, that cannot be understood."""

    span: Span
    message: str
    help: str


class _Text(NamedTuple):
    """A text with what is needed to turn offsets into lines: where its lines start, where lines and statements end."""

    text: str
    starts: tuple[int, ...]
    comments: dict[int, int]
    ends: tuple[int, ...]
    statement_ends: tuple[int, ...]
    leads: bool  # whether a comment on a line of its own is part of what comes next

    def line(self, offset: int) -> int:
        return bisect_right(self.starts, offset)

    def span(self, start: int, end: int) -> Span:
        line = self.line(start)
        first = self.starts[line - 1]
        return Span(line, start - first + 1, line, end - first + 1)

    def alone(self, offset: int) -> bool:
        return not self.text[self.starts[self.line(offset) - 1] : offset].strip()

    def extent(self, offset: int) -> tuple[int, int]:
        """The lines for which a comment at ``offset`` counts."""
        statement = self._between(self.statement_ends, offset)
        return statement if self.line(offset) in statement else self._between(self.ends, offset)

    def next_statement(self, offset: int) -> tuple[int, int]:
        """The lines of the first statement after the comment line at ``offset``."""
        if self.leads:
            return self.extent(offset)
        index = bisect_left(self.statement_ends, offset)
        while index < len(self.statement_ends):
            begin = self._skip_space(self.statement_ends[index])
            if begin not in self.comments:
                return self._between(self.statement_ends, begin)
            index = bisect_left(self.statement_ends, begin)
        return (0, 0)

    def _between(self, ends: tuple[int, ...], offset: int) -> tuple[int, int]:
        index = bisect_left(ends, offset)
        begin = min(self._skip_space(ends[index - 1] if index else 0), offset)
        return self.line(begin), self.line(ends[index] if index < len(ends) else len(self.text))

    def _skip_space(self, offset: int) -> int:
        match = _SPACE.match(self.text, offset)
        return match.end() if match else offset


LayoutReader: TypeAlias = Callable[[str], Layout]


def hash_layout(text: str) -> Layout:
    """The layout of a text whose comments begin with ``#``, at the begin of a line or behind a space.

    A comment on a line of its own belongs to what comes next: few of these formats take one behind a value.
    """
    comments, ends, position = [], [], 0
    for line in text.split("\n"):
        end, bare = position + len(line), line.strip()
        match = _HASH.search(line)
        if match:
            comments.append((position + match.end() - 1, end))
        if bare and bare[0] not in "#;" and not bare.endswith("\\"):
            ends.append((end, True))
        position = end + 1
    return Layout(tuple(comments), tuple(ends))


def _text(text: str, comments: LayoutReader) -> _Text:
    found = comments(text)
    return _Text(
        text,
        (0, *(match.end() for match in LINE_END.finditer(text))),
        dict(found.comments),
        tuple(end for end, _ in found.line_ends),
        tuple(end for end, outermost in found.line_ends if outermost),
        comments is hash_layout,
    )


def read_suppressions(text: str, comments: LayoutReader = layout) -> tuple[list[Suppression], list[Malformed]]:
    """All suppressions of the text, in order, and what is wrong with them."""
    source = _text(text, comments)
    found: list[Suppression] = []
    malformed: list[Malformed] = []
    for start, end in source.comments.items():
        for item in _of_comment(source, start, end):
            found.append(item) if isinstance(item, Suppression) else malformed.append(item)
    return found, malformed


def _of_comment(source: _Text, start: int, end: int) -> Iterator[Suppression | Malformed]:
    text = source.text
    if "noqa" in text[start:end].lower():
        noqa = _NOQA.search(text, start, end)
        if noqa:
            yield from _noqa(source, noqa, source.extent(start), end)
        whole = _FILE_NOQA.match(text, start, end)
        if whole and source.alone(start):
            yield from _noqa(source, whole, _WHOLE_FILE, end)
    for match in _OURS.finditer(text, start, end):
        yield from _ours(source, match, start, end)


def _noqa(source: _Text, match: re.Match[str], lines: tuple[int, int], end: int) -> Iterator[Suppression | Malformed]:
    form = source.text[match.start() : match.end("form")]
    texts, position = [], match.end()
    while match.group("colon") and (code := _CODE.match(source.text, position, end)):
        texts.append(code.group("code"))
        position = code.end()
    selectors = []
    for text in texts:
        ours = text.upper().startswith("SHD")
        codes = frozenset(e.code for e in registry.entries() if ours and e.code.startswith(text.upper()))
        if ours and not codes:
            yield Malformed(source.span(match.start(), position), f"no rule has the code `{text}`", _near(text))
        selectors.append(Selector(text, codes))
    yield Suppression(form, tuple(selectors), not texts, lines, source.span(match.start(), position))
    name = _NAME.match(source.text, position, end) if match.group("colon") and not texts else None
    if name and registry.find(name.group("name")):
        entry = registry.find(name.group("name"))
        message = f"`{form}: {name.group('name')}` hides the findings of every linter: flake8 knows no rule names"
        yield Malformed(
            source.span(match.start(), name.end()), message, f"write `{form}: {entry.code if entry else ''}`"
        )


def _ours(source: _Text, match: re.Match[str], start: int, end: int) -> Iterator[Suppression | Malformed]:
    word, position = match.group("word"), match.end()
    if word not in ("ignore", "ignore-file"):
        yield Malformed(source.span(match.start(), end), f"`shutdown-lint: {word}` is no suppression", _HELP)
        return
    close = source.text.find("]", position, end)
    if source.text[position : position + 1] != "[" or close < 0:
        yield Malformed(
            source.span(match.start(), end), f"`shutdown-lint: {word}` lacks its list of codes in brackets", _HELP
        )
        return
    span = source.span(match.start(), close + 1)
    texts = [text.strip() for text in source.text[position + 1 : close].split(",") if text.strip()]
    selectors = tuple(Selector(text, _codes(text)) for text in texts)
    if not texts:
        yield Malformed(span, f"`shutdown-lint: {word}[]` names no code", _HELP)
    for selector in selectors:
        if not selector.codes:
            yield Malformed(span, f"no rule has the code or name `{selector.text}`", _near(selector.text))
    if word == "ignore-file":
        lines = _WHOLE_FILE
    else:
        lines = source.next_statement(start) if source.alone(start) else source.extent(start)
    yield Suppression(f"# shutdown-lint: {word}", selectors, False, lines, span)


def _codes(selector: str) -> frozenset[str]:
    try:
        return frozenset(entry.code for entry in registry.matching(selector))
    except registry.UnknownSelector:
        return frozenset()


def _near(text: str) -> str:
    near = registry.near(text)
    return (
        f"did you mean {' or '.join(f'`{word}`' for word in near)}?"
        if near
        else "`shutdown-lint rules` lists all rules"
    )
