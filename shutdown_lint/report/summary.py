"""The last line of the text formats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shutdown_lint.report.view import plural

if TYPE_CHECKING:
    from shutdown_lint.findings import Applicability, Finding


def summary(findings: Sequence[Finding], files: int, fixed: int | None = None) -> str:
    """``Found 3 findings (1 fixable with --fix, 1 more with --unsafe-fixes)``; after a run with fixes, ``1 fixed, 2 remaining (…)``."""
    if fixed is not None:
        return f"{fixed} fixed, {len(findings)} remaining{_fixable(findings)}"
    if not findings:
        return f"No findings in {plural(files, 'file')}"
    return f"Found {plural(len(findings), 'finding')}{_fixable(findings)}"


def _fixable(findings: Sequence[Finding]) -> str:
    safe, unsafe = _count(findings, "safe"), _count(findings, "unsafe")
    if not safe and not unsafe:
        return ""
    more = " more" if safe else ""
    parts = [f"{safe} fixable with --fix"] if safe else []
    parts += [f"{unsafe}{more} {'with' if safe else 'fixable with'} --unsafe-fixes"] if unsafe else []
    return f" ({', '.join(parts)})"


def _count(findings: Sequence[Finding], applicability: Applicability) -> int:
    return sum(finding.fix is not None and finding.fix.applicability == applicability for finding in findings)
