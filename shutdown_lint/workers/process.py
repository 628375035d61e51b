"""The worker's side: how a worker comes into being, what it does, and how it ends with its parent.

A worker reads numbers of chunks (``NUMBER``) from a pipe that all share, and for each item of the chunk writes two
frames to its own pipe: one that says that it has begun, one with the pickled outcome; between them, frames that say how
far it is. A frame is ``FRAME`` (number of the item, kind, length of what follows) and what follows.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

NUMBER = struct.Struct("<I")
FRAME = struct.Struct("<IBI")
STARTED, DONE, NOTED = 0, 1, 2
# the signals that ask a program to stop; there are no workers where one of them is missing
_ASKING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE") if hasattr(signal, name)]

Chunks = list[list[int]]


class Work(NamedTuple):
    """What to do with each of the items, and their numbers in chunks. With ``noting``, ``do`` is also given a function to
    which it tells where in the item it is."""

    do: Callable[..., Any]
    items: Sequence[Any]
    chunks: Chunks
    noting: bool = False


class Worker(NamedTuple):
    """A running worker: its process, and the pipe from which its results come."""

    pid: int
    results: int


def may_fork() -> bool:
    """Whether forking is possible and safe: no other thread may hold a lock that the child would wait for."""
    return hasattr(os, "fork") and not has_threads()


def has_threads() -> bool:
    threading = sys.modules.get("threading")
    return threading is not None and threading.active_count() > 1


@contextmanager
def signals_held() -> Iterator[None]:
    """Keeps signals back while a worker begins: it must neither be lost from the list nor run our handlers."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, _ASKING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


Start = Callable[[int, "tuple[int, ...]"], Worker]


@contextmanager
def starter(work: Work) -> Iterator[Start]:
    """A function that starts a worker, given the pipe of chunk numbers and the parent's own ends of other pipes."""
    if not has_threads():
        yield lambda numbers, foreign: _fork(work, numbers, foreign)
        return
    import tempfile

    with tempfile.TemporaryFile() as stream:
        pickle.dump(work, stream, 5)
        stream.flush()
        yield lambda numbers, _: _launch(stream.fileno(), numbers)


def _fork(given: Work, numbers: int, foreign: tuple[int, ...]) -> Worker:
    results, sink = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            for handle in (results, *foreign):
                os.close(handle)
            _become_worker(parent)
            work(given, numbers, sink)
            code = 0
        finally:
            # nothing of the parent's may run here: no cleanup, no flushing of its buffers
            os._exit(code)
    os.close(sink)
    return Worker(pid, results)


def _launch(source: int, numbers: int) -> Worker:
    """A fresh interpreter; ``source`` is an unnamed file with the work.

    ``-I`` leaves out the current folder (as ``-P`` does from 3.11 on); then comes the path of this interpreter.
    """
    import subprocess

    path = [entry for entry in sys.path if entry]
    call = f"from shutdown_lint.workers.process import spawned; spawned({source}, {os.getpid()})"
    results, sink = os.pipe()
    try:
        child = subprocess.Popen(
            [sys.executable, "-I", "-c", f"import sys; sys.path[:] = {path!r}; {call}"],
            stdin=numbers,
            stdout=sink,
            pass_fds=(source,),
        )
    finally:
        os.close(sink)
    # It is reaped by its number, as forked ones are; without this the object would do it too.
    child.returncode = 0
    return Worker(child.pid, results)


def _become_worker(parent: int) -> None:
    import gc

    for number in _ASKING:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    gc.disable()
    _die_with(parent)


def _die_with(parent: int) -> None:
    """Linux: have the kernel kill this process when its parent ends (prctl(2), PR_SET_PDEATHSIG = 1)."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    except (ImportError, OSError, AttributeError, TypeError):
        pass
    if os.getppid() != parent:
        # shutdown-lint: ignore[exit-skips-cleanup] an orphan: nobody waits for its results, and it holds nothing else
        os._exit(1)


def spawned(source: int, parent: int) -> None:
    """The life of a fresh worker: work from the file ``source``, chunk numbers from stdin, results to stdout."""
    _become_worker(parent)
    # all workers share one file position, so it is not used
    given = pickle.loads(os.pread(source, os.fstat(source).st_size, 0))
    sink = os.dup(1)
    os.dup2(2, 1)
    work(given, 0, sink)


def work(given: Work, numbers: int, sink: int) -> None:
    """Take chunk numbers from one pipe until it ends, and write a frame before and after each item to the other."""
    while len(data := os.read(numbers, NUMBER.size)) == NUMBER.size:
        for number in given.chunks[NUMBER.unpack(data)[0]]:
            _write(sink, FRAME.pack(number, STARTED, 0))
            tell = (partial(_note, sink, number),) if given.noting else ()
            payload = pickle.dumps(given.do(given.items[number], *tell), 5)
            _write(sink, FRAME.pack(number, DONE, len(payload)) + payload)


def _note(sink: int, number: int, place: str) -> None:
    data = os.fsencode(place)
    _write(sink, FRAME.pack(number, NOTED, len(data)) + data)


def _write(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
