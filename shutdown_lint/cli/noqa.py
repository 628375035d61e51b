"""``--add-noqa``: comments into the files, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shutdown_lint.cli.output import complain, to_stdout
from shutdown_lint.report.view import plural, shown_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shutdown_lint.engine import Report
    from shutdown_lint.findings import Finding
    from shutdown_lint.settings import Settings


def add_comments(report: Report, settings: Settings, reason: str) -> int:
    """Hide every finding of the report that a comment can hide; 2 where a file cannot be written, 1 where some stay."""
    from shutdown_lint.adoption.noqa import can_be_hidden
    from shutdown_lint.findings import by_path
    from shutdown_lint.fixes.refusal import Refused

    wanted = by_path(filter(can_be_hidden, report.findings))
    hidden, failed = 0, False
    for path, findings in wanted.items():
        try:
            hidden += _in_file(path, findings, settings, reason)
        except (Refused, OSError) as error:
            complain(f"{shown_path(path)}: not changed: {error}")
            failed = True
    left = len(report.findings) - hidden
    rest = f"; no comment can hide the other {left}" if left else ""
    to_stdout(f"Added comments for {plural(hidden, 'finding')} in {plural(len(wanted), 'file')}{rest}\n")
    return 2 if failed or report.exit_code() == 2 else int(left > 0)


def _in_file(path: str, findings: Sequence[Finding], settings: Settings, reason: str) -> int:
    from shutdown_lint.adoption.noqa import add
    from shutdown_lint.fixes.files import encode, target, write
    from shutdown_lint.fixes.refusal import Refused
    from shutdown_lint.source import TroubleError, decode, read_bytes

    try:
        before = read_bytes(path)
        text = decode(before, path)
    except TroubleError as error:
        raise Refused(error.trouble.message) from error
    result = add(text, findings, reason)
    if result.text != text:
        write(target(path, settings.root), before, encode(result.text, before, path))
    return result.number
