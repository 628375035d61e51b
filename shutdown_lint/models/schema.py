"""The schema of models: which tables and keys there are, what type each key has, and what its words are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from shutdown_lint.models import ROWS, ModelError, Wait

KINDS = (
    "child",
    "connection",
    "consumer",
    "executor",
    "fd",
    "file",
    "loop",
    "observer",
    "pool",
    "process",
    "producer",
    "queue",
    "scheduler",
    "selector",
    "server",
    "session",
    "socket",
    "task",
    "tempdir",
    "thread",
    "timer",
    "worker",
)
ROLES = (
    "atexit",
    "done-callback",
    "finalizer",
    "framework",
    "loop-callback",
    "loop-signal-callback",
    "main",
    "pool-process",
    "pool-thread",
    "process",
    "signal-handler",
    "task",
    "test",
    "thread",
    "thread-atexit",
    "timer",
    "weakref-callback",
)
WAKES = (
    "child",
    "close",
    "get",
    "job",
    "notify",
    "peer",
    "peers",
    "process",
    "put",
    "release",
    "set",
    "shutdown",
    "signal",
    "stop",
    "task_done",
    "thread",
    "time",
)
_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_WORD = re.compile(r"[^\W\d]\w*")
_TEXT = re.compile(r"\S.*")
# what the items of a list must look like, and how that is called
_ITEMS = {
    "dotteds": (_DOTTED, "a dotted name"),
    "paths": (_PATH, "the name of a package"),
    "names": (_WORD, "the name of a method"),
    "texts": (_TEXT, "a text"),
}


class Key(NamedTuple):
    """One key of a table; ``default`` None: it must be given.

    ``kind`` is ``dotted`` (a name with a dot), ``path`` (with or without), ``dotteds``, ``paths``, ``names``, ``texts``, ``waits``,
    ``keyword``, ``text``, ``position``, ``switch``, or ``word``, which is one of ``words``.
    """

    name: str
    kind: str
    default: Any
    help: str
    words: tuple[str, ...] = ()


_SOURCE = Key("source", "text", "", "where the library says so")
_ROLE = Key("role", "word", None, "who runs the function", ROLES)

# what each table is about
TABLES: Mapping[str, str] = {
    "resource": "Something that is started and must be ended.",
    "callback": "A call that takes a function and runs it later. A call may take several: one row each.",
    "blocking": "A call that waits, or in which a program stays.",
    "entry": "A decorator that makes a function something that a framework calls.",
    "override": "Methods of subclasses that a library calls.",
    "chain": "Methods of a library's class that end something, and that overrides of them must call.",
    "handles_signals": "A call that runs a program under a SIGTERM handler of its own.",
    "borrow": "Functions that use a resource which they are handed, and neither keep nor end it.",
    "never_raises": "Calls that do not fail in practice.",
    "network": "Packages whose calls talk to a server, which may be gone.",
    "loop_call": "A call that acts on an event loop: may a signal handler or another thread make it?",
    "exit": "A call that never comes back.",
    "result": "What an external call returns, where `acquire` does not tell.",
    "field": "A call in a class body by which each instance gets an attribute of its own, made by a function that it is handed.",
    "alias": "Another name of something that is no resource.",
    "command": "A program of a library, as command lines and deployment files name it.",
}

# in the order of the fields of the rows
SCHEMA: Mapping[str, tuple[Key, ...]] = {
    "resource": (
        Key("name", "dotted", None, "the type, by the name under which programs import it"),
        Key("kind", "word", None, "what sort of thing it is", KINDS),
        Key("also", "dotteds", (), "other names of the type: where it is defined, where it is exported"),
        Key("acquire", "dotteds", (), "subclasses and functions that make one"),
        Key(
            "item", "position", -1, "which item of a tuple that is made is the resource; -1: the whole, or any of them"
        ),
        Key("start", "names", (), "methods that start it; none: making it starts it"),
        Key("stop", "names", (), "methods that ask it to end"),
        Key("release", "names", (), "methods that end its lifetime, the one to recommend first"),
        Key("release_calls", "dotteds", (), "functions that end its lifetime when it is handed to them"),
        Key("maker_release", "names", (), "methods of the object whose method made it, which release it too"),
        Key("wait", "waits", (), "methods that wait for its end, and how they take a limit"),
        Key("context_manager", "switch", False, "whether leaving `with` (or `async with`) releases it"),
        Key("daemon", "word", "never", "whether its thread is a daemon", ("never", "always", "keyword")),
        Key("is_async", "switch", False, "whether its release is a coroutine"),
        Key("loses", "text", "", "what becomes of one that is not released, to follow a colon in a message"),
        Key("closed", "text", "", "what becomes of a use after the release; none: no harm, or not known"),
        Key("loss", "word", "real", "how bad that is", ("real", "untidy", "none")),
        Key("given_back", "switch", False, "whether the system takes all of it back when the process ends"),
        Key("burdens", "names", (), "methods without a use of which the system takes all of it back"),
        _SOURCE,
    ),
    "callback": (
        Key("call", "dotted", None, "the call that takes the function"),
        _ROLE,
        Key("keyword", "keyword", "", "the keyword that takes it"),
        Key("position", "position", -1, "its 0-based position; -1: by keyword only"),
        Key("awaits", "switch", False, "whether a coroutine function may be handed over"),
        _SOURCE,
    ),
    "blocking": (
        Key("call", "dotted", None, "the call that waits"),
        Key("timeout", "keyword", "", "the keyword of its limit"),
        Key("position", "position", -1, "the limit's 0-based position; -1: by keyword only"),
        Key("wakes", "word", None, "what ends the wait", WAKES),
        Key("forever", "switch", False, "whether it runs until the program is stopped"),
        Key("is_async", "switch", False, "whether it is a coroutine, which waits where it is awaited"),
        _SOURCE,
    ),
    "entry": (
        Key("decorator", "dotted", None, "the decorator, called or not"),
        _ROLE,
        _SOURCE,
    ),
    "override": (
        Key("base", "dotted", None, "the class of the library"),
        Key("methods", "names", None, "methods of subclasses that the library calls"),
        _ROLE,
        _SOURCE,
    ),
    "chain": (
        Key("base", "dotted", None, "the class of the library"),
        Key("also", "dotteds", (), "other names of the class, and subclasses of it that inherit the methods"),
        Key("methods", "names", None, "the methods that end something"),
        Key("loses", "text", None, "what becomes of it when the override does not call them"),
        Key("loss", "word", "real", "how bad that is", ("real", "untidy")),
        _SOURCE,
    ),
    "handles_signals": (
        Key("call", "dotted", None, "the call that runs a program and handles SIGTERM"),
        Key("unless", "keyword", "", "the keyword that switches this off when it is false or None"),
        _SOURCE,
    ),
    "borrow": (
        Key(
            "call", "dotted", None, "a function that uses a resource which it is handed, and neither keeps nor ends it"
        ),
        Key("also", "dotteds", (), "more functions of the same kind"),
        _SOURCE,
    ),
    "never_raises": (
        Key("calls", "dotteds", None, "the calls"),
        _SOURCE,
    ),
    "network": (
        Key("packages", "paths", None, "packages, by the names under which programs import them"),
        Key(
            "good_bye",
            "switch",
            True,
            "whether closing says something to the server; if not, `close` only gives back what is held here",
        ),
        _SOURCE,
    ),
    "loop_call": (
        Key("call", "dotted", None, "the call"),
        Key("wakes", "switch", False, "whether it may come from outside of the loop, and wakes it"),
        _SOURCE,
    ),
    "exit": (
        Key("call", "dotted", None, "the call that never comes back"),
        Key("how", "word", None, "`soft`: by an exception; `hard`: the process ends at once", ("soft", "hard")),
        _SOURCE,
    ),
    "result": (
        Key("call", "dotted", None, "the call"),
        Key("type", "path", None, "the type of what it returns, or a module that it stands for"),
    ),
    "field": (
        Key("call", "dotted", None, "the call"),
        Key("also", "dotteds", (), "other names of it"),
        Key("factory", "keyword", "", "the keyword that takes the function"),
        Key("position", "position", -1, "its 0-based position; -1: by keyword only"),
        Key("default", "keyword", "", "the keyword that takes a value, or another such call"),
        _SOURCE,
    ),
    "alias": (
        Key("name", "dotted", None, "another name"),
        Key("means", "dotted", None, "the name that the models use"),
    ),
    "command": (
        Key("name", "text", None, "the program; `celery worker`: only with this subcommand"),
        Key("also", "texts", (), "other names of it"),
        Key("handles", "names", (), "the signals on which it ends in order"),
        Key("hard", "names", (), "the signals that it handles, but ends its work without waiting"),
        Key("reloads", "names", (), "the signals on which it starts anew instead of ending"),
        Key("orderly", "texts", (), "options with which it ends in order on the signals of `hard` and `reloads`"),
        Key("master", "texts", (), "options without which it ends on the signals of `reloads`, too"),
        Key("app", "text", "", "the option that names the application; `*`: the first word that is no option"),
        Key("grace", "text", "", "the option that limits how long it waits for work to end"),
        Key("default", "text", "", "that limit when the option is not given; empty: there is none"),
        Key("unit", "word", "s", "the unit of both", ("s", "ms")),
        Key("config", "texts", (), "options that name a file of settings"),
        Key("config_file", "text", "", "the file of settings that is read when no option names one"),
        Key("setting", "text", "", "what the limit is called in that file"),
        Key("environment", "texts", (), "environment variables that set options, by how their names begin"),
        Key("forks", "switch", False, "whether it has child processes"),
        Key("serves", "switch", False, "whether it listens for requests"),
        _SOURCE,
    ),
}


def read(tables: Mapping[str, Any], where: str) -> dict[str, list[Any]]:
    """Rows by table. Raises ``ModelError`` with every mistake of all tables."""
    errors = list(mistakes(tables))
    if errors:
        raise ModelError("\n".join(f"{where}: {error}" for error in errors))
    return {table: [_row(table, row) for row in tables.get(table, ())] for table in SCHEMA}


def _row(table: str, row: Mapping[str, Any]) -> Any:
    return ROWS[table](*(_frozen(key, row.get(key.name, key.default)) for key in SCHEMA[table]))


def _frozen(key: Key, value: Any) -> Any:
    if key.kind == "waits":
        return tuple(Wait(w["method"], w.get("timeout", ""), w.get("position", -1)) for w in value)
    return tuple(value) if isinstance(value, (list, tuple)) else value


# --- mistakes --------------------------------------------------------------------------------------------------------


def mistakes(tables: Mapping[str, Any]) -> Iterator[str]:
    """Everything that is wrong with the tables, one text each; nothing where they can be read."""
    for table, rows in tables.items():
        if table not in SCHEMA:
            yield f"unknown table `{table}`{_near(table, SCHEMA)}"
        elif not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            yield f"`{table}` must be an array of tables, written `[[{table}]]`"
        else:
            for number, row in enumerate(rows, 1):
                yield from (f"{_label(table, row, number)}: {error}" for error in _row_mistakes(table, row))


def _label(table: str, row: Mapping[str, Any], number: int) -> str:
    name = next((row[key.name] for key in SCHEMA[table][:1] if isinstance(row.get(key.name), str)), f"number {number}")
    return f"[[{table}]] {name}"


def _row_mistakes(table: str, row: Mapping[str, Any]) -> Iterator[str]:
    keys = {key.name: key for key in SCHEMA[table]}
    for name in row:
        if name not in keys:
            yield f"unknown key `{name}`{_near(name, keys)}"
    for key in keys.values():
        if key.name in row:
            yield from _value_mistakes(key, row[key.name])
        elif key.default is None:
            yield f"`{key.name}` is missing: {key.help}"
    if table == "callback" and not row.get("keyword") and row.get("position", -1) == -1:
        yield "one of `keyword` and `position` must be given"
    if table == "resource" and not row.get("release") and not row.get("release_calls"):
        yield "one of `release` and `release_calls` must be given: what ends its lifetime"


def _value_mistakes(key: Key, value: Any) -> Iterator[str]:
    if key.kind in (*_ITEMS, "waits"):
        yield from _list_mistakes(key, value)
    elif key.kind == "switch":
        if not isinstance(value, bool):
            yield f"`{key.name}` must be true or false"
    elif key.kind == "position":
        if not isinstance(value, int) or isinstance(value, bool) or not -1 <= value < 50:
            yield f"`{key.name}` must be a position, counted from 0"
    elif not isinstance(value, str):
        yield f"`{key.name}` must be a string"
    else:
        yield from _text_mistakes(key, value)


def _text_mistakes(key: Key, value: str) -> Iterator[str]:
    if key.kind == "word" and value not in key.words:
        yield f"`{key.name}` cannot be `{value}`{_near(value, key.words) or f': one of {_listed(key.words)}'}"
    elif key.kind == "path" and not _PATH.fullmatch(value):
        yield f"`{key.name}` must be a dotted name, not `{value}`"
    elif key.kind == "dotted" and not _DOTTED.fullmatch(value):
        yield f"`{key.name}` must be a dotted name such as `package.module.Name`, not `{value}`"
    elif key.kind == "keyword" and value and not _WORD.fullmatch(value):
        yield f"`{key.name}` must be the name of a parameter, not `{value}`"


def _list_mistakes(key: Key, value: Any) -> Iterator[str]:
    if not isinstance(value, (list, tuple)):
        yield f"`{key.name}` must be a list"
        return
    if not value and key.default is None:
        yield f"`{key.name}` is empty: {key.help}"
    for number, item in enumerate(value):
        if key.kind == "waits":
            yield from _wait_mistakes(f"{key.name}[{number}]", item)
        elif not isinstance(item, str):
            yield f"`{key.name}[{number}]` must be a string"
        elif not _ITEMS[key.kind][0].fullmatch(item):
            yield f"`{key.name}[{number}]` must be {_ITEMS[key.kind][1]}, not `{item}`"


def _wait_mistakes(where: str, item: Any) -> Iterator[str]:
    if not isinstance(item, dict):
        yield f'`{where}` must be a table such as {{ method = "join", timeout = "timeout", position = 0 }}'
        return
    keys = (
        Key("method", "keyword", None, "the method"),
        Key("timeout", "keyword", "", ""),
        Key("position", "position", -1, ""),
    )
    known = {key.name: key for key in keys}
    for name, value in item.items():
        if name not in known:
            yield f"`{where}`: unknown key `{name}`{_near(name, known)}"
        else:
            yield from (f"`{where}`: {error}" for error in _value_mistakes(known[name], value))
    if "method" not in item:
        yield f"`{where}`: `method` is missing"


def _near(word: str, words: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word.replace("-", "_"), list(words), 1, 0.6) or get_close_matches(
        word, list(words), 1, 0.6
    )
    return f"; did you mean `{near[0]}`?" if near else ""


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)
