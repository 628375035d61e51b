"""Applies the fixes of a report: round by round in memory, then file by file onto the disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.findings import Finding
from shutdown_lint.fixes.diffs import unified
from shutdown_lint.fixes.drafts import Draft, by_file
from shutdown_lint.fixes.files import target, write
from shutdown_lint.fixes.planning import settle
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.settings import Settings

if TYPE_CHECKING:
    from shutdown_lint.engine import Report


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

    ``report`` is what remains to be reported (with ``diff``: what was reported before); a finding in it carries a fix
    only where its fixer can still mend it. ``fixed`` tells what was mended (or would be); ``problems`` tells the files
    that could not be changed, ``refused`` the findings whose fixer found the place unfit. ``diff`` is a unified diff of
    all changes, empty unless asked for; ``output`` is stdin's fixed text.
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


class _Run(NamedTuple):
    """What a run is asked to do."""

    paths: Sequence[str]
    settings: Settings
    unsafe: bool
    diff: bool
    stdin: bytes | None


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
    run = _Run(paths, settings, unsafe, diff, stdin)
    problems: list[Problem] = []
    drafts = list(_drafts(report, run, problems))
    remaining = _rounds(report, drafts, run, problems)
    written = _write_all(drafts, run, problems)
    if any(draft.changed and draft not in written for draft in drafts):
        remaining = _check(run, written)
    changed = [draft for draft in written if draft.changed]
    result = report if diff else remaining
    return FixResult(
        report=result._replace(findings=_settled(result.findings, drafts if diff else written, run)),
        fixed=tuple(_counts(changed)),
        problems=tuple(problems),
        refused=tuple(_refusals(drafts)),
        diff="".join(unified(draft.path, draft.original, draft.text) for draft in changed) if diff else "",
        output=None if stdin is None else changed[0].data if changed and not diff else stdin,
    )


def _drafts(report: Report, run: _Run, problems: list[Problem]) -> Iterator[Draft]:
    for path, others, findings in by_file(report.findings, run.unsafe):
        try:
            yield Draft.read(path, others, findings, run.stdin)
        except Refused as error:
            problems.append(Problem(path, str(error)))


# --- rounds ----------------------------------------------------------------------------------------------------------


def _rounds(report: Report, drafts: Sequence[Draft], run: _Run, problems: list[Problem]) -> Report:
    """Change the drafts until no fix is left to make; the report on what they then say.

    A change in one file may make or end findings in others, so that every round looks at all files.
    """
    while changing := [draft for draft in drafts if _has_next(draft, run.unsafe, problems)]:
        found = _check(run, drafts)
        failed = [draft for draft in changing if not _is_good(draft, found, problems)]
        if failed:
            found = _check(run, drafts)
        for draft in drafts:
            draft.findings = [finding for finding in found.findings if finding.path == draft.path]
        report = found
    return report


def _has_next(draft: Draft, unsafe: bool, problems: list[Problem]) -> bool:
    """Make the next changes of the draft, if there are any."""
    try:
        while chosen := draft.choose(unsafe):
            try:
                draft.make(chosen)
            except Refused as error:
                if draft.blame(chosen):
                    problems.append(Problem(draft.path, str(error)))
            else:
                return True
    except Refused as error:
        draft.give_up()
        problems.append(Problem(draft.path, str(error)))
    return False


def _is_good(draft: Draft, found: Report, problems: list[Problem]) -> bool:
    """Whether the last changes have mended what they were to mend; those that did not are taken back and not tried again."""
    wrong = draft.wrong(finding for finding in found.findings if finding.path == draft.path)
    if not wrong:
        return True
    if draft.take_back(wrong.code):
        problems.append(Problem(draft.path, wrong.message))
    return False


def _check(run: _Run, drafts: Iterable[Draft]) -> Report:
    """Check as if the files held what the drafts say."""
    from shutdown_lint.engine import check

    if run.stdin is not None:
        data = next((draft.data for draft in drafts), run.stdin)
        return check(run.paths, run.settings, stdin=data)
    held = {name: draft.data for draft in drafts for name in (draft.path, *draft.others)}
    return check(run.paths, run.settings, held=held)


# --- the end ---------------------------------------------------------------------------------------------------------


def _write_all(drafts: Iterable[Draft], run: _Run, problems: list[Problem]) -> list[Draft]:
    """Write what has changed; the drafts that are now what the files say."""
    written = []
    for draft in drafts:
        try:
            if draft.changed and not run.diff and run.stdin is None:
                _write(draft, run.settings)
        except Refused as error:
            problems.append(Problem(draft.path, str(error)))
        except OSError as error:
            problems.append(Problem(draft.path, f"cannot be written: {error.strerror or error}"))
        else:
            written.append(draft)
    return written


def _write(draft: Draft, settings: Settings) -> None:
    path = target(draft.path, settings.root)
    further = {target(other, settings.root): None for other in draft.others}
    write(path, draft.before, draft.data, [other for other in further if other != path])


def _settled(findings: Iterable[Finding], drafts: Iterable[Draft], run: _Run) -> tuple[Finding, ...]:
    """The findings, with a fix only where it can be made."""
    texts = {draft.path: draft.original if run.diff else draft.text for draft in drafts}

    def read(path: str) -> str | None:
        from shutdown_lint.source import TroubleError, decode, read_text

        try:
            return texts[path] if path in texts else read_text(path) if run.stdin is None else decode(run.stdin, path)
        except TroubleError:
            return None

    return settle(findings, read)


def _refusals(drafts: Iterable[Draft]) -> Iterator[Problem]:
    for draft in drafts:
        for plan in draft.refused:
            yield Problem(draft.path, f"{plan.finding.code} in line {plan.finding.span.line}: {plan.refusal}")


def _counts(drafts: Iterable[Draft]) -> Iterator[Fixed]:
    for draft in drafts:
        numbers = Counter((finding.code, finding.name) for finding in draft.mended)
        for (code, name), number in sorted(numbers.items()):
            yield Fixed(draft.path, code, name, number)
