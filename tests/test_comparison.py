"""docs/comparison.md: what it says of the linters at hand is so, and its programs are pairs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import shutdown_lint

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import comparison  # noqa: E402

BIN = Path(sys.executable).parent
ROWS = re.findall(
    r"^\| \[[^\n]+?\]\(comparison/(\w+)_bad\.py\) \| ([^\n]+) \|$", comparison.PAGE.read_text("utf-8"), re.M
)
SHOWN = {case: re.sub(r"\[(\w+)\]\([^)]*\)", r"\1", cells).split(" | ") for case, cells in ROWS}


def test_each_program_is_a_pair_and_on_the_page() -> None:
    files = {path.name for path in comparison.FOLDER.iterdir()}
    assert files == {f"{case}_{kind}.py" for case in comparison.CASES for kind in ("bad", "ok")}
    assert list(SHOWN) == list(comparison.CASES)


@pytest.mark.parametrize("tool", ["shutdown-lint", "ruff"])
def test_the_page_says_what_the_tool_says(tool: str) -> None:
    if tool == "ruff":
        ruff = shutil.which("ruff", path=str(BIN)) or pytest.skip("ruff is not beside this Python")
        here = subprocess.run([ruff, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
        if here != comparison.version(BIN, "ruff"):
            pytest.skip(f"the page is about another version than {here}")
    column = list(comparison.TOOLS).index(tool)
    found = comparison.columns(BIN, [tool])[tool]
    assert [" ".join(codes) or "–" for codes in found] == [SHOWN[case][column] for case in comparison.CASES]


def test_mended_programs_are_clean() -> None:
    mended = sorted(comparison.FOLDER.glob("*_ok.py"))
    assert not shutdown_lint.check(mended, {}).findings
