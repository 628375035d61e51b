"""Compare a cold run of shutdown-lint with plain flake8 on the same files: CPU seconds, wall clock, ratios.

    python benchmarks/cold.py FOLDER...             both with two jobs, all folders in one run each
    python benchmarks/cold.py --jobs 1 FOLDER...
    python benchmarks/cold.py --repeat 3 FOLDER...  the runs take turns; the least of each is shown

CPU seconds include all worker processes, so that they compare on a machine that others use too; the wall clock does
not. Caches are off, configuration of the folders is ignored, findings are counted and thrown away. Both run from
bytecode, as installed programs do.
"""

from __future__ import annotations

import argparse
import compileall
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple


class Cost(NamedTuple):
    """What one run took, and the lines that it printed."""

    cpu: float
    wall: float
    lines: int


def plain_flake8(folder: Path) -> Path:
    """Link flake8 and what it needs into a folder, without the plugins that are installed beside it (ours, above all)."""
    for name in ("flake8", "mccabe", "pycodestyle", "pyflakes"):
        for file in distribution(name).files or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (folder / top).exists():
                (folder / top).symlink_to(Path(str(distribution(name).locate_file(top))).resolve())
    return folder


def write_bytecode() -> None:
    """What an installation does: in a checkout under ``PYTHONDONTWRITEBYTECODE`` we would compile ourselves in each run."""
    import shutdown_lint

    compileall.compile_dir(Path(shutdown_lint.__file__).parent, quiet=2)
    for name in ("flake8", "mccabe", "pycodestyle", "pyflakes"):
        for file in distribution(name).files or ():
            if file.suffix == ".py":
                compileall.compile_file(Path(str(file.locate())), quiet=2)


def commands(folders: Sequence[str], jobs: int, flake8: Path) -> dict[str, list[str]]:
    """The command lines by name."""
    python = sys.executable
    start = f"import sys; sys.path.insert(0, {str(flake8)!r}); from flake8.main import cli; sys.exit(cli.main())"
    ours = [
        python,
        "-m",
        "shutdown_lint",
        "check",
        "--isolated",
        "--no-cache",
        "--output-format",
        "concise",
        "--jobs",
        str(jobs),
    ]
    return {
        "shutdown-lint": [*ours, *folders],
        "flake8": [python, "-S", "-c", start, "--isolated", f"-j{jobs}", *folders],
    }


def measure(command: Sequence[str]) -> Cost:
    """Run a command to its end; its children's CPU time counts."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1, 2):
        raise SystemExit(f"{command[:3]} ended with {done.returncode}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu, wall, done.stdout.count(b"\n"))


def main(given: Sequence[str]) -> int:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=1)
    options = parser.parse_args(given)
    best: dict[str, Cost] = {}
    with TemporaryDirectory() as folder:
        write_bytecode()
        runs = commands(options.folders, options.jobs, plain_flake8(Path(folder)))
        for _ in range(options.repeat):
            for name, command in runs.items():
                cost = measure(command)
                best[name] = min(best.get(name, cost), cost)
    ours, theirs = best["shutdown-lint"], best["flake8"]
    for name, cost in best.items():
        print(f"{name:<14} {cost.cpu:8.2f} s CPU {cost.wall:8.2f} s wall {cost.lines:8} lines printed")
    print(f"{'flake8 / ours':<14} {theirs.cpu / ours.cpu:8.2f} × CPU {theirs.wall / ours.wall:8.2f} × wall")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
