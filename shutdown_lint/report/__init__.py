"""Output formats: one file each, all with ``render(findings, view) -> text``, line ends included."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from shutdown_lint.report.view import View

if TYPE_CHECKING:
    from shutdown_lint.findings import Finding

    Render: TypeAlias = Callable[[Sequence[Finding], View], str]

__all__ = ["FORMATS", "View", "renderer"]

FORMATS = ("full", "concise", "json", "statistics", "statistics_json")


def renderer(name: str) -> Render:
    """The ``render`` function of a format of ``FORMATS``; imports that format only."""
    if name not in FORMATS:
        raise ValueError(f"no output format {name!r}")
    render: Render = import_module(f"shutdown_lint.report.{name}").render
    return render
