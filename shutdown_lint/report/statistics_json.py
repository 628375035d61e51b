"""The statistics as a JSON array of ``code``, ``name``, ``count``, ``fixable``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from shutdown_lint.report.statistics import counts
from shutdown_lint.report.view import View

if TYPE_CHECKING:
    from shutdown_lint.findings import Finding


def render(findings: Sequence[Finding], view: View) -> str:
    """One line of JSON a rule."""
    rows = ",\n".join(
        "  " + json.dumps({"code": row.code, "name": row.name, "count": row.number, "fixable": row.fixable})
        for row in counts(findings)
    )
    return f"[\n{rows}\n]\n" if rows else "[]\n"
