"""Services of compose files as they come to be: with what they extend, and with what they override.

Compose file reference, "extends" and "Merge": single values and commands are replaced, a command and an entry point each on
its own; paths are relative to the file that names them. What a service takes over has the place of its own name, as the
other file's lines are not this file's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from shutdown_lint.deployment.durations import seconds
from shutdown_lint.deployment.facts import Command, DeploymentFile, Setting, Span, Unit

_MAX_EXTENDS = 8
_STEMS = ("compose", "docker-compose", "podman-compose")
_BASES = tuple(f"{stem}{end}" for stem in _STEMS for end in (".yaml", ".yml"))
_OVERRIDE = re.compile(r"(?:docker-|podman-)?compose\.override\.ya?ml\Z", re.IGNORECASE)
# what decides how a service is stopped, and nothing else
_STOPPING = ("init", "stop_signal", "stop_grace_period")


def composed(files: Iterable[DeploymentFile]) -> tuple[DeploymentFile, ...]:
    """The files with their services completed; all others as they are."""
    given = tuple(files)
    known = {file.absolute: file for file in given if file.kind == "compose"}
    return tuple(
        file._replace(units=tuple(_of_file(file, known))) if file.absolute in known else file for file in given
    )


def _of_file(file: DeploymentFile, known: Mapping[str, DeploymentFile]) -> Iterable[Unit]:
    base = _base(file, known)
    override = _override(file, known) if base is None else None
    for unit in file.units:
        full = _extended(unit, file, known, 0)
        below = _service(base, unit.name) if base is not None else None
        if base is not None and below is not None and (_OVERRIDE.search(file.absolute) or _is_fragment(unit)):
            if not _says_something(unit):
                continue  # it changes nothing that matters: its base is judged
            full = _over(full, _extended(below, base, known, 0), base)
        above = _service(override, unit.name) if override is not None else None
        yield _with_stopping(full, above) if above is not None else full


def _base(file: DeploymentFile, known: Mapping[str, DeploymentFile]) -> DeploymentFile | None:
    """The file that compose reads first in the same folder, when this is another one."""
    folder, name = os.path.split(file.absolute)
    if name in _BASES:
        return None
    return next((known[path] for base in _BASES if (path := os.path.join(folder, base)) in known), None)


def _override(file: DeploymentFile, known: Mapping[str, DeploymentFile]) -> DeploymentFile | None:
    folder = os.path.dirname(file.absolute)
    found = (other for path, other in known.items() if os.path.dirname(path) == folder and _OVERRIDE.search(path))
    return next(found, None)


def _service(file: DeploymentFile, name: str) -> Unit | None:
    return next((unit for unit in file.units if unit.name == name), None)


def _is_fragment(unit: Unit) -> bool:
    """Whether it is no service by itself: compose wants an image or a build."""
    return not any(unit.get(key) for key in ("image", "build", "extends"))


def _says_something(unit: Unit) -> bool:
    return bool(unit.entrypoint or unit.command) or any(unit.get(key) for key in (*_STOPPING, "build"))


def _extended(unit: Unit, file: DeploymentFile, known: Mapping[str, DeploymentFile], depth: int) -> Unit:
    name = unit.value("extends")
    if not name or depth > _MAX_EXTENDS:
        return unit
    path = os.path.normpath(os.path.join(os.path.dirname(file.absolute), unit.value("extends.file")))
    other = known.get(path) if unit.get("extends.file") else file
    base = _service(other, name) if other is not None else None
    if other is None or base is None or base is unit:
        return unit
    return _over(unit, _extended(base, other, known, depth + 1), other)


def _over(unit: Unit, base: Unit, file: DeploymentFile) -> Unit:
    """The unit with all that it does not say itself from its base."""
    resets = {setting.value for key, setting in unit.settings if key == "reset"}
    own = {key for key, _ in unit.settings if key != "env"} | resets | {"reset"}
    taken = [(key, _moved(key, setting, unit.span, file)) for key, setting in base.settings if key not in own]
    entrypoint = None if "entrypoint" in resets else _command(base.entrypoint, unit.span)
    command = None if "command" in resets else _command(base.command, unit.span)
    return unit._replace(
        entrypoint=unit.entrypoint or entrypoint,
        command=unit.command or command,
        settings=(*taken, *unit.settings),
        written=bool(unit.entrypoint or unit.command),
    )


def _moved(key: str, setting: Setting, span: Span, file: DeploymentFile) -> Setting:
    value = os.path.join(os.path.dirname(file.absolute), setting.value) if key == "build" else setting.value
    return Setting(value, span)


def _command(command: Command | None, span: Span) -> Command | None:
    return command._replace(span=span) if command is not None else None


def _with_stopping(unit: Unit, above: Unit) -> Unit:
    """A service with the settings of the override file, which compose reads without being told.

    A shorter grace period is left out, and so is one that is reset: it is judged in the override file, and this one may be used
    without that.
    """
    changed = [
        (key, Setting(found.value, unit.span))
        for key in _STOPPING
        if (found := above.get(key)) and (key != "stop_grace_period" or _is_longer(found, unit.get(key)))
    ]
    return unit._replace(settings=(*unit.settings, *changed))


def _is_longer(found: Setting, own: Setting | None) -> bool:
    value, other = seconds(found.value), seconds(own.value) if own is not None else 0.0
    return value is not None and other is not None and value > other
