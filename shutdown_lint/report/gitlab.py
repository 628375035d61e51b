"""GitLab's Code Quality report: the part of Code Climate's format that GitLab reads.

Source: docs.gitlab.com, "Code Quality", section "Code Quality report format".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shutdown_lint.report.fingerprints import fingerprints
from shutdown_lint.report.parts import details
from shutdown_lint.report.view import View, below, safe

if TYPE_CHECKING:
    from shutdown_lint.findings import Finding

_SEVERITIES = {"error": "critical", "warning": "major", "info": "info"}


def render(findings: Sequence[Finding], view: View) -> str:
    """The array, one finding a line."""
    prints = fingerprints(findings, view.read, view.base)
    rows = ",\n".join(f"  {json.dumps(_row(finding, prints[finding], view))}" for finding in findings)
    return f"[\n{rows}\n]\n" if rows else "[]\n"


def _row(finding: Finding, fingerprint: str, view: View) -> dict[str, Any]:
    span = finding.span
    return {
        "type": "issue",
        "description": f"{finding.code}: {safe(finding.message)}",
        "check_name": finding.name,
        "categories": ["Bug Risk"],
        "severity": _SEVERITIES[finding.severity],
        "fingerprint": fingerprint,
        "content": {"body": "\n\n".join(details(finding, view))},
        "location": {
            "path": safe(below(finding.path, view.base)),
            "lines": {"begin": span.line, "end": span.end_line},
        },
    }
