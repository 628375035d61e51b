"""docs/odd-input.md: every line of the table has tests that there are, and what no other file tests of it."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from bad_contents import CASES
from command import BAD, COMMAND, LIMIT, make_project, run
from odd_input import ROWS

ROOT = Path(__file__).parent.parent


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_project(tmp_path, monkeypatch)


def test_every_line_has_its_tests() -> None:
    texts = {path.name: path.read_text("utf-8") for path in ROOT.glob("tests/test_*.py")}
    known = set(re.findall(r"^def (test_\w+)", "\n".join(texts.values()), re.MULTILINE))
    named = [test for rows in ROWS.values() for row in rows for test in row.tests]
    assert [test for test in named if test.partition("[")[0] not in known] == []
    contents = {test[len("test_content[") : -1] for test in named if test.startswith("test_content[")}
    assert contents <= CASES.keys()
    assert all(row.tests for rows in ROWS.values() for row in rows)


def test_the_page_is_what_the_table_says() -> None:
    done = subprocess.run([sys.executable, "scripts/odd_input.py", "--check"], cwd=ROOT, check=False, timeout=LIMIT)
    assert done.returncode == 0


# --- lines that no other file tests ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "x = t'hello {name!r:>{w}}'\n",
        "try:\n    f()\nexcept A, B:\n    pass\n",
        "lazy import json\nlazy from a import b\n",
    ],
)
def test_syntax_of_the_future_is_read_or_told(project: Path, text: str) -> None:
    for content in (text, f"import signal\n{text}"):
        (project / "a.py").write_text(content)
        done = run("a.py")
        assert done.returncode == 0 or (done.returncode == 2 and b"SHD900" in done.stdout), done.stdout
        assert b"Traceback" not in done.stderr


def test_notebooks_are_left_out_and_told_when_named(project: Path) -> None:
    (project / "a.ipynb").write_text('{"cells": []}')
    assert b"ipynb" not in run(".").stdout
    done = run("a.ipynb", "bad.py")
    assert done.returncode == 2
    assert b"a.ipynb:1:1 SHD901 [error] notebooks are not supported" in done.stdout and b"SHD107" in done.stdout


def test_stubs_are_never_reported_on(project: Path) -> None:
    (project / "a.pyi").write_text(BAD)
    assert run("a.pyi").returncode == 0


def test_nothing_to_check_is_a_warning(project: Path) -> None:
    (project / "empty").mkdir()
    done = run("empty")
    assert (done.returncode, done.stderr) == (0, b"shutdown-lint: no Python or deployment files found\n")


def test_malformed_comments_are_told_and_hide_nothing(project: Path) -> None:
    (project / "bad.py").write_text(BAD.replace("return 1", "return 1  # shutdown-lint: ignore[SHD1"))
    done = run("bad.py")
    assert done.returncode == 1 and b"SHD107" in done.stdout and b"SHD912" in done.stdout


def test_long_comments_are_read_in_linear_time(project: Path) -> None:
    for comment in ("# noqa: " + "A1," * 300_000 + "!", "#" + " " * 900_000 + "noqa", "# noqa " * 150_000):
        (project / "bad.py").write_text(f"{comment}\n{BAD}")
        assert run("bad.py", "--output-format", "concise").returncode == 1


def test_a_circle_is_told_with_its_files(project: Path) -> None:
    for name, other in (("pyproject.toml", "a.toml"), ("a.toml", "b.toml"), ("b.toml", "a.toml")):
        table = "[tool.shutdown-lint]\n" if name == "pyproject.toml" else ""
        (project / name).write_text(f"{table}extend = '{other}'\n")
    done = run("bad.py")
    chain = " → ".join(str(project / name) for name in ("pyproject.toml", "a.toml", "b.toml", "a.toml"))
    assert done.returncode == 2 and f"circular: {chain}".encode() in done.stderr
    (project / "a.toml").write_text("extend = 'none.toml'\n")
    done = run("bad.py")
    assert done.returncode == 2 and b"none.toml: cannot be read: no such file" in done.stderr


def test_models_with_mistakes_are_told(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.shutdown-lint]\nmodels.files = ['m.toml']\n")
    (project / "m.toml").write_text('[[call]]\nname = 1\n[[nothing]]\nx = "\\u001b[2J"\n')
    done = run("bad.py")
    assert done.returncode == 2 and done.stderr.count(b"m.toml") >= 2 and b"\x1b" not in done.stderr


@pytest.mark.parametrize("kind", ["file", "link", "read-only"])
def test_a_folder_that_cannot_be_used_is_told_once(project: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.delenv("SHUTDOWN_LINT_CACHE_DIR")
    place = project / ".shutdown_lint_cache"
    if kind == "file":
        place.write_text("")
    elif kind == "link":
        place.symlink_to(project)
    else:
        if os.geteuid() == 0:
            pytest.skip("root may write everywhere")
        place.mkdir(mode=0o555)
    done = run("bad.py")
    assert done.returncode == 1 and b"SHD107" in done.stdout
    assert done.stderr.count(b"\n") == 1 and b"nothing is remembered of this run" in done.stderr
    assert run("bad.py", "--quiet").stderr == run("bad.py", "--no-cache").stderr == b""


def limited(project: Path, kind: int, limit: int, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """A run that may have no more of something."""
    for number in range(40):
        (project / f"m{number}.py").write_text(BAD * 300)
    return subprocess.run(
        [*COMMAND, ".", "--jobs", "2", "--output-format", "concise", *arguments],
        capture_output=True,
        timeout=LIMIT,
        check=False,
        preexec_fn=lambda: resource.setrlimit(kind, (limit, limit)),
    )


def test_few_descriptors_change_nothing(project: Path) -> None:
    few, many = limited(project, resource.RLIMIT_NOFILE, 16), limited(project, resource.RLIMIT_NOFILE, 256)
    assert (few.returncode, few.stdout, few.stderr) == (many.returncode, many.stdout, many.stderr)
    assert few.returncode == 1


@pytest.mark.parametrize("megabytes", [40, 70, 100, 200])
def test_little_memory_is_told(project: Path, megabytes: int) -> None:
    done = limited(project, resource.RLIMIT_AS, megabytes << 20)
    assert done.returncode in (1, 2)
    if done.returncode == 2:
        assert done.stderr or b"SHD90" in done.stdout
    assert done.stdout.count(b"Traceback") == 0


def test_no_shared_memory_is_used(project: Path) -> None:
    for number in range(40):
        (project / f"m{number}.py").write_text(BAD * 300)
    program = (
        "import sys\nfrom shutdown_lint.cli import main\n"
        "code = main(['.', '--jobs', '2', '--select', 'ALL', '-q'])\n"
        "print([name for name in ('multiprocessing', '_posixshmem', '_multiprocessing') if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=LIMIT, check=True)
    assert done.stderr == b"[]\n"
