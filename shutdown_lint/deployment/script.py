"""Entry-point scripts: which shell runs them. What they do is asked of ``shell`` when something starts them."""

from __future__ import annotations

import re

from shutdown_lint.deployment.facts import Setting, Span, Unit

_SHEBANG = re.compile(r"#!\s*(\S+)(?:[ \t]+(\S+))?")


def read(text: str, name: str) -> tuple[Unit, ...]:
    """One unit, where the script is one for a shell."""
    first = len(text) - len(text.lstrip("\n"))  # of a script inside of another file
    shell = shell_of(text[first:])
    place = Span(first + 1, 1, first + 1, len(text[first:].partition("\n")[0]) + 1)
    return (Unit("script", name, place, settings=(("shell", Setting(shell, place)),)),) if shell else ()


def shell_of(text: str) -> str:
    """``sh``, ``bash``, …; ``sh`` without a ``#!`` line, and empty for another interpreter."""
    match = _SHEBANG.match(text)
    if not match:
        return "sh"
    names = [part.rpartition("/")[2] for part in match.groups() if part]
    name = names[1] if names[0] == "env" and len(names) > 1 else names[0]
    return name if name in ("sh", "bash", "dash", "ash", "ksh", "zsh") else ""
