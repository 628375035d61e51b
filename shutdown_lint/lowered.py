"""What lowering made of a content, kept by the content's digest: for later runs, for build systems, for other machines.

A ``Record`` is data: which rules may fire in the content (under which settings), and the outcome of lowering as text.
Where records lie is a ``Store``'s business. A run asks it and gives to it, and is right with one that forgets everything.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.intake import Outcome, Task, take_in
from shutdown_lint.source import PASSING, SourceFile, Trouble, digest

SOUND = "null"  # the outcome of a file of which only the syntax was asked for


class Record(NamedTuple):
    """What is known of a content.

    ``codes`` are the rules that may fire in it (None: it need not be lowered) under the settings with the digest
    ``settings`` (empty: nobody has asked). ``outcome`` is what ``dumps`` makes of an outcome (empty: nobody has asked).
    """

    settings: str = ""
    codes: tuple[str, ...] | None = None
    outcome: str = ""


class Store(Protocol):
    """Keeps records by the digest of the content. No method raises.

    ``final``: what it has is all that there is, so that an outcome that cannot be read is told; else it is made again.
    """

    @property
    def final(self) -> bool:
        """See above."""

    def get(self, key: str) -> Record | None:
        """The record, if there is one."""

    def has(self, key: str) -> bool:
        """Whether there is something; cheap."""

    def put(self, key: str, record: Record) -> None:
        """Keep the record, perhaps."""

    def prune(self, in_use: Iterable[str]) -> None:
        """Forget some of what is not about the contents with these digests, if that is far too much."""


class Memory(NamedTuple):
    """A store, and the digest of all that it depends on which rules may fire in a content. Without a store: no memory."""

    store: Store | None = None
    settings: str = ""

    def recall(self, file: SourceFile, data: bytes) -> Record:
        """What is known of the file's content."""
        return (self.store.get(content_key(file, data)) if self.store is not None else None) or Record()

    def has(self, file: SourceFile, data: bytes) -> bool:
        """Whether something is known of the file's content; cheap."""
        return self.store is not None and self.store.has(content_key(file, data))

    def keep(self, file: SourceFile, data: bytes, record: Record) -> None:
        """Remember this of it."""
        if self.store is not None:
            self.store.put(content_key(file, data), record)

    def judged(
        self, record: Record, file: SourceFile, data: bytes, judge: Callable[[bytes, str], frozenset[str] | None]
    ) -> Record:
        """The record with the rules that may fire in the file; ``judge`` finds them out if need be."""
        if self.settings and record.settings == self.settings:
            return record
        codes = judge(data, file.name)
        return record._replace(settings=self.settings, codes=None if codes is None else tuple(sorted(codes)))

    def lowered(self, record: Record, task: Task, lower: Callable[[Task], Outcome]) -> tuple[Outcome, Record]:
        """The outcome of the task, and the record with it; ``lower`` does the work if need be."""
        if record.outcome and not (task.lower and record.outcome == SOUND):
            from shutdown_lint.facts_json import MalformedError

            try:
                return loads(record.outcome, task.file, digest(task.data)), record
            except MalformedError as error:
                if self.store is not None and self.store.final:
                    return Trouble("SHD901", f"its facts cannot be read: {error}"), record
        outcome = lower(task)
        return outcome, record._replace(outcome=dumps(outcome)) if self.store is not None else record

    def taken_in(self, task: Task) -> Outcome:
        """See ``take_in``; remembered."""
        known = self.recall(task.file, task.data)
        outcome, new = self.lowered(known, task, take_in)
        if new != known:
            self.keep(task.file, task.data, new)
        return outcome


NO_MEMORY = Memory()


def content_key(file: SourceFile, data: bytes) -> str:
    """What a record is kept under."""
    # the module that `python -m` runs matters by its name too, see `prefilter.Text`
    return digest(data) + ("m" if file.name.endswith("__main__") else "")


def dumps(outcome: Outcome) -> str:
    """An outcome as one line of JSON without the file's place, so that it is the content's; empty for one of the moment."""
    from shutdown_lint import facts_json

    if isinstance(outcome, ModuleFacts):
        return facts_json.dumps(outcome._replace(path="", name="", is_package=False, digest="", elsewhere=""))
    if isinstance(outcome, Trouble):
        return "" if outcome.code in PASSING else json.dumps(outcome, separators=(",", ":"))
    return SOUND


def loads(text: str, file: SourceFile, content: str) -> Outcome:
    """The outcome for a file whose content has the digest ``content``. Raises ``MalformedError``."""
    if text == SOUND:
        return None
    if text[:1] == "[":
        return _trouble(text)
    from shutdown_lint import facts_json

    module = facts_json.loads(text)
    return module._replace(
        path=file.path, name=file.name, is_package=file.is_package, digest=content, elsewhere=file.elsewhere
    )


def _trouble(text: str) -> Trouble:
    from shutdown_lint.facts_json import MalformedError

    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"no trouble ({error})") from error
    if list(map(type, values)) != [str, str, int, int, str] or values[0][:5] != "SHD90":
        raise MalformedError("no trouble")
    return Trouble(*values)
