"""How often each rule speaks, the most frequent first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.findings import DOCS_URL
from shutdown_lint.report.view import View

if TYPE_CHECKING:
    from shutdown_lint.findings import Finding


class Count(NamedTuple):
    """How many findings a rule has, and how many of them carry a fix."""

    code: str
    name: str
    number: int
    fixable: int


def counts(findings: Sequence[Finding]) -> list[Count]:
    """One ``Count`` a rule, by falling number, then by code."""
    rules: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        rules.setdefault((finding.code, finding.name), []).append(finding)
    found = (Count(*rule, len(its), sum(f.fix is not None for f in its)) for rule, its in rules.items())
    return sorted(found, key=lambda count: (-count.number, count.code))


def render(findings: Sequence[Finding], view: View) -> str:
    """``count  code  [*] name`` a line, with ``[*]`` where findings carry a fix."""
    rows = counts(findings)
    width = max((len(str(row.number)) for row in rows), default=0)
    return "".join(
        f"{row.number:>{width}}  {view.link(DOCS_URL.format(code=row.code), view.paint('code', row.code))}  {'[*]' if row.fixable else '   '} {row.name}\n"
        for row in rows
    )
