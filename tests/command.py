"""Running the command line in tests: a small project, and the tool as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

BAD = "def f():\n    try:\n        g()\n    finally:\n        return 1\n"  # SHD107 at 5:9
COMMAND = [sys.executable, "-m", "shutdown_lint"]
LIMIT = 120  # seconds: a hang, not a slow machine


def make_project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a finding in ``bad.py`` and none in ``good.py``; the current folder."""
    (folder / "pyproject.toml").write_text("[tool.shutdown-lint]\n")
    (folder / "bad.py").write_text(BAD)
    (folder / "good.py").write_text("x = 1\n")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SHUTDOWN_LINT_CACHE_DIR", f"{folder}-cache")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "SHUTDOWN_LINT_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    return folder


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """The tool's whole run, in the environment that Python knows: readline sets COLUMNS past it, and pytest loads that."""
    options.setdefault("env", dict(os.environ))
    return subprocess.run([*COMMAND, *arguments], capture_output=True, timeout=LIMIT, check=False, **options)


@contextmanager
def started(*command: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A running program with pipes; it does not outlive the block, whatever becomes of the test."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
