"""Which files need not be parsed: those that hold none of the words without which no rule can fire."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shutdown_lint.models import Models

# With these words a file may hold suppressions, which are checked even where no rule fires.
SUPPRESSION_WORDS = ("SHD", "shutdown-lint:")
_WORK = frozenset({
    "thread", "timer", "process", "child", "pool", "executor", "server", "consumer", "scheduler", "task", "observer",
})
_TOO_COMMON = frozenset({"map", "ref", "register", "run", "server"})


def compile_words(substrings: Iterable[str], identifiers: Iterable[str]) -> re.Pattern[bytes]:
    """One regex that finds any of the substrings anywhere, and any of the identifiers as whole words."""
    parts = [re.escape(word.encode()) for word in sorted(set(substrings)) if word]
    whole = [re.escape(word.encode()) for word in sorted(set(identifiers)) if word]
    if whole:
        parts.append(rb"\b(?:" + b"|".join(whole) + rb")\b")
    return re.compile(b"|".join(parts) or rb"(?!)")


def model_words(models: Models) -> frozenset[str]:
    """Words by which a file tells that it starts work, or has functions run by someone else.

    Types of files, sockets and sessions are left out: nearly every file mentions one, and no finding in another file
    hangs on them. So are a few words of callbacks that mean something else nearly everywhere.
    """
    types = (name for r in models.resources.values() if r.kind in _WORK for name in (r.name, *r.acquire))
    words = {name.rpartition(".")[2] for name in (*types, *models.callbacks, *models.handles_signals)}
    return frozenset(words - _TOO_COMMON) | {"atexit", "signal"}


def compile_prefilter(codes: Iterable[str], models: Models) -> re.Pattern[bytes]:
    """What a file must hold to be parsed when the rules ``codes`` are run."""
    from shutdown_lint.rules.registry import triggers

    return compile_words((*triggers(codes), *SUPPRESSION_WORDS), model_words(models))
