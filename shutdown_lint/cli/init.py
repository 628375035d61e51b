"""``shutdown-lint init``: a configuration and a pre-commit hook for a project that has none."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from shutdown_lint import __version__, config
from shutdown_lint.cli import FAILED
from shutdown_lint.cli.output import complain, to_file, to_stdout
from shutdown_lint.report.view import shown_path

USAGE = """\
usage: shutdown-lint init [--baseline] [--dry-run] [FOLDER]

Write a configuration (into pyproject.toml, or a new shutdown-lint.toml) and a hook into .pre-commit-config.yaml. What is
there already stays as it is.

  --baseline  also remember all present findings, so that only new ones are reported
  --dry-run   print what would be written, and write nothing
"""
_SECTION = """\
# docs: https://shutdown-lint.readthedocs.io/
# required-version = ">={version}"
# target-version = "py310"  # else requires-python of the project
# extend-select = ["SHD108"]  # rules besides the default ones; `shutdown-lint rules` lists all
# fail-on = "warning"  # findings below do not fail the run
{baseline}"""
# the installed command rather than a clone of its own: the project decides once which version it uses
_HOOK = """\
- repo: local
  hooks:
  - id: shutdown-lint
    name: shutdown-lint
    entry: shutdown-lint check --force-exclude
    language: system
    types_or: [python, pyi]
    require_serial: true
"""
_REPOS = re.compile(r"^repos:[ \t]*(?:#.*)?$", re.MULTILINE)
_TOP_LEVEL = re.compile(r"^(?:[A-Za-z_\"']|\.\.\.|---)", re.MULTILINE)
_ITEM = re.compile(r"^([ \t]*)- +\S", re.MULTILINE)


class Step(NamedTuple):
    """A file to write, and what is to be told of it (also where nothing is to be written)."""

    told: str
    path: str = ""
    text: str = ""


def run(given: list[str]) -> int:
    """See ``USAGE``."""
    flags = {word for word in given[1:] if word.startswith("-")}
    folders = [word for word in given[1:] if not word.startswith("-")] or [os.curdir]
    if flags & {"-h", "--help"}:
        to_stdout(USAGE)
        return 0
    if flags - {"--baseline", "--dry-run"} or len(folders) > 1 or not os.path.isdir(folders[0]):
        complain(USAGE.partition("\n")[0])
        return FAILED
    try:
        steps = [_configuration(folders[0], "--baseline" in flags), _pre_commit(folders[0])]
    except (OSError, UnicodeDecodeError, config.ConfigError) as error:
        complain(str(error))
        return FAILED
    for step in steps:
        if step.text and "--dry-run" not in flags:
            to_file(step.text, step.path)
        to_stdout(f"{step.told}\n" if "--dry-run" not in flags else _dry(step))
    if "--baseline" in flags and "--dry-run" not in flags:
        from shutdown_lint.cli.baseline import run as baseline

        return baseline(["baseline", "create", folders[0]])
    return 0


def _dry(step: Step) -> str:
    return f"--- {shown_path(step.path)}\n{step.text}" if step.text else f"{step.told}\n"


# --- configuration ---------------------------------------------------------------------------------------------------


def _configuration(folder: str, baseline: bool) -> Step:
    found = config.find([folder])
    from shutdown_lint.adoption.baseline import NAME

    if found.path and baseline and "baseline" not in found.values:
        text = _with_baseline(found.path, NAME)
        if text:
            return Step(f"{shown_path(found.path)}: baseline added", found.path, text)
    if found.path:
        return Step(f"{shown_path(found.path)} configures shutdown-lint already: left as it is")
    section = _SECTION.format(version=__version__, baseline=f'baseline = "{NAME}"\n' if baseline else "")
    pyproject = os.path.join(folder, "pyproject.toml")
    if os.path.exists(pyproject):
        before = _read(pyproject)
        text = f"{before.rstrip()}\n\n[tool.shutdown-lint]\n{section}"
        config.parse(text, pyproject)
        return Step(f"{shown_path(pyproject)}: section [tool.shutdown-lint] added", pyproject, text)
    path = os.path.join(folder, "shutdown-lint.toml")
    return Step(f"{shown_path(path)}: written", path, section)


def _with_baseline(path: str, name: str) -> str:
    """The configuration with the key at its begin; empty where its section is not written as a plain header."""
    before, line = _read(path), f'baseline = "{name}"\n'
    if os.path.basename(path) != "pyproject.toml":
        return line + before
    header = re.search(r"^\[tool\.shutdown-lint\][ \t]*(?:#.*)?(?:\n|\Z)", before, re.MULTILINE)
    if header is None:
        return ""
    end = header.end()
    text = f"{before[:end].rstrip(chr(10))}\n{line}{before[end:]}"
    config.parse(text, path)
    return text


def _read(path: str) -> str:
    with open(path, encoding="utf-8", newline="") as stream:
        return stream.read().replace("\r\n", "\n")


# --- pre-commit ------------------------------------------------------------------------------------------------------


def _pre_commit(folder: str) -> Step:
    path = os.path.join(folder, ".pre-commit-config.yaml")
    if not os.path.exists(path):
        return Step(f"{shown_path(path)}: written; `pre-commit install` turns it on", path, f"repos:\n{_HOOK}")
    before = _read(path)
    if "shutdown-lint" in before:
        return Step(f"{shown_path(path)} has a hook already: left as it is")
    text = with_hook(before)
    if not text:
        return Step(f"{shown_path(path)} is not of the usual form; add by hand:\n\n{_HOOK}")
    return Step(f"{shown_path(path)}: hook added", path, text)


def with_hook(text: str) -> str:
    """The configuration with the hook as the last item of ``repos``; empty where that list is not found."""
    repos = _REPOS.search(text)
    if repos is None:
        return ""
    following = _TOP_LEVEL.search(text, repos.end())
    end = following.start() if following else len(text)
    first = _ITEM.search(text, repos.end(), end)
    if first is None:
        return ""
    body = text[repos.end() : end]
    kept = body.rstrip()
    hook = "".join(f"{first[1]}{line}\n" for line in _HOOK.splitlines())
    gap = "\n" if following and body.endswith("\n\n") else ""
    return f"{text[: repos.end()]}{kept}\n{hook}{gap}{text[end:]}"
