"""Stop linters at random moments, kill their workers, take their disk, files and terminal away; ours beside the others.

    python -m venv TOOLS && TOOLS/bin/pip install --require-hashes -r requirements/neighbours.txt
    python benchmarks/faults.py TOOLS/bin                  all, and the table in docs/robustness.md anew (half an hour or more)
    python benchmarks/faults.py TOOLS/bin --tools shutdown-lint,ruff   the others stay as they were measured last
    python benchmarks/faults.py TOOLS/bin --runs 20 --dry  fewer runs; nothing is written

Linux only: it reads /proc to find what is left. All tools look at the same files, packages of the standard library put
below one package of their own, with two processes where they can. Moments are drawn from the time that a whole run of the
tool takes (``WINDOW`` seconds at most), beginning when the interpreter is up. Mounting a full disk and a read-only tree
needs root; without it these lines are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pty
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks"), str(ROOT / "scripts")]

from tools import OURS, TOOLS, Tool, environment, version  # noqa: E402
from writing import put  # noqa: E402

RECORD = re.compile(r"[0-9a-f]{32}m?")
PAGE, PART = ROOT / "docs" / "robustness.md", "benchmarks/faults.py"
KEPT = ROOT / "build" / "faults.json"
PACKAGES = (
    "asyncio",
    "concurrent",
    "ctypes",
    "email",
    "html",
    "http",
    "idlelib",
    "importlib",
    "json",
    "logging",
    "multiprocessing",
    "sqlite3",
    "tkinter",
    "unittest",
    "urllib",
    "wsgiref",
    "xml",
    "xmlrpc",
)
FEW = ("json", "wsgiref")  # for faults that are only seen at the end of a run
WINDOW = 5.0  # seconds
BEGIN = 0.05  # seconds, in which the interpreter starts
SOON, GONE = 0.5, 1.0  # seconds: a run has ended, and then all its processes are gone
HANGS = 15.0  # seconds
HANGS_ON_DEATH = 60.0


class Bench(NamedTuple):
    """Where a tool is measured: programs, tree of files, a folder for its cache, and the runs that may not have ended."""

    tool: Tool
    programs: Path
    tree: Path
    cache: Path
    started: list[subprocess.Popen[bytes]]

    def start(self, *paths: str, cache: Path | None = None, **options: Any) -> subprocess.Popen[bytes]:
        """Start the tool on paths of the tree, in a session of its own."""
        where = str(cache or self.cache)
        command = [*self.tool.command(self.programs, 2, where), *paths]
        env = environment(self.tool, where)
        given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options}
        process = subprocess.Popen(command, cwd=self.tree, env=env, start_new_session=True, **given)
        self.started[:] = [other for other in self.started if other.returncode is None]
        self.started.append(process)
        return process


class Ended(NamedTuple):
    """How a run ended: exit code (negative: by that signal; None: not at all), seconds since the fault, what it said."""

    code: int | None
    seconds: float
    said: str
    left: int = 0  # processes that were still there

    def complaints(self, *, code: Callable[[int], bool], soon: float = HANGS) -> list[str]:
        """What is wrong with it, in the words of the table."""
        wrong = []
        if self.code is None:
            return ["hangs"]
        if not code(self.code):
            wrong.append(f"exit code {self.code}" if self.code >= 0 else f"killed by signal {-self.code}")
        if self.seconds > soon:
            wrong.append(f"later than {soon} s")
        if "Traceback (most recent call last)" in self.said or "panicked at" in self.said:
            wrong.append("traceback")
        if self.left:
            wrong.append("processes left")
        return wrong


Verdict: TypeAlias = "list[str] | None"  # complaints; None: the run was over before the fault
Fault: TypeAlias = Callable[[Bench, random.Random], Verdict]


# --- processes -------------------------------------------------------------------------------------------------------


def session(number: int) -> list[int]:
    """The processes of a session that are alive, as Linux tells them."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):
                rest = (folder / "stat").read_text("latin-1").rpartition(")")[2].split()
                if int(rest[3]) == number and rest[0] not in "ZX":
                    found.append(int(folder.name))
    return found


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a session."""
    for pid in session(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def finish(process: subprocess.Popen[bytes], limit: float = HANGS) -> Ended:
    """Wait for the end of a run, and look at what it leaves."""
    begun, said = time.monotonic(), bytearray()
    try:
        while process.poll() is None and time.monotonic() - begun < limit:
            _read(process, said, 0.01)
        seconds, code = time.monotonic() - begun, process.poll()
        while code is not None and session(process.pid) and time.monotonic() - begun < seconds + GONE:
            time.sleep(0.02)
        left = len([pid for pid in session(process.pid) if pid != process.pid])
        _read(process, said, 0.1)
        return Ended(code, seconds, said.decode("utf-8", "replace"), left)
    finally:
        end(process)
        if process.stdout is not None:
            process.stdout.close()


def _read(process: subprocess.Popen[bytes], said: bytearray, patience: float) -> None:
    if process.stdout is None:
        time.sleep(patience)
        return
    ready, _, _ = select.select([process.stdout], [], [], patience)
    if ready:
        data = os.read(process.stdout.fileno(), 1 << 20)
        said += data
        if not data:
            time.sleep(patience)


def run(bench: Bench, *paths: str, limit: float = HANGS_ON_DEATH, **options: Any) -> Ended:
    """A whole run."""
    return finish(bench.start(*paths, **options), limit)


def lines(ended: Ended) -> Counter[str]:
    """What a run said, whatever the order."""
    return Counter(filter(None, ended.said.splitlines()))


# --- stopped at a random moment --------------------------------------------------------------------------------------


def wait(bench: Bench, chance: random.Random, process: subprocess.Popen[bytes]) -> bool:
    """Let the run go on for a random time; whether it still runs. What it prints is read, so that it is not held up."""
    until = time.monotonic() + chance.uniform(BEGIN, window(bench))
    held = bytearray()
    while time.monotonic() < until and process.poll() is None:
        _read(process, held, 0.005)
    if process.poll() is None:
        return True
    end(process)
    return False


_WINDOWS: dict[str, float] = {}


def window(bench: Bench) -> float:
    """The time that a run takes, at most ``WINDOW`` seconds: measured once, without a cache."""
    if bench.tool.name not in _WINDOWS:
        begun = time.monotonic()
        run(bench, "app", limit=WINDOW)
        _WINDOWS[bench.tool.name] = max(2 * BEGIN, min(WINDOW, time.monotonic() - begun) * 0.95)
        empty(bench.cache)
    return _WINDOWS[bench.tool.name]


def empty(folder: Path) -> None:
    """Make the cache an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def stopped_by(number: signal.Signals, *, group: bool) -> Fault:
    """The run gets a signal: it alone, or all its processes (as a terminal does it)."""

    def fault(bench: Bench, chance: random.Random) -> Verdict:
        empty(bench.cache)
        process = bench.start("app")
        if not wait(bench, chance, process):
            return None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number) if group else process.send_signal(number)
        if number == signal.SIGKILL:
            ended = finish(process)
            return ["processes left"] if ended.left else []
        limit = HANGS if number != signal.SIGPIPE else 2.0  # a program that ignores it goes on, which is not hanging
        ended = finish(process, limit)
        if number == signal.SIGPIPE and ended.code is None:
            return ["goes on"]
        return [*ended.complaints(code=lambda code: code == -number, soon=SOON), *broken_cache(bench)]

    return fault


def broken_cache(bench: Bench) -> list[str]:
    """Whether a run of ours has left half a file in its cache, or a temporary one."""
    if bench.tool.name != OURS:
        return []
    for path in bench.cache.iterdir() if bench.cache.is_dir() else ():
        try:
            if path.suffix == ".json":
                json.loads(path.read_text())
            elif path.is_dir():  # facts, each under the digest of its content
                if any(not RECORD.fullmatch(entry.name) for entry in path.glob("*/*")):
                    return ["a temporary file among the facts"]
            elif path.name not in ("CACHEDIR.TAG", ".gitignore"):
                return ["a temporary file in the cache"]
        except ValueError:
            return ["a broken cache"]
    return []


def worker_killed(bench: Bench, chance: random.Random) -> Verdict:
    """One worker process is killed: the run ends all the same, says so, and keeps all other results."""
    if not bench.tool.workers:
        return ["–"]
    slow = window(bench) > 0.9 * WINDOW and bench.tool.name != OURS  # it would take minutes to tell whether it hangs
    path, limit = ("few", patience(bench)) if slow else ("app", HANGS_ON_DEATH)
    usual = reference(bench, path)
    empty(bench.cache)
    process = bench.start(path)
    until = time.monotonic() + WINDOW
    while not (found := workers(process)) and time.monotonic() < until and process.poll() is None:
        time.sleep(0.005)
    time.sleep(chance.uniform(0, min(window(bench) / 2, usual.seconds / 4)))
    found = workers(process)
    if not found or process.poll() is not None:
        end(process)
        return None
    with contextlib.suppress(ProcessLookupError):
        os.kill(chance.choice(found), signal.SIGKILL)
    ended = finish(process, limit)
    return ended.complaints(code=lambda code: code > 0, soon=limit) + told_of_death(bench, ended)


def workers(process: subprocess.Popen[bytes]) -> list[int]:
    """The processes that a run has started, without the one that only watches over others."""
    found = []
    for pid in session(process.pid):
        with contextlib.suppress(OSError):
            if pid != process.pid and b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def told_of_death(bench: Bench, ended: Ended) -> list[str]:
    """Ours: one message, which names a file, exit code 2, and nothing else is lost; or nothing was in hand, and all is as ever."""
    if bench.tool.name != OURS:
        return []
    whole, said = lines(reference(bench, "app")), lines(ended)
    lost = {line for line in whole - said if not line.startswith("Found ")}
    told = [line for line in said - whole if "SHD904" in line]
    if lost or len(told) > 1:
        return ["findings lost" if lost else "told more than once"]
    return [] if ended.code == (2 if told else reference(bench, "app").code) else [f"exit code {ended.code}"]


_REFERENCES: dict[tuple[str, tuple[str, ...]], Ended] = {}


def reference(bench: Bench, *paths: str) -> Ended:
    """A run that nothing happens to."""
    key = (bench.tool.name, paths)
    if key not in _REFERENCES:
        empty(bench.cache)
        _REFERENCES[key] = run(bench, *paths, limit=10 * HANGS_ON_DEATH)
        empty(bench.cache)
    return _REFERENCES[key]


def files_vanish(bench: Bench, chance: random.Random) -> Verdict:
    """Half of the files are removed meanwhile: the run ends, and not with a traceback."""
    return _files_change(bench, chance, lambda path: path.unlink())


def files_change(bench: Bench, chance: random.Random) -> Verdict:
    """Half of the files are cut short meanwhile."""
    return _files_change(bench, chance, lambda path: path.write_bytes(path.read_bytes()[: chance.randrange(200)]))


def _files_change(bench: Bench, chance: random.Random, change: Callable[[Path], object]) -> Verdict:
    copy = bench.tree / "copy"
    shutil.copytree(bench.tree / "app", copy)
    empty(bench.cache)
    process = bench.start("copy")
    try:
        if not wait(bench, chance, process):
            return None
        files = sorted(copy.rglob("*.py"))
        for path in chance.sample(files, len(files) // 2):
            change(path)
        if window(bench) >= WINDOW * 0.9:  # a slow tool: what it does with the files shows soon enough
            ended = finish(process, 2 * HANGS)
            return [word for word in ended.complaints(code=lambda _: True, soon=HANGS_ON_DEATH) if word != "hangs"]
        return finish(process, HANGS_ON_DEATH).complaints(code=lambda code: code > 0, soon=HANGS_ON_DEATH)
    finally:
        end(process)
        shutil.rmtree(copy)


# --- output ----------------------------------------------------------------------------------------------------------


def closed_stdout(bench: Bench, chance: random.Random) -> Verdict:
    """Nothing can be printed: that is told, and is no success."""
    return _output(bench, lambda: os.close(1), None)


def full_stdout(bench: Bench, chance: random.Random) -> Verdict:
    """The disk on which stdout is to be stored is full."""
    with open("/dev/full", "wb") as full:
        return _output(bench, None, full)


def patience(bench: Bench) -> float:
    """Seconds after which a run on few files is no longer slow, but hangs."""
    return max(HANGS_ON_DEATH, 5 * reference(bench, "few").seconds)


def _output(bench: Bench, before: Callable[[], object] | None, stdout: Any) -> Verdict:
    with tempfile.TemporaryFile() as errors:
        limit = patience(bench)
        process = bench.start("few", stdout=stdout, stderr=errors, preexec_fn=before)
        ended = finish(process, limit)
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace")
    return ended._replace(said=said).complaints(code=lambda code: code > 0, soon=limit)


def reader_leaves(bench: Bench, chance: random.Random) -> Verdict:
    """Whoever reads the output leaves after a line (``| head -1``): no word about it, and an end by SIGPIPE or without error."""
    reader, writer = os.pipe()
    limit = patience(bench)
    with tempfile.TemporaryFile() as errors:
        process = bench.start("few", stdout=writer, stderr=errors)
        os.close(writer)
        if bench.tool.name != "black":  # which prints nothing there
            os.read(reader, 1)
        os.close(reader)
        ended = finish(process, limit)
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace")
    accepted = (0, -signal.SIGPIPE, 128 + signal.SIGPIPE, reference(bench, "few").code)
    return ended._replace(said=said).complaints(code=lambda code: code in accepted, soon=limit)


def terminal(bench: Bench, chance: random.Random) -> Verdict:
    """Ctrl-C typed on a terminal: its modes are as before, and the cursor is there."""
    empty(bench.cache)
    master, slave = pty.openpty()
    try:
        before = termios.tcgetattr(slave)
        process = bench.start("app", stdin=slave, stdout=slave, stderr=slave, preexec_fn=lambda: _control(0))
        until, said = time.monotonic() + chance.uniform(BEGIN * 4, window(bench)), bytearray()
        while time.monotonic() < until and process.poll() is None:
            _drain(master, said, 0.01)
        if process.poll() is not None:
            return None
        os.write(master, b"\x03")
        begun = time.monotonic()
        while process.poll() is None and time.monotonic() - begun < HANGS:
            _drain(master, said, 0.01)
        _drain(master, said, 0.1)
        wrong = [] if termios.tcgetattr(slave) == before else ["modes changed"]
        hidden = said.rfind(b"\x1b[?25l") > said.rfind(b"\x1b[?25h")
        last = bytes(said).rpartition(b"\n")[2].rpartition(b"\x1b[K")[2].replace(b"^C", b"").strip()
        wrong += ["hangs"] if process.poll() is None else []
        wrong += ["cursor hidden"] if hidden else []
        return wrong + (["half a line left"] if bench.tool.name == OURS and last else [])
    finally:
        end(process)
        os.close(master)
        os.close(slave)


def _control(handle: int) -> None:
    import fcntl

    fcntl.ioctl(handle, termios.TIOCSCTTY, 0)


def _drain(handle: int, said: bytearray, patience: float) -> None:
    if select.select([handle], [], [], patience)[0]:
        with contextlib.suppress(OSError):
            said += os.read(handle, 1 << 16)


# --- disk ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def mounted(folder: Path, *flags: str) -> Iterator[bool]:
    """Mount something on a folder for a while; whether that was possible."""
    done = subprocess.run(["mount", *flags, str(folder)], capture_output=True, check=False)
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", "-l", str(folder)], check=False)


def same(bench: Bench, ended: Ended) -> list[str]:
    """Whether a run found what it always finds; what it says besides is its own affair."""
    usual = reference(bench, "few")
    wrong = ended.complaints(code=lambda code: code == usual.code, soon=patience(bench))
    return wrong + (["findings lost"] if lines(usual) - lines(ended) and not wrong else [])


def disk_full(bench: Bench, chance: random.Random) -> Verdict:
    """The cache, and the folder for temporary files, are on a disk without room."""
    folder = bench.tree.parent / "full"
    folder.mkdir(exist_ok=True)
    with mounted(folder, "-t", "tmpfs", "-o", "size=64k", "none") as possible:
        if not possible:
            return ["–"]
        with contextlib.suppress(OSError), open(folder / "filler", "wb", buffering=0) as stream:
            while True:
                stream.write(b"x" * 4096)
        return same(bench, run(bench, "few", cache=folder / "cache", limit=patience(bench)))


def cache_unwritable(bench: Bench, chance: random.Random) -> Verdict:
    """Where the cache should be, there is a file."""
    place = bench.tree.parent / "file"
    place.touch()
    return same(bench, run(bench, "few", cache=place / "cache", limit=patience(bench)))


def tree_read_only(bench: Bench, chance: random.Random) -> Verdict:
    """Everything, the cache too, is on a disk that cannot be written to."""
    limit = patience(bench)  # before the cache folder of the usual run cannot be made
    with mounted(bench.tree, "--bind", str(bench.tree)) as possible:
        if not possible:
            return ["–"]
        again = ["mount", "-o", "remount,ro,bind", str(bench.tree)]
        if subprocess.run(again, capture_output=True, check=False).returncode:
            return ["–"]
        return same(bench, run(bench, "few", cache=bench.tree / "cache", limit=limit))


# --- the table -------------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """A line of the table; ``share`` is how many of the runs it gets (1: all, 0: one run)."""

    text: str
    fault: Fault
    share: float


ROWS = {
    "int": Row("Ctrl-C: SIGINT to all its processes", stopped_by(signal.SIGINT, group=True), 0.2),
    "term": Row("SIGTERM", stopped_by(signal.SIGTERM, group=False), 0.2),
    "term_group": Row("SIGTERM to all its processes", stopped_by(signal.SIGTERM, group=True), 0.2),
    "hup": Row("the terminal is closed: SIGHUP to all its processes", stopped_by(signal.SIGHUP, group=True), 0.2),
    "pipe": Row("SIGPIPE", stopped_by(signal.SIGPIPE, group=False), 0.2),
    "kill": Row("SIGKILL: no process is left", stopped_by(signal.SIGKILL, group=False), 0.1),
    "worker": Row("SIGKILL to one worker: ends, says so, exit code not 0", worker_killed, 0.1),
    "terminal": Row("Ctrl-C on a terminal: it is left as it was", terminal, 0.05),
    "vanish": Row("half of the files are removed meanwhile", files_vanish, 0.05),
    "change": Row("half of the files are cut short meanwhile", files_change, 0.05),
    "closed": Row("stdout is closed: exit code not 0, no traceback", closed_stdout, 0),
    "full": Row("stdout is full: exit code not 0, no traceback", full_stdout, 0),
    "reader": Row("the reader of stdout leaves (`\\| head -1`): no traceback", reader_leaves, 0),
    "disk": Row("no room for the cache: same findings, same exit code", disk_full, 0),
    "cache": Row("the cache cannot be written: same findings, same exit code", cache_unwritable, 0),
    "readonly": Row("read-only tree: same findings, same exit code", tree_read_only, 0),
}


def measure(bench: Bench, row: Row, runs: int, seed: int) -> str:
    """The cell of the table: how many runs went well of how many, and what went wrong in the others."""
    number, chance = max(1, round(runs * row.share)), random.Random(f"{seed}:{row.text}")
    verdicts: list[list[str]] = []
    for _ in range(5 * number):  # those that were over too early are done again
        verdict = row.fault(bench, chance)
        if verdict is not None:
            verdicts.append(verdict)
        if len(verdicts) == number:
            break
    if not verdicts or ["–"] in verdicts:
        return "–"
    wrong = Counter(word for verdict in verdicts for word in verdict)
    told = ", ".join(word if times == number else f"{word} ({times})" for word, times in wrong.most_common(3))
    good = sum(not verdict for verdict in verdicts)
    return f"{'✓' if good == len(verdicts) else '✗'} {good} of {len(verdicts)}{': ' + told if told else ''}"


def make_tree(folder: Path) -> Path:
    """The files: packages of the standard library, below packages ``app`` and ``few``."""
    tree, library = folder / "tree", Path(os.__file__).parent
    hidden = shutil.ignore_patterns("__pycache__", "test", "tests", "idle_test")
    for name, packages in (("app", PACKAGES), ("few", FEW)):
        for package in packages:
            shutil.copytree(library / package, tree / name / package, ignore=hidden)
        (tree / name / "__init__.py").touch()
    return tree


def table(kept: dict[str, Any]) -> str:
    """The rows for the page, from what was measured."""
    names = [tool.name for tool in TOOLS if tool.name in kept]
    head = ["", *(f"{name} {kept[name]['version']}" for name in names)]
    rows = [[row.text, *(kept[name]["cells"].get(key, "–") for name in names)] for key, row in ROWS.items()]
    listed = [head, ["---"] * len(head), *rows]
    cells = kept.get(OURS, {}).get("cells", {})
    asking = (cells[key] for key in ("int", "term", "term_group", "hup", "pipe") if key in cells)
    asked = sum(int(cell.split(" of ")[1].split(":")[0]) for cell in asking)
    load = max((kept[name].get("load", 0.0) for name in names), default=0.0)
    note = (
        f"{asked} runs of ours were stopped by SIGINT, SIGTERM, SIGHUP or SIGPIPE. – stands for what a tool has not. Up to "
        f"{load:.0f} processes wanted the {os.cpu_count()} cores meanwhile: on a quiet machine, late ends are fewer.\n"
    )
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in listed) + f"\n{note}"


def main(given: Sequence[str]) -> int:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("programs", type=Path, metavar="TOOLS/bin")
    parser.add_argument("--tools", default=",".join(tool.name for tool in TOOLS))
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--runs", type=int, default=200, help="of ours, by signals (default: 200)")
    parser.add_argument("--theirs", type=int, default=50, help="of each of the others (default: 50)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dry", action="store_true", help="write nothing")
    options = parser.parse_args(given)
    # what is ignored here, as by nohup or a shell's background, all programs that are started would ignore
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, lambda number, _: sys.exit(128 + number))  # what is running is ended on the way out
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for tool in TOOLS:
        if tool.name not in options.tools.split(","):
            continue
        with tempfile.TemporaryDirectory(prefix="faults-") as name:
            bench = Bench(tool, options.programs.absolute(), make_tree(Path(name)), Path(name) / "cache", [])
            bench.cache.mkdir()
            cells = {}
            try:
                for key in options.rows.split(","):
                    runs = options.runs if tool.name == OURS else options.theirs
                    cells[key] = measure(bench, ROWS[key], runs, options.seed)
                    print(f"{tool.name:<14} {ROWS[key].text:<60} {cells[key]}", flush=True)
            finally:
                for process in bench.started:
                    end(process)
        old = kept.get(tool.name, {}).get("cells", {})
        kept[tool.name] = {
            "version": version(tool, bench.programs),
            "load": max(os.getloadavg()),
            "cells": {**old, **cells},
        }
        if not options.dry:  # after each tool: the whole takes long
            KEPT.parent.mkdir(exist_ok=True)
            KEPT.write_text(json.dumps(kept, indent=1))
            put(PAGE, PART, table(kept))
    ours = kept.get(OURS, {}).get("cells", {}) if OURS in options.tools.split(",") else {}
    return int(any(cell.startswith("✗") for cell in ours.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
