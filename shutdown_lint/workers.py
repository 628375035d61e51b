"""Taking in many files in parallel: worker processes that can die without harm, and that never outlive the run.

Workers are forked where that is safe (one thread, POSIX), so that they begin with everything loaded; with other threads
alive they are fresh interpreters, isolated from the current folder (a linted ``re.py`` is never imported). All workers
of a round read chunk numbers from one shared pipe and write results to a pipe of their own, so the outcome does not
depend on who did what. A worker that dies costs the file that it had in hand; that file gets one more try, alone.

On the way out, whatever the reason, all workers are killed and reaped. They hold nothing that a kill could damage. When
the parent is killed, the kernel ends them (Linux), or the first write to the broken pipe does.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from shutdown_lint.intake import Outcome, Task, take_in
from shutdown_lint.source import Trouble

# Starting workers costs about as much as lowering this many bytes.
WORTH_BYTES = 300_000
_CHUNK_BYTES = 60_000
# All chunk numbers must fit into a pipe at once: 64 KiB on Linux, 16 KiB on macOS.
_MAX_CHUNKS = 4000
_NUMBER = struct.Struct("<I")
_FRAME = struct.Struct("<IBI")  # number of the task, kind, length of what follows
_STARTED, _DONE = 0, 1

Chunks = list[list[int]]


class _Worker(NamedTuple):
    pid: int
    results: int


def take_in_all(tasks: Sequence[Task], jobs: int) -> list[Outcome]:
    """The outcome of each task, in order. ``jobs`` is the number of processes; 0 means one for each core."""
    jobs = min(jobs or cores(), len(tasks))
    if jobs < 2 or not hasattr(os, "fork") or sum(map(_cost, tasks)) < WORTH_BYTES:
        return [take_in(task) for task in tasks]
    if any(task.lower for task in tasks):
        import shutdown_lint.lower  # noqa: F401  # loaded once, shared by all forked workers
    outcomes: dict[int, Outcome] = {}
    lost: dict[int, int] = {}
    while len(outcomes) < len(tasks):
        chunks = _chunks(tasks, [n for n in range(len(tasks)) if n not in outcomes], lost)
        for number, status in _round(tasks, chunks, jobs, outcomes).items():
            if number in lost:
                outcomes[number] = _killed(status)
            lost[number] = status
    return [outcomes[number] for number in range(len(tasks))]


def cores() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _killed(status: int) -> Trouble:
    how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit code {os.waitstatus_to_exitcode(status)}"
    return Trouble("SHD903", f"cannot be analysed: the parser died on it twice ({how})")


def _chunks(tasks: Sequence[Task], numbers: list[int], alone: Iterable[int]) -> Chunks:
    """Task numbers in groups of some size, the largest files first; those in ``alone`` by themselves and last."""
    suspects = sorted(set(alone) & set(numbers))
    rest = sorted((n for n in numbers if n not in set(suspects)), key=lambda n: (-_cost(tasks[n]), n))
    limit = max(_CHUNK_BYTES, sum(_cost(tasks[n]) for n in rest) // _MAX_CHUNKS + 1)
    chunks: Chunks = []
    room = 0
    for number in rest:
        if room < _cost(tasks[number]):
            chunks.append([])
            room = limit
        chunks[-1].append(number)
        room -= _cost(tasks[number])
    return chunks + [[number] for number in suspects]


def _cost(task: Task) -> int:
    return len(task.data) if task.lower else len(task.data) // 10


def _round(tasks: Sequence[Task], chunks: Chunks, jobs: int, outcomes: dict[int, Outcome]) -> dict[int, int]:
    """Run workers until all of them are gone; the tasks that a worker died on, each with its wait status."""
    numbers, feed = os.pipe()
    workers: list[_Worker] = []
    try:
        with _starter(tasks, chunks) as start:
            for _ in range(min(jobs, len(chunks))):
                with _signals_held():
                    workers.append(start(numbers, (feed, *(worker.results for worker in workers))))
        os.write(feed, b"".join(map(_NUMBER.pack, range(len(chunks)))))
        # the end of the pipe ends the workers
        os.close(feed)
        feed = -1
        return _collect(workers, outcomes)
    finally:
        _end(workers)
        for handle in (numbers, feed):
            if handle >= 0:
                os.close(handle)


def _collect(workers: list[_Worker], outcomes: dict[int, Outcome]) -> dict[int, int]:
    from selectors import EVENT_READ, DefaultSelector

    lost: dict[int, int] = {}
    with DefaultSelector() as selector:
        for worker in workers:
            selector.register(worker.results, EVENT_READ, (worker, _Frames(outcomes)))
        while selector.get_map():
            for key, _ in selector.select():
                worker, frames = key.data
                data = os.read(worker.results, 1 << 20)
                if data:
                    frames.feed(data)
                    continue
                selector.unregister(worker.results)
                status = _reap(worker, workers)
                if frames.in_hand is not None:
                    lost[frames.in_hand] = status
    return lost


class _Frames:
    """Puts together what one worker sends; ``in_hand`` is the task that it has begun and not finished."""

    def __init__(self, outcomes: dict[int, Outcome]) -> None:
        self.in_hand: int | None = None
        self._outcomes, self._buffer = outcomes, bytearray()

    def feed(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= _FRAME.size:
            number, kind, length = _FRAME.unpack_from(self._buffer)
            end = _FRAME.size + length
            if len(self._buffer) < end:
                return
            if kind == _DONE:
                self._outcomes[number] = _unpickled(bytes(self._buffer[_FRAME.size : end]))
            self.in_hand = number if kind == _STARTED else None
            del self._buffer[:end]


def _unpickled(data: bytes) -> Outcome:
    # Written by our own worker a moment ago. The collector would look at each of the many new records again and again.
    with _collector_paused():
        outcome: Outcome = pickle.loads(data)
    return outcome


@contextmanager
def _collector_paused() -> Iterator[None]:
    import gc

    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _reap(worker: _Worker, workers: list[_Worker]) -> int:
    workers.remove(worker)
    os.close(worker.results)
    try:
        return os.waitpid(worker.pid, 0)[1]
    except ChildProcessError:
        # the host process ignores SIGCHLD: the kernel has reaped it
        return 0


def _end(workers: list[_Worker]) -> None:
    for worker in workers:
        os.kill(worker.pid, signal.SIGKILL)
    while workers:
        _reap(workers[0], workers)


def _has_threads() -> bool:
    threading = sys.modules.get("threading")
    return threading is not None and threading.active_count() > 1


@contextmanager
def _signals_held() -> Iterator[None]:
    """Keeps signals back while a worker comes into being: it must neither be lost from the list nor run our handlers."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


Start = Callable[[int, "tuple[int, ...]"], _Worker]


@contextmanager
def _starter(tasks: Sequence[Task], chunks: Chunks) -> Iterator[Start]:
    """A function that starts a worker, given the pipe of chunk numbers and the parent's own ends of other pipes."""
    if not _has_threads():
        yield lambda numbers, foreign: _fork(tasks, chunks, numbers, foreign)
        return
    import tempfile

    with tempfile.TemporaryFile() as stream:
        pickle.dump((list(tasks), chunks), stream, 5)
        stream.flush()
        yield lambda numbers, _: _launch(stream.fileno(), numbers)


def _fork(tasks: Sequence[Task], chunks: Chunks, numbers: int, foreign: tuple[int, ...]) -> _Worker:
    results, sink = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            for handle in (results, *foreign):
                os.close(handle)
            _become_worker(parent)
            work(tasks, chunks, numbers, sink)
            code = 0
        finally:
            # nothing of the parent's may run here: no cleanup, no flushing of its buffers
            os._exit(code)
    os.close(sink)
    return _Worker(pid, results)


def _launch(source: int, numbers: int) -> _Worker:
    """A fresh interpreter; ``source`` is an unnamed file with the tasks.

    ``-I`` leaves out the current folder (as ``-P`` does from 3.11 on); then comes the path of this interpreter.
    """
    import subprocess

    path = [entry for entry in sys.path if entry]
    call = f"from shutdown_lint.workers import spawned; spawned({source}, {os.getpid()})"
    results, sink = os.pipe()
    try:
        child = subprocess.Popen(
            [sys.executable, "-I", "-c", f"import sys; sys.path[:] = {path!r}; {call}"],
            stdin=numbers, stdout=sink, pass_fds=(source,),
        )
    finally:
        os.close(sink)
    # It is reaped by its number, as forked ones are; without this the object would do it too.
    child.returncode = 0
    return _Worker(child.pid, results)


def _become_worker(parent: int) -> None:
    import gc

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
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
        os._exit(1)


def spawned(source: int, parent: int) -> None:
    """The life of a fresh worker: tasks from the file ``source``, chunk numbers from stdin, results to stdout."""
    _become_worker(parent)
    # all workers share one file position, so it is not used
    tasks, chunks = pickle.loads(os.pread(source, os.fstat(source).st_size, 0))
    sink = os.dup(1)
    os.dup2(2, 1)
    work(tasks, chunks, 0, sink)


def work(tasks: Sequence[Task], chunks: Chunks, numbers: int, sink: int) -> None:
    """Take chunk numbers from one pipe until it ends, and write a frame before and after each task to the other."""
    while len(data := os.read(numbers, _NUMBER.size)) == _NUMBER.size:
        for number in chunks[_NUMBER.unpack(data)[0]]:
            _write(sink, _FRAME.pack(number, _STARTED, 0))
            payload = pickle.dumps(take_in(tasks[number]), 5)
            _write(sink, _FRAME.pack(number, _DONE, len(payload)) + payload)


def _write(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
