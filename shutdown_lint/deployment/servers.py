"""The options with which a program of a library is started: from its command, its file of settings, the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence

from shutdown_lint.deployment import commands
from shutdown_lint.deployment.commands import Program
from shutdown_lint.deployment.compose import split
from shutdown_lint.deployment.facts import DeploymentFile, Unit
from shutdown_lint.models import Program as Known

_SETTINGS_FILE = re.compile(r"\.(?:ini|cfg|xml|ya?ml|json)\Z")
_OFF = frozenset({"false", "no", "off", "0"})


def environment(units: Iterable[Unit], known: Known) -> tuple[str, ...]:
    """The values of the variables that set options of the program, in the units that make its environment."""
    return tuple(
        setting.value.partition("=")[2]
        for unit in units
        for key, setting in unit.settings
        if key == "env" and setting.value.startswith(known.environment)
    )


def options(
    program: Program, known: Known, units: Sequence[Unit], files: Sequence[DeploymentFile]
) -> tuple[str, ...] | None:
    """The words of the command and those that stand for lines of its file of settings; None where not all can be seen."""
    if environment(units, known):
        return None
    found = list(program.words)
    named = [word for word in program.words[1:] if _SETTINGS_FILE.search(word)]
    for word in named:
        settings = _settings_file(word, files)
        if settings is None:
            return None
        found += [f"--{key}={value.value}" for unit in settings.units for key, value in unit.settings]
    return tuple(found)


def _settings_file(path: str, files: Sequence[DeploymentFile]) -> DeploymentFile | None:
    name = os.path.basename(path.rpartition("=")[2])
    found = [file for file in files if file.kind == "settings" and os.path.basename(file.absolute) == name]
    return found[0] if len(found) == 1 else None


def has(words: Iterable[str], names: Sequence[str]) -> bool:
    """Whether one of the options is given, and not switched off."""
    return any(
        word == name or (word.startswith(f"{name}=") and word[len(name) + 1 :].lower() not in _OFF)
        for word in words
        for name in names
    )


def limit_in(values: Iterable[str], known: Known) -> str | None:
    """The limit that an environment variable with options in it gives."""
    found = (commands.option(split(value), known.grace) for value in values)
    return next((value for value in found if value is not None), None)
