"""Whether a fix is possible is asked on the outline of a file: the answer must be that of the whole file."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from shutdown_lint import engine
from shutdown_lint.findings import Finding
from shutdown_lint.fixes.outline import outline
from shutdown_lint.fixes.planning import KINDS, plans
from shutdown_lint.settings import Settings

FIXTURES = Path(__file__).parent / "fixtures"
CASES = sorted(path for kind in KINDS for path in (FIXTURES / kind.upper()).glob("*.py"))

# what a real module holds besides: long enough for an outline to be worth the while
REST = "\n\n" + "\n\n".join(
    f"""\
@register(
    {number},
)
def step_{number}(job, *rest):
    # the comment is no part of the body
    '''Its
    docstring.'''
    with open(job) as lines:
        for line in lines: print(line)
    def inner():
        return job
    return inner


class Step{number}(Base):

    limit: int = {number}

    async def run(self):
        await self.go()  # at last


def one_line_{number}(): return {number}


async def last_{number}(): \\
    return 1; x = 2
"""
    for number in range(6)
)


def _fixable(text: str, path: Path) -> list[Finding]:
    path.write_text(text, "utf-8", newline="")
    settings = Settings(root=str(path.parent), select=("ALL",), jobs=1)
    return [finding for finding in engine.check([str(path)], settings).findings if finding.fix is not None]


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_is_possible_is_possible_on_the_whole_file(case: Path, tmp_path: Path) -> None:
    for text in (case.read_text("utf-8") + REST, "import sys\n" + REST[2:] + "\n\n" + case.read_text("utf-8")):
        found = _fixable(text, tmp_path / case.name)
        whole, reduced = plans(found, text), plans(found, text, of_outline=True)
        assert [(plan.refusal, bool(plan.edits)) for plan in whole] == [
            (plan.refusal, bool(plan.edits)) for plan in reduced
        ]


def test_only_what_no_finding_touches_is_hollow(tmp_path: Path) -> None:
    text = "import sys\n\n\ndef stop(code):\n    print(code)\n    exit(code)\n" + REST
    found = _fixable(text, tmp_path / "app.py")
    assert [finding.code for finding in found] == ["SHD108"]
    reduced = outline(text, found)
    assert reduced.count("\n") == text.count("\n")
    assert reduced.startswith(text[: text.index(REST)])
    assert "print(line)" not in reduced
    assert "await self.go()" not in reduced
    before, after = ast.parse(text).body, ast.parse(reduced).body
    assert [(type(node), node.lineno, node.end_lineno) for node in after] == [
        (type(node), node.lineno, node.end_lineno) for node in before
    ]


def test_of_a_class_only_the_touched_methods_are_kept(tmp_path: Path) -> None:
    text = (
        "class Job(Base):\n    def stop(self):\n        exit(1)\n\n    def run(self):\n        work(\n            1)\n"
        + REST
    )
    reduced = outline(text, _fixable(text, tmp_path / "app.py"))
    assert "        exit(1)\n" in reduced
    assert "work(" not in reduced


def test_a_function_that_binds_names_of_the_module_is_kept(tmp_path: Path) -> None:
    text = "def use():\n    global exit\n    from app import leave as exit\n\n\nexit(3)\n" + REST
    found = _fixable("exit(3)\n", tmp_path / "app.py")
    moved = [finding._replace(span=finding.span._replace(line=6, end_line=6)) for finding in found]
    assert "from app import leave as exit" in outline(text, moved)


@pytest.mark.parametrize("text", ["x = (\n" * 200, "x = 1\r\n" * 200, "x = 1\n"])
def test_what_cannot_be_told_is_left_as_it_is(text: str) -> None:
    assert outline(text, []) == text
