"""JSON Lines (jsonlines.org): the objects of the JSON format, one a line, for ``jq`` and for streams."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from shutdown_lint.report.json import row
from shutdown_lint.report.view import View

if TYPE_CHECKING:
    from shutdown_lint.findings import Finding


def render(findings: Sequence[Finding], view: View) -> str:
    """One object a line, in ASCII."""
    return "".join(f"{json.dumps(row(finding, view.edits.get(finding, ())))}\n" for finding in findings)
