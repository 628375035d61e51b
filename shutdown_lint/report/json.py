"""A JSON array: the keys of ruff, and ``name``, ``severity``, ``tier``, ``confidence``, ``lost`` and ``trace``."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shutdown_lint.report.view import View, escaped

if TYPE_CHECKING:
    from shutdown_lint.facts import Span
    from shutdown_lint.findings import Edit, Finding, Step

_SURROGATE = re.compile("[\ud800-\udfff]")


def render(findings: Sequence[Finding], view: View) -> str:
    """The array, one finding a line, in ASCII."""
    rows = ",\n".join(f"  {json.dumps(row(finding, view.edits.get(finding, ())))}" for finding in findings)
    return f"[\n{rows}\n]\n" if rows else "[]\n"


def row(finding: Finding, edits: tuple[Edit, ...] = ()) -> dict[str, Any]:
    """One finding as JSON data. ``filename`` is absolute; rows and columns are 1-based, ends exclusive."""
    return {
        "code": finding.code,
        "name": finding.name,
        "message": _text(finding.message),
        "severity": finding.severity,
        "tier": finding.tier,
        "confidence": finding.confidence,
        "filename": _filename(finding.path),
        **_places(finding.span),
        "noqa_row": finding.span.line,
        "url": finding.url,
        "help": _text(finding.help),
        "lost": [_step(step) for step in finding.lost],
        "trace": [_step(step) for step in finding.trace],
        "fix": _fix(finding, edits),
    }


def _fix(finding: Finding, edits: tuple[Edit, ...]) -> dict[str, Any] | None:
    if finding.fix is None:
        return None
    return {
        "applicability": finding.fix.applicability,
        "message": _text(finding.fix.message),
        "edits": [{"content": _text(edit.content), **_places(edit.span)} for edit in edits],
    }


def _places(span: Span) -> dict[str, dict[str, int]]:
    return {
        "location": {"row": span.line, "column": span.col},
        "end_location": {"row": span.end_line, "column": span.end_col},
    }


def _step(step: Step) -> dict[str, Any]:
    return {"filename": _filename(step.path), "row": step.line, "column": step.column, "text": _text(step.text)}


def _filename(path: str) -> str:
    try:
        return _text(path if path == "-" else os.path.abspath(path))
    except OSError:  # the current folder is gone
        return _text(path)


def _text(text: str) -> str:
    """The text without lone surrogates, which many JSON readers refuse; a byte of a file name becomes ``\\xff``."""
    return _SURROGATE.sub(lambda found: escaped(found[0]), text)
