"""The JSON schema of the configuration says what the linter says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import tomli
from command import make_project

from shutdown_lint import config
from shutdown_lint.cli import main
from shutdown_lint.config.json_schema import schema
from shutdown_lint.options import by_key

SCHEMA = schema()


def accepted(table: dict[str, Any]) -> bool:
    return bool(jsonschema.Draft7Validator(SCHEMA).is_valid(table))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "select = ['ALL', 'SHD1', 'SHD10', 'shd101', 'exit-skips-cleanup', 'Exit-Skips-Cleanup']",
        "ignore = []",
        "target-version = 'py311'\nknowledge = 'paths'\nrespect-gitignore = false",
        "fail-on = 'error'\nbaseline = 'x.json'\nextend = 'y.toml'\nrequired-version = '>=0.1'",
        "[per-file-ignores]\n'tests/*' = ['SHD4']",
        "[severity]\nSHD4 = 'info'\nunbounded-wait = 'error'",
        "[models]\nfiles = ['x.toml']\n[[models.resource]]\nname = 'a.B'\nkind = 'thread'\nrelease = ['stop']",
        "[[models.exit]]\ncall = 'a.leave'\nhow = 'soft'",
    ],
)
def test_what_is_right_is_right_in_both(text: str) -> None:
    table = tomli.loads(text)
    assert config.check(table, "x") == table
    assert accepted(table)


@pytest.mark.parametrize(
    "text",
    [
        "slect = []",
        "select = 'SHD1'",
        "select = ['SHD199']",
        "select = [1]",
        "exclude = [1]",
        "target-version = 'py27'",
        "target-version = 311",
        "force-exclude = 'yes'",
        "knowledge = 'all'",
        "fail-on = 'never'",
        "baseline = true",
        "per-file-ignores = {'x' = 'SHD1'}",
        "severity = {SHD1 = 'fatal'}",
        "severity = {SHD199 = 'info'}",
        "severity = 'info'",
        "models = {resurce = []}",
        "[[models.resource]]\nname = 'a.B'",
        "[[models.resource]]\nname = 'a.B'\nkind = 'spaceship'",
        "[[models.exit]]\ncall = 'a.leave'\nhow = 'soft'\nwhy = 'x'",
    ],
)
def test_what_is_wrong_is_wrong_in_both(text: str) -> None:
    table = tomli.loads(text)
    with pytest.raises(config.ConfigError):
        config.check(table, "x")
    assert not accepted(table)


def test_the_schema_is_one_and_has_every_key() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert set(SCHEMA["properties"]) == set(by_key())
    assert all(value["description"] for value in SCHEMA["properties"].values())


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_project(tmp_path, monkeypatch)


def test_settings_are_printed_as_toml(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "ignore = ['SHD103']\ntarget-version = 'py312'\n[tool.shutdown-lint.severity]\nSHD1 = 'info'\n"
    (project / "pyproject.toml").write_text(f"[tool.shutdown-lint]\n{text}")
    assert main(["config"]) == 0
    out = capsys.readouterr().out
    values = tomli.loads(out)
    assert (values["ignore"], values["target-version"], values["severity"]) == (["SHD103"], "py312", {"SHD1": "info"})
    assert f"# from {project / 'pyproject.toml'}" in out
    assert [line for line in out.splitlines() if "ignore" in line and "default" in line] == [
        "per-file-ignores = {}  # default",
        "respect-gitignore = true  # default",
    ]
    config.check({key: value for key, value in values.items() if value != ""}, "printed")


def test_keys_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "fail-on"]) == 0
    assert "the least severity" in capsys.readouterr().out
    assert main(["config", "fail_one"]) == 2
    assert "no key `fail_one`; did you mean `fail-on`?" in capsys.readouterr().err


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA
