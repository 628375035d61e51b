"""Inputs that break other linters: each is analysed, or told and left out, and never costs another file's result."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bad_contents import CASES, FOUND, HAZARD

from shutdown_lint import engine, inputs
from shutdown_lint.settings import Settings
from shutdown_lint.source import SourceFile, name_files

ROOT = Path(__file__).parent.parent


def told(report: engine.Report) -> tuple[tuple[str, int], ...]:
    return tuple((finding.code, finding.span.line) for finding in report.findings)


@pytest.mark.parametrize("name", CASES)
def test_content(name: str, tmp_path: Path) -> None:
    content, expected, words = CASES[name]
    (tmp_path / "a.py").write_bytes(content)
    (tmp_path / "good.py").write_text(HAZARD)
    report = engine.check([str(tmp_path / "a.py"), str(tmp_path / "good.py")], Settings(root=str(tmp_path), jobs=1))
    assert told(report) == (*expected, FOUND)
    trouble = any(code.startswith("SHD90") for code, _ in expected)
    assert report.exit_code() == (2 if trouble else 1)
    assert words in "".join(finding.message + finding.help for finding in report.findings)


def check(root: Path, *paths: str) -> engine.Report:
    return engine.check([str(root / path) for path in paths or ("",)], Settings(root=str(root), jobs=1))


def codes(report: engine.Report) -> list[str]:
    return [finding.code for finding in report.findings]


def test_missing_path(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(HAZARD)
    report = check(tmp_path, "none.py", "a.py", "none/")
    assert (codes(report), report.exit_code()) == (["SHD101", "SHD901", "SHD901"], 2)
    assert "no such file" in report.findings[1].message


def test_folder_named_like_a_module(tmp_path: Path) -> None:
    (tmp_path / "x.py").mkdir()
    (tmp_path / "x.py" / "b.py").write_text(HAZARD)
    assert told(check(tmp_path)) == (FOUND,)


def test_dangling_link_is_told_when_named_and_a_warning_in_a_walk(tmp_path: Path) -> None:
    (tmp_path / "a.py").symlink_to("nowhere.py")
    (tmp_path / "b.py").symlink_to("b.py")
    (tmp_path / ".#c.py").symlink_to("user@host.1234")
    assert codes(check(tmp_path, "a.py", "b.py")) == ["SHD901", "SHD901"]
    report = check(tmp_path)
    assert (codes(report), report.exit_code()) == ([], 0)
    assert [warning.partition(": ")[0][-4:] for warning in report.warnings] == ["a.py", "b.py"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file_and_folder(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(HAZARD)
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.py").chmod(0)
    (tmp_path / "sub").chmod(0)
    try:
        report = check(tmp_path)
    finally:
        (tmp_path / "sub").chmod(0o700)
    assert codes(report) == ["SHD901", "SHD901"]
    assert "permission denied" in report.findings[0].message


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.py").write_text(HAZARD)
    scan = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("sub"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = check(tmp_path)
    assert codes(report) == ["SHD101", "SHD901"]
    assert report.findings[1].path.endswith("sub")


def test_things_that_are_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a pipe would wait for ever, reading a device would never end."""
    os.mkfifo(tmp_path / "fifo.py")
    (tmp_path / "zero.py").symlink_to("/dev/zero")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.py")
        in_a_walk = check(tmp_path)
        named = check(tmp_path, "fifo.py", "zero.py", "socket.py")
    assert codes(in_a_walk) == codes(named) == ["SHD901"] * 3
    assert [finding.message for finding in named.findings] == [
        "is a pipe, not a regular file",
        "is a socket, not a regular file",
        "is a device, not a regular file",
    ]


def test_pipes_in_the_place_of_project_files(tmp_path: Path) -> None:
    for name in (".gitignore", "pyproject.toml", "setup.cfg"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "a.py").write_text(HAZARD)
    assert told(check(tmp_path)) == (FOUND,)


def test_too_large(tmp_path: Path) -> None:
    with open(tmp_path / "a.py", "wb") as stream:
        stream.truncate(11 * 1024 * 1024)
    assert codes(check(tmp_path)) == ["SHD903"]


@pytest.mark.parametrize(
    "name",
    [b"bad\xff\xfe.py", b"x\x1b[2J\n::error file=ok.py,line=1::fake.py", b"--fix.py", b"-.py", b"1a.py", b"a.b.py"],
)
def test_odd_names(tmp_path: Path, name: bytes) -> None:
    with open(os.fsencode(tmp_path) + b"/" + name, "w") as stream:
        stream.write(HAZARD)
    report = check(tmp_path)
    assert told(report) == (FOUND,)
    assert os.fsencode(report.findings[0].path).endswith(name)


def test_a_file_that_goes_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.py").write_text(HAZARD)
    (tmp_path / "b.py").write_text(HAZARD)

    def name_and_remove(*args: Any) -> list[SourceFile]:
        files = list(name_files(*args))
        (tmp_path / "a.py").unlink(missing_ok=True)
        return files

    monkeypatch.setattr(inputs, "name_files", name_and_remove)
    assert codes(check(tmp_path)) == ["SHD901", "SHD101"]


def test_working_folder_that_was_removed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(HAZARD)
    gone = tmp_path / "gone"
    gone.mkdir()
    code = (
        "import os, sys; os.chdir(sys.argv[1]); os.rmdir(sys.argv[1]); from shutdown_lint import engine; "
        "from shutdown_lint.settings import Settings; "
        "print([f.code for f in engine.check([sys.argv[2]], Settings(root=sys.argv[2])).findings])"
    )
    done = run(code, tmp_path, str(gone), str(tmp_path))
    assert done.stdout.strip() == "['SHD101']", done.stderr


def run(code: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code in a folder that is not on the path of the interpreter."""
    start = f"import sys; sys.path[0] = {str(ROOT)!r}; {code}"
    return subprocess.run(
        [sys.executable, "-c", start, *arguments], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )


SHADOWS = (
    "os",
    "signal",
    "selectors",
    "libcst",
    "tomllib",
    "tomli",
    "json",
    "re",
    "sitecustomize",
    "shutdown_lint",
    "pickle",
    "encodings",
)


@pytest.mark.parametrize("threads", [False, True], ids=["forked", "fresh"])
def test_linted_files_are_never_run(tmp_path: Path, threads: bool) -> None:
    """Files named like modules that the workers need lie in the working folder and in the project root."""
    for name in SHADOWS:
        (tmp_path / f"{name}.py").write_text("open('EXECUTED', 'w')\nraise SystemExit('executed')\n# Thread\n")
    for number in range(20):
        (tmp_path / f"a{number:02}.py").write_text(HAZARD)
    wait = (
        "import threading; e = threading.Event(); threading.Thread(target=e.wait, daemon=True).start(); "
        if threads
        else ""
    )
    code = (
        f"{wait}from shutdown_lint import engine; from shutdown_lint.workers import pool; pool.WORTH_BYTES = 0; "
        "from shutdown_lint.settings import Settings; r = engine.check(['.'], Settings(jobs=2)); "
        "print(r.files, {f.code for f in r.findings})"
    )
    done = run(code, tmp_path)
    assert done.stdout.strip() == f"{20 + len(SHADOWS)} {{'SHD101'}}", done.stderr
    assert not (tmp_path / "EXECUTED").exists()
