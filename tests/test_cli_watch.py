"""``--watch``: a run for each change, an end by the signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty, Queue

import pytest
from command import BAD, COMMAND, make_project, started

from shutdown_lint.cli import main

LIMIT = 60  # seconds
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_project(tmp_path, monkeypatch)


class Lines:
    """The output of a process, line by line, as it comes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._queue: Queue[str] = Queue()
        assert process.stdout is not None
        stream = process.stdout
        reader = threading.Thread(target=lambda: [self._queue.put(line.decode()) for line in stream], daemon=True)
        reader.start()

    def until(self, text: str) -> list[str]:
        """The lines up to the one that holds the text."""
        seen: list[str] = []
        try:
            while not seen or text not in seen[-1]:
                seen.append(self._queue.get(timeout=LIMIT))
        except Empty:
            raise AssertionError(f"{text!r} did not come after {seen}") from None
        return seen


@posix
def change(path: Path, text: str) -> None:
    """As an editor writes: nobody sees the file half written, or empty."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text)
    part.replace(path)


def test_each_change_is_checked_and_a_signal_ends_it(project: Path) -> None:
    with started(sys.executable, "-c", WRAPPED, *COMMAND[1:], ".", "--watch", "--output-format", "concise") as process:
        lines = Lines(process)
        assert lines.until("watching")[0].startswith("bad.py:5:9 SHD107")
        change(project / "bad.py", "x = 1\n")
        assert lines.until("watching")[0] == "No findings in 2 files\n"
        change(project / "new.py", BAD)
        assert lines.until("watching")[0].startswith("new.py:5:9 SHD107")
        change(project / "pyproject.toml", "[tool.shutdown-lint]\nslect = []\n")
        assert "unknown key `slect`" in lines.until("watching")[0]
        change(project / "pyproject.toml", "[tool.shutdown-lint]\nignore = ['SHD107']\n")
        assert lines.until("watching")[0] == "No findings in 3 files\n"
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(LIMIT) == -signal.SIGINT


# stderr among stdout, in the process that is to be signalled
WRAPPED = "import os, sys; os.dup2(1, 2); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"


@pytest.mark.parametrize("flag", ["--fix", "--diff", "--add-noqa", "--show-files"])
def test_watching_only_checks(project: Path, capsys: pytest.CaptureFixture[str], flag: str) -> None:
    assert main([".", "--watch", flag]) == 2
    assert "--watch only checks files" in capsys.readouterr().err


def test_a_wrong_configuration_at_the_begin_ends_it(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.shutdown-lint\n")
    assert main([".", "--watch"]) == 2
