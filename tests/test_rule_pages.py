"""The rules' pages show what a run prints about their examples, and that is what they are examples of."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from command import COMMAND, LIMIT

from shutdown_lint.rules import registry

ROOT = Path(__file__).parent.parent
SECTION = re.compile(r"^## (Example|Use instead)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
CODE = re.compile(r'^```\w+ title="(?P<name>[^"]+)"\n(?P<text>.*?)^```', re.MULTILINE | re.DOTALL)
SESSION = re.compile(
    r"^```console\n\$ shutdown-lint (?P<arguments>[^\n]*)\n(?P<output>.*?)^```", re.MULTILINE | re.DOTALL
)


def sections(code: str) -> dict[str, str]:
    return dict(SECTION.findall((ROOT / f"docs/rules/{code}.md").read_text("utf-8")))


@pytest.mark.parametrize("entry", [entry for entry in registry.entries() if entry.checks], ids=lambda entry: entry.code)
def test_the_bad_code_is_reported_and_the_good_is_not(entry: registry.Entry) -> None:
    for title, section in sections(entry.code).items():
        shown = [m["output"] for m in SESSION.finditer(section)]
        assert shown, title
        for output in shown:
            codes = set(re.findall(r"^\S+:\d+:\d+ (SHD\d+) \[", output, re.MULTILINE))
            assert codes == ({entry.code} if title == "Example" else set())


@pytest.mark.parametrize("code", ["SHD101", "SHD111", "SHD602"])
def test_it_is_what_the_command_prints(code: str, tmp_path: Path) -> None:
    """As a user runs it; the rest is compared where the pages are generated, in one process."""
    section = sections(code)["Example"]
    for file in CODE.finditer(section):
        (tmp_path / file["name"]).write_text(file["text"], "utf-8")
    (session,) = SESSION.finditer(section)
    command = [*COMMAND, *shlex.split(session["arguments"]), "--no-cache"]
    env = {**os.environ, "COLUMNS": "88"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, timeout=LIMIT, check=False)
    assert done.stdout.decode() == session["output"]
