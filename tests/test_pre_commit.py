"""The pre-commit hooks, run by the real pre-commit on a scratch repository; the hook environment is made once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("pre_commit")

REPOSITORY = Path(__file__).parent.parent
SHIPPED = ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
HANG = 900  # seconds; building the environment downloads packages
MAIN = """import config


def main():
    with open('pid', 'w') as pid:
        pid.write('1')
        config.load()
"""
CONFIG = "import os\n\n\ndef load():\n    if not os.environ.get('APP'):\n        os._exit(3)\n"
HANDLER = "import signal\nimport sys\n\n\ndef stop():{}\n    sys.exit(1)\n\n\nsignal.signal(signal.SIGTERM, stop)\n"

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


class Done(NamedTuple):
    """The outcome of a command."""

    code: int
    out: str


def _run(*command: str, cwd: Path, **environment: str) -> Done:
    keys = (f"GIT_{role}_{key}" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL"))
    identity = dict.fromkeys(keys, "x@example.org")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PYTHONPATH"))}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**inherited, **identity, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=HANG,
        check=False,
    )
    return Done(done.returncode, done.stdout)


def _git(cwd: Path, *args: str) -> str:
    done = _run("git", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false", *args, cwd=cwd)
    assert done.code == 0, done.out
    return done.out


@pytest.fixture(scope="session")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Path]:
    """A repository with what is shipped, its revision, and a home for pre-commit."""
    top = tmp_path_factory.mktemp("hooks")
    probe = _run(
        sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", str(top / "probe"), "hatchling", cwd=top
    )
    if probe.code:
        pytest.skip(f"pip cannot reach a package index, which building the hook needs: {probe.out.strip()[-200:]}")
    repository = top / "shutdown-lint"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "shutdown_lint", repository / "shutdown_lint", ignore=ignored)
    for name in SHIPPED:
        shutil.copy(REPOSITORY / name, repository)
    _git(repository, "init", "-q")
    _git(repository, "add", "-A")
    _git(repository, "commit", "-q", "-m", "release")
    return repository, _git(repository, "rev-parse", "HEAD").strip(), top / "home"


class Scratch(NamedTuple):
    """A repository that uses the hooks."""

    folder: Path
    home: Path

    def write(self, **files: str) -> None:
        """Write and stage modules."""
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(text)
        _git(self.folder, "add", "-A")

    def run(self, hook: str, *args: str) -> Done:
        """Run one hook; on all staged files unless told otherwise."""
        command = (sys.executable, "-m", "pre_commit", "run", hook, *args)
        return _run(*command, cwd=self.folder, PRE_COMMIT_HOME=str(self.home), PRE_COMMIT_COLOR="never")


@pytest.fixture
def scratch(tmp_path: Path, hooks: tuple[Path, str, Path]) -> Scratch:
    """An empty repository whose configuration names all three hooks."""
    repository, revision, home = hooks
    ids = "".join(f"  - id: {name}\n" for name in ("shutdown-lint", "shutdown-lint-fix", "shutdown-lint-project"))
    config = f"repos:\n- repo: {repository}\n  rev: {revision}\n  hooks:\n{ids}"
    (tmp_path / ".pre-commit-config.yaml").write_text(config)
    (tmp_path / "pyproject.toml").write_text('[tool.shutdown-lint]\nextend-exclude = ["vendored"]\n')
    _git(tmp_path, "init", "-q")
    return Scratch(tmp_path, home)


def test_the_manifest_is_valid() -> None:
    done = _run(sys.executable, "-m", "pre_commit", "validate-manifest", ".pre-commit-hooks.yaml", cwd=REPOSITORY)
    assert done == Done(0, "")


def test_the_changed_files_are_checked_with_the_project_in_view(scratch: Scratch) -> None:
    scratch.write(main=MAIN, config=CONFIG, clean="x = 1\n")
    done = scratch.run("shutdown-lint")
    assert done.code == 1 and "config.py:6:9 SHD101" in done.out, done.out
    _git(scratch.folder, "commit", "-q", "-m", "all")
    assert scratch.run("shutdown-lint", "--files", "config.py").code == 1
    for name in ("main.py", "clean.py"):
        done = scratch.run("shutdown-lint", "--files", name)
        assert done.code == 0 and "Passed" in done.out, done.out


def test_files_that_the_configuration_leaves_out_are_not_checked(scratch: Scratch) -> None:
    (scratch.folder / "vendored").mkdir()
    scratch.write(**{"main": MAIN, "vendored/config": CONFIG})
    assert scratch.run("shutdown-lint").code == 0


def test_safe_fixes_are_made_and_then_the_hook_passes(scratch: Scratch) -> None:
    scratch.write(service=HANDLER.format(""))
    done = scratch.run("shutdown-lint-fix")
    assert done.code == 1 and "files were modified by this hook" in done.out, done.out
    fixed = HANDLER.format("").replace("stop()", "stop(signum=None, frame=None)", 1)
    assert (scratch.folder / "service.py").read_text() == fixed
    _git(scratch.folder, "add", "-A")
    done = scratch.run("shutdown-lint-fix")
    assert done.code == 0 and (scratch.folder / "service.py").read_text() == fixed, done.out


def test_a_change_in_one_file_shows_its_finding_in_another(scratch: Scratch) -> None:
    scratch.write(main="x = 1\n", config=CONFIG)
    assert scratch.run("shutdown-lint-project").code == 0
    _git(scratch.folder, "commit", "-q", "-m", "all")
    scratch.write(main=MAIN)
    assert scratch.run("shutdown-lint").code == 0
    done = scratch.run("shutdown-lint-project")
    assert done.code == 1 and "config.py:6:9 SHD101" in done.out, done.out


def test_the_project_hook_runs_on_deployment_files_and_not_on_others(scratch: Scratch) -> None:
    scratch.write(main="x = 1\n")
    _git(scratch.folder, "commit", "-q", "-m", "all")
    (scratch.folder / "Dockerfile").write_text("FROM python:3.11\n")
    (scratch.folder / "notes.md").write_text("notes\n")
    _git(scratch.folder, "add", "-A")
    assert "Passed" in scratch.run("shutdown-lint-project", "--files", "Dockerfile").out
    assert "Skipped" in scratch.run("shutdown-lint-project", "--files", "notes.md").out
