"""Models of libraries: their schema, the compiled file, users' own models from configuration to finding, the command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shutdown_lint import config, engine
from shutdown_lint.cli import main
from shutdown_lint.models import COMPILED, ROWS, ModelError, builtin_models, with_users
from shutdown_lint.models.schema import SCHEMA, mistakes, read
from shutdown_lint.models.sources import libraries, render

RESOURCE = {"name": "acme.Client", "kind": "session", "release": ["close"]}

OWN = """\
[[resource]]
name = "acme.Engine"
kind = "worker"
also = ["acme.core.Engine"]
start = ["ignite"]
release = ["quench"]
loses = "the boiler bursts"

[[blocking]]
call = "acme.Engine.run_dry"
wakes = "job"
timeout = "limit"
"""

PROGRAM = """\
import acme.core


class Plant:
    def __init__(self):
        self._engine = acme.core.Engine("left")
        self._engine.ignite()

    def stop(self):
        print("stopped")
"""


# --- the models that ship --------------------------------------------------------------------------------------------


def test_compiled_models_are_those_of_the_files() -> None:
    assert Path(COMPILED).read_text(encoding="utf-8") == render(), "run scripts/generate.py"
    rows = {table: [row for library in libraries() for row in library.rows[table]] for table in SCHEMA}
    models = builtin_models()
    assert list(models.resources.values()) == rows["resource"]
    assert sorted(row for found in models.callbacks.values() for row in found) == sorted(rows["callback"])


def test_fields_and_keys_agree() -> None:
    for table, keys in SCHEMA.items():
        assert tuple(key.name for key in keys) == ROWS[table]._fields


def test_a_run_reads_no_toml(tmp_path: Path) -> None:
    code = (
        "import sys; from shutdown_lint.models import builtin_models; builtin_models(); print('tomli' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"


def test_every_model_says_where_it_was_read() -> None:
    for library in libraries():
        for table in ("resource", "handles_signals", "override"):
            assert all(row.source for row in library.rows[table]), library.file


def test_resources_say_what_is_lost() -> None:
    for resource in builtin_models().resources.values():
        assert resource.loses or resource.loss == "none", resource.name
        assert not resource.loses.endswith("."), resource.name


def test_other_names_mean_the_same() -> None:
    models = builtin_models()
    assert models.canonical("asyncio.tasks.create_task") == "asyncio.create_task"
    assert models.canonical("http.server.HTTPServer.serve_forever") == "socketserver.BaseServer.serve_forever"
    assert models.canonical("http.server.HTTPServer") == "http.server.HTTPServer"
    assert models.canonical("nobody.knows.it") == "nobody.knows.it"
    found = models.resource("http.server.HTTPServer")
    assert found is not None and found.name == "socketserver.BaseServer"


# --- the schema ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"relase": ["close"]}, "unknown key `relase`; did you mean `release`?"),
        ({"kind": "sesion"}, "`kind` cannot be `sesion`; did you mean `session`?"),
        ({"kind": "?"}, "`kind` cannot be `?`: one of `child`, "),
        ({"name": "Client"}, "`name` must be a dotted name such as `package.module.Name`, not `Client`"),
        ({"name": 3}, "`name` must be a string"),
        ({"release": "close"}, "`release` must be a list"),
        ({"release": []}, "one of `release` and `release_calls` must be given: "),
        ({"release": ["close()"]}, "`release[0]` must be the name of a method, not `close()`"),
        ({"acquire": ["connect"]}, "`acquire[0]` must be a dotted name, not `connect`"),
        ({"stop": [1]}, "`stop[0]` must be a string"),
        ({"context_manager": "yes"}, "`context_manager` must be true or false"),
        ({"daemon": "sometimes"}, "`daemon` cannot be `sometimes`: one of `never`, `always`, `keyword`"),
        ({"loss": "big"}, "`loss` cannot be `big`"),
        ({"wait": ["join"]}, "`wait[0]` must be a table such as"),
        ({"wait": [{"timeout": "t"}]}, "`wait[0]`: `method` is missing"),
        ({"wait": [{"method": "join", "positon": 1}]}, "`wait[0]`: unknown key `positon`; did you mean `position`?"),
    ],
)
def test_mistakes_in_resources(change: dict[str, Any], expected: str) -> None:
    found = list(mistakes({"resource": [{**RESOURCE, **change}]}))
    assert len(found) == 1 and expected in found[0], found
    assert found[0].startswith("[[resource]] ")


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ({"resorce": []}, "unknown table `resorce`; did you mean `resource`?"),
        ({"resource": RESOURCE}, "`resource` must be an array of tables, written `[[resource]]`"),
        ({"resource": [{"name": "a.B"}]}, "[[resource]] a.B: `kind` is missing: what sort of thing it is"),
        ({"callback": [{"call": "a.b", "role": "thread"}]}, "one of `keyword` and `position` must be given"),
        ({"callback": [{"call": "a.b", "role": "tread", "position": 0}]}, "did you mean `thread`?"),
        ({"blocking": [{"call": "a.b", "wakes": "job", "position": True}]}, "`position` must be a position"),
        ({"blocking": [{"call": "a.b", "wakes": "job", "timeout": "time out"}]}, "must be the name of a parameter"),
        ({"entry": [{"role": "main"}]}, "[[entry]] number 1: `decorator` is missing"),
        ({"result": [{"call": "a.b", "type": "c d"}]}, "`type` must be a dotted name, not `c d`"),
    ],
)
def test_mistakes_in_tables(tables: dict[str, Any], expected: str) -> None:
    assert any(expected in found for found in mistakes(tables))


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ModelError) as caught:
        read({"resource": [{"name": "a.B"}], "nonsense": []}, "own.toml")
    lines = str(caught.value).splitlines()
    assert len(lines) == 3 and all(line.startswith("own.toml: ") for line in lines)


def test_right_tables_are_read() -> None:
    rows = read({"resource": [{**RESOURCE, "wait": [{"method": "join", "timeout": "t", "position": 0}]}]}, "x")
    assert rows["resource"][0].wait[0] == ("join", "t", 0)
    assert rows["callback"] == []


# --- users' models ---------------------------------------------------------------------------------------------------


def project(folder: Path, settings: str, **files: str) -> Path:
    (folder / "pyproject.toml").write_text(f"[tool.shutdown-lint]\n{settings}")
    (folder / "plant.py").write_text(PROGRAM)
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text)
    return folder


def inline(tables: str) -> str:
    return tables.replace("[[", "[[tool.shutdown-lint.models.")


def messages(folder: Path) -> list[str]:
    root = config.find_root([str(folder)])
    settings = config.to_settings(config.rebase(config.find([str(folder)]), root.folder), root)
    return [f"{f.code} {f.message}" for f in engine.check([str(folder)], settings).findings]


def test_without_a_model_nothing_is_known(tmp_path: Path) -> None:
    assert messages(project(tmp_path, "")) == []


@pytest.mark.parametrize("where", ["inline", "file", "both"])
def test_a_finding_from_a_users_model(tmp_path: Path, where: str) -> None:
    settings = {
        "inline": inline(OWN),
        "file": 'models.files = ["own.toml"]\n',
        "both": 'models.files = ["own.toml"]\n' + inline(OWN.partition("\n[[blocking]]")[0]),
    }[where]
    found = messages(project(tmp_path, settings, own=OWN))
    assert found == ["SHD212 `self._engine` is a acme.Engine and `Plant.stop` never releases it: the boiler bursts"]


def test_what_is_not_real_is_not_told_by_default(tmp_path: Path) -> None:
    untidy = OWN.replace("[[blocking]]", 'loss = "untidy"\n\n[[blocking]]')
    assert messages(project(tmp_path, inline(untidy))) == []
    assert messages(project(tmp_path, 'extend-select = ["SHD212"]\n' + inline(untidy))) != []


def test_files_start_from_the_folder_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    project(tmp_path, 'models.files = ["own.toml"]\n', own=OWN)
    (tmp_path / "plant.py").rename(tmp_path / "inner" / "plant.py")
    (tmp_path / "inner" / "setup.py").write_text("")
    assert messages(tmp_path / "inner")


def test_a_user_may_correct_a_model_that_ships(tmp_path: Path) -> None:
    own = '[[resource]]\nname = "requests.Session"\nkind = "session"\nrelease = ["close"]\nloss = "none"\n'
    project(tmp_path, "")
    (tmp_path / "plant.py").write_text(
        "import selectors\n\n\nclass A:\n    def __init__(self):\n        self._s = selectors.DefaultSelector()\n\n"
        "    def close(self):\n        print(1)\n"
    )
    assert messages(tmp_path)
    own = own.replace("requests.Session", "selectors.BaseSelector")
    (tmp_path / "pyproject.toml").write_text("[tool.shutdown-lint]\n" + inline(own))
    assert with_users("") is builtin_models()
    assert messages(tmp_path) == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("models = 3\n", "`models` must be a table of models, not integer 3"),
        ('models.files = "own.toml"\n', "`models.files` must be a list of strings, not string 'own.toml'"),
        ("models.resorce = []\n", "unknown key `models.resorce`; did you mean `resource`?"),
        ('models.files = ["gone.toml"]\n', "gone.toml: cannot be read: no such file"),
        ('models.files = ["own.toml"]\n', "own.toml: [[resource]] acme.Engine: unknown key `quench`"),
        (inline(OWN).replace("release", "relase"), "models: [[resource]] acme.Engine: unknown key `relase`"),
    ],
)
def test_mistakes_end_the_run(
    tmp_path: Path, settings: str, expected: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path, settings, own=OWN.replace("release", "quench"))
    monkeypatch.chdir(tmp_path)
    assert main(["check", "."]) == 2
    assert expected in capsys.readouterr().err
    assert main(["models"]) == 2
    assert expected in capsys.readouterr().err


# --- the command -----------------------------------------------------------------------------------------------------


def test_models_lists_also_the_users(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project(tmp_path, inline(OWN)))
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    assert "acme.Engine" in out and "threading.Thread" in out and "quench()" in out
    assert main(["models", "--isolated"]) == 0
    assert "acme.Engine" not in capsys.readouterr().out


@pytest.mark.parametrize("flag", [["--output-format", "json"], ["--output-format=json"]])
def test_models_as_json(flag: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--isolated", *flag]) == 0
    tables = json.loads(capsys.readouterr().out)
    assert [key.name for key in SCHEMA["resource"]] == list(tables["resource"][0])
    assert any(row["call"] == "threading.Thread.join" for row in tables["blocking"])


def test_models_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, broken = (tmp_path / name for name in ("good.toml", "bad.toml", "broken.toml"))
    good.write_text(OWN)
    bad.write_text(OWN.replace("kind", "knid"))
    broken.write_text("[[resource]\n")
    assert main(["models", "check", str(good)]) == 0
    assert capsys.readouterr().out == f"{good}: 2 models, all right\n"
    assert main(["models", "check", str(good), str(bad), str(broken)]) == 2
    told = capsys.readouterr()
    assert "good.toml: 2 models" in told.out
    assert f"{bad}: [[resource]] acme.Engine: unknown key `knid`; did you mean `kind`?" in told.err
    assert f"{broken}:1:11: invalid TOML" in told.err


@pytest.mark.parametrize("arguments", [["check"], ["check", "--all"], ["lst"], ["--output-format", "xml"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", *arguments]) == 2
    assert "usage: " in capsys.readouterr().err


def test_models_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--help"]) == 0
    assert "models check FILE" in capsys.readouterr().out
