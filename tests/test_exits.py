"""docs/semantics.md: its tables are what processes do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import exits  # noqa: E402


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at /proc for processes left behind")
def test_the_tables_are_measured() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/exits.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr} (python scripts/exits.py writes it)"


def test_what_is_lost_is_told_from_what_runs() -> None:
    counts = dict.fromkeys(exits.KINDS, 0) | {"finally": 1, "atexit": 2, "jobs": 2}
    shown = dict(zip(exits.KINDS, exits.cells("return", exits.Outcome(0, counts))))
    assert "runs" in shown["finally"]
    assert "twice" in shown["atexit"]
    assert "2 of 3" in shown["jobs"]
    assert "lost" in shown["with"]
