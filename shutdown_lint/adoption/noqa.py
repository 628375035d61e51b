"""Comments that hide the findings that there are: added to what stands at the end of the line, or to its own comment.

Without a reason the comment is ``# noqa: SHD101``, which flake8 and ruff's ``external`` know too. With one it is
``# shutdown-lint: ignore[SHD101] reason``: behind ``noqa`` a word of the reason could be taken for a code.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.rules.registry import TROUBLES
from shutdown_lint.scanner import layout
from shutdown_lint.source.decoding import LINE_END
from shutdown_lint.suppressions import Suppression, read_suppressions

if TYPE_CHECKING:
    from shutdown_lint.findings import Finding

# about suppressions themselves: another comment would be no cure
_OWN = frozenset({"SHD910", "SHD911", "SHD912"})


class Hidden(NamedTuple):
    """A text with comments added, and how many of its findings they hide."""

    text: str
    number: int


def can_be_hidden(finding: Finding) -> bool:
    """Whether a comment can hide the finding: it stands in Python that can be read."""
    return finding.code not in TROUBLES | _OWN and finding.path.endswith((".py", ".pyi", ".pyw"))


def add(text: str, findings: Iterable[Finding], reason: str = "") -> Hidden:
    """Comments for the findings in the text; what no comment can hide where it stands is left."""
    wanted: dict[int, set[str]] = {}
    for finding in findings:
        wanted.setdefault(finding.span.line, set()).add(finding.code)
    new = _with_comments(text, wanted, " ".join(reason.split()))
    suppressions, _ = read_suppressions(new)  # no line moves, so that the findings are where they were
    hidden = [
        (line, code)
        for line, codes in wanted.items()
        for code in codes
        if any(found.covers(line) and found.names(code) for found in suppressions)
    ]
    return Hidden(new, len(hidden))


def _with_comments(text: str, wanted: dict[int, set[str]], reason: str) -> str:
    found, starts = layout(text), [0, *(match.end() for match in LINE_END.finditer(text))]
    ends = [*(end for end, _ in found.line_ends), len(text)]
    begins = {end: begin for begin, end in found.comments}
    present, _ = read_suppressions(text)
    edits: dict[int, set[str]] = {}
    for line, codes in wanted.items():
        # not within a string, not behind a backslash: at the end of what they join
        end = ends[bisect_left(ends, starts[line - 1])]
        edits.setdefault(end, set()).update(codes)
    for end, codes in sorted(edits.items(), reverse=True):
        begin = begins.get(end, end)
        own = _own(present, starts, begin, end, bool(reason))
        at, addition = _addition(text, begin, end, own, sorted(codes), reason)
        text = text[:at] + addition + text[at:]
    return text


def _own(
    present: Sequence[Suppression], starts: Sequence[int], begin: int, end: int, ours: bool
) -> tuple[int, Suppression] | None:
    """A suppression in the comment at ``begin`` that can take further codes, and the offset of its end."""
    for found in present:
        at = starts[found.span.end_line - 1] + found.span.end_col - 1
        form = found.form.startswith("# shutdown-lint") == ours
        if begin <= at <= end and begin < end and form and not found.blanket and not found.whole_file:
            return at, found
    return None


def _addition(
    text: str, begin: int, end: int, own: tuple[int, Suppression] | None, codes: list[str], reason: str
) -> tuple[int, str]:
    """Where to insert, and what."""
    if own:
        at, found = own
        missing = [code for code in codes if not found.names(code)]
        addition = "".join(f", {code}" for code in missing)
        return (at - 1 if text[at - 1] == "]" else at), addition
    names = ",".join(codes)
    comment = f"# shutdown-lint: ignore[{names}] {reason}" if reason else f"# noqa: {names}"
    if begin == end:
        at = begin - len(text[:begin]) + len(text[:begin].rstrip(" \t"))
        return at, f"  {comment}"
    return end, f"  {comment}"
