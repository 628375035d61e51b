"""What a finding is recognised by when lines move: rule, file, enclosing definition, and the statement's text.

Line numbers and the message (which may hold some) are left out, and so is what formatters change: white space, comments,
trailing commas. Equal findings of one file are told apart by their order.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.report.view import below, whole
from shutdown_lint.rules.registry import TROUBLES
from shutdown_lint.scanner import layout

if TYPE_CHECKING:
    from shutdown_lint.findings import Finding

_TRAILING = re.compile(r",(?=[)\]}])")
_DEFINITION = re.compile(r"(?:async\s+def|def|class)\s+(\w+)")


class Identity(NamedTuple):
    """The parts of a fingerprint. ``scope`` is the qualified name within the module, empty at its top level."""

    code: str
    path: str
    scope: str
    text: str

    def digest(self, number: int = 1) -> str:
        """32 hexadecimal digits; ``number`` counts equal identities of a run from 1."""
        from hashlib import sha256

        parts = (*self, *([str(number)] if number > 1 else ()))
        return sha256("\0".join(map(whole, parts)).encode()).hexdigest()[:32]


class _Statement(NamedTuple):
    line: int
    scope: str
    text: str


def identities(
    findings: Iterable[Finding], read: Callable[[str], Sequence[str] | None], base: str
) -> dict[Finding, Identity]:
    """The identity of each finding; ``read`` gives the lines of a file, ``base`` is where its path starts from."""
    statements: dict[str, list[_Statement]] = {}
    out = {}
    for finding in findings:
        if finding.code in TROUBLES:  # such a file has no statements to speak of
            out[finding] = Identity(finding.code, below(finding.path, base), "", finding.message)
            continue
        if finding.path not in statements:
            lines = read(finding.path) or ()
            python = finding.path == "-" or finding.path.endswith((".py", ".pyi", ".pyw"))
            statements[finding.path] = _statements("\n".join(lines)) if python else _plain(lines)
        index = bisect_right(statements[finding.path], finding.span.line, key=lambda found: found.line) - 1
        found = statements[finding.path][index] if index >= 0 else _Statement(0, "", "")
        out[finding] = Identity(finding.code, below(finding.path, base), found.scope, found.text)
    return out


def fingerprints(
    findings: Iterable[Finding], read: Callable[[str], Sequence[str] | None], base: str
) -> dict[Finding, str]:
    """A digest a finding, no two the same."""
    seen: Counter[Identity] = Counter()
    out = {}
    for finding, identity in identities(findings, read, base).items():
        seen[identity] += 1
        out[finding] = identity.digest(seen[identity])
    return out


def _plain(lines: Sequence[str]) -> list[_Statement]:
    """The lines of a file that is not Python, each by itself."""
    return [_Statement(number, "", _compact(line)) for number, line in enumerate(lines, 1) if line.strip()]


def _statements(text: str) -> list[_Statement]:
    """The logical lines of a text with the definitions around them, found by indentation as the tokenizer does."""
    found = layout(text)
    comments = dict(found.comments)
    begins = sorted(comments)
    out: list[_Statement] = []
    around: list[tuple[int, str]] = []
    start, line = 0, 1
    for end in (*(end for end, outermost in found.line_ends if outermost), len(text)):
        raw = text[start:end].lstrip("\n")
        begin = end - len(raw)
        line += text.count("\n", start, begin)
        code = _without_comments(text, begin, end, begins, comments)
        if code.strip():
            indent = len(code[: len(code) - len(code.lstrip())].expandtabs())
            while around and around[-1][0] >= indent:
                around.pop()
            definition = _DEFINITION.match(code.lstrip())
            if definition:
                around.append((indent, definition[1]))
            out.append(_Statement(line, ".".join(name for _, name in around), _compact(code)))
        line += raw.count("\n")
        start = end
    return out


def _compact(code: str) -> str:
    """The statement as no formatter changes it: without white space and trailing commas."""
    return _TRAILING.sub("", "".join(code.split()))


def _without_comments(text: str, start: int, end: int, begins: Sequence[int], comments: dict[int, int]) -> str:
    parts, position = [], start
    for begin in begins[bisect_right(begins, start - 1) : bisect_right(begins, end)]:
        parts.append(text[position:begin])
        position = comments[begin]
    return "".join([*parts, text[position:end]])
