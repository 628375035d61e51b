"""What the linter says: findings, the steps that prove them, and the fixes that they carry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

from shutdown_lint.facts import Span

Severity: TypeAlias = Literal["error", "warning", "info"]
Tier: TypeAlias = Literal["D", "S", "P"]
Confidence: TypeAlias = Literal["proven", "likely"]
Applicability: TypeAlias = Literal["safe", "unsafe"]

DOCS_URL = "https://shutdown-lint.readthedocs.io/en/stable/rules/{code}/"


class Step(NamedTuple):
    """One place that belongs to a finding: something that is lost, or a step of the path to it."""

    path: str
    line: int
    column: int
    text: str


class Edit(NamedTuple):
    """Replace the text of ``span`` by ``content``."""

    span: Span
    content: str


class Fix(NamedTuple):
    """A way to mend a finding: which fixer does it, with what arguments.

    ``kind`` names a module of ``shutdown_lint.fixes``; ``args`` are what the analysis knows and the fixer needs. The
    edits are computed later, on the file as it then is.
    """

    applicability: Applicability
    message: str
    kind: str
    args: tuple[tuple[str, str], ...] = ()


class Finding(NamedTuple):
    """One hazard at one place. ``message`` is one sentence, lower case start, no final dot.

    ``unfixed`` is why there is no fix although the rule has one, in the same form.
    """

    path: str
    span: Span
    code: str
    name: str
    message: str
    severity: Severity
    tier: Tier
    confidence: Confidence = "proven"
    lost: tuple[Step, ...] = ()
    trace: tuple[Step, ...] = ()
    help: str = ""
    fix: Fix | None = None
    unfixed: str = ""

    @property
    def url(self) -> str:
        """The address of the rule's page."""
        return DOCS_URL.format(code=self.code)

    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Order of the output: by path, place, code."""
        return (self.path, self.span.line, self.span.col, self.code, self.message)


def by_path(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """The findings of each file, by its path, in their order."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.path, []).append(finding)
    return found
