"""Lowering of parameter lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shutdown_lint.facts import Expr, Param
from shutdown_lint.lower.concrete.tables import CursorTables
from shutdown_lint.lower.scope import Scope, normal

if TYPE_CHECKING:
    import libcst as cst
else:
    from shutdown_lint.lower.concrete.nodes import cst


def lower_params(node: cst.Parameters, tables: CursorTables, scope: Scope) -> tuple[Param, ...]:
    """The parameters in the order in which they are written; defaults and annotations belong to the outer scope."""
    cursor = tables.cursor
    out = [_param(param, "positional-only", tables, scope) for param in node.posonly_params]
    if out and cursor.skip("/"):
        cursor.skip(",")
    out += [_param(param, "positional", tables, scope) for param in node.params]
    if isinstance(node.star_arg, cst.ParamStar):
        cursor.take("*")
        cursor.take(",")
    elif isinstance(node.star_arg, cst.Param):
        cursor.take("*")
        out.append(_param(node.star_arg, "*", tables, scope))
    out += [_param(param, "keyword-only", tables, scope) for param in node.kwonly_params]
    if node.star_kwarg is not None:
        cursor.take("**")
        out.append(_param(node.star_kwarg, "**", tables, scope))
    return tuple(out)


def _param(node: cst.Param, kind: str, tables: CursorTables, scope: Scope) -> Param:
    from shutdown_lint.lower.concrete.expressions import (
        lower_expr,  # a lambda has parameters, a parameter may hold a lambda
    )

    cursor = tables.cursor
    default: Expr | None = None
    annotation: Expr | None = None
    cursor.take(node.name.value)
    if node.annotation is not None:
        cursor.take(":")
        annotation = lower_expr(node.annotation.annotation, tables, scope)
    if node.default is not None:
        cursor.take("=")
        default = lower_expr(node.default, tables, scope)
    cursor.skip(",")
    return Param(normal(node.name.value), kind, default, annotation)
