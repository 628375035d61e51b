"""Findings as diagnostics: rows and columns from 0, in the units that the client counts in."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeAlias

from lsprotocol import types
from pygls import uris
from pygls.workspace import PositionCodec

from shutdown_lint.facts import Span
from shutdown_lint.findings import Finding, Step

Reader: TypeAlias = Callable[[str], Sequence[str]]

_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "info": types.DiagnosticSeverity.Information,
}
SOURCE = "shutdown-lint"


class Converter:
    """Converts what lies in files whose lines ``read`` gives, without their ends."""

    def __init__(self, codec: PositionCodec, read: Reader) -> None:
        self._codec, self._read = codec, read

    def diagnostic(self, finding: Finding) -> types.Diagnostic:
        """The finding with its path and its losses as related information."""
        related = [
            *(self._related(step, "lost: ") for step in finding.lost),
            *(self._related(step, f"path {number}: ") for number, step in enumerate(finding.trace, 1)),
        ]
        message = f"{finding.message}\n{finding.help}" if finding.help else finding.message
        return types.Diagnostic(
            range=self.range(finding.path, finding.span),
            message=message,
            severity=_SEVERITIES[finding.severity],
            code=finding.code,
            code_description=types.CodeDescription(href=finding.url),
            source=SOURCE,
            related_information=related or None,
        )

    def _related(self, step: Step, label: str) -> types.DiagnosticRelatedInformation:
        lines = self._read(step.path)
        line = lines[step.line - 1] if 0 < step.line <= len(lines) else ""
        span = Span(step.line, step.column, step.line, max(step.column + 1, len(line) + 1))
        place = types.Location(uri=to_uri(step.path), range=self.range(step.path, span))
        return types.DiagnosticRelatedInformation(location=place, message=label + step.text)

    def range(self, path: str, span: Span) -> types.Range:
        """The span as a range; one that is empty is shown by editors as they like."""
        start = types.Position(max(0, span.line - 1), max(0, span.col - 1))
        end = types.Position(max(0, span.end_line - 1), max(0, span.end_col - 1))
        return self._codec.range_to_client_units(list(self._read(path)), types.Range(start, end))


def to_uri(path: str) -> str:
    """The URI of a file; relative paths start from the current folder."""
    return uris.from_fs_path(os.path.abspath(path)) or ""


def overlap(one: types.Range, other: types.Range) -> bool:
    """Whether two ranges have a place in common; an empty one lies where it stands."""
    return _key(one.start) <= _key(other.end) and _key(other.start) <= _key(one.end)


def _key(position: types.Position) -> tuple[int, int]:
    return position.line, position.character
