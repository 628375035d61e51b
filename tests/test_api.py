"""The Python API: stable names, lazily imported, the same answers as the command line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

import pytest
from command import BAD, make_project

import shutdown_lint
from shutdown_lint.cli import main

NAMES = {
    "AdoptionError",
    "ConfigError",
    "Edit",
    "Finding",
    "Fix",
    "Report",
    "Span",
    "Step",
    "__version__",
    "check",
    "check_source",
    "edits",
    "render",
}
UNUSED = "x = 1  # noqa: SHD101\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_project(tmp_path, monkeypatch)


def codes(report: shutdown_lint.Report) -> list[tuple[str, int, str]]:
    return [(finding.path, finding.span.line, finding.code) for finding in report.findings]


# --- names -----------------------------------------------------------------------------------------------------------


def test_the_names_are_those_that_were_promised() -> None:
    assert set(shutdown_lint.__all__) == NAMES, "adding is a minor version, removing a major one"
    assert all(getattr(shutdown_lint, name) is not None for name in NAMES)
    assert set(dir(shutdown_lint)) >= NAMES
    with pytest.raises(AttributeError, match="has no attribute 'chekc'"):
        _ = shutdown_lint.chekc  # type: ignore[attr-defined]


def test_functions_are_typed() -> None:
    for name in ("check", "check_source", "edits", "render"):
        function = getattr(shutdown_lint, name)
        assert function.__doc__ and "return" in function.__annotations__
    assert typing.get_type_hints(shutdown_lint.check_source)["return"] is shutdown_lint.Report


def test_the_package_loads_nothing_until_it_is_used() -> None:
    program = "import sys; before = set(sys.modules); import shutdown_lint; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert set(done.stdout.split()) <= {"__future__", "shutdown_lint"}


# --- check -----------------------------------------------------------------------------------------------------------


def test_a_check_says_what_the_command_line_says(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = shutdown_lint.check(["."])
    assert capsys.readouterr() == ("", "")
    assert codes(report) == [("bad.py", 5, "SHD107")]
    assert (report.files, report.exit_code()) == (2, 1)
    main([".", "--output-format", "json"])
    assert json.loads(shutdown_lint.render(report, "json")) == json.loads(capsys.readouterr().out)
    assert codes(shutdown_lint.check([project / "good.py"])) == []


@pytest.mark.parametrize(
    ("config", "number"),
    [
        (None, 0),
        ({}, 1),
        ({"ignore": ["SHD107"]}, 0),
        ({"per_file_ignores": {"bad.py": ["SHD1"]}}, 0),
        ({"select": ("SHD103",)}, 0),
        ("other.toml", 1),
        (Path("other.toml"), 1),
    ],
)
def test_configurations(project: Path, config: Any, number: int) -> None:
    (project / "pyproject.toml").write_text("[tool.shutdown-lint]\nignore = ['SHD107']\n")
    (project / "other.toml").write_text("select = ['SHD107']\n")
    assert len(shutdown_lint.check(["."], config).findings) == number


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"slect": []}, "config: unknown key `slect`; did you mean `select`?"),
        ({"select": "SHD1"}, "must be a list of strings"),
        ({"extend": "x.toml"}, "`extend` can only stand in a file"),
        ("missing.toml", "missing.toml: cannot be read"),
    ],
)
def test_a_wrong_configuration_is_an_exception(project: Path, config: Any, message: str) -> None:
    with pytest.raises(shutdown_lint.ConfigError, match=re.escape(message)):
        shutdown_lint.check(["."], config)


def test_baselines_and_severities_count(project: Path) -> None:
    main(["baseline", "create"])
    name = "shutdown-lint-baseline.json"
    assert shutdown_lint.check(["."], {"baseline": name}).findings == ()
    (finding,) = shutdown_lint.check(["."], {"severity": {"SHD1": "info"}}).findings
    assert finding.severity == "info"
    with pytest.raises(shutdown_lint.AdoptionError, match="no such file"):
        shutdown_lint.check(["."], {"baseline": "missing.json"})


def test_what_cannot_be_read_is_a_finding(project: Path) -> None:
    report = shutdown_lint.check(["missing.py"])
    assert codes(report) == [("missing.py", 1, "SHD901")] and report.exit_code() == 2


# --- sources, edits, formats -----------------------------------------------------------------------------------------


def test_a_source_stands_for_its_file(project: Path) -> None:
    assert codes(shutdown_lint.check_source("# moved\n" + BAD, "bad.py")) == [("bad.py", 6, "SHD107")]
    assert codes(shutdown_lint.check_source(b"x = 1\n", project / "bad.py")) == []
    assert codes(shutdown_lint.check_source(BAD)) == [("-", 5, "SHD107")]
    assert codes(shutdown_lint.check_source("def f(:\n")) == [("-", 1, "SHD900")]
    assert codes(shutdown_lint.check_source("x = '\ud800'\n"))[0][2] in ("SHD900", "SHD902")


def test_edits_mend_the_files_as_they_are(project: Path) -> None:
    (project / "unused.py").write_text(UNUSED)
    report = shutdown_lint.check(["."])
    ((finding, (edit,)),) = shutdown_lint.edits(report).items()
    assert (finding.code, edit.content, edit.span) == ("SHD910", "", shutdown_lint.Span(1, 6, 1, 22))
    (project / "unused.py").unlink()
    assert shutdown_lint.edits(report) == {}


def test_an_unknown_format_is_refused(project: Path) -> None:
    with pytest.raises(ValueError, match="no output format 'xml'"):
        shutdown_lint.render(shutdown_lint.check(["good.py"]), "xml")


def test_the_examples_of_the_page_run(project: Path) -> None:
    page = (Path(__file__).parent.parent / "docs/api.md").read_text(encoding="utf-8")
    (project / "src").mkdir()
    (project / "src/bad.py").write_text(BAD)
    blocks = re.findall("```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 3
    done = subprocess.run(
        [sys.executable, "-c", "".join(blocks)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("src/bad.py 5 SHD107 ")
    assert json.loads((project / "shutdown.sarif").read_text())["runs"][0]["results"]


def test_the_page_names_every_name() -> None:
    page = (Path(__file__).parent.parent / "docs/api.md").read_text(encoding="utf-8")
    assert all(f"`{name}" in page for name in NAMES if name != "__version__")
