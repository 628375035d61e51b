"""The TOML files of the models, and the one file that they are compiled to. Nothing here is used by a run."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from shutdown_lint.models import FOLDER, ModelError
from shutdown_lint.models.schema import SCHEMA, read


class Library(NamedTuple):
    """One file: the distribution and version that it was checked against (empty: the standard library), its rows.

    ``unchecked`` says why ``scripts/verify_models.py`` does not look at it.
    """

    file: str
    package: str
    version: str
    unchecked: str
    rows: dict[str, list[Any]]


def libraries(folder: str = FOLDER) -> list[Library]:
    """All files, by name. Raises ``ModelError`` with every mistake in them."""
    found, errors = [], []
    for file in sorted(os.listdir(folder)):
        if file.endswith(".toml"):
            try:
                found.append(_library(os.path.join(folder, file), file))
            except ModelError as error:
                errors.append(str(error))
    errors += _twice(found)
    if errors:
        raise ModelError("\n".join(errors))
    return found


def _library(path: str, file: str) -> Library:
    import tomli

    with open(path, "rb") as stream:
        tables = tomli.load(stream)
    package = tables.pop("package", {})
    if not isinstance(package, dict) or set(package) - {"name", "version", "unchecked"}:
        raise ModelError(f"{file}: [package] holds `name`, `version` and `unchecked`, and nothing else")
    rows = read(tables, file)
    named = Library(file, package.get("name", ""), package.get("version", ""), package.get("unchecked", ""), rows)
    return named._replace(rows={table: [_cited(named, row) for row in rows[table]] for table in rows})


def _cited(library: Library, row: Any) -> Any:
    """The row, its source told with package and version: ``redis 8.1.0, redis/client.py``."""
    if not library.package or "source" not in row._fields or row.source.startswith("https:"):
        return row
    return row._replace(source=", ".join(filter(None, (f"{library.package} {library.version}", row.source))))


def _twice(found: list[Library]) -> list[str]:
    """Things that two rows speak about; the second would silently win."""
    seen: dict[tuple[str, str], str] = {}
    errors = []
    for library in found:
        for table, rows in library.rows.items():
            for name in (name for row in rows for name in (row.makers if table == "resource" else _key(table, row))):
                if (table, name) in seen:
                    errors.append(f"{library.file}: [[{table}]] {name} stands in {seen[table, name]} already")
                seen[table, name] = library.file
    return errors


def _key(table: str, row: Any) -> tuple[str, ...]:
    # a call may take several callbacks, a class call methods under several roles
    if table in ("callback", "override"):
        return ()
    return (row.name, *row.also) if table == "command" else (row[0],)


def render() -> str:
    """The text of the compiled file: tables of rows, each row a list of values in the order of the schema."""
    import json

    found = libraries()
    tables = []
    for table in SCHEMA:
        rows = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) for lib in found for row in lib.rows[table])
        tables.append(f'"{table}":[\n' + ",\n".join(rows) + "\n]")
    return "{" + ",\n".join(tables) + "}\n"
