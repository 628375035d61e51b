"""How fixed files are written: whole or not at all, and as the files that they were."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fixing import BAD, GOOD, fix, holds_only, new_project

from shutdown_lint.fixes import files, rounds

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project that is the current folder."""
    root = new_project(tmp_path)
    monkeypatch.chdir(root)
    return root


def _before_write(monkeypatch: pytest.MonkeyPatch, action: Callable[[], object]) -> None:
    original = files.write

    def write(path: str, before: bytes, after: bytes, also: list[str]) -> None:
        action()
        original(path, before, after, also)

    monkeypatch.setattr(rounds, "write", write)


def test_a_file_that_changed_in_the_meantime_is_left_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "a.py").write_bytes(BAD)
    _before_write(monkeypatch, lambda: (project / "a.py").write_bytes(b"exit(7)\n"))
    result = fix()
    assert [item.message for item in result.problems] == ["the file was changed in the meantime"]
    assert (project / "a.py").read_bytes() == b"exit(7)\n" and result.exit_code() == 2 and holds_only(project, "a.py")


def test_a_file_that_was_removed_in_the_meantime_does_not_come_back(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "a.py").write_bytes(BAD)
    _before_write(monkeypatch, (project / "a.py").unlink)
    assert [item.message for item in fix().problems] == ["cannot be written: No such file or directory"]
    assert holds_only(project)


@pytest.mark.parametrize(
    ("function", "error"),
    [
        ("fsync", OSError(errno.ENOSPC, "No space left")),
        ("replace", OSError(errno.EACCES, "Permission denied")),
        ("fsync", KeyboardInterrupt()),
        ("replace", KeyboardInterrupt()),
    ],
)
def test_a_write_that_fails_leaves_the_file_and_nothing_else(
    project: Path, monkeypatch: pytest.MonkeyPatch, function: str, error: BaseException
) -> None:
    (project / "a.py").write_bytes(BAD)

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, function, fail)
    if isinstance(error, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            fix()
    else:
        reasons = [item.message for item in fix().problems]
        assert reasons == [f"cannot be written: {getattr(error, 'strerror', '')}"]
    assert (project / "a.py").read_bytes() == BAD and holds_only(project, "a.py")


def _start(code: str) -> subprocess.Popen[bytes]:
    """Fix the current folder in a process of its own, after ``code``."""
    script = (
        "import os, resource, signal\n"
        "from shutdown_lint import engine, fixes\nfrom shutdown_lint.settings import Settings\n"
        "s = Settings(root=os.getcwd(), select=('SHD108',), jobs=1)\nreport = engine.check(['.'], s)\n"
        f"{code}\nprint([p.message for p in fixes.apply(report, ['.'], s).problems])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", script]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _run(code: str) -> subprocess.CompletedProcess[str]:
    """The same to its end."""
    with _start(code) as process:
        out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out.decode(), err.decode())


@pytest.mark.skipif(sys.platform == "win32", reason="no resource limits")
def test_a_disk_limit_leaves_the_file_whole(project: Path) -> None:
    (project / "a.py").write_bytes(BAD + b"#" * 5000 + b"\n")
    done = _run("resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))")
    assert "File too large" in done.stdout, done.stderr
    assert (project / "a.py").read_bytes() == BAD + b"#" * 5000 + b"\n" and holds_only(project, "a.py")


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_kill_in_the_midst_of_a_write_leaves_the_file_whole(project: Path, function: str) -> None:
    (project / "a.py").write_bytes(BAD)
    done = _run(f"os.{function} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)")
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (project / "a.py").read_bytes() == BAD


def test_mode_and_owner_are_kept(project: Path) -> None:
    path = project / "a.py"
    path.write_bytes(BAD)
    path.chmod(0o2751)
    if os.geteuid() == 0:
        os.chown(path, 1234, 2345)
        path.chmod(0o2751)
    before = path.stat()
    assert fix().problems == ()
    after = path.stat()
    assert path.read_bytes() == GOOD
    assert stat.S_IMODE(after.st_mode) == 0o2751 and (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)


def test_a_link_stays_a_link_and_its_target_is_fixed(project: Path) -> None:
    (project / "lib").mkdir()
    (project / "lib" / "real.py").write_bytes(BAD)
    (project / "a.py").symlink_to("lib/real.py")
    assert [item.number for item in fix("a.py").fixed] == [1]
    assert (project / "a.py").is_symlink() and (project / "lib" / "real.py").read_bytes() == GOOD


def test_a_link_out_of_the_project_is_not_written_to(project: Path) -> None:
    outside = project.parent / "outside.py"
    outside.write_bytes(BAD)
    (project / "a.py").symlink_to(outside)
    result = fix("a.py")
    assert [item.message for item in result.problems] == ["a file outside the project root is not written to"]
    assert outside.read_bytes() == BAD and result.exit_code() == 2


def test_a_linked_folder_out_of_the_project_is_not_written_to(project: Path) -> None:
    outside = project.parent / "outside"
    outside.mkdir()
    (outside / "a.py").write_bytes(BAD)
    (project / "linked").symlink_to(outside)
    assert [item.message for item in fix("linked/a.py").problems] == [
        "a file outside the project root is not written to"
    ]
    assert (outside / "a.py").read_bytes() == BAD


def test_a_hard_link_is_fixed_once_and_stays_one_file(project: Path) -> None:
    (project / "a.py").write_bytes(BAD)
    os.link(project / "a.py", project / "b.py")
    result = fix()
    assert [(item.path, item.number) for item in result.fixed] == [("a.py", 1)] and result.report.findings == ()
    assert (project / "b.py").read_bytes() == GOOD
    assert os.path.samefile(project / "a.py", project / "b.py") and holds_only(project, "a.py", "b.py")


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_what_a_killed_run_has_left_is_swept_away_later(project: Path) -> None:
    (project / "a.py").write_bytes(BAD)
    _run("os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)")
    (left,) = project.glob(".shutdown-lint-*.tmp")
    ours = project / f".shutdown-lint-{os.getpid()}-x.tmp"
    ours.touch()
    for path in (left, ours):
        os.utime(path, (0, 0))
    (project / ".shutdown-lint-cache").touch()
    assert "[]" in _run("").stdout and (project / "a.py").read_bytes() == GOOD
    assert holds_only(project, "a.py", ours.name, ".shutdown-lint-cache"), "a run that is alive keeps its file"


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_at_any_moment_every_file_is_old_or_new(project: Path) -> None:
    paths = [project / f"module_{number}.py" for number in range(40)]
    write = "os.replace = lambda a, b, replace=os.replace: (os.write(1, b'.'), replace(a, b))"
    for path in paths:
        path.write_bytes(BAD)
    for killed_at in (1, 7, 20, 39):
        process = _start(write)
        assert process.stdout is not None
        for _ in range(killed_at):
            assert process.stdout.read(1) == b"."
        process.kill()
        process.communicate()
        found = [path.read_bytes() for path in paths]
        assert set(found) <= {BAD, GOOD} and found.count(GOOD) >= killed_at - 1
        for path in paths:
            path.write_bytes(BAD)
    assert _run("").returncode == 0 and all(path.read_bytes() == GOOD for path in paths)
