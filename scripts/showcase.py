"""Show again what docs/showcase tells of released packages: the findings as printed, the proofs as they ran.

python scripts/showcase.py                  all pages
python scripts/showcase.py rq_scheduler     these only
python scripts/showcase.py --times 5        run each proof five times
python scripts/showcase.py --requote        first quote the findings anew where only their wording has changed
python scripts/showcase.py --work FOLDER    keep the environment there (default: a temporary folder)

Makes a virtual environment with the releases that the proofs name and nothing else. A page fails when this version of
shutdown-lint does not print its finding word for word, when its proof does not end with 0, or when the proof prints
something else than the page quotes (figures aside). POSIX only: the proofs send signals.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "showcase"
LIMIT = 300  # seconds for one proof: each bounds its own steps far below that
BLOCK = re.compile(r"^```text\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
FIGURE = re.compile(r"\d+\.\d+")


class Page(NamedTuple):
    """A page of the showcase: what it quotes, and the proof that it shows."""

    path: Path
    finding: str
    output: str

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def proof(self) -> Path:
        return PAGES / "proofs" / f"{self.name}.py"

    @property
    def package(self) -> str:
        """The folder of the package, from the path at the head of the finding."""
        return self.finding.partition("/")[0]

    @property
    def code(self) -> str:
        """The rule that speaks."""
        return self.finding.split()[1]

    @property
    def requirements(self) -> tuple[str, ...]:
        """What the proof's ``REQUIREMENTS`` say; the proof is read, not imported."""
        for node in ast.parse(self.proof.read_text("utf-8")).body:
            if isinstance(node, ast.Assign) and [ast.unparse(name) for name in node.targets] == ["REQUIREMENTS"]:
                return tuple(ast.literal_eval(node.value))
        raise ValueError(f"{self.proof} names no REQUIREMENTS")


def read(path: Path) -> Page:
    """The page; its first block is the finding, its second what the proof printed."""
    blocks = BLOCK.findall(path.read_text("utf-8"))
    if len(blocks) != 2:
        raise ValueError(f"{path} has {len(blocks)} blocks of text, not a finding and an output")
    return Page(path, *blocks)


def pages(names: Sequence[str] = ()) -> list[Page]:
    """All pages but the index, or those of these names."""
    found = [read(path) for path in sorted(PAGES.glob("*.md")) if path.name != "index.md"]
    return [page for page in found if not names or page.name in names]


def install(folder: Path, wanted: Sequence[Page]) -> Path:
    """The interpreter of an environment with the releases that the proofs need."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    requirements = sorted({requirement for page in wanted for requirement in page.requirements})
    command = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *requirements]
    subprocess.run(command, check=True)
    return python


@cache
def findings(python: Path, package: str, code: str) -> str:
    """What shutdown-lint prints about the package as it is installed: by default, and of one rule also what is strict."""
    where = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip()
    command = [
        sys.executable,
        "-m",
        "shutdown_lint",
        "check",
        "--isolated",
        "--no-cache",
        "--extend-select",
        code,
        package,
    ]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, cwd=site, env=env, capture_output=True, encoding="utf-8", check=False).stdout


def requote(page: Page, python: Path) -> Page:
    """The page with the finding as it is printed today: the same rule at the same place."""
    head = " ".join(page.finding.split()[:2])
    for block in findings(python, page.package, page.code).split("\n\n"):
        if block.startswith(f"{head} "):
            text = page.path.read_text("utf-8")
            page.path.write_text(text.replace(page.finding, block.rstrip("\n") + "\n", 1), "utf-8")
            return read(page.path)
    return page


def differences(page: Page, python: Path, times: int) -> Iterator[str]:
    """Where the page is not what happens here and now."""
    if page.finding not in findings(python, page.package, page.code):
        yield "the finding is not printed like that"
    for _ in range(times):
        try:
            done = subprocess.run([python, page.proof], capture_output=True, text=True, timeout=LIMIT, check=False)
        except subprocess.TimeoutExpired:
            yield f"the proof did not end within {LIMIT} s"
            continue
        if done.returncode != 0:
            yield f"the proof ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        elif FIGURE.sub("N", done.stdout) != FIGURE.sub("N", page.output):
            yield f"the proof printed:\n{done.stdout}"


def run(names: Sequence[str], work: Path, times: int, anew: bool) -> int:
    wanted = pages(names)
    if missing := sorted(set(names) - {page.name for page in wanted}):
        print(f"no such page: {', '.join(missing)}", file=sys.stderr)
        return 2
    python = install(work, wanted)
    failed = 0
    for page in [requote(page, python) if anew else page for page in wanted]:
        wrong = list(differences(page, python, times))
        print(f"{page.name}: {'; '.join(wrong) or f'as the page says, {times} x'}", flush=True)
        failed += bool(wrong)
    print(f"{len(wanted) - failed} of {len(wanted)} pages hold")
    return 1 if failed else 0


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="pages (default: all)")
    parser.add_argument("--times", type=int, default=1, help="how often each proof is run")
    parser.add_argument("--requote", action="store_true", help="quote the findings anew")
    parser.add_argument("--work", type=Path, help="folder of the environment, kept")
    options = parser.parse_args(argv)
    if options.work:
        return run(options.names, options.work.absolute(), options.times, options.requote)
    with tempfile.TemporaryDirectory() as folder:
        return run(options.names, Path(folder), options.times, options.requote)


if __name__ == "__main__":
    sys.exit(main())
