"""Which files need not be parsed: those that hold none of the words without which no rule can fire.

A trigger of a rule is a piece of text that must occur, or several joined by `` & ``, all of which must: ``_exit``,
``super() & stop``. A piece is plain text; a regular expression behind ``re:``; or ``@resources`` and the like, which
stand for the names of all modelled things of a sort, each with the import of its library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, Union

from shutdown_lint.models import is_standard

if TYPE_CHECKING:
    from shutdown_lint.models import Models

# With these words a file may hold suppressions, which are checked even where no rule fires.
SUPPRESSION_WORDS = ("SHD", "shutdown-lint:")
AND = " & "
PATTERN = "re:"
_WORK = frozenset(
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
        "task",
        "observer",
        "producer",
        "worker",
    }
)
_IMPORT = re.compile(rb"\b(?:from[ \t]+(\w+)|import[ \t]+(\w[\w., \t]*))")
# the same where a statement may begin: in a line, behind a colon or a semicolon
_STATEMENT = re.compile(rb"(?:\A|[\r\n:;])[ \t]*(?:from[ \t]+(\w+)[\w.]*[ \t\\\r\n]+import|import[ \t]+(\w[\w., \t]*))")
_IDENTIFIER = re.compile(rb"[A-Za-z_\x80-\xff][\w\x80-\xff]*")
# kinds that other rules look at: they have words of their own
_ELSEWHERE = frozenset({"child", "executor", "file", "process", "task", "timer"})
_TOO_COMMON = frozenset({"map", "ref"})


class Imported(NamedTuple):
    """The file imports the package: by ``from`` (its names then stand alone), or by ``import``."""

    package: bytes
    by: bytes


class Word(NamedTuple):
    """The identifier occurs, as a whole word."""

    name: bytes


Part: TypeAlias = Union[bytes, "re.Pattern[bytes]", Imported, Word]
Trigger: TypeAlias = "tuple[Part, ...]"


class Text:
    """What a file holds, looked up once for all triggers."""

    def __init__(self, data: bytes, name: str = "") -> None:
        self._data, self._name = data, name
        self._found: dict[bytes | re.Pattern[bytes], bool] = {}

    def holds(self, part: Part) -> bool:
        """Whether the part occurs."""
        if isinstance(part, Imported):
            return part in self.imports
        if isinstance(part, Word):
            return part.name in self._words
        known = self._found.get(part)
        if known is None:
            known = self._found[part] = self._search(part)
        return known

    def _search(self, part: bytes | re.Pattern[bytes]) -> bool:
        if isinstance(part, bytes):
            # the module that `python -m` runs need not say its own name
            return part in self._data or (part == b"__main__" and self._name.endswith("__main__"))
        return part.search(self._data) is not None

    @cached_property
    def _words(self) -> frozenset[bytes]:
        return frozenset(_IDENTIFIER.findall(self._data))

    @cached_property
    def imports(self) -> frozenset[Imported]:
        """What is imported, and how."""
        return frozenset(_imports(_IMPORT, self._data))


def imported_packages(data: bytes) -> set[str]:
    """The top-level packages that the file may import; too many rather than too few, but not those of prose."""
    return {found.package.decode("utf-8", "surrogateescape") for found in _imports(_STATEMENT, data)}


def _imports(pattern: re.Pattern[bytes], data: bytes) -> Iterator[Imported]:
    for package, others in set(pattern.findall(data)):
        if package:
            yield Imported(package, b"from")
        for other in others.split(b","):
            yield Imported(other.strip().partition(b" ")[0].partition(b".")[0], b"import")


class Ways(NamedTuple):
    """Triggers, those of libraries by the import that each of them begins with."""

    plain: tuple[Trigger, ...]
    imported: dict[Part, tuple[Trigger, ...]]

    def hold(self, text: Text) -> bool:
        """Whether one of them occurs in full."""
        return fires(self.plain, text) or any(
            fires(self.imported[part], text) for part in self.imported.keys() & text.imports
        )


class Prefilter(NamedTuple):
    """What a file must hold to be parsed: what a rule looks for, or one of the words by which it matters to other files."""

    rules: tuple[tuple[str, Ways], ...]
    others: Ways

    def codes(self, data: bytes, name: str = "") -> frozenset[str] | None:
        """The rules that could fire in a file with this content, the module of this name; None: it need not be parsed."""
        text = Text(data, name)
        found = frozenset(code for code, ways in self.rules if ways.hold(text))
        return found if found or self.others.hold(text) else None

    def passes(self, data: bytes, name: str = "") -> bool:
        """Whether the file must be parsed."""
        return self.codes(data, name) is not None


def parts_of(trigger: str) -> Trigger:
    """What a trigger asks for."""
    return tuple(map(_part, trigger.split(AND)))


def _part(text: str) -> Part:
    return re.compile(text[len(PATTERN) :].encode()) if text.startswith(PATTERN) else text.encode()


def fires(triggers: Iterable[Trigger], text: Text) -> bool:
    """Whether all parts of one of the triggers occur."""
    return any(all(map(text.holds, parts)) for parts in triggers)


def compile_prefilter(
    codes: Iterable[str], models: Models, scripts: Iterable[str] = (), own: frozenset[str] = frozenset()
) -> Prefilter:
    """What a file must hold to be parsed when the rules ``codes`` are run.

    ``scripts`` are the functions that console scripts run, ``own`` the packages of the project: to itself a modelled
    library is no library.
    """
    from shutdown_lint.rules.registry import triggers

    packages = {Imported(name.encode("utf-8", "surrogateescape"), by) for name in own for by in (b"from", b"import")}

    def ways(triggers: Iterable[Trigger]) -> Ways:
        return _by_import(parts for parts in triggers if packages.isdisjoint(parts))

    wanted = ((code, expand(sorted(triggers([code])), models, scripts)) for code in sorted(codes))
    return Prefilter(
        tuple((code, ways(found)) for code, found in wanted if found),
        ways((*map(parts_of, SUPPRESSION_WORDS), *_work_words(models))),
    )


def _by_import(triggers: Iterable[Trigger]) -> Ways:
    plain: list[Trigger] = []
    imported: dict[Part, list[Trigger]] = {}
    for parts in sorted(triggers, key=_cost):
        first = next((part for part in parts if isinstance(part, Imported)), None)
        if first is None:
            plain.append(parts)
        else:
            imported.setdefault(first, []).append(tuple(part for part in parts if part is not first))
    return Ways(tuple(plain), {part: tuple(found) for part, found in imported.items()})


def _cost(parts: Trigger) -> tuple[int, int]:
    """Plain text is found fastest, regular expressions are the last resort."""
    order = [1 if isinstance(part, (Imported, Word)) else 0 if isinstance(part, bytes) else 2 for part in parts]
    return max(order), len(order)


def expand(triggers: Iterable[str], models: Models, scripts: Iterable[str] = ()) -> tuple[Trigger, ...]:
    """Triggers as parts; ``@resources`` and the like stand for the names in the models, ``@scripts`` for functions."""
    functions = tuple((f"def {name}".encode("utf-8", "surrogateescape"),) for name in scripts)
    found: dict[Trigger, None] = {}
    for trigger in triggers:
        ways = [
            functions
            if part == SCRIPTS
            else tuple(pair for name in NAMES[part](models) for pair in _named(name))
            if part in NAMES
            else ((_part(part),),)
            for part in trigger.split(AND)
        ]
        found.update((tuple(part for way in chosen for part in way), None) for chosen in product(*ways))
    return tuple(found)


def _named(name: str) -> Iterator[Trigger]:
    """How a file names something in a library: imported by its name, or as an attribute."""
    package, _, rest = name.partition(".")
    holder, _, last = rest.rpartition(".")
    if package == "builtins":
        return
    if holder.rpartition(".")[2][:1].isupper():
        # a method: its object may come from anywhere in the library, or from the standard library's functions
        attribute = f".{last}".encode()
        if is_standard(name):
            yield (attribute + b"(",)
        else:
            yield Imported(package.encode(), b"from"), Word(last.encode()), attribute
            yield Imported(package.encode(), b"import"), Word(last.encode()), attribute
    else:
        yield Imported(package.encode(), b"from"), Word(last.encode())
        yield Imported(package.encode(), b"import"), Word(last.encode()), f".{last}".encode()


# --- words of models -------------------------------------------------------------------------------------------------


def _resources(models: Models) -> Iterator[str]:
    """Types that are released by their owners, and what makes them."""
    for resource in models.resources.values():
        if resource.kind not in _ELSEWHERE and resource.loss != "none":
            yield from resource.makers


def _waits(models: Models) -> Iterator[str]:
    """Calls of libraries that wait for work of others."""
    waits = (row for row in models.blocking.values() if row.wakes in ("job", "task_done", "set"))
    yield from (row.call for row in waits if not is_standard(row.call))


def _starts(models: Models) -> Iterator[str]:
    """Decorators of what a program starts with."""
    yield from (row.decorator for row in models.entries.values() if row.role == "main")


def _callbacks(models: Models) -> Iterator[str]:
    """Calls that have a function run by someone else."""
    yield from models.callbacks


NAMES: Mapping[str, Callable[[Models], Iterable[str]]] = {
    "@resources": _resources,
    "@waits": _waits,
    "@starts": _starts,
    "@callbacks": _callbacks,
}
SCRIPTS = "@scripts"


def _work(models: Models) -> Iterator[str]:
    """By these a file tells that it starts work, or has functions run by someone else.

    Types of files, sockets and sessions are left out: nearly every file mentions one, and no finding in another file
    hangs on them.
    """
    for resource in models.resources.values():
        if resource.kind in _WORK:
            yield from resource.makers
    yield from models.callbacks
    yield from models.handles_signals


def _work_words(models: Models) -> tuple[Trigger, ...]:
    """Words such as `on` or `connect` say something where their library is imported; a few say too little even there."""
    names = (name for name in _work(models) if name.rpartition(".")[2] not in _TOO_COMMON or not is_standard(name))
    return tuple(dict.fromkeys(pair for name in names for pair in _named(name)))
