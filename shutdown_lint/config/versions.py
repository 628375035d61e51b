"""``required-version``: which versions of shutdown-lint a configuration is made for."""

from __future__ import annotations

import re
from typing import Any

from shutdown_lint import __version__
from shutdown_lint.config.errors import ConfigError

_CLAUSE = re.compile(r"(==|!=|>=|<=|~=|>|<|)\s*(\d{1,6}(?:\.\d{1,6}){0,3})")
_FORM = "must be a version, or versions with operators such as `>=0.1,<2`"


def clauses(text: str) -> list[tuple[str, tuple[int, ...]]] | None:
    """The operators and versions of a specifier as in PEP 440 (releases only); None for anything else."""
    found = [_CLAUSE.fullmatch(part.strip()) for part in text.split(",")]
    if not all(found):
        return None
    return [(match[1] or "==", tuple(map(int, match[2].split(".")))) for match in found if match]


def require(table: dict[str, Any], where: str) -> None:
    """Raises ``ConfigError`` where the table asks for another version: before its keys are judged, which may be newer."""
    wanted = table.get("required-version")
    if not isinstance(wanted, str):
        return  # told with the other mistakes
    parsed = clauses(wanted)
    if parsed is None:
        raise ConfigError(f"{where}: `required-version` {_FORM}, not {wanted!r}")
    running = _numbers(__version__)
    if not all(_holds(running, operator, version) for operator, version in parsed):
        raise ConfigError(f"{where}: needs shutdown-lint {wanted}, and this is {__version__}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", re.split(r"[^\d.]", version)[0])))


def _holds(running: tuple[int, ...], operator: str, version: tuple[int, ...]) -> bool:
    size = max(len(running), len(version))
    ours, theirs = (part + (0,) * (size - len(part)) for part in (running, version))
    if operator == "~=":  # the last number may grow
        kept = max(1, len(version) - 1)
        return ours >= theirs and ours[:kept] == theirs[:kept]
    return {
        "==": ours == theirs,
        "!=": ours != theirs,
        ">=": ours >= theirs,
        "<=": ours <= theirs,
        ">": ours > theirs,
        "<": ours < theirs,
    }[operator]
