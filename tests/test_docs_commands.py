"""What the pages tell users to write is right: YAML and TOML parse, commands and their flags exist."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest
import tomli
import yaml

from shutdown_lint import config
from shutdown_lint.cli.completion import COMMANDS
from shutdown_lint.cli.parser import parse_check

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^(?P<fence>`{3,})(?P<kind>\w+)\n(?P<text>.*?)^(?P=fence)$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^(?:\$ |- run: |\s+- )?(shutdown-lint(?: .*)?)$")
ENDS = ("|", ">>", ">", "&&", ";")


class Block(NamedTuple):
    """A fenced block of a page."""

    page: str
    kind: str
    text: str


BLOCKS = [Block(page.name, m["kind"], m["text"]) for page in PAGES for m in FENCE.finditer(page.read_text("utf-8"))]


def commands(block: Block) -> list[list[str]]:
    """The words of the commands of ours, lines that go on joined."""
    text = re.sub(r"(?:\\\n|\n(?=\s+--))\s*", " ", block.text)
    found = filter(None, map(COMMAND.match, text.splitlines()))
    split = (shlex.split(match[1], comments=True) for match in found)
    return [words[: next((n for n, word in enumerate(words) if word in ENDS), len(words))] for words in split]


def all_commands() -> list[tuple[str, list[str]]]:
    kinds = ("sh", "console", "yaml")
    return [(block.page, words) for block in BLOCKS if block.kind in kinds for words in commands(block)]


def test_there_is_something_to_look_at() -> None:
    assert len(all_commands()) > 15
    assert {block.kind for block in BLOCKS} >= {"sh", "console", "yaml", "toml", "json"}


@pytest.mark.parametrize(("page", "words"), all_commands(), ids=lambda value: " ".join(value) if value else "")
def test_commands_exist(page: str, words: list[str]) -> None:
    _, *rest = words
    if rest and rest[0] in COMMANDS and rest[0] != "check":
        return
    parsed = parse_check(rest)
    assert all(not word.startswith("-") or word == "-" for word in parsed.paths)


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.kind in ("yaml", "toml", "json")])
def test_files_can_be_read(block: Block) -> None:
    if block.kind == "yaml":
        assert yaml.safe_load(block.text)
    elif block.kind == "json":
        assert json.loads(block.text)
    else:
        table = tomli.loads(block.text).get("tool", {}).get("shutdown-lint")
        assert table is None or config.check(table, block.page) == table
