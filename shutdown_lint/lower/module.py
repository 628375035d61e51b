"""The entry to lowering: one file's text to its facts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from shutdown_lint.facts import Body, Function, ModuleFacts, Span
from shutdown_lint.lower.abstract.module import lower_tree, parse
from shutdown_lint.lower.scope import Tables

# A link of a call chain costs a walk two Python frames; the bound on chains (bounds.py) is 600.
RECURSION_LIMIT = 10_000


def lower_module(text: str, *, path: str, name: str, is_package: bool, digest: str) -> ModuleFacts:
    """Parse and lower one module with the parser of the running Python.

    Raises what ``compile`` raises for a text that it does not read (``SyntaxError``, ``ValueError``, ``RecursionError``,
    ``MemoryError``), and ``RecursionError`` for expressions that are nested too deeply to be walked.
    """
    tree = parse(text)  # at the usual recursion limit, which protects the interpreter's own stack
    with _deep_stack():
        tables, body = lower_tree(tree, text)
    return _facts(tables, body, path, name, is_package, digest)


def lower_newer(text: str, *, path: str, name: str, is_package: bool, digest: str) -> ModuleFacts:
    """The same with LibCST, which reads syntax that is newer than the running Python, and leads to the same facts.

    Its parser must not see every text (``shutdown_lint.bounds``). Raises ``SyntaxTrouble`` where LibCST cannot parse the
    text, ``RecursionError`` on nesting beyond all reason.
    """
    from shutdown_lint.lower.concrete.module import lower_text

    with _deep_stack():
        tables, body = lower_text(text)
    return _facts(tables, body, path, name, is_package, digest)


def _facts(tables: Tables, body: Body, path: str, name: str, is_package: bool, digest: str) -> ModuleFacts:
    functions = [function for function in tables.functions[1:] if function is not None]
    classes = tuple([cls for cls in tables.classes if cls is not None])
    return ModuleFacts(path, name, is_package, digest, (_module_body(body), *functions), classes)


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
