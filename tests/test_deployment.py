"""Deployment files: what is read from them, what commands come to, and that projects without them pay nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shutdown_lint import engine
from shutdown_lint.deployment import commands, dockerfile, durations, images, kubernetes
from shutdown_lint.models import builtin_models
from shutdown_lint.settings import Settings
from shutdown_lint.source.kinds import deployment_kind

KNOWN = builtin_models().programs


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Dockerfile", "dockerfile"),
        ("Dockerfile.prod", "dockerfile"),
        ("web.dockerfile", "dockerfile"),
        ("Dockerfile.dockerignore", ""),
        ("Dockerfile.j2", ""),
        ("dockerfile.py", ""),
        ("docker-compose.override.yml", "compose"),
        ("compose.yaml", "compose"),
        ("values.yaml", "kubernetes"),
        ("worker.service", "systemd"),
        ("supervisord.conf", "supervisor"),
        ("nginx.conf", ""),
        ("Procfile", "procfile"),
        ("entrypoint.sh", "script"),
        ("docker-entrypoint", "script"),
        ("README.md", ""),
    ],
)
def test_files_are_known_by_their_names(name: str, kind: str) -> None:
    assert deployment_kind(name) == kind


@pytest.mark.parametrize(
    ("words", "init", "kind", "name"),
    [
        (["python", "-m", "relay.main"], "", "module", "relay.main"),
        (["python3.12", "-u", "-W", "error", "/app/run.py", "--fast"], "", "script", "/app/run.py"),
        (["python", "-m", "gunicorn", "shop.wsgi"], "", "server", "gunicorn"),
        (["/usr/bin/tini", "-g", "--", "celery", "-A", "shop", "worker"], "tini", "server", "celery worker"),
        (["dumb-init", "env", "A=1", "uvicorn", "a:b"], "dumb-init", "server", "uvicorn"),
        (["gosu", "app", "poetry", "run", "relay"], "", "console", "relay"),
        (["bash", "-eo", "pipefail", "-c", "exec nice -n 5 hypercorn a:b"], "", "server", "hypercorn"),
        (["sh", "-c", 'exec "$@"', "sh", "gunicorn", "a:b"], "", "server", "gunicorn"),
    ],
)
def test_commands_lead_to_programs(words: list[str], init: str, kind: str, name: str) -> None:
    chain = commands.resolve(tuple(words), KNOWN)
    assert chain.program is not None
    assert (chain.init, chain.program.kind, chain.program.name) == (init, kind, name)


@pytest.mark.parametrize("words", [["python", "-c", "x"], ["python"], ["sh", "-c", ""], ["sh", "-c", "$COMMAND"], []])
def test_commands_that_lead_nowhere(words: list[str]) -> None:
    program = commands.resolve(tuple(words), KNOWN).program
    assert program is None or program.kind == "console"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("90", 90),
        ("1m30s", 90),
        ("1min 30s", 90),
        ("1.5h", 5400),
        ("500ms", 0.5),
        ("soon", None),
        ("", None),
        ("$X", None),
    ],
)
def test_time_spans(text: str, value: float | None) -> None:
    assert durations.seconds(text) == value


@pytest.mark.parametrize(
    ("image", "shell"),
    [
        ("python:3.12-slim", "dash"),
        ("docker.io/library/python:3.12-alpine3.20", "busybox"),
        ("ubuntu:24.04", "dash"),
        ("registry.access.redhat.com/ubi9/python-311", "bash"),
        ("registry.example.org/python-base:1", ""),
        ("${BASE}", ""),
    ],
)
def test_shells_of_images(image: str, shell: str) -> None:
    assert images.sh_of(image) == shell


def test_stages_inherit_and_reset() -> None:
    text = 'FROM alpine AS a\nCMD ["x"]\nSTOPSIGNAL SIGINT\nFROM a AS b\nENTRYPOINT ["y"]\nFROM b\nRUN true\n'
    a, b, last = dockerfile.read(text, "Dockerfile")
    assert (a.words, b.words, last.words) == (("x",), ("y",), ("y",))
    assert (last.value("image"), last.value("STOPSIGNAL")) == ("alpine", "SIGINT")


def test_other_yaml_files_are_not_parsed() -> None:
    assert not kubernetes.concerns(b"on: push\njobs: {}\n")
    assert not kubernetes.concerns(b"apiVersion: v1\nkind: ConfigMap\n")
    assert kubernetes.concerns(b"apiVersion: v1\nkind: Pod\n")


@pytest.mark.parametrize("comment", ["# noqa: SHD601", "# shutdown-lint: ignore[SHD601] a batch job"])
def test_suppressions_stand_before_the_instruction(tmp_path: Path, comment: str) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM python:3.12-slim\n{comment}\nCMD gunicorn shop.wsgi\n")
    report = engine.check([str(tmp_path)], Settings(root=str(tmp_path), jobs=1))
    assert (report.findings, report.suppressed, report.files) == ((), 1, 1)


def test_unused_suppression_is_told(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text('FROM python:3.12-slim\n# noqa: SHD601\nCMD ["gunicorn", "shop.wsgi"]\n')
    (finding,) = engine.check([str(tmp_path)], Settings(root=str(tmp_path), jobs=1)).findings
    assert (finding.code, finding.span.line, finding.fix) == ("SHD910", 2, None)


def test_they_can_be_left_alone(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.12-slim\nCMD gunicorn shop.wsgi\n")
    settings = Settings(root=str(tmp_path), jobs=1)
    assert engine.check([str(tmp_path)], settings).findings
    assert not engine.check([str(tmp_path)], settings._replace(deployment=False)).findings


def test_files_that_concern_are_shown(tmp_path: Path) -> None:
    for name, text in (
        ("a.py", ""),
        ("Dockerfile", ""),
        ("ci.yml", "on: push"),
        ("p.yml", "apiVersion: v1\nkind: Pod"),
    ):
        (tmp_path / name).write_text(text)
    shown = engine.files_of([str(tmp_path)], Settings(root=str(tmp_path)))
    assert sorted(Path(path).name for path in shown) == ["Dockerfile", "a.py", "p.yml"]


def test_a_project_without_them_loads_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import os\nos._exit(1)\n")
    program = (
        "import sys; from shutdown_lint import engine; from shutdown_lint.settings import Settings\n"
        f"engine.check([{str(tmp_path)!r}], Settings(root={str(tmp_path)!r}, jobs=1))\n"
        "print([name for name in sys.modules if name == 'yaml' or 'deployment' in name])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
