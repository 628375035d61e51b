"""systemd service units (systemd.service(5), systemd.kill(5))."""

from __future__ import annotations

from shutdown_lint.deployment.compose import split
from shutdown_lint.deployment.facts import Command, Setting, Unit
from shutdown_lint.deployment.ini import systemd

_KEYS = frozenset(
    {"Type", "KillMode", "KillSignal", "SendSIGKILL", "TimeoutStopSec", "TimeoutSec", "ExecStop", "WorkingDirectory",
     "RestartKillSignal", "FinalKillSignal", "RemainAfterExit", "PIDFile"}
)  # fmt: skip
_PREFIXES = "@-:+!|"


def read(text: str, name: str) -> tuple[Unit, ...]:
    """One unit; an empty value resets what came before it."""
    settings: dict[str, Setting] = {}
    start: Setting | None = None
    variables: list[tuple[str, Setting]] = []
    place = None
    for section in systemd(text):
        if section.name != "Service":
            continue
        place = place or section.span
        for key, setting in section.settings:
            if key == "ExecStart":
                start = setting if setting.value else None
            elif key == "Environment":
                variables += [("env", setting._replace(value=word)) for word in split(setting.value)]
            elif key in _KEYS:
                settings[key] = setting
    if place is None or start is None:
        return ()
    words = split(start.value.lstrip(_PREFIXES).replace("%%", "%"))
    return (Unit("systemd", name, place, None, Command(words, start.span), (*settings.items(), *variables)),)
