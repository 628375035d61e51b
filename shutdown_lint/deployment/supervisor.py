"""Programs of supervisord (supervisord.org, "Configuration File", ``[program:x]`` section settings)."""

from __future__ import annotations

from shutdown_lint.deployment.compose import split
from shutdown_lint.deployment.facts import Command, Unit
from shutdown_lint.deployment.ini import supervisor

_KEYS = frozenset({"stopsignal", "stopwaitsecs", "stopasgroup", "killasgroup", "directory", "nodaemon"})


def read(text: str) -> tuple[Unit, ...]:
    """A unit for each program."""
    found = []
    for section in supervisor(text):
        kind, _, name = section.name.partition(":")
        command = next((setting for key, setting in section.settings if key == "command"), None)
        if kind in ("program", "fcgi-program") and command is not None:
            settings = tuple(pair for pair in section.settings if pair[0] in _KEYS)
            words = split(command.value.replace("%%", "%"))
            found.append(Unit("supervisor", name, section.span, None, Command(words, command.span), settings))
    return tuple(found)
