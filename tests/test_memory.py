"""What was known of a part is given back: a run on many packages needs no more memory than its largest."""

from __future__ import annotations

import gc
from collections import Counter
from pathlib import Path

import pytest

from shutdown_lint import engine
from shutdown_lint.facts import Call
from shutdown_lint.project import Cls, Fn
from shutdown_lint.settings import Settings
from shutdown_lint.walk import At, Site

FIXTURES = Path(__file__).parent / "fixtures"
KINDS = (Fn, Cls, Call, At, Site)


def _alive() -> Counter[type]:
    return Counter(type(thing) for thing in gc.get_objects() if isinstance(thing, KINDS))


def _analyse(path: Path, *, dissolving: bool) -> int:
    settings, count = Settings(root=str(path), select=("ALL",), jobs=1), 0
    for project, findings in engine.projects([str(path)], settings):
        count += len(findings)
        if dissolving:
            project.dissolve()
    return count


def test_one_collection_gives_back_a_whole_project() -> None:
    gc.collect()
    before = _alive()
    assert _analyse(FIXTURES / "SHD302", dissolving=False) > 0
    gc.collect()
    assert _alive() == before


@pytest.mark.parametrize("rule", ["SHD212", "SHD302", "SHD411", "SHD507"])
def test_a_dissolved_project_leaves_nothing_to_the_collector(rule: str) -> None:
    gc.collect()
    gc.disable()
    try:
        before = _alive()
        assert _analyse(FIXTURES / rule, dissolving=True) > 0
        assert _alive() == before
    finally:
        gc.enable()
