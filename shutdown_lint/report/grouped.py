"""The findings under the file that they are in, the places aligned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from shutdown_lint.report.view import View, safe, shown_path

if TYPE_CHECKING:
    from shutdown_lint.findings import Finding


def render(findings: Sequence[Finding], view: View) -> str:
    """A heading a file, a line a finding, an empty line after each file."""
    groups = groupby(findings, key=lambda finding: finding.path)
    return "".join(f"{line}\n" for path, found in groups for line in (*_group(path, list(found), view), ""))


def _group(path: str, findings: Sequence[Finding], view: View) -> Iterator[str]:
    yield view.paint("path", f"{shown_path(path)}:")
    places = [f"{finding.span.line}:{finding.span.col}" for finding in findings]
    width = max(map(len, places))
    for finding, place in zip(findings, places, strict=True):
        severity = view.paint(finding.severity, f"[{finding.severity}]")
        code = view.link(finding.url, view.paint("code", finding.code))
        where = view.link_file(path, finding.span.line, finding.span.col, view.paint("dim", place))
        yield f"  {' ' * (width - len(place))}{where}  {code} {severity} {safe(finding.message)}"
