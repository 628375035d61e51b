"""Other linters beside ours: how each is started, so that all do as much as they can on the same files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

ROOT = Path(__file__).resolve().parent.parent
OURS = "shutdown-lint"

Command: TypeAlias = Callable[[Path, int, str], list[str]]  # folder of programs, processes, cache (empty: none)


class Tool(NamedTuple):
    """A linter: its command without paths, the variable that names its cache where no flag does, whether it has workers."""

    name: str
    command: Command
    cache_variable: str = ""
    workers: bool = True
    package: str = ""  # empty: called like the tool


def _ours(_folder: Path, jobs: int, cache: str) -> list[str]:
    remember = ["--cache-dir", cache] if cache else ["--no-cache"]
    return [*own_command(), "check", "--isolated", *remember, "--output-format", "concise", "--jobs", str(jobs)]


def own_command() -> list[str]:
    """The installed command of this interpreter's environment, or the checkout."""
    script = Path(sys.executable).with_name(OURS)
    return [str(script)] if script.exists() else [sys.executable, "-m", "shutdown_lint"]


def _ruff(folder: Path, jobs: int, cache: str) -> list[str]:
    remember = ["--cache-dir", cache] if cache else ["--no-cache"]
    rules = ["--select", "ALL", "--preview", "--output-format", "concise"]
    return [str(folder / "ruff"), "check", "--isolated", *rules, *remember]


def _flake8(folder: Path, jobs: int, cache: str) -> list[str]:
    return [str(folder / "flake8"), "--isolated", f"-j{jobs}"]


def _pylint(folder: Path, jobs: int, cache: str) -> list[str]:
    return [str(folder / "pylint"), "--rcfile=/dev/null", "--recursive=y", f"-j{jobs}"]


def _mypy(folder: Path, jobs: int, cache: str) -> list[str]:
    return [str(folder / "mypy"), "--config-file=", "--ignore-missing-imports", f"--cache-dir={cache or os.devnull}"]


def _fixit(folder: Path, jobs: int, cache: str) -> list[str]:
    return [str(folder / "fixit"), "lint"]


def _black(folder: Path, jobs: int, cache: str) -> list[str]:
    return [str(folder / "black"), "--check", "--quiet", "--config", os.devnull, f"--workers={jobs}"]


TOOLS = (
    Tool(OURS, _ours),
    Tool("ruff", _ruff, workers=False),
    Tool("flake8", _flake8),
    Tool("pylint", _pylint, "PYLINTHOME"),
    Tool("mypy", _mypy, workers=False),
    Tool("fixit", _fixit),
    Tool("black", _black, "BLACK_CACHE_DIR"),
)


def environment(tool: Tool, cache: str = "") -> dict[str, str]:
    """The environment without what would change how a Python program starts; ``ROOT`` is importable for ours."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYLINT"))}
    if tool.name == OURS:
        env["PYTHONPATH"] = str(ROOT)
    if tool.cache_variable and cache:
        env[tool.cache_variable] = cache
    return env


def version(tool: Tool, folder: Path) -> str:
    """The version that is installed."""
    if tool.name == OURS:
        from shutdown_lint import __version__

        return __version__
    ask = f"from importlib.metadata import version; print(version({tool.package or tool.name!r}))"
    done = subprocess.run([folder / "python", "-c", ask], capture_output=True, text=True, check=False)
    return done.stdout.strip()
