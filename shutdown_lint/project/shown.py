"""Reads of attributes by name that end nothing: what is shown, compared or copied, and names that are all known."""

from __future__ import annotations

import re

from shutdown_lint.facts import Const, Expr, Name, Seq
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.scopes import Element

_SHOWING = frozenset(
    {
        "__repr__", "__str__", "__format__", "__rich_repr__", "__eq__", "__ne__", "__hash__", "__dir__", "__sizeof__",
        "__getstate__", "__reduce__", "__reduce_ex__", "__copy__", "__deepcopy__",
    }
)  # fmt: skip
_WRITTEN = re.compile(r"_?(?:to|as)_?(?:dict|json|yaml|str|string|config)")


def only_shows(fn: Fn) -> bool:
    """Whether the method gives out what its object holds, as text or as a copy, and leaves it as it is."""
    return fn.name in _SHOWING or bool(_WRITTEN.fullmatch(fn.name))


def names_read(name: Expr, fn: Fn) -> frozenset[str] | None:
    """The names that ``getattr(self, name)`` may read, where they are written down: ``for name in ("host", "port")``."""
    if isinstance(name, Const):
        return frozenset({name.value}) if isinstance(name.value, str) else None
    bindings = fn.bindings.get(name.id, ()) if isinstance(name, Name) else ()
    found: set[str] = set()
    for binding in bindings:
        given = binding.iter if isinstance(binding, Element) else None
        if not isinstance(given, Seq) or given.kind not in ("tuple", "list", "set"):
            return None
        for item in given.items:
            if not isinstance(item, Const) or not isinstance(item.value, str):
                return None
            found.add(item.value)
    return frozenset(found) or None
