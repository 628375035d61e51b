"""Deployment files that cannot be read, or would be expensive to: a clear message with its place, no crash, no hang."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from shutdown_lint import engine
from shutdown_lint.settings import Settings

LIMIT = 20  # seconds; each of these takes far less than one on a quiet machine
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n"


def check(tmp_path: Path, name: str, content: str | bytes) -> engine.Report:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    begin = time.monotonic()
    report = engine.check([str(tmp_path)], Settings(root=str(tmp_path), select=("ALL",), jobs=1))
    assert time.monotonic() - begin < LIMIT
    return report


@pytest.mark.parametrize(
    ("name", "content", "code", "line", "words"),
    [
        ("compose.yaml", "services:\n  web:\n\tcommand: x\n", "SHD900", 3, "a tab indents"),
        ("compose.yaml", "services:\n  web: {command: [a, b\n", "SHD900", 3, "YAML"),
        ("compose.yaml", "services:\n  web: *nobody\n", "SHD900", 2, "no anchor `nobody`"),
        ("compose.yaml", "services: " + "[" * 5000 + "\n", "SHD903", 1, "nested too deeply"),
        ("compose.yaml", b"services:\n  web:\n    command: \xff\xfe\n", "SHD902", 3, "0xff is not UTF-8"),
        ("compose.yaml", "services:\n  w: {image: x}\n" + "#" * 5_000_000, "SHD903", 1, "larger than"),
        ("pod.yaml", POD + "  - name: [x\n", "SHD900", 7, "YAML"),
        ("pod.yaml", POD + "  - name: x\n" * 600_000, "SHD903", 1, "larger than"),
        ("Dockerfile", b"FROM x\n\0\1\2", "SHD902", 2, "null byte"),
        ("Dockerfile", "FROM x\n" * 800_000, "SHD903", 1, "larger than"),
        ("Dockerfile", b"FROM x\nCMD caf\xe9\n", "SHD902", 2, "0xe9 is not UTF-8"),
        ("docker-compose.prod.yml", "services:\r\n  web:\r\n\tcommand: x\r\n", "SHD900", 3, "a tab indents"),
        ("pod.yaml", POD + "  - name: x\n\t  image: y\n", "SHD900", 7, "a tab indents"),
        ("pod.yaml", POD + "  - {name: x, name: [y}\n", "SHD900", 6, "YAML"),
        ("skaffold.yaml", "build:\n  artifacts: [{image: x\n", "SHD900", 3, "YAML"),
        ("uwsgi.ini", "[uwsgi\nmaster = true\n", "SHD900", 1, "closing bracket"),
        ("uwsgi.ini", "[uwsgi]\n" + "# \n" * 2_000_000, "SHD903", 1, "larger than"),
        ("supervisord.conf", "[program:x\ncommand=y\n", "SHD900", 1, "closing bracket"),
        ("app.service", "[Unit]\n[Service\nExecStart=/bin/x\n", "SHD900", 2, "closing bracket"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_trouble_is_told_with_its_place(
    tmp_path: Path, name: str, content: str | bytes, code: str, line: int, words: str
) -> None:
    report = check(tmp_path, name, content)
    (finding,) = report.findings
    assert (finding.code, finding.span.line) == (code, line)
    assert words in finding.message
    assert report.exit_code() == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("compose.yaml", ""),
        ("compose.yaml", "- 1\n- 2\n"),
        ("compose.yaml", "services: [a, b]\n"),
        ("compose.yaml", "services: {web: , db: {command: {}, build: [1], init: [2]}}\n"),
        ("compose.yaml", "services:\n  web: &w {<<: *w, command: gunicorn x}\n"),
        ("compose.yaml", "services:\n  a: {extends: b, image: x}\n  b: {extends: {service: a}, command: gunicorn x}\n"),
        ("compose.yaml", "services:\n  a: {extends: {file: [x], service: {}}, environment: [[a], b], image: y}\n"),
        ("compose.override.yaml", "services:\n  a: {extends: {file: ../../../../etc/passwd, service: a}}\n"),
        ("skaffold.yaml", "build: {artifacts: [1, {image: }, {image: x, docker: 3}]}\n"),
        ("uwsgi.ini", "master = true\n[other]\nx\n[uwsgi]\nno equals\n = \n"),
        ("Dockerfile", "FROM x\nONBUILD\nONBUILD CMD\nENV\nENV =\nENV A='\nFROM x\n"),
        ("Dockerfile", "FROM x\nCOPY <<EOF <<'B' /a\nCMD gunicorn a\nEOF\n\tB\nB\n"),
        ("Dockerfile", '\tFROM x\n\tCMD\t["gunicorn",\t"x"]\n'),
        ("Dockerfile", "FROM x AS x\nFROM x AS X\nFROM X\nCMD x\n"),
        (
            "pod.yaml",
            "apiVersion: v1\nkind: Pod\nspec:\n  containers: [{image: '', env: [{}, x, {name: A}], args: }]\n",
        ),
        ("Dockerfile", "FROM\nCMD\nENTRYPOINT [\nCMD [1, 2]\nSHELL []\nSTOPSIGNAL\n"),
        ("Dockerfile", "FROM x\nCMD " + "\\\n" * 50_000),
        ("Dockerfile", "FROM x\nRUN <<EOF\nnever closed"),
        ("Dockerfile", "FROM x\nCMD " + "$(" * 50_000),
        ("Dockerfile", "FROM x\nCMD " + "[" * 50_000),
        ("Dockerfile", "FROM x\nCMD " + "if " * 50_000 + "gunicorn x"),
        ("Dockerfile", "FROM x\n" * 50_000 + "CMD gunicorn"),
        ("entrypoint.sh", "#!/bin/sh\n" + "gunicorn x;" * 10_000),
        ("entrypoint.sh", "#!/bin/sh\ncat <<EOF\n'\"`"),
        ("Procfile", ":\nweb:\n: x\nweb: gunicorn 'x\n"),
        ("app.service", "[Service]\nExecStart=\nExecStart='\nTimeoutStopSec=soon\n\\"),
        ("pod.yaml", "apiVersion: v1\nkind: Pod\nspec: {containers: 3}\n"),
        ("pod.yaml", "apiVersion: v1\nkind: List\nitems: {a: b}\n"),
        ("values.yaml", "anything: {{ at all }}\n\t- x"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_odd_files_are_taken_as_they_are(tmp_path: Path, name: str, content: str) -> None:
    codes = {finding.code for finding in check(tmp_path, name, content).findings}
    assert not {code for code in codes if code.startswith("SHD9")}


def test_alias_bomb_is_not_unfolded(tmp_path: Path) -> None:
    levels = [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 30)]
    bomb = "\n".join(["x0: &x0 lol", *levels, "services:", "  web: {command: *x29, image: 'python:3.12-slim'}", ""])
    assert check(tmp_path, "compose.yaml", bomb).exit_code() == 0


@pytest.mark.parametrize("text", ["{% for x in y %}", "{{ services }}", "<%= name %>: {", "  {replicas}"])
def test_compose_templates_are_left_out_when_they_are_no_yaml(tmp_path: Path, text: str) -> None:
    report = check(tmp_path, "docker-compose.yml", f"services:\n  web:\n    image: x\n{text}\n")
    assert not report.findings
    assert [note for note in report.warnings if "skipped, a template" in note]


def test_placeholders_in_values_make_no_template(tmp_path: Path) -> None:
    text = (
        "services:\n  web:\n    image: 'python:3.12-slim'\n    command: sh -c 'gunicorn --access-logformat {{x}} a'\n"
    )
    assert {finding.code for finding in check(tmp_path, "compose.yaml", text).findings} >= {"SHD601"}


def test_patches_are_left_out_with_a_note(tmp_path: Path) -> None:
    report = check(tmp_path, "patch.yaml", POD + "  - {name: web, lifecycle: {preStop: {sleep: {seconds: 90}}}}\n")
    assert not report.findings
    assert [note for note in report.warnings if "skipped, a patch" in note]


@pytest.mark.parametrize("text", ["{{ .Values.name }}", "{% if x %}"])
def test_templates_are_left_out_with_a_note(tmp_path: Path, text: str) -> None:
    report = check(tmp_path, "deployment.yaml", f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {text}\n")
    assert not report.findings
    assert [note for note in report.warnings if "skipped, a template" in note]


def test_carriage_returns_and_byte_order_mark(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbfFROM python:3.12-slim\r\nRUN true \\\r\n  && true\r\nCMD gunicorn shop.wsgi\r\n"
    (finding,) = check(tmp_path, "Dockerfile", content).findings
    assert (finding.code, finding.span.line, finding.span.col) == ("SHD601", 4, 1)
