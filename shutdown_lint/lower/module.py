"""The entry to lowering: one file's text to its facts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from shutdown_lint.facts import Function, ModuleFacts, Span
from shutdown_lint.lower.cursor import Cursor
from shutdown_lint.lower.nodes import parse
from shutdown_lint.lower.scope import Scope, Tables
from shutdown_lint.lower.statements import lower_body

if TYPE_CHECKING:
    import libcst as cst
else:
    from shutdown_lint.lower.nodes import cst

# A link of a call chain costs LibCST's code generation four Python frames; the bound on chains (bounds.py) is 300.
RECURSION_LIMIT = 10_000


class SyntaxTrouble(Exception):
    """The text is not Python that LibCST can read. ``line`` and ``col`` are 1-based."""

    def __init__(self, line: int, col: int, message: str) -> None:
        super().__init__(message)
        self.line, self.col, self.message = line, col, message


def lower_module(text: str, *, path: str, name: str, is_package: bool, digest: str) -> ModuleFacts:
    """Parse and lower one module.

    Raises ``SyntaxTrouble`` where LibCST cannot parse the text, ``RecursionError`` on nesting beyond all reason.
    """
    with _deep_stack():
        tree = _parse(text)
        tables = Tables(Cursor(text))
        index, scope = tables.new_function(), Scope(0, -1, "")
        body = lower_body(tree, tables, scope)
    span = Span(1, 1, 1, 1)
    tables.functions[index] = Function(
        index, "<module>", "<module>", False, False, False, (), (), None, body, -1, -1, span, span
    )
    functions = tuple(function for function in tables.functions if function is not None)
    classes = tuple(cls for cls in tables.classes if cls is not None)
    return ModuleFacts(path, name, is_package, digest, functions, classes)


def _parse(text: str) -> cst.Module:
    try:
        return parse(text)
    except cst.ParserSyntaxError as error:
        raise SyntaxTrouble(error.raw_line, error.raw_column + 1, error.message.partition("\n")[0]) from error


@contextmanager
def _deep_stack() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
