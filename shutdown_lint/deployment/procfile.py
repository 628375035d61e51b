"""Procfiles: one process type a line; Heroku and its kin run each by ``bash -c`` (Heroku Dev Center, "The Procfile")."""

from __future__ import annotations

import re

from shutdown_lint.deployment.facts import Command, Unit, line_span

_LINE = re.compile(r"\s*([\w.-]+):\s*(\S.*)$")


def read(text: str) -> tuple[Unit, ...]:
    """A unit for each process type."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        match = _LINE.match(line)
        if match:
            place = line_span(number, line)
            command = Command(("bash", "-c", match.group(2).rstrip()), place, True)
            found.append(Unit("procfile", match.group(1), place, None, command))
    return tuple(found)
