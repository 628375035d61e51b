"""A module's text to the facts in it, read by LibCST; or a piece of it that stands for one expression."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shutdown_lint.facts import Body, Expr
from shutdown_lint.lower.concrete.cursor import Cursor
from shutdown_lint.lower.concrete.expressions import lower_unparenthesized
from shutdown_lint.lower.concrete.nodes import parse
from shutdown_lint.lower.concrete.statements import lower_body
from shutdown_lint.lower.concrete.tables import CursorTables
from shutdown_lint.lower.scope import Scope, SyntaxTrouble, Tables

if TYPE_CHECKING:
    import libcst as cst
else:
    from shutdown_lint.lower.concrete.nodes import cst


def lower_text(text: str) -> tuple[Tables, Body]:
    """The definitions of a module and its body. Raises ``SyntaxTrouble``."""
    tables = CursorTables(Cursor(text))
    scope = Scope(tables.new_function(), -1, "")
    return tables, lower_body(_parse(text), tables, scope)


def tables_of_pieces(text: str, tables: Tables) -> CursorTables:
    """The tables for pieces of the text; what these define goes to the tables of the text."""
    return CursorTables(Cursor(text), tables)


def lower_piece(start: int, end: int, tables: CursorTables, scope: Scope) -> Expr:
    """The facts of the one expression, without parentheses of its own, that stands at these offsets of the text.

    Raises ``SyntaxTrouble``.
    """
    (line,) = _parse(f"({tables.cursor.text[start:end]}\n)").body
    assert isinstance(line, cst.SimpleStatementLine)
    (statement,) = line.body
    assert isinstance(statement, cst.Expr)
    tables.cursor.pos = start
    return lower_unparenthesized(statement.value, tables, scope)


def _parse(text: str) -> cst.Module:
    try:
        return parse(text)
    except cst.ParserSyntaxError as error:
        raise SyntaxTrouble(error.raw_line, error.raw_column + 1, error.message.partition("\n")[0]) from error
