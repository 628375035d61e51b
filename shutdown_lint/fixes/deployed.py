"""A deployment file for the fixers, and what must hold of a changed one: it starts the same commands, some of them now
without a shell around them."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple, TypeAlias

from shutdown_lint.deployment.commands import SHELLS, shell_arguments
from shutdown_lint.deployment.facts import BrokenError, DeploymentFile, Unit
from shutdown_lint.deployment.read import read, text_of
from shutdown_lint.deployment.shell import Frame, Simple, commands
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.text import Text
from shutdown_lint.source import SourceFile

_NAME = "file"  # readers want one; nothing depends on it
_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)


class Deployed(Text):
    """The text of a deployment file of a kind, with the facts in it."""

    __slots__ = ("facts", "kind")

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind, self.facts = kind, facts(kind, text.encode("utf-8", "surrogatepass"))

    def units_with(self, start: int, end: int, content: str) -> tuple[Unit, ...] | None:
        """The units of the file if a range of offsets were replaced; None where it could not be read then."""
        changed = f"{self.text[:start]}{content}{self.text[end:]}"
        try:
            return facts(self.kind, changed.encode("utf-8", "surrogatepass")).units
        except Refused:
            return None


def facts(kind: str, data: bytes) -> DeploymentFile:
    """What the file says. Raises ``Refused`` where its own reader does not take it."""
    found = read(SourceFile(_NAME, _NAME, "", False, False, True), kind, data)
    if not isinstance(found, DeploymentFile):
        raise Refused("the file cannot be read as what its name says")
    return found


def differs(kind: str, before: bytes, after: bytes) -> str:
    """What else than ``exec`` and the shell before it is another after a change, or an empty string."""
    if _meaning(facts(kind, before)) != _meaning(facts(kind, after)):
        return "the result would start something else"
    try:
        lost = Counter(_COMMENT.findall(text_of(before))) - Counter(_COMMENT.findall(text_of(after)))
    except BrokenError as error:
        raise Refused(error.message) from error
    return f"the comment `{min(lost).strip()}` would be lost" if lost else ""


class _Step(NamedTuple):
    """A simple command without ``exec``, and how it is joined to the others."""

    words: tuple[str, ...]
    frames: tuple[Frame, ...]
    before: str
    after: str
    redirected: bool


_Started: TypeAlias = tuple[tuple[str, ...], tuple[_Step, ...], tuple[str, ...]]


def _meaning(file: DeploymentFile) -> object:
    """All that a file says, without places, ``exec`` and shells that have nothing to do."""
    units = [
        (unit.kind, unit.name, _started(unit.words), [(name, setting.value) for name, setting in unit.settings])
        for unit in file.units
    ]
    return units, _steps(file.text)


def _started(words: tuple[str, ...]) -> _Started:
    """What stands before a shell, the commands that it is given, and its arguments."""
    for number, word in enumerate(words):
        if word.rpartition("/")[2] in SHELLS:
            text, script, rest = shell_arguments(words[number:])
            if not script:
                return words[:number], _steps(text), rest
    return (), (_Step(words, (), "", "", False),), ()


def _steps(text: str) -> tuple[_Step, ...]:
    return tuple(_step(command) for command in commands(text))


def _step(command: Simple) -> _Step:
    words = command.words[1:] if command.words[0] == "exec" else command.words
    return _Step(words, command.frames, command.before, command.after, command.redirected)
