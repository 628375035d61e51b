"""uWSGI's files of settings, whose lines are its options (uwsgi docs, "Configuring uWSGI", Ini files)."""

from __future__ import annotations

from shutdown_lint.deployment.facts import Unit
from shutdown_lint.deployment.ini import supervisor


def read(text: str, name: str) -> tuple[Unit, ...]:
    """One unit with the options as its settings."""
    found = [section for section in supervisor(text) if section.name == "uwsgi"]
    return (Unit("settings", name, found[0].span, settings=found[0].settings),) if found else ()
