"""What libraries do, as data: resources, callbacks, blocking calls, entry points. ``docs/models.md`` tells the schema.

The models are written in TOML, one file a library, and compiled by ``scripts/generate.py`` to one JSON file, which is
what a run reads. Users' own models come as tables of the same form from the configuration.

===========  ======================================================
``schema``   tables, keys, types; every mistake is told at once
``sources``  the TOML files, and the text that they are compiled to
===========  ======================================================
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

FOLDER = os.path.dirname(os.path.abspath(__file__))
COMPILED = os.path.join(FOLDER, "compiled.json")


class ModelError(Exception):
    """Models are wrong; the message has a line for each mistake, with file, entry and key."""


class Wait(NamedTuple):
    """A method that waits; its limit is the keyword ``timeout`` or the (0-based) ``position``; -1: it takes none."""

    method: str
    timeout: str
    position: int


class Resource(NamedTuple):
    """Something that is started and must be ended.

    ``name`` is the dotted name of its type, ``also`` are other names of that type (where it is defined, where it is
    exported), ``acquire`` the subclasses and functions that make one (as an ``item`` of a tuple). ``start`` is empty where making it starts it.
    ``stop`` methods ask it to end, ``release`` methods end its lifetime, as ``release_calls`` do when it is handed to
    them, and ``maker_release`` methods of the object that made it. ``daemon`` is ``never``, ``always`` or
    ``keyword`` (the constructor's ``daemon=``). ``loses`` says what happens to one that is not released, and ``loss``
    how bad that is: ``real``, ``untidy`` (the garbage collector or the system does it), ``none``; ``closed`` what
    becomes of a use after the release (empty where it does no harm, or that is not known). ``given_back``: the end of the
    process loses nothing of it; or only after a use of one of ``burdens``.
    """

    name: str
    kind: str
    also: tuple[str, ...]
    acquire: tuple[str, ...]
    item: int
    start: tuple[str, ...]
    stop: tuple[str, ...]
    release: tuple[str, ...]
    release_calls: tuple[str, ...]
    maker_release: tuple[str, ...]
    wait: tuple[Wait, ...]
    context_manager: bool
    daemon: str
    is_async: bool
    loses: str
    closed: str
    loss: str
    given_back: bool
    burdens: tuple[str, ...]
    source: str

    @property
    def title(self) -> str:
        """What messages call it."""
        return {"os.fd": "file descriptor", "pty.fd": "file descriptor", "tempfile.mkdtemp": "temporary folder"}.get(
            self.name, self.name
        )

    @property
    def ends(self) -> tuple[str, ...]:
        """The names of the uses of a track that end its lifetime."""
        return (*self.release, *self.release_calls)

    def ending(self, name: str) -> str:
        """The call that releases it when it rests in ``name``."""
        return f"{name}.{self.release[0]}()" if self.release else f"{self.release_calls[0]}({name})"

    @property
    def makers(self) -> tuple[str, ...]:
        """Everything that makes one when it is called."""
        return (self.name, *self.also, *self.acquire)


class Callback(NamedTuple):
    """A call that takes a function and runs it later under a role; ``awaits``: it may be a coroutine function."""

    call: str
    role: str
    keyword: str
    position: int
    awaits: bool
    source: str


class Blocking(NamedTuple):
    """A call that waits. ``timeout``/``position``: how it takes a limit; ``wakes``: what ends the wait.

    ``forever``: it runs until the program is stopped. ``is_async``: it waits where it is awaited.
    """

    call: str
    timeout: str
    position: int
    wakes: str
    forever: bool
    is_async: bool
    source: str


class Entry(NamedTuple):
    """A decorator that makes a function an entry point or a framework callback."""

    decorator: str
    role: str
    source: str


class Override(NamedTuple):
    """Methods of subclasses that the library calls, with the role under which it does."""

    base: str
    methods: tuple[str, ...]
    role: str
    source: str


class Chain(NamedTuple):
    """Methods of a library's class that end something: an override that does not call them leaves it."""

    base: str
    also: tuple[str, ...]
    methods: tuple[str, ...]
    loses: str
    loss: str
    source: str


class HandlesSignals(NamedTuple):
    """A call that runs a program under its own SIGTERM handling, but not where the keyword ``unless`` is false."""

    call: str
    unless: str
    source: str


class Borrow(NamedTuple):
    """Functions that use a resource which they are handed, and neither keep nor end it."""

    call: str
    also: tuple[str, ...]
    source: str


class NeverRaises(NamedTuple):
    """Calls that do not fail in practice."""

    calls: tuple[str, ...]
    source: str


class Network(NamedTuple):
    """Packages whose calls talk to a server, which may be gone; ``good_bye``: closing does so too."""

    packages: tuple[str, ...]
    good_bye: bool
    source: str


class LoopCall(NamedTuple):
    """A call that acts on an event loop; ``wakes``: it may come from a signal handler or another thread."""

    call: str
    wakes: bool
    source: str


class Exit(NamedTuple):
    """A call that never comes back: ``soft`` raises, so that cleanup runs; ``hard`` ends the process at once."""

    call: str
    how: str
    source: str


class Models(NamedTuple):
    """All models, by what they are looked up by.

    ``types`` are the types that share the methods of a modelled one, ``library_waits`` the last names of calls that
    wait for the work of others, the standard library's left out.
    """

    resources: dict[str, Resource]
    acquire: dict[str, Resource]
    callbacks: dict[str, tuple[Callback, ...]]
    blocking: dict[str, Blocking]
    blocking_names: frozenset[str]
    entries: dict[str, Entry]
    overrides: tuple[Override, ...]
    chains: Mapping[str, tuple[Chain, ...]]
    handles_signals: dict[str, HandlesSignals]
    handled: frozenset[str]
    loop_calls: dict[str, bool]
    exits: dict[str, Exit]
    results: dict[str, str]
    fields: dict[str, Field]
    aliases: dict[str, str]
    types: dict[str, str]
    never_raises: frozenset[str]
    network: frozenset[str]
    closed_here: frozenset[str]
    library_waits: frozenset[str]
    programs: dict[str, Program]

    def canonical(self, name: str) -> str:
        """The one name of something that has several: ``asyncio.tasks.create_task`` → ``asyncio.create_task``.

        A method of a modelled subclass is the model's: ``http.server.HTTPServer.serve_forever`` →
        ``socketserver.BaseServer.serve_forever``.
        """
        known = self.aliases.get(name)
        if known is not None:
            return known
        owner, _, member = name.rpartition(".")
        owner = self.types.get(owner, "")
        return f"{owner}.{member}" if owner else name

    def resource(self, name: str) -> Resource | None:
        """The resource type with this dotted name, or that of which this is a modelled subclass."""
        name = self.canonical(name)
        return self.resources.get(name) or self.acquire.get(name)

    def result_of(self, call: str) -> str | None:
        """The dotted name of the type that an external call returns, where a model says so."""
        name = self.canonical(call)
        acquired = self.acquire.get(name)
        return self.results.get(name) or (acquired.name if acquired else None)


@lru_cache(maxsize=1)
def builtin_models() -> Models:
    """The models that ship with shutdown-lint."""
    return index(_compiled())


@lru_cache(maxsize=4)
def with_users(tables: str) -> Models:
    """The models that ship, and over them those of the user: checked tables as JSON (empty: none)."""
    if not tables:
        return builtin_models()
    import json

    from shutdown_lint.models.schema import read

    own = read(json.loads(tables), "models")
    return index({table: [*rows, *own.get(table, ())] for table, rows in _compiled().items()})


def _compiled() -> dict[str, list[tuple[Any, ...]]]:
    import json

    with open(COMPILED, encoding="utf-8") as stream:
        tables: dict[str, list[list[Any]]] = json.load(stream)
    return {table: [row_of(table, values) for values in rows] for table, rows in tables.items()}


def row_of(table: str, values: Iterable[Any]) -> tuple[Any, ...]:
    """A row from values in the order of its fields, lists for tuples."""
    fixed = [tuple(value) if isinstance(value, list) else value for value in values]
    if table == "resource":
        place = Resource._fields.index("wait")
        fixed[place] = tuple(Wait(*wait) for wait in fixed[place])
    row: tuple[Any, ...] = ROWS[table](*fixed)
    return row


class Result(NamedTuple):
    """What an external call returns: the dotted name of a type."""

    call: str
    type: str


class Field(NamedTuple):
    """A call in a class body that says how each instance gets the attribute: by ``factory``, or from ``default``."""

    call: str
    also: tuple[str, ...]
    factory: str
    position: int
    default: str
    source: str


class Alias(NamedTuple):
    """Another name of something."""

    name: str
    means: str


class Program(NamedTuple):
    """A program of a library. ``handles``: signals that end it in order; ``hard``: at once, without waiting for its work;
    ``reloads``: it starts anew instead. ``orderly`` are options with which it ends in order on those, ``master`` options
    without which it does not start anew, but ends.

    ``grace`` is the option that limits how long it waits (in ``unit``), ``default`` that limit as text without the option;
    ``app`` the option that names the application (``*``: the first word that is no option). ``config`` are the options
    that name a file of settings, ``config_file`` the one that is read without them, ``setting`` the limit's name there,
    ``environment`` beginnings of the names of variables that set options. ``serves``: it listens for requests.
    """

    name: str
    also: tuple[str, ...]
    handles: tuple[str, ...]
    hard: tuple[str, ...]
    reloads: tuple[str, ...]
    orderly: tuple[str, ...]
    master: tuple[str, ...]
    app: str
    grace: str
    default: str
    unit: str
    config: tuple[str, ...]
    config_file: str
    setting: str
    environment: tuple[str, ...]
    forks: bool
    serves: bool
    source: str

    @property
    def scale(self) -> float:
        """Seconds in a unit of its limit."""
        return 1e-3 if self.unit == "ms" else 1.0


ROWS: Mapping[str, Any] = {
    "resource": Resource,
    "callback": Callback,
    "blocking": Blocking,
    "entry": Entry,
    "override": Override,
    "chain": Chain,
    "handles_signals": HandlesSignals,
    "borrow": Borrow,
    "never_raises": NeverRaises,
    "network": Network,
    "loop_call": LoopCall,
    "exit": Exit,
    "result": Result,
    "field": Field,
    "alias": Alias,
    "command": Program,
}


def is_standard(name: str) -> bool:
    """Whether the dotted name is of the standard library."""
    return name.partition(".")[0] in sys.stdlib_module_names


def index(tables: Mapping[str, list[Any]]) -> Models:
    """Models from rows by table; of two rows about the same thing the later one counts."""
    resources: list[Resource] = list({row.name: row for row in tables["resource"]}.values())
    callbacks: dict[str, tuple[Callback, ...]] = {}
    for row in tables["callback"]:
        callbacks[row.call] = (*callbacks.get(row.call, ()), row)
    chains: dict[str, tuple[Chain, ...]] = {}
    for row in tables["chain"]:
        for base in (row.base, *row.also):
            chains[base] = (*chains.get(base, ()), row)
    aliases = {row.name: row.means for row in tables["alias"]}
    aliases.update((name, r.name) for r in resources for name in r.also)
    blocking = {row.call: row for row in tables["blocking"]}
    made = {name: r.name for r in resources for name in r.acquire if name.rpartition(".")[2][:1].isupper()}
    return Models(
        resources={r.name: r for r in resources},
        acquire={name: r for r in resources for name in r.makers},
        callbacks=callbacks,
        blocking=blocking,
        blocking_names=frozenset(
            name.rpartition(".")[2]
            for name in (*blocking, *(name for name, means in aliases.items() if means in blocking))
        ),
        entries={row.decorator: row for row in tables["entry"]},
        overrides=tuple(tables["override"]),
        chains=chains,
        handles_signals={row.call: row for row in tables["handles_signals"]},
        handled=frozenset(
            [name for row in tables["borrow"] for name in (row.call, *row.also)]
            + [name for resource in resources for name in resource.release_calls]
        ),
        loop_calls={row.call: row.wakes for row in tables["loop_call"]},
        exits={row.call: row for row in tables["exit"]},
        results={row.call: row.type for row in tables["result"]},
        fields={name: row for row in tables["field"] for name in (row.call, *row.also)},
        aliases=aliases,
        types={**made, **aliases},
        never_raises=frozenset(call for row in tables["never_raises"] for call in row.calls),
        network=frozenset(package for row in tables["network"] for package in row.packages),
        closed_here=frozenset(p for row in tables["network"] if not row.good_bye for p in row.packages),
        library_waits=frozenset(
            row.call.rpartition(".")[2]
            for row in tables["blocking"]
            if row.wakes in ("job", "task_done", "set") and not is_standard(row.call)
        ),
        programs={name: row for row in tables["command"] for name in (row.name, *row.also)},
    )
