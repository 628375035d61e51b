"""Outputs of the command line: formats, files, several at once, paths as CI services want them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command import LIMIT, make_project

from shutdown_lint.cli import main
from shutdown_lint.cli.parser import Target, UsageError, targets
from shutdown_lint.options import OUTPUT_FORMATS


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_project(tmp_path, monkeypatch)


def test_several_outputs_of_one_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--output-format", "sarif", "--output-file", "x.sarif", "--output-format=junit", "--output-file=x.xml"]
    assert main(["bad.py", *arguments, "--output-format", "concise"]) == 1
    assert capsys.readouterr().out.startswith("bad.py:5:9 SHD107 [error] ")
    assert json.loads((project / "x.sarif").read_text())["runs"][0]["results"][0]["ruleId"] == "SHD107"
    assert (project / "x.xml").read_text().startswith("<?xml")


def test_with_files_only_nothing_is_printed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["bad.py", "--output-file", "x.txt"])
    assert capsys.readouterr().out == ""
    assert (project / "x.txt").read_text().endswith("Found 1 finding\n")


FORMAT, FILE = "--output-format", "--output-file"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], [Target("full")]),
        ([(FILE, "x")], [Target("full", "x")]),
        ([(FILE, "x"), (FORMAT, "json")], [Target("json", "x")]),
        ([(FORMAT, "json"), (FILE, "x"), (FORMAT, "full")], [Target("json", "x"), Target("full")]),
        ([(FORMAT, "full"), (FORMAT, "json"), (FILE, "x")], [Target("full"), Target("json", "x")]),
        ([(FILE, "x"), (FILE, "y"), (FORMAT, "json")], [Target("full", "x"), Target("json", "y")]),
    ],
)
def test_a_format_and_a_file_that_stand_together_belong_together(
    given: list[tuple[str, str]], expected: list[Target]
) -> None:
    assert targets(given) == expected


def test_two_outputs_cannot_go_to_one_place(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="both `json` and `sarif` would go to x"):
        targets([(FORMAT, "json"), (FILE, "x"), (FORMAT, "sarif"), (FILE, "x")])
    assert main(["bad.py", FORMAT, "json", FORMAT, "sarif"]) == 2
    assert "both `json` and `sarif` would go to stdout: name an --output-file" in capsys.readouterr().err


def test_paths_start_from_the_repository(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service = project / "services" / "mail"
    service.mkdir(parents=True)
    (project / ".git").mkdir()
    (service / "pyproject.toml").write_text("[project]\nname = 'mail'\n")
    (project / "bad.py").rename(service / "bad.py")
    monkeypatch.chdir(service)
    main(["bad.py", FORMAT, "github"])
    assert "file=services/mail/bad.py,line=5," in capsys.readouterr().out
    main(["bad.py", FORMAT, "gitlab"])
    assert json.loads(capsys.readouterr().out)[0]["location"]["path"] == "services/mail/bad.py"


@pytest.mark.parametrize("name", OUTPUT_FORMATS)
def test_each_format_through_the_command_line(project: Path, name: str) -> None:
    program = f"import sys; from shutdown_lint.cli import main; main(['good.py', {FORMAT!r}, {name!r}]); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=LIMIT, check=True)
    loaded = set(done.stderr.split())
    assert f"shutdown_lint.report.{name}" in loaded
    assert not loaded & {"libcst", "rich", "asyncio", "logging", "importlib.metadata", "dataclasses", "jsonschema"}
