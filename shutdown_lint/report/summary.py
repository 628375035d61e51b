"""The last line of the text formats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shutdown_lint.report.view import plural

if TYPE_CHECKING:
    from shutdown_lint.findings import Applicability, Finding


def summary(findings: Sequence[Finding], files: int, fixed: int = 0) -> str:
    """``Found 3 findings (1 fixable with --fix, 1 more with --unsafe-fixes)``; with fixes made, what remains."""
    if fixed:
        remain = summary(findings, files) if findings else "none remains"
        return f"Fixed {plural(fixed, 'finding')}; {remain[:1].lower()}{remain[1:]}"
    if not findings:
        return f"No findings in {plural(files, 'file')}"
    found = f"Found {plural(len(findings), 'finding')}"
    safe, unsafe = _count(findings, "safe"), _count(findings, "unsafe")
    if not safe and not unsafe:
        return found
    more = " more" if safe else ""
    parts = [f"{safe} fixable with --fix"] if safe else []
    parts += [f"{unsafe}{more} {'with' if safe else 'fixable with'} --unsafe-fixes"] if unsafe else []
    return f"{found} ({', '.join(parts)})"


def _count(findings: Sequence[Finding], applicability: Applicability) -> int:
    return sum(finding.fix is not None and finding.fix.applicability == applicability for finding in findings)
