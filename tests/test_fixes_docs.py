"""The page on fixes."""

from __future__ import annotations

import re
from pathlib import Path

import proofs

from shutdown_lint.fixes.planning import KINDS
from shutdown_lint.rules import registry

PAGE = (Path(__file__).parent.parent / "docs" / "fixes.md").read_text("utf-8")


def test_the_table_of_proofs_is_that_of_the_programs() -> None:
    assert proofs.table() in PAGE, "run scripts/generate.py"


def test_every_fix_has_its_line() -> None:
    described = PAGE.partition("## What is fixed")[2].partition("\n## ")[0]
    assert {code.lower() for code in re.findall(r"\[(SHD\d+)\]", described)} == KINDS


def test_rules_say_that_they_have_a_fix_and_only_these() -> None:
    assert {entry.code.lower() for entry in registry.entries() if entry.fix != "none"} == KINDS
