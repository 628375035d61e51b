"""Lowering of f-strings.

From 3.12 on (PEP 701) the nodes in their fields have true places. Before, they often have, as the text shows; where they
have not, a string in whose fields something happens is read again by LibCST.
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


_NEAR = 20  # characters
_ENDS = frozenset("}!:=")


def lower_fstring(node: ast.JoinedStr, tables: TextTables, scope: Scope, lower: LowerExpr) -> Expr:
    """The fields in which something happens; those in format specifications are of no use to a rule."""
    fields = [value.value for value in node.values if isinstance(value, ast.FormattedValue)]
    if not TRUE_PLACES and not _hold(fields, _LIVE):
        return UNKNOWN
    # the nodes of a string in a field have places in that string
    if TRUE_PLACES or (not _hold(fields, ast.JoinedStr) and _are_in_place(fields, tables)):
        return live_operands("fstring", tuple([lower(field, tables, scope) for field in fields]))
    from shutdown_lint.lower.concrete.module import lower_piece, tables_of_pieces

    if tables.pieces is None:
        tables.pieces = tables_of_pieces(tables.text, tables)
    try:
        return lower_piece(tables.start(node), tables.end(node), tables.pieces, scope)
    except SyntaxTrouble:
        return UNKNOWN


def _hold(fields: list[ast.expr], kinds: type[ast.AST] | tuple[type[ast.AST], ...]) -> bool:
    return any(isinstance(part, kinds) for field in fields for part in ast.walk(field))


def _are_in_place(fields: list[ast.expr], tables: TextTables) -> bool:
    """Whether a field stands where each of the nodes says that it is, one behind the other."""
    behind = 0
    for field in fields:
        try:
            start, end = tables.start(field), tables.end(field)
        except IndexError:  # in a line that the file does not have
            return False
        before, after = tables.text[max(start - _NEAR, behind) : start], tables.text[end : end + _NEAR]
        if not behind <= start < end or before.rstrip()[-1:] != "{" or after.lstrip()[:1] not in _ENDS:
            return False
        behind = end
    return True
