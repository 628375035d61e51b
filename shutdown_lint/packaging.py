"""What the project declares of itself: console scripts, by which users enter its programs, and that it runs on Windows.

Scripts are read from ``pyproject.toml`` (``[project.scripts]``, ``[project.gui-scripts]``, ``[tool.poetry.scripts]``),
``setup.cfg`` (``[options.entry_points]``) and the metadata of installed copies (``*.dist-info``, ``*.egg-info``) in the
root folder; platforms from the classifiers in any of these, and in ``setup.py``, which is read as text.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from shutdown_lint.source import TroubleError, read_bytes

Script = tuple[str, str]

_KINDS = ("console_scripts", "gui_scripts")
_ON_WINDOWS = re.compile(r"Operating System :: (?:OS Independent|Microsoft(?: :: [^\"'\n]*)?)")
_TARGET = re.compile(r"[\w.]+(?::[\w.]+)?")


def scripts(root: str) -> tuple[Script, ...]:
    """``("name", "package.module:function")`` of each console script, sorted. Files that cannot be read give none."""
    found = {*_from_pyproject(root), *_from_setup_cfg(root), *_from_metadata(root)}
    return tuple(sorted(found))


class Declared(NamedTuple):
    """Where the project says that it runs on Windows: a file, a 1-based line, the classifier."""

    path: str
    line: int
    classifier: str


def windows(root: str) -> Declared | None:
    """The classifier by which the project says that it runs on Windows, or on every system (PyPI's trove classifiers)."""
    names = [name for name in ("pyproject.toml", "setup.cfg", "setup.py") if os.path.exists(os.path.join(root, name))]
    for path in (*names, *_metadata(root, "METADATA", "PKG-INFO")):
        text = _text(os.path.join(root, path))
        match = _ON_WINDOWS.search(text)
        if match:
            return Declared(os.path.join(root, path), text.count("\n", 0, match.start()) + 1, match.group())
    return None


def _metadata(root: str, *files: str) -> Iterator[str]:
    try:
        names = sorted(os.listdir(root))
    except OSError:
        return
    for name in names:
        if name.endswith((".dist-info", ".egg-info")):
            yield from (os.path.join(name, file) for file in files if os.path.exists(os.path.join(root, name, file)))


def _from_pyproject(root: str) -> Iterator[Script]:
    text = _text(os.path.join(root, "pyproject.toml"))
    if "scripts" not in text:
        return
    import tomli

    try:
        document: dict[str, Any] = tomli.loads(text)
    except (tomli.TOMLDecodeError, RecursionError):
        # the configuration reader tells about a broken file
        return
    for keys in (("project", "scripts"), ("project", "gui-scripts"), ("tool", "poetry", "scripts")):
        yield from _pairs(_table(document, keys).items())


def _table(document: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    value: Any = document
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _pairs(items: Iterable[tuple[str, Any]]) -> Iterator[Script]:
    for name, target in items:
        # poetry: name = { reference = "package.module:function", type = "console" }
        text = target.get("reference", target.get("callable")) if isinstance(target, dict) else target
        match = _TARGET.match(text.strip()) if isinstance(text, str) else None
        if match:
            yield name, match.group()


def _from_setup_cfg(root: str) -> Iterator[Script]:
    text = _text(os.path.join(root, "setup.cfg"))
    if any(kind in text for kind in _KINDS):
        for key, value in _ini(text).get("options.entry_points", []):
            if key in _KINDS:
                yield from _lines(value.split("\n"))


def _from_metadata(root: str) -> Iterator[Script]:
    for path in _metadata(root, "entry_points.txt"):
        sections = _ini(_text(os.path.join(root, path)))
        yield from _pairs(pair for kind in _KINDS for pair in sections.get(kind, []))


def _lines(lines: Iterable[str]) -> Iterator[Script]:
    yield from _pairs(
        (name.strip(), target) for name, equals, target in (line.partition("=") for line in lines) if equals
    )


def _ini(text: str) -> dict[str, list[tuple[str, str]]]:
    """Sections of an INI file: keys with their values, continuation lines joined by newlines."""
    sections: dict[str, list[tuple[str, str]]] = {}
    current: list[tuple[str, str]] = []
    for line in re.split(r"\r\n|\n|\r", text):
        bare = line.strip()
        if not bare or bare[0] in "#;":
            continue
        if bare[0] == "[" and bare[-1] == "]":
            current = sections.setdefault(bare[1:-1].strip(), [])
        elif line[0] in " \t" and current:
            current[-1] = (current[-1][0], f"{current[-1][1]}\n{bare}")
        else:
            key, _, value = bare.partition("=")
            current.append((key.strip(), value.strip()))
    return sections


def _text(path: str) -> str:
    try:
        return read_bytes(path).decode("utf-8", "replace")
    except TroubleError:
        return ""
