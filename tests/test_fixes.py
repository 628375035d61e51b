"""The fixers, case by case: ``tests/fixes/<kind>.txt`` holds sources, spans of findings in «…», and what comes out.

A first line ``# name=value …`` gives the fixer's arguments; ``file`` among them is the name of the file (``app.py``).
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit, Finding, Fix
from shutdown_lint.fixes.edits import Planned, changed, compatible
from shutdown_lint.fixes.planning import KINDS, plan, plans

CASES = Path(__file__).parent / "fixes"
LINE_ENDS = ("\n", "\r\n", "\r")


class Case(NamedTuple):
    """One case: the source without marks, the findings, the fixed source or the reason of the refusal."""

    kind: str
    name: str
    source: str
    findings: tuple[Finding, ...]
    fixed: str
    refusal: str


def _cases() -> list[Case]:
    return [case for path in sorted(CASES.glob("*.txt")) for case in _read(path)]


def _read(path: Path) -> list[Case]:
    cases = []
    for block in path.read_text("utf-8").split("==== ")[1:]:
        name, rest = block.split("\n", 1)
        marked, verdict, result = re.split(r"^---- (fixed|refused)\n", rest, maxsplit=1, flags=re.MULTILINE)
        source, findings = _unmark(marked, path.stem)
        outcome = (result, "") if verdict == "fixed" else ("", result.strip())
        cases.append(Case(path.stem, name, source, findings, *outcome))
    return cases


def _unmark(marked: str, kind: str) -> tuple[str, tuple[Finding, ...]]:
    given_args = re.match(r"#(?: \w+=\S*)+\n", marked)
    given = dict(re.findall(r" (\w+)=(\S*)", given_args[0])) if given_args else {}
    path = given.pop("file", "app.py")
    findings = []
    while "«" in marked:
        start = marked.index("«")
        marked = marked.replace("«", "", 1)
        end = marked.index("»")
        marked = marked.replace("»", "", 1)
        findings.append(_finding(kind, Span(*_place(marked, start), *_place(marked, end)), tuple(given.items()), path))
    return marked, tuple(findings)


def _place(text: str, offset: int) -> tuple[int, int]:
    line = text.count("\n", 0, offset)
    return line + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def _finding(kind: str, span: Span, args: tuple[tuple[str, str], ...] = (), path: str = "app.py") -> Finding:
    fix = Fix("safe", "mend it", kind, args)
    return Finding(path, span, kind.upper(), kind, "is wrong", "error", "D", fix=fix)


def _fix(text: str, findings: tuple[Finding, ...]) -> str:
    edits = [edit for item in compatible(plans(findings, text)) for edit in item.edits]
    return changed(text, edits)


ALL = _cases()
FIXED = [case for case in ALL if case.fixed]
REFUSED = [case for case in ALL if case.refusal]
PYTHON = [case for case in FIXED if case.findings[0].path == "app.py"]


def _id(case: Case) -> str:
    return f"{case.kind}: {case.name}"


def test_every_fixer_has_cases_of_both_sorts() -> None:
    assert {case.kind for case in FIXED} == {case.kind for case in REFUSED} == KINDS


@pytest.mark.parametrize("case", FIXED, ids=_id)
def test_fixed(case: Case) -> None:
    assert _fix(case.source, case.findings) == case.fixed
    assert case not in PYTHON or ast.parse(case.fixed)


@pytest.mark.parametrize("case", REFUSED, ids=_id)
def test_refused(case: Case) -> None:
    (planned,) = plans(case.findings, case.source)
    assert planned.edits == ()
    assert case.refusal in planned.refusal


@pytest.mark.parametrize("newline", LINE_ENDS, ids=("lf", "crlf", "cr"))
@pytest.mark.parametrize("case", FIXED, ids=_id)
def test_line_ends_are_kept(case: Case, newline: str) -> None:
    source = case.source.replace("\n", newline)
    assert _fix(source, case.findings) == case.fixed.replace("\n", newline)


@pytest.mark.parametrize("case", FIXED, ids=_id)
def test_no_newline_is_added_at_the_end(case: Case) -> None:
    result = _fix(case.source.removesuffix("\n"), case.findings)
    assert result.rstrip("\n") == case.fixed.rstrip("\n")
    assert not result.endswith("\n") or case.kind == "shd910"


@pytest.mark.parametrize("case", [case for case in FIXED if case.kind != "shd910"], ids=_id)
def test_comments_are_kept(case: Case) -> None:
    comments = re.findall(r"#.*", case.source)
    assert re.findall(r"#.*", _fix(case.source, case.findings)) == comments


@pytest.mark.parametrize("case", PYTHON, ids=_id)
def test_code_around_moves_the_fix_but_does_not_change_it(case: Case) -> None:
    """Only the statements of the finding and the head of the file change."""
    tail = "\n\ndef unrelated(a,  b = [1,2]) :  # odd style\n    '''text'''\n    return {a:b} ;\n"
    result = _fix(case.source + tail, case.findings)
    assert result.endswith(tail)


def test_the_edits_of_a_plan_are_what_the_json_output_shows() -> None:
    finding = _finding("shd108", Span(3, 1, 3, 8))
    assert plan([finding], "import sys\n\nexit(1)\n") == {finding: (Edit(Span(3, 1, 3, 5), "sys.exit"),)}


def test_positions_count_code_points() -> None:
    text = 'import sys\ns = "𝄞é"; exit(1)\n'
    start = text.split("\n")[1].index("exit") + 1
    finding = _finding("shd108", Span(2, start, 2, start + 7))
    assert changed(text, plan([finding], text)[finding]) == text.replace("exit", "sys.exit")


def test_a_finding_without_fix_has_no_plan() -> None:
    finding = _finding("shd108", Span(1, 1, 1, 8))._replace(fix=None)
    assert plan([finding], "exit(1)\n") == {}


def test_an_unknown_fixer_is_refused() -> None:
    (planned,) = plans([_finding("shd999", Span(1, 1, 1, 8))], "exit(1)\n")
    assert planned.edits == () and planned.refusal


def test_a_text_that_is_no_python_is_refused() -> None:
    (planned,) = plans([_finding("shd108", Span(1, 1, 1, 8))], "exit(1\n")
    assert planned.edits == () and "syntax error" in planned.refusal


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("exit(1)\ntry:\n    f()\nexcept:\n    g()\nexcept OSError:\n    h()\n", "bare except"),
        ("exit(1)\nx = " + "[" * 300 + "]" * 300 + "\n", "nested parentheses"),
        ("exit(1)\nx = a" + ".b" * 3000 + "\n", "links in a chain"),
    ],
)
def test_a_text_that_libcst_must_not_see_or_does_not_take_is_refused(text: str, words: str) -> None:
    (planned,) = plans([_finding("shd108", Span(1, 1, 1, 8))], text)
    assert planned.edits == () and words in planned.refusal


@pytest.mark.parametrize(("kind", "path"), [("shd910", "Dockerfile"), ("shd602", "app.py")])
def test_a_fixer_is_asked_in_files_of_its_language_only(kind: str, path: str) -> None:
    (planned,) = plans([_finding(kind, Span(1, 1, 1, 5), path=path)], "exit # noqa: SHD108\n")
    assert (planned.edits, planned.refusal) == ((), "no fixer is known for it")


def test_a_place_outside_the_file_is_refused() -> None:
    (planned,) = plans([_finding("shd108", Span(9, 1, 9, 8))], "exit(1)\n")
    assert planned.edits == () and planned.refusal


def _planned(code: str, line: int, *edits: Edit) -> Planned:
    return Planned(_finding(code, Span(line, 1, line, 2)), edits)


def test_the_first_of_two_conflicting_fixes_wins() -> None:
    first = _planned("shd108", 1, Edit(Span(1, 1, 1, 5), "a"))
    inside = _planned("shd208", 2, Edit(Span(1, 2, 1, 2), "b"))
    after = _planned("shd309", 3, Edit(Span(1, 5, 1, 9), "c"))
    assert compatible([after, inside, first]) == [first, after]


def test_different_insertions_at_one_place_conflict_and_equal_ones_are_shared() -> None:
    one = _planned("shd108", 1, Edit(Span(1, 1, 1, 1), "import sys\n"))
    same = _planned("shd108", 2, Edit(Span(1, 1, 1, 1), "import sys\n"), Edit(Span(4, 1, 4, 2), "y"))
    other = _planned("shd208", 3, Edit(Span(1, 1, 1, 1), "import os\n"))
    assert compatible([one, same, other]) == [one, same]


def test_an_insertion_right_before_a_replacement_comes_first() -> None:
    text = changed("exit()\n", [Edit(Span(1, 1, 1, 5), "sys.exit"), Edit(Span(1, 1, 1, 1), "import sys\n\n")])
    assert text == "import sys\n\nsys.exit()\n"


def test_overlapping_edits_are_an_error() -> None:
    with pytest.raises(ValueError, match="overlap"):
        changed("abcdef", [Edit(Span(1, 1, 1, 4), "x"), Edit(Span(1, 3, 1, 5), "y")])


# what needs no place elsewhere in the file, which would move
MOVABLE = [
    case
    for case in PYTHON
    if case.kind != "shd910" and not any(finding.fix.args for finding in case.findings if finding.fix)
]


@hypothesis_settings(max_examples=150, deadline=None)
@given(
    picked=st.lists(st.sampled_from(MOVABLE), min_size=1, max_size=4),
    newline=st.sampled_from(LINE_ENDS),
    filler=st.sampled_from(("", "# é\n", "x = '''\n  # no comment\n'''\n", "\f\n", "class C:\n\tpass\n")),
)
def test_any_mixture_of_cases_still_parses(picked: list[Case], newline: str, filler: str) -> None:
    """Cases one below the other: every fix that is made keeps the file parseable, and every comment."""
    text, findings = "", []
    for case in picked:
        offset = text.count("\n")
        for finding in case.findings:
            line, col, end_line, end_col = finding.span
            findings.append(finding._replace(span=Span(line + offset, col, end_line + offset, end_col)))
        text += case.source + filler
    try:
        ast.parse(text)
    except SyntaxError:  # a __future__ import that is no longer at the top
        return
    source = text.replace("\n", newline)
    result = _fix(source, tuple(findings))
    ast.parse(result)
    assert re.findall(r"#[^\r\n]*", source) == re.findall(r"#[^\r\n]*", result)
