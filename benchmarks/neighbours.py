"""Time and memory of shutdown-lint beside other linters on the same files, and how both grow with the number of lines.

    python benchmarks/neighbours.py              all: docs/benchmarks.md and its plot anew (an hour; a quiet machine)
    python benchmarks/neighbours.py --large      the plot up to five million lines (else up to one million)
    python benchmarks/neighbours.py --small      a few files, to see that it works; writes nothing
    python benchmarks/neighbours.py --work DIR   keep packages and tools there (default: the user's cache folder)

One command: it downloads the pinned packages (scripts/corpus.py) and installs the other linters by
requirements/neighbours.txt into an environment of their own. All tools of one comparison look at the same files one after
the other, several times, and the least time of each counts. *cold* is without any cache, *warm* with one that a run
on the same files has filled, for tools that have one. With one job a tool has one core (``sched_setaffinity``), whatever it
thinks of that.

Large trees are made of the same packages, again and again under other names, so that nothing in them is shared.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import log
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks"), str(ROOT / "scripts")]

from cold import write_bytecode  # noqa: E402
from corpus import PACKAGES, default_work, fetch  # noqa: E402
from plot import plot  # noqa: E402
from tools import OURS, own_command  # noqa: E402
from writing import put  # noqa: E402

PAGE, PART = ROOT / "docs" / "benchmarks.md", "benchmarks/neighbours.py"
PLOT = ROOT / "docs" / "images" / "benchmarks.svg"
LOCKED = ROOT / "requirements" / "neighbours.txt"
CORPUS = ("apscheduler", "dramatiq", "gunicorn", "rq", "uvicorn")
SIZES = (1_000, 10_000, 100_000, 1_000_000)
LARGE = (*SIZES, 5_000_000)
OTHERS_UP_TO = {"ruff": 5_000_000, "flake8": 100_000}  # lines; slower ones would take days
FILES, CHANGED = 10_000, 5


class Cost(NamedTuple):
    """What a run took: wall clock and processor seconds of all its processes, and the most memory that they had at once."""

    wall: float
    cpu: float
    megabytes: float


class Contender(NamedTuple):
    """A linter in one setting; ``caches`` tells whether it can remember anything."""

    name: str
    command: Callable[[Path, int, str], list[str]]  # folder of programs, jobs, cache (empty: none)
    caches: bool = False
    what: str = ""


# --- the tools -------------------------------------------------------------------------------------------------------


def _ours(_programs: Path, jobs: int, cache: str) -> list[str]:
    remember = ["--cache-dir", cache] if cache else ["--no-cache"]
    return [*own_command(), "check", "--isolated", *remember, "--output-format", "concise", "--jobs", str(jobs)]


def _ruff(programs: Path, jobs: int, cache: str) -> list[str]:
    remember = ["--cache-dir", cache] if cache else ["--no-cache"]
    rules = ["--select", "ALL", "--preview", "--output-format", "concise"]
    return [str(programs / "ruff"), "check", "--isolated", *rules, *remember]


# plugins are found by their metadata: without site-packages there is only what is on the path
_PLAIN = (
    "import sys; sys.path.insert(0, {folder!r}); from flake8.main import cli; "
    "sys.exit(cli.main(sys.argv[1:]))"
)  # fmt: skip


def _plain_flake8(programs: Path, jobs: int, _cache: str) -> list[str]:
    start = _PLAIN.format(folder=str(programs.parent / "plain"))
    return [str(programs / "python"), "-S", "-c", start, "--isolated", f"-j{jobs}"]


def _flake8(programs: Path, jobs: int, _cache: str) -> list[str]:
    return [str(programs / "flake8"), "--isolated", "--enable=ASYNC", "--extend-select=B9", f"-j{jobs}"]


def _fixit(programs: Path, _jobs: int, _cache: str) -> list[str]:
    return [str(programs / "fixit"), "--rules", "fixit.rules:NoInheritFromObject", "lint"]


def _pylint(programs: Path, jobs: int, _cache: str) -> list[str]:
    return [str(programs / "pylint"), "--rcfile=/dev/null", "--enable=all", "--recursive=y", f"-j{jobs}"]


CONTENDERS = (
    Contender(OURS, _ours, True, "default rules"),
    Contender("ruff", _ruff, True, "all rules, preview ones too"),
    Contender("flake8", _plain_flake8, what="plain"),
    Contender("flake8 + async + bugbear", _flake8, what="all rules of flake8-async and flake8-bugbear"),
    Contender("fixit", _fixit, what="one rule"),
    Contender("pylint", _pylint, what="all rules"),
)


WHAT = {each.name: each.what for each in CONTENDERS}


def install(work: Path) -> Path:
    """The folder of the other tools' programs; installed where they are not yet."""
    folder = work / f"neighbours-{crc32(LOCKED.read_bytes()):08x}"
    programs = folder / "bin"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(programs / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", str(LOCKED)], check=True)
        _link_plain(folder)
        (folder / "ready").touch()
    return programs


def _link_plain(folder: Path) -> None:
    """flake8 and what it needs, without the plugins that are installed beside it."""
    (site,) = folder.glob("lib/python3*/site-packages")
    (folder / "plain").mkdir()
    for pattern in ("flake8", "pyflakes", "mccabe*", "pycodestyle*", "flake8-*.dist-info", "pyflakes-*.dist-info"):
        for path in site.glob(pattern):
            (folder / "plain" / path.name).symlink_to(path)
    for path in (folder / "plain").glob("flake8_*"):
        path.unlink()


def versions(programs: Path) -> dict[str, str]:
    """What is installed."""
    from shutdown_lint import __version__

    ask = "import json, importlib.metadata as m; print(json.dumps({d.name: d.version for d in m.distributions()}))"
    done = subprocess.run([str(programs / "python"), "-c", ask], capture_output=True, text=True, check=True)
    return {**json.loads(done.stdout), OURS: __version__}


# --- measuring -------------------------------------------------------------------------------------------------------


class _Memory(threading.Thread):
    """Looks now and then at how much memory the processes of a session have at once (proportional set size, Linux)."""

    def __init__(self, session: int) -> None:
        super().__init__(daemon=True)
        self._session, self._done, self.most = session, threading.Event(), 0.0

    def run(self) -> None:
        while not self._done.wait(0.03):
            self.most = max(self.most, sum(map(_megabytes, _processes(self._session))))

    def finish(self) -> float:
        """The most that was seen, in megabytes."""
        self._done.set()
        self.join()
        return self.most


def _processes(session: int) -> Iterator[int]:
    for folder in Path("/proc").iterdir() if os.path.isdir("/proc") else ():
        if folder.name.isdecimal():
            try:
                fields = (folder / "stat").read_text("latin-1").rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session:
                yield int(folder.name)


def _megabytes(pid: int) -> float:
    try:
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def measure(command: Sequence[str], folder: Path, jobs: int) -> Cost:
    """Run a command in a folder to its end, with as many cores as jobs; its children's processor time counts."""
    all_cores = os.sched_getaffinity(0)
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env["PYTHONPATH"] = str(ROOT) if command[: len(own_command())] == own_command() else ""
    os.sched_setaffinity(0, sorted(all_cores)[:jobs])  # it goes on to the process that is started
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    os.sched_setaffinity(0, all_cores)
    memory = _Memory(process.pid)
    memory.start()
    _, errors = process.communicate()
    wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    most = memory.finish()
    if process.returncode < 0 or b"Traceback" in errors:
        raise SystemExit(f"{command[:3]} ended with {process.returncode}: {errors[-500:].decode(errors='replace')}")
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, most)


def least(costs: Sequence[Cost]) -> Cost:
    """The least of each."""
    return Cost(*(min(column) for column in zip(*costs, strict=True)))


# --- trees -----------------------------------------------------------------------------------------------------------


class Tree(NamedTuple):
    """A folder of programs."""

    folder: Path
    files: int
    lines: int


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for a while."""
    with tempfile.TemporaryDirectory(prefix="neighbours-") as name:
        yield Path(name)


def modules(names: Sequence[str], work: Path) -> list[tuple[Path, bytes]]:
    """The modules of the packages, with their paths below the folder that would be on the path of the interpreter."""
    found = []
    for name in names:
        folder = fetch(name, PACKAGES[name], work)
        found += [(path.relative_to(folder), path.read_bytes()) for path in sorted(folder.rglob("*.py"))]
    return found


def build(folder: Path, sources: Sequence[tuple[Path, bytes]], lines: int = 0, files: int = 0) -> Tree:
    """Write the modules, once or until there are so many lines or files, each time with other names of their packages."""
    tops = sorted({path.parts[0].removesuffix(".py") for path, _ in sources})
    named = re.compile(rb"\b(" + b"|".join(re.escape(top.encode()) for top in tops) + rb")\b")
    count = written = turn = 0
    while True:
        for path, data in sources:
            first = path.parts[0] if not turn else re.sub(r"^(\w+)", rf"\1_{turn}", path.parts[0])
            target = folder.joinpath(first, *path.parts[1:])
            target.parent.mkdir(parents=True, exist_ok=True)
            text = named.sub(rb"\1_%d" % turn, data) if turn else data
            target.write_bytes(text)
            count, written = count + 1, written + text.count(b"\n")
            if (lines and written >= lines) or (files and count >= files):
                return Tree(folder, count, written)
        turn += 1
        if not lines and not files:
            return Tree(folder, count, written)


def age(tree: Tree) -> None:
    """Files of long ago, as in a checkout: what changed a moment ago may not be remembered."""
    for path in tree.folder.rglob("*.py"):
        os.utime(path, (1_600_000_000, 1_600_000_000))


# --- the comparisons ---------------------------------------------------------------------------------------------------


def compare(tree: Tree, programs: Path, repeat: int, cache: Path) -> dict[str, dict[str, Cost]]:
    """Costs by contender, then by ``cold 1``, ``warm 1``, ``cold 2``, ``warm 2`` (state and jobs)."""
    costs: dict[str, dict[str, list[Cost]]] = {each.name: {} for each in CONTENDERS}
    for turn in range(repeat):
        for jobs in (1, 2):
            for each in CONTENDERS:
                place = cache / re.sub(r"\W+", "-", each.name) / str(jobs)
                states = {"cold": "", "warm": str(place)} if each.caches else {"cold": ""}
                for state, folder in states.items():
                    command = [*each.command(programs, jobs, folder), "."]
                    if folder and not turn:  # what is to be remembered
                        measure(command, tree.folder, jobs)
                    cost = measure(command, tree.folder, jobs)
                    costs[each.name].setdefault(f"{state} {jobs}", []).append(cost)
                    print(f"{each.name:<26} {state} {jobs}: {cost.wall:8.2f} s {cost.cpu:8.2f} s CPU", flush=True)
    return {name: {state: least(found) for state, found in states.items()} for name, states in costs.items()}


def grow(
    sources: Sequence[tuple[Path, bytes]], sizes: Sequence[int], programs: Path
) -> dict[str, list[dict[str, float]]]:
    """Costs by contender and number of lines: ours with one and two jobs, the others with two."""
    points: dict[str, list[dict[str, float]]] = {}
    for size in sizes:
        with scratch() as folder:
            tree = build(folder, sources, lines=size)
            for each in CONTENDERS:
                for jobs in (1, 2) if each.name == OURS else (2,):
                    if each.name != OURS and size > OTHERS_UP_TO.get(each.name, 0):
                        continue
                    cost = measure([*each.command(programs, jobs, ""), "."], tree.folder, jobs)
                    name = f"{each.name}, {jobs} jobs".replace("1 jobs", "1 job")
                    points.setdefault(name, []).append({"lines": tree.lines, **cost._asdict()})
                    print(f"{tree.lines:>9} lines {name:<24} {cost.wall:8.2f} s {cost.megabytes:6.0f} MB", flush=True)
    return points


def change(sources: Sequence[tuple[Path, bytes]], files: int, programs: Path, repeat: int) -> dict[str, float]:
    """Seconds of processor time of a warm run on many files: nothing changed, then a few of them."""
    with scratch() as folder:
        tree = build(folder / "tree", sources, files=files)
        age(tree)
        command = [*_ours(programs, 2, str(folder / "cache")), "."]
        measure(command, tree.folder, 2)
        unchanged = least([measure(command, tree.folder, 2) for _ in range(repeat)])
        changed = []
        paths = sorted(tree.folder.rglob("*.py"))
        for turn in range(repeat):
            for path in paths[turn :: len(paths) // CHANGED][:CHANGED]:
                path.write_bytes(path.read_bytes() + b"\n_changed = %d\n" % turn)
            changed.append(measure(command, tree.folder, 2))
        cost = least(changed)
    return {
        "files": tree.files,
        "lines": tree.lines,
        "unchanged": unchanged.cpu,
        "changed": cost.cpu,
        "unchanged wall": unchanged.wall,
        "changed wall": cost.wall,
    }


def exponent(points: Sequence[dict[str, float]]) -> float:
    """The slope of the line through the logarithms of lines and processor seconds, from 10,000 lines on."""
    logs = [(log(point["lines"]), log(point["cpu"])) for point in points if point["lines"] >= 9_000]
    if len(logs) < 2:
        return float("nan")
    x, y = (sum(column) / len(logs) for column in zip(*logs, strict=True))
    return sum((a - x) * (b - y) for a, b in logs) / sum((a - x) ** 2 for a, _ in logs)


# --- telling -----------------------------------------------------------------------------------------------------------


def row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |\n"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    return row(head) + row(["---", *["---:"] * (len(head) - 1)]) + "".join(map(row, rows)) + "\n"


def ratios(costs: dict[str, dict[str, Cost]]) -> list[list[object]]:
    """Each other linter's time as a multiple of ours: cold to cold."""
    rows: list[list[object]] = []
    for name in [each.name for each in CONTENDERS if each.name != OURS]:
        cells: list[object] = [f"{name}, {WHAT[name]}"]
        for jobs in (1, 2):
            theirs, ours = costs[name][f"cold {jobs}"], costs[OURS][f"cold {jobs}"]
            cells += [f"{theirs.cpu / ours.cpu:.1f}", f"{theirs.wall / ours.wall:.1f}"]
        rows.append(cells)
    return rows


def machine() -> str:
    """What it was measured on."""
    try:
        model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        model = None
    cores = len(os.sched_getaffinity(0))
    return f"{model[1].strip() if model else platform.machine()}, {cores} cores, CPython {platform.python_version()}"


def told(found: dict[str, Any]) -> str:
    """The measured part of the page."""
    costs = {name: {state: Cost(*cost) for state, cost in states.items()} for name, states in found["costs"].items()}
    rows = [
        [
            f"{each.name} {found['versions'].get(each.name.partition(' ')[0], '')}, {each.what}",
            state.replace(" 1", ", 1 job").replace(" 2", ", 2 jobs"),
            f"{cost.wall:.2f} s",
            f"{cost.cpu:.2f} s",
            f"{found['lines'] / cost.wall / 1000:,.1f} k",
            f"{cost.megabytes:.0f} MB",
        ]
        for each in CONTENDERS
        for state, cost in costs[each.name].items()
    ]
    warm = costs[OURS]["warm 2"].cpu / costs["ruff"]["cold 2"].cpu
    growth = [
        [
            f"{name}",
            *(f"{point[key]:,.{digits}f}" for key, digits in (("lines", 0), ("wall", 2), ("cpu", 2), ("megabytes", 0))),
        ]
        for name, points in found["points"].items()
        for point in points
    ]
    few = found["change"]
    slope = exponent(found["points"][f"{OURS}, 1 job"])
    return (
        f"\n{found['machine']}; {', '.join(found['corpus'])}: {found['files']:,} files, {found['lines']:,} lines.\n\n"
        "## Time and memory\n\n"
        + table(["", "", "wall clock", "processor", "lines a second", "memory"], rows)
        + "## Ratios\n\nHow many times as long as a cold run of shutdown-lint:\n\n"
        + table(["", "processor, 1 job", "wall clock, 1 job", "processor, 2 jobs", "wall clock, 2 jobs"], ratios(costs))
        + f"A warm run of shutdown-lint takes {warm:.2f} times the processor time of ruff with all rules and without a cache.\n\n"
        f"With {CHANGED} changed files of {few['files']:,.0f} ({few['lines']:,.0f} lines), a run takes "
        f"{few['changed'] / few['unchanged']:.2f} times the processor time of a warm run on unchanged ones "
        f"({few['changed']:.2f} s and {few['unchanged']:.2f} s).\n\n"
        f"## Growth\n\n![Seconds against lines](images/{PLOT.name})\n\n"
        f"Time grows as the {slope:.2f}th power of the number of lines (1 is linear).\n\n"
        + table(["cold", "lines", "wall clock, s", "processor, s", "memory, MB"], growth)
    )


def drawn(found: dict[str, Any]) -> str:
    """The plot."""
    lines = {name: [(point["lines"], point["wall"]) for point in points] for name, points in found["points"].items()}
    return plot(
        lines, "lines", "seconds", "Seconds of a cold run against the number of lines, both on logarithmic axes"
    )


def main(given: Sequence[str]) -> int:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--work", type=Path, default=default_work())
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args(given)
    if not hasattr(os, "sched_setaffinity"):
        parser.error("only where a process can be given one core (Linux)")
    corpus = CORPUS[3:4] if options.small else CORPUS
    sizes = (1_000, 3_000) if options.small else LARGE if options.large else SIZES
    repeat, files = (1, 60) if options.small else (options.repeat, FILES)
    write_bytecode()
    programs = install(options.work)
    sources = modules(corpus, options.work)
    with scratch() as folder:
        tree = build(folder / "tree", sources)
        age(tree)
        costs = compare(tree, programs, repeat, folder / "cache")
    found: dict[str, Any] = {
        "machine": machine(),
        "versions": versions(programs),
        "corpus": [f"{name} {PACKAGES[name]}" for name in corpus],
        "files": tree.files,
        "lines": tree.lines,
        "costs": costs,
        "points": grow(sources, sizes, programs),
        "change": change(sources, files, programs, repeat),
    }
    print(told(found))
    if not options.small:
        PLOT.write_text(drawn(found), encoding="utf-8")
        put(PAGE, PART, told(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
