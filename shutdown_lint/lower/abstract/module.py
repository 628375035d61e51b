"""A module's text to the facts in it, read by the parser of the running Python."""

from __future__ import annotations

import ast
import warnings

from shutdown_lint.facts import Body
from shutdown_lint.lower.abstract.statements import lower_body
from shutdown_lint.lower.abstract.tables import TextTables
from shutdown_lint.lower.scope import Scope, Tables


def parse(text: str) -> ast.Module:
    """The tree of a module.

    Raises what ``compile`` raises for a text that it does not read: ``SyntaxError``, ``ValueError``,
    ``RecursionError``, ``MemoryError``.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the code that is read, not of ours
        tree = compile(text, "<source>", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    return tree


def lower_tree(tree: ast.Module, text: str) -> tuple[Tables, Body]:
    """The definitions of a module and its body. Raises ``RecursionError`` for expressions that are nested too deeply."""
    tables = TextTables(text)
    scope = Scope(tables.new_function(), -1, "")
    return tables, lower_body(tree.body, tables, scope)
