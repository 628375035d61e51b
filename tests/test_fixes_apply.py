"""Fixes on files: rounds, what must hold before a file is written, and how it is written."""

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

from shutdown_lint import engine, fixes
from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit, Finding, Fix
from shutdown_lint.fixes import files, rounds
from shutdown_lint.fixes.edits import Planned
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.settings import Settings

BAD = b"import sys\n\n\ndef main():\n    exit(1)  # bye\n\n\nmain()\n"
GOOD = BAD.replace(b"exit(1)", b"sys.exit(1)")
REPOSITORY = Path(__file__).parent.parent


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project that is the current folder."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text("")
    monkeypatch.chdir(root)
    return root


def _settings(*select: str) -> Settings:
    return Settings(root=os.getcwd(), select=select or ("SHD108",), jobs=1)


def _fix(*paths: str, diff: bool = False) -> fixes.FixResult:
    settings = _settings()
    return fixes.apply(engine.check(paths or ["."], settings), paths or ["."], settings, diff=diff)


def _only(project: Path, *names: str) -> bool:
    """Whether the project holds these files and nothing else, temporary files above all."""
    return sorted(os.listdir(project)) == sorted(("pyproject.toml", *names))


# --- rounds ----------------------------------------------------------------------------------------------------------


def test_a_file_is_fixed_and_then_there_is_nothing_left_to_fix(project: Path) -> None:
    (project / "a.py").write_bytes(BAD)
    result = _fix()
    assert (project / "a.py").read_bytes() == GOOD
    assert result.fixed == (rounds.Fixed("a.py", "SHD108", "site-exit", 1),)
    assert result.report.findings == () and result.exit_code() == 0
    before = (project / "a.py").stat()
    again = _fix()
    assert again.fixed == () and (project / "a.py").stat() == before
    assert _only(project, "a.py")


def test_a_diff_changes_nothing(project: Path) -> None:
    (project / "a.py").write_bytes(BAD.rstrip(b"\n"))
    result = _fix(diff=True)
    assert (project / "a.py").read_bytes() == BAD.rstrip(b"\n")
    assert result.diff.startswith("--- a.py\n+++ a.py\n") and result.exit_code(diff=True) == 1
    assert "-    exit(1)  # bye\n+    sys.exit(1)  # bye\n" in result.diff
    assert result.diff.endswith(" main()\n\\ No newline at end of file\n")
    done = subprocess.run(["git", "apply", "-p0", "--unsafe-paths"], input=result.diff.encode(), check=False)
    assert done.returncode == 0 and (project / "a.py").read_bytes() == GOOD.rstrip(b"\n")


def test_stdin_comes_back_fixed_and_its_file_is_left_alone(project: Path) -> None:
    (project / "a.py").write_bytes(b"x = 1\n")
    settings = _settings()._replace(stdin_filename="a.py")
    data = b"\xef\xbb\xbf" + BAD.replace(b"\n", b"\r\n")
    report = engine.check(["-"], settings, stdin=data)
    result = fixes.apply(report, ["-"], settings, stdin=data)
    assert result.output == b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n")
    assert result.report.findings == () and (project / "a.py").read_bytes() == b"x = 1\n"


def test_stdin_without_fixes_comes_back_as_it_is(project: Path) -> None:
    report = engine.check(["-"], _settings(), stdin=b"x = 1")
    assert fixes.apply(report, ["-"], _settings(), stdin=b"x = 1").output == b"x = 1"


def test_unsafe_fixes_need_to_be_asked_for(project: Path) -> None:
    (project / "a.py").write_bytes(BAD)
    report = engine.check(["."], _settings())
    unsafe = tuple(f._replace(fix=f.fix._replace(applicability="unsafe")) for f in report.findings if f.fix)
    report = report._replace(findings=unsafe)
    assert fixes.apply(report, ["."], _settings()).fixed == () and (project / "a.py").read_bytes() == BAD
    assert fixes.apply(report, ["."], _settings(), unsafe=True).fixed and (project / "a.py").read_bytes() == GOOD


def test_thousands_of_findings_in_one_file_are_fixed_together(project: Path) -> None:
    (project / "a.py").write_text("import sys\n" + "if sys.argv: exit(1)\n" * 2000)
    assert _fix().fixed[0].number == 2000
    assert (project / "a.py").read_text() == "import sys\n" + "if sys.argv: sys.exit(1)\n" * 2000


def _pretend(monkeypatch: pytest.MonkeyPatch, plan: Callable[[Finding, str], Edit]) -> None:
    """Let ``plan`` make the edits instead of the fixers."""
    monkeypatch.setattr(
        rounds, "plans", lambda found, text: [Planned(finding, (plan(finding, text),)) for finding in found]
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [("exit(1", "would not compile"), ("exit(2)", "SHD108 would still be found"), ("exit(1) or sys", "SHD108")],
)
def test_a_fix_that_does_not_mend_is_not_written(
    project: Path, monkeypatch: pytest.MonkeyPatch, content: str, problem: str
) -> None:
    (project / "a.py").write_bytes(BAD)
    _pretend(monkeypatch, lambda finding, text: Edit(finding.span, content))
    result = _fix()
    assert [problem in item.message for item in result.problems] == [True]
    assert result.fixed == () and result.exit_code() == 2 and (project / "a.py").read_bytes() == BAD


def test_a_fix_that_loses_a_comment_is_not_written(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "a.py").write_bytes(BAD)
    _pretend(monkeypatch, lambda finding, text: Edit(finding.span._replace(end_col=99), "sys.exit(1)"))
    monkeypatch.setattr(rounds, "changed", lambda text, edits: text.replace("exit(1)  # bye", "sys.exit(1)"))
    assert [item.message for item in _fix().problems] == ["the comment `# bye` would be lost"]
    assert (project / "a.py").read_bytes() == BAD


def test_fixes_that_never_end_are_an_error_that_names_the_rule(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "a.py").write_bytes(b"x = 0\n")
    codes = iter(["SHD101", "SHD103"] * rounds.MAX_ROUNDS)
    span = Span(1, 1, 1, 1)

    def found() -> engine.Report:
        return engine.Report((Finding("a.py", span, next(codes), "x", "x", "error", "D", fix=Fix("safe", "", "x")),), 1)

    _pretend(monkeypatch, lambda finding, text: Edit(span, "y = 1\n"))
    monkeypatch.setattr(rounds, "_again", lambda path, data, settings: found())
    result = fixes.apply(found(), ["."], _settings())
    assert [item.message for item in result.problems] == ["still finds something to fix after 10 rounds: SHD101"]
    assert (project / "a.py").read_bytes() == b"x = 0\n"


def test_one_file_that_cannot_be_fixed_does_not_stop_the_others(project: Path) -> None:
    for name in ("a.py", "b.py", "c.py"):
        (project / name).write_bytes(BAD)
    (project / "b.py").chmod(0o444)
    result = _fix()
    assert [(item.path, item.message) for item in result.problems] == [("b.py", "the file is read-only")]
    assert [(project / name).read_bytes() for name in ("a.py", "b.py", "c.py")] == [GOOD, BAD, GOOD]
    assert [finding.path for finding in result.report.findings] == ["b.py"] and result.exit_code() == 2
    assert _only(project, "a.py", "b.py", "c.py")


# --- text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["no bom", "bom"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("last", [True, False], ids=["newline at the end", "none"])
def test_only_the_fixed_bytes_change(project: Path, bom: bytes, newline: bytes, last: bool) -> None:
    bad = b"s = '\xc3\xa9'\nt = '''a\r\nb\n'''\n" + BAD
    good = b"s = '\xc3\xa9'\nt = '''a\r\nb\n'''\n" + GOOD
    data, expected = (text.replace(b"\n", newline).removesuffix(b"" if last else newline) for text in (bad, good))
    (project / "a.py").write_bytes(bom + data)
    assert _fix().problems == ()
    assert (project / "a.py").read_bytes() == bom + expected


def test_another_encoding_is_kept(project: Path) -> None:
    data = b"# -*- coding: latin-1 -*-\ns = '\xe9'\nexit(s)\n"
    (project / "a.py").write_bytes(data)
    assert _fix().problems == ()
    assert (project / "a.py").read_bytes() == b"# -*- coding: latin-1 -*-\nimport sys\n\ns = '\xe9'\nsys.exit(s)\n"


def test_a_text_that_the_encoding_cannot_hold_is_refused() -> None:
    with pytest.raises(Refused, match="encoding of the file"):
        files.encode("# coding: latin-1\ns = '\u017e'\n", b"# coding: latin-1\n")


def test_a_text_that_would_be_read_in_another_encoding_is_refused() -> None:
    with pytest.raises(Refused):
        files.encode("s = '\u00e9'\n# coding: utf-8\n", b"# coding: latin-1\n")


def test_bytes_that_would_change_by_themselves_are_refused(project: Path) -> None:
    # utf-7 has several spellings of one character
    (project / "a.py").write_bytes(b"# coding: utf-7\ns = '+AGE-'\nexit(1)\n")
    assert [item.message for item in _fix().problems] == ["the file cannot be written back unchanged"]


# --- writing ---------------------------------------------------------------------------------------------------------


def _before_write(monkeypatch: pytest.MonkeyPatch, action: Callable[[], object]) -> None:
    original = files.write

    def write(path: str, before: bytes, after: bytes, also: list[str]) -> None:
        action()
        original(path, before, after, also)

    monkeypatch.setattr(rounds, "write", write)


def test_a_file_that_changed_in_the_meantime_is_left_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "a.py").write_bytes(BAD)
    _before_write(monkeypatch, lambda: (project / "a.py").write_bytes(b"exit(7)\n"))
    result = _fix()
    assert [item.message for item in result.problems] == ["the file was changed in the meantime"]
    assert (project / "a.py").read_bytes() == b"exit(7)\n" and result.exit_code() == 2 and _only(project, "a.py")


def test_a_file_that_was_removed_in_the_meantime_does_not_come_back(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "a.py").write_bytes(BAD)
    _before_write(monkeypatch, (project / "a.py").unlink)
    assert [item.message for item in _fix().problems] == ["cannot be written: No such file or directory"]
    assert _only(project)


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
            _fix()
    else:
        reasons = [item.message for item in _fix().problems]
        assert reasons == [f"cannot be written: {getattr(error, 'strerror', '')}"]
    assert (project / "a.py").read_bytes() == BAD and _only(project, "a.py")


def _run(code: str) -> subprocess.CompletedProcess[str]:
    """Fix the current folder in a process of its own, after ``code``."""
    script = (
        "import os, resource, signal\n"
        "from shutdown_lint import engine, fixes\nfrom shutdown_lint.settings import Settings\n"
        "s = Settings(root=os.getcwd(), select=('SHD108',), jobs=1)\nreport = engine.check(['.'], s)\n"
        f"{code}\nprint([p.message for p in fixes.apply(report, ['.'], s).problems])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.platform == "win32", reason="no resource limits")
def test_a_disk_limit_leaves_the_file_whole(project: Path) -> None:
    (project / "a.py").write_bytes(BAD + b"#" * 5000 + b"\n")
    done = _run("resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))")
    assert "File too large" in done.stdout, done.stderr
    assert (project / "a.py").read_bytes() == BAD + b"#" * 5000 + b"\n" and _only(project, "a.py")


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
    assert _fix().problems == ()
    after = path.stat()
    assert path.read_bytes() == GOOD
    assert stat.S_IMODE(after.st_mode) == 0o2751 and (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)


def test_a_link_stays_a_link_and_its_target_is_fixed(project: Path) -> None:
    (project / "lib").mkdir()
    (project / "lib" / "real.py").write_bytes(BAD)
    (project / "a.py").symlink_to("lib/real.py")
    assert [item.number for item in _fix("a.py").fixed] == [1]
    assert (project / "a.py").is_symlink() and (project / "lib" / "real.py").read_bytes() == GOOD


def test_a_link_out_of_the_project_is_not_written_to(project: Path) -> None:
    outside = project.parent / "outside.py"
    outside.write_bytes(BAD)
    (project / "a.py").symlink_to(outside)
    result = _fix("a.py")
    assert [item.message for item in result.problems] == ["a file outside the project root is not written to"]
    assert outside.read_bytes() == BAD and result.exit_code() == 2


def test_a_linked_folder_out_of_the_project_is_not_written_to(project: Path) -> None:
    outside = project.parent / "outside"
    outside.mkdir()
    (outside / "a.py").write_bytes(BAD)
    (project / "linked").symlink_to(outside)
    assert [item.message for item in _fix("linked/a.py").problems] == ["a file outside the project root is not written to"]
    assert (outside / "a.py").read_bytes() == BAD


def test_a_hard_link_is_fixed_once_and_stays_one_file(project: Path) -> None:
    (project / "a.py").write_bytes(BAD)
    os.link(project / "a.py", project / "b.py")
    result = _fix()
    assert [(item.path, item.number) for item in result.fixed] == [("a.py", 1)] and result.report.findings == ()
    assert (project / "b.py").read_bytes() == GOOD
    assert os.path.samefile(project / "a.py", project / "b.py") and _only(project, "a.py", "b.py")
