"""One line a finding: ``path:line:col CODE [severity] message``, with ``[safe fix]`` or ``[unsafe fix]`` behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shutdown_lint.report.view import View, safe, shown_path

if TYPE_CHECKING:
    from shutdown_lint.findings import Finding


def render(findings: Sequence[Finding], view: View) -> str:
    """The findings, one a line."""
    return "".join(f"{headline(finding, view)}{_mark(finding, view)}\n" for finding in findings)


def _mark(finding: Finding, view: View) -> str:
    return f" {view.paint('dim', f'[{finding.fix.applicability} fix]')}" if finding.fix else ""


def place(finding: Finding) -> str:
    """``path:line:col``."""
    return f"{shown_path(finding.path)}:{finding.span.line}:{finding.span.col}"


def headline(finding: Finding, view: View) -> str:
    """The line that every text format begins with."""
    severity = view.paint(finding.severity, f"[{finding.severity}]")
    where = view.link_file(finding.path, finding.span.line, finding.span.col, view.paint("path", place(finding)))
    code = view.link(finding.url, view.paint("code", finding.code))
    return f"{where} {code} {severity} {safe(finding.message)}"
