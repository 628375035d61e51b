"""Findings that a comment hides, and comments that hide nothing or cannot be understood (SHD910–912).

=================================================  ==============================================================
``# noqa: SHD101, SHD2``                           the line; a code also stands for all that begin with it
``# noqa``                                         the line, every finding
``# flake8: noqa: SHD101`` on a line of its own    the file
``# flake8: noqa`` on a line of its own            the file, every finding
``# shutdown-lint: ignore[SHD101, name] reason``   the line; on a line of its own, the next statement
``# shutdown-lint: ignore-file[SHD101] reason``    the file
=================================================  ==============================================================

"The line" is what flake8 takes for it: the physical lines that a multi-line string or a backslash joins. A comment on
the first or on the last line of a statement counts for the whole statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from shutdown_lint.facts import Span
from shutdown_lint.findings import Finding, Fix
from shutdown_lint.rules import registry
from shutdown_lint.scanner import layout
from shutdown_lint.suppressions import MARKERS, LayoutReader, Malformed, Selector, Suppression, read_suppressions

# what these report is about suppressions themselves: a comment that names them is never called unused
_OWN = frozenset({"SHD910", "SHD911", "SHD912"})


class Result(NamedTuple):
    """``kept`` findings (SHD910–912 among them) and the number of findings that were hidden."""

    kept: tuple[Finding, ...]
    hidden: int


def may_hold_suppressions(data: bytes) -> bool:
    """Whether the file holds a word with which a suppression begins, in any case."""
    lowered = data.lower()
    return any(marker in lowered for marker in MARKERS)


def apply(
    findings: Sequence[Finding], text: str, path: str, ran: Iterable[str], comments: LayoutReader = layout
) -> Result:
    """Hide what the comments of the file hide.

    ``findings`` are all raw findings in the file, whatever their tier; ``ran`` are the codes of the rules that were run
    on it to their end: only of those it can be said that a suppression is unused. ``comments`` finds the comments of the
    file's language.
    """
    suppressions, malformed = read_suppressions(text, comments)
    used: set[tuple[int, int]] = set()
    blanket: dict[int, list[Finding]] = {}
    kept = [f for f in findings if not _hidden(f, suppressions, used, blanket)]
    extra = [
        *_unused(suppressions, used, frozenset(ran), path),
        *_blankets(suppressions, blanket, path),
        *_malformed(malformed, path),
    ]
    kept += [f for f in extra if not any(s.covers(f.span.line) and s.names(f.code) for s in suppressions)]
    return Result(tuple(kept), len(findings) + len(extra) - len(kept))


def _hidden(
    finding: Finding, suppressions: Sequence[Suppression], used: set[tuple[int, int]], blanket: dict[int, list[Finding]]
) -> bool:
    hidden = False
    for number, suppression in enumerate(suppressions):
        if not suppression.covers(finding.span.line):
            continue
        if suppression.blanket:
            blanket.setdefault(number, []).append(finding)
            hidden = True
        for index, selector in enumerate(suppression.selectors):
            if finding.code in selector.codes:
                used.add((number, index))
                hidden = True
    return hidden


def _unused(
    suppressions: Sequence[Suppression], used: set[tuple[int, int]], ran: frozenset[str], path: str
) -> Iterator[Finding]:
    for number, suppression in enumerate(suppressions):
        unused = [
            selector.text
            for index, selector in enumerate(suppression.selectors)
            if (number, index) not in used and selector.codes and selector.codes <= ran and not selector.codes & _OWN
        ]
        if unused:
            names = ", ".join(f"`{text}`" for text in unused)
            where = "in this file" if suppression.whole_file else "here"
            message = f"unused suppression: {names} {'finds' if len(unused) == 1 else 'find'} nothing {where}"
            advice = "remove it, so that it cannot hide the next finding"
            fix = Fix("safe", f"remove {names} from the comment", "shd910", (("codes", ",".join(unused)),))
            yield _finding("SHD910", path, suppression.span, message, advice, fix)


def _blankets(suppressions: Sequence[Suppression], blanket: dict[int, list[Finding]], path: str) -> Iterator[Finding]:
    for number, hidden in blanket.items():
        codes = sorted({finding.code for finding in hidden})
        suppression = suppressions[number]
        them = "it" if len(codes) == 1 else "them"
        message = f"the blanket `{suppression.form}` hides {', '.join(codes)} without naming {them}"
        yield _finding("SHD911", path, suppression.span, message, f"write `{suppression.form}: {','.join(codes)}`")


def _malformed(malformed: Iterable[Malformed], path: str) -> Iterator[Finding]:
    for item in malformed:
        yield _finding("SHD912", path, item.span, item.message, item.help)


def _finding(code: str, path: str, span: Span, message: str, help: str, fix: Fix | None = None) -> Finding:
    entry = registry.find(code)
    assert entry is not None
    return Finding(path, span, code, entry.name, message, entry.severity, entry.tier, help=help, fix=fix)


__all__ = ["Result", "Selector", "apply", "may_hold_suppressions"]
