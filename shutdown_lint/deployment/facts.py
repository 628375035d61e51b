"""What deployment files say, in plain records: 1-based lines and columns, no parser's nodes, nothing that cannot be JSON."""

from __future__ import annotations

from typing import NamedTuple

from shutdown_lint.facts import NO_SPAN, Span


class Setting(NamedTuple):
    """A value as it is written, and where."""

    value: str
    span: Span


class Command(NamedTuple):
    """An argument vector. ``shell_form``: the platform wraps a line of text into a shell, which ``words`` then begin with."""

    words: tuple[str, ...]
    span: Span
    shell_form: bool = False


class Unit(NamedTuple):
    """One thing that a platform starts.

    ``kind`` is ``image`` (a stage of a Dockerfile), ``compose``, ``pod``, ``systemd``, ``supervisor``, ``procfile`` or
    ``script``; ``service``, ``artifact``, ``settings`` and ``patch`` start nothing. ``settings`` are those that shutdown depends on, by the
    name that the format has for them. Not ``written``: what it starts is said elsewhere, by a service that it extends.
    """

    kind: str
    name: str
    span: Span
    entrypoint: Command | None = None
    command: Command | None = None
    settings: tuple[tuple[str, Setting], ...] = ()
    written: bool = True

    def get(self, name: str) -> Setting | None:
        """The last value of a setting."""
        return next((setting for key, setting in reversed(self.settings) if key == name), None)

    def value(self, name: str, default: str = "") -> str:
        """The same as text."""
        found = self.get(name)
        return found.value if found is not None else default

    @property
    def words(self) -> tuple[str, ...]:
        """The argument vector that is started, as far as the file itself says."""
        first, then = (part.words if part else () for part in (self.entrypoint, self.command))
        return (*first, *then)

    @property
    def place(self) -> Span:
        """Where the program is named: the command, else the entry point, else the unit."""
        parts = [part for part in (self.command, self.entrypoint) if part is not None and part.words]
        if len(parts) > 1 and parts[0].words[0].startswith("-"):
            return parts[1].span  # the command is only its options
        return parts[0].span if parts else self.span


class DeploymentFile(NamedTuple):
    """A deployment file: ``path`` as findings show it, ``absolute``; ``text`` only of scripts, which others refer to.

    ``inner`` are scripts that stand in the file itself, as heredocs of a Dockerfile do; their lines are those of the file.
    """

    path: str
    absolute: str
    kind: str
    reported: bool
    units: tuple[Unit, ...]
    text: str = ""
    inner: tuple[DeploymentFile, ...] = ()


class Note(Exception):
    """Why a file is left out, in words: it is a template, or a patch."""


class BrokenError(Exception):
    """The file cannot be read as what it is; at a 1-based place."""

    def __init__(self, message: str, line: int = 1, col: int = 1, code: str = "SHD900") -> None:
        super().__init__(message)
        self.message, self.line, self.col, self.code = message, line, col, code


def line_span(line: int, text: str) -> Span:
    """The span of a line's text without the space around it."""
    first = len(text) - len(text.lstrip())
    return Span(line, first + 1, line, max(first + 2, len(text.rstrip()) + 1))


__all__ = ["NO_SPAN", "BrokenError", "Command", "DeploymentFile", "Note", "Setting", "Span", "Unit", "line_span"]
