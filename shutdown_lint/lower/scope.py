"""What the walk accumulates: the functions and classes of a module, and the scope that it is in."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from shutdown_lint.facts import Class, Function, Name

if TYPE_CHECKING:
    from shutdown_lint.lower.cursor import Cursor


class Scope:
    """The function (and class) whose body is being lowered. ``yields`` turns true when a ``yield`` is met in it."""

    __slots__ = ("cls", "function", "prefix", "yields")

    def __init__(self, function: int, cls: int, prefix: str) -> None:
        self.function, self.cls, self.prefix, self.yields = function, cls, prefix, False


class Tables:
    """The definitions of one module, numbered in the order in which they are met."""

    __slots__ = ("_names", "classes", "cursor", "functions")

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.functions: list[Function | None] = []
        self.classes: list[Class | None] = []
        self._names: dict[str, Name] = {}

    def new_function(self) -> int:
        """Reserve the next number, so that nested definitions come after the one around them."""
        self.functions.append(None)
        return len(self.functions) - 1

    def new_class(self) -> int:
        """As ``new_function``."""
        self.classes.append(None)
        return len(self.classes) - 1

    def name(self, identifier: str) -> Name:
        """One shared ``Name`` for each identifier."""
        found = self._names.get(identifier)
        if found is None:
            found = self._names[identifier] = Name(normal(identifier))
        return found


def normal(identifier: str) -> str:
    """The identifier as CPython compares it: NFKC-normalised (Language Reference 2.3)."""
    return identifier if identifier.isascii() else unicodedata.normalize("NFKC", identifier)
