"""Lowering of f-strings.

From 3.12 on (PEP 701) the nodes in their fields have true places. Before, they have not: a field in which something
happens is read again by LibCST.
"""

from __future__ import annotations

import ast
import sys

from shutdown_lint.facts import UNKNOWN, Expr
from shutdown_lint.lower.abstract.params import LowerExpr
from shutdown_lint.lower.abstract.tables import TextTables
from shutdown_lint.lower.scope import Scope, SyntaxTrouble
from shutdown_lint.lower.values import live_operands

TRUE_PLACES = sys.version_info >= (3, 12)
# what lower.values.is_live knows, as nodes
_LIVE = (
    ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.Lambda, ast.NamedExpr,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
)  # fmt: skip


def lower_fstring(node: ast.JoinedStr, tables: TextTables, scope: Scope, lower: LowerExpr) -> Expr:
    """The fields in which something happens; those in format specifications are of no use to a rule."""
    fields = [value.value for value in node.values if isinstance(value, ast.FormattedValue)]
    if TRUE_PLACES:
        return live_operands("fstring", tuple([lower(field, tables, scope) for field in fields]))
    if not any(isinstance(part, _LIVE) for field in fields for part in ast.walk(field)):
        return UNKNOWN
    from shutdown_lint.lower.concrete.module import lower_piece, tables_of_pieces

    if tables.pieces is None:
        tables.pieces = tables_of_pieces(tables.text, tables)
    try:
        return lower_piece(tables.start(node), tables.end(node), tables.pieces, scope)
    except SyntaxTrouble:
        return UNKNOWN
