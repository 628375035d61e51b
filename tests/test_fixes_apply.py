"""Fixes on files: rounds, and what must hold before a file is written."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from fixing import BAD, GOOD, fix, holds_only, new_project, settings_for

from shutdown_lint import engine, fixes
from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit, Finding, Fix
from shutdown_lint.fixes import drafts, files, rounds
from shutdown_lint.fixes.edits import Planned
from shutdown_lint.fixes.planning import plans
from shutdown_lint.fixes.refusal import Refused


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project that is the current folder."""
    root = new_project(tmp_path)
    monkeypatch.chdir(root)
    return root


# --- rounds ----------------------------------------------------------------------------------------------------------


def test_a_file_is_fixed_and_then_there_is_nothing_left_to_fix(project: Path) -> None:
    (project / "a.py").write_bytes(BAD)
    result = fix()
    assert (project / "a.py").read_bytes() == GOOD
    assert result.fixed == (rounds.Fixed("a.py", "SHD108", "site-exit", 1),)
    assert result.report.findings == () and result.exit_code() == 0
    before = (project / "a.py").stat()
    again = fix()
    assert again.fixed == () and (project / "a.py").stat() == before
    assert holds_only(project, "a.py")


def test_a_diff_changes_nothing(project: Path) -> None:
    (project / "a.py").write_bytes(BAD.rstrip(b"\n"))
    result = fix(diff=True)
    assert (project / "a.py").read_bytes() == BAD.rstrip(b"\n")
    assert result.diff.startswith("--- a.py\n+++ a.py\n") and result.exit_code(diff=True) == 1
    assert "-    exit(1)  # bye\n+    sys.exit(1)  # bye\n" in result.diff
    assert result.diff.endswith(" main()\n\\ No newline at end of file\n")
    done = subprocess.run(["git", "apply", "-p0", "--unsafe-paths"], input=result.diff.encode(), check=False)
    assert done.returncode == 0 and (project / "a.py").read_bytes() == GOOD.rstrip(b"\n")


def test_stdin_comes_back_fixed_and_its_file_is_left_alone(project: Path) -> None:
    (project / "a.py").write_bytes(b"x = 1\n")
    settings = settings_for()._replace(stdin_filename="a.py")
    data = b"\xef\xbb\xbf" + BAD.replace(b"\n", b"\r\n")
    report = engine.check(["-"], settings, stdin=data)
    result = fixes.apply(report, ["-"], settings, stdin=data)
    assert result.output == b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n")
    assert result.report.findings == () and (project / "a.py").read_bytes() == b"x = 1\n"


def test_stdin_without_fixes_comes_back_as_it_is(project: Path) -> None:
    report = engine.check(["-"], settings_for(), stdin=b"x = 1")
    assert fixes.apply(report, ["-"], settings_for(), stdin=b"x = 1").output == b"x = 1"


def test_unsafe_fixes_need_to_be_asked_for(project: Path) -> None:
    (project / "a.py").write_bytes(BAD)
    report = engine.check(["."], settings_for())
    unsafe = tuple(f._replace(fix=f.fix._replace(applicability="unsafe")) for f in report.findings if f.fix)
    report = report._replace(findings=unsafe)
    assert fixes.apply(report, ["."], settings_for()).fixed == () and (project / "a.py").read_bytes() == BAD
    assert fixes.apply(report, ["."], settings_for(), unsafe=True).fixed and (project / "a.py").read_bytes() == GOOD


def test_a_fixer_that_refuses_says_why(project: Path) -> None:
    (project / "a.py").write_bytes(b"from app import sys\nexit(1)\n")
    report = engine.check(["."], settings_for())
    carrying = tuple(f._replace(fix=Fix("safe", "", "shd108")) for f in report.findings)
    result = fixes.apply(report._replace(findings=carrying), ["."], settings_for())
    assert result.refused == (rounds.Problem("a.py", "SHD108 in line 2: `sys` means something else here"),)
    assert result.fixed == () and result.problems == () and result.exit_code() == 1


def test_thousands_of_findings_in_one_file_are_fixed_together(project: Path) -> None:
    (project / "a.py").write_text("import sys\n" + "if sys.argv: exit(1)\n" * 2000)
    assert fix().fixed[0].number == 2000
    assert (project / "a.py").read_text() == "import sys\n" + "if sys.argv: sys.exit(1)\n" * 2000


def _pretend(monkeypatch: pytest.MonkeyPatch, plan: Callable[[Finding, str], Edit]) -> None:
    """Let ``plan`` make the edits instead of the fixers."""
    monkeypatch.setattr(
        drafts, "plans", lambda found, text: [Planned(finding, (plan(finding, text),)) for finding in found]
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [("exit(1", "would not compile"), ("exit(2)", "SHD108 would still be found"), ("exit(1) or sys", "SHD108")],
)
def test_a_fix_that_does_not_mend_is_not_written(
    project: Path, monkeypatch: pytest.MonkeyPatch, content: str, problem: str
) -> None:
    (project / "a.py").write_bytes(BAD)
    _pretend(monkeypatch, lambda finding, text: Edit(finding.span, content))
    result = fix()
    assert [problem in item.message for item in result.problems] == [True]
    assert result.fixed == () and result.exit_code() == 2 and (project / "a.py").read_bytes() == BAD


def test_one_fix_that_does_not_mend_does_not_stop_the_others(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = ["exit(1)", "exit(2)", "exit(3)"]
    (project / "a.py").write_text("import sys\n" + "".join(f"if sys.argv: {call}\n" for call in calls))
    real = plans

    def most(found: list[Finding], text: str) -> list[Planned]:
        bad = Edit(Span(3, 14, 3, 21), "exit(0)")
        return [plan._replace(edits=(bad,)) if plan.finding.span.line == 3 else plan for plan in real(found, text)]

    monkeypatch.setattr(drafts, "plans", most)
    result = fix()
    assert (project / "a.py").read_text().splitlines()[1:] == [
        "if sys.argv: sys.exit(1)",
        "if sys.argv: exit(2)",
        "if sys.argv: sys.exit(3)",
    ]
    assert [item.number for item in result.fixed] == [2] and result.exit_code() == 2
    assert [item.message for item in result.problems] == ["SHD108 would still be found after its fix"]


def test_a_fix_that_loses_a_comment_is_not_written(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "a.py").write_bytes(BAD)
    _pretend(monkeypatch, lambda finding, text: Edit(finding.span._replace(end_col=99), "sys.exit(1)"))
    monkeypatch.setattr(drafts, "changed", lambda text, edits: text.replace("exit(1)  # bye", "sys.exit(1)"))
    assert [item.message for item in fix().problems] == ["the comment `# bye` would be lost"]
    assert (project / "a.py").read_bytes() == BAD


def test_fixes_that_never_end_are_an_error_that_names_the_rule(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "a.py").write_bytes(b"x = 0\n")
    codes = iter(["SHD101", "SHD103"] * drafts.MAX_ROUNDS)
    span = Span(1, 1, 1, 1)

    def found() -> engine.Report:
        return engine.Report((Finding("a.py", span, next(codes), "x", "x", "error", "D", fix=Fix("safe", "", "x")),), 1)

    _pretend(monkeypatch, lambda finding, text: Edit(span, "y = 1\n"))
    monkeypatch.setattr(rounds, "_check", lambda run, changed: found())
    result = fixes.apply(found(), ["."], settings_for())
    assert [item.message for item in result.problems] == ["still finds something to fix after 10 rounds: SHD101"]
    assert (project / "a.py").read_bytes() == b"x = 0\n"


def test_one_file_that_cannot_be_fixed_does_not_stop_the_others(project: Path) -> None:
    for name in ("a.py", "b.py", "c.py"):
        (project / name).write_bytes(BAD)
    (project / "b.py").chmod(0o444)
    result = fix()
    assert [(item.path, item.message) for item in result.problems] == [("b.py", "the file is read-only")]
    assert [(project / name).read_bytes() for name in ("a.py", "b.py", "c.py")] == [GOOD, BAD, GOOD]
    assert [finding.path for finding in result.report.findings] == ["b.py"] and result.exit_code() == 2
    assert holds_only(project, "a.py", "b.py", "c.py")


# --- text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["no bom", "bom"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("last", [True, False], ids=["newline at the end", "none"])
def test_only_the_fixed_bytes_change(project: Path, bom: bytes, newline: bytes, last: bool) -> None:
    bad = b"s = '\xc3\xa9'\nt = '''a\r\nb\n'''\n" + BAD
    good = b"s = '\xc3\xa9'\nt = '''a\r\nb\n'''\n" + GOOD
    data, expected = (text.replace(b"\n", newline).removesuffix(b"" if last else newline) for text in (bad, good))
    (project / "a.py").write_bytes(bom + data)
    assert fix().problems == ()
    assert (project / "a.py").read_bytes() == bom + expected


def test_another_encoding_is_kept(project: Path) -> None:
    data = b"# -*- coding: latin-1 -*-\ns = '\xe9'\nexit(s)\n"
    (project / "a.py").write_bytes(data)
    assert fix().problems == ()
    assert (project / "a.py").read_bytes() == b"# -*- coding: latin-1 -*-\nimport sys\n\ns = '\xe9'\nsys.exit(s)\n"


def test_a_text_that_the_encoding_cannot_hold_is_refused() -> None:
    with pytest.raises(Refused, match="encoding of the file"):
        files.encode("# coding: latin-1\ns = '\u017e'\n", b"# coding: latin-1\n")


def test_a_text_that_would_be_read_in_another_encoding_is_refused() -> None:
    with pytest.raises(Refused, match="read back"):
        files.encode("# coding: latin-1\ns = '\u00e9'\n", b"# coding: utf-8\n")


def test_bytes_that_would_change_by_themselves_are_refused(project: Path) -> None:
    # utf-7 has several spellings of one character
    (project / "a.py").write_bytes(b"# coding: utf-7\ns = '+AGE-'\nexit(1)\n")
    assert [item.message for item in fix().problems] == ["the file cannot be written back unchanged"]
