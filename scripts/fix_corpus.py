"""Fix whole packages, unsafe fixes included, and check what every fix promises on code that it was not written for.

    python scripts/fix_corpus.py FOLDER...          each folder is copied, fixed and checked
    python scripts/fix_corpus.py --kill N FILES     fix FILES files, killed at N random moments

Of every package: each changed file compiles and holds its comments; what could be fixed is gone; a second run changes
nothing; the same bytes come out in another order of files and with two processes. Killed by SIGKILL while fixing, each file
is old or new, and a later run removes what was left behind. The exit code is 1 when a promise is broken.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from shutdown_lint import engine, fixes  # noqa: E402
from shutdown_lint.fixes import FixResult  # noqa: E402
from shutdown_lint.rules import registry  # noqa: E402
from shutdown_lint.settings import Settings  # noqa: E402

BAD = b"import os\n\n\ndef main():\n    exit(1)  # bye\n\n\nmain()\n"
GOOD = BAD.replace(b"import os\n", b"import os\nimport sys\n").replace(b"exit(1)", b"sys.exit(1)")


class Outcome(NamedTuple):
    """What was fixed in a package, by rule, and the promises that were broken."""

    findings: int
    fixed: Counter[str]
    files: int
    refused: int
    broken: tuple[str, ...]


@contextmanager
def chdir(folder: str | Path) -> Iterator[None]:
    """Work in the folder for a while."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def settings(jobs: int = 1) -> Settings:
    """All rules, those in preview included."""
    return Settings(root=os.getcwd(), select=tuple(entry.code for entry in registry.entries()), jobs=jobs)


def fix(paths: Sequence[str], jobs: int = 1) -> tuple[engine.Report, FixResult]:
    """Fix all that can be fixed below the paths, in the current folder; what was found before, and the result."""
    given = settings(jobs)
    report = engine.check(paths, given)
    return report, fixes.apply(report, paths, given, unsafe=True)


def contents() -> dict[str, bytes]:
    """The Python files below the current folder."""
    return {str(path): path.read_bytes() for path in sorted(Path().rglob("*.py")) if path.is_file()}


def check_package(package: Path) -> Outcome:
    """Fix a copy of the package, and a second one in another order."""
    with tempfile.TemporaryDirectory(prefix="fix-corpus-") as name:
        folders = [Path(name) / number / package.name for number in ("1", "2")]
        for folder in folders:
            shutil.copytree(package, folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", ".git"))
        with chdir(folders[0]):
            before = contents()
            report, result = fix(["."])
            after = contents()
            broken = [*_problems(result), *_damages(before, after), *_unstable()]
        with chdir(folders[1]):
            fix(sorted(before, reverse=True), jobs=2)
            broken += [f"{path}: differs in another order" for path in after if contents()[path] != after[path]]
    fixed: Counter[str] = Counter()
    for item in result.fixed:
        fixed[item.code] += item.number
    changed = sum(before[path] != after[path] for path in before)
    return Outcome(len(report.findings), fixed, changed, len(result.refused), tuple(broken))


def _problems(result: FixResult) -> Iterable[str]:
    yield from (f"{problem.path}: {problem.message}" for problem in result.problems)
    yield from (f"{f.path}:{f.span.line}: {f.code} could still be fixed" for f in result.report.findings if f.fix)


def _damages(before: dict[str, bytes], after: dict[str, bytes]) -> Iterable[str]:
    for path, data in after.items():
        if data == before.get(path):
            continue
        if path not in before or (_compiles(before[path]) and not _compiles(data)):
            yield f"{path}: new, or does not compile"
        lost = Counter(_comments(before[path])) - Counter(_comments(data))
        if any("noqa" not in comment and "shutdown-lint" not in comment for comment in lost):
            yield f"{path}: comments are lost: {[*lost]}"


def _compiles(data: bytes) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(data, "<fixed>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return False
    return True


def _comments(data: bytes) -> list[str]:
    return re.findall(r"#[^\r\n]*", data.decode("utf-8", "replace"))


def _unstable() -> Iterable[str]:
    before = contents()
    _, again = fix(["."])
    yield from (f"{item.path}: a second run fixes {item.code}" for item in again.fixed)
    yield from (f"{path}: a second run changes it" for path, data in contents().items() if before.get(path) != data)


# --- killed while fixing ---------------------------------------------------------------------------------------------


def kill(times: int, files: int, seed: int = 0) -> list[str]:
    """Start fixing ``files`` files and kill that, ``times`` times; what is broken after each, and after a last run."""
    chance, broken = random.Random(seed), []
    with tempfile.TemporaryDirectory(prefix="fix-corpus-") as name, chdir(name):
        Path("pyproject.toml").touch()
        paths = [Path(f"module_{number}.py") for number in range(files)]
        _reset(paths)
        began = time.monotonic()
        _start().wait()
        whole = time.monotonic() - began
        for _ in range(times):
            _reset(paths)
            process = _start()
            # the writing is the last part of a run
            try:
                process.wait(timeout=whole * chance.uniform(0.5, 1.05))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            broken += [f"{path}: half-written" for path in paths if path.read_bytes() not in (BAD, GOOD)]
        _age(paths)
        _reset(paths)
        _start().wait()
        broken += [f"{path}: not fixed in the end" for path in paths if path.read_bytes() != GOOD]
        left = sorted(set(os.listdir()) - {"pyproject.toml", *map(str, paths)})
        broken += [f"{path}: left behind" for path in left]
    return broken


def _age(paths: Sequence[Path]) -> None:
    """What was left beside the files becomes old enough to be swept away."""
    for name in set(os.listdir()) - set(map(str, paths)):
        os.utime(name, (0, 0))


def _reset(paths: Iterable[Path]) -> None:
    for path in paths:
        path.write_bytes(BAD)


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "shutdown_lint", "--select", "SHD108", "--fix-only", "--quiet", "--jobs", "1", "."]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True)


def main() -> int:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--kill", nargs=2, type=int, metavar=("N", "FILES"))
    given = parser.parse_args()
    if given.kill:
        broken = kill(*given.kill)
        print(f"killed {given.kill[0]} times while fixing {given.kill[1]} files: {len(broken)} promises broken")
        print(*broken, sep="\n")
        return 1 if broken else 0
    total: Counter[str] = Counter()
    failures = 0
    for folder in given.folders:
        began = time.monotonic()
        found = check_package(folder.resolve())
        total += found.fixed
        failures += len(found.broken)
        rules = ", ".join(f"{code} {number}" for code, number in sorted(found.fixed.items()))
        print(
            f"{folder.name}: {found.findings} findings, {sum(found.fixed.values())} fixed in {found.files} files, "
            f"{found.refused} refused, {time.monotonic() - began:.0f} s ({rules})",
            flush=True,
        )
        print("".join(f"    {text}\n" for text in found.broken), end="", flush=True)
    print(f"{sum(total.values())} fixed, {failures} promises broken: {dict(sorted(total.items()))}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
