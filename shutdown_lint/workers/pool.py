"""The parent's side: hands out the work in rounds, collects the results, ends what is left."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Iterable, Sequence

from shutdown_lint.collector import collector_paused
from shutdown_lint.intake import Outcome, Task, take_in
from shutdown_lint.source import Trouble
from shutdown_lint.workers.process import DONE, FRAME, NUMBER, STARTED, Chunks, Worker, signals_held, starter

# Starting workers costs about as much as lowering this many bytes.
WORTH_BYTES = 300_000
_CHUNK_BYTES = 60_000
# All chunk numbers must fit into a pipe at once: 64 KiB on Linux, 16 KiB on macOS.
_MAX_CHUNKS = 4000


def take_in_all(tasks: Sequence[Task], jobs: int) -> list[Outcome]:
    """The outcome of each task, in order. ``jobs`` is the number of processes; 0 means one for each core."""
    jobs = min(jobs or cores(), len(tasks))
    if jobs < 2 or not hasattr(os, "fork") or sum(map(_cost, tasks)) < WORTH_BYTES:
        return [take_in(task) for task in tasks]
    if any(task.lower for task in tasks):
        import shutdown_lint.lower  # noqa: F401  # loaded once, shared by all forked workers
    outcomes: dict[int, Outcome] = {}
    lost: dict[int, int] = {}
    while left := [number for number in range(len(tasks)) if number not in outcomes]:
        done = len(outcomes)
        try:
            died = _round(tasks, _chunks(tasks, left, lost, jobs), jobs, outcomes)
        except OSError:
            # no more processes, descriptors or memory to be had
            died = {}
        outcomes.update((number, _killed(status)) for number, status in died.items() if number in lost)
        if len(outcomes) == done and not died:
            # workers cannot live here at all
            outcomes.update((number, take_in(tasks[number])) for number in left)
        lost.update(died)
    return [outcomes[number] for number in range(len(tasks))]


def cores() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _killed(status: int) -> Trouble:
    code = os.waitstatus_to_exitcode(status)
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return Trouble("SHD903", f"cannot be analysed: the parser died on it twice ({how})")


def _chunks(tasks: Sequence[Task], numbers: list[int], alone: Iterable[int], jobs: int) -> Chunks:
    """Task numbers in groups of some size, the largest files first; those in ``alone`` by themselves and last."""
    suspects = sorted(set(alone) & set(numbers))
    rest = sorted((n for n in numbers if n not in set(suspects)), key=lambda n: (-_cost(tasks[n]), n))
    total = sum(_cost(tasks[n]) for n in rest)
    limit = max(min(_CHUNK_BYTES, total // (8 * jobs)), total // _MAX_CHUNKS + 1)
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
    workers: list[Worker] = []
    try:
        with starter(tasks, chunks) as start:
            for _ in range(min(jobs, len(chunks))):
                with signals_held():
                    workers.append(start(numbers, (feed, *(worker.results for worker in workers))))
        os.write(feed, b"".join(map(NUMBER.pack, range(len(chunks)))))
        # the end of the pipe ends the workers
        os.close(feed)
        feed = -1
        return _collect(workers, outcomes)
    finally:
        _end(workers)
        for handle in (numbers, feed):
            if handle >= 0:
                os.close(handle)


def _collect(workers: list[Worker], outcomes: dict[int, Outcome]) -> dict[int, int]:
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
        while len(self._buffer) >= FRAME.size:
            number, kind, length = FRAME.unpack_from(self._buffer)
            end = FRAME.size + length
            if len(self._buffer) < end:
                return
            if kind == DONE:
                self._outcomes[number] = _unpickled(bytes(self._buffer[FRAME.size : end]))
            self.in_hand = number if kind == STARTED else None
            del self._buffer[:end]


def _unpickled(data: bytes) -> Outcome:
    # Written by our own worker a moment ago. The collector would look at each of the many new records again and again.
    with collector_paused():
        outcome: Outcome = pickle.loads(data)
    return outcome


def _reap(worker: Worker, workers: list[Worker]) -> int:
    workers.remove(worker)
    os.close(worker.results)
    try:
        return os.waitpid(worker.pid, 0)[1]
    except ChildProcessError:
        # the host process ignores SIGCHLD: the kernel has reaped it
        return 0


def _end(workers: list[Worker]) -> None:
    for worker in workers:
        os.kill(worker.pid, signal.SIGKILL)
    while workers:
        _reap(workers[0], workers)
