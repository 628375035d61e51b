"""Which files need not be parsed: those that hold none of the words without which no rule can fire.

A trigger of a rule is a piece of text that must occur, or several joined by `` & ``, all of which must: ``_exit``,
``super() & stop``; or ``@resources`` and the like, which stand for the names of all modelled things of a sort.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from shutdown_lint.models import Models

# With these words a file may hold suppressions, which are checked even where no rule fires.
SUPPRESSION_WORDS = ("SHD", "shutdown-lint:")
AND = " & "
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
_IMPORT = re.compile(rb"\b(?:from|import) \w+")
# kinds that other rules look at: they have words of their own
_ELSEWHERE = frozenset({"child", "executor", "file", "process", "task", "timer"})
_TOO_COMMON = frozenset({"map", "ref", "register", "run", "serve", "server", "start", "work"})

Trigger = tuple[bytes, ...]


class Prefilter(NamedTuple):
    """What a file must hold to be parsed: one match of the pattern, or all parts of one of ``together``."""

    pattern: re.Pattern[bytes]
    together: tuple[Trigger, ...]

    def passes(self, data: bytes) -> bool:
        """Whether a rule could fire in a file with this content."""
        return self.pattern.search(data) is not None or fires(self.together, data)


def parts_of(trigger: str) -> Trigger:
    """The pieces of text that a trigger asks for."""
    return tuple(part.encode() for part in trigger.split(AND))


def fires(triggers: Iterable[Trigger], data: bytes) -> bool:
    """Whether all parts of one of the triggers occur."""
    imports: frozenset[bytes] | None = None
    for parts in triggers:
        rest = parts
        if parts[0].startswith((b"from ", b"import ")):
            # hundreds of triggers begin with an import: one pass finds all that there are
            if imports is None:
                imports = frozenset(_IMPORT.findall(data))
            if parts[0] not in imports:
                continue
            rest = parts[1:]
        if all(part in data for part in rest):
            return True
    return False


def compile_prefilter(codes: Iterable[str], models: Models) -> Prefilter:
    """What a file must hold to be parsed when the rules ``codes`` are run."""
    from shutdown_lint.rules.registry import triggers

    wanted = sorted((*triggers(codes), *SUPPRESSION_WORDS))
    return build((*expand(wanted, models), *_work_of_libraries(models)), _work_of_stdlib(models))


def expand(triggers: Iterable[str], models: Models) -> tuple[Trigger, ...]:
    """Triggers as pieces of text; ``@resources`` and the like stand for the names in the models."""
    found: dict[Trigger, None] = {}
    for trigger in triggers:
        if trigger in NAMES:
            found.update((pair, None) for name in NAMES[trigger](models) for pair in _named(name))
        else:
            found[parts_of(trigger)] = None
    return tuple(found)


def _named(name: str) -> Iterator[Trigger]:
    """How a file names something in a library: imported by its name, or as an attribute."""
    package, last = name.partition(".")[0], name.rpartition(".")[2]
    if package == "builtins":
        return
    yield f"from {package}".encode(), last.encode()
    yield f"import {package}".encode(), f".{last}".encode()


def build(triggers: Iterable[Trigger], identifiers: Iterable[str]) -> Prefilter:
    """From triggers, found anywhere, and identifiers, found as whole words only."""
    parts = sorted(set(triggers))
    sources = [re.escape(words[0]) for words in parts if len(words) == 1]
    whole = [re.escape(word.encode()) for word in sorted(set(identifiers))]
    if whole:
        sources.append(rb"\b(?:" + b"|".join(whole) + rb")\b")
    return Prefilter(re.compile(b"|".join(sources) or rb"(?!)"), tuple(words for words in parts if len(words) > 1))


# --- words of models -------------------------------------------------------------------------------------------------


def _resources(models: Models) -> Iterator[str]:
    """Types that are released by their owners, and what makes them."""
    for resource in models.resources.values():
        if resource.kind not in _ELSEWHERE and resource.loss != "none":
            yield from resource.makers


def _waits(models: Models) -> Iterator[str]:
    """Calls that wait for work of others."""
    yield from (row.call for row in models.blocking.values() if not _is_standard(row.call))


def _stays(models: Models) -> Iterator[str]:
    """Calls in which a program spends its life, and decorators of what a program starts with."""
    yield from (row.call for row in models.blocking.values() if row.forever)
    yield from (row.decorator for row in models.entries.values() if row.role == "main")


NAMES: Mapping[str, Callable[[Models], Iterable[str]]] = {
    "@resources": _resources,
    "@waits": _waits,
    "@stays": _stays,
}


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


def _work_of_stdlib(models: Models) -> frozenset[str]:
    """Words that say enough alone; a few that mean something else nearly everywhere are left out."""
    words = {name.rpartition(".")[2] for name in _work(models) if _is_standard(name)}
    return frozenset(words - _TOO_COMMON) | {"atexit", "signal"}


def _work_of_libraries(models: Models) -> tuple[Trigger, ...]:
    """Words such as `on` or `connect` say something where their library is imported."""
    pairs = (pair for name in _work(models) if not _is_standard(name) for pair in _named(name))
    return tuple(dict.fromkeys(pairs))


def _is_standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names
