"""Programs that prove fixes, what is declared in them, and how they are run.

A program in ``tests/proof/programs`` is named ``shdNNN_case.py``. Lines that begin with ``#|`` are TOML:

    #| shows = "what is lost or hangs, in a few words"
    #| [[run]]
    #| signal = "SIGTERM"                     # sent when the program has written `ready`
    #| before = { hang = true }               # still there after HANG_SEEN seconds
    #| after = { code = 143, out = "cleanup" }

A run has ``args`` and interpreter ``flags``; ``before`` and ``after`` hold the exit ``code`` (negative: by a signal), what
is printed besides ``ready`` (``out``), a part of what is on stderr (``err``; nothing may be there unless it is named), and
``files`` that are then in the folder, with their content. A run without ``after`` must go the same way before and after
the fix. ``unsafe = true`` marks a proof of an unsafe fix.

A program in ``tests/proof/counter`` is named alike and shows why a fix has preconditions: there must be no fix in it. Its
``reason`` is what the verbose output says (empty: the rule does not speak at all).

What is no Python stands in folders, ``tests/proof/deployed`` and ``deployed_counter``, with the same declarations in a file
``proof.toml``. ``starts`` names the deployment file whose first unit is run, as the platform would do it, beside ``app.py``. A run has
an ``env`` there.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import tomli

FOLDER = Path(__file__).parent / "proof"
HANG_SEEN = 1.2  # seconds; what does not hang is through long before
LIMIT = 40  # seconds; only a machine in trouble gets there
_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


class Run(NamedTuple):
    """One way to run a program, and how it must end before and after the fix."""

    signal: str
    args: tuple[str, ...]
    flags: tuple[str, ...]
    env: dict[str, str]
    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def is_same(self) -> bool:
        """Whether this way is not touched by the hazard."""
        return self.before == self.after


class Proof(NamedTuple):
    """A program with its runs; of a folder, the file that says what is started."""

    path: Path
    code: str
    shows: str
    unsafe: bool
    runs: tuple[Run, ...]
    starts: str = ""


class Counter(NamedTuple):
    """A program in which a fix would do harm."""

    path: Path
    code: str
    reason: str


class Ending(NamedTuple):
    """How a program ended: ``code`` is None when it hung; its output without ``ready``, its errors."""

    code: int | None
    out: str
    err: str


def proofs() -> list[Proof]:
    """All programs that prove fixes, by name."""
    return [_proof(path) for path in sorted((FOLDER / "programs").glob("shd*.py"))]


def counters() -> list[Counter]:
    """All programs in which no fix may be offered."""
    paths = sorted((FOLDER / "counter").glob("shd*.py"))
    return [Counter(path, path.name[:6].upper(), _declared(path)["reason"]) for path in paths]


def deployed() -> list[Proof]:
    """All folders that prove fixes in deployment files, by name."""
    return [_proof(path.parent) for path in sorted((FOLDER / "deployed").glob("shd*/proof.toml"))]


def deployed_counters() -> list[Counter]:
    """All folders in which no fix may be offered."""
    paths = sorted(path.parent for path in (FOLDER / "deployed_counter").glob("shd*/proof.toml"))
    return [Counter(path, path.name[:6].upper(), _declared(path)["reason"]) for path in paths]


def _declared(path: Path) -> dict[str, Any]:
    if path.is_dir():
        return tomli.loads((path / "proof.toml").read_text("utf-8"))
    lines = [line[2:] for line in path.read_text("utf-8").splitlines() if line.startswith("#|")]
    return tomli.loads("\n".join(lines))


def _proof(path: Path) -> Proof:
    declared = _declared(path)
    runs = tuple(
        Run(
            run.get("signal", ""),
            tuple(run.get("args", ())),
            tuple(run.get("flags", ())),
            run.get("env", {}),
            run["before"],
            run.get("after", run["before"]),
        )
        for run in declared["run"]
    )
    return Proof(
        path, path.name[:6].upper(), declared["shows"], declared.get("unsafe", False), runs, declared.get("starts", "")
    )


# --- running ---------------------------------------------------------------------------------------------------------


def ending(program: Path, run: Run, *, may_hang: bool) -> Ending:
    """Run the program in its folder; nothing of it, or of what it started, is left behind."""
    return ending_of(
        [sys.executable, "-B", *run.flags, str(program), *run.args], program.parent, run, may_hang=may_hang
    )


def ending_of(command: list[str], folder: Path, run: Run, *, may_hang: bool) -> Ending:
    """The same for any command; ``python`` is this one."""
    path = os.pathsep.join((os.path.dirname(sys.executable), _ENVIRONMENT.get("PATH", os.defpath)))
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env={**_ENVIRONMENT, "PATH": path, **run.env},
        cwd=folder,
        start_new_session=True,
    ) as process:
        out, err = _Lines(process.stdout), _Lines(process.stderr)
        try:
            return _followed(process, run, out, err, HANG_SEEN if may_hang else LIMIT)
        finally:
            _end_group(process)


class _Lines:
    """The lines of a pipe, read by a thread, so that no wait for them is without a limit."""

    def __init__(self, pipe: IO[str] | None) -> None:
        assert pipe is not None
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def _read(self, pipe: IO[str]) -> None:
        for line in pipe:
            self._lines.put(line)
        self._lines.put("")

    def first(self) -> str:
        """The next line; empty at the end of the output."""
        try:
            return self._lines.get(timeout=LIMIT)
        except queue.Empty:
            return ""

    def rest(self) -> str:
        """What came until now; once the program has ended, all of it."""
        self._thread.join(timeout=1)
        return "".join(self._lines.get() for _ in range(self._lines.qsize()))


def _followed(process: subprocess.Popen[str], run: Run, out: _Lines, err: _Lines, limit: float) -> Ending:
    first = ""
    while line := out.first():
        if line == "ready\n":
            if run.signal:
                process.send_signal(signal.Signals[run.signal])
            break
        first += line
    try:
        code: int | None = process.wait(timeout=limit)
    except subprocess.TimeoutExpired:
        code = None
    _end_group(process)
    return Ending(code, first + out.rest(), err.rest())


def _end_group(process: subprocess.Popen[str]) -> None:
    """Children of the program may hold its pipes; the group is the program's own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait(timeout=LIMIT)


def differences(ended: Ending, expected: dict[str, Any], folder: Path) -> Iterator[str]:
    """In what the ending is not as expected."""
    if (ended.code is None) != expected.get("hang", False):
        yield "it hung" if ended.code is None else f"it did not hang, code {ended.code}"
    if ended.code is not None and ended.code != expected.get("code", 0):
        yield f"code {ended.code}, not {expected.get('code', 0)}"
    if [*expected.get("out", "").split("\n")] != [*ended.out.rstrip("\n").split("\n")]:
        yield f"printed {ended.out!r}, not {expected.get('out', '')!r}"
    if expected.get("err", "") not in ended.err or bool(ended.err) != bool(expected.get("err")):
        if ended.code is not None:
            yield f"errors {ended.err!r}, not {expected.get('err', '')!r}"
    for name, content in expected.get("files", {}).items():
        found = (folder / name).read_text("utf-8") if (folder / name).exists() else None
        if found != (None if content is False else content):
            yield f"{name} holds {found!r}, not {content!r}"


# --- the table of the docs -------------------------------------------------------------------------------------------


def table() -> str:
    """Rules by fixtures, what is seen before the fix, and after it."""
    rows = ["| rule | fix | programs | runs | before | after |\n|---|---|---|---|---|---|\n"]
    found = [*proofs(), *deployed()]
    for code in sorted({proof.code for proof in found}):
        for unsafe in (False, True):
            its = [proof for proof in found if proof.code == code and proof.unsafe == unsafe]
            if its:
                rows.append(_row(code, unsafe, its))
    return "".join(rows)


def _row(code: str, unsafe: bool, its: list[Proof]) -> str:
    runs = [run for proof in its for run in proof.runs]
    hit = [run for run in runs if not run.is_same]
    before = dict.fromkeys([*(proof.shows for proof in its), *(f"{_end(run.before)}" for run in hit)])
    after = dict.fromkeys(_end(run.after) for run in hit)
    link, kind = f"[{code}](rules/{code}.md)", "unsafe" if unsafe else "safe"
    return f"| {link} | {kind} | {len(its)} | {len(runs)} | {'; '.join(before)} | {'; '.join(after)} |\n"


def _end(expected: dict[str, Any]) -> str:
    if expected.get("hang"):
        return "hangs"
    lines = " / ".join(expected.get("out", "").split("\n"))
    return f"exit {expected.get('code', 0)}" + (f", prints `{lines}`" if lines else ", prints nothing")
