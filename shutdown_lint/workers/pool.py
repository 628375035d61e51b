"""The parent's side: hands out the work in rounds, collects the results, ends what is left."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from shutdown_lint.collector import collector_paused
from shutdown_lint.workers.process import DONE, FRAME, NOTED, NUMBER, Chunks, Work, Worker, signals_held, starter

# Starting workers costs about as much as taking in this many bytes.
WORTH_BYTES = 400_000
_CHUNK_BYTES = 60_000
# All chunk numbers must fit into a pipe at once: 64 KiB on Linux, 16 KiB on macOS.
_MAX_CHUNKS = 4000

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class Died(NamedTuple):
    """A process died on an item: how, and where in it (empty: not known). Instead of an outcome: a second one did."""

    how: str
    place: str = ""


_NO_WORKER = Died("no process could be started")


def spread(
    do: Callable[..., Outcome],
    items: Sequence[Item],
    costs: Sequence[int],
    jobs: int,
    prepare: Callable[[], None] | None = None,
    *,
    apart: bool = False,
    tell: Callable[[int], object] = int,
    noting: bool = False,
    mourn: Callable[[int, Died], object] = lambda number, died: None,
) -> list[Outcome | Died]:
    """The outcome of each item, in order.

    ``costs`` are in bytes of source. ``jobs`` is the number of processes; 0 means one for each core. ``prepare`` is
    called once before processes are forked. ``do``, ``items`` and outcomes must be such that ``pickle`` can carry them;
    where all is forked (``may_fork``), outcomes only. ``apart``: never in this process, which an item may be the end of.
    ``tell`` is called now and then with the number of items done. With ``noting``, ``do`` gets a function beside the item,
    to tell where in the item it is. ``mourn`` is called for each process that died, with the number of the item.
    """
    jobs = min(jobs or cores(), len(items))
    if not hasattr(os, "fork") or (not apart and (jobs < 2 or sum(costs) < WORTH_BYTES)):
        return _one_by_one(_alone(do, noting), items, tell)
    if prepare is not None:
        prepare()
    work = Work(do, items, [], noting)
    outcomes: dict[int, Any] = {}
    lost: set[int] = set()
    while left := [number for number in range(len(items)) if number not in outcomes]:
        done = len(outcomes)
        try:
            died = _round(work._replace(chunks=_chunks(costs, left, lost, jobs)), jobs, outcomes, tell)
        except OSError:
            # no more processes, descriptors or memory to be had
            died = {}
        outcomes.update((number, how) for number, how in died.items() if number in lost)
        if len(outcomes) == done and not died:
            # workers cannot live here at all
            here = _alone(do, noting)
            outcomes.update((number, _NO_WORKER if apart else here(items[number])) for number in left)
        for number, how in died.items():
            mourn(number, how)
        lost.update(died)
    return [outcomes[number] for number in range(len(items))]


def _alone(do: Callable[..., Outcome], noting: bool) -> Callable[[Any], Outcome]:
    """What a worker would do, in this process; nobody need know where in the item it is."""
    return (lambda item: do(item, str)) if noting else do


def _one_by_one(
    do: Callable[[Item], Outcome], items: Sequence[Item], tell: Callable[[int], object]
) -> list[Outcome | Died]:
    done: list[Outcome | Died] = []
    for item in items:
        tell(len(done))
        done.append(do(item))
    return done


def cores() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _died(status: int, place: str) -> Died:
    code = os.waitstatus_to_exitcode(status)
    return Died(f"signal {-code}" if code < 0 else f"exit code {code}", place)


def _chunks(costs: Sequence[int], numbers: list[int], alone: Iterable[int], jobs: int) -> Chunks:
    """Numbers of items in groups of some size, the most costly first; those in ``alone`` by themselves and last."""
    suspects = sorted(set(alone) & set(numbers))
    rest = sorted((n for n in numbers if n not in set(suspects)), key=lambda n: (-costs[n], n))
    total = sum(costs[n] for n in rest)
    limit = max(min(_CHUNK_BYTES, total // (8 * jobs)), total // _MAX_CHUNKS + 1)
    chunks: Chunks = []
    room = 0
    for number in rest:
        if room < costs[number]:
            chunks.append([])
            room = limit
        chunks[-1].append(number)
        room -= costs[number]
    return chunks + [[number] for number in suspects]


def _round(work: Work, jobs: int, outcomes: dict[int, Any], tell: Callable[[int], object]) -> dict[int, Died]:
    """Run workers until all of them are gone; the items that a worker died on, and how."""
    numbers, feed = os.pipe()
    workers: list[Worker] = []
    try:
        with starter(work) as start:
            for _ in range(min(jobs, len(work.chunks))):
                with signals_held():
                    workers.append(start(numbers, (feed, *(worker.results for worker in workers))))
        os.write(feed, b"".join(map(NUMBER.pack, range(len(work.chunks)))))
        # the end of the pipe ends the workers
        os.close(feed)
        feed = -1
        return _collect(workers, outcomes, tell)
    finally:
        _end(workers)
        for handle in (numbers, feed):
            if handle >= 0:
                os.close(handle)


def _collect(workers: list[Worker], outcomes: dict[int, Any], tell: Callable[[int], object]) -> dict[int, Died]:
    from selectors import EVENT_READ, DefaultSelector

    lost: dict[int, Died] = {}
    with DefaultSelector() as selector:
        for worker in workers:
            selector.register(worker.results, EVENT_READ, (worker, _Frames(outcomes)))
        while selector.get_map():
            for key, _ in selector.select():
                worker, frames = key.data
                data = os.read(worker.results, 1 << 20)
                if data:
                    frames.feed(data)
                    tell(len(outcomes))
                    continue
                selector.unregister(worker.results)
                status = _reap(worker, workers)
                if frames.in_hand is not None:
                    lost[frames.in_hand] = _died(status, frames.place)
    return lost


class _Frames:
    """Puts together what one worker sends; ``in_hand`` is the item that it has begun and not finished, ``place`` where in it."""

    def __init__(self, outcomes: dict[int, Any]) -> None:
        self.in_hand: int | None = None
        self.place = ""
        self._outcomes, self._buffer = outcomes, bytearray()

    def feed(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= FRAME.size:
            number, kind, length = FRAME.unpack_from(self._buffer)
            end = FRAME.size + length
            if len(self._buffer) < end:
                return
            content = bytes(self._buffer[FRAME.size : end])
            if kind == DONE:
                self._outcomes[number] = _unpickled(content)
            self.place = os.fsdecode(content) if kind == NOTED else ""
            self.in_hand = None if kind == DONE else number
            del self._buffer[:end]


def _unpickled(data: bytes) -> Any:
    # Written by our own worker a moment ago. The collector would look at each of the many new records again and again.
    with collector_paused():
        return pickle.loads(data)


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
