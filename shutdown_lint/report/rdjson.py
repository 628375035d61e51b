"""Reviewdog Diagnostic Format: one JSON object. Schema: reviewdog, ``proto/rdf/jsonschema/DiagnosticResult.json``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shutdown_lint.report.parts import details
from shutdown_lint.report.view import View, below, safe, whole

if TYPE_CHECKING:
    from shutdown_lint.facts import Span
    from shutdown_lint.findings import Finding, Step

_PAGE = "https://shutdown-lint.readthedocs.io/"


def render(findings: Sequence[Finding], view: View) -> str:
    """The object, one diagnostic a line."""
    rows = ",\n".join(f"    {json.dumps(_diagnostic(finding, view))}" for finding in findings)
    source = json.dumps({"name": "shutdown-lint", "url": _PAGE})
    return f'{{\n  "source": {source},\n  "diagnostics": [{f"{chr(10)}{rows}{chr(10)}  " if rows else ""}]\n}}\n'


def _diagnostic(finding: Finding, view: View) -> dict[str, Any]:
    edits = view.edits.get(finding, ())
    return {
        "message": "\n".join([safe(finding.message), *details(finding, view)]),
        "location": {"path": whole(below(finding.path, view.base)), "range": _range(finding.span, finding.path, view)},
        "severity": finding.severity.upper(),
        "code": {"value": finding.code, "url": finding.url},
        "suggestions": [
            {"range": _range(edit.span, finding.path, view), "text": whole(edit.content)} for edit in edits
        ],
        "related_locations": [
            *(_related(step, "lost: ", view) for step in finding.lost),
            *(_related(step, "path: ", view) for step in finding.trace),
        ],
    }


def _related(step: Step, label: str, view: View) -> dict[str, Any]:
    start = {"line": step.line, "column": _byte(step.line, step.column, step.path, view)}
    location = {"path": whole(below(step.path, view.base)), "range": {"start": start}}
    return {"message": label + safe(step.text), "location": location}


def _range(span: Span, path: str, view: View) -> dict[str, dict[str, int]]:
    return {
        "start": {"line": span.line, "column": _byte(span.line, span.col, path, view)},
        "end": {"line": span.end_line, "column": _byte(span.end_line, span.end_col, path, view)},
    }


def _byte(line: int, col: int, path: str, view: View) -> int:
    """The column as reviewdog counts it: in bytes of UTF-8, from 1."""
    lines = view.read(path) or ()
    before = lines[line - 1][: col - 1] if 0 < line <= len(lines) else ""
    return len(before.encode("utf-8", "surrogatepass")) + 1 if before else col
