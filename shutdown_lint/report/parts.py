"""What several formats say in the same words: loss, path and help as lines of safe text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shutdown_lint.report.view import View, below, safe

if TYPE_CHECKING:
    from shutdown_lint.findings import Finding, Step


def details(finding: Finding, view: View) -> Iterator[str]:
    """The lines after the message: ``lost: …``, ``path: … → …``, ``help: …`` (several for a traceback)."""
    if finding.lost:
        yield f"lost: {', '.join(told(step, view) for step in finding.lost)}"
    if finding.trace:
        yield f"path: {' → '.join(told(step, view) for step in finding.trace)}"
    if finding.help:
        first, *rest = finding.help.split("\n")
        yield f"help: {safe(first)}"
        yield from map(safe, rest)


def told(step: Step, view: View) -> str:
    """``text (path:line)``."""
    return f"{safe(step.text)} ({safe(below(step.path, view.base))}:{step.line})"
