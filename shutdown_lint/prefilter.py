"""Which files need not be parsed: those that hold none of the words without which no rule can fire.

A trigger of a rule is a piece of text that must occur, or several joined by `` & ``, all of which must: ``_exit``,
``super() & stop``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from shutdown_lint.models import Models

# With these words a file may hold suppressions, which are checked even where no rule fires.
SUPPRESSION_WORDS = ("SHD", "shutdown-lint:")
AND = " & "
_WORK = frozenset(
    {"thread", "timer", "process", "child", "pool", "executor", "server", "consumer", "scheduler", "task", "observer"}
)
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
    return any(all(part in data for part in parts) for parts in triggers)


def compile_prefilter(codes: Iterable[str], models: Models) -> Prefilter:
    """What a file must hold to be parsed when the rules ``codes`` are run."""
    from shutdown_lint.rules.registry import triggers

    return build((*triggers(codes), *SUPPRESSION_WORDS), model_words(models))


def build(triggers: Iterable[str], identifiers: Iterable[str]) -> Prefilter:
    """From triggers, found anywhere, and identifiers, found as whole words only."""
    parts = sorted({parts_of(trigger) for trigger in triggers})
    sources = [re.escape(words[0]) for words in parts if len(words) == 1]
    whole = [re.escape(word.encode()) for word in sorted(set(identifiers))]
    if whole:
        sources.append(rb"\b(?:" + b"|".join(whole) + rb")\b")
    return Prefilter(re.compile(b"|".join(sources) or rb"(?!)"), tuple(words for words in parts if len(words) > 1))


def model_words(models: Models) -> frozenset[str]:
    """Words by which a file tells that it starts work, or has functions run by someone else.

    Types of files, sockets and sessions are left out: nearly every file mentions one, and no finding in another file
    hangs on them. So are a few words of callbacks that mean something else nearly everywhere.
    """
    types = (name for r in models.resources.values() if r.kind in _WORK for name in (r.name, *r.acquire))
    words = {name.rpartition(".")[2] for name in (*types, *models.callbacks, *models.handles_signals)}
    return frozenset(words - _TOO_COMMON) | {"atexit", "signal"}
