"""The entry to lowering: one file's text to its facts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from shutdown_lint.facts import Body, Function, ModuleFacts, Span
from shutdown_lint.lower.abstract.module import lower_text as lower_by_ast
from shutdown_lint.lower.scope import Tables

# A link of a call chain costs a walk two Python frames; the bound on chains (bounds.py) is 600.
RECURSION_LIMIT = 10_000


def lower_module(text: str, *, path: str, name: str, is_package: bool, digest: str) -> ModuleFacts:
    """Parse and lower one module.

    The running interpreter's parser comes first; where it is older than the text, LibCST reads it. Both give the same
    facts. Raises ``SyntaxTrouble`` where neither can parse the text, ``RecursionError`` on nesting beyond all reason.
    """
    with _deep_stack():
        tables, body = _lowered(text)
    functions = [function for function in tables.functions[1:] if function is not None]
    classes = tuple([cls for cls in tables.classes if cls is not None])
    return ModuleFacts(path, name, is_package, digest, (_module_body(body), *functions), classes)


def _lowered(text: str) -> tuple[Tables, Body]:
    try:
        return lower_by_ast(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        from shutdown_lint.lower.concrete.module import lower_text as lower_by_libcst

        return lower_by_libcst(text)


def _module_body(body: Body) -> Function:
    span = Span(1, 1, 1, 1)
    return Function(0, "<module>", "<module>", False, False, False, (), (), None, body, -1, -1, span, span)


@contextmanager
def _deep_stack() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
