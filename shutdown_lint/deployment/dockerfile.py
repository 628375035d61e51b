"""Dockerfiles: the stages with their entry points, commands, shells and stop signals.

A reader of our own: the wheel of BuildKit's parser (``dockerfile``) has no columns and no pure-Python fallback, and
``dockerfile-parse`` takes the lines of a heredoc for instructions. Follows the Dockerfile reference: parser directives,
continuation lines with comments between, heredocs, JSON form, ``SHELL``, stages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.deployment.compose import split
from shutdown_lint.deployment.facts import Command, Setting, Span, Unit

_ESCAPE = re.compile(r"#\s*escape\s*=\s*([\\`])\s*$", re.IGNORECASE)
_DIRECTIVE = re.compile(r"#\s*\w+\s*=")
_HEREDOC = re.compile(r"<<-?\s*([\"']?)([A-Za-z_][\w.]*)\1")
_INSTRUCTION = re.compile(r"\s*([A-Za-z]+)(?:\s+|$)")
_FROM = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+as\s+(\S+))?\s*$", re.IGNORECASE)
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))")
_COPY_FLAGS = re.compile(r"(?:--\S+\s+)*")
# `COPY <<EOF /start.sh` and `RUN cat <<EOF > /start.sh`: where the heredoc goes
_INTO = re.compile(r"(?:--\S+\s+)*<<\S+\s+(?P<copied>[^\s<]+)\Z|cat\b[^;&|]*>\s*(?P<written>[^\s<>;&|]+)")
DEFAULT_SHELL = ("/bin/sh", "-c")
MAX_STAGES = 200  # the last ones: an image is built from them


class Instruction(NamedTuple):
    """One instruction: its word in capitals, the rest in one line, where it begins and ends."""

    word: str
    rest: str
    span: Span
    heredoc: str


def instructions(text: str) -> Iterator[Instruction]:
    """All instructions; linear in the length of the text."""
    lines = text.split("\n")
    escape, number = _escape(lines), 0
    while number < len(lines):
        first, parts = number, list[str]()
        if not lines[number].strip() or lines[number].lstrip().startswith("#"):
            number += 1
            continue
        last = number
        while number < len(lines):
            line = lines[number]
            number += 1
            if parts and (line.lstrip().startswith("#") or not line.strip()):
                continue  # comments and empty lines within a continuation count for nothing
            last = number - 1
            parts.append(line.rstrip())
            if not parts[-1].endswith(escape):
                break
            parts[-1] = parts[-1][:-1]
        joined = " ".join(part.strip() for part in parts)
        match = _INSTRUCTION.match(joined)
        word = match.group(1).upper() if match else ""
        heredoc: list[str] = []
        for mark in _HEREDOC.finditer(joined) if word in ("RUN", "COPY", "ADD") else ():
            while number < len(lines) and lines[number].strip() != mark.group(2):
                heredoc.append(lines[number])
                number += 1
            number += 1
        col = len(lines[first]) - len(lines[first].lstrip()) + 1
        span = Span(first + 1, col, last + 1, len(lines[last].rstrip()) + 1)
        yield Instruction(word, joined[match.end() :].strip() if match else joined, span, "\n".join(heredoc))


def _escape(lines: list[str]) -> str:
    for line in lines:
        match = _ESCAPE.match(line.strip())
        if match:
            return match.group(1)
        if not _DIRECTIVE.match(line.strip()):
            break
    return "\\"


def scripts(text: str) -> Iterator[tuple[str, str]]:
    """The files that heredocs make: name, and text on the lines that it has in the Dockerfile."""
    for item in instructions(text) if "<<" in text else ():
        match = _INTO.match(item.rest) if item.word in ("COPY", "ADD", "RUN") and item.heredoc else None
        if match is not None and item.rest.count("<<") == 1:
            path = match["copied"] or match["written"]
            name = path.strip("\"'").rpartition("/")[2]
            if name:
                yield name, "\n" * item.span.end_line + item.heredoc


class _Stage:
    """A stage while it is read."""

    def __init__(self, image: str, name: str, span: Span, base: _Stage | None) -> None:
        self.image: str = base.image if base else image
        self.name, self.span = name, span
        self.shell: tuple[str, ...] = base.shell if base else DEFAULT_SHELL
        self.entrypoint: Command | None = base.entrypoint if base else None
        self.command: Command | None = base.command if base else None
        self.settings: dict[str, Setting] = dict(base.settings) if base else {}
        self.copies: list[str] = list(base.copies) if base else []
        self.variables: list[Setting] = list(base.variables) if base else []
        self.triggers: list[Instruction] = []
        self.own = False

    def unit(self) -> Unit:
        """The stage's facts. A shell-form ENTRYPOINT takes no arguments from CMD."""
        command = None if self.entrypoint is not None and self.entrypoint.shell_form else self.command
        found = [("image", Setting(self.image, self.span)), *self.settings.items()]
        found += [("copy", Setting(pair, self.span)) for pair in self.copies]
        found += [("env", variable) for variable in self.variables]
        return Unit("image", self.name, self.span, self.entrypoint, command, tuple(found))


def read(text: str, name: str) -> tuple[Unit, ...]:
    """A unit for each stage that has a name or says what to start; ``written`` for the latter, and for the last."""
    stages: list[_Stage] = []
    named: dict[str, _Stage] = {}
    arguments: dict[str, str] = {}
    for item in instructions(text):
        if item.word == "FROM":
            stages.append(_stage(item, named, arguments, name))
            named[stages[-1].name.lower()] = stages[-1]
        elif item.word == "ARG" and not stages:
            key, _, value = item.rest.partition("=")
            arguments[key.strip()] = value.strip().strip("\"'")
        elif stages:
            _apply(item, stages[-1])
    kept = [stage for stage in stages if stage.own or stage.name != name or stage is stages[-1]][-MAX_STAGES:]
    return tuple(stage.unit()._replace(written=stage.own or stage is stages[-1]) for stage in kept)


def _stage(item: Instruction, named: dict[str, _Stage], arguments: dict[str, str], name: str) -> _Stage:
    match = _FROM.match(item.rest)
    image = _VARIABLE.sub(lambda v: arguments.get(v[1] or v[3], v[2] or v[0]), match.group(1)) if match else ""
    own = (match.group(2) if match else "") or ""
    base = named.get(image.lower())
    stage = _Stage(image, own or name, item.span, base)
    for trigger in base.triggers if base is not None else ():
        _apply(trigger, stage)  # ONBUILD of the stage that this one is made from
    return stage


def _apply(item: Instruction, stage: _Stage) -> None:
    if item.word == "SHELL":
        stage.shell = _json(item.rest) or stage.shell
    elif item.word in ("ENTRYPOINT", "CMD"):
        stage.own = True
        given = _json(item.rest)
        shell_form = given is None
        words = (*stage.shell, item.rest) if given is None else given
        command = Command(words, item.span, shell_form) if words and (item.rest or given) else None
        if item.word == "CMD":
            stage.command = command
        else:
            # an ENTRYPOINT resets the CMD that comes from the base image
            if stage.command is not None and stage.command.span.line < stage.span.line:
                stage.command = None
            stage.entrypoint = command
    elif item.word == "STOPSIGNAL":
        stage.settings["STOPSIGNAL"] = Setting(item.rest, item.span)
    elif item.word == "ONBUILD":
        match = _INSTRUCTION.match(item.rest)
        if match and match.group(1).upper() != "ONBUILD":
            stage.triggers.append(item._replace(word=match.group(1).upper(), rest=item.rest[match.end() :].strip()))
    elif item.word == "ENV":
        stage.variables += [Setting(text, item.span) for text in _variables(item.rest)]
    elif item.word == "WORKDIR":
        stage.settings["WORKDIR"] = Setting(item.rest, item.span)
    elif item.word in ("COPY", "ADD"):
        parts = item.rest[_COPY_FLAGS.match(item.rest).end() :].split() if "--from" not in item.rest else []  # type: ignore[union-attr]  # it matches nothing, too
        stage.copies += [f"{source} {parts[-1]}" for source in parts[:-1]]


def _variables(text: str) -> list[str]:
    """``A=1 B="x y"``, or the old form ``A x y``."""
    if "=" in text.partition(" ")[0]:
        return [word for word in split(text) if "=" in word]
    name, _, value = text.partition(" ")
    return [f"{name}={value.strip()}"]


def _json(text: str) -> tuple[str, ...] | None:
    """The words of the JSON form; None for the shell form, which is all that is no JSON list of strings."""
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return tuple(found) if isinstance(found, list) and all(isinstance(word, str) for word in found) else None
