"""The newcomer's walk: its commands, run anew in an empty folder, print what the page shows."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

pytest.importorskip("pre_commit")

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))

from walk import PAGE, rendered

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX"),
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]


def test_the_walk_goes_as_it_is_written_down(tmp_path: Path) -> None:
    page = PAGE.read_text("utf-8")
    assert rendered(page, tmp_path) == page
    assert page.count("Passed\n") == 2 and page.count("Failed\n") == 1
    assert "os._exit" not in (tmp_path / "relay/relay/state.py").read_text("utf-8")
