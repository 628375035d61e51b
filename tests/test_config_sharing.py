"""Configurations that begin with others, are made for some versions only, or change severities."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import make_project

from shutdown_lint import config
from shutdown_lint.cli import main
from shutdown_lint.config import ConfigError, versions
from shutdown_lint.config.versions import clauses


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_project(tmp_path, monkeypatch)


# --- extend ----------------------------------------------------------------------------------------------------------


def test_a_file_begins_with_what_it_extends(project: Path) -> None:
    (project / "base.toml").write_text("ignore = ['SHD107']\ntarget-version = 'py312'\nextend = 'more.toml'\n")
    (project / "more.toml").write_text("ignore = ['SHD103']\nexclude = ['x']\n")
    (project / "pyproject.toml").write_text("[tool.shutdown-lint]\nextend = 'base.toml'\ntarget-version = 'py311'\n")
    assert config.find([str(project)]).values == {
        "exclude": ["x"],
        "ignore": ["SHD103", "SHD107"],
        "target-version": "py311",
    }
    assert main(["bad.py"]) == 0


def test_names_of_files_start_from_the_file_they_stand_in(project: Path) -> None:
    shared = project / "shared"
    shared.mkdir()
    (shared / "base.toml").write_text("baseline = 'known.json'\nextend-exclude = ['scripts/*.py']\n")
    (project / "pyproject.toml").write_text("[tool.shutdown-lint]\nextend = 'shared/base.toml'\n")
    assert config.find([str(project)]).values == {
        "baseline": str(shared / "known.json"),
        "extend-exclude": ["scripts/*.py"],
    }


def test_a_pyproject_can_be_extended(project: Path) -> None:
    (project / "sub").mkdir()
    (project / "pyproject.toml").write_text("[tool.shutdown-lint]\nignore = ['SHD107']\n")
    (project / "sub/shutdown-lint.toml").write_text("extend = '../pyproject.toml'\n")
    (project / "bad.py").rename(project / "sub/bad.py")
    assert main(["sub"]) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("extend = 'shutdown-lint.toml'", "is circular"),
        ("extend = 'other.toml'", "is circular"),
        ("extend = 'missing.toml'", "missing.toml: cannot be read: no such file"),
        ("extend = ['other.toml']", "`extend` must be a string"),
    ],
)
def test_mistakes_with_extend_are_told(
    project: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    (project / "shutdown-lint.toml").write_text(text)
    (project / "other.toml").write_text("extend = 'shutdown-lint.toml'")
    assert main(["bad.py"]) == 2
    assert message in capsys.readouterr().err


def test_keys_about_files_cannot_stand_on_the_command_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bad.py", "--config", "extend = 'x.toml'"]) == 2
    assert "`extend` can only stand in a file" in capsys.readouterr().err


# --- required-version ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "running", "fits"),
    [
        ("0.1.0", "0.1.0", True),
        ("==0.1", "0.1.0", True),
        (">=0.1", "0.1.0", True),
        (">=0.2", "0.1.9", False),
        ("<1", "0.10.0", True),
        (">= 0.1, < 2", "2.0.0", False),
        ("~=1.4", "1.9.0", True),
        ("~=1.4", "2.0.0", False),
        ("~=1.4.2", "1.5.0", False),
        ("!=0.1.1", "0.1.1", False),
        (">=0.3", "0.3.0rc1", True),
        (">0.3,<=0.10", "0.10", True),
    ],
)
def test_versions_are_compared_as_numbers(
    monkeypatch: pytest.MonkeyPatch, wanted: str, running: str, fits: bool
) -> None:
    monkeypatch.setattr(versions, "__version__", running)
    if fits:
        versions.require({"required-version": wanted}, "x.toml")
    else:
        with pytest.raises(ConfigError, match=f"x.toml: needs shutdown-lint .*, and this is {running}"):
            versions.require({"required-version": wanted}, "x.toml")


def test_what_is_no_version_is_refused() -> None:
    assert [clauses(text) for text in ("new", ">=", "=>1", "1.x", "", "1,,2", "1" * 99)] == [None] * 7
    with pytest.raises(ConfigError, match="must be a version"):
        versions.require({"required-version": "new"}, "x.toml")


def test_the_version_is_told_before_keys_of_another_version(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "shutdown-lint.toml").write_text("required-version = '>=99'\nkey-of-the-future = 1\n")
    assert main(["bad.py"]) == 2
    err = capsys.readouterr().err
    assert "needs shutdown-lint >=99" in err and "unknown key" not in err
