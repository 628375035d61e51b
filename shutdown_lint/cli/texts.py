"""The texts behind the findings: lines to echo, edits for the JSON output."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shutdown_lint.findings import Edit, Finding

HELD = 16  # files at a time; findings come sorted by file


def text_reader(stdin: bytes | None) -> Callable[[str], str | None]:
    """A function that gives the text of a file that has findings; what stands on stdin is not what is on disk."""
    from shutdown_lint.source import TroubleError, decode, read_text

    @lru_cache(maxsize=HELD)
    def read(path: str) -> str | None:
        try:
            return read_text(path) if stdin is None else decode(stdin)
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


def edits_of(findings: Iterable[Finding], read: Callable[[str], str | None]) -> dict[Finding, tuple[Edit, ...]]:
    """The edits of the findings that carry a fix; LibCST is loaded only where there are any."""
    by_path: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.fix is not None:
            by_path.setdefault(finding.path, []).append(finding)
    if not by_path:
        return {}
    from shutdown_lint.fixes import plan

    texts = ((read(path), found) for path, found in by_path.items())
    return {finding: edits for text, found in texts if text is not None for finding, edits in plan(found, text).items()}


def possible(findings: Sequence[Finding], read: Callable[[str], str | None]) -> tuple[Finding, ...]:
    """The findings, each with a fix only where its fixer can make it on this text; the others tell why not."""
    if not any(finding.fix for finding in findings):
        return tuple(findings)
    from shutdown_lint.fixes.planning import settle

    return settle(findings, read)
