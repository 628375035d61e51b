"""A JSON array: the keys of ruff, and ``name``, ``severity``, ``tier``, ``confidence``, ``lost`` and ``trace``."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shutdown_lint.report.view import View, whole

if TYPE_CHECKING:
    from shutdown_lint.facts import Span
    from shutdown_lint.findings import Edit, Finding, Step


def render(findings: Sequence[Finding], view: View) -> str:
    """The array, one finding a line, in ASCII."""
    rows = ",\n".join(f"  {json.dumps(row(finding, view.edits.get(finding, ())))}" for finding in findings)
    return f"[\n{rows}\n]\n" if rows else "[]\n"


def row(finding: Finding, edits: tuple[Edit, ...] = ()) -> dict[str, Any]:
    """One finding as JSON data. ``filename`` is absolute; rows and columns are 1-based, ends exclusive."""
    return {
        "code": finding.code,
        "name": finding.name,
        "message": whole(finding.message),
        "severity": finding.severity,
        "tier": finding.tier,
        "confidence": finding.confidence,
        "filename": _filename(finding.path),
        **_places(finding.span),
        "noqa_row": finding.span.line,
        "url": finding.url,
        "help": whole(finding.help),
        "lost": [_step(step) for step in finding.lost],
        "trace": [_step(step) for step in finding.trace],
        "fix": _fix(finding, edits),
    }


def _fix(finding: Finding, edits: tuple[Edit, ...]) -> dict[str, Any] | None:
    if finding.fix is None:
        return None
    return {
        "applicability": finding.fix.applicability,
        "message": whole(finding.fix.message),
        "edits": [{"content": whole(edit.content), **_places(edit.span)} for edit in edits],
    }


def _places(span: Span) -> dict[str, dict[str, int]]:
    return {
        "location": {"row": span.line, "column": span.col},
        "end_location": {"row": span.end_line, "column": span.end_col},
    }


def _step(step: Step) -> dict[str, Any]:
    return {"filename": _filename(step.path), "row": step.line, "column": step.column, "text": whole(step.text)}


def _filename(path: str) -> str:
    try:
        return whole(path if path == "-" else os.path.abspath(path))
    except OSError:  # the current folder is gone
        return whole(path)
