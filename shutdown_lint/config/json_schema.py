"""The JSON schema of the configuration, for editors (Even Better TOML, taplo, PyCharm): made from the table of options.

What a schema cannot say (a glob whose bracket is never closed, an impossible version) ``config.check`` still refuses.
"""

from __future__ import annotations

from typing import Any

from shutdown_lint.options import Option, by_key

DIALECT = "http://json-schema.org/draft-07/schema#"


def schema() -> dict[str, Any]:
    """The schema of ``shutdown-lint.toml``, and so of ``[tool.shutdown-lint]``."""
    return {
        "$schema": DIALECT,
        "$id": "https://shutdown-lint.readthedocs.io/en/stable/shutdown-lint.schema.json",
        "title": "shutdown-lint",
        "description": "Configuration of shutdown-lint, in shutdown-lint.toml or [tool.shutdown-lint] of pyproject.toml",
        "type": "object",
        "additionalProperties": False,
        "properties": {key: {"description": option.help, **_type(option)} for key, option in by_key().items()},
        "definitions": {"selector": _selector(), "selectors": _list({"$ref": "#/definitions/selector"})},
    }


def _type(option: Option) -> dict[str, Any]:
    match option.kind:
        case "switch":
            return {"type": "boolean", "default": option.default == "true"}
        case "choice":
            return {"enum": list(option.words), "default": option.default.strip('"')}
        case "selectors":
            return {"$ref": "#/definitions/selectors"}
        case "patterns":
            return _list({"type": "string"})
        case "version":
            return {"type": "string", "pattern": r"^(py3|3\.)[0-9]{1,2}$"}
        case "table":
            return {"type": "object", "additionalProperties": {"$ref": "#/definitions/selectors"}}
        case "severities":
            return {
                "type": "object",
                "propertyNames": {"$ref": "#/definitions/selector"},
                "additionalProperties": {"enum": list(option.words)},
            }
        case "models":
            return _models()
        case "budget":
            return _budget()
    return {"type": "string"}


def _budget() -> dict[str, Any]:
    seconds = {"type": "number", "exclusiveMinimum": 0}
    component = {"name": {"type": "string"}, "priority": {"type": "integer"}, "limit": seconds}
    row = {"type": "object", "additionalProperties": False, "required": ["name"], "properties": component}
    return {"type": "object", "additionalProperties": False, "properties": {"grace": seconds, "components": _list(row)}}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _selector() -> dict[str, Any]:
    """ALL, a prefix, a code or a name, in any case: completed as written here, matched in any case."""
    from shutdown_lint.rules.registry import entries

    codes = [entry.code for entry in entries()]
    prefixes = {code[:size] for code in codes for size in (4, 5)}
    names = [entry.name for entry in entries()]
    words = ["ALL", "SHD", *sorted(prefixes), *codes, *names]
    return {"anyOf": [{"enum": words}, {"type": "string", "pattern": f"^\\s*({'|'.join(map(_any_case, words))})\\s*$"}]}


def _any_case(word: str) -> str:
    """A pattern for the word in any case: schemas know no flags."""
    return "".join(f"[{char.upper()}{char.lower()}]" if char.isalpha() else char for char in word)


# --- models ----------------------------------------------------------------------------------------------------------


def _models() -> dict[str, Any]:
    from shutdown_lint.models.schema import SCHEMA, TABLES

    tables = {
        name: {"description": TABLES[name], **_list(_row({key.name: key for key in keys}))}
        for name, keys in SCHEMA.items()
    }
    files = {"description": "files that hold more such tables", **_list({"type": "string"})}
    return {"type": "object", "additionalProperties": False, "properties": {"files": files, **tables}}


def _row(keys: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, key in keys.items() if key.default is None],
        "properties": {name: {"description": key.help, **_value(key)} for name, key in keys.items()},
    }


def _value(key: Any) -> dict[str, Any]:
    types: dict[str, dict[str, Any]] = {
        "word": {"enum": list(key.words)},
        "switch": {"type": "boolean"},
        "position": {"type": "integer"},
        "waits": _list({"type": "object"}),
    }
    if key.kind in ("dotteds", "paths", "names", "texts"):
        return _list({"type": "string"})
    return types.get(key.kind, {"type": "string"})
