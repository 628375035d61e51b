"""What a file must hold for a rule to have anything to say about it.

A trigger of a rule is a piece of text that must occur, or several joined by `` & ``, all of which must: ``_exit``,
``super() & stop``. A piece is plain text; a regular expression behind ``re:``; or ``@resources`` and the like, which
stand for the names of all modelled things of a sort, each with the import of its library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, Union

from shutdown_lint.lazily import lazily
from shutdown_lint.models import is_standard

if TYPE_CHECKING:
    from shutdown_lint.models import Models

# With these words a file may hold suppressions, which are checked even where no rule fires.
SUPPRESSION_WORDS = ("SHD", "shutdown-lint:")
AND = " & "
ABOVE = b".."
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
# The regex engine finds plain text fast; what may not stand before it is looked at behind it.
_FROM = re.compile(rb"from(?<!\wfrom)[ \t]+(\w+)(?P<imports>[\w.]*[ \t\\\r\n]+import)?")
_IMPORT = re.compile(rb"import(?<!\wimport)[ \t]+(\w[\w., \t]*)")
_BEFORE_STATEMENTS = b"\r\n:;"
_MAX_INDENT = 200  # bytes
_WORD_CHARACTERS = rb"[\w\x80-\xff]+"
_TO_SPACE = bytes(code if re.fullmatch(_WORD_CHARACTERS, bytes([code])) else 0x20 for code in range(256))
# what a regular expression begins with: characters that stand for themselves, the last of them not repeated
_OPENING = re.compile(rb"(?:(?:[\w ]|\\[^\w\s])(?![*?{]))*")
_MIN_FRAGMENT = 3  # bytes; shorter ones occur in nearly every text
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
    """What a file holds, looked up once for all triggers; ``words`` are all its words, those in strings and comments too.

    Patterns see ``\\n`` before each line, the first one included, whatever the file's line ends are.
    """

    def __init__(self, data: bytes, name: str = "") -> None:
        self._data, self._name = b"\n" + (data.replace(b"\r", b"\n") if b"\r" in data else data), name
        self._found: dict[bytes | re.Pattern[bytes], bool] = {}

    def holds(self, part: Part) -> bool:
        """Whether the part occurs."""
        if isinstance(part, Imported):
            return part in self.imports
        if isinstance(part, Word):
            return part.name in self.words
        known = self._found.get(part)
        if known is None:
            known = self._found[part] = self._search(part)
        return known

    def _search(self, part: bytes | re.Pattern[bytes]) -> bool:
        if isinstance(part, bytes):
            return part in self._data or (part == b"__main__" and part in self.words)
        return part.search(self._data) is not None

    @lazily
    def words(self) -> frozenset[bytes]:
        """The words of the text; the module that ``python -m`` runs need not say its own name."""
        words = self._data.translate(_TO_SPACE).split()
        return frozenset((*words, b"__main__") if self._name.endswith("__main__") else words)

    @lazily
    def imports(self) -> frozenset[Imported]:
        """What is imported, and how."""
        packages, others = set(_FROM.findall(self._data)), set(_IMPORT.findall(self._data))
        return frozenset((*(Imported(package, b"from") for package, _ in packages), *_imported(others)))


def imported_packages(data: bytes) -> set[str]:
    """The top-level packages that the file may import; too many rather than too few, but not those of prose.

    ``..`` stands for what lies in the folders above (``from ..tools import run``).
    """
    found = {match[1] for match in _FROM.finditer(data) if match["imports"] and _may_begin(data, match.start())}
    others = {match[1] for match in _IMPORT.finditer(data) if _may_begin(data, match.start())}
    packages = found.union(imported.package for imported in _imported(others))
    if b"from .." in data:
        packages.add(ABOVE)
    return {package.decode("utf-8", "surrogateescape") for package in packages}


def _may_begin(data: bytes, at: int) -> bool:
    """Whether a statement may begin there: in a line, behind a colon or a semicolon."""
    before = data[max(at - _MAX_INDENT, 0) : at].rstrip(b" \t")
    return not before or before[-1] in _BEFORE_STATEMENTS


def _imported(lists: Iterable[bytes]) -> Iterator[Imported]:
    """The packages of ``import a.b, c as d``."""
    for names in lists:
        for name in names.split(b","):
            package = name.strip().partition(b" ")[0].partition(b".")[0]
            if package:
                yield Imported(package, b"import")


def fragments(part: Part) -> frozenset[bytes]:
    """What must stand within words of a text that holds the part; a first question that costs next to nothing."""
    if isinstance(part, (Imported, Word)):
        literal = part[0]
    else:
        literal = part if isinstance(part, bytes) else _opening(part)
    return frozenset(found for found in re.findall(_WORD_CHARACTERS, literal) if len(found) >= _MIN_FRAGMENT)


def _opening(pattern: re.Pattern[bytes]) -> bytes:
    """The plain text that all matches begin with."""
    if _has_choices(pattern.pattern) or pattern.flags & re.IGNORECASE:
        return b""
    opening = _OPENING.match(pattern.pattern)
    return opening.group().replace(b"\\", b"") if opening else b""


def _has_choices(pattern: bytes) -> bool:
    """Whether a ``|`` stands outside of all groups; one in a class counts, which costs time only."""
    depth = 0
    for char in re.sub(rb"\\.", b"", pattern):
        depth += (char == 0x28) - (char == 0x29)
        if char == 0x7C and depth == 0:
            return True
    return False


def parts_of(trigger: str) -> Trigger:
    """What a trigger asks for."""
    return tuple(map(_part, trigger.split(AND)))


def _part(text: str) -> Part:
    return re.compile(text[len(PATTERN) :].encode()) if text.startswith(PATTERN) else text.encode()


def fires(triggers: Iterable[Trigger], text: Text) -> bool:
    """Whether all parts of one of the triggers occur."""
    return any(all(map(text.holds, parts)) for parts in triggers)


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


def work_words(models: Models) -> tuple[Trigger, ...]:
    """By what a file matters to other files.

    Words such as `on` or `connect` say something where their library is imported; a few say too little even there.
    """
    names = (name for name in _work(models) if name.rpartition(".")[2] not in _TOO_COMMON or not is_standard(name))
    return tuple(dict.fromkeys(pair for name in names for pair in _named(name)))
