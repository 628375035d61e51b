"""The flake8 plugin inside the real flake8, in processes of their own."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import tomli

from shutdown_lint import flake8_plugin, flake8_shared
from shutdown_lint.settings import Settings

pytest.importorskip("flake8")

REPOSITORY = Path(__file__).parent.parent
HANG = 120  # seconds
MAIN = """from app.config import load


def main():
    with open('pid', 'w') as pid:
        pid.write('1')
        load()
"""
FINALLY = "def main():\n    try:\n        run()\n    finally:\n        return\n"
CONFIG = "import os\n\n\ndef load():\n    if not os.environ.get('APP'):\n        os._exit(3)\n"
SITE_EXIT = "def main():\n    exit(1)\n"
# Logs each run of the engine, and chooses how worker processes are started.
SITE_CUSTOMIZE = """
import multiprocessing, os
import shutdown_lint.engine as engine
original = engine.check
def check(*args, **options):
    with open(os.environ["ENGINE_LOG"], "a") as log:
        log.write(multiprocessing.current_process().name + "\\n")
    return original(*args, **options)
engine.check = check
if os.environ.get("START_METHOD"):
    multiprocessing.set_start_method(os.environ["START_METHOD"], force=True)
"""

Flake8 = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A package whose hazard is seen only across its files."""
    root = tmp_path / "project"
    (root / "app").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[project.scripts]\napp = 'app.main:main'\n")
    for name, text in {"__init__": "", "main": MAIN, "config": CONFIG, "tool": SITE_EXIT}.items():
        (root / "app" / f"{name}.py").write_text(text)
    return root


@pytest.fixture
def flake8(tmp_path: Path, project: Path) -> Flake8:
    """Runs flake8 in the project with the plugin as its entry point declares it, and a temporary folder of its own."""
    site, temporary = tmp_path / "site", tmp_path / "tmp"
    info = site / "shutdown_lint-0.dist-info"
    info.mkdir(parents=True)
    temporary.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shutdown-lint\nVersion: 0\n")
    declared = tomli.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    lines = "".join(f"{name} = {target}\n" for name, target in declared["flake8.extension"].items())
    (info / "entry_points.txt").write_text(f"[flake8.extension]\n{lines}")
    (site / "sitecustomize.py").write_text(SITE_CUSTOMIZE)

    def run(*args: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        env = {
            **os.environ,
            "PYTHONPATH": f"{site}{os.pathsep}{REPOSITORY}",
            "TMPDIR": str(temporary),
            "ENGINE_LOG": str(tmp_path / "engine.log"),
            **environment,
        }
        return subprocess.run(
            [sys.executable, "-m", "flake8", *args],
            cwd=project,
            env=env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=HANG,
            check=False,
        )

    return run


def _codes(done: subprocess.CompletedProcess[str]) -> list[tuple[str, str]]:
    """(place, code) of each line of output."""
    assert "Traceback" not in done.stderr, done.stderr
    rows = (line.split(": ", 1) for line in done.stdout.splitlines())
    return sorted((place.removeprefix("./"), text.split()[0]) for place, text in rows)


FOUND = [("app/config.py:6:9", "SHD101")]


@pytest.mark.parametrize("jobs", ["1", "2"])
# Short names: the folder is the forkserver's TMPDIR too, and the path of its socket is bounded (unix(7): 108 bytes).
@pytest.mark.parametrize("method", ["", "spawn", "forkserver"], ids=["", "spawn", "fs"])
def test_computed_once(flake8: Flake8, tmp_path: Path, jobs: str, method: str) -> None:
    done = flake8("--select", "SHD", f"-j{jobs}", ".", START_METHOD=method)
    assert _codes(done) == FOUND and done.returncode == 1
    assert "; lost: " in done.stdout and "(app/main.py:5)" in done.stdout
    workers = (tmp_path / "engine.log").read_text().split()
    assert len(workers) == 1 and ("Pool" in workers[0]) == (jobs == "2")
    assert os.listdir(tmp_path / "tmp") == []


def test_only_the_files_that_are_named_are_reported(flake8: Flake8) -> None:
    assert _codes(flake8("--select", "SHD", "app/main.py")) == []
    assert _codes(flake8("--select", "SHD", "app/config.py", "app/main.py", "-j2")) == FOUND


def test_strict_rules_need_our_configuration(flake8: Flake8, project: Path) -> None:
    assert _codes(flake8("--select", "SHD108,SHD", "app/tool.py")) == []
    (project / "shutdown-lint.toml").write_text('extend-select = ["SHD108"]\n')
    assert _codes(flake8("--select", "SHD", ".")) == [*FOUND, ("app/tool.py:2:5", "SHD108")]
    assert _codes(flake8("--ignore", "SHD1", "--select", "SHD", ".")) == []


def test_a_configuration_file_can_be_named(flake8: Flake8, project: Path, tmp_path: Path) -> None:
    named = tmp_path / "other.toml"
    named.write_text('select = ["site-exit"]\n')
    expected = [("app/tool.py:2:5", "SHD108")]
    assert _codes(flake8("--select", "SHD", "--shutdown-config", str(named), "app")) == expected
    (project / ".flake8").write_text("[flake8]\nselect = SHD\nshutdown-config = ../other.toml\n")
    assert _codes(flake8("app")) == expected


def test_what_the_configuration_leaves_out_is_left_out(flake8: Flake8, project: Path) -> None:
    (project / "shutdown-lint.toml").write_text('extend-exclude = ["app/config.py"]\n')
    assert _codes(flake8("--select", "SHD", ".")) == []
    assert _codes(flake8("--select", "SHD", "app/config.py")) == []


def test_a_wrong_configuration_is_told_before_any_file_is_checked(flake8: Flake8, project: Path) -> None:
    (project / "shutdown-lint.toml").write_text('extend-select = ["SHD999"]\nselekt = []\n')
    done = flake8("--select", "SHD", ".")
    assert done.returncode == 1 and "Traceback" not in done.stdout + done.stderr
    assert "SHD999" in done.stdout and "did you mean `select`?" in done.stdout


def test_noqa(flake8: Flake8, project: Path) -> None:
    ours = "# shutdown-lint: ignore[finally-swallows-exit] why"
    for number, comment in enumerate(("# noqa", "# noqa: SHD107", "# noqa: E501,SHD107", ours, "# noqa: E501")):
        (project / "app" / f"case{number}.py").write_text(FINALLY.replace("return", f"return  {comment}"))
    (project / "app" / "whole.py").write_text(f"# flake8: noqa\n{FINALLY}")
    assert _codes(flake8("--select", "SHD", ".")) == [("app/case4.py:5:9", "SHD107"), *FOUND]


def test_stdin_is_analysed_in_its_project(flake8: Flake8, project: Path) -> None:
    (project / "app" / "config.py").write_text("def load():\n    pass\n")
    name = ("--stdin-display-name", "app/config.py")
    assert _codes(flake8("--select", "SHD", *name, "-", stdin=CONFIG)) == FOUND
    assert _codes(flake8("--select", "SHD", "-", stdin=FINALLY)) == [("stdin:5:9", "SHD107")]


def test_troubles_that_flake8_tells_itself_are_not_told_twice(flake8: Flake8, project: Path) -> None:
    (project / "app" / "broken.py").write_text("def f(:\n")
    (project / "app" / "latin.py").write_bytes(b"x = '\xe9'\n")
    (project / "app" / "gone.py").symlink_to("nowhere.py")
    found = _codes(flake8("--select", "E9,SHD", "."))
    assert [(place.split(":")[0], code) for place, code in found] == [
        ("app/broken.py", "E999"),
        ("app/config.py", "SHD101"),
        ("app/gone.py", "E902"),
        ("app/latin.py", "SHD902"),
    ]


def test_other_spellings_of_a_text_are_told_alike(flake8: Flake8, project: Path, tmp_path: Path) -> None:
    """Line ends, byte order mark and encoding do not make flake8's text look changed."""
    data = f"# coding: latin-1\nNAME = 'é'\n{CONFIG}".replace("\n", "\r\n").encode("latin-1")
    (project / "app" / "config.py").write_bytes(data)
    (project / "app" / "main.py").write_bytes(b"\xef\xbb\xbf" + MAIN.encode())
    assert _codes(flake8("--select", "SHD", ".", "-j2")) == [("app/config.py:8:9", "SHD101")]
    assert len((tmp_path / "engine.log").read_text().split()) == 1


def test_a_second_run_in_the_same_process_looks_again(flake8: Flake8, project: Path, tmp_path: Path) -> None:
    script = project / "twice.py"
    script.write_text(
        "from flake8.api import legacy\n"
        "def run(): return legacy.get_style_guide(select=['SHD']).check_files(['app']).total_errors\n"
        "if __name__ == '__main__':\n"
        "    first = run()\n"
        "    open('app/main.py', 'w').close()\n"  # with nothing at stake any more
        "    print(first, run())\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": f"{tmp_path / 'site'}{os.pathsep}{REPOSITORY}",
        "ENGINE_LOG": os.devnull,
        "TMPDIR": str(tmp_path / "tmp"),
    }
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["1 0"], done.stdout + done.stderr
    assert os.listdir(tmp_path / "tmp") == []


# --- the parts -------------------------------------------------------------------------------------------------------


def _scope(root: Path, folder: Path | None = None) -> flake8_shared.Scope:
    flake8_shared.forget()
    return flake8_shared.Scope((str(root),), Settings(root=str(root), jobs=1), str(folder) if folder else "")


def test_a_text_that_is_not_the_one_on_disk_is_analysed(project: Path) -> None:
    scope, path = _scope(project), str(project / "app" / "config.py")
    assert [row.line for row in flake8_shared.rows_for(scope, path, CONFIG)] == [6]
    assert [row.line for row in flake8_shared.rows_for(scope, path, f"\n{CONFIG}")] == [7]


def test_a_file_that_our_configuration_leaves_out_has_no_findings(project: Path) -> None:
    path, scope = str(project / "app" / "config.py"), _scope(project)
    assert len(flake8_shared.rows_for(scope, path, CONFIG)) == 1
    scope = scope._replace(settings=scope.settings._replace(extend_exclude=("config.py",)))
    assert flake8_shared.rows_for(scope, path, CONFIG) == []


def test_a_file_that_is_named_later_is_analysed_by_itself(project: Path, tmp_path: Path) -> None:
    scope = _scope(project / "app")
    assert len(flake8_shared.rows_for(scope, str(project / "app2.py"), FINALLY)) == 1


def test_results_are_shared_through_a_private_folder(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    scope, path = _scope(project, folder), str(project / "app" / "config.py")
    first = flake8_shared.rows_for(scope, path, CONFIG)
    assert folder.stat().st_mode & 0o077 == 0 and sorted(os.listdir(folder)) == ["findings.json", "lock"]
    text = (folder / "findings.json").read_text()
    (folder / "findings.json").write_text(text.replace("SHD101", "SHD777"))
    flake8_shared.forget()
    assert [row.text[:6] for row in flake8_shared.rows_for(scope, path, CONFIG)] == ["SHD777"]
    for damaged in ("", "[]", '{"fingerprints": {}, "rows": {"a": [1]}}', '{"rows": {}}'):
        (folder / "findings.json").write_text(damaged)
        flake8_shared.forget()
        assert flake8_shared.rows_for(scope, path, CONFIG) == first, damaged


@pytest.mark.skipif(sys.platform == "win32", reason="no modes")
def test_a_folder_that_others_could_write_to_is_not_used(project: Path, tmp_path: Path) -> None:
    folder, path = tmp_path / "shared", str(project / "app" / "config.py")
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "findings.json").write_text('{"fingerprints": {}, "rows": {}}')
    assert len(flake8_shared.rows_for(_scope(project, folder), path, CONFIG)) == 1
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    with pytest.raises(PermissionError):
        flake8_shared.make_private(str(link))


def test_an_internal_error_is_a_finding_and_not_the_end_of_flake8(
    monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("x")

    monkeypatch.setattr(flake8_shared, "rows_for", fail)
    monkeypatch.setattr(flake8_plugin.Plugin, "scope", _scope(project), raising=False)
    (row,) = flake8_plugin.Plugin(ast.parse(""), [""], "a.py").run()
    assert row[:2] == (1, 0) and row[2].startswith("SHD904 ") and "ZeroDivisionError" in row[2]
