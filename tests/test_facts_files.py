"""Builds in two steps: facts file by file, then a check of facts that says what a check of the sources says."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import BAD, COMMAND, LIMIT

from shutdown_lint.cli import main
from shutdown_lint.facts_files import compiled, version
from shutdown_lint.source import digest

ROOT = Path(__file__).parent.parent
FORMATS = ("full", "json", "sarif", "gitlab")
QUOTED = "import os\nwith open('ü') as out:\n    os._exit(1)  # noqa: SHD107\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program with hazards across files, deployment files, a file that is broken and one in another encoding."""
    root = tmp_path / "project"
    shutil.copytree(ROOT / "examples/worker", root)
    (root / "pyproject.toml").write_text("[tool.shutdown-lint]\nextend-select = ['SHD1', 'SHD910']\n")
    (root / "broken.py").write_text("def f(:\n")
    (root / "latin.py").write_bytes(f"# coding: latin-1\n{QUOTED}".encode("latin-1"))
    (root / "skipped.py").write_text("from relay import app\nvalue = 1\n")
    (root / "relay/typed.pyi").write_text("def f() -> None: ...\n")
    (root / "Dockerfile").write_text("FROM python:3.12\nCMD gunicorn app:x\n")
    monkeypatch.chdir(root)
    monkeypatch.setenv("SHUTDOWN_LINT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return root


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main(list(arguments))
    return code, capsys.readouterr().out


@pytest.mark.parametrize("form", FORMATS)
def test_the_report_is_that_of_a_direct_check(project: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    direct = told(capsys, "check", "--output-format", form)
    assert direct[0] == 2  # one file is broken
    codes = {code for code in ("SHD601", "SHD900", "SHD101", "SHD910") if code in direct[1]}
    assert len(codes) == 4
    assert main(["facts", ".", "--out", "../facts"]) == 0
    for path in project.rglob("*.py"):
        path.unlink()  # the second step needs no sources
    assert told(capsys, "check", "--facts", "../facts", "--output-format", form) == direct


def test_what_is_reported_on_and_what_is_only_known(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["facts", ".", "--out", "../facts"]) == 0
    for paths in (["relay"], ["relay/app.py", "latin.py"]):
        direct = told(capsys, "check", *paths, "--output-format", "concise")
        assert told(capsys, "check", *paths, "--facts", "../facts", "--output-format", "concise") == direct


def test_the_same_bytes_wherever_and_whenever(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "else" / "where"
    shutil.copytree(project, other)
    for number, folder in enumerate((project, other)):
        environment = {**os.environ, "PYTHONHASHSEED": str(number), "TZ": f"UTC+{number}", "HOME": str(folder)}
        command = [
            *COMMAND,
            "facts",
            "relay",
            "latin.py",
            "broken.py",
            "--out",
            f"../facts{number}",
            "--jobs",
            str(number + 1),
        ]
        subprocess.run(command, cwd=folder, env=environment, check=True, timeout=LIMIT)
    first, second = (
        {path.relative_to(top).as_posix(): path.read_bytes() for path in top.rglob("*.facts")}
        for top in (tmp_path / "facts0", tmp_path / "else/facts1")
    )
    assert first == second
    assert {"relay/app.py.facts", "latin.py.facts", "broken.py.facts"} <= set(first)
    assert str(tmp_path).encode() not in b"".join(first.values())


# --- what cannot be used ---------------------------------------------------------------------------------------------


def test_files_that_cannot_be_taken(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project.parent / "outside.py").write_text("")
    for arguments, problem in (
        (["missing.py", "--out", "o"], "missing.py: cannot be read: no such file"),
        (["../outside.py", "--out", "o"], "is not below the current folder"),
        (["latin.py"], "FILE and --out are needed"),
        (["--out", "o"], "FILE and --out are needed"),
        (["latin.py", "--out", "skipped.py"], "cannot be written"),
    ):
        assert main(["facts", *arguments]) == 2
        assert problem in capsys.readouterr().err
    assert not Path("o").exists()


def header(**changed: object) -> bytes:
    outcome, source = b"null", b"x = 1\n"
    head = {
        "facts": 1,
        "version": version(),
        "path": "a.py",
        "size": len(source),
        "digest": digest(source),
        "sum": digest(outcome),
        "packages": [],
        **changed,
    }
    return json.dumps({key: value for key, value in head.items() if value is not ...}).encode() + b"\nnull\nx = 1\n"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not a file of facts"),
        (b"x = 1\n", "not a file of facts"),
        (b"[" * 100_000, "not a file of facts"),
        (pickle.dumps(print), "not a file of facts"),
        (header(facts=2), "written by"),
        (header(version="shutdown-lint 0.0.1, Python 2.7"), "written by shutdown-lint 0.0.1, Python 2.7; this is"),
        (header(version=["\x1b[2J"]), "written by"),
        (header(path="../a.py"), "damaged"),
        (header(path="/etc/a.py"), "damaged"),
        (header(path="a\0.py"), "damaged"),
        (header(path=1), "damaged"),
        (header(size=5), "damaged"),
        (header(digest="0" * 32), "damaged"),
        (header(sum="0" * 32), "damaged"),
        (header(packages=[1]), "damaged"),
        (header(packages=...), "damaged"),
        (header(more=1), "damaged"),
        (header()[:-1], "damaged"),
        (header().replace(b"null", b"nil"), "damaged"),
    ],
)
def test_what_is_no_file_of_facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], data: bytes, problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.py.facts").write_bytes(header())
    assert main(["check", "--facts", "a.py.facts"]) == 0
    Path("a.py.facts").write_bytes(data)
    assert main(["check", "--facts", "."]) == 2
    error = capsys.readouterr().err
    assert "a.py.facts: " in error
    assert problem in error
    assert "\x1b" not in error


@pytest.mark.parametrize("outcome", ['{"levels": ["m"]}', "[1]", '["SHD101", "x", 1, 1, ""]', "[" * 50_000, "{}"])
def test_facts_that_were_tampered_with_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], outcome: str
) -> None:
    """Whoever writes a digest that fits gets a message too, and the other files are checked all the same."""
    monkeypatch.chdir(tmp_path)
    Path("good.py.facts").write_bytes(compiled("good.py", BAD.encode()))
    head, _, source = compiled("a.py", b"import os\nos._exit(1)\n").split(b"\n", 2)
    fitting = {**json.loads(head), "sum": digest(outcome.encode())}
    Path("a.py.facts").write_bytes(json.dumps(fitting).encode() + b"\n" + outcome.encode() + b"\n" + source)
    code, out = told(capsys, "check", "--facts", ".", "--output-format", "concise")
    assert code == 2
    assert "a.py:1:1 SHD901" in out
    assert "its facts cannot be read" in out
    assert "good.py:5:9 SHD107" in out


def test_two_contents_of_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("one", b"x = 1\n"), ("same", b"x = 1\n"), ("two", b"x = 2\n")):
        Path(f"{name}.facts").write_bytes(compiled("a.py", text))
    assert main(["check", "--facts", "one.facts", "same.facts"]) == 0
    assert main(["check", "--facts", "."]) == 2
    assert "are of different contents of a.py" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--fix", "--diff", "--add-noqa", "--watch", "--show-files", "-"])
def test_what_needs_the_sources(project: Path, capsys: pytest.CaptureFixture[str], flag: str) -> None:
    assert main(["check", flag, "--facts", "."]) == 2
    assert "--facts" in capsys.readouterr().err


# --- the example -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_the_example_with_make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(ROOT / "examples/build/Makefile", tmp_path)
    shutil.copytree(ROOT / "examples/worker/relay", tmp_path / "src/relay")
    lint = " ".join([f"{sys.executable} -P" if sys.version_info >= (3, 11) else sys.executable, "-m shutdown_lint"])
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SHUTDOWN_LINT_CACHE_DIR": str(tmp_path / "cache")}

    def make() -> tuple[list[str], str]:
        """The files whose facts were made, and what was found."""
        done = subprocess.run(
            ["make", f"LINT={lint}"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
        )
        lines = done.stdout.splitlines(keepends=True)
        at = next(number for number, line in enumerate(lines) if " check --facts " in line)
        return [line.split()[line.split().index("facts") + 1] for line in lines[:at]], "".join(lines[at + 1 :])

    direct = subprocess.run(
        [*COMMAND, "src"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert direct.returncode == 1
    made, found = make()
    assert sorted(made) == sorted(f"src/relay/{path.name}" for path in (tmp_path / "src/relay").glob("*.py"))
    assert found == direct.stdout
    assert make() == ([], direct.stdout)
    app = tmp_path / "src/relay/app.py"
    app.write_text(f"# a comment\n{app.read_text()}")
    made, found = make()
    assert made == ["src/relay/app.py"]
    assert found != direct.stdout
