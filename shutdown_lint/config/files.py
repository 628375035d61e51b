"""Which configuration file applies, and what it holds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from shutdown_lint.config.errors import ConfigError
from shutdown_lint.config.schema import check, shown
from shutdown_lint.config.versions import require

MAX_BYTES = 1 << 20
FILES = (".shutdown-lint.toml", "shutdown-lint.toml", "pyproject.toml")
ROOT_MARKS = ("pyproject.toml", "setup.cfg", "setup.py", ".git", "shutdown-lint.toml", ".shutdown-lint.toml")


class Layer(NamedTuple):
    """Checked values by key, and the folder that their relative paths start from (None: the project root)."""

    values: dict[str, Any]
    folder: str | None = None
    path: str = ""


class Root(NamedTuple):
    """The project root; ``marked`` tells a folder that says it is one from a mere common parent."""

    folder: str
    marked: bool


def find_root(paths: Iterable[str]) -> Root:
    """The nearest folder at or above the paths' common parent that holds one of ``ROOT_MARKS``, else that parent."""
    start = _common_folder(paths)
    for folder in _upwards(start):
        if any(os.path.exists(os.path.join(folder, mark)) for mark in ROOT_MARKS):
            return Root(folder, marked=True)
    return Root(start, marked=False)


def find(paths: Iterable[str]) -> Layer:
    """The configuration of the paths: the nearest file that has something to say, up to the repository's root."""
    for folder in _upwards(_common_folder(paths)):
        for path in (os.path.join(folder, name) for name in FILES):
            # lexists: a dangling link is a mistake to tell, not a file that is not there
            if os.path.lexists(path) and (layer := _read(path)) is not None:
                return layer
        if os.path.exists(os.path.join(folder, ".git")):
            break
    return Layer({})


def read(path: str) -> Layer:
    """The configuration of a file that was named; patterns in it start from the project root."""
    layer = _read(path)
    return Layer({}, path=path) if layer is None else layer._replace(folder=None)


def _common_folder(paths: Iterable[str]) -> str:
    try:
        common = os.path.commonpath([os.path.abspath(path) for path in paths] or [os.getcwd()])
    except (OSError, ValueError):  # the current folder is gone; several drives
        return os.curdir
    return common if os.path.isdir(common) else os.path.dirname(common)


def _upwards(folder: str) -> Iterator[str]:
    while True:
        yield folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent


# --- reading ---------------------------------------------------------------------------------------------------------


def _read(path: str) -> Layer | None:
    """The checked table of a file; None for a ``pyproject.toml`` without one."""
    document, folder = load(path), os.path.dirname(os.path.abspath(path))
    if os.path.basename(path) != "pyproject.toml":
        require(document, path)
        return Layer(check(document, path), folder, path)
    tool = document.get("tool")
    if not isinstance(tool, dict) or "shutdown-lint" not in tool:
        return None
    table, where = tool["shutdown-lint"], f"{path}: [tool.shutdown-lint]"
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table, not {shown(table)}")
    require(table, where)
    return Layer(check(table, where), folder, path)


def load(path: str) -> dict[str, Any]:
    """A TOML file as a dict. Raises ``ConfigError`` with path, line and column where it cannot be read."""
    from shutdown_lint.source.reading import read_bytes
    from shutdown_lint.source.trouble import TroubleError

    try:
        data = read_bytes(path)
    except TroubleError as error:
        raise ConfigError(f"{path}: {error.trouble.message}") from error
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{path}: larger than 1 MiB")
    if data.startswith(b"\xef\xbb\xbf"):
        raise ConfigError(f"{path}:1:1: starts with a byte order mark, which TOML does not allow")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        line, col = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise ConfigError(f"{path}:{line}:{col}: not UTF-8") from error
    return parse(text, path)


def parse(text: str, origin: str) -> dict[str, Any]:
    """TOML text as a dict. Raises ``ConfigError``."""
    import tomli

    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        message, _, place = str(error).partition(" (at ")
        found = re.fullmatch(r"line (\d+), column (\d+)\)", place)
        line, col = found.groups() if found else _end(text)
        raise ConfigError(f"{origin}:{line}:{col}: invalid TOML: {_lower(message)}") from error
    except RecursionError as error:
        raise ConfigError(f"{origin}: too deeply nested") from error
    except ValueError as error:  # an integer of more digits than Python reads
        raise ConfigError(f"{origin}: invalid TOML: {_lower(str(error))}") from error


def _end(text: str) -> tuple[int, int]:
    return text.count("\n") + 1, len(text) - text.rfind("\n")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
