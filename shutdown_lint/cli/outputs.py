"""Findings to where they were asked for: each output in its format, to stdout or to its file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.cli.output import to_file, to_stdout
from shutdown_lint.cli.terminal import links, wants_color, width

if TYPE_CHECKING:
    from shutdown_lint.cli.parser import Target
    from shutdown_lint.engine import Report
    from shutdown_lint.report import View


class Outputs(NamedTuple):
    """What was asked for. ``color`` is ``auto``, ``always`` or ``never``; ``root`` is the project root."""

    targets: Sequence[Target]
    statistics: bool = False
    quiet: bool = False
    color: str = "auto"
    root: str = ""


def show(
    outputs: Outputs,
    report: Report,
    read: Callable[[str], str | None],
    fixed: int | None = None,
    stdout: Callable[[str], None] = to_stdout,
) -> None:
    """Write all outputs; files first, so that they are there when the reader of stdout goes.

    ``read`` gives the texts of files (see ``cli.texts``).
    """
    for target in sorted(outputs.targets, key=lambda target: target.file is None):
        write(_rendered(outputs, target, report, read, fixed), target, stdout)


def write(text: str, target: Target, stdout: Callable[[str], None] = to_stdout) -> None:
    """Write a text to its file, or to stdout."""
    if target.file:
        to_file(text, target.file)
    else:
        stdout(text)


def _rendered(
    outputs: Outputs, target: Target, report: Report, read: Callable[[str], str | None], fixed: int | None
) -> str:
    from shutdown_lint.report import VIEWED, renderer
    from shutdown_lint.report.summary import summary

    name = target.format
    if outputs.statistics:
        name = "statistics_json" if name in ("json", "jsonl") else "statistics"
    text = renderer(name)(report.findings, _view(outputs, target, report, read))
    if name not in VIEWED or outputs.quiet:
        return text
    return f"{text}{summary(report.findings, report.files, fixed)}\n"


def _view(outputs: Outputs, target: Target, report: Report, read: Callable[[str], str | None]) -> View:
    from shutdown_lint.cli.texts import line_reader
    from shutdown_lint.fixable import edits_of
    from shutdown_lint.report import VIEWED, WITH_EDITS, View

    terminal = on_terminal(target)
    return View(
        color=wants_color(outputs.color, terminal),
        width=width(terminal),
        read=line_reader(read),
        edits=edits_of(report.findings, read) if target.format in WITH_EDITS and not outputs.statistics else {},
        terminal=terminal,
        base=repository(outputs.root),
        files=report.files,
        links=links(terminal) if target.format in VIEWED else "",
    )


def repository(folder: str) -> str:
    """The root of the repository that the folder is in, which CI services take paths to start from; else the folder."""
    full = os.path.abspath(folder)
    while not os.path.exists(os.path.join(full, ".git")):
        parent = os.path.dirname(full)
        if parent == full:
            return folder
        full = parent
    return full


def on_terminal(target: Target) -> bool:
    """Whether somebody looks at this output as it is written."""
    return target.file is None and sys.stdout is not None and sys.stdout.isatty()
