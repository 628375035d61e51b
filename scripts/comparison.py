"""Let several linters look at the programs of docs/comparison and put what they say into docs/comparison.md.

    python -m venv /tmp/tools && /tmp/tools/bin/pip install --require-hashes -r requirements/comparison.txt
    python scripts/comparison.py /tmp/tools/bin          write the page
    python scripts/comparison.py /tmp/tools/bin --check  write nothing, fail when the page says something else

Each program is there twice: as ``NAME_bad.py``, with the hazard's line marked ``# here``, and as ``NAME_ok.py``, mended. A
tool finds the hazard if it reports a code on the marked line that it does not report for the mended program. So nobody
had to decide which codes count, and findings on style fall away by themselves. All rules of all tools are on.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from writing import ROOT, write

FOLDER = ROOT / "docs/comparison"
PAGE = ROOT / "docs/comparison.md"
BEGIN, END = "<!-- measured: python scripts/comparison.py writes what follows -->\n", "<!-- /measured -->\n"
CASES = {
    "exit_below_with": "`os._exit` below the `with` of a caller",
    "exit_in_thread": "`sys.exit` in a thread",
    "return_in_finally": "`return` in `finally`",
    "site_exit": "`exit()` of the interactive prompt",
    "daemon_writes": "a daemon thread that writes a file",
    "stop_through_atexit": "a thread that `atexit` should stop",
    "child_not_waited": "a child process that nobody waits for",
    "dropped_task": "a task whose only reference is dropped",
    "file_not_closed": "a file that is not closed",
    "lock_in_handler": "a lock taken in a signal handler",
    "wait_with_pipe": "`wait()` on a child with a full pipe",
    "bare_except_loop": "a bare `except` in the main loop",
    "cancellation_swallowed": "a swallowed `CancelledError`",
    "blocking_in_coroutine": "`time.sleep` in a coroutine",
    "polling": "polling in a coroutine",
    "exit_code_of_child": "the exit code of a child is not looked at",
}


class Said(NamedTuple):
    """A finding of a tool."""

    file: str
    line: int
    code: str


def run(command: list[str]) -> str:
    """What a tool prints about the folder; linters end with other codes than 0 when they find something."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYLINT"))}
    env["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(command, cwd=FOLDER, env=env, capture_output=True, encoding="utf-8", check=False)
    if "Traceback" in done.stderr or not done.stdout.strip():
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def from_lines(text: str) -> list[Said]:
    """``FILE:LINE:COLUMN: CODE message``."""
    found = re.findall(r"^(?:\./)?([\w.]+):(\d+):\d+:? ([A-Z]+\d+)", text, re.MULTILINE)
    return [Said(file, int(line), code) for file, line, code in found]


def shutdown_lint(tools: Path) -> list[Said]:
    """Ours: the checkout's, whatever is installed."""
    options = ["--isolated", "--no-cache", "--select", "ALL", "--output-format", "json"]
    text = run([sys.executable, "-m", "shutdown_lint", "check", ".", *options])
    return [Said(Path(f["filename"]).name, f["location"]["row"], f["code"]) for f in json.loads(text)]


def ruff(tools: Path) -> list[Said]:
    text = run(
        [
            str(tools / "ruff"),
            "check",
            "--isolated",
            "--no-cache",
            "--preview",
            "--select=ALL",
            "--output-format=json",
            ".",
        ]
    )
    return [Said(Path(f["filename"]).name, f["location"]["row"], f["code"]) for f in json.loads(text)]


def flake8(tools: Path, prefix: str, *options: str) -> list[Said]:
    text = run([str(tools / "flake8"), "--isolated", f"--select={prefix}", *options, "."])
    return from_lines(text)


def bugbear(tools: Path) -> list[Said]:
    return flake8(tools, "B,B9")


def flake8_async(tools: Path) -> list[Said]:
    return flake8(tools, "ASYNC", "--enable=ASYNC")


def pylint(tools: Path) -> list[Said]:
    files = sorted(path.name for path in FOLDER.glob("*.py"))
    extensions = sorted(
        path.stem for path in tools.parent.glob("lib/python3*/site-packages/pylint/extensions/[a-z]*.py")
    )
    plugins = ",".join(f"pylint.extensions.{name}" for name in extensions)
    options = ["--rcfile=/dev/null", "--enable=all", f"--load-plugins={plugins}", "--output-format=json2"]
    text = run([str(tools / "pylint"), *options, *files])
    return [Said(m["path"], m["line"], m["messageId"]) for m in json.loads(text)["messages"]]


TOOLS: dict[str, Callable[[Path], list[Said]]] = {
    "shutdown-lint": shutdown_lint,
    "ruff": ruff,
    "flake8-bugbear": bugbear,
    "flake8-async": flake8_async,
    "pylint": pylint,
}


def hazard_line(case: str) -> int:
    lines = (FOLDER / f"{case}_bad.py").read_text(encoding="utf-8").splitlines()
    (line,) = [number for number, text in enumerate(lines, 1) if text.endswith("# here")]
    return line


def codes(case: str, said: list[Said]) -> list[str]:
    """What is said on the line of the hazard and not about the mended program."""
    mended = {found.code for found in said if found.file == f"{case}_ok.py"}
    line = hazard_line(case)
    return sorted({found.code for found in said if (found.file, found.line) == (f"{case}_bad.py", line)} - mended)


def columns(tools: Path, names: list[str]) -> dict[str, list[list[str]]]:
    """For each tool, the codes by case."""
    return {name: [codes(case, said) for case in CASES] for name in names for said in [TOOLS[name](tools)]}


def cell(name: str, found: list[str]) -> str:
    if name == "shutdown-lint":
        return " ".join(f"[{code}](rules/{code}.md)" for code in found) or "–"
    return " ".join(found) or "–"


def version(tools: Path, name: str) -> str:
    if name == "shutdown-lint":
        text = (ROOT / "shutdown_lint/__init__.py").read_text(encoding="utf-8")
        return str(ast.literal_eval(re.search(r"__version__(?:: \w+)? = (.+)", text)[1]))  # type: ignore[index]
    locked = (ROOT / "requirements/comparison.txt").read_text(encoding="utf-8")
    return re.findall(rf"^{name}==(\S+)", locked, re.MULTILINE)[-1]


def render(tools: Path) -> str:
    """The table."""
    found = columns(tools, list(TOOLS))
    head = ["program", *(f"{name} {version(tools, name)}" for name in TOOLS)]
    rows = [
        [f"[{text}](comparison/{case}_bad.py)", *(cell(name, found[name][n]) for name in TOOLS)]
        for n, (case, text) in enumerate(CASES.items())
    ]
    lines = [head, ["---"] * len(head), *rows]
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n"


def main(argv: list[str]) -> int:
    """See the module's docstring."""
    tools = Path(argv[0]).absolute()
    head, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    return write([(PAGE, head + BEGIN + render(tools) + END + rest.split(END)[1])], argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
