"""The project's files in memory, and those of them that are lowered only when a question leads to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.intake import Outcome, Task, take_in
from shutdown_lint.lazily import lazily
from shutdown_lint.source import SourceFile, TroubleError, read_bytes

# What is above stays on disk and is read again when it is needed.
MAX_HELD = 256 * 1024 * 1024
# A word that so many files mention tells nothing; more files than that are not worth lowering for one question.
MAX_PER_WORD = 25
MAX_WORD_BYTES = 400_000
MIN_LOADED_BYTES = 2_000_000
# An identifier that is used: read from an object, called, or asked for something; not one in a comment or a definition.
_USED = re.compile(
    rb"[.@]([A-Za-z_\x80-\xff][\w\x80-\xff]+)|(?<!def )(?<!class )\b([A-Za-z_\x80-\xff][\w\x80-\xff]+)(?=[.(\[]| as )"
)
# What stands between the brackets behind the name of a class.
_BASES = re.compile(rb"class +[\w\x80-\xff]+ *\(([^()]+)")
_NAME = re.compile(rb"[A-Za-z_\x80-\xff][\w\x80-\xff]+")


class Contents:
    """Bytes of files by absolute path: read when they are asked for, held in memory up to a bound, else read again.

    ``read`` is how; it raises ``TroubleError``.
    """

    def __init__(self, read: Callable[[str], bytes] = read_bytes) -> None:
        self._held: dict[str, bytes] = {}
        self._room = MAX_HELD
        self._read = read

    def put(self, path: str, data: bytes, *, differs: bool = False) -> None:
        """Keep the bytes if there is room, or if they ``differ`` from what is on disk."""
        if differs or len(data) <= self._room:
            self._room -= len(data)
            self._held[path] = data

    def get(self, path: str) -> bytes:
        """The bytes; empty when the file is gone."""
        held = self._held.get(path)
        if held is None:
            try:
                held = self._read(path)
            except TroubleError:
                held = b""
            self.put(path, held)
        return held


class SkippedFiles:
    """The ``Loader`` of a project: lowers on demand what the prefilter skipped. Every answer is remembered.

    ``files`` are all of the project, ``skipped`` those not lowered yet. ``lowered_bytes`` is how much was lowered, by the
    root of the project that files belong to: what is loaded on top is bounded by a quarter of it. Bounds are each project's
    own, so that what is found in one does not depend on others beside it. ``lower`` is how a file is taken in.
    """

    def __init__(
        self,
        files: Sequence[SourceFile],
        skipped: Iterable[SourceFile],
        contents: Contents,
        lowered_bytes: Mapping[str, int],
        lower: Callable[[Task], Outcome] = take_in,
    ) -> None:
        self._contents, self._lower = contents, lower
        self._known = {name for file in files for name in _with_packages(file.name)}
        self._skipped: dict[str, SourceFile] = {}
        for file in sorted(skipped, key=lambda file: file.stub):
            self._skipped.setdefault(file.name, file)
        self._facts: dict[str, ModuleFacts | None] = {}
        self._room = {file.root: max(MIN_LOADED_BYTES, lowered_bytes.get(file.root, 0) // 4) for file in files}

    def has(self, name: str) -> bool:
        """Whether the project has a file, or a folder with files, for this dotted module name."""
        return name in self._known

    def module(self, name: str) -> ModuleFacts | None:
        """The facts of the skipped module with this dotted name; None where there is none or it cannot be parsed."""
        file = self._skipped.get(name)
        if file is None:
            return None
        if name not in self._facts:
            outcome = self._lower(Task(file, self._contents.get(file.absolute), True))
            self._facts[name] = outcome if isinstance(outcome, ModuleFacts) else None
        return self._facts[name]

    def mentioning(self, word: str) -> Iterable[ModuleFacts]:
        """The skipped modules that use the identifier; nothing where there are too many of them."""
        return self._loaded(self._mentions.get(_encoded(word), ()))

    def deriving(self, name: str) -> Iterable[ModuleFacts]:
        """The skipped modules with a class that has one of this name as a base; nothing where there are too many of them."""
        return self._loaded(self._derivations.get(_encoded(name), ()))

    def _loaded(self, names: Collection[str]) -> Iterable[ModuleFacts]:
        if len(self._room) < 2 or len(names) < 2:
            return self._loaded_in_one(names) if names else ()
        by_root: dict[str, list[str]] = {}
        for name in names:
            by_root.setdefault(self._skipped[name].root, []).append(name)
        return [facts for some in by_root.values() for facts in self._loaded_in_one(some)]

    def _loaded_in_one(self, names: Collection[str]) -> Iterable[ModuleFacts]:
        """The same in one project."""
        if len(names) > MAX_PER_WORD:
            return ()
        root = self._skipped[next(iter(names))].root
        size = sum(len(self._contents.get(self._skipped[name].absolute)) for name in names if name not in self._facts)
        if size > min(MAX_WORD_BYTES, self._room[root]):
            return ()
        self._room[root] -= size
        return [facts for facts in map(self.module, names) if facts is not None]

    @lazily
    def _mentions(self) -> dict[bytes, list[str]]:
        return self._index(lambda text: (word for pair in set(_USED.findall(text)) for word in pair if word))

    @lazily
    def _derivations(self) -> dict[bytes, list[str]]:
        return self._index(lambda text: (name for bases in _BASES.findall(text) for name in _NAME.findall(bases)))

    def _index(self, words: Callable[[bytes], Iterable[bytes]]) -> dict[bytes, list[str]]:
        """The names of the skipped modules by words in their texts."""
        found: dict[bytes, list[str]] = {}
        for name, file in self._skipped.items():
            if not file.stub:
                for word in set(words(self._contents.get(file.absolute))):
                    found.setdefault(word, []).append(name)
        return found


def _encoded(word: str) -> bytes:
    return word.encode("utf-8", "surrogateescape")


def _with_packages(name: str) -> Iterable[str]:
    parts = name.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts) + 1))
