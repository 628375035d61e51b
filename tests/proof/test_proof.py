"""Safe fixes proven by running: each program is run as it is written, and again after its fix."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from shutdown_lint import engine, fixes
from shutdown_lint.settings import Settings

PROGRAMS = Path(__file__).parent / "programs"
HANG = 60  # seconds; far beyond what any of the programs takes

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


class Run(NamedTuple):
    """How a program ended: exit code (negative: by a signal), what it printed after ``ready``, its errors."""

    code: int
    out: str
    err: str


class Proof(NamedTuple):
    """A program, and how it ends before and after the fix; ``error`` is part of what is on stderr before."""

    program: str
    before: tuple[int, str]
    error: str
    after: tuple[int, str]
    flags: tuple[str, ...] = ()
    signum: int = 0
    unsafe: bool = False


PROOFS = (
    Proof("shd108_exit", (1, "nothing to do\n"), "NameError", (3, "nothing to do\n"), flags=("-S",)),
    Proof("shd208_task", (0, "workers alive: 0\n"), "Task was destroyed but it is pending", (0, "workers alive: 1\n")),
    Proof("shd309_atexit", (1, "summary [] !\n"), "TypeError", (0, "summary ['work'] !\n")),
    Proof("shd309_signal", (1, "cleanup\n"), "TypeError", (143, "cleanup\n"), signum=signal.SIGTERM),
    Proof("shd309_thread", (0, "upload 3 in MainThread\n"), "", (0, "upload 3 in worker\n"), unsafe=True),
    Proof("shd310_function", (1, ""), "TypeError", (143, "cleanup\n"), signum=signal.SIGTERM),
    Proof("shd310_function", (143, "cleanup\n"), "", (143, "cleanup\n"), signum=signal.SIGINT),
    Proof("shd310_method", (1, ""), "TypeError", (143, "cleanup\n"), signum=signal.SIGTERM),
    Proof("shd310_lambda", (1, "left\n"), "TypeError", (143, "left\n"), signum=signal.SIGTERM),
)


def _run(program: Path, flags: tuple[str, ...], signum: int) -> Run:
    """Run the program; send the signal, if there is one, as soon as it says that it is ready."""
    with subprocess.Popen(
        [sys.executable, *flags, str(program)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        first = process.stdout.readline() if signum and process.stdout else ""
        if first == "ready\n":
            process.send_signal(signum)
            first = ""
        try:
            out, err = process.communicate(timeout=HANG)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return Run(process.returncode, first + out, err)


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: f"{proof.program}-{proof.signum}")
def test_the_loss_is_there_before_the_fix_and_gone_after_it(
    proof: Proof, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Path(shutil.copy(PROGRAMS / f"{proof.program}.py", tmp_path))
    monkeypatch.chdir(tmp_path)
    before = _run(program, proof.flags, proof.signum)
    assert (before.code, before.out) == proof.before and proof.error in before.err

    settings = Settings(root=str(tmp_path), select=(proof.program[:6].upper(),), jobs=1)
    report = engine.check([program.name], settings)
    result = fixes.apply(report, [program.name], settings, unsafe=proof.unsafe)
    assert [item.code for item in result.fixed] == [proof.program[:6].upper()] and result.problems == ()

    after = _run(program, proof.flags, proof.signum)
    assert (after.code, after.out) == proof.after and after.err == ""


def test_every_program_is_proven() -> None:
    assert {proof.program for proof in PROOFS} == {path.stem for path in PROGRAMS.glob("*.py")}
