"""What CI services are given: the action, the image, and the snippets of docs/ci.md."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pathspec
import pytest
import tomli
import yaml

import shutdown_lint

ROOT = Path(__file__).parent.parent
SNIPPETS = sorted((ROOT / "docs/ci").iterdir())
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
INSTALL, CHECK = ACTION["runs"]["steps"]
DOCKERFILE = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text("utf-8"))
HAZARD = 'import os\nwith open("x", "w") as out:\n    out.write("x")\n    os._exit(1)\n'


def mappings(value: Any) -> list[dict[str, Any]]:
    """All mappings in a document."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value] * isinstance(value, dict) + [found for item in inner for found in mappings(item)]


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda path: path.name)
def test_snippets_name_what_exists(snippet: Path) -> None:
    found = mappings(yaml.safe_load(snippet.read_text("utf-8")))
    ours = [step for step in found if "/shutdown-lint@" in str(step.get("uses"))]
    for step in ours:
        assert step["uses"].endswith(f"@v{shutdown_lint.__version__}")
        assert set(step["with"]) <= set(ACTION["inputs"])
    repos = [repo for repo in found if "/shutdown-lint" in str(repo.get("repo"))]
    known = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    for repo in repos:
        assert repo["rev"] == f"v{shutdown_lint.__version__}"
        assert {hook["id"] for hook in repo["hooks"]} <= known
    lines = [line for item in found for line in [item.get("run"), *(item.get("script") or [])] if line]
    assert ours or repos or any(line.startswith("shutdown-lint ") for line in lines)


def test_each_snippet_is_on_the_page() -> None:
    page = (ROOT / "docs/ci.md").read_text("utf-8")
    assert [snippet.name for snippet in SNIPPETS if f"<!-- include: ci/{snippet.name} -->" not in page] == []
    assert set(re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)) == set(ACTION["inputs"])


def run_check(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """The step of the action as a runner starts it, with the command as it is here in place of an installed one."""
    command = folder / "runner/shutdown-lint/bin/shutdown-lint"
    command.parent.mkdir(parents=True, exist_ok=True)
    command.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {sys.executable} -m shutdown_lint "$@"\n')
    command.chmod(0o755)
    given = {name: spec["default"] for name, spec in ACTION["inputs"].items()} | inputs
    expression = re.compile(r"\$\{\{ inputs\.([\w-]+) \}\}")
    env = {name: expression.sub(lambda m: given[m[1]], value) for name, value in CHECK["env"].items()}
    env |= {"RUNNER_TEMP": str(folder / "runner"), "GITHUB_STEP_SUMMARY": str(folder / "runner/summary.md")}
    bash = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", CHECK["run"]]
    return subprocess.run(bash, cwd=folder, env=os.environ | env, capture_output=True, text=True, check=False)


def test_the_action_reports_findings(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/app.py").write_text(HAZARD)
    done = run_check(tmp_path, paths="src missing", **{"sarif-file": "out.sarif"})
    assert done.returncode == 2, "a path that does not exist"
    done = run_check(tmp_path, paths="src", **{"sarif-file": "out.sarif"})
    assert done.returncode == 1, done.stderr
    assert "::error title=shutdown-lint SHD101" in done.stdout
    assert json.loads((tmp_path / "out.sarif").read_text())["runs"][0]["results"]
    assert "SHD101" in (tmp_path / "runner/summary.md").read_text()
    assert run_check(tmp_path, paths="src", args="--exit-zero --no-cache").returncode == 0


def test_the_action_runs_nothing_that_its_inputs_hold(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("print()\n")
    assert run_check(tmp_path, paths="app.py").returncode == 0
    run_check(tmp_path, paths="$(touch one) `touch two` ; touch three", args="$(touch four)", summary="; touch five")
    assert {path.name for path in tmp_path.iterdir()} <= {"app.py", "runner", ".shutdown_lint_cache"}
    assert all("${{" not in step["run"] for step in (INSTALL, CHECK))
    assert subprocess.run(["bash", "-n", "-c", INSTALL["run"]], check=False).returncode == 0


def test_the_image_holds_what_building_the_package_needs(tmp_path: Path) -> None:
    ignored = pathspec.GitIgnoreSpec.from_lines((ROOT / ".dockerignore").read_text().splitlines())
    for source, target in re.findall(r"^COPY (?!--from)(.+) (\S+)$", DOCKERFILE, re.MULTILINE):
        for name in source.split():
            assert not ignored.match_file(name)
            place = tmp_path / target.removeprefix("/")
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                place.mkdir(exist_ok=True)
                shutil.copy(ROOT / name, place)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    done = subprocess.run(build, cwd=tmp_path / "src", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("src/dist/*.whl"))


def test_the_image_starts_the_command() -> None:
    scripts = tomli.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    (entry,) = re.findall(r"^ENTRYPOINT (.+)$", DOCKERFILE, re.MULTILINE)
    assert json.loads(entry)[0] in scripts
    assert re.search(r"^USER 65534", DOCKERFILE, re.MULTILINE)
