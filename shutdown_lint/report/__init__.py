"""Output formats: one file each, all with ``render(findings, view) -> text``, line ends included."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from shutdown_lint.options import OUTPUT_FORMATS
from shutdown_lint.report.view import View

if TYPE_CHECKING:
    from shutdown_lint.findings import Finding

    Render: TypeAlias = Callable[[Sequence[Finding], View], str]

__all__ = ["FORMATS", "VIEWED", "WITH_EDITS", "View", "renderer"]

FORMATS = (*OUTPUT_FORMATS, "statistics", "statistics_json")
VIEWED = frozenset({"full", "concise", "grouped", "statistics"})  # for eyes on a terminal: colours, a summary line
WITH_EDITS = frozenset({"json", "jsonl", "sarif", "rdjson"})  # these tell a fix as edits, which cost a parse


def renderer(name: str) -> Render:
    """The ``render`` function of a format of ``FORMATS``; imports that format only."""
    if name not in FORMATS:
        raise ValueError(f"no output format {name!r}")
    render: Render = import_module(f"shutdown_lint.report.{name}").render
    return render
