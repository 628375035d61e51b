"""docs/patterns: each program is started, told to stop, and does what its page says."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import shutdown_lint

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs/patterns"
PROGRAMS = sorted((FOLDER / "examples").glob("*.py"))
LIMIT = 20.0  # seconds that a program may take to come up, and to stop
SIGNALS = (signal.SIGTERM, signal.SIGINT)
pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at /proc for processes left behind")


def page_of(program: Path) -> str:
    return (FOLDER / f"{program.stem.replace('_', '-')}.md").read_text("utf-8")


def expected(program: Path) -> tuple[list[str], dict[signal.Signals, int]]:
    """What the page says that is printed, and the exit codes."""
    page = page_of(program)
    output = re.search(r"^\$ python \w+\.py\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    codes = re.search(r"^Exit code: (?:0 after both|(\d+) after SIGTERM, (\d+) after Ctrl-C)\.", page, re.MULTILINE)
    assert output and codes
    return output[1].splitlines(), dict(zip(SIGNALS, (int(code or 0) for code in codes.groups())))


def session(leader: int) -> set[int]:
    """The processes of a session that still run; those that have ended and are not yet reaped do not."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, _, sid = stat.read_text("latin-1").rpartition(")")[2].split()[:4]
            if int(sid) == leader and state not in "ZX":
                found.add(int(stat.parent.name))
    return found


def children(pid: int) -> set[int]:
    """The processes that this one has started, in whatever session."""
    with contextlib.suppress(OSError):
        return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    return set()


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text("latin-1").rpartition(")")[2].split()[0] not in "ZX"
    return False


@contextlib.contextmanager
def started(program: Path) -> Iterator[subprocess.Popen[str]]:
    """The program in a session of its own; whatever is left of it is killed in the end."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    process = subprocess.Popen(
        [sys.executable, str(program)],
        env=env,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell in the background may have left SIGINT ignored, which would be inherited
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    try:
        with process:
            try:
                yield process
            finally:
                for pid in session(process.pid):
                    with contextlib.suppress(OSError):
                        os.kill(pid, signal.SIGKILL)
    finally:
        process.wait(LIMIT)


def read_until_ready(process: subprocess.Popen[str], lines: set[str]) -> list[str]:
    """The lines up to the one that says `ready`, and those that come by themselves."""
    assert process.stdout
    got: list[str] = []
    while "ready" not in got or not lines <= set(got):
        line = process.stdout.readline()
        assert line, f"ended before it was ready: {got}"
        got.append(line.rstrip("\n"))
    return got


def settled(process: subprocess.Popen[str], kept: set[int]) -> bool:
    """Whether all processes are gone; the helpers of multiprocessing may need a moment."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if not session(process.pid) and not any(map(alive, kept)):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("signum", SIGNALS, ids=lambda signum: signum.name)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_programs_stop_as_their_page_says(program: Path, signum: signal.Signals) -> None:
    output, codes = expected(program)
    before = {line for line in output if line.endswith(": up") or line.startswith("did ")}
    with started(program) as process:
        got = read_until_ready(process, before)
        time.sleep(0.1)
        offspring = children(process.pid)
        process.send_signal(signum)
        out, err = process.communicate(timeout=LIMIT)
        got += out.splitlines()
        assert (sorted(got), got[-1]) == (sorted(output), output[-1])
        assert process.returncode == codes[signum]
        assert err == ""
        assert settled(process, offspring)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_the_linter_finds_nothing(program: Path) -> None:
    every = sorted(page.stem for page in ROOT.glob("docs/rules/SHD*.md"))
    assert len(every) > 50
    assert not shutdown_lint.check([program], {"select": every}).findings


def test_each_program_is_on_a_page_that_the_index_names() -> None:
    index = (FOLDER / "index.md").read_text("utf-8")
    for program in PROGRAMS:
        assert f"<!-- include: examples/{program.name} -->" in page_of(program)
        assert f"]({program.stem.replace('_', '-')}.md)" in index
    assert len(PROGRAMS) == len(list(FOLDER.glob("*.md"))) - 1


def test_rules_are_named_as_they_are_called() -> None:
    index = (ROOT / "docs/rules/index.md").read_text("utf-8")
    for program in PROGRAMS:
        named = re.findall(r"^\| \[(SHD\d+)\]\(\.\./rules/\1\.md\) \| ([\w-]+) \|$", page_of(program), re.MULTILINE)
        assert named
        assert all(f"| [{code}]({code}.md) | {name} |" in index for code, name in named)


def test_pages_show_the_files_as_they_are() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/pages.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr} (python scripts/pages.py writes it)"
