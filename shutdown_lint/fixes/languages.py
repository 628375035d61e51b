"""What the engine has to know of a kind of file: its fixers, what they look at, and what a changed file must still be."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pkgutil import iter_modules
from typing import NamedTuple

from shutdown_lint.findings import Finding
from shutdown_lint.fixes.edits import Planned
from shutdown_lint.fixes.text import Text
from shutdown_lint.rules.registry import on_deployment
from shutdown_lint.source.kinds import deployment_kind

# one module a fixer, named like the code of its rule
KINDS = frozenset(name for _, name, _ in iter_modules([os.path.dirname(__file__)]) if re.fullmatch(r"shd\d{3}", name))


class Change(NamedTuple):
    """A file's bytes as they were and would be, and the text around the last plans."""

    before: bytes
    after: bytes
    text: str
    result: str
    plans: Sequence[Planned]


class Language(NamedTuple):
    """``parse`` raises ``Refused``; so may ``damage``, which tells what is wrong with a change, or nothing.

    ``outline`` leaves of a text what tells whether the fixes of some findings are possible.
    """

    fixers: frozenset[str]
    outline: Callable[[str, Sequence[Finding]], str]
    parse: Callable[[str], Text]
    damage: Callable[[Change], str]


def language_of(path: str) -> Language:
    """The language of a file, by its name."""
    return _language(deployment_kind(os.path.basename(path)))


@lru_cache(maxsize=16)  # there are fewer kinds
def _language(kind: str) -> Language:
    of_deployment = frozenset(name for name in KINDS if name.upper() in on_deployment())
    if not kind:
        return Language(KINDS - of_deployment, _outline_of_python, _parse_python, _damage_of_python)
    return Language(of_deployment, _all, partial(_parse_deployed, kind), partial(_damage_of_deployed, kind))


# LibCST, and the readers of deployment files, are loaded only for files that are theirs


def _outline_of_python(text: str, findings: Sequence[Finding]) -> str:
    from shutdown_lint.fixes.outline import outline

    return outline(text, findings)


def _all(text: str, _findings: Sequence[Finding]) -> str:
    return text


def _parse_python(text: str) -> Text:
    from shutdown_lint.fixes.tree import parse

    return parse(text)


def _damage_of_python(change: Change) -> str:
    from shutdown_lint.fixes.checking import broken, loses_comments

    return broken(change.before, change.after) or loses_comments(change.text, change.result, change.plans)


def _parse_deployed(kind: str, text: str) -> Text:
    from shutdown_lint.fixes.deployed import Deployed

    return Deployed(kind, text)


def _damage_of_deployed(kind: str, change: Change) -> str:
    from shutdown_lint.fixes.deployed import differs

    return differs(kind, change.before, change.after)
