"""Workflow commands of GitHub Actions, which shows them as annotations in the diff of a pull request.

Escaping: actions/toolkit, ``packages/core/src/command.ts`` (``escapeData``, ``escapeProperty``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shutdown_lint.report.parts import details
from shutdown_lint.report.view import View, below, safe

if TYPE_CHECKING:
    from shutdown_lint.findings import Finding

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def render(findings: Sequence[Finding], view: View) -> str:
    """One command a line."""
    return "".join(f"{_command(finding, view)}\n" for finding in findings)


def _command(finding: Finding, view: View) -> str:
    span = finding.span
    properties = {
        "title": f"shutdown-lint {finding.code} ({finding.name})",
        "file": safe(below(finding.path, view.base)),
        "line": str(span.line),
        "endLine": str(span.end_line),
    }
    if span.end_line == span.line:  # columns of several lines are refused
        properties |= {"col": str(span.col), "endColumn": str(max(span.col, span.end_col - 1))}
    text = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    message = "\n".join([safe(finding.message), *details(finding, view)])
    return f"::{_COMMANDS[finding.severity]} {text}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
