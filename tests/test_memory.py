"""What was known of a part is given back: a run on many packages needs no more memory than its largest."""

from __future__ import annotations

import gc
from pathlib import Path

from shutdown_lint import engine
from shutdown_lint.project import Fn
from shutdown_lint.settings import Settings

FIXTURES = Path(__file__).parent / "fixtures"


def _analyse(path: Path) -> int:
    settings = Settings(root=str(path), select=("ALL",), jobs=1)
    return sum(len(findings) for _, findings in engine.projects([str(path)], settings))


def test_one_collection_gives_back_a_whole_project() -> None:
    gc.collect()
    before = {id(thing) for thing in gc.get_objects() if isinstance(thing, Fn)}
    assert _analyse(FIXTURES / "SHD302") > 0
    gc.collect()
    left = [thing for thing in gc.get_objects() if isinstance(thing, Fn) and id(thing) not in before]
    assert left == []
