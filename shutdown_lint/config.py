"""Configuration: which file applies, what it may say, how mistakes are told, and the settings that come of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from shutdown_lint.options import Option, by_key, type_text
from shutdown_lint.settings import Settings

MAX_BYTES = 1 << 20
FILES = (".shutdown-lint.toml", "shutdown-lint.toml", "pyproject.toml")
ROOT_MARKS = ("pyproject.toml", "setup.cfg", "setup.py", ".git", "shutdown-lint.toml", ".shutdown-lint.toml")
_SELECTION = ("select", "extend-select", "ignore")
_GLOB_KEYS = ("exclude", "extend-exclude")


class ConfigError(Exception):
    """A configuration cannot be used. The message has a line for each mistake, with file and key."""


class Layer(NamedTuple):
    """Checked values by key, and the folder that their relative paths start from (None: the project root)."""

    values: dict[str, Any]
    folder: str | None = None
    path: str = ""


class Root(NamedTuple):
    """The project root; ``marked`` tells a folder that says it is one from a mere common parent."""

    folder: str
    marked: bool


# --- where -----------------------------------------------------------------------------------------------------------


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
        return Layer(check(document, path), folder, path)
    tool = document.get("tool")
    if not isinstance(tool, dict) or "shutdown-lint" not in tool:
        return None
    table, where = tool["shutdown-lint"], f"{path}: [tool.shutdown-lint]"
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table, not {_shown(table)}")
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


# --- checking --------------------------------------------------------------------------------------------------------


def check(table: dict[str, Any], where: str) -> dict[str, Any]:
    """The table itself when it is right; else ``ConfigError`` with everything that is wrong in it."""
    known = by_key()
    errors = [
        f"{where}: {error}"
        for key, value in table.items()
        for error in (_mistakes(known[key], value, key) if key in known else [_unknown(key, known)])
    ]
    if errors:
        raise ConfigError("\n".join(errors))
    return table


def _unknown(key: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key.replace("_", "-"), list(known), 1, 0.6)
    return f"unknown key `{key}`" + (f"; did you mean `{near[0]}`?" if near else "")


def _mistakes(option: Option, value: Any, key: str) -> Iterator[str]:
    if option.kind == "table" and isinstance(value, dict):
        for glob, rules in value.items():
            yield from _list_mistakes(rules, f'{key}."{glob}"', selectors=True)
    elif option.kind in ("selectors", "patterns"):
        yield from _list_mistakes(value, key, option.kind == "selectors")
    elif not _fits(option, value):
        yield f"`{key}` must be {type_text(option)}, not {_shown(value)}"


def _fits(option: Option, value: Any) -> bool:
    if option.kind == "switch":
        return isinstance(value, bool)
    if option.kind == "version":
        return isinstance(value, str) and target_version(value) is not None
    return isinstance(value, str) and value in option.words


def _list_mistakes(value: Any, key: str, selectors: bool) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"`{key}` must be a list of strings, not {_shown(value)}"
        return
    for number, item in enumerate(value):
        if not isinstance(item, str):
            yield f"`{key}[{number}]` must be a string, not {_shown(item)}"
        elif selectors and (problem := _selector_problem(item)):
            yield f"`{key}[{number}]`: {problem}"


def _selector_problem(selector: str) -> str:
    from shutdown_lint.rules import registry

    try:
        registry.matching(selector)
    except registry.UnknownSelector as error:
        return str(error)
    return ""


def _shown(value: Any) -> str:
    names = {str: "string", bool: "boolean", int: "integer", float: "float", list: "array", dict: "table"}
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return f"{names.get(type(value), 'date')} {text if len(text) <= 40 else text[:39] + '…'}"


def target_version(text: str) -> tuple[int, int] | None:
    """``py310`` or ``3.10`` → ``(3, 10)``; None for anything else."""
    found = re.fullmatch(r"(?:py3|3\.)([0-9]{1,2})", text)
    return (3, int(found[1])) if found else None


# --- merging ---------------------------------------------------------------------------------------------------------


def merge(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    """Values of which the upper ones win. What extends or ignores adds up, unless the upper ones select anew."""
    kept = {key: value for key, value in lower.items() if key not in _SELECTION or "select" not in upper}
    added = {
        key: [*kept.get(key, ()), *value] if key.startswith("extend-") or key == "ignore" else value
        for key, value in upper.items()
    }
    return {**kept, **added}


def rebase(layer: Layer, root: str) -> dict[str, Any]:
    """The values of a layer, its patterns and folders made relative to the project root."""
    if layer.folder is None or layer.folder == root:
        return layer.values
    values, prefix = dict(layer.values), _parts(os.path.relpath(root, layer.folder))
    for key in set(_GLOB_KEYS) & set(values):
        values[key] = [moved for glob in values[key] if (moved := _moved(glob, prefix))]
    if "per-file-ignores" in values:
        table = values["per-file-ignores"]
        values["per-file-ignores"] = {moved: rules for glob, rules in table.items() if (moved := _moved(glob, prefix))}
    if "src" in values:
        values["src"] = [os.path.normpath(os.path.join(layer.folder, folder)) for folder in values["src"]]
    return values


def _moved(glob: str, prefix: list[str]) -> str:
    """The glob as seen from a folder further down; empty when it speaks of other folders only."""
    from fnmatch import fnmatchcase

    parts = _parts(glob.removeprefix("./"))
    if len(parts) == 1 or parts[0] == "**":
        return glob
    if not all(fnmatchcase(folder, part) for folder, part in zip(prefix, parts, strict=False)):
        return ""
    return "/".join(parts[len(prefix) :]) or "*"


def _parts(path: str) -> list[str]:
    return [part for part in path.replace(os.sep, "/").split("/") if part not in ("", ".")]


def to_settings(values: dict[str, Any], root: Root) -> Settings:
    """Settings from checked values. Outside of any project only the paths given are known: not the whole disk."""
    changes: dict[str, Any] = {"root": root.folder, "knowledge": "project" if root.marked else "paths"}
    for key, value in values.items():
        changes[key.replace("-", "_")] = _field(key, value)
    if "target-version" not in values:
        changes["target_version"] = required_python(root.folder) or Settings().target_version
    return Settings(**changes)


def _field(key: str, value: Any) -> Any:
    if key == "per-file-ignores":
        return tuple((glob, tuple(rules)) for glob, rules in value.items())
    if key == "target-version":
        return target_version(value)
    return tuple(value) if isinstance(value, list) else value


def required_python(root: str) -> tuple[int, int] | None:
    """The lower bound of ``requires-python`` in the root's ``pyproject.toml``; None where none can be told."""
    try:
        project = load(os.path.join(root, "pyproject.toml")).get("project")
    except ConfigError:
        return None
    required = project.get("requires-python") if isinstance(project, dict) else None
    bounds = re.findall(r"(?:>=|~=|==|>)\s*3\.([0-9]{1,2})", required) if isinstance(required, str) else []
    return (3, max(map(int, bounds))) if bounds else None
