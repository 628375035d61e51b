"""What SECURITY.md promises of files that a stranger wrote; and that each of its lines names tests that there are."""

from __future__ import annotations

import ast
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import BAD, COMMAND, LIMIT, make_project, run, started

from shutdown_lint import cache, config, engine
from shutdown_lint.options import OUTPUT_FORMATS
from shutdown_lint.settings import Settings
from shutdown_lint.source.ignores import glob_regex

ROOT = Path(__file__).parent.parent
EVIL = "import os\nopen(os.environ['MARK'], 'w').close()\nos._exit(99)\n"
OLD = 1_600_000_000


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.setenv("MARK", str(tmp_path / "EXECUTED"))
    return make_project(folder, monkeypatch)


def executed(project: Path) -> bool:
    return (project.parent / "EXECUTED").exists()


def test_every_line_names_tests_that_there_are() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8").split("## What is promised")[1].split("## What is not promised")[0]
    lines = re.split(r"^- ", text, flags=re.MULTILINE)[1:]
    assert len(lines) > 15
    known = set(
        re.findall(r"^def (test_\w+)", "".join(p.read_text("utf-8") for p in ROOT.glob("tests/test_*.py")), re.M)
    )
    for line in lines:
        named = re.findall(r"`(test_\w+)`", line)
        assert named and set(named) <= known, line


# --- no code of the checkout is run ----------------------------------------------------------------------------------

NAMES = (
    "setup",
    "conftest",
    "sitecustomize",
    "usercustomize",
    "json",
    "re",
    "libcst",
    "tomli",
    "yaml",
    "shutdown_lint_x",
)


def test_linted_files_are_not_run(project: Path) -> None:
    for name in NAMES:
        (project / f"{name}.py").write_text(EVIL)
    (project / "__init__.py").write_text(EVIL)
    (project / "__main__.py").write_text(EVIL)
    (project / "evil.pth").write_text("import setup\n")
    for arguments in (("--jobs", "1"), ("--jobs", "2"), ("--fix", "--unsafe-fixes"), ("--diff",), ("--add-noqa",)):
        assert run(".", "--select", "ALL", *arguments).returncode in (0, 1)
    assert run("map", ".").returncode == 0
    assert not executed(project)


@pytest.mark.parametrize(
    "toml",
    [
        "plugins = ['evil']",
        "load-plugins = ['evil']",
        "init-hook = 'import evil'",
        "models = ['evil.py']",
        "models.files = ['evil.py']",
        "models.code = 'import evil'",
        "python = './evil.py'",
        "baseline = 'evil.py'",
        "extend = 'evil.py'",
        "select = ['evil:main']",
    ],
)
def test_a_configuration_names_no_code(project: Path, toml: str) -> None:
    (project / "evil.py").write_text(EVIL)
    (project / "pyproject.toml").write_text(f"[tool.shutdown-lint]\n{toml}\n")
    done = run("bad.py")
    assert done.returncode == 2 and b"Traceback" not in done.stderr
    assert not executed(project)


def test_models_name_no_code(project: Path) -> None:
    (project / "evil.py").write_text(EVIL)
    (project / "pyproject.toml").write_text("[tool.shutdown-lint]\nmodels.files = ['m.toml']\n")
    (project / "m.toml").write_text(
        '[[call]]\nname = "evil.stop"\nends = "process"\nsource = "evil.py"\n'
        '[[call]]\nname = "__import__(\'evil\')"\nends = "process"\nsource = "x"\n'
    )
    (project / "uses.py").write_text("import evil\nevil.stop()\n")
    assert run(".", "--select", "ALL").returncode in (1, 2)
    assert not executed(project)


class _Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return (exec, (EVIL,))


def test_a_cache_runs_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHUTDOWN_LINT_CACHE_DIR")
    os.utime(project / "bad.py", (OLD, OLD))
    first = run("bad.py")
    folder = project / cache.FOLDER
    files = [*folder.glob("*.json"), folder / "cache.pickle", folder / "cache.db", folder / "__init__.py"]
    for file in files:
        file.write_bytes(pickle.dumps(_Bomb()))
    again = run("bad.py")
    assert (again.returncode, again.stdout) == (1, first.stdout)
    assert not executed(project)


def test_whatever_stands_in_a_cache_no_run_fails(project: Path) -> None:
    """The fuzzer asks the same of many more (``benchmarks/subjects.py``)."""
    os.utime(project / "bad.py", (OLD, OLD))
    settings = Settings(root=str(project), jobs=1, cache=str(project / "cache"))
    first = engine.check(["bad.py"], settings)
    (file,) = (project / "cache").glob("*.json")
    text = file.read_text()
    for old, new in (
        ('"findings"', "1"),
        ("[", "{"),
        ("5", '"x"'),
        ("null", "[[]]"),
        ("SHD107", "\\u001b[2J"),
        (",", ",,"),
    ):
        file.write_text(text.replace(old, new))
        assert engine.check(["bad.py"], settings).files == first.files


def test_yaml_tags_build_nothing(project: Path) -> None:
    command = f"touch {project.parent / 'EXECUTED'}"
    (project / "compose.yaml").write_text(
        f"services:\n  web: !!python/object/apply:os.system ['{command}']\n  db: !!python/name:os.system x\n"
    )
    (project / "pod.yaml").write_text(
        f"apiVersion: v1\nkind: Pod\nspec: !!python/object/new:subprocess.Popen [['sh', '-c', '{command}']]\n"
    )
    assert run(".", "--select", "ALL").returncode in (1, 2)
    assert not executed(project)


# what could run data, and the files that may hold it
_DANGEROUS = {
    "eval": (),
    "exec": (),
    "__import__": ("__init__.py",),  # of the API, by its own name
    "loads of pickle": ("workers/pool.py", "workers/process.py"),  # of bytes that this run's own processes wrote
    "marshal": (),
    "shelve": (),
    "import_module": ("rules/registry.py", "report/__init__.py", "fixes/planning.py"),  # of modules of our own
    "subprocess": ("workers/process.py", "adoption/changes.py"),
    "os.system": (),
    "yaml.load": (),
}


def test_the_program_evaluates_nothing() -> None:
    package = ROOT / "shutdown_lint"
    held: dict[str, set[str]] = {name: set() for name in _DANGEROUS}
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            for name in _named(node):
                if name in held:
                    held[name].add(path.relative_to(package).as_posix())
    assert {name: files - set(_DANGEROUS[name]) for name, files in held.items() if files - set(_DANGEROUS[name])} == {}
    assert held["subprocess"], "the look at the program sees what is there"


def _named(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Call):
        function = node.func
        if isinstance(function, ast.Name):
            return [function.id]
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            whole = f"{function.value.id}.{function.attr}"
            return ["loads of pickle" if whole == "pickle.loads" else whole, function.attr]
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_git_runs_nothing_of_the_repository(project: Path) -> None:
    script = project.parent / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {project.parent / 'EXECUTED'}\n")
    script.chmod(0o755)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@y"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], check=True, cwd=project)
    (project / ".gitattributes").write_text("*.py diff=evil filter=evil\n")
    for key in (
        "core.fsmonitor",
        "diff.external",
        "diff.evil.textconv",
        "diff.evil.command",
        "core.pager",
        "pager.diff",
    ):
        subprocess.run(["git", "config", key, str(script)], check=True, cwd=project)
    (project / "bad.py").write_text(BAD + BAD.replace("def f", "def h"))
    done = run(".", "--diff-only", "HEAD", "--no-cache")
    assert done.returncode == 1 and b"bad.py:10:9" in done.stdout, done.stderr
    assert not executed(project)


# --- nothing else is read or written ---------------------------------------------------------------------------------


def test_a_walk_stays_in_the_project(project: Path) -> None:
    outside = project.parent / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text(BAD.replace("return 1", "return 'TOKEN'"))
    (outside / "Dockerfile").write_text("FROM python:3.12\nCMD gunicorn TOKEN\n")
    (project / "link.py").symlink_to(outside / "secret.py")
    (project / "Dockerfile").symlink_to(outside / "Dockerfile")
    (project / "folder").symlink_to(outside)
    for name in OUTPUT_FORMATS:
        done = run(".", "--select", "ALL", "--output-format", name)
        assert b"bad.py" in done.stdout and b"TOKEN" not in done.stdout + done.stderr, name


def test_a_pipe_in_the_place_of_the_cache(project: Path) -> None:
    settings = Settings(root=str(project), jobs=1, cache=str(project / "cache"))
    first = engine.check(["bad.py"], settings)
    os.utime(project / "bad.py", (OLD, OLD))
    engine.check(["bad.py"], settings)
    (file,) = (project / "cache").glob("*.json")
    file.unlink()
    os.mkfifo(file)
    assert engine.check(["bad.py"], settings) == first


_WATCH = """
import os, sys
def watch(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        if not isinstance(args[0], int):  # what is open already
            print("wrote", os.fsdecode(args[0]), file=sys.stderr)
    elif event in ("os.rename", "os.remove", "os.mkdir", "os.link", "os.symlink", "os.chmod", "os.truncate", "os.rmdir"):
        print("wrote", os.fsdecode(args[0]), file=sys.stderr)
sys.addaudithook(watch)
from shutdown_lint.cli import main
sys.exit(main(["check", ".", "--select", "ALL", "--jobs", "1"]))
"""


def test_a_check_writes_its_cache_only(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHUTDOWN_LINT_CACHE_DIR", str(project.parent / "cache"))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    os.utime(project / "bad.py", (OLD, OLD))
    done = subprocess.run([sys.executable, "-c", _WATCH], capture_output=True, text=True, timeout=LIMIT, check=False)
    written = set(re.findall(r"^wrote (.*)$", done.stderr, re.MULTILINE))
    assert done.returncode == 1 and written, done.stderr
    assert [path for path in written if not path.startswith(str(project.parent / "cache"))] == []


def test_a_cache_that_was_put_there_as_a_link_is_not_followed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHUTDOWN_LINT_CACHE_DIR")
    target = project.parent / "target"
    target.mkdir()
    (target / "CACHEDIR.TAG").write_text("another program's")
    (target / "tmp-precious.json").write_text("{}")
    (project / cache.FOLDER).symlink_to(target)
    os.utime(project / "bad.py", (OLD, OLD))
    done = run("bad.py")
    assert done.returncode == 1 and f"{cache.FOLDER} is a link".encode() in done.stderr
    assert run("clean").returncode == 0
    assert sorted(os.listdir(target)) == ["CACHEDIR.TAG", "tmp-precious.json"]
    assert run("bad.py", "--cache-dir", cache.FOLDER).stderr == b"", "one that was named is used"
    assert len(os.listdir(target)) > 2


def test_another_users_cache_is_not_trusted(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / cache.FOLDER).mkdir()
    assert cache.unusable(cache.FOLDER, named=False) == ""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert cache.unusable(cache.FOLDER, named=False) == "belongs to another user"
    assert cache.unusable(cache.FOLDER, named=True) == ""


@pytest.mark.parametrize("name", ["sarif", "gitlab", "junit", "github", "azure", "rdjson", "markdown"])
def test_reports_do_not_tell_where_the_project_lies(project: Path, name: str) -> None:
    done = run(".", "--output-format", name)
    assert b"bad.py" in done.stdout
    assert os.fsencode(project.parent) not in done.stdout


# --- no file holds up the run ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("glob", ["*a" * 40 + "b", "[a-z]*" * 30 + "!", "?*" * 40 + "b", "**/*a" * 20 + "b"])
def test_globs_of_a_configuration_come_to_an_end(glob: str) -> None:
    pattern = glob_regex([glob, f"x/{glob}"])
    assert pattern is not None
    assert not pattern.match("a" * 250 + ".py") and not pattern.match("/".join(["a" * 10] * 100))


# --- the output says what was found ----------------------------------------------------------------------------------

ODD = "x\x1b[2J\x1b]0;owned\x07\r\n::error file=ok.py,line=1::forged\n##vso[task.setvariable]y ]]><script>\u202e.py"
_ACTS = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]")


@pytest.mark.parametrize("name", OUTPUT_FORMATS)
def test_names_of_files_act_on_nothing(project: Path, name: str) -> None:
    (project / ODD).write_text(BAD)
    (project / f"broken-{ODD}").write_text("def f(:\n")
    done = run(".", "--output-format", name, "-v")
    assert done.returncode == 2
    out = done.stdout + done.stderr
    assert _ACTS.findall(out) == []
    assert not re.search(rb"^(::error file=ok|##vso\[task\.setvariable)", out, re.MULTILINE)
    assert b"<script>\xe2" not in out


def test_names_of_files_are_listed_with_escapes(project: Path) -> None:
    (project / ODD).write_text(BAD)
    for arguments in (["--show-files", "."], [".", "--diff", "--select", "ALL"], [".", "--fix", "--select", "ALL"]):
        done = run(*arguments)
        if "--diff" not in arguments:  # a diff is for `patch`, and as it is
            assert _ACTS.findall(done.stdout + done.stderr) == []


@pytest.mark.parametrize("key", ['"\\u001b[2J" = 1', 'select = ["\\u001b]0;x\\u0007"]', 'target-version = "\\u202e"'])
def test_messages_about_a_configuration_act_on_nothing(project: Path, key: str) -> None:
    (project / "pyproject.toml").write_text(f"[tool.shutdown-lint]\n{key}\n")
    done = run("bad.py")
    assert done.returncode == 2
    assert _ACTS.findall(done.stdout + done.stderr) == []


def test_a_configuration_that_is_waited_for_is_told(project: Path) -> None:
    (project / "pyproject.toml").unlink()
    os.mkfifo(project / "pyproject.toml")
    with started(*COMMAND, "bad.py") as process:
        assert process.wait(LIMIT) == 2
        assert process.stderr is not None and b"pyproject.toml" in process.stderr.read()
    with pytest.raises(config.ConfigError, match="is a pipe"):
        config.load("pyproject.toml")
