"""A file of findings that are known and not to be reported: the debt that a project begins with.

Its entries are recognised by ``report.fingerprints``: rule, file, enclosing definition and statement, no line numbers.
An entry hides as many equal findings as it says. Paths are relative to the folder of the file. It is JSON with an
entry a line, sorted, so that two branches that change it seldom conflict.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from shutdown_lint.adoption.errors import AdoptionError
from shutdown_lint.report.fingerprints import identities
from shutdown_lint.report.view import below, whole
from shutdown_lint.rules.registry import TROUBLES

if TYPE_CHECKING:
    from shutdown_lint.findings import Finding

    Reader = Callable[[str], Sequence[str] | None]

VERSION = 1
NAME = "shutdown-lint-baseline.json"  # where none is named
_KEYS = {"path": str, "code": str, "scope": str, "fingerprint": str, "times": int, "message": str, "added": str}


class Entry(NamedTuple):
    """Known findings that are equal. ``added`` is a date (ISO 8601); ``message`` is for people only."""

    path: str
    code: str
    scope: str
    fingerprint: str
    times: int
    message: str
    added: str


class Baseline(NamedTuple):
    """The entries of a file, in its order."""

    folder: str
    entries: tuple[Entry, ...]

    def compare(
        self, findings: Sequence[Finding], read: Reader, checked: Callable[[], Iterable[str]]
    ) -> tuple[tuple[Finding, ...], int]:
        """The findings that are not known, and how many entries of checked files find nothing any more."""
        left = Counter({entry.fingerprint: entry.times for entry in self.entries})
        kept = []
        for finding, identity in identities(findings, read, self.folder).items():
            digest = identity.digest()
            if finding.code not in TROUBLES and left[digest] > 0:
                left[digest] -= 1
            else:
                kept.append(finding)
        gone = [entry for entry in self.entries if left[entry.fingerprint] > 0]
        paths = {below(path, self.folder) for path in checked()} if gone else set()
        return tuple(kept), sum(entry.path in paths or not self.has_file(entry) for entry in gone)

    def has_file(self, entry: Entry) -> bool:
        """Whether the file of the entry is still there."""
        return os.path.exists(os.path.join(self.folder, entry.path))


def load(path: str) -> Baseline:
    """The baseline in a file. Raises ``AdoptionError``."""
    from shutdown_lint.source.reading import read_bytes
    from shutdown_lint.source.trouble import TroubleError

    try:
        data = json.loads(read_bytes(path))
    except TroubleError as error:
        hint = "" if os.path.exists(path) else " (`shutdown-lint baseline create` writes it)"
        raise AdoptionError(f"baseline {path}: {error.trouble.message}{hint}") from error
    except (ValueError, RecursionError) as error:
        raise AdoptionError(f"baseline {path}: no valid JSON: {error}") from error
    return Baseline(os.path.dirname(os.path.abspath(path)), _entries(data, path))


def _entries(data: Any, path: str) -> tuple[Entry, ...]:
    rows = data.get("findings") if isinstance(data, dict) else None
    if not isinstance(rows, list) or data.get("version") != VERSION:
        raise AdoptionError(f"baseline {path}: not a baseline of this version ({VERSION})")
    for number, row in enumerate(rows):
        wrong = not isinstance(row, dict) or any(type(row.get(key)) is not kind for key, kind in _KEYS.items())
        if wrong:
            raise AdoptionError(f"baseline {path}: entry {number + 1} is not one that shutdown-lint wrote")
    return tuple(Entry(*(row[key] for key in _KEYS)) for row in rows)


def made_of(
    findings: Iterable[Finding], read: Reader, folder: str, today: str, before: Sequence[Entry] = ()
) -> tuple[Entry, ...]:
    """Entries for all findings but input troubles; what was known ``before`` keeps its date."""
    since = {entry.fingerprint: entry.added for entry in before}
    kept = [finding for finding in findings if finding.code not in TROUBLES]
    found: dict[str, Entry] = {}
    for finding, identity in identities(kept, read, folder).items():
        digest = identity.digest()
        entry = found.get(digest)
        found[digest] = (
            entry._replace(times=entry.times + 1)
            if entry
            else Entry(
                whole(identity.path),
                identity.code,
                identity.scope,
                digest,
                1,
                whole(finding.message),
                since.get(digest, today),
            )
        )
    return tuple(sorted(found.values()))


def pruned(before: Sequence[Entry], now: Sequence[Entry]) -> tuple[Entry, ...]:
    """What was known and is still found, in no larger number."""
    counts = {entry.fingerprint: entry.times for entry in now}
    return tuple(
        entry._replace(times=min(entry.times, counts[entry.fingerprint]))
        for entry in before
        if entry.fingerprint in counts
    )


def render(entries: Sequence[Entry]) -> str:
    """The text of the file."""
    rows = ",\n".join(f"    {json.dumps(entry._asdict())}" for entry in entries)
    return f'{{\n  "version": {VERSION},\n  "findings": [{f"{chr(10)}{rows}{chr(10)}  " if rows else ""}]\n}}\n'
