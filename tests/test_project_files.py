"""The files around the package: packaging, locks, scripts, README, examples."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import tomli

import shutdown_lint
from shutdown_lint import engine
from shutdown_lint.rules import registry
from shutdown_lint.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT: dict[str, Any] = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LIMIT = 300  # seconds: a hang, not a slow machine


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return found[0].lower().replace("_", "-")


def call(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False, **options)


# --- packaging -------------------------------------------------------------------------------------------------------


def test_the_wheel_holds_what_the_package_needs(tmp_path: Path) -> None:
    done = call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.startswith(f"shutdown_lint-{shutdown_lint.__version__}-")
    names = set(zipfile.ZipFile(wheel).namelist())
    files = (path for pattern in ("*.py", "*.toml", "py.typed") for path in (ROOT / "shutdown_lint").rglob(pattern))
    assert {path.relative_to(ROOT).as_posix() for path in files} <= names
    metadata = f"shutdown_lint-{shutdown_lint.__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {"shutdown_lint", metadata}


def test_the_version_stands_in_one_place() -> None:
    assert PYPROJECT["project"]["dynamic"] == ["version"]
    versions = re.findall(r"^## \[(.+?)\]", text_of("CHANGELOG.md"), re.MULTILINE)
    assert versions[0] in ("Unreleased", shutdown_lint.__version__)


def test_entry_points_exist() -> None:
    project = PYPROJECT["project"]
    plugins = project["entry-points"]["flake8.extension"]
    for target in (*project["scripts"].values(), *plugins.values()):
        module, _, attribute = target.partition(":")
        program = f"import {module}; {module}.{attribute}"
        assert call(sys.executable, "-c", program).returncode == 0, target
    assert all(re.fullmatch(r"[A-Z]{3}", prefix) for prefix in plugins), "flake8 takes three letters at most"


def test_everything_imported_is_declared() -> None:
    project = PYPROJECT["project"]
    extras = [name for names in project["optional-dependencies"].values() for name in names]
    declared = {name_of(requirement) for requirement in [*project["dependencies"], *extras]}
    pattern = re.compile(r"^\s*(?:import|from)\s+([a-z0-9_]+)", re.MULTILINE)
    files = (ROOT / "shutdown_lint").rglob("*.py")
    code = (re.sub(r'(?s)""".*?"""', "", path.read_text(encoding="utf-8")) for path in files)
    imported = {name for text in code for name in pattern.findall(text)}
    names = {"pyyaml" if name == "yaml" else name for name in imported}
    assert names - set(sys.stdlib_module_names) - {"shutdown_lint"} <= declared


# --- locks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dev.txt", "demo.txt"])
def test_locked_requirements_have_hashes_and_name_no_host(name: str) -> None:
    lock = text_of(f"requirements/{name}")
    entries = re.findall(r"^[a-z0-9][^\\]*\\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", lock, re.MULTILINE)
    assert entries and len(entries) == len(re.findall(r"^[a-z0-9]", lock, re.MULTILINE))
    assert not re.search(r"://|--(extra-)?index|--find-links|-i ", lock)


def test_everything_needed_is_locked() -> None:
    locked = {name_of(line) for line in text_of("requirements/dev.txt").splitlines() if re.match("[a-z0-9]", line)}
    asked = {name_of(line) for line in text_of("requirements/dev.in").splitlines() if line and line[0] != "#"}
    assert asked <= locked
    assert {name_of(requirement) for requirement in PYPROJECT["project"]["dependencies"]} <= asked
    assert {name_of(requirement) for requirement in PYPROJECT["build-system"]["requires"]} <= asked


# --- scripts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dev", ".ci/run"])
def test_scripts_can_be_run(name: str) -> None:
    path = ROOT / name
    assert path.stat().st_mode & 0o111 == 0o111
    shell = text_of(name).partition("\n")[0].rpartition("/")[2].split()[-1]
    assert call(shell, "-n", str(path)).returncode == 0


@pytest.mark.skipif(shutil.which("dash") is None, reason="needs dash, the strictest shell at hand")
def test_dev_is_a_posix_script() -> None:
    assert call("dash", "-n", str(ROOT / "dev")).returncode == 0
    assert call("dash", str(ROOT / "dev"), "help").stdout.startswith("usage: ./dev")
    assert call("dash", str(ROOT / "dev"), "nonsense").returncode == 2


def test_dev_tells_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    shutil.copy(ROOT / "dev", tmp_path / "dev")
    shutil.copy(ROOT / "requirements/dev.txt", tmp_path / "requirements/dev.txt")
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("dirname", "cat", "cksum", "tr", "rm"):
        (tools / tool).symlink_to(shutil.which(tool) or "")
    dev = partial(subprocess.run, ["/bin/sh", "dev", "test"], cwd=tmp_path, env={"PATH": str(tools)}, check=False)
    done = dev(capture_output=True)
    assert (done.returncode, b"Python 3.10 or newer is missing" in done.stderr) == (2, True)
    (tools / "python3").write_text('#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\n')
    (tools / "python3").chmod(0o755)
    done = dev(capture_output=True)
    assert (done.returncode, b"apt-get install python3-venv" in done.stderr) == (2, True)


# --- README and docs -------------------------------------------------------------------------------------------------


def test_the_readme_shows_real_output() -> None:
    done = call(sys.executable, "scripts/readme.py", "--check")
    assert done.returncode == 0, f"{done.stdout}{done.stderr} (python scripts/readme.py writes it)"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_and_commands_lead_somewhere(name: str) -> None:
    text = text_of(name)
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    missing = {link for link in links if not (ROOT / link).exists()}
    assert missing == set()
    tasks = set(re.findall(r"\./dev (\w+)", text))
    assert tasks <= set(re.findall(r"^    (\w+)\)", text_of("dev"), re.MULTILINE))


@pytest.mark.parametrize("name", ["README.md", "docs/configuration.md"])
def test_selectors_in_configuration_examples_name_rules(name: str) -> None:
    from shutdown_lint import config

    for block in re.findall(r"```toml\n(.*?)```", text_of(name), re.DOTALL):
        assert config.check(tomli.loads(block)["tool"]["shutdown-lint"], name)


def test_no_file_names_a_place_on_the_authors_machine() -> None:
    listed = call("git", "ls-files", "-co", "--exclude-standard")
    if listed.returncode:
        pytest.skip("not a git checkout")
    pattern = re.compile(r"/(home|Users)/\w+/|/work" r"/(main|shared)|/tmp" r"/(corpus|prompts)")
    files = [ROOT / name for name in listed.stdout.splitlines()]
    texts = ((path, path.read_bytes().decode("utf-8", "replace")) for path in files if path.is_file())
    assert [str(path) for path, text in texts if pattern.search(text)] == []


# --- examples --------------------------------------------------------------------------------------------------------


def test_the_example_service_has_hazards_across_files() -> None:
    report = engine.check([str(ROOT / "examples/worker")], Settings(root=str(ROOT / "examples/worker")))
    codes = {finding.code for finding in report.findings}
    assert codes >= {"SHD101", "SHD104", "SHD202"}
    assert not codes & registry.TROUBLES
    across = [f for f in report.findings if any(step.path != f.path for step in (*f.lost, *f.trace))]
    assert len({f.code for f in across}) >= 1 and all(f.help for f in report.findings)
