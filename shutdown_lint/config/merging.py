"""From layers of values to the settings of a run."""

from __future__ import annotations

import os
import re
from typing import Any

from shutdown_lint.config.errors import ConfigError
from shutdown_lint.config.files import Layer, Root, load
from shutdown_lint.config.schema import target_version
from shutdown_lint.settings import Budget, Component, Settings

_SELECTION = ("select", "extend-select", "ignore")
_OF_FILES = ("extend", "required-version")  # these speak of the configuration, not of the run
_GLOB_KEYS = ("exclude", "extend-exclude")


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
    if layer.folder is None:
        return layer.values
    if layer.folder == root:
        return with_absolute_files(layer.values, root)
    values, prefix = dict(layer.values), _parts(os.path.relpath(root, layer.folder))
    for key in set(_GLOB_KEYS) & set(values):
        values[key] = [moved for glob in values[key] if (moved := _moved(glob, prefix))]
    if "per-file-ignores" in values:
        table = values["per-file-ignores"]
        values["per-file-ignores"] = {moved: rules for glob, rules in table.items() if (moved := _moved(glob, prefix))}
    if "src" in values:
        values["src"] = [os.path.normpath(os.path.join(layer.folder, folder)) for folder in values["src"]]
    return with_absolute_files(values, layer.folder)


def with_absolute_files(values: dict[str, Any], folder: str) -> dict[str, Any]:
    """The values with the names of files taken from the folder."""
    out = dict(values)
    if "models" in out:
        files = [os.path.normpath(os.path.join(folder, file)) for file in out["models"].get("files", ())]
        out["models"] = {**out["models"], "files": files}
    if out.get("baseline"):
        out["baseline"] = os.path.normpath(os.path.join(folder, out["baseline"]))
    return out


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
        if key in _OF_FILES:
            continue
        changes[key.replace("-", "_")] = _of_root(key, value, root.folder) or _field(key, value)
    if "target-version" not in values:
        changes["target_version"] = required_python(root.folder) or Settings().target_version
    return Settings(**changes)


def _of_root(key: str, value: Any, root: str) -> str:
    """The value of a key that names files, which start from the project root; empty for other keys."""
    if key == "baseline" and value:
        return os.path.join(root, value)
    return _models(value, root) if key == "models" else ""


def _field(key: str, value: Any) -> Any:
    if key == "per-file-ignores":
        return tuple((glob, tuple(rules)) for glob, rules in value.items())
    if key == "budget":
        return _budget(value)
    if key in ("models", "baseline"):
        return ""
    if key == "severity":
        return tuple(value.items())
    if key == "target-version":
        return target_version(value)
    return tuple(value) if isinstance(value, list) else value


def _budget(value: dict[str, Any]) -> Budget:
    rows = value.get("components", ())
    found = tuple(Component(row["name"], row.get("priority", 0), row.get("limit")) for row in rows)
    return Budget(float(value.get("grace", Budget().grace)), found)


def _models(value: dict[str, Any], root: str) -> str:
    """The user's models as JSON: those of the files in their order, then those that stand in the configuration itself."""
    import json

    tables: dict[str, list[Any]] = {}
    for found in (*(model_file(os.path.join(root, file)) for file in value.get("files", ())), value):
        for table, rows in found.items():
            if table != "files":
                tables.setdefault(table, []).extend(rows)
    return json.dumps(tables, sort_keys=True) if tables else ""


def model_file(path: str) -> dict[str, Any]:
    """The checked tables of a file of models. Raises ``ConfigError``."""
    from shutdown_lint.models.schema import mistakes

    tables = load(path)
    tables.pop("package", None)
    errors = [f"{path}: {mistake}" for mistake in mistakes(tables)]
    if errors:
        raise ConfigError("\n".join(errors))
    return tables


def required_python(root: str) -> tuple[int, int] | None:
    """The lower bound of ``requires-python`` in the root's ``pyproject.toml``; None where none can be told."""
    try:
        project = load(os.path.join(root, "pyproject.toml")).get("project")
    except ConfigError:
        return None
    required = project.get("requires-python") if isinstance(project, dict) else None
    bounds = re.findall(r"(?:>=|~=|==|>)\s*3\.([0-9]{1,2})", required) if isinstance(required, str) else []
    return (3, max(map(int, bounds))) if bounds else None
