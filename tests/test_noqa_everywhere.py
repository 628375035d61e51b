"""Comments for the findings of the rules' own fixtures: they hide all of them, and the code stays what it is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import shutdown_lint
from shutdown_lint.adoption import noqa

FIXTURES = Path(__file__).parent / "fixtures"
# a file a rule: comments are about places, of which each rule has its own
SAMPLE = [
    min(folder.glob("bad_*.py"))
    for folder in sorted(FIXTURES.iterdir())
    if folder.name != "SHD900" and any(folder.glob("bad_*.py"))
]
CONFIG = {"select": ["ALL"]}


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("reason", ["", "known, see E501"])
def test_comments_hide_every_finding(path: Path, reason: str) -> None:
    text = re.sub(r"  # (?:todo-)?(?:expect|ok).*", "", path.read_text(encoding="utf-8"))
    findings = [f for f in shutdown_lint.check_source(text, config=CONFIG).findings if noqa.can_be_hidden(f)]
    hidden = noqa.add(text, findings, reason)
    assert hidden.number == len({(finding.span.line, finding.code) for finding in findings})
    assert ast.dump(ast.parse(hidden.text)) == ast.dump(ast.parse(text))
    after = shutdown_lint.check_source(hidden.text, config=CONFIG).findings
    assert [(f.code, f.span.line) for f in after if noqa.can_be_hidden(f)] == []


def test_the_sample_has_findings() -> None:
    found = [shutdown_lint.check_source(path.read_text(encoding="utf-8"), config=CONFIG) for path in SAMPLE[:8]]
    assert sum(bool(report.findings) for report in found) > 4
