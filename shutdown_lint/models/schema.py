"""The schema of model files: which tables and keys there are, and what type each key has."""

from __future__ import annotations

from typing import Any

from shutdown_lint.models import Blocking, Callback, Entry, HandlesSignals, ModelError, Resource, Wait

KINDS = frozenset(
    {
        "thread",
        "timer",
        "process",
        "child",
        "pool",
        "executor",
        "server",
        "consumer",
        "scheduler",
        "session",
        "task",
        "file",
        "socket",
        "connection",
        "tempdir",
        "selector",
        "loop",
        "queue",
        "observer",
    }
)
_REQUIRED = object()
_STRINGS: tuple[str, ...] = ()

# table → key → default (its type is the key's type); _REQUIRED strings have no default
SCHEMA: dict[str, dict[str, Any]] = {
    "resource": {
        "name": _REQUIRED,
        "kind": _REQUIRED,
        "acquire": _STRINGS,
        "start": _STRINGS,
        "stop": _STRINGS,
        "release": _STRINGS,
        "wait": (),
        "context_manager": False,
        "daemon": "never",
        "is_async": False,
        "loses": "",
        "source": _REQUIRED,
    },
    "callback": {"call": _REQUIRED, "role": _REQUIRED, "keyword": "", "position": -1, "source": ""},
    "blocking": {"call": _REQUIRED, "timeout": "", "position": -1, "wakes": "", "source": ""},
    "entry": {"decorator": _REQUIRED, "role": _REQUIRED, "source": ""},
    "handles_signals": {"call": _REQUIRED, "source": ""},
    "result": {"call": _REQUIRED, "type": _REQUIRED},
    "alias": {"name": _REQUIRED, "means": _REQUIRED},
    "never_raises": {"calls": _STRINGS, "source": ""},
    "network": {"packages": _STRINGS, "source": ""},
}
_MAKE: dict[str, Any] = {
    "resource": Resource,
    "callback": Callback,
    "blocking": Blocking,
    "entry": Entry,
    "handles_signals": HandlesSignals,
    "result": lambda call, type: (call, type),
    "alias": lambda name, means: (name, means),
    "never_raises": lambda calls, source: calls,
    "network": lambda packages, source: packages,
}


def read(tables: dict[str, list[dict[str, Any]]]) -> dict[str, list[Any]]:
    """Typed rows by table; all errors of all tables at once."""
    errors: list[str] = []
    out: dict[str, list[Any]] = {kind: [] for kind in SCHEMA}
    for table, rows in tables.items():
        if table not in SCHEMA:
            errors.append(f"unknown table [[{table}]]")
            continue
        for row in rows:
            values = _row(table, row, errors)
            if values is not None:
                out[table].append(_MAKE[table](**values))
    if errors:
        raise ModelError("\n".join(errors))
    return out


def _row(table: str, row: dict[str, Any], errors: list[str]) -> dict[str, Any] | None:
    where = f"{row.get('_file', '?')}: [[{table}]] {row.get('name') or row.get('call') or row.get('decorator') or '?'}"
    known = SCHEMA[table]
    before = len(errors)
    errors += [f"{where}: unknown key `{key}`" for key in row if key not in known and key != "_file"]
    values = {key: _value(key, row.get(key, default), default, where, errors) for key, default in known.items()}
    if table == "resource" and values["kind"] not in KINDS:
        errors.append(f"{where}: unknown kind `{values['kind']}`")
    return values if len(errors) == before else None


def _value(key: str, value: Any, default: Any, where: str, errors: list[str]) -> Any:
    if value is _REQUIRED:
        errors.append(f"{where}: `{key}` is missing")
        return ""
    if key == "wait":
        return tuple(Wait(w["method"], w.get("timeout", ""), w.get("position", -1)) for w in value)
    if isinstance(default, tuple):
        return tuple(value)
    expected = str if default is _REQUIRED else type(default)
    if not isinstance(value, expected):
        errors.append(f"{where}: `{key}` must be {expected.__name__}")
    return value
