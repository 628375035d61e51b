"""The showcase: every page has its proof and quotes what exists; proofs run where their packages are installed."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest

from shutdown_lint.rules import registry

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "showcase"
SECTIONS = ("The finding", "The proof", "A way to mend it", "In fairness")
LIMIT = 300  # seconds for one proof; each bounds its own steps far below that


def load() -> ModuleType:
    """scripts/showcase.py as a module; it is no part of the package."""
    spec = importlib.util.spec_from_file_location("showcase", ROOT / "scripts" / "showcase.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["showcase"] = module  # its named tuples look themselves up there
    spec.loader.exec_module(module)
    return module


showcase = load()
PAGES = showcase.pages()
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def installed(requirement: str) -> bool:
    name, _, version = requirement.partition("==")
    try:
        return metadata.version(name) == version
    except metadata.PackageNotFoundError:
        return False


def test_there_is_a_page_for_each_proof() -> None:
    assert [page.name for page in PAGES] == sorted(path.stem for path in (FOLDER / "proofs").glob("*.py"))
    assert len(PAGES) == 10


def test_the_index_leads_to_every_page() -> None:
    index = (FOLDER / "index.md").read_text("utf-8")
    assert sorted(re.findall(r"^\| \[[^\]]+\]\((\w+)\.md\)", index, re.MULTILINE)) == [page.name for page in PAGES]
    for page in PAGES:
        code = re.search(r"SHD\d+", page.finding)
        assert code and re.search(rf"\({page.name}\.md\) \| \[{code[0]}\]", index)


@each_page
def test_pages_have_their_parts(page: showcase.Page) -> None:
    text = page.path.read_text("utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert [heading for heading in headings if heading in SECTIONS] == list(SECTIONS)
    assert f"](proofs/{page.name}.py)" in text
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (FOLDER / target).exists(), target


@each_page
def test_findings_are_of_rules_that_speak_by_default(page: showcase.Page) -> None:
    head = re.match(r"(\S+\.py):\d+:\d+ (SHD\d+) \[(error|warning|info)\] ", page.finding)
    assert head, page.finding
    assert {rule.code: rule.tier for rule in registry.entries()}[head[2]] == "D"
    assert f"[{head[2]}](../rules/{head[2]}.md)" in page.path.read_text("utf-8")
    assert "[docs: " + head[2] + "]" in page.finding


@each_page
def test_proofs_compile_and_pin_what_they_need(page: showcase.Page) -> None:
    source = page.proof.read_text("utf-8")
    compile(source, str(page.proof), "exec")
    assert page.requirements
    assert all(re.fullmatch(r"[a-z-]+==[\d.]+", requirement) for requirement in page.requirements)
    assert f"`pip install {page.requirements[0]}`" in page.path.read_text("utf-8")
    assert re.search(r"^LIMIT = \d+  # seconds", source, re.MULTILINE), "no limit in time"


@each_page
def test_outputs_tell_both_halves(page: showcase.Page) -> None:
    assert [line.partition(":")[0] for line in page.output.splitlines() if line[0] != " "] == ["BEFORE", "AFTER"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@each_page
def test_proofs_show_the_hazard(page: showcase.Page) -> None:
    missing = [requirement for requirement in page.requirements if not installed(requirement)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    command = [sys.executable, str(page.proof)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
