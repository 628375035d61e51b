"""Fixes in deployment files: proven by running what they start, and kept from files in which they would do harm."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import proofs
import pytest
from fixing import settings_for

import shutdown_lint
from shutdown_lint import engine, fixes
from shutdown_lint.deployment.read import read
from shutdown_lint.fixes.deployed import differs
from shutdown_lint.fixes.planning import settle
from shutdown_lint.settings import Settings
from shutdown_lint.source import SourceFile
from shutdown_lint.source.kinds import deployment_kind

PROOFS, COUNTERS = proofs.deployed(), proofs.deployed_counters()
SH = os.path.basename(os.path.realpath("/bin/sh"))


def _copy(folder: Path, to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(folder, to, dirs_exist_ok=True, ignore=shutil.ignore_patterns("proof.toml"))
    shutil.copy(proofs.FOLDER / "deployed" / "app.py", to)
    monkeypatch.chdir(to)


def _command(name: str) -> list[str]:
    """What a platform starts for the first unit of a deployment file."""
    found = read(SourceFile(name, name, "", False, False, True), deployment_kind(name), Path(name).read_bytes())
    assert not isinstance(found, Exception) and found is not None
    return list(found.units[0].words)  # type: ignore[union-attr]  # the file is good


def _run_all(proof: proofs.Proof, when: str) -> list[str]:
    wrong = []
    for number, run in enumerate(proof.runs):
        expected = getattr(run, when)
        ended = proofs.ending_of(_command(proof.starts), Path.cwd(), run, may_hang=bool(expected.get("hang")))
        wrong += [f"run {number} {when}: {text}" for text in proofs.differences(ended, expected, Path.cwd())]
    return wrong


@pytest.mark.skipif(SH != "dash", reason="the loss is that of dash")
@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.path.name)
def test_the_signal_is_lost_before_the_fix_and_arrives_after_it(
    proof: proofs.Proof, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _copy(proof.path, tmp_path, monkeypatch)
    assert _run_all(proof, "before") == []

    settings = settings_for(proof.code)
    result = fixes.apply(engine.check(["."], settings), ["."], settings)
    assert [(item.code, item.number) for item in result.fixed] == [(proof.code, 1)] and result.problems == ()
    assert result.report.findings == ()

    assert _run_all(proof, "after") == []


@pytest.mark.parametrize("counter", COUNTERS, ids=lambda counter: counter.path.name)
def test_no_fix_is_offered_where_it_would_do_harm(
    counter: proofs.Counter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _copy(counter.path, tmp_path, monkeypatch)
    settings = settings_for(counter.code)
    report = engine.check(["."], settings)
    found = settle(report.findings, lambda path: Path(path).read_text("utf-8"))
    assert [finding.fix for finding in found] == [None] * len(found)
    assert fixes.apply(report, ["."], settings, unsafe=True).fixed == ()
    assert [counter.reason in finding.unfixed for finding in found] == [True] * len(found)
    assert bool(found) == bool(counter.reason)


# --- how files are changed -------------------------------------------------------------------------------------------

BAD = b"FROM python:3.12-slim\nCMD gunicorn shop.wsgi  \n"
GOOD = b'FROM python:3.12-slim\nCMD ["gunicorn", "shop.wsgi"]  \n'
SCRIPT = "#!/bin/sh\n# läuft, bis es endet\ngunicorn shop.wsgi".encode()
STARTER = b'FROM python:3.12-slim\nENTRYPOINT ["/entrypoint.sh"]\n'


def _fix(**options: bool) -> fixes.FixResult:
    settings = settings_for("SHD601", "SHD602")
    return fixes.apply(engine.check(["."], settings), ["."], settings, **options)  # type: ignore[arg-type]  # all are flags


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["", "bom"])
def test_line_ends_and_byte_order_mark_are_kept(
    newline: bytes, bom: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Dockerfile").write_bytes(bom + BAD.replace(b"\n", newline))
    assert _fix().problems == ()
    assert Path("Dockerfile").read_bytes() == bom + GOOD.replace(b"\n", newline)


def test_mode_and_missing_newline_of_a_script_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Dockerfile").write_bytes(STARTER)
    script = Path("entrypoint.sh")
    script.write_bytes(SCRIPT)
    script.chmod(0o755)
    assert _fix().problems == ()
    assert script.read_bytes() == SCRIPT.replace(b"gunicorn", b"exec gunicorn")
    assert sys.platform == "win32" or script.stat().st_mode & 0o777 == 0o755
    assert sorted(os.listdir()) == ["Dockerfile", "entrypoint.sh"]


def test_a_read_only_file_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Dockerfile").write_bytes(BAD)
    Path("Dockerfile").chmod(0o444)
    result = _fix()
    assert [problem.message for problem in result.problems] == ["the file is read-only"]
    assert (Path("Dockerfile").read_bytes(), result.fixed) == (BAD, ())


def test_a_diff_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Dockerfile").write_bytes(BAD)
    assert '+CMD ["gunicorn", "shop.wsgi"]' in _fix(diff=True).diff
    assert Path("Dockerfile").read_bytes() == BAD


def test_python_and_deployment_files_are_fixed_in_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Dockerfile").write_bytes(BAD)
    Path("tool.py").write_text("import sys\n\nexit(1)\n")
    settings = settings_for("SHD108", "SHD601")
    result = fixes.apply(engine.check(["."], settings), ["."], settings)
    assert {(item.path, item.code) for item in result.fixed} == {("Dockerfile", "SHD601"), ("tool.py", "SHD108")}
    assert (Path("tool.py").read_text(), result.report.findings) == ("import sys\n\nsys.exit(1)\n", ())


def test_several_in_one_file_go_together_and_a_second_run_has_nothing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    services = "".join(
        f"  s{number}:\n    image: python:3.12\n    command: sh -c 'celery -A shop worker -n {number}'\n"
        for number in range(4)
    )
    Path("compose.yaml").write_text(f"services:\n{services}")
    assert [item.number for item in _fix().fixed] == [4]
    assert Path("compose.yaml").read_text() == f"services:\n{services}".replace("celery", "exec celery")
    assert _fix().fixed == ()


def test_a_shared_value_is_fixed_once_for_all_services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (
        "x-run: &run\n  image: python:3.12\n  command: sh -c 'gunicorn shop.wsgi'\n"
        "services:\n  a: *run\n  b:\n    <<: *run\n    init: true\n"
    )
    Path("compose.yaml").write_text(text)
    result = _fix()
    assert Path("compose.yaml").read_text() == text.replace("gunicorn", "exec gunicorn")
    assert (result.report.findings, result.problems) == ((), ())


def test_a_text_from_stdin_comes_back_fixed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    command = [sys.executable, "-m", "shutdown_lint", "--fix", "--stdin-filename", "Dockerfile", "-"]
    done = subprocess.run(command, input=BAD, capture_output=True, cwd=tmp_path, timeout=60, check=False)
    assert (done.stdout, done.returncode) == (GOOD, 0)


def test_the_library_tells_edits_and_reasons(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "Dockerfile").write_bytes(BAD + b"FROM python:3.12\nCMD gunicorn a:b | tee log\n")
    report = shutdown_lint.check([tmp_path], jobs=1)
    first, second = report.findings
    assert [edit.content for edit in shutdown_lint.api.edits(report)[first]] == ['["gunicorn", "shop.wsgi"]']
    assert (second.fix, second.unfixed) == (None, "it is part of a pipeline")


def test_a_change_that_starts_something_else_is_found_out() -> None:
    assert differs("dockerfile", BAD, GOOD) == ""
    assert differs("dockerfile", BAD, GOOD.replace(b"shop", b"stop")) == "the result would start something else"
    assert differs("dockerfile", b"# a\n" + BAD, GOOD) == "the comment `# a` would be lost"
    assert differs("script", SCRIPT, SCRIPT.replace(b"gunicorn", b"exec gunicorn")) == ""
    assert differs("script", SCRIPT, SCRIPT.replace(b"gunicorn", b"gunicorn; exec")) != ""


def test_an_unused_suppression_in_a_dockerfile_has_no_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Dockerfile").write_bytes(b"FROM python:3.12\n# noqa: SHD601\nCMD true\n")
    settings = Settings(root=os.getcwd(), jobs=1)
    report = engine.check(["."], settings)
    assert [finding.code for finding in report.findings] == ["SHD910"]
    assert fixes.apply(report, ["."], settings).fixed == ()


@pytest.mark.parametrize(
    ("image", "before", "after"),
    [
        ("python:3.12", "CMD gunicorn a:b", 'CMD ["gunicorn", "a:b"]'),
        ("docker.io/library/debian:12", "cmd\tgunicorn a:b", 'cmd\t["gunicorn", "a:b"]'),
        ("python:3.12", "CMD gunicorn -b é:1 a:b", 'CMD ["gunicorn", "-b", "é:1", "a:b"]'),
        ("tiangolo/uvicorn-gunicorn:python3.11", "CMD gunicorn a:b", "CMD exec gunicorn a:b"),
        ("python:3.12", "CMD gunicorn a:b > /log", "CMD exec gunicorn a:b > /log"),
        ("python:3.12", "CMD gunicorn a:b *.py", "CMD exec gunicorn a:b *.py"),
        ("python:3.12", "CMD gunicorn a:b ~/x", "CMD exec gunicorn a:b ~/x"),
        ("python:3.12", "CMD gunicorn a:b `hostname`", "CMD exec gunicorn a:b `hostname`"),
        ("python:3.12", "CMD gunicorn a:b # web", "CMD exec gunicorn a:b # web"),
        ("python:3.12", "CMD gunicorn a:b \\\n  -w 4", "CMD exec gunicorn a:b \\\n  -w 4"),
        ("python:3.12", "CMD WORKERS=4 gunicorn a:b", "CMD WORKERS=4 exec gunicorn a:b"),
        ("python:3.12", "ENTRYPOINT gunicorn a:b", "ENTRYPOINT exec gunicorn a:b"),
        ("python:3.12", 'ENTRYPOINT ["tini", "--"]\nCMD gunicorn a:b', 'ENTRYPOINT ["tini", "--"]\nCMD exec gunicorn a:b'),
        ("python:3.12", 'SHELL ["/bin/dash", "-ec"]\nCMD gunicorn a:b', 'SHELL ["/bin/dash", "-ec"]\nCMD exec gunicorn a:b'),
        ("python:3.12", 'CMD gunicorn a:b\nFROM tool AS more\nFROM 0', 'CMD ["gunicorn", "a:b"]\nFROM tool AS more\nFROM 0'),
    ],
)  # fmt: skip
def test_forms(image: str, before: str, after: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list only where it means the same; else nothing but `exec` is added."""
    monkeypatch.chdir(tmp_path)
    Path("Dockerfile").write_text(f"FROM {image}\n# the server\n{before}\n", "utf-8")
    assert _fix().problems == ()
    assert Path("Dockerfile").read_text("utf-8") == f"FROM {image}\n# the server\n{after}\n"


def test_comments_that_would_declare_an_encoding_in_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment file is UTF-8, whatever its first lines say about coding."""
    monkeypatch.chdir(tmp_path)
    before = "# coding: klingon\nFROM python:3.12\nCMD gunicorn é:app\n"
    Path("Dockerfile").write_text(before, "utf-8")
    result = _fix()
    assert result.problems == () and [item.code for item in result.fixed] == ["SHD601"]
    assert Path("Dockerfile").read_text("utf-8") == before.replace("gunicorn é:app", '["gunicorn", "é:app"]')
