"""Whether fixes can be made, remembered: it hangs on the findings of a file and on its text, and to find it out takes a parse."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from shutdown_lint.cache import finding_of, key_of
from shutdown_lint.facts_cache import FolderStore
from shutdown_lint.findings import Finding, by_path

Read: TypeAlias = Callable[[str], "str | None"]


class Refine(NamedTuple):
    """What becomes of findings of one file that carry fixes.

    ``apply`` is given them and a reader of the texts of files, and returns as many, in their order. ``load`` imports what it
    needs, for when it is sure to be needed.
    """

    apply: Callable[[Sequence[Finding], Read], tuple[Finding, ...]]
    load: Callable[[], None] = lambda: None


class Refiner(NamedTuple):
    """Applies ``refine`` file by file; remembers in ``store`` what it said where ``digests`` tells a file's content."""

    refine: Refine
    read: Read
    digests: Mapping[str, str]
    store: FolderStore | None

    def refined(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """The findings, those with a fix as ``refine`` leaves them."""
        fixable = by_path(finding for finding in findings if finding.fix is not None)
        changed = {
            old: new for path, its in fixable.items() for old, new in zip(its, self._of_file(path, its), strict=True)
        }
        return tuple(changed.get(finding, finding) for finding in findings)

    def _of_file(self, path: str, findings: Sequence[Finding]) -> Sequence[Finding]:
        content = self.digests.get(path)
        if self.store is None or not content:
            return self.refine.apply(findings, self.read)
        key = key_of(content, findings)
        known = self._recalled(self.store.read(key), len(findings))
        if known is None:
            known = self.refine.apply(findings, self.read)
            self.store.write(key, json.dumps(known, separators=(",", ":")))
        return known

    def _recalled(self, text: str, count: int) -> Sequence[Finding] | None:
        try:
            found = [finding_of(row) for row in json.loads(text)] if text else []
        except (ValueError, TypeError, LookupError):
            return None
        return found if len(found) == count else None
