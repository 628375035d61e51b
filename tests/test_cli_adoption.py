"""Beginning with the linter in a project that has findings: baselines, comments, changed lines, severities."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command import BAD, make_project

from shutdown_lint.adoption import noqa
from shutdown_lint.cli import main
from shutdown_lint.facts import Span
from shutdown_lint.findings import Finding
from shutdown_lint.suppressions import read_suppressions

BASELINE = "shutdown-lint-baseline.json"
OTHER = BAD.replace("def f", "def other")
WARNING = "import atexit\nimport os\n\natexit.register(print)\n\n\ndef g():\n    os._exit(1)\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_project(tmp_path, monkeypatch)


@pytest.fixture
def found(project: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """The places of the findings of a check."""

    def check(*arguments: str) -> list[str]:
        capsys.readouterr()
        main([*arguments, "--output-format", "concise", "-q"])
        return [line.partition(" [")[0] for line in capsys.readouterr().out.splitlines()]

    return check


# --- baseline --------------------------------------------------------------------------------------------------------


def test_known_findings_are_not_reported(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["baseline", "create"]) == 0
    assert capsys.readouterr().out == f"1 finding written to {BASELINE}\n"
    assert main([".", "--baseline", BASELINE]) == 0
    out, err = capsys.readouterr()
    assert out == "No findings in 2 files\n" and err == "shutdown-lint: 1 finding hidden by the baseline\n"
    assert main(["."]) == 1, "a baseline counts where it is named"


def test_what_is_new_is_reported_and_moved_lines_are_not_new(project: Path, found: Callable[..., list[str]]) -> None:
    (project / "pyproject.toml").write_text(f"[tool.shutdown-lint]\nbaseline = '{BASELINE}'\n")
    assert main(["baseline", "create"]) == 0
    (project / "bad.py").write_text(f"# moved\n\n{BAD}\n\n{OTHER}")
    assert found() == ["bad.py:14:9 SHD107"]
    (project / "bad.py").write_text(BAD.replace("return 1", "return  1  # why"))
    assert found() == []
    (project / "copy.py").write_text(BAD)
    assert found() == ["copy.py:5:9 SHD107"]


def test_an_entry_hides_as_many_findings_as_there_were(project: Path, found: Callable[..., list[str]]) -> None:
    main(["baseline", "create"])
    (project / "bad.py").write_text(BAD + BAD.replace("def f():\n", ""))
    twice = "if a:\n" + "".join(f"    {line}\n" for line in BAD.splitlines()) * 2
    (project / "bad.py").write_text(twice)
    main(["baseline", "update"])
    assert json.loads((project / BASELINE).read_text())["findings"][0]["times"] == 2
    assert found(".", "--baseline", BASELINE) == []
    (project / "bad.py").write_text(twice + "".join(f"    {line}\n" for line in BAD.splitlines()))
    assert len(found(".", "--baseline", BASELINE)) == 1


def test_baselines_shrink_when_findings_go(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "other.py").write_text(OTHER)
    main(["baseline", "create"])
    (project / "bad.py").write_text("x = 1\n")
    (project / "new.py").write_text(BAD)
    capsys.readouterr()
    assert main([".", "--baseline", BASELINE]) == 1
    assert "1 entry of the baseline finds nothing any more" in capsys.readouterr().err
    main(["good.py", "--baseline", BASELINE])
    assert "finds nothing" not in capsys.readouterr().err, "the file was not looked at"
    assert main(["baseline", "update", "--prune"]) == 0
    assert capsys.readouterr().out == f"1 finding in {BASELINE}: 0 added, 1 removed\n"
    assert main(["baseline", "update"]) == 0
    assert capsys.readouterr().out == f"2 findings in {BASELINE}: 1 added, 0 removed\n"
    (project / "other.py").unlink()
    assert main(["baseline", "update", "good.py"]) == 0
    assert capsys.readouterr().out == f"1 finding in {BASELINE}: 0 added, 1 removed\n", "its file is gone"


def test_updates_of_some_files_keep_the_rest_and_its_dates(project: Path) -> None:
    (project / "other.py").write_text(OTHER)
    main(["baseline", "create"])
    text = (project / BASELINE).read_text()
    data = json.loads(text)
    for row in data["findings"]:
        row["added"] = "2020-01-01"
    (project / BASELINE).write_text(json.dumps(data))
    main(["baseline", "update", "other.py"])
    rows = json.loads((project / BASELINE).read_text())["findings"]
    assert [(row["path"], row["added"]) for row in rows] == [("bad.py", "2020-01-01"), ("other.py", "2020-01-01")]


def test_baselines_are_found_from_anywhere(
    project: Path, monkeypatch: pytest.MonkeyPatch, found: Callable[..., list[str]]
) -> None:
    (project / "pyproject.toml").write_text(f"[tool.shutdown-lint]\nbaseline = '{BASELINE}'\n")
    main(["baseline", "create"])
    (project / "sub").mkdir()
    monkeypatch.chdir(project / "sub")
    assert found("../bad.py") == []
    assert found("../bad.py", "--baseline", f"../{BASELINE}") == []
    assert found("../bad.py", "--baseline", "") != []


def test_the_file_can_be_read_and_merged_by_lines(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "other.py").write_text(OTHER)
    main(["baseline", "create"])
    lines = (project / BASELINE).read_text().splitlines()
    assert len(lines) == 7 and "bad.py" in lines[3] and "other.py" in lines[4]
    assert '"line"' not in lines[3]
    capsys.readouterr()
    assert main(["baseline", "show"]) == 0
    out = capsys.readouterr().out
    assert "bad.py:\n  20" in out and "  SHD107 in f: " in out and "2 findings in 2 files known to" in out


def test_input_that_cannot_be_read_is_no_debt(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "broken.py").write_text("def f(:\n")
    assert main(["baseline", "create"]) == 2
    assert "broken.py" not in (project / BASELINE).read_text()
    assert main([".", "--baseline", BASELINE]) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read: no such file or directory (`shutdown-lint baseline create` writes it)"),
        ("{", "no valid JSON"),
        ("[]", "not a baseline of this version"),
        ('{"version": 2, "findings": []}', "not a baseline of this version"),
        ('{"version": 1, "findings": [{"path": 3}]}', "entry 1 is not one that shutdown-lint wrote"),
        ("[" * 100_000, "no valid JSON"),
    ],
)
def test_a_baseline_that_cannot_be_used_ends_the_run(
    project: Path, capsys: pytest.CaptureFixture[str], text: str | None, message: str
) -> None:
    if text is not None:
        (project / "known.json").write_text(text)
    assert main(["bad.py", "--baseline", "known.json"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and message in err and "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create"], f"{BASELINE} is there already"),
        (["make"], "no command `baseline make`"),
        (["create", "--fix"], "a baseline is made of files as they are"),
        (["create", "-"], "a baseline is made of files as they are"),
        (["show", "--prune"], "unrecognized arguments: --prune"),
    ],
)
def test_wrong_usage_of_baselines(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    main(["baseline", "create"])
    before = (project / BASELINE).read_text()
    capsys.readouterr()
    assert main(["baseline", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert (project / BASELINE).read_text() == before


# --- comments --------------------------------------------------------------------------------------------------------


def test_comments_hide_what_there_is(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([".", "--add-noqa"]) == 0
    assert capsys.readouterr().out == "Added comments for 1 finding in 1 file\n"
    assert (project / "bad.py").read_text().endswith("        return 1  # noqa: SHD107\n")
    assert main(["."]) == 0
    assert main([".", "--add-noqa"]) == 0
    assert (project / "bad.py").read_text().count("noqa") == 1


def test_comments_with_a_reason(project: Path) -> None:
    assert main([".", "--add-noqa", "--reason", "B950 says so,\n see #12"]) == 0
    last = (project / "bad.py").read_text().splitlines()[-1]
    assert last == "        return 1  # shutdown-lint: ignore[SHD107] B950 says so, see #12"
    assert main(["."]) == 0


def hide(text: str, line: int, reason: str = "", *codes: str) -> str:
    findings = [Finding("a.py", Span(line, 1, line, 2), code, "n", "m", "error", "D") for code in codes or ("SHD101",)]
    hidden = noqa.add(text, findings, reason)
    assert hidden.number == len(findings)
    return hidden.text


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("f()", "f()  # noqa: SHD101"),
        ("f()   ", "f()  # noqa: SHD101   "),
        ("f()  # why", "f()  # why  # noqa: SHD101"),
        ("f()  # noqa: E501", "f()  # noqa: E501, SHD101"),
        ("f()  # noqa: E501 why", "f()  # noqa: E501, SHD101 why"),
        ("f()  # shutdown-lint: ignore[SHD103] r", "f()  # shutdown-lint: ignore[SHD103] r  # noqa: SHD101"),
        ("f('#')", "f('#')  # noqa: SHD101"),
    ],
)
def test_comments_join_what_is_at_the_end_of_the_line(line: str, expected: str) -> None:
    assert hide(f"{line}\ng()\n", 1) == f"{expected}\ng()\n"


def test_reasons_join_the_comment_of_ours() -> None:
    assert (
        hide("f()  # shutdown-lint: ignore[SHD103] r\n", 1, "new") == "f()  # shutdown-lint: ignore[SHD103, SHD101] r\n"
    )
    assert hide("f()  # noqa: E501\n", 1, "new") == "f()  # noqa: E501  # shutdown-lint: ignore[SHD101] new\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("f(\n    1,\n    g(),\n)\n", 3),
        ('f("""\nx\n""", g())\n', 1),
        ('f("""\nx\n""", g())\n', 3),
        ("x = 1 + \\\n    g()\n", 1),
        ("f()\r\ng()\r\n", 1),
        ("f()", 1),
        ("if x:\n    f()  # end", 2),
        ("def f(\n    a=1,\n):\n    g()\n", 1),
    ],
)
def test_comments_stand_where_the_code_stays_what_it_is(text: str, line: int) -> None:
    new = hide(text, line)
    compile(new, "a.py", "exec")
    (suppression,) = read_suppressions(new)[0]
    assert suppression.covers(line)
    assert new.replace("  # noqa: SHD101", "") == text


def test_several_rules_share_a_comment() -> None:
    assert hide("f()\n", 1, "", "SHD103", "SHD101") == "f()  # noqa: SHD101,SHD103\n"


def test_encodings_and_line_ends_are_kept(project: Path) -> None:
    data = ("# -*- coding: latin-1 -*-\n" + BAD + "x = 'é'\n").replace("\n", "\r\n").encode("latin-1")
    (project / "bad.py").write_bytes(data)
    main([".", "--add-noqa"])
    assert (project / "bad.py").read_bytes() == data.replace(b"return 1", b"return 1  # noqa: SHD107")


def test_what_cannot_be_hidden_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "broken.py").write_text("def f(:\n")
    assert main([".", "--add-noqa"]) == 2
    assert "no comment can hide the other 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([".", "--reason", "x"], "--reason goes with --add-noqa"),
        ([".", "--add-noqa", "--fix"], "--add-noqa cannot be combined with --fix"),
        ([".", "--diff-only", "HEAD", "--diff"], "--diff-only cannot be combined with --fix"),
        (["-", "--add-noqa"], "--add-noqa cannot be combined with `-`"),
    ],
)
def test_contradictions_are_told(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


# --- severities ------------------------------------------------------------------------------------------------------


def test_the_exit_code_counts_from_a_severity_on(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pyproject.toml").write_text("[tool.shutdown-lint.severity]\nSHD1 = 'info'\nSHD107 = 'warning'\n")
    assert main(["bad.py"]) == 1
    assert "SHD107 [warning]" in capsys.readouterr().out, "the more precise selector wins"
    assert main(["bad.py", "--fail-on", "error"]) == 0
    assert "SHD107 [warning]" in capsys.readouterr().out, "it is reported all the same"
    assert main(["bad.py", "--fail-on", "warning"]) == 1
    (project / "broken.py").write_text("def f(:\n")
    assert main([".", "--fail-on", "error"]) == 2, "input that cannot be read is no matter of severity"


def test_severities_also_count_when_fixing(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.shutdown-lint]\nfail-on = 'error'\nseverity = {SHD107 = 'info'}\n")
    (project / "unused.py").write_text("x = 1  # noqa: SHD101\n")
    assert main([".", "--fix"]) == 0
    assert (project / "unused.py").read_text() == "x = 1\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("severity = {SHD1 = 'fatal'}", '`severity."SHD1"` must be "error" or "warning" or "info", not string'),
        ("severity = {SHD198 = 'info'}", "`severity`: unknown rule selector `SHD198`"),
        ("severity = 'error'", "`severity` must be a table of selector = severity"),
        ("fail-on = 'never'", "`fail-on` must be"),
    ],
)
def test_mistakes_in_severities_are_told(
    project: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    (project / "pyproject.toml").write_text(f"[tool.shutdown-lint]\n{text}\n")
    assert main(["bad.py"]) == 2
    assert message in capsys.readouterr().err


# --- changed lines ---------------------------------------------------------------------------------------------------

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    command = ["git", *identity, "-c", "init.defaultBranch=main", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.fixture
def repository(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "first")
    return project


@needs_git
def test_only_changed_lines_are_reported(repository: Path, found: Callable[..., list[str]]) -> None:
    assert found(".", "--diff-only", "HEAD") == []
    (repository / "bad.py").write_text(f"# moved\n{BAD}{OTHER}")
    assert found(".", "--diff-only", "HEAD") == ["bad.py:11:9 SHD107"]
    (repository / "new file é.py").write_text(BAD)
    assert found(".", "--diff-only", "HEAD") == ["bad.py:11:9 SHD107", "new file é.py:5:9 SHD107"]
    git(repository, "add", ".")
    assert len(found(".", "--diff-only", "HEAD")) == 2, "staged is changed too"
    git(repository, "commit", "-qm", "second")
    assert found(".", "--diff-only", "HEAD") == []
    assert len(found(".", "--diff-only", "HEAD~1")) == 2
    assert len(found(".", "--diff-only", "HEAD~1..HEAD")) == 2


@needs_git
def test_a_branch_is_judged_from_where_it_began(repository: Path, found: Callable[..., list[str]]) -> None:
    git(repository, "checkout", "-qb", "topic")
    (repository / "topic.py").write_text(BAD)
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "topic")
    git(repository, "checkout", "-q", "main")
    (repository / "bad.py").write_text(OTHER)
    git(repository, "commit", "-qam", "main goes on")
    git(repository, "checkout", "-q", "topic")
    assert found(".", "--diff-only", "main") == ["topic.py:5:9 SHD107"]


@needs_git
def test_lines_that_look_like_a_diff_are_counted_right(repository: Path, found: Callable[..., list[str]]) -> None:
    (repository / "odd.sql.py").write_text("x = '''\n-- a\n++ b/bad.py\n'''\n" + BAD)
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "odd")
    (repository / "odd.sql.py").write_text("x = '''\n++ b/bad.py\n@@ -1 +5 @@\n'''\n" + BAD)
    assert found(".", "--diff-only", "HEAD") == []
    (repository / "odd.sql.py").write_text(
        "x = '''\n++ b/bad.py\n@@ -1 +5 @@\n'''\n" + BAD.replace("return 1", "return 2")
    )
    assert found(".", "--diff-only", "HEAD") == ["odd.sql.py:9:9 SHD107"]


@needs_git
def test_a_change_on_the_path_counts(repository: Path, found: Callable[..., list[str]]) -> None:
    (repository / "main.py").write_text("import leave\n\n\ndef main():\n    x = 1\n    leave.now()\n")
    (repository / "leave.py").write_text("import os\n\n\ndef now():\n    os._exit(3)\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "harmless")
    (repository / "main.py").write_text(
        "import leave\n\n\ndef main():\n    with open('pid', 'w') as pid:\n        pid.write('1')\n        leave.now()\n"
    )
    assert found(".", "--diff-only", "HEAD") == ["leave.py:5:5 SHD101"]


@needs_git
def test_only_what_git_is_asked_for_is_run(repository: Path, found: Callable[..., list[str]]) -> None:
    trap = repository / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {repository}/sprung\n")
    trap.chmod(0o755)
    (repository / ".gitattributes").write_text("*.py diff=trap\n")
    for key in ("diff.external", "diff.trap.command", "diff.trap.textconv", "core.fsmonitor", "core.pager"):
        git(repository, "config", key, str(trap))
    (repository / "bad.py").write_text(BAD.replace("return 1", "return 2"))
    assert found(".", "--diff-only", "HEAD") == ["bad.py:5:9 SHD107"]
    assert not (repository / "sprung").exists()


@needs_git
@pytest.mark.parametrize(
    ("revision", "message"),
    [("missing", "git rev-parse: fatal: "), ("--output=x", "is no revision"), ("a..b", "fatal")],
)
def test_an_unknown_revision_ends_the_run(
    repository: Path, capsys: pytest.CaptureFixture[str], revision: str, message: str
) -> None:
    assert main([".", f"--diff-only={revision}"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and message in err and err.startswith("shutdown-lint: --diff-only: ")


def test_without_a_repository_it_is_told(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.parent))
    assert main([".", "--diff-only", "HEAD"]) == 2
    assert "--diff-only: git" in capsys.readouterr().err


def test_a_plain_check_loads_nothing_of_this(project: Path) -> None:
    program = "import sys; from shutdown_lint.cli import main; main(['good.py']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(done.stderr.split())
    unwanted = {"shutdown_lint.adoption.baseline", "shutdown_lint.adoption.changes", "subprocess"}
    assert not unwanted & loaded


def test_stdin_has_known_findings_too(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main(["baseline", "create"])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"# moved\n" + BAD.encode())))
    assert main(["-", "--stdin-filename", "bad.py", "--baseline", BASELINE]) == 0
