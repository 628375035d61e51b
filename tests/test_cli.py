"""The command line: exit codes, usage, configuration, stdin, colours, help, start-up."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from command import BAD, LIMIT, make_project, run

from shutdown_lint import __version__
from shutdown_lint.cli import main
from shutdown_lint.rules import registry


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_project(tmp_path, monkeypatch)


# --- exit codes and output -------------------------------------------------------------------------------------------


def test_exit_codes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["good.py"]) == 0
    assert main(["bad.py"]) == 1
    assert main(["bad.py", "--exit-zero"]) == 0
    (project / "broken.py").write_text("def f(:\n")
    assert main(["broken.py"]) == 2
    assert main([".", "--exit-zero"]) == 2
    assert "bad.py:5:9 SHD107" in capsys.readouterr().out, "what can be analysed is still reported"
    assert main(["missing.py"]) == 2
    assert "missing.py:1:1 SHD901" in capsys.readouterr().out


def test_check_is_the_default_command(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "bad.py"]) == 1
    explicit = capsys.readouterr().out
    assert main(["bad.py"]) == 1
    assert capsys.readouterr().out == explicit
    assert main([]) == 1
    assert capsys.readouterr().out == explicit, "no path: the current folder"


def test_the_full_format_is_the_default(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["bad.py"])
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("bad.py:5:9 SHD107 [error] ")
    assert out[1:3] == ["    5 |         return 1", "      |         ^^^^^^^^"]
    assert out[-1] == "Found 1 finding"


def test_formats(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["bad.py", "--output-format", "json"])
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["code"], row["location"]) == ("SHD107", {"row": 5, "column": 9})
    assert row["filename"] == str(project / "bad.py")
    main(["bad.py", "--output-format", "concise"])
    assert len(capsys.readouterr().out.splitlines()) == 2
    main(["bad.py", "--statistics"])
    assert capsys.readouterr().out.splitlines() == ["1  SHD107      finally-swallows-exit", "Found 1 finding"]
    main(["bad.py", "--statistics", "--output-format", "json"])
    assert json.loads(capsys.readouterr().out) == [
        {"code": "SHD107", "name": "finally-swallows-exit", "count": 1, "fixable": 0}
    ]


def test_quiet_prints_findings_only(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["bad.py", "-q", "--output-format", "concise"])
    assert len(capsys.readouterr().out.splitlines()) == 1
    main(["good.py", "-q"])
    assert capsys.readouterr() == ("", "")


def test_verbose_tells_what_applies(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["good.py", "-v", "--target-version", "py312"])
    err = capsys.readouterr().err
    assert f"configuration: {project / 'pyproject.toml'}" in err
    assert f"project root: {project}" in err and "Python 3.12" in err and "1 file checked" in err


def test_flags_and_paths_in_any_order(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["good.py", "--select", "SHD107", "bad.py", "--output-format=concise"]) == 1
    assert main(["--select", "SHD101,SHD107", "--select", "SHD103", "bad.py"]) == 1
    assert main(["bad.py", "--ignore", "finally-swallows-exit"]) == 0


def test_paths_that_look_like_flags(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "--fix.py").write_text(BAD)
    assert main(["--", "--fix.py"]) == 1
    assert capsys.readouterr().out.startswith("--fix.py:5:9 SHD107")
    assert main(["--output-format", "concise", "--", "--fix.py", "bad.py"]) == 1
    assert main(["./--fix.py"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--slect", "SHD101"], "unrecognized arguments: --slect"),
        (["--sel", "SHD101"], "unrecognized arguments: --sel"),
        (["--output-format", "xml"], "invalid choice: 'xml'"),
        (["--jobs", "0"], "'0' is not a positive number"),
        (["--jobs", "many"], "'many' is not a positive number"),
        (["--select", "SHD199"], "`select[0]`: unknown rule selector `SHD199`"),
        (["--select", "exit-skip-cleanup"], "did you mean `exit-skips-cleanup`"),
        (["--target-version", "py27"], "`target-version` must be"),
        (["--config", "slect = []"], "--config: unknown key `slect`; did you mean `select`?"),
        (["--config", "select = ["], "--config:1:"),
        (["--config", "missing.toml"], "missing.toml: cannot be read: no such file"),
        (["--config", "good.py", "--config", "bad.py"], "only one configuration file"),
        (["--isolated", "--config", "pyproject.toml"], "--isolated cannot be combined"),
        (["-", "good.py"], "`-` (stdin) cannot be combined"),
        (["rule"], "usage: shutdown-lint rule"),
        (["rule", "SHD1O1"], "no rule `SHD1O1`; did you mean"),
        (["rules", "SHD101"], "usage: shutdown-lint rules"),
    ],
)
def test_wrong_usage_is_told_on_stderr(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and message in err and "Traceback" not in err
    assert all(line.startswith("shutdown-lint: ") for line in err.splitlines())


# --- configuration ---------------------------------------------------------------------------------------------------


def test_configuration_files_apply_unless_isolated(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.shutdown-lint]\nignore = ["SHD107"]\n')
    assert main(["bad.py"]) == 0
    assert main(["bad.py", "--isolated"]) == 1
    assert main(["bad.py", "--select", "SHD107"]) == 1, "a selection on the command line starts anew"
    (project / "other.toml").write_text("extend-exclude = ['bad.py']\n")
    assert main([".", "--config", "other.toml"]) == 0
    assert main(["bad.py", "--config", "other.toml"]) == 1, "a file that is named is taken"
    assert main(["bad.py", "--config", "other.toml", "--force-exclude"]) == 0


def test_inline_configuration_wins_over_files(project: Path) -> None:
    assert main(["bad.py", "--config", "ignore = ['SHD107']"]) == 0
    assert main(["bad.py", "--config", "per-file-ignores.'b*.py' = ['SHD1']"]) == 0
    assert main(["bad.py", "--config", "ignore = ['SHD107']", "--isolated"]) == 0


def test_a_broken_configuration_ends_the_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pyproject.toml").write_text("[tool.shutdown-lint\n")
    assert main(["bad.py"]) == 2
    assert capsys.readouterr().err.startswith(f"shutdown-lint: {project / 'pyproject.toml'}:1:20: invalid TOML: ")


def test_show_files(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--show-files", "."]) == 0
    assert capsys.readouterr().out == "bad.py\ngood.py\n"


# --- stdin -----------------------------------------------------------------------------------------------------------


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_stdin_stands_for_the_named_file(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    feed(monkeypatch, b"# moved\n" + BAD.encode())
    assert main(["-", "--stdin-filename", "bad.py"]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("bad.py:6:9 SHD107") and out[1] == "    6 |         return 1"


def test_stdin_without_a_name(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    feed(monkeypatch, BAD.encode())
    assert main(["-"]) == 1
    assert capsys.readouterr().out.startswith("-:5:9 SHD107")


# --- fixes -----------------------------------------------------------------------------------------------------------

UNUSED = "x = 1  # noqa: SHD101\n"


def test_fixes_are_made_and_counted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "unused.py").write_text(UNUSED)
    assert main(["unused.py"]) == 1
    assert capsys.readouterr().out.endswith("Found 1 finding (1 fixable with --fix)\n")
    assert main(["unused.py", "--fix"]) == 0
    assert capsys.readouterr().out == "1 fixed, 0 remaining\n"
    assert (project / "unused.py").read_text() == "x = 1\n"
    (project / "unused.py").write_text(UNUSED)
    assert main([".", "--fix", "--output-format", "concise"]) == 1
    assert capsys.readouterr().out.splitlines()[1:] == ["1 fixed, 1 remaining"]


def test_a_diff_changes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "unused.py").write_text(UNUSED)
    assert main(["unused.py", "--diff"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[:2] == ["--- unused.py", "+++ unused.py"] and "\n+x = 1\n" in out
    assert err == "shutdown-lint: would fix 1 finding\n"
    assert (project / "unused.py").read_text() == UNUSED
    assert main(["bad.py", "--diff"]) == 0, "nothing to change"
    assert capsys.readouterr().out == ""


def test_stdin_is_fixed_to_stdout(project: Path) -> None:
    done = run("-", "--fix", input=UNUSED.encode("latin-1") + BAD.encode() + "# é".encode())
    assert done.returncode == 1
    assert done.stdout == b"x = 1\n" + BAD.encode() + "# é".encode()
    assert done.stderr.startswith(b"-:6:9 SHD107 ") and done.stderr.endswith(b"1 fixed, 1 remaining\n")


def test_fix_only_reports_nothing_of_what_remains(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "unused.py").write_text(UNUSED)
    assert main([".", "--fix-only"]) == 0, "SHD107 remains in bad.py"
    assert capsys.readouterr() == ("", "shutdown-lint: fixed 1 finding\n")
    assert (project / "unused.py").read_text() == "x = 1\n"
    (project / "unused.py").write_text(UNUSED)
    (project / "unused.py").chmod(0o444)
    assert main([".", "--fix-only", "--quiet"]) == 2, "could not be fixed"
    assert capsys.readouterr() == ("", "shutdown-lint: unused.py: not fixed: the file is read-only\n")


def test_fix_only_writes_stdin_and_nothing_else(project: Path) -> None:
    done = run("-", "--fix-only", "--quiet", input=UNUSED.encode() + BAD.encode())
    assert (done.returncode, done.stdout, done.stderr) == (0, b"x = 1\n" + BAD.encode(), b"")


SHADOWED = "def stop(sys):\n    exit(1)\n"


def test_verbose_tells_why_there_is_no_fix(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "shadowed.py").write_text(SHADOWED)
    reason = "shadowed.py:2:5: SHD108 has no fix here: `sys` means something else here"
    for flags in (["-v"], ["-v", "--fix"], ["-v", "--output-format", "json"]):
        assert main(["shadowed.py", "--select", "SHD108", *flags]) == 1
        out, err = capsys.readouterr()
        assert reason in err and "fixable" not in out
    assert json.loads(out)[0]["fix"] is None


def test_json_holds_the_edits(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "unused.py").write_text(UNUSED)
    main(["unused.py", "--output-format", "json"])
    (row,) = json.loads(capsys.readouterr().out)
    assert row["fix"]["applicability"] == "safe"
    (edit,) = row["fix"]["edits"]
    assert (edit["content"], edit["location"], edit["end_location"]) == (
        "",
        {"row": 1, "column": 6},
        {"row": 1, "column": 22},
    )


# --- colours ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "flags", "colored"),
    [
        ({}, [], False),
        ({"FORCE_COLOR": "1"}, [], True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
        ({"NO_COLOR": "1"}, ["--color", "always"], True),
        ({"NO_COLOR": ""}, ["--color", "always"], True),
        ({"FORCE_COLOR": "1"}, ["--color", "never"], False),
        ({"FORCE_COLOR": "1"}, ["--output-format", "json"], False),
    ],
)
def test_colours(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    environment: dict[str, str],
    flags: list[str],
    colored: bool,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    main(["bad.py", *flags])
    assert ("\x1b[" in capsys.readouterr().out) == colored


# --- help, version, rules --------------------------------------------------------------------------------------------


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"shutdown-lint {__version__}\n"
    for arguments in (["--help"], ["check", "--help"], ["rule", "-h"], ["rules", "-h"]):
        assert main(arguments) == 0
        assert capsys.readouterr().out.startswith("usage: shutdown-lint ")


def test_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules"]) == 0
    out = capsys.readouterr().out
    assert all(f"{entry.code}  {entry.name} " in out for entry in registry.entries())
    assert main(["rules", "--output-format", "json"]) == 0
    assert [row["code"] for row in json.loads(capsys.readouterr().out)] == [entry.code for entry in registry.entries()]


@pytest.mark.parametrize("word", ["SHD107", "shd107", "finally-swallows-exit"])
def test_a_rule_is_explained(capsys: pytest.CaptureFixture[str], word: str) -> None:
    assert main(["rule", word]) == 0
    out = capsys.readouterr().out
    assert out.startswith("# finally-swallows-exit (SHD107)\n") and "## Why it matters" in out


HEAVY = {
    "libcst",
    "rich",
    "click",
    "yaml",
    "asyncio",
    "multiprocessing",
    "logging",
    "pathspec",
    "importlib.metadata",
    "dataclasses",
    "inspect",
    "subprocess",
    "socket",
    "tempfile",
    "flake8",
}


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["rules"], ["rule", "nothing"], ["check", "--help"]])
def test_start_up_imports_little(arguments: list[str]) -> None:
    program = (
        f"import sys; from shutdown_lint.cli import main; main({arguments!r}); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=LIMIT, check=True)
    loaded = set(done.stderr.splitlines()[-1].split())
    assert "shutdown_lint.cli" in loaded
    assert loaded & HEAVY == set()
    assert arguments[0] == "check" or "argparse" not in loaded
