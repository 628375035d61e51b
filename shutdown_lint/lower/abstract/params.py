"""Lowering of parameter lists."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TypeAlias

from shutdown_lint.facts import Expr, Param
from shutdown_lint.lower.abstract.tables import TextTables
from shutdown_lint.lower.scope import Scope

# a lambda has parameters, a parameter may hold a lambda
LowerExpr: TypeAlias = Callable[[ast.expr, TextTables, Scope], Expr]


def lower_params(node: ast.arguments, tables: TextTables, scope: Scope, lower: LowerExpr) -> tuple[Param, ...]:
    """The parameters in the order in which they are written; defaults and annotations belong to the outer scope."""
    if not (node.args or node.posonlyargs or node.kwonlyargs or node.vararg or node.kwarg):
        return ()
    out = []
    for arg, kind, default in _in_order(node):
        annotation = None if arg.annotation is None else lower(arg.annotation, tables, scope)
        out.append(Param(arg.arg, kind, None if default is None else lower(default, tables, scope), annotation))
    return tuple(out)


def _in_order(node: ast.arguments) -> Iterator[tuple[ast.arg, str, ast.expr | None]]:
    first_default = len(node.posonlyargs) + len(node.args) - len(node.defaults)
    for number, arg in enumerate([*node.posonlyargs, *node.args]):
        kind = "positional-only" if number < len(node.posonlyargs) else "positional"
        yield arg, kind, node.defaults[number - first_default] if number >= first_default else None
    if node.vararg is not None:
        yield node.vararg, "*", None
    for arg, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
        yield arg, "keyword-only", default
    if node.kwarg is not None:
        yield node.kwarg, "**", None
