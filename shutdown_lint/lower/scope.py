"""What the walk accumulates: the functions and classes of a module, and the scope that it is in; what ends it."""

from __future__ import annotations

import re
import unicodedata
from itertools import accumulate

from shutdown_lint.facts import Class, Function, ImportName, Name


class SyntaxTrouble(Exception):
    """The text is not Python that LibCST can read. ``line`` and ``col`` are 1-based."""

    def __init__(self, line: int, col: int, message: str) -> None:
        super().__init__(message)
        self.line, self.col, self.message = line, col, message


class Scope:
    """The function (and class) whose body is being lowered. ``yields`` turns true when a ``yield`` is met in it."""

    __slots__ = ("cls", "function", "prefix", "yields")

    def __init__(self, function: int, cls: int, prefix: str) -> None:
        self.function, self.cls, self.prefix, self.yields = function, cls, prefix, False


class Tables:
    """The definitions of one module, numbered in the order in which they are met; ``into`` tables that are there already."""

    __slots__ = ("_names", "classes", "functions")

    def __init__(self, into: Tables | None = None) -> None:
        self.functions: list[Function | None] = into.functions if into else []
        self.classes: list[Class | None] = into.classes if into else []
        self._names: dict[str, Name] = into._names if into else {}

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


# CPython ends a line at \n, \r\n and \r only (Language Reference 2.1.2); str.splitlines() knows more.
_LINE_END = re.compile(r"\r\n|\n|\r")


def line_starts(text: str) -> list[int]:
    """The offset of the first character of each line."""
    if "\r" in text:
        return [0, *(match.end() for match in _LINE_END.finditer(text))]
    return [0, *accumulate(len(line) + 1 for line in text.split("\n")[:-1])]


def normal(identifier: str) -> str:
    """The identifier as CPython compares it: NFKC-normalised (Language Reference 2.3)."""
    return identifier if identifier.isascii() else unicodedata.normalize("NFKC", identifier)


def imported(module: str, bound: str | None) -> ImportName:
    """What ``import module as bound`` binds; ``import a.b as a`` is ``from a import b as a``, as ``a`` is not the package."""
    top, _, _ = module.partition(".")
    if bound == top != module:
        package, _, last = module.rpartition(".")
        return ImportName(bound, package, last, 0)
    return ImportName(bound or top, module, None, 0)
