"""Measure which cleanup runs after which way out of a process, and put the tables into docs/semantics.md.

    python scripts/exits.py          write the page
    python scripts/exits.py --check  write nothing, fail when the page says something else

For each way a process is started that owes cleanup of every kind and then leaves (scripts/exits_victim.py), and a second
one with workers: a daemon thread that still runs keeps the module's objects alive. What has run is read from marks that
the process leaves in a file, and from what is on the disk and in the list of processes afterwards.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from writing import ROOT, write

PAGE = ROOT / "docs/semantics.md"
VICTIM = Path(__file__).with_name("exits_victim.py")
CHILD = Path(__file__).with_name("exits_child.py")
BEGIN, END = "<!-- measured: python scripts/exits.py writes what follows -->\n", "<!-- /measured -->\n"
LIMIT = 20.0  # seconds that a process may take to come up, and to end

KINDS = {  # mark: (text, how many marks there are when all of it has run)
    "finally": ("`finally`", 1),
    "with": ("`with`, `contextlib.ExitStack`", 1),
    "atexit": ("`atexit`", 1),
    "finalize": ("`weakref.finalize`", 1),
    "del": ("`__del__` of an object that a module holds", 1),
    "file": ("text in the buffer of an open file", 1),
    "stdout": ("text in the buffer of stdout", 1),
    "tempdir": ("`with TemporaryDirectory()`", 1),
    "thread": ("work of a non-daemon thread", 1),
    "jobs": ("queued jobs of a `ThreadPoolExecutor`", 3),
    "daemon": ("`finally` in a daemon thread", 1),
    "file_beside_daemon": ("text in the buffer of an open file of a module, while a daemon thread of it runs", 1),
    "child": ("child of `subprocess.Popen` is ended", 1),
}
WORKERS = (
    "thread",
    "jobs",
    "daemon",
    "file_beside_daemon",
    "child",
)  # not with os.fork: threads are not copied, a child has one parent
ASYNC_KINDS = {
    "async_with": "`async with` of the main coroutine",
    "task": "`finally` with `await` in another task",
    "generator": "`finally` of a suspended async generator",
    "to_thread": "job of `to_thread`",
    "atexit": "`atexit`",
}


HEADS = {  # first way of a column: what the column is called
    "return": "in order",
    "term_default": "at once",
    "fork_sys_exit": "fork, `sys.exit`",
    "fork_os_exit": "fork, `os._exit`",
}


class Way(NamedTuple):
    """A way out of a process; `signum` is sent to it once it is ready."""

    text: str
    signum: int = 0


WAYS = {
    "return": Way("`main` returns"),
    "sys_exit": Way("`sys.exit(3)` in the main thread"),
    "exception": Way("an exception that nobody catches"),
    "keyboard_interrupt": Way("Ctrl-C (SIGINT), not handled", signal.SIGINT),
    "term_sys_exit": Way("SIGTERM, the handler calls `sys.exit(143)`", signal.SIGTERM),
    "term_flag": Way("SIGTERM, the handler sets a flag, `main` returns", signal.SIGTERM),
    "thread_sys_exit": Way("`sys.exit(3)` in a thread, then `main` returns"),
    "term_default": Way("SIGTERM, not handled", signal.SIGTERM),
    "hup_default": Way("SIGHUP, not handled", signal.SIGHUP),
    "kill": Way("SIGKILL", signal.SIGKILL),
    "os_exit": Way("`os._exit(3)`, in whatever thread"),
    "abort": Way("`os.abort()`"),
    "exec": Way("`os.execv`: the next program ends with 0"),
    "fork_sys_exit": Way("a child of `os.fork` ends by `sys.exit`, then the parent returns"),
    "fork_os_exit": Way("a child of `os.fork` ends by `os._exit`, then the parent returns"),
}
ASYNC_WAYS = {
    "async_return": Way("the main coroutine returns"),
    "async_exit_in_task": Way("`sys.exit(3)` in a task"),
    "async_handler": Way("SIGTERM, `loop.add_signal_handler` sets an event", signal.SIGTERM),
    "async_interrupt": Way("Ctrl-C (SIGINT), not handled", signal.SIGINT),
    "async_term_default": Way("SIGTERM, not handled", signal.SIGTERM),
    "async_os_exit": Way("`os._exit(3)`"),
    "async_stop_and_close": Way("`run_forever`, `loop.stop()`, `loop.close()`, nothing cancelled"),
}


CHILD_KINDS = {
    "finally": "`finally`, `with`",
    "thread": "work of a non-daemon thread",
    "file": "text in the buffer of a file that a module holds",
}
CHILD_WAYS = {
    "return": "its function returns",
    "sys_exit": "`sys.exit(3)`",
    "exception": "an exception that nobody catches",
    "handled": "`terminate()`, the handler of SIGTERM calls `sys.exit(143)`",
    "terminate": "`terminate()`, SIGTERM is not handled",
    "kill": "`kill()`",
    "os_exit": "`os._exit(3)`",
}
METHODS = ("fork", "spawn")


class Outcome(NamedTuple):
    """What has happened: the exit code (negative: ended by that signal) and how often each kind ran."""

    code: int
    counts: dict[str, int]


def alive(pid: int) -> bool:
    """Whether the process still runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("latin-1").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def marks(folder: Path) -> list[str]:
    with contextlib.suppress(FileNotFoundError):
        return (folder / "marks").read_text().split()
    return []


def measure(name: str) -> Outcome:
    """Let a process leave in this way, and one with workers, and see."""
    plain = measure_one(name, "")
    if name not in WAYS or name.startswith("fork_"):
        return plain
    workers = measure_one(name, "workers")
    if workers.code != plain.code:
        raise RuntimeError(f"{name}: exit code {plain.code}, with workers {workers.code}")
    counts = {**workers.counts, "file_beside_daemon": workers.counts["file"]}
    return Outcome(plain.code, plain.counts | {kind: counts[kind] for kind in WORKERS})


def measure_one(name: str, workers: str) -> Outcome:
    """Let one process leave."""
    way = WAYS.get(name) or ASYNC_WAYS[name]
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        with open(folder / "stdout", "wb") as stdout:
            command = [sys.executable, str(VICTIM), name, text, workers]
            process = subprocess.Popen(
                command, stdout=stdout, stderr=subprocess.DEVNULL, env=env, start_new_session=True
            )
        try:
            send(process, way.signum, folder)
            code = process.wait(LIMIT)
            return Outcome(code, counted(folder))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def send(process: subprocess.Popen[bytes], signum: int, folder: Path) -> None:
    """Send the signal once the process says that it waits for it."""
    end = time.monotonic() + LIMIT
    while signum and "ready" not in marks(folder):
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{process.args}: not ready for a signal")
        time.sleep(0.02)
    if signum:
        time.sleep(0.1)
        process.send_signal(signum)


def counted(folder: Path) -> dict[str, int]:
    """How often each kind of cleanup has run."""
    found = marks(folder)
    counts = {kind: found.count(kind) for kind in {**KINDS, **ASYNC_KINDS}}
    for kind, file in (("file", folder / "buffered"), ("stdout", folder / "stdout")):
        counts[kind] = file.read_text().count("data") if file.exists() else 0
    counts["tempdir"] = int(not list(folder.glob("temporary-*"))) + found.count("early")
    pids = [int(mark.removeprefix("child:")) for mark in found if mark.startswith("child:")]
    counts["child"] = int(not any(map(alive, pids)))
    return counts


def measure_child(way: str, method: str) -> Outcome:
    """Let a child of multiprocessing leave; the code is what its parent sees."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(CHILD), way, method, folder]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=3 * LIMIT)
        counts = {kind: marks(Path(folder)).count(kind) for kind in CHILD_KINDS}
        counts["file"] = Path(folder, "buffered").read_text().count("data")
        return Outcome(int(done.stdout), counts)


def children() -> list[tuple[str, ...]]:
    """The rows of the table on multiprocessing; start methods share a cell where they do not differ."""
    rows = []
    for way, text in CHILD_WAYS.items():
        found = [measure_child(way, method) for method in METHODS]
        (code,) = {code_text(outcome.code) for outcome in found}
        told = [[outcome_text(outcome.counts[kind], 1) for outcome in found] for kind in CHILD_KINDS]
        rows.append((text, *(by_method(cells) for cells in told), code))
    return rows


def by_method(cells: Sequence[str]) -> str:
    """What is said of the start methods, which is mostly the same."""
    named = (f"{method}: {cell}" for method, cell in zip(METHODS, cells))
    return cells[0] if len(set(cells)) == 1 else ", ".join(named)


def measure_all(names: Iterable[str]) -> dict[str, Outcome]:
    """The outcomes, a few processes at a time."""
    listed = list(names)
    with ThreadPoolExecutor(3) as pool:
        return dict(zip(listed, pool.map(measure, listed)))


def outcome_text(count: int, full: int) -> str:
    if count == 0:
        return '<span class="lost">✗ lost</span>'
    if count > full:
        return '<span class="lost">! twice</span>'
    return '<span class="kept">✓ runs</span>' if count == full else f'<span class="lost">{count} of {full}</span>'


def cells(name: str, outcome: Outcome) -> tuple[str, ...]:
    """The column of a way."""
    skipped = WORKERS if name.startswith("fork_") else ()
    return tuple(
        "–" if kind in skipped else outcome_text(outcome.counts[kind], full) for kind, (_, full) in KINDS.items()
    )


def code_text(code: int) -> str:
    return str(code) if code >= 0 else f"{signal.Signals(-code).name} ({128 - code})"


def row(parts: Iterable[str]) -> str:
    return f"| {' | '.join(parts)} |\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return row(head) + f"|{'---|' * len(head)}\n" + "".join(map(row, rows))


def render(outcomes: dict[str, Outcome]) -> str:
    """The tables: ways with the same outcome share a column."""
    columns: dict[tuple[str, ...], list[str]] = {}
    for name in WAYS:
        columns.setdefault(cells(name, outcomes[name]), []).append(name)
    letters = [chr(ord("A") + n) for n in range(len(columns))]
    heads = [f"{letter}: {HEADS.get(names[0], '')}" for letter, names in zip(letters, columns.values())]
    ways = [
        (WAYS[name].text, code_text(outcomes[name].code), f"**{letter}**")
        for letter, names in zip(letters, columns.values())
        for name in names
    ]
    kinds = [(text, *(column[n] for column in columns)) for n, (text, _) in enumerate(KINDS.values())]
    tasks = [
        (
            way.text,
            *(outcome_text(outcomes[name].counts[kind], 1) for kind in ASYNC_KINDS),
            code_text(outcomes[name].code),
        )
        for name, way in ASYNC_WAYS.items()
    ]
    return (
        f"\n## Ways out\n\n{table(('way out', 'exit code', 'as column'), ways)}"
        f"\n## What runs\n\n{table(('cleanup', *heads), kinds)}"
        f"\n## Under asyncio\n\n{table(('way out', *ASYNC_KINDS.values(), 'exit code'), tasks)}"
        f"\n## In a child of multiprocessing\n\n{table(('way out', *CHILD_KINDS.values(), '`exitcode`'), children())}\n"
    )


def main(argv: list[str]) -> int:
    """See the module's docstring."""
    head, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    return write([(PAGE, head + BEGIN + render(measure_all([*WAYS, *ASYNC_WAYS])) + END + rest.split(END)[1])], argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
