"""What a large repository costs: lowering, facts, linking, a change of five files. With --write the tables of docs/scaling.md.

    python benchmarks/scaling.py FOLDER...                 folders of packages, as the corpus of scripts/corpus.py
    python benchmarks/scaling.py --files 10000 FOLDER...   the size of the repository that is made of them under new names
    python benchmarks/scaling.py --write FOLDER...

Times are CPU seconds of all processes, so that they can be compared on a machine that others use too. In the made-up
repository each package is a package of its own, as in a repository of many programs: ``celery`` becomes ``celery_0``,
``celery_1`` …, which import themselves by these names.
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, TypeVar

from cold import measure, write_bytecode

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "scaling.md"
LINES = 100_000_000
CORES = (8, 64, 512)
OLD = 1_700_000_000  # a time (seconds) at which no file is too young for the cache
LINT = [sys.executable, "-m", "shutdown_lint"]
FLAGS = ["--isolated", "--output-format", "concise"]


Made = TypeVar("Made")


class Rates(NamedTuple):
    """Seconds and bytes for a number of lines."""

    lines: int
    lower: float
    dump: float
    load: float
    compile: float
    link: float
    check: float
    source: int
    facts: int
    packed: int


class Change(NamedTuple):
    """CPU seconds of runs on the made-up repository."""

    files: int
    lines: int
    cold: float
    warm: float
    in_one: float
    in_five: float


# --- one machine, file by file ---------------------------------------------------------------------------------------


def rates(folders: Sequence[Path]) -> Rates:
    """What each step costs on the files of these folders."""
    from shutdown_lint.facts import ModuleFacts
    from shutdown_lint.facts_json import dumps, loads
    from shutdown_lint.intake import Task, take_in
    from shutdown_lint.source import SourceFile

    files = [path.read_bytes() for folder in folders for path in sorted(folder.glob("**/*.py"))]
    named = SourceFile("", "", "", False, False, False)
    gc.disable()
    outcomes, lower = timed(lambda: [take_in(Task(named, data, True)) for data in files])
    modules = [outcome for outcome in outcomes if isinstance(outcome, ModuleFacts)]
    texts, dump = timed(lambda: [dumps(module) for module in modules])
    _, load = timed(lambda: [loads(text) for text in texts])
    gc.enable()
    with TemporaryDirectory() as out:
        one = ["--jobs", "1"]
        compiling = sum(run(folder, "facts", ".", "--out", f"{out}/{n}", *one) for n, folder in enumerate(folders))
        made = list(Path(out).glob("**/*.facts"))
        linking = sum(run(folder, "check", *FLAGS, "--facts", f"{out}/{n}", *one) for n, folder in enumerate(folders))
        direct = sum(run(folder, "check", *FLAGS, ".", "--no-cache", *one) for folder in folders)
        size, packed = (
            sum(path.stat().st_size for path in made),
            sum(len(zlib.compress(path.read_bytes(), 1)) for path in made),
        )
    lines = sum(data.count(b"\n") for data in files)
    source = sum(map(len, files))
    return Rates(lines, lower, dump, load, compiling, linking, direct, source, size, packed)


def timed(work: Callable[[], list[Made]]) -> tuple[list[Made], float]:
    """The result and the CPU seconds that it took."""
    begun = time.process_time()
    done = work()
    return done, time.process_time() - begun


def run(folder: Path, *arguments: str) -> float:
    """CPU seconds of a run of the linter in a folder."""
    here = Path.cwd()
    os.chdir(folder)
    try:
        return measure([*LINT, *arguments]).cpu
    finally:
        os.chdir(here)


# --- a change in a large repository ----------------------------------------------------------------------------------


def packages(folders: Sequence[Path]) -> list[Path]:
    """The top-level packages in the folders, and in the folders in these."""
    found = {
        init.parent for folder in folders for init in [*folder.glob("*/__init__.py"), *folder.glob("*/*/__init__.py")]
    }
    return sorted(path for path in found if not (path.parent / "__init__.py").exists())


def make_repository(root: Path, sources: Sequence[Path], count: int) -> list[Path]:
    """Copies of packages under new names until there are ``count`` files; the copies."""
    made: list[Path] = []
    (root / "pyproject.toml").write_text("[project]\nname = 'large'\nversion = '1'\n")
    files = 0
    while files < count:
        for source in sources:
            name = f"{source.name}_{len(made)}"
            own = re.compile(rb"(^[ \t]*(?:from|import)[ \t]+)" + source.name.encode() + rb"\b", re.MULTILINE)
            for path in sorted(source.glob("**/*.py"))[: count - files]:
                copy = root / name / path.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(own.sub(rb"\1" + name.encode(), path.read_bytes()))
                os.utime(copy, (OLD, OLD))
                files += 1
            made.append(root / name)
            if files == count:
                break
    return made


def change(folders: Sequence[Path], count: int) -> Change:
    """What runs cost on a repository of so many files, before and after a change of five of them."""
    with TemporaryDirectory() as folder:
        root = Path(folder, "repository")
        root.mkdir()
        made = make_repository(root, packages(folders), count)
        lines = sum(path.read_bytes().count(b"\n") for path in root.glob("**/*.py"))
        check = ["check", *FLAGS, ".", "--cache-dir", f"{folder}/cache"]
        cold = run(root, *check)
        warm = min(run(root, *check) for _ in range(3))
        small = min((package for package in made if len(modules(package)) >= 5), key=size)
        in_one = min(after(modules(small)[:5], number, root, check) for number in range(3))
        some = made[: len(made) - 1 : max(1, len(made) // 5)][:5]
        in_five = min(after([modules(package)[0] for package in some], number, root, check) for number in range(3))
    return Change(count, lines, cold, warm, in_one, in_five)


def modules(package: Path) -> list[Path]:
    """The files of a package, the largest first."""
    return sorted(package.glob("**/*.py"), key=lambda path: (-path.stat().st_size, path))


def size(package: Path) -> int:
    """Bytes of source."""
    return sum(path.stat().st_size for path in modules(package))


def after(paths: Sequence[Path], number: int, root: Path, check: Sequence[str]) -> float:
    """CPU seconds of a run after a function was added to each of the files."""
    for path in paths:
        path.write_bytes(path.read_bytes() + b"\n\ndef added_%d():\n    return %d\n" % (number, number))
        os.utime(path, (OLD + number, OLD + number))
    return run(root, *check)


# --- tables ----------------------------------------------------------------------------------------------------------


def render(found: Rates, changed: Change) -> str:
    """The tables of the page."""
    million = found.lines / 1e6
    whole = LINES / found.lines
    rows = [
        ("lower a file (parse, facts)", found.lower),
        ("write its facts as data", found.dump),
        ("read them", found.load),
        ("`shutdown-lint facts`", found.compile),
        ("`shutdown-lint check --facts`", found.link),
        ("`shutdown-lint check`, no cache", found.check),
    ]
    steps = "".join(f"| {name} | {seconds / million:.1f} |\n" for name, seconds in rows)
    sizes = "".join(
        f"| {name} | {number / found.lines:.0f} | {number * whole / 1e9:.1f} |\n"
        for name, number in (
            ("sources", found.source),
            ("files of facts", found.facts),
            ("the same, deflated", found.packed),
        )
    )
    cores = "".join(
        f"| {count} | {minutes(found.compile * whole, count)} | {minutes(found.link * whole, count)} |\n"
        for count in CORES
    )
    runs = [
        ("cold", changed.cold),
        ("warm, nothing changed", changed.warm),
        ("five files of one small package changed", changed.in_one),
        ("one file of each of five packages changed", changed.in_five),
    ]
    after_change = "".join(f"| {name} | {seconds:.2f} | {seconds / changed.warm:.1f} |\n" for name, seconds in runs)
    return f"""\
One core, {found.lines / 1e3:.0f} k lines of {found.source / found.lines:.0f} bytes:

| step | CPU seconds per million lines (ms per thousand) |
|---|---|
{steps}
| data | bytes per line | GB per 100 M lines |
|---|---|---|
{sizes}
100 M lines are {found.compile * whole / 3600:.1f} hours of one core for the facts and {found.link * whole / 3600:.1f} for the checks:

| cores | minutes for the facts of all files | minutes for the checks |
|---|---|---|
{cores}
A repository of {changed.files:,} files and {changed.lines / 1e6:.1f} M lines, made of packages under new names:

| run | CPU seconds | × a warm run |
|---|---|---|
{after_change}"""


def minutes(seconds: float, cores: int) -> str:
    """Minutes on so many cores, in two digits or so."""
    value = seconds / cores / 60
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def main(given: Sequence[str]) -> int:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", nargs="+", metavar="FOLDER", type=Path)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(given)
    write_bytecode()
    folders = [folder.resolve() for folder in options.folders]
    text = render(rates(folders), change(folders, options.files))
    print(text)
    if options.write:
        page = PAGE.read_text(encoding="utf-8")
        head, _, rest = page.partition("<!-- figures -->\n")
        page = f"{head}<!-- figures -->\n{text}<!-- /figures -->\n{rest.partition('<!-- /figures -->' + chr(10))[2]}"
        PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
