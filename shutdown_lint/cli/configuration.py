"""``shutdown-lint config``: what is configured here, what a key means, the schema for editors."""

from __future__ import annotations

import json
import os
from typing import Any

from shutdown_lint import config
from shutdown_lint.cli import FAILED
from shutdown_lint.cli.output import complain, to_stdout
from shutdown_lint.options import by_key, type_text
from shutdown_lint.report.view import safe

USAGE = """\
usage: shutdown-lint config [KEY]
       shutdown-lint config --schema

Print the settings that apply in the current folder, as TOML; with KEY, what it means. With --schema, the JSON schema of
the configuration, for editors.
"""


def run(given: list[str]) -> int:
    """See ``USAGE``."""
    match given[1:]:
        case ["-h" | "--help"]:
            to_stdout(USAGE)
        case ["--schema"]:
            from shutdown_lint.config.json_schema import schema

            to_stdout(json.dumps(schema(), indent=2) + "\n")
        case []:
            return _show()
        case [key] if not key.startswith("-"):
            return _explain(key)
        case _:
            complain(USAGE.partition("\n")[0])
            return FAILED
    return 0


def _show() -> int:
    try:
        layer, root = config.find([os.curdir]), config.find_root([os.curdir])
        settings = config.to_settings(config.rebase(layer, root.folder), root)
    except config.ConfigError as error:
        complain(str(error))
        return FAILED
    lines = [f"# from {layer.path or 'no file: these are the defaults'}", f"# project root: {root.folder}"]
    for key in by_key():
        value = getattr(settings, key.replace("-", "_"), None)
        if value is not None and key not in ("models", "budget"):
            lines.append(f"{key} = {_toml(key, value)}{'' if key in layer.values else '  # default'}")
    if settings.models:
        lines.append(f"# models: {', '.join(sorted(json.loads(settings.models)))}")
    for component in settings.budget.components:
        limit = "" if component.limit is None else f", limit {component.limit:g} s"
        lines.append(f"# budget: {component.name}, priority {component.priority}{limit}")
    lines.append(f"# budget: grace {settings.budget.grace:g} s")
    to_stdout("".join(f"{safe(line)}\n" for line in lines))
    return 0


def _toml(key: str, value: Any) -> str:
    if key == "target-version":
        return json.dumps("py{}{}".format(*value))
    if key in ("per-file-ignores", "severity"):
        pairs = (f"{json.dumps(name)} = {_toml('', words)}" for name, words in value)
        return f"{{{', '.join(pairs)}}}"
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def _explain(key: str) -> int:
    option = by_key().get(key)
    if option is None:
        from difflib import get_close_matches

        near = get_close_matches(key.replace("_", "-"), list(by_key()), 1, 0.6)
        complain(f"no key `{key}`" + (f"; did you mean `{near[0]}`?" if near else ""))
        return FAILED
    flag = f"\nflag: {option.flag}" if option.flag else ""
    to_stdout(f"{option.key}: {option.help}\n\ntype: {type_text(option)}\ndefault: {option.default}{flag}\n")
    return 0
