"""Applies the fixes of a report: round by round in memory, then file by file onto the disk."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.findings import Finding
from shutdown_lint.fixes.checking import broken, loses_comments, still_found
from shutdown_lint.fixes.diffs import unified
from shutdown_lint.fixes.edits import Planned, changed, compatible
from shutdown_lint.fixes.files import encode, target, write
from shutdown_lint.fixes.planning import plans
from shutdown_lint.fixes.refusal import Refused, refuse_if
from shutdown_lint.settings import Settings

if TYPE_CHECKING:
    from shutdown_lint.engine import Report

MAX_ROUNDS = 10
STDIN = "-"


class Fixed(NamedTuple):
    """How many findings of a rule were mended in a file."""

    path: str
    code: str
    name: str
    number: int


class Problem(NamedTuple):
    """Why a file, or a finding of it, was left as it is although it has a fix."""

    path: str
    message: str


class FixResult(NamedTuple):
    """The outcome of a run with fixes.

    ``report`` is what remains to be reported (with ``diff``: what was reported before). ``fixed`` tells what was mended
    (or would be); ``problems`` tells the files that could not be changed, ``refused`` the findings whose fixer found the
    place unfit. ``diff`` is a unified diff of all changes, empty unless asked for; ``output`` is stdin's fixed text.
    """

    report: Report
    fixed: tuple[Fixed, ...] = ()
    problems: tuple[Problem, ...] = ()
    refused: tuple[Problem, ...] = ()
    diff: str = ""
    output: bytes | None = None

    def exit_code(self, *, diff: bool = False) -> int:
        """0: clean, 1: findings remain (with ``diff``: there are changes), 2: a file could not be analysed or fixed."""
        if self.problems or self.report.exit_code() == 2:
            return 2
        return int(bool(self.diff)) if diff else self.report.exit_code()


class _Change(NamedTuple):
    """A file with its fixes made in memory: the path as findings show it, bytes and text before and after."""

    path: str
    before: bytes
    after: bytes
    texts: tuple[str, str]
    mended: tuple[Finding, ...]
    report: Report


def apply(
    report: Report,
    paths: Sequence[str],
    settings: Settings,
    *,
    unsafe: bool = False,
    diff: bool = False,
    stdin: bytes | None = None,
) -> FixResult:
    """Make the fixes of a report's findings (unsafe ones only when asked for) and check the result again.

    ``report`` is the engine's on the same ``paths``, ``settings`` and ``stdin``. With ``diff`` nothing is written. With
    ``stdin`` its fixed text comes back as ``output``, whatever is in the file that it is named for.
    """
    changes: list[_Change] = []
    problems: list[Problem] = []
    refused: list[Problem] = []
    for path, others, findings in _by_file(report.findings, unsafe):
        try:
            change, left = _changed(path, findings, settings, unsafe, stdin)
            if change and not diff and stdin is None:
                _write(change, others, settings)
        except Refused as error:
            problems.append(Problem(path, str(error)))
        except OSError as error:
            problems.append(Problem(path, f"cannot be written: {error.strerror or error}"))
        else:
            changes += [change] if change else []
            refused += left
    return FixResult(
        report=_remaining(report, changes, paths, settings, diff, stdin),
        fixed=tuple(_counts(changes)),
        problems=tuple(problems),
        refused=tuple(refused),
        diff="".join(unified(change.path, *change.texts) for change in changes) if diff else "",
        output=None if stdin is None else changes[0].after if changes and not diff else stdin,
    )


def _remaining(
    report: Report,
    changes: Sequence[_Change],
    paths: Sequence[str],
    settings: Settings,
    diff: bool,
    stdin: bytes | None,
) -> Report:
    """What is left to report: a change in one file may make or end findings in others."""
    if not changes or diff:
        return report
    if stdin is not None:
        return changes[0].report
    from shutdown_lint.engine import check

    return check(paths, settings)


# --- which files -----------------------------------------------------------------------------------------------------


def _by_file(findings: Iterable[Finding], unsafe: bool) -> Iterator[tuple[str, tuple[str, ...], list[Finding]]]:
    """Files with something to fix: the path, further names of the same file (hard links), all its findings."""
    by_path: dict[str, list[Finding]] = {}
    for finding in findings:
        by_path.setdefault(finding.path, []).append(finding)
    names: dict[tuple[int, int], list[str]] = {}
    for path in (path for path, found in by_path.items() if _fixable(found, unsafe)):
        names.setdefault(_identity(path), []).append(path)
    for first, *others in names.values():
        yield first, tuple(others), by_path[first]


def _fixable(findings: Iterable[Finding], unsafe: bool) -> list[Finding]:
    return [f for f in findings if f.fix is not None and (unsafe or f.fix.applicability == "safe")]


def _identity(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return (-1, hash(path))
    return (status.st_dev, status.st_ino)


# --- one file --------------------------------------------------------------------------------------------------------


def _changed(
    path: str, findings: Sequence[Finding], settings: Settings, unsafe: bool, stdin: bytes | None
) -> tuple[_Change | None, list[Problem]]:
    """The file with its fixes made (None where every fixer refuses), and the refusals.

    Raises ``Refused`` when the result is not good.
    """
    before, original = _read(path, stdin)
    text, report = original, None
    made: list[list[Planned]] = []
    planned = plans(_fixable(findings, unsafe), text)
    while chosen := compatible(planned):
        _require_end(made, chosen)
        result = changed(text, (edit for plan in chosen for edit in plan.edits))
        data = encode(result, before)
        refuse_if(broken(before, data) or loses_comments(text, result, chosen))
        report = _again(path, data, settings)
        refuse_if(still_found(findings, report.findings, chosen))
        text, findings = result, report.findings
        made.append(chosen)
        planned = plans(_fixable(findings, unsafe), text)
    refused = [_refusal(path, plan) for plan in planned]
    if report is None:
        return None, refused
    mended = tuple(plan.finding for chosen in made for plan in chosen)
    return _Change(path, before, data, (original, text), mended, report), refused


def _refusal(path: str, plan: Planned) -> Problem:
    return Problem(path, f"{plan.finding.code} in line {plan.finding.span.line}: {plan.refusal}")


def _require_end(made: Sequence[object], chosen: Sequence[Planned]) -> None:
    codes = ", ".join(sorted({plan.finding.code for plan in chosen}))
    refuse_if(f"still finds something to fix after {MAX_ROUNDS} rounds: {codes}" if len(made) == MAX_ROUNDS else "")


def _read(path: str, stdin: bytes | None) -> tuple[bytes, str]:
    from shutdown_lint.source import TroubleError, decode, read_bytes

    try:
        data = read_bytes(path) if stdin is None else stdin
        text = decode(data)
    except TroubleError as error:
        raise Refused(str(error)) from error
    refuse_if("" if encode(text, data) == data else "the file cannot be written back unchanged")
    return data, text


def _again(path: str, data: bytes, settings: Settings) -> Report:
    """Check a file as if it held these bytes, in its project."""
    from shutdown_lint.engine import check

    name = "" if path == STDIN else path
    return check([path], settings._replace(stdin_filename=name), stdin=data)


def _write(change: _Change, others: Sequence[str], settings: Settings) -> None:
    path = target(change.path, settings.root)
    further = {target(other, settings.root): None for other in others}
    write(path, change.before, change.after, [other for other in further if other != path])


# --- telling what was done -------------------------------------------------------------------------------------------


def _counts(changes: Iterable[_Change]) -> Iterator[Fixed]:
    for change in changes:
        numbers = Counter((finding.code, finding.name) for finding in change.mended)
        for (code, name), number in sorted(numbers.items()):
            yield Fixed(change.path, code, name, number)
