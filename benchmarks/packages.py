"""Lint well-known packages and CPython's own library with its tests: no internal error, and no file that takes long.

    python benchmarks/packages.py                  all, and the table in docs/robustness.md anew
    python benchmarks/packages.py NAME...          these only ("cpython" is the standard library); nothing is written
    python benchmarks/packages.py --work FOLDER    keep the packages there (default: the user's cache folder)
    python benchmarks/packages.py --jobs 2         so many packages at a time (default: 1)

The packages are those of ``benchmarks/packages.txt``, downloaded as wheels by pip, unpacked, and never installed or
imported. Each is linted by one process, so that the seconds of a file are its own: reading it, and asking all rules. The
exit code is 1 when there is an internal error (SHD904), a process dies, or a file takes longer than ``LIMIT``.

What is found is not shown and not kept: these packages are for errors of the linter, not for judging its rules.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from corpus import default_work, fetch  # noqa: E402
from writing import put  # noqa: E402

LIST = ROOT / "benchmarks" / "packages.txt"
PAGE, PART = ROOT / "docs" / "robustness.md", "benchmarks/packages.py"
LIMIT = 20.0  # seconds, for one file
CPYTHON = "cpython"
_NOT_READ = ("SHD900", "SHD901", "SHD902", "SHD903")


class Outcome(NamedTuple):
    """A package after a run; ``slowest`` is the file that took the most seconds, ``errors`` are what must not be."""

    name: str
    files: int
    lines: int
    not_read: int
    seconds: float
    slowest: tuple[str, float]
    megabytes: int
    errors: tuple[str, ...]


def requirements() -> dict[str, str]:
    """Names and versions."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", LIST.read_text(), re.MULTILINE))


def place(name: str, work: Path) -> tuple[Path, list[str]]:
    """The folder of a package, and what is to be left out there."""
    if name == CPYTHON:
        return Path(os.__file__).parent, ["site-packages"]
    # whether the package runs on this Python does not matter: nobody runs it
    return fetch(name, requirements()[name], work, "--ignore-requires-python"), []


# --- in the process of a package ---------------------------------------------------------------------------------------


class Clock:
    """How many seconds of processor time each file took: from when it is named to when the next one is."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._path, self._since = "", 0.0

    def note(self, path: str) -> None:
        """The file that is looked at next; empty: none."""
        now = time.process_time()
        if self._path:
            self.seconds[self._path] = self.seconds.get(self._path, 0.0) + now - self._since
        self._path, self._since = path, now


def lint(folder: str, left_out: list[str]) -> dict[str, Any]:
    """What is to be told of one package, as JSON has it."""
    from shutdown_lint import analysis, engine, inputs, schedule
    from shutdown_lint.settings import Settings

    clock, analyse = Clock(), analysis.analyse

    def timed(part: Any, context: Any, known: Any, _note: Callable[[str], object] = str) -> Any:
        result = analyse(part, context, known, clock.note)
        clock.note("")
        return result

    schedule.analyse = timed
    os.chdir(folder)
    os.environ["SHUTDOWN_LINT_TRACEBACK"] = "1"
    settings = Settings(root=".", select=("ALL",), extend_exclude=tuple(left_out), jobs=1)
    begun = time.process_time()
    report = engine.check(["."], settings)
    seconds = time.process_time() - begun
    files = [path for path in inputs.files_of(["."], settings) if path.endswith((".py", ".pyw", ".pyi"))]
    return {
        "files": report.files,
        "lines": sum(Path(path).read_bytes().count(b"\n") for path in files),
        "not_read": sum(finding.code in _NOT_READ for finding in report.findings),
        "seconds": seconds,
        "slowest": max(clock.seconds.items(), key=lambda item: item[1], default=("", 0.0)),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "errors": [f"{f.path}: {f.message}\n{f.help}" for f in report.findings if f.code == "SHD904"],
    }


# --- all packages -----------------------------------------------------------------------------------------------------


def look(name: str, work: Path) -> Outcome:
    """Lint a package in a process of its own, which it may be the end of."""
    folder, left_out = place(name, work)
    command = [sys.executable, str(Path(__file__).resolve()), "--one", str(folder), *left_out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        told = f"exit code {done.returncode}: {done.stderr[-3000:]}"
        return Outcome(name, 0, 0, 0, 0.0, ("", 0.0), 0, (told,))
    found = json.loads(done.stdout)
    slowest = (str(found["slowest"][0]), float(found["slowest"][1]))
    errors = (*found["errors"], *([f"{slowest[0]}: takes {slowest[1]:.0f} s"] if slowest[1] > LIMIT else []))
    outcome = Outcome(name, **{**found, "slowest": slowest, "errors": errors})
    print(
        f"{name:<20} {outcome.files:>6} files {outcome.seconds:>7.1f} s  {len(errors)} errors",
        file=sys.stderr,
        flush=True,
    )
    return outcome


def table(outcomes: Sequence[Outcome], versions: dict[str, str]) -> str:
    """The table of the page."""
    rows = [
        (
            f"{found.name} {versions.get(found.name, '.'.join(map(str, sys.version_info[:3])))}",
            f"{found.files:,}",
            f"{found.lines:,}",
            str(found.not_read),
            str(len(found.errors)),
            f"{found.slowest[1]:.1f} s",
        )
        for found in outcomes
    ]
    total = (
        f"**{len(outcomes)} packages**",
        f"{sum(found.files for found in outcomes):,}",
        f"{sum(found.lines for found in outcomes):,}",
        str(sum(found.not_read for found in outcomes)),
        str(sum(len(found.errors) for found in outcomes)),
        f"{max(found.slowest[1] for found in outcomes):.1f} s",
    )
    head = ("package", "files", "lines", "not read", "errors", "slowest file")
    lines = [head, ("---", *["---:"] * (len(head) - 1)), total, *rows]
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n"


def main(given: Sequence[str]) -> int:
    """See the module's docstring."""
    if given[:1] == ["--one"]:
        print(json.dumps(lint(given[1], list(given[2:]))))
        return 0
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("packages", nargs="*", metavar="NAME", help="(default: all)")
    parser.add_argument("--work", type=Path, default=default_work())
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args(given)
    versions = requirements()
    names = options.packages or [CPYTHON, *versions]
    if unknown := [name for name in names if name != CPYTHON and name not in versions]:
        parser.error(f"not in {LIST.name}: {', '.join(unknown)}")
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(lambda name: look(name, options.work), names))
    print(table(outcomes, versions))
    for found in outcomes:
        print("".join(f"{found.name}: {error}\n" for error in found.errors), end="")
    if not options.packages:
        put(PAGE, PART, table(outcomes, versions))
    return int(any(found.errors for found in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
