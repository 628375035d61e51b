"""Deployment files: what is read from them, what commands come to, and that projects without them pay nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shutdown_lint import engine, inputs
from shutdown_lint.deployment import commands, compose, dockerfile, durations, images, kubernetes
from shutdown_lint.deployment.built import Built
from shutdown_lint.deployment.composition import composed
from shutdown_lint.deployment.facts import DeploymentFile
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
        ("skaffold.yaml", "skaffold"),
        ("uwsgi.ini", "settings"),
        ("shop_uwsgi.prod.ini", "settings"),
        ("tox.ini", ""),
        ("Dockerfile-stages.png", ""),
        ("Dockerfile.build.sh", "script"),
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
        (["uv", "run", "--env-file", ".env", "-m", "x"], "uv", "console", "x"),
        (["uv", "run", "--no-dev", "granian", "a:b"], "uv", "server", "granian"),
        (["./wait-for-it.sh", "db:5432", "-t", "30", "--", "rq", "worker", "mail"], "", "server", "rq worker"),
        (["gosu", "app", "/usr/bin/wait-for", "db:1", "--", "uwsgi", "--ini", "x.ini"], "", "server", "uwsgi"),
        (["/app/poll.py", "--fast"], "", "script", "/app/poll.py"),
        (["python", "manage.py", "run_huey"], "", "server", "huey_consumer"),
        (["python", "-m", "flask", "run"], "", "server", "flask run"),
    ],
)
def test_commands_lead_to_programs(words: list[str], init: str, kind: str, name: str) -> None:
    chain = commands.resolve(tuple(words), KNOWN)
    assert chain.program is not None
    assert (chain.init or chain.parent, chain.program.kind, chain.program.name) == (init, kind, name)


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


def test_triggers_run_in_the_stage_that_is_built_on_theirs() -> None:
    text = 'FROM alpine AS a\nONBUILD CMD ["x"]\nONBUILD ONBUILD CMD ["y"]\nFROM a AS b\nFROM b\nCMD ["z"]\n'
    units = dockerfile.read(text, "Dockerfile")
    assert [(unit.name, unit.words, unit.written) for unit in units] == [
        ("a", (), False),  # nothing to start, but services may be built from it
        ("b", ("x",), True),
        ("Dockerfile", ("z",), True),
    ]


def test_variables_of_images() -> None:
    (unit,) = dockerfile.read('FROM x\nENV A=1 B="2 3"\nENV C 4 5\nCMD ["y"]\n', "Dockerfile")
    assert [found.value for key, found in unit.settings if key == "env"] == ["A=1", "B=2 3", "C=4 5"]


def compose_file(path: str, text: str) -> DeploymentFile:
    return DeploymentFile(path, f"/p/{path}", "compose", True, compose.read(text))


def test_services_are_laid_over_each_other() -> None:
    base = compose_file(
        "compose.yaml",
        "services:\n  web: {image: a, command: [x], stop_grace_period: 20s, init: false}\n  db: {image: b}\n",
    )
    over = compose_file(
        "compose.override.yaml",
        "services:\n  web: {entrypoint: [y], init: true, stop_grace_period: 5s}\n  db: {ports: ['1']}\n  new: {image: c}\n",
    )
    below, above = composed([base, over])
    assert [unit.name for unit in above.units] == ["web", "new"]  # nothing of `db` that matters has changed
    web = above.units[0]
    assert (web.words, web.value("image"), web.value("init"), web.written) == (("y", "x"), "a", "true", True)
    assert web.command is not None and web.command.span == web.span  # the other file's line is no line of this one
    assert (below.units[0].value("init"), below.units[0].value("stop_grace_period")) == ("true", "20s")


def test_services_extend_others_also_in_other_files() -> None:
    common = compose_file("base/common.yml", "services:\n  py: {build: ../src, command: [x], stop_signal: SIGINT}\n")
    main = compose_file(
        "compose.yml",
        "services:\n  a: {extends: {file: base/common.yml, service: py}}\n  b: {extends: a, command: [z]}\n"
        "  c: {extends: c}\n  d: {extends: e}\n  e: {extends: d}\n",
    )
    a, b, *loops = composed([common, main])[1].units
    assert (a.words, a.written, os.path.normpath(a.value("build"))) == (("x",), False, "/p/src")
    assert (b.words, b.written, b.value("stop_signal")) == (("z",), True, "SIGINT")
    assert [unit.words for unit in loops] == [(), (), ()]


@pytest.mark.parametrize(
    ("image", "stage"),
    [
        ("registry.example.org/team/api:1.2", "Dockerfile"),
        ("other.example.org/api@sha256:0123", "Dockerfile"),
        ("mailer", "Dockerfile.mailer"),
        ("quay.io/x/mail-er:3", "Dockerfile.mailer"),
        ("postgres:16", ""),
        ("${REGISTRY}/api", ""),
        ("twice", ""),
    ],
)
def test_images_by_their_names(image: str, stage: str) -> None:
    def file(path: str) -> DeploymentFile:
        units = dockerfile.read('FROM x\nCMD ["y"]\n', os.path.basename(path))
        return DeploymentFile(path, f"/p/{path}", "dockerfile", True, units)

    services = "services:\n  a: {build: src, image: registry.example.org/team/api}\n"
    files = [file("src/Dockerfile"), file("Dockerfile.mailer"), file("a/twice/Dockerfile"), file("b/twice/Dockerfile")]
    found = Built([*files, compose_file("compose.yaml", services)], ["shop"]).named(image)
    assert (found.name if found is not None else "") == stage


def test_the_only_image_has_the_name_of_the_project() -> None:
    units = dockerfile.read('FROM x\nCMD ["y"]\n', "Dockerfile")
    built = Built([DeploymentFile("Dockerfile", "/p/Dockerfile", "dockerfile", True, units)], ["shop_web"])
    assert built.named("registry.example.org/shop-web:2") is units[0]
    assert built.named("registry.example.org/shop:2") is None


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
    shown = inputs.files_of([str(tmp_path)], Settings(root=str(tmp_path)))
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
