"""From the report of a run to what is shown of it: severities as configured, without what is known or not new."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, cast

from shutdown_lint.options import SEVERITIES
from shutdown_lint.report.view import plural
from shutdown_lint.rules import registry

if TYPE_CHECKING:
    from shutdown_lint.engine import Report
    from shutdown_lint.findings import Finding, Severity
    from shutdown_lint.settings import Settings

    Reader = Callable[[str], Sequence[str] | None]


def narrow(
    report: Report, settings: Settings, read: Reader, *, since: str = "", checked: Callable[[], Iterable[str]] = tuple
) -> Report:
    """The report with severities as configured, less what the baseline knows and what lies on unchanged lines.

    ``read`` gives the lines of a file, ``since`` is a revision (empty: all lines count), ``checked`` the files of the
    run. Input that could not be analysed stays. Raises ``AdoptionError``.
    """
    if settings.severity:
        report = report._replace(findings=tuple(_with_severities(report.findings, settings)))
    if settings.baseline:
        report = _without_known(report, settings.baseline, read, checked)
    if since:
        report = _touched(report, settings.root, since)
    return report


def fails(report: Report, settings: Settings) -> bool:
    """Whether a finding is severe enough for exit code 1."""
    counting = SEVERITIES[: SEVERITIES.index(settings.fail_on) + 1]
    return any(finding.severity in counting for finding in report.findings)


def _with_severities(findings: Iterable[Finding], settings: Settings) -> Iterable[Finding]:
    """The more precise selector wins, as elsewhere."""
    severities: dict[str, Severity] = {}
    for selector, word in sorted(settings.severity, key=lambda pair: registry.specificity(pair[0])):
        severity: Severity = cast("Severity", word)  # checked with the configuration
        severities.update({entry.code: severity for entry in registry.matching(selector)})
    for finding in findings:
        yield finding._replace(severity=severities.get(finding.code, finding.severity))


def _without_known(report: Report, path: str, read: Reader, checked: Callable[[], Iterable[str]]) -> Report:
    from shutdown_lint.adoption.baseline import load

    known = load(path)
    kept, stale = known.compare(report.findings, read, checked)
    hidden = len(report.findings) - len(kept)
    notes = list(report.warnings)
    if hidden:
        notes.append(f"{plural(hidden, 'finding')} hidden by the baseline")
    if stale:
        what = "1 entry of the baseline finds" if stale == 1 else f"{stale} entries of the baseline find"
        notes.append(f"{what} nothing any more: `shutdown-lint baseline update --prune` removes what is gone")
    return report._replace(findings=kept, suppressed=report.suppressed + hidden, warnings=tuple(notes))


def _touched(report: Report, root: str, since: str) -> Report:
    """What lies on changed lines, itself or with a step of its path or its loss."""
    from shutdown_lint.adoption.changes import Changes

    changes = Changes(root, since)
    kept = tuple(f for f in report.findings if f.code in registry.TROUBLES or changes.touch(f))
    hidden = len(report.findings) - len(kept)
    return report._replace(findings=kept, suppressed=report.suppressed + hidden)
