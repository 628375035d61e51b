"""``init`` and ``completion``: what a newcomer runs first."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml
from command import BAD

from shutdown_lint import config
from shutdown_lint.cli import main
from shutdown_lint.cli.completion import COMMANDS
from shutdown_lint.cli.init import with_hook
from shutdown_lint.options import OPTIONS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bad.py").write_text(BAD)
    (tmp_path / ".git").mkdir()  # nothing above counts
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- init ------------------------------------------------------------------------------------------------------------


def test_a_new_project_gets_both_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "shutdown-lint.toml: written",
        ".pre-commit-config.yaml: written; `pre-commit install` turns it on",
    ]
    config.read("shutdown-lint.toml")
    (repo,) = yaml.safe_load((folder / ".pre-commit-config.yaml").read_text())["repos"]
    assert repo["hooks"][0]["entry"] == "shutdown-lint check --force-exclude"
    assert main(["bad.py"]) == 1
    before = [path.read_text() for path in sorted(folder.glob("*.[tpy]*"))]
    assert main(["init"]) == 0
    assert "already" in capsys.readouterr().out
    assert [path.read_text() for path in sorted(folder.glob("*.[tpy]*"))] == before


def test_a_pyproject_gets_a_section(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'  # mine\n\n[tool.ruff]\nline-length = 99")
    assert main(["init"]) == 0
    text = (folder / "pyproject.toml").read_text()
    assert text.startswith("[project]\nname = 'x'  # mine\n\n[tool.ruff]\nline-length = 99\n\n[tool.shutdown-lint]\n")
    assert config.find(["."]).path.endswith("pyproject.toml")
    assert not (folder / "shutdown-lint.toml").exists()


@pytest.mark.parametrize("before", ["", "[tool.shutdown-lint]\nignore = ['SHD103']\n", "[project]\nname = 'x'\n"])
def test_a_baseline_makes_the_first_check_clean(folder: Path, before: str) -> None:
    if before:
        (folder / "pyproject.toml").write_text(before)
    assert main(["init", "--baseline"]) == 0
    assert main(["."]) == 0
    assert main([".", "--baseline", ""]) == 1
    assert config.find(["."]).values.get("ignore") == (["SHD103"] if "ignore" in before else None)


def test_a_dry_run_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--baseline", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "--- shutdown-lint.toml" in out and "--- .pre-commit-config.yaml\nrepos:\n- repo: local" in out
    assert sorted(path.name for path in folder.iterdir()) == [".git", "bad.py"]


@pytest.mark.parametrize("arguments", [["--force"], ["one", "two"], ["missing"]])
def test_wrong_usage_of_init(folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(["init", *arguments]) == 2
    assert "usage: shutdown-lint init" in capsys.readouterr().err


HOOKS = """\
default_stages: [pre-commit]
repos:
  # formatting
  - repo: https://example.org/black
    rev: "1"
    hooks:
      - id: black
        args: [--check]

  - repo: local
    hooks:
      - id: own  # ours
        name: own
        entry: own
        language: system
"""


@pytest.mark.parametrize(
    "text",
    [
        HOOKS,
        HOOKS + "\nci:\n  autofix_prs: false\n",
        HOOKS.replace("\n  ", "\n"),
        HOOKS.rstrip("\n"),
        "repos:  # all\n- repo: meta\n  hooks:\n  - id: identity\n",
        "---\nrepos:\n- repo: meta\n  hooks:\n  - id: identity\n\n\nexclude: x\n",
    ],
)
def test_a_hook_is_added_to_those_that_are_there(text: str) -> None:
    before, after = yaml.safe_load(text), yaml.safe_load(with_hook(text))
    assert after["repos"][:-1] == before["repos"]
    assert after["repos"][-1]["hooks"][0]["id"] == "shutdown-lint"
    assert {**after, "repos": None} == {**before, "repos": None}
    assert all(line in with_hook(text).splitlines() for line in text.splitlines())


@pytest.mark.parametrize("text", ["", "repos: []\n", "repos: [{repo: meta, hooks: [{id: identity}]}]\n", "x: 1\n"])
def test_what_is_not_understood_is_left(folder: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert with_hook(text) == ""
    (folder / ".pre-commit-config.yaml").write_text(text)
    assert main(["init"]) == 0
    assert "add by hand:\n\n- repo: local" in capsys.readouterr().out
    assert (folder / ".pre-commit-config.yaml").read_text() == text


# --- completion ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_name_every_flag_and_are_valid(shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    flags = [option.flag.lstrip("-") for option in OPTIONS if option.flag]
    assert all(word in script for word in (*flags, *COMMANDS, "SHD101", "exit-skips-cleanup"))
    if shutil.which(shell):
        (tmp_path / "script").write_text(script)
        done = subprocess.run([shell, "-n", str(tmp_path / "script")], capture_output=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, b"")


def completed(shell: str, folder: Path, line: str) -> set[str]:
    """What the shell offers at the end of the line."""
    words = line.split(" ")
    if shell == "bash":
        array = " ".join(f"'{word}'" for word in words)
        code = f"source ./script; COMP_WORDS=({array}); COMP_CWORD={len(words) - 1}; _shutdown_lint; "
        code += 'printf "%s\\n" "${COMPREPLY[@]}"'
    else:
        code = f"source ./script; complete -C '{line}'"
    done = subprocess.run([shell, "-c", code], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return {row.partition("\t")[0] for row in done.stdout.split("\n") if row}


@pytest.mark.parametrize("shell", ["bash", "fish"])
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("shutdown-lint base", {"baseline"}),
        ("shutdown-lint baseline u", {"update"}),
        ("shutdown-lint check --output-format s", {"sarif"}),
        ("shutdown-lint check --select exit-sk", {"exit-skips-cleanup"}),
        ("shutdown-lint rule SHD101", {"SHD101"}),
        ("shutdown-lint check --fail", {"--fail-on"}),
        ("shutdown-lint check ba", {"bad.py"}),
    ],
)
def test_shells_complete(
    folder: Path, capsys: pytest.CaptureFixture[str], shell: str, line: str, offered: set[str]
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    assert main(["completion", shell]) == 0
    (folder / "script").write_text(capsys.readouterr().out)
    assert completed(shell, folder, line) == offered


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("base", "baseline"),
        ("baseline u", "baseline update"),
        ("check --output-format s", "check --output-format sarif"),
        ("check --select exit-sk", "check --select exit-skips-cleanup"),
        ("rule exit-in-t", "rule exit-in-thread"),
        ("check --fail", "check --fail-on"),
        ("check ba", "check bad.py"),
    ],
)
def test_zsh_completes(folder: Path, capsys: pytest.CaptureFixture[str], typed: str, becomes: str) -> None:
    """As it is typed on a terminal: the line, a tab, and what then stands there is printed."""
    import pty

    assert main(["completion", "zsh"]) == 0
    (folder / "script").write_text(capsys.readouterr().out)
    keys = "PS1=; autoload -Uz compinit; compinit -u -D; source ./script\n"
    keys += f"shutdown-lint {typed}\t\x01print -r -- then: \nexit\n"
    ours, theirs = pty.openpty()
    with subprocess.Popen(["zsh", "-f", "-i"], cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs) as shell:
        os.close(theirs)
        patience = threading.Timer(60, shell.kill)
        patience.start()
        os.write(ours, keys.encode())
        screen = b""
        with contextlib.suppress(OSError):  # how the end of a terminal is told
            while chunk := os.read(ours, 4096):
                screen += chunk
        patience.cancel()
        assert shell.wait(60) == 0
    os.close(ours)
    assert f"\nthen: shutdown-lint {becomes}" in screen.decode().replace("\r", "")


def test_an_unknown_shell_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert "usage: shutdown-lint completion bash|zsh|fish" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["completion", "zsh"], ["config"], ["config", "--schema"], ["init", "--help"], ["server", "--help"]]
)
def test_these_commands_start_fast(arguments: list[str]) -> None:
    program = (
        f"import sys; from shutdown_lint.cli import main; main({arguments!r}); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(done.stderr.splitlines()[-1].split())
    assert not loaded & {"libcst", "rich", "asyncio", "pygls", "argparse", "logging", "shutdown_lint.project"}
