"""Logging commands of Azure Pipelines: ``##vso[task.logissue]``.

Escaping: microsoft/azure-pipelines-task-lib, ``node/taskcommand.ts``, with the ``%AZP25`` of agents from 2.167 on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shutdown_lint.report.parts import details
from shutdown_lint.report.view import View, below, safe

if TYPE_CHECKING:
    from shutdown_lint.findings import Finding


def render(findings: Sequence[Finding], view: View) -> str:
    """One command a line."""
    return "".join(f"{_command(finding, view)}\n" for finding in findings)


def _command(finding: Finding, view: View) -> str:
    properties = {
        "type": "error" if finding.severity == "error" else "warning",  # there is no third
        "sourcepath": safe(below(finding.path, view.base)),
        "linenumber": str(finding.span.line),
        "columnnumber": str(finding.span.col),
        "code": finding.code,
    }
    text = "".join(f"{name}={_property(value)};" for name, value in properties.items())
    message = "\n".join([safe(finding.message), *details(finding, view)])
    return f"##vso[task.logissue {text}]{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace("]", "%5D").replace(";", "%3B")
