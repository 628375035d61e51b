"""Lowering on other machines: any executor of the kind of ``concurrent.futures`` may do it, a Dask cluster for one.

Lowering is a pure function of a file's bytes. Files are sent in chunks, without their paths; what comes back is data, by
the digest of the content. What does not come back, for whatever reason, is done here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

from shutdown_lint.analysis import Context, take
from shutdown_lint.facts_files import version
from shutdown_lint.lowered import Memory, Record, Store
from shutdown_lint.prefilter import Prefilter
from shutdown_lint.schedule import Progress
from shutdown_lint.source import SourceFile

_CHUNK_BYTES = 400_000
_IN_FLIGHT = 64  # chunks: so much of the source is on its way at a time
_PATIENCE = 30  # seconds for a cluster to answer

Item: TypeAlias = "tuple[SourceFile, bytes]"
Opener: TypeAlias = Callable[[], AbstractContextManager[Executor]]


class ExecutorError(Exception):
    """The executor cannot be used at all."""


class HeldStore:
    """A ``lowered.Store`` in memory for what the one ``below``, if any, does not keep."""

    def __init__(self, below: Store | None = None) -> None:
        self.records: dict[str, Record] = {}
        self._below = below

    @property
    def final(self) -> bool:
        """What is damaged is made again."""
        return False

    def get(self, key: str) -> Record | None:
        """The record, if there is one."""
        return self.records.get(key) or (self._below.get(key) if self._below is not None else None)

    def has(self, key: str) -> bool:
        """Whether there is one."""
        return key in self.records or (self._below is not None and self._below.has(key))

    def put(self, key: str, record: Record) -> None:
        """Keep it here, if not below."""
        if self._below is not None:
            self._below.put(key, record)
        if self._below is None or not self._below.has(key):
            self.records[key] = record

    def prune(self, in_use: Iterable[str]) -> None:
        """What is held goes with the run."""
        if self._below is not None:
            self._below.prune(in_use)


def lower_all(files: Sequence[SourceFile], context: Context, opener: Opener, progress: Progress) -> list[str]:
    """Have an executor lower the files that are not remembered; warnings about what is left.

    The store of ``context`` gets what comes back. Raises ``ExecutorError``.
    """
    contents, memory = context.contents, Memory(context.store)
    files = [file for file in files if not (file.stub or memory.has(file, contents.get(file.absolute)))]
    if not files:
        return []
    chunks = _chunks(files, context)
    lost: dict[str, int] = {}
    done = 0
    with opener() as executor:
        pending: dict[Future[tuple[str, dict[str, Record]]], int] = {}
        while chunks or pending:
            for chunk in [chunks.pop() for _ in range(min(len(chunks), _IN_FLIGHT - len(pending)))]:
                items = [(_bare(file), contents.get(file.absolute)) for file in chunk]
                program = context.programs[chunk[0].root]
                submitted = executor.submit(lowered_there, program.prefilter, program.memory.settings, items)
                pending[submitted] = len(chunk)
            progress("reading", done, len(files), "files")
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                count = pending.pop(future)
                done += count
                problem = _take_over(future, memory)
                if problem:
                    lost[problem] = lost.get(problem, 0) + count
    return [f"the executor could not read {count} files ({problem}): done here" for problem, count in lost.items()]


def _take_over(future: Future[tuple[str, dict[str, Record]]], memory: Memory) -> str:
    """Keep what has come back; what has gone wrong, or nothing."""
    try:
        theirs, records = future.result()
    except Exception as error:  # noqa: BLE001  # each executor has exceptions of its own for workers that are lost
        return f"{type(error).__name__}: {error}".partition("\n")[0][:200]
    if theirs != version():
        raise ExecutorError(f"the executor has {theirs}; this is {version()}")
    for key, record in records.items():
        if memory.store is not None:
            memory.store.put(key, record)
    return ""


def lowered_there(prefilter: Prefilter, settings: str, items: Sequence[Item]) -> tuple[str, dict[str, Record]]:
    """What a worker does: who it is, and the records of the files by the digests of their contents."""
    store = HeldStore()
    for file, data in items:
        take(file, data, prefilter, Memory(store, settings))
    return version(), store.records


def _bare(file: SourceFile) -> SourceFile:
    """The file without its place; of its name only what matters to a prefilter."""
    return SourceFile("", "", "__main__" if file.name.endswith("__main__") else "", False, False, file.reported)


def _chunks(files: Iterable[SourceFile], context: Context) -> list[list[SourceFile]]:
    chunks: list[list[SourceFile]] = []
    room, judge = 0, None
    for file in files:
        size = len(context.contents.get(file.absolute))
        program = context.programs[file.root].memory.settings
        if room < size or program != judge or not chunks:
            judge = program
            chunks.append([])
            room = _CHUNK_BYTES
        chunks[-1].append(file)
        room -= size
    return chunks


def opener_of(spec: str) -> Opener:
    """How to open the executor that ``--executor`` names. Raises ``ExecutorError``."""
    kind, _, address = spec.partition(":")
    if kind != "dask" or "://" not in address:
        raise ExecutorError(f"no executor `{spec}`: write dask:tcp://HOST:PORT")
    return lambda: _dask(address)


@contextmanager
def _dask(address: str) -> Iterator[Executor]:
    """The workers of a Dask cluster."""
    try:
        from distributed import Client
    except ImportError as error:
        raise ExecutorError("--executor dask:… needs the extra: pip install 'shutdown-lint[dask]'") from error
    try:
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:  # a timeout is an OSError
        raise ExecutorError(f"no Dask scheduler answers at {address}: {error}") from error
    with client, client.get_executor() as executor:
        yield executor
