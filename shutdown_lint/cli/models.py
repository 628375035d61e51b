"""``shutdown-lint models`` and ``shutdown-lint models check FILE``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shutdown_lint.cli import FAILED
from shutdown_lint.cli.output import complain, to_stdout

if TYPE_CHECKING:
    from shutdown_lint.models import Models

USAGE = """\
usage: shutdown-lint models [--isolated] [--output-format text|json]
       shutdown-lint models check FILE ...

List what is known about libraries, your own models (`[tool.shutdown-lint.models]`) included; --isolated leaves them
out. Or check files of models: what is wrong with them is told, and the exit code is 2.
"""


def run(given: list[str]) -> int:
    """List the models, or check files of them; the exit code."""
    rest = given[1:]
    if rest[:1] in (["-h"], ["--help"]):
        to_stdout(USAGE)
        return 0
    if rest[:1] == ["check"]:
        return _check(rest[1:])
    isolated = "--isolated" in rest
    rest = [word for word in rest if word != "--isolated"]
    if rest[:1] == ["--output-format"]:
        rest = [f"--output-format={' '.join(rest[1:])}"]
    if rest not in ([], ["--output-format=text"], ["--output-format=json"]):
        complain(USAGE.splitlines()[0])
        return FAILED
    return _list(isolated, as_json=rest[-1:] == ["--output-format=json"])


def _check(files: list[str]) -> int:
    from shutdown_lint import config

    if not files or any(file.startswith("-") for file in files):
        complain(f"usage: {USAGE.splitlines()[1].strip()}")
        return FAILED
    failed = False
    for file in files:
        try:
            tables = config.model_file(file)
        except config.ConfigError as error:
            complain(str(error))
            failed = True
        else:
            number = sum(map(len, tables.values()))
            to_stdout(f"{file}: {number} {'model' if number == 1 else 'models'}, all right\n")
    return FAILED if failed else 0


def _list(isolated: bool, *, as_json: bool) -> int:
    from shutdown_lint import config
    from shutdown_lint.models import with_users

    try:
        root = config.find_root(["."])
        layer = config.Layer({}) if isolated else config.find(["."])
        models = with_users(config.to_settings(config.rebase(layer, root.folder), root).models)
    except config.ConfigError as error:
        complain(str(error))
        return FAILED
    to_stdout(_json(models) if as_json else _text(models))
    return 0


def _text(models: Models) -> str:
    resources = sorted(models.resources.values())
    width = max(len(resource.name) for resource in resources)
    rows = [
        f"{resource.name:<{width}}  {resource.kind:<10}  {_ended_by(resource)}".rstrip() + "\n"
        for resource in resources
    ]
    counts = [
        f"{len(models.resources)} resources",
        f"{len(models.blocking)} calls that wait",
        f"{sum(map(len, models.callbacks.values()))} callbacks",
        f"{len(models.entries)} decorators",
        f"{len(models.overrides)} classes with methods that libraries call",
        f"{len(models.handles_signals)} calls that handle SIGTERM",
    ]
    return "".join(rows) + f"\n{', '.join(counts)}.\n`--output-format json` shows all.\n"


def _ended_by(resource: Any) -> str:
    return ", ".join(f"{name}()" for name in resource.release)


def _json(models: Models) -> str:
    import json

    tables: dict[str, list[Any]] = {
        "resource": sorted(models.resources.values()),
        "callback": sorted(row for rows in models.callbacks.values() for row in rows),
        "blocking": sorted(models.blocking.values()),
        "entry": sorted(models.entries.values()),
        "override": sorted(models.overrides),
        "chain": sorted({row for rows in models.chains.values() for row in rows}),
        "handles_signals": sorted(models.handles_signals.values()),
        "exit": sorted(models.exits.values()),
    }
    shown = {table: [_fields(row) for row in rows] for table, rows in tables.items()}
    return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"


def _fields(row: Any) -> dict[str, Any]:
    fields: dict[str, Any] = row._asdict()
    if "wait" in fields:
        fields["wait"] = [wait._asdict() for wait in row.wait]
    return fields
