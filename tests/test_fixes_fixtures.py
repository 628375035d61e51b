"""Fixes on the fixtures of their rules: what all fixes promise, on code that was not written for them."""

from __future__ import annotations

import ast
import os
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from shutdown_lint import engine, fixes
from shutdown_lint.engine import Report
from shutdown_lint.fixes.planning import KINDS, settle
from shutdown_lint.settings import Settings

FIXTURES = Path(__file__).parent / "fixtures"
CASES = sorted(path for kind in KINDS for path in (FIXTURES / kind.upper()).glob("*") if path.name[0] not in "._")


def _copy(case: Path, folder: Path) -> None:
    if case.is_dir():
        shutil.copytree(case, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(case, folder)


def _texts(folder: Path) -> dict[str, str]:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.parent.name != "__pycache__"]
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in paths}


def _counts(report: Report) -> Counter[str]:
    return Counter(finding.code for finding in report.findings)


def _defaults(report: Report) -> Counter[str]:
    return Counter(finding.code for finding in report.findings if finding.tier == "D")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.stem}")
def test_promises(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The findings with a safe fix go, no other comes, comments stay, a second run has nothing to do."""
    _copy(case, tmp_path)
    monkeypatch.chdir(tmp_path)
    settings = Settings(root=os.getcwd(), select=("ALL",), jobs=1)
    before, texts = engine.check(["."], settings), _texts(tmp_path)
    possible = settle(before.findings, lambda path: texts[os.path.normpath(path)])
    safe = Counter(f.code for f in possible if f.fix and f.fix.applicability == "safe")

    result = fixes.apply(before, ["."], settings)

    after = _texts(tmp_path)
    assert result.problems == ()
    assert sum((Counter({item.code: item.number}) for item in result.fixed), Counter()) == safe
    assert _counts(result.report) == _counts(before) - safe
    for path, text in after.items():
        assert not path.endswith(".py") or ast.parse(text)
        if not safe["SHD910"]:
            assert re.findall(r"#.*", text) == re.findall(r"#.*", texts[path])
    assert fixes.apply(result.report, ["."], settings).fixed == () and _texts(tmp_path) == after


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.stem}")
def test_promises_of_unsafe_fixes(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can be fixed goes, comments stay, the result compiles, and a second run has nothing to do."""
    _copy(case, tmp_path)
    monkeypatch.chdir(tmp_path)
    settings = Settings(root=os.getcwd(), select=("ALL",), jobs=1)
    before, texts = engine.check(["."], settings), _texts(tmp_path)

    result = fixes.apply(before, ["."], settings, unsafe=True)

    after = _texts(tmp_path)
    assert result.problems == ()
    assert [finding for finding in result.report.findings if finding.fix] == []
    assert _defaults(result.report) <= _counts(before), "no hazard comes in the place of another"
    for path, text in after.items():
        assert not path.endswith(".py") or ast.parse(text)
        if "SHD910" not in {item.code for item in result.fixed}:
            assert sorted(re.findall(r"#.*", text)) == sorted(re.findall(r"#.*", texts[path]))
    assert fixes.apply(result.report, ["."], settings, unsafe=True).fixed == () and _texts(tmp_path) == after


def test_there_are_fixtures_for_every_fixer() -> None:
    assert {case.parent.name.lower() for case in CASES} == KINDS
