"""docs/from-go.md: its programs print what the page shows, and the linter says of them what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import shutdown_lint

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/from-go.md").read_text("utf-8")
PROGRAM = re.compile(
    r"(?:<!-- reports: (?P<codes>[^\n]*) -->\n)?```python\n(?P<text># (?P<name>g\d\d_\w+\.py)\n.*?)^```\n\n"
    r"```console\n\$ (?P<command>[^\n]*)\n(?P<output>.*?)^```",
    re.DOTALL | re.MULTILINE,
)
LESSONS = [f"G{n}" for n in range(1, 16)]


class Program(NamedTuple):
    """An example with the command that runs it and what that prints."""

    name: str
    text: str
    codes: list[str]
    command: str
    output: str


PROGRAMS = [
    Program(m["name"], m["text"], (m["codes"] or "").split(), m["command"], m["output"]) for m in PROGRAM.finditer(PAGE)
]


def run(program: Program, folder: Path, slower: int) -> str:
    """What a shell prints for the command; `slower` gives a busy machine more time before the signal."""
    folder.mkdir()
    (folder / program.name).write_text(program.text, "utf-8")
    command = re.sub(r"\bsleep (\d+);", lambda m: f"sleep {int(m[1]) * slower};", program.command)
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_programs_print_what_the_page_shows(program: Program, tmp_path: Path) -> None:
    printed = run(program, tmp_path / "first", 1)
    if printed != program.output:
        printed = run(program, tmp_path / "second", 5)
    assert printed == program.output


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_the_linter_reports_what_the_page_says(program: Program, tmp_path: Path) -> None:
    (tmp_path / program.name).write_text(program.text, "utf-8")
    report = shutdown_lint.check([tmp_path], {})
    assert [finding.code for finding in report.findings] == program.codes


def test_each_lesson_has_its_row_its_section_and_its_example() -> None:
    assert re.findall(r"^\| \[(G\d+)\]\(#", PAGE, re.MULTILINE) == LESSONS
    assert re.findall(r"^## (G\d+): ", PAGE, re.MULTILINE) == LESSONS
    assert {f"G{int(program.name[1:3])}" for program in PROGRAMS} == set(LESSONS)
    assert PAGE.count("```python\n") == len(PROGRAMS)


def test_each_row_names_the_rules_whose_origin_is_that_lesson() -> None:
    rows = dict(re.findall(r"^\| \[(G\d+)\]\([^|]*((?:\|[^|\n]*){3})\|$", PAGE, re.MULTILINE))
    named = {lesson: set(re.findall(r"rules/(SHD\d{3})\.md", row)) for lesson, row in rows.items()}
    assert all(named[lesson] for lesson in LESSONS)
    for page in ROOT.glob("docs/rules/SHD*.md"):
        origin = re.search(
            r"^\| (?:default|strict|preview)[^\n]*\| ([^|\n]*) \|$", page.read_text("utf-8"), re.MULTILINE
        )
        lessons = re.findall(r"G\d+", origin[1] if origin else "")
        for lesson in lessons:
            assert page.stem in named[lesson], f"{page.stem} says that it comes from {lesson}"
