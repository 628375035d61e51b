"""What libraries do, as data: resources, callbacks, blocking calls, entry points. See ``docs/models.md`` for the schema."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any, NamedTuple

FOLDER = os.path.dirname(os.path.abspath(__file__))


class ModelError(Exception):
    """A model file is wrong; the message names the file and the entry."""


class Wait(NamedTuple):
    """A method that waits; its limit is the keyword ``timeout`` or the (0-based) ``position``; -1: it takes none."""

    method: str
    timeout: str
    position: int


class Resource(NamedTuple):
    """Something that is started and must be ended.

    ``name`` is the dotted name of its type, ``acquire`` are the calls that make one. ``start`` is empty where making it
    starts it. ``stop`` methods ask it to end, ``release`` methods end its lifetime. ``daemon`` is ``never``,
    ``always`` or ``keyword`` (the constructor's ``daemon=``). ``loses`` says what happens to one that is not released.
    """

    name: str
    kind: str
    acquire: tuple[str, ...]
    start: tuple[str, ...]
    stop: tuple[str, ...]
    release: tuple[str, ...]
    wait: tuple[Wait, ...]
    context_manager: bool
    daemon: str
    is_async: bool
    loses: str
    source: str


class Callback(NamedTuple):
    """A call that takes a function and runs it later under a role."""

    call: str
    role: str
    keyword: str
    position: int
    source: str


class Blocking(NamedTuple):
    """A call that waits. ``timeout``/``position``: how it takes a limit; ``wakes``: what ends the wait."""

    call: str
    timeout: str
    position: int
    wakes: str
    source: str


class Entry(NamedTuple):
    """A decorator that makes a function an entry point or a framework callback."""

    decorator: str
    role: str
    source: str


class HandlesSignals(NamedTuple):
    """A call that runs a program under its own SIGTERM handling."""

    call: str
    source: str


class Models(NamedTuple):
    """All models, by what they are looked up by."""

    resources: dict[str, Resource]
    acquire: dict[str, Resource]
    callbacks: dict[str, tuple[Callback, ...]]
    blocking: dict[str, Blocking]
    entries: dict[str, Entry]
    handles_signals: frozenset[str]
    results: dict[str, str]
    aliases: dict[str, str]
    triggers: frozenset[str]
    never_raises: frozenset[str] = frozenset()
    network: frozenset[str] = frozenset()

    def canonical(self, name: str) -> str:
        """The one name of something that has several: ``asyncio.tasks.create_task`` → ``asyncio.create_task``."""
        return self.aliases.get(name, name)

    def resource(self, name: str) -> Resource | None:
        """The resource type with this dotted name."""
        return self.resources.get(self.canonical(name))

    def result_of(self, call: str) -> str | None:
        """The dotted name of the type that an external call returns, where a model says so."""
        name = self.canonical(call)
        acquired = self.acquire.get(name)
        return self.results.get(name) or (acquired.name if acquired else None)


@lru_cache(maxsize=1)
def builtin_models() -> Models:
    """The models that ship with shutdown-lint."""
    import tomli

    tables: dict[str, list[dict[str, Any]]] = {}
    for file in sorted(os.listdir(FOLDER)):
        if file.endswith(".toml"):
            with open(os.path.join(FOLDER, file), "rb") as stream:
                for kind, rows in tomli.load(stream).items():
                    tables.setdefault(kind, []).extend({**row, "_file": file} for row in rows)
    return build(tables)


def build(tables: dict[str, list[dict[str, Any]]]) -> Models:
    """Models from tables as TOML gives them. Raises ``ModelError`` on unknown tables, keys and wrong types."""
    from shutdown_lint.models.schema import read

    rows = read(tables)
    resources: list[Resource] = rows["resource"]
    callbacks: dict[str, tuple[Callback, ...]] = {}
    for row in rows["callback"]:
        callbacks[row.call] = (*callbacks.get(row.call, ()), row)
    words = [name.rpartition(".")[2] for r in resources for name in r.acquire]
    words += [name.rpartition(".")[2] for r in resources for name in (r.name,)]
    return Models(
        resources={r.name: r for r in resources},
        acquire={name: r for r in resources for name in (r.name, *r.acquire)},
        callbacks=callbacks,
        blocking={row.call: row for row in rows["blocking"]},
        entries={row.decorator: row for row in rows["entry"]},
        handles_signals=frozenset(row.call for row in rows["handles_signals"]),
        results={row[0]: row[1] for row in rows["result"]},
        aliases={row[0]: row[1] for row in rows["alias"]},
        triggers=frozenset(words),
        never_raises=frozenset(call for calls in rows["never_raises"] for call in calls),
        network=frozenset(package for packages in rows["network"] for package in packages),
    )
