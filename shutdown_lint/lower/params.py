"""Lowering of parameter lists."""

from __future__ import annotations

import libcst as cst

from shutdown_lint.facts import Expr, Param
from shutdown_lint.lower.scope import Scope, Tables, normal


def lower_params(node: cst.Parameters, tables: Tables, scope: Scope) -> tuple[Param, ...]:
    """The parameters in the order in which they are written; defaults and annotations belong to the outer scope."""
    out = [_param(param, "positional-only", tables, scope) for param in node.posonly_params]
    out += [_param(param, "positional", tables, scope) for param in node.params]
    if isinstance(node.star_arg, cst.Param):
        out.append(_param(node.star_arg, "*", tables, scope))
    out += [_param(param, "keyword-only", tables, scope) for param in node.kwonly_params]
    if node.star_kwarg is not None:
        out.append(_param(node.star_kwarg, "**", tables, scope))
    return tuple(out)


def _param(node: cst.Param, kind: str, tables: Tables, scope: Scope) -> Param:
    from shutdown_lint.lower.expressions import lower_expr  # a lambda has parameters, a parameter may hold a lambda

    default: Expr | None = lower_expr(node.default, tables, scope) if node.default else None
    annotation = lower_expr(node.annotation.annotation, tables, scope) if node.annotation else None
    return Param(normal(node.name.value), kind, default, annotation)
