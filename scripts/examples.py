"""The examples in the rules' docstrings, and what shutdown-lint prints about them (for the rules' pages)."""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from shutdown_lint.cli import main
from shutdown_lint.rules.registry import Entry

SECTION = re.compile(r"^## (?P<title>Example|Use instead)\n(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```(?P<kind>\w+)\n(?P<code>.*?)^```\n", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """Files that lie side by side (name, text), and where in their section they begin and end."""

    files: tuple[tuple[str, str], ...]
    start: int
    end: int


def examples(entry: Entry, section: str) -> list[Example]:
    """A program each; on deployments, all files of the section together."""
    fences = list(FENCE.finditer(section))
    if entry.on_deployment and fences:
        files = tuple((file_name(m["kind"], m["code"]), m["code"]) for m in fences)
        return [Example(files, fences[0].start(), fences[-1].end())]
    return [Example((("example.py", m["code"]),), m.start(), m.end()) for m in fences if m["kind"] == "python"]


def file_name(kind: str, code: str) -> str:
    """What a file of a deployment with this text would be called."""
    if kind == "yaml":
        return "deployment.yaml" if "apiVersion" in code else "compose.yaml"
    if kind == "ini":
        return "supervisord.conf" if "[program:" in code else "app.service"
    return {"dockerfile": "Dockerfile", "sh": "entrypoint.sh", "python": "app.py"}.get(kind, f"example.{kind}")


def with_outputs(entry: Entry, doc: str) -> str:
    """The docstring, with what a run prints below each of its examples."""
    text = doc + "\n"  # each fence has a line end then
    flags = _flags(entry, text)
    return SECTION.sub(lambda m: f"## {m['title']}\n{_with_outputs(entry, m['text'], flags)}", text)[:-1]


def _flags(entry: Entry, text: str) -> list[str]:
    """What makes the rule speak about its examples: nothing, where it does so by default."""
    bad = [example for m in SECTION.finditer(text) if m["title"] == "Example" for example in examples(entry, m["text"])]
    by_default = all(f" {entry.code} [" in output(_paths(example), example.files) for example in bad)
    return [] if by_default else ["--extend-select", entry.code]


def _with_outputs(entry: Entry, section: str, flags: list[str]) -> str:
    parts, begin = [], 0
    for example in examples(entry, section):
        parts += [section[begin : example.start], _titled(section[example.start : example.end], example)]
        parts += ["\n```console\n", session([*flags, *_paths(example)], example.files), "```\n"]
        begin = example.end
        if not section.startswith("\n", begin):  # text that follows at once begins a paragraph
            parts.append("\n")
    return "".join(parts) + section[begin:]


def _titled(blocks: str, example: Example) -> str:
    """The blocks of an example with the names of its files above them."""
    names = iter(name for name, _ in example.files)
    return FENCE.sub(lambda m: f'```{m["kind"]} title="{next(names)}"\n{m["code"]}```\n', blocks)


def _paths(example: Example) -> list[str]:
    return [name for name, _ in example.files] if len(example.files) == 1 else [os.curdir]


def session(words: Sequence[str], files: Sequence[tuple[str, str]]) -> str:
    """The command as a user types it, and what it prints."""
    return f"$ {' '.join(['shutdown-lint', *words])}\n{output(words, files)}"


def output(arguments: Sequence[str], files: Sequence[tuple[str, str]]) -> str:
    """What the command prints in a folder with these files."""
    with tempfile.TemporaryDirectory() as folder, _inside(folder):
        for name, text in files:
            Path(folder, name).write_text(text, encoding="utf-8")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            code = main([*arguments, "--isolated", "--no-cache", "--color", "never"])
    if code not in (0, 1):
        raise ValueError(f"shutdown-lint {' '.join(arguments)}: exit code {code}")
    return printed.getvalue()


@contextlib.contextmanager
def _inside(folder: str) -> Iterator[None]:
    """Another current folder, in an environment that says nothing about colours and links, and wants lines that fit a page."""
    before = os.getcwd()
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("FORCE_", "SHUTDOWN_LINT_"))}
    os.chdir(folder)
    try:
        with mock.patch.dict(os.environ, plain, clear=True), mock.patch.dict(os.environ, COLUMNS="88"):
            yield
    finally:
        os.chdir(before)
