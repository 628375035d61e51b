"""What a ``case`` pattern binds. The values it compares are of no use to a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from shutdown_lint.lower.concrete.expressions import discard
from shutdown_lint.lower.concrete.tables import CursorTables
from shutdown_lint.lower.scope import Scope, normal

if TYPE_CHECKING:
    import libcst as cst
else:
    from shutdown_lint.lower.concrete.nodes import cst

# appends the names that the pattern binds
Reader: TypeAlias = Callable[[Any, CursorTables, Scope, "list[str]"], None]


def lower_case(pattern: cst.MatchPattern, tables: CursorTables, scope: Scope) -> tuple[tuple[str, ...], bool]:
    """The names bound, and whether the pattern matches anything (``_`` or a bare name)."""
    irrefutable = isinstance(pattern, cst.MatchAs) and pattern.pattern is None
    names: list[str] = []
    _read(pattern, tables, scope, names)
    return tuple(names), irrefutable


def _read(node: cst.CSTNode, tables: CursorTables, scope: Scope, names: list[str]) -> None:
    # the parentheses around a value are the value's own
    depth = 0 if isinstance(node, (cst.MatchValue, cst.MatchSingleton)) else len(getattr(node, "lpar", ()))
    for _ in range(depth):
        tables.cursor.take("(")
    reader = _BY_TYPE.get(type(node))
    if reader:
        reader(node, tables, scope, names)
    for _ in range(depth):
        tables.cursor.take(")")


def _value(node: cst.MatchValue, tables: CursorTables, scope: Scope, names: list[str]) -> None:
    discard(node.value, tables, scope)


def _bind(node: cst.Name | None, tables: CursorTables, names: list[str]) -> None:
    if node is None:
        tables.cursor.take("_")
    else:
        tables.cursor.take(node.value)
        names.append(normal(node.value))


def _as(node: cst.MatchAs, tables: CursorTables, scope: Scope, names: list[str]) -> None:
    if node.pattern is not None:
        _read(node.pattern, tables, scope, names)
        tables.cursor.take("as")
    _bind(node.name, tables, names)


def _or(node: cst.MatchOr, tables: CursorTables, scope: Scope, names: list[str]) -> None:
    for element in node.patterns:
        _read(element.pattern, tables, scope, names)
        tables.cursor.skip("|")


def _star(node: cst.MatchStar, tables: CursorTables, scope: Scope, names: list[str]) -> None:
    tables.cursor.take("*")
    _bind(node.name, tables, names)


def _element(node: cst.MatchSequenceElement, tables: CursorTables, scope: Scope, names: list[str]) -> None:
    _read(node.value, tables, scope, names)


def _elements(nodes: Iterable[cst.CSTNode], tables: CursorTables, scope: Scope, names: list[str]) -> None:
    for node in nodes:
        _read(node, tables, scope, names)
        tables.cursor.skip(",")


def _list(node: cst.MatchList, tables: CursorTables, scope: Scope, names: list[str]) -> None:
    bracketed = node.lbracket is not None
    if bracketed:
        tables.cursor.take("[")
    _elements(node.patterns, tables, scope, names)
    if bracketed:
        tables.cursor.take("]")


def _tuple(node: cst.MatchTuple, tables: CursorTables, scope: Scope, names: list[str]) -> None:
    _elements(node.patterns, tables, scope, names)


def _mapping(node: cst.MatchMapping, tables: CursorTables, scope: Scope, names: list[str]) -> None:
    cursor = tables.cursor
    cursor.take("{")
    for element in node.elements:
        discard(element.key, tables, scope)
        cursor.take(":")
        _read(element.pattern, tables, scope, names)
        cursor.skip(",")
    if node.rest is not None:
        cursor.take("**")
        _bind(node.rest, tables, names)
        cursor.skip(",")
    cursor.take("}")


def _class(node: cst.MatchClass, tables: CursorTables, scope: Scope, names: list[str]) -> None:
    cursor = tables.cursor
    discard(node.cls, tables, scope)
    cursor.take("(")
    _elements(node.patterns, tables, scope, names)
    for element in node.kwds:
        cursor.take(element.key.value)
        cursor.take("=")
        _read(element.pattern, tables, scope, names)
        cursor.skip(",")
    cursor.take(")")


_BY_TYPE: dict[type[cst.CSTNode], Reader] = {
    cst.MatchValue: _value,
    cst.MatchSingleton: _value,
    cst.MatchAs: _as,
    cst.MatchOr: _or,
    cst.MatchStar: _star,
    cst.MatchSequenceElement: _element,
    cst.MatchList: _list,
    cst.MatchTuple: _tuple,
    cst.MatchMapping: _mapping,
    cst.MatchClass: _class,
}
