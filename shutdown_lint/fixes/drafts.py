"""A file while it is being fixed: what it says now, what has been mended, and the way back."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from shutdown_lint.findings import Finding, by_path
from shutdown_lint.fixes.checking import Wrong, still_found
from shutdown_lint.fixes.edits import Planned, changed, compatible
from shutdown_lint.fixes.files import encode
from shutdown_lint.fixes.languages import Change, language_of
from shutdown_lint.fixes.planning import plans
from shutdown_lint.fixes.refusal import Refused, refuse_if

MAX_ROUNDS = 10


class _Step(NamedTuple):
    """A state to go back to: the text and bytes, and the plans that were made on it."""

    text: str
    data: bytes
    plans: tuple[Planned, ...]


class Draft:
    """One file: its path as findings show it, further names of it (hard links), bytes and text before and now."""

    def __init__(self, path: str, others: tuple[str, ...], before: bytes, text: str, findings: list[Finding]) -> None:
        self.path, self.others = path, others
        self.before = self.data = before
        self.original = self.text = text
        self.findings = findings
        self.refused: list[Planned] = []
        self.mended: list[Finding] = []
        self._rounds_left = MAX_ROUNDS
        self._last: _Step | None = None
        self._one_by_one = False
        self._given_up = False
        self._failed: set[tuple[str, str, str]] = set()

    @classmethod
    def read(cls, path: str, others: tuple[str, ...], findings: list[Finding], stdin: bytes | None) -> Draft:
        """The file as it is, or stdin in its place. Raises ``Refused`` where it cannot be written back as it is."""
        from shutdown_lint.source import TroubleError, decode, read_bytes

        try:
            data = read_bytes(path) if stdin is None else stdin
            text = decode(data, path)
        except TroubleError as error:
            raise Refused(str(error)) from error
        refuse_if("" if encode(text, data, path) == data else "the file cannot be written back unchanged")
        return cls(path, others, data, text, findings)

    @property
    def changed(self) -> bool:
        """Whether the draft differs from the file."""
        return self.data != self.before

    def choose(self, unsafe: bool) -> list[Planned]:
        """The fixes to make next; notes the refusals. Raises ``Refused`` when there seems to be no end of it."""
        wanted = [finding for finding in fixable(self.findings, unsafe) if self._key(finding) not in self._failed]
        planned = plans(wanted, self.text) if not self._given_up else []
        self.refused = [plan for plan in planned if plan.refusal]
        chosen = compatible(planned)
        if chosen and not self._rounds_left:
            codes = ", ".join(sorted({plan.finding.code for plan in chosen}))
            raise Refused(f"still finds something to fix after {MAX_ROUNDS} rounds: {codes}")
        return chosen[:1] if self._one_by_one else chosen

    def make(self, chosen: Sequence[Planned]) -> None:
        """Make the changes in memory. Raises ``Refused`` when the result is no good file of its language."""
        result = changed(self.text, (edit for plan in chosen for edit in plan.edits))
        data = encode(result, self.before, self.path)
        refuse_if(language_of(self.path).damage(Change(self.before, data, self.text, result, chosen)))
        self._last = _Step(self.text, self.data, tuple(chosen))
        self.text, self.data = result, data
        self.mended += [plan.finding for plan in chosen]
        self._rounds_left -= 1

    def wrong(self, found: Iterable[Finding]) -> Wrong | None:
        """What the findings on the changed file say against the last changes."""
        return still_found(self.findings, found, self._last.plans) if self._last else None

    def take_back(self, code: str) -> bool:
        """Undo the last changes because of those of a rule; whether one fix was to blame (see ``blame``)."""
        assert self._last is not None
        self.text, self.data, undone = self._last
        del self.mended[len(self.mended) - len(undone) :]
        self._last = None
        return self.blame([plan for plan in undone if plan.finding.code == code] or undone)

    def blame(self, failed: Sequence[Planned]) -> bool:
        """Do not try a fix again that failed; where several failed together, find out one by one which it is."""
        if len(failed) == 1:
            self._failed.add(self._key(failed[0].finding))
            return True
        self._one_by_one = True
        self._rounds_left += len(failed)
        return False

    def _key(self, finding: Finding) -> tuple[str, str, str]:
        """What tells a finding from others in later rounds, when lines may have moved."""
        lines = self.text.splitlines()[finding.span.line - 1 : finding.span.line]
        return (finding.code, finding.message, "".join(lines))

    def give_up(self) -> None:
        """Leave the file as it was."""
        self.text, self.data, self._last = self.original, self.before, None
        self._given_up = True
        self.mended.clear()
        self.refused.clear()


def by_file(findings: Iterable[Finding], unsafe: bool) -> Iterator[tuple[str, tuple[str, ...], list[Finding]]]:
    """Files with something to fix: the path, further names of the same file (hard links), all its findings."""
    of_file = by_path(findings)
    names: dict[tuple[int, int], list[str]] = {}
    for path in (path for path, found in of_file.items() if fixable(found, unsafe)):
        names.setdefault(_identity(path), []).append(path)
    for first, *others in names.values():
        yield first, tuple(others), of_file[first]


def fixable(findings: Iterable[Finding], unsafe: bool) -> list[Finding]:
    """The findings whose fix may be made."""
    return [f for f in findings if f.fix is not None and (unsafe or f.fix.applicability == "safe")]


def _identity(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return (-1, hash(path))
    return (status.st_dev, status.st_ino)
