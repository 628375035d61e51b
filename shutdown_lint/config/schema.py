"""What a configuration may say: every key, type and selector is checked, and all mistakes are told at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from shutdown_lint.config.errors import ConfigError
from shutdown_lint.options import Option, by_key, type_text


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
            yield from _glob_mistakes(glob, f'{key}."{glob}"')
            yield from _list_mistakes(rules, f'{key}."{glob}"', "selectors")
    elif option.kind == "severities" and isinstance(value, dict):
        for selector, severity in value.items():
            yield from _selector_mistakes(selector, key)
            if severity not in option.words:
                words = " or ".join(f'"{word}"' for word in option.words)
                yield f'`{key}."{selector}"` must be {words}, not {shown(severity)}'
    elif option.kind == "models" and isinstance(value, dict):
        yield from _model_mistakes(value, key)
    elif option.kind == "budget" and isinstance(value, dict):
        yield from _budget_mistakes(value, key)
    elif option.kind in ("selectors", "patterns"):
        yield from _list_mistakes(value, key, option.kind)
    elif not _fits(option, value):
        yield f"`{key}` must be {type_text(option)}, not {shown(value)}"


def _fits(option: Option, value: Any) -> bool:
    if option.kind == "switch":
        return isinstance(value, bool)
    if option.kind == "version":
        return isinstance(value, str) and target_version(value) is not None
    if option.kind == "text":
        return isinstance(value, str)
    return option.kind == "choice" and isinstance(value, str) and value in option.words


def _list_mistakes(value: Any, key: str, kind: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"`{key}` must be a list of strings, not {shown(value)}"
        return
    for number, item in enumerate(value):
        if not isinstance(item, str):
            yield f"`{key}[{number}]` must be a string, not {shown(item)}"
        elif kind == "selectors":
            yield from _selector_mistakes(item, f"{key}[{number}]")
        else:
            yield from _glob_mistakes(item, f"{key}[{number}]")


def _model_mistakes(value: dict[str, Any], key: str) -> Iterator[str]:
    from shutdown_lint.models.schema import SCHEMA, mistakes

    files = value.get("files", [])
    if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
        yield f"`{key}.files` must be a list of strings, not {shown(files)}"
    unknown = [name for name in value if name not in ("files", *SCHEMA)]
    yield from (_unknown(name, ("files", *SCHEMA)).replace("key `", f"key `{key}.") for name in unknown)
    known = {name: rows for name, rows in value.items() if name in SCHEMA}
    yield from (f"{key}: {mistake}" for mistake in mistakes(known))


_BUDGET = ("grace", "components")
_COMPONENT = ("name", "priority", "limit")


def _budget_mistakes(value: dict[str, Any], key: str) -> Iterator[str]:
    yield from (_unknown(name, _BUDGET).replace("key `", f"key `{key}.") for name in value if name not in _BUDGET)
    if not _is_seconds(value.get("grace", 1)):
        yield f"`{key}.grace` must be a positive number of seconds, not {shown(value['grace'])}"
    rows = value.get("components", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        yield f"`{key}.components` must be an array of tables, not {shown(rows)}"
        return
    for number, row in enumerate(rows):
        where = f"{key}.components[{number}]"
        yield from (
            _unknown(name, _COMPONENT).replace("key `", f"key `{where}.") for name in row if name not in _COMPONENT
        )
        if not isinstance(row.get("name"), str) or not row["name"]:
            yield f"`{where}` needs a `name`: the dotted name of a class or function"
        if type(row.get("priority", 0)) is not int:
            yield f"`{where}.priority` must be an integer, not {shown(row['priority'])}"
        if not _is_seconds(row.get("limit", 1)):
            yield f"`{where}.limit` must be a positive number of seconds, not {shown(row['limit'])}"


def _is_seconds(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e6


def _selector_mistakes(selector: str, key: str) -> Iterator[str]:
    from shutdown_lint.rules import registry

    try:
        registry.matching(selector)
    except registry.UnknownSelector as error:
        yield f"`{key}`: {error}"


def _glob_mistakes(glob: str, key: str) -> Iterator[str]:
    # such a glob would be taken literally, and match nothing that is meant
    if "[" in re.sub(r"\[!?\]?[^\]]*\]", "", glob):
        yield f"`{key}`: a `[` in the glob is never closed"


def shown(value: Any) -> str:
    """The type and the value, for messages; long values are cut."""
    names = {str: "string", bool: "boolean", int: "integer", float: "float", list: "array", dict: "table"}
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return f"{names.get(type(value), 'date')} {text if len(text) <= 40 else text[:39] + '…'}"


def target_version(text: str) -> tuple[int, int] | None:
    """``py310`` or ``3.10`` → ``(3, 10)``; None for anything else."""
    found = re.fullmatch(r"(?:py3|3\.)([0-9]{1,2})", text)
    return (3, int(found[1])) if found else None
