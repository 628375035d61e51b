"""Lowering of expressions: dispatch by node type, the parts that no rule can use become ``UNKNOWN``.

Parts are lowered in the order of the text, so that functions (lambdas) are numbered in it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, TypeAlias

from shutdown_lint.facts import (
    UNKNOWN,
    Arg,
    Attr,
    Await,
    Call,
    Clause,
    Comp,
    Const,
    Expr,
    Function,
    Lambda,
    Name,
    Op,
    Return,
    Star,
    Subscript,
    Walrus,
    Yield,
    make,
)
from shutdown_lint.lower.abstract.fstrings import lower_fstring
from shutdown_lint.lower.abstract.params import lower_params
from shutdown_lint.lower.abstract.tables import TextTables
from shutdown_lint.lower.scope import Scope
from shutdown_lint.lower.values import binary, display, literal, live_operands, negated

Lowerer: TypeAlias = Callable[[Any, TextTables, Scope], Expr]

# Walks over an expression cost one frame a level, two in lowering; the usual recursion limit of Python is 1,000 frames.
MAX_DEPTH = 600

_NONE = Const(None)


def lower_root(node: ast.expr, tables: TextTables, scope: Scope) -> Expr:
    """The facts of an expression that a statement holds. Raises ``RecursionError`` where it is nested too deeply."""
    # only an expression of that many characters can be that deep
    if tables.characters(node) > MAX_DEPTH and _is_deep(node):
        raise RecursionError
    return _BY_TYPE.get(type(node), _unread)(node, tables, scope)


def _is_deep(node: ast.expr) -> bool:
    level: list[ast.AST] = [node]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in ast.iter_child_nodes(parent)]
        if not level:
            return False
    return True


def lower_expr(node: ast.expr, tables: TextTables, scope: Scope) -> Expr:
    """The facts of one expression. What is asked most looks it up in ``_BY_TYPE`` itself, and saves a frame."""
    return _BY_TYPE.get(type(node), _unread)(node, tables, scope)


def _unread(node: ast.expr, tables: TextTables, scope: Scope) -> Expr:
    """What no rule reads: slices, template strings, ``*Ts`` in an annotation, what later versions add."""
    return UNKNOWN


def _each(nodes: list[ast.expr], tables: TextTables, scope: Scope) -> tuple[Expr, ...]:
    return tuple([lower_expr(node, tables, scope) for node in nodes])


def _name(node: ast.Name, tables: TextTables, scope: Scope) -> Expr:
    return tables.name(node.id)


def _constant(node: ast.Constant, tables: TextTables, scope: Scope) -> Expr:
    return literal(node.value)


def _attribute(node: ast.Attribute, tables: TextTables, scope: Scope) -> Expr:
    value = node.value
    # the commonest: `self.name`
    if isinstance(value, ast.Name):
        return make(Attr, (tables.name(value.id), node.attr))
    found = _BY_TYPE.get(type(value), _unread)(value, tables, scope)
    return make(Attr, (found, node.attr))


def _call(node: ast.Call, tables: TextTables, scope: Scope) -> Expr:
    func = _BY_TYPE.get(type(node.func), _unread)(node.func, tables, scope)
    return make(Call, (func, lower_args(node.args, node.keywords, tables, scope), tables.span(node)))


def lower_args(args: list[ast.expr], keywords: list[ast.keyword], tables: TextTables, scope: Scope) -> tuple[Arg, ...]:
    """The arguments of a call or the bases of a class, in the order in which they are written."""
    if not keywords:
        return tuple([_arg(arg, tables, scope) for arg in args])
    nodes: list[ast.expr | ast.keyword] = [*args, *keywords]
    if args and isinstance(args[-1], ast.Starred):  # the only ones that may follow a keyword
        nodes.sort(key=_place)
    return tuple(
        [
            _keyword(node, tables, scope) if isinstance(node, ast.keyword) else _arg(node, tables, scope)
            for node in nodes
        ]
    )


def _place(node: ast.expr | ast.keyword) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _arg(node: ast.expr, tables: TextTables, scope: Scope) -> Arg:
    if isinstance(node, ast.Starred):
        return Arg(lower_expr(node.value, tables, scope), None, "*")
    return make(Arg, (_BY_TYPE.get(type(node), _unread)(node, tables, scope), None, ""))


def _keyword(node: ast.keyword, tables: TextTables, scope: Scope) -> Arg:
    return Arg(lower_expr(node.value, tables, scope), node.arg, "**" if node.arg is None else "")


def _await(node: ast.Await, tables: TextTables, scope: Scope) -> Expr:
    return Await(lower_expr(node.value, tables, scope), tables.span(node))


def _yield(node: ast.Yield, tables: TextTables, scope: Scope) -> Expr:
    scope.yields = True
    return Yield(_NONE if node.value is None else lower_expr(node.value, tables, scope), False)


def _yield_from(node: ast.YieldFrom, tables: TextTables, scope: Scope) -> Expr:
    scope.yields = True
    return Yield(lower_expr(node.value, tables, scope), True)


def _lambda(node: ast.Lambda, tables: TextTables, scope: Scope) -> Expr:
    index, prefix = tables.new_function(), f"{scope.prefix}<lambda>"
    params = lower_params(node.args, tables, scope, lower_expr)
    inner = Scope(index, -1, f"{prefix}.<locals>.")
    value, span = lower_expr(node.body, tables, inner), tables.span(node)
    body = (Return(value, span),)
    tables.functions[index] = Function(
        index, "<lambda>", prefix, False, inner.yields, True, params, (), None, body, -1, scope.function, span, span
    )
    return Lambda(index, span)


def _fstring(node: ast.JoinedStr, tables: TextTables, scope: Scope) -> Expr:
    return lower_fstring(node, tables, scope, lower_expr)


def _unary(node: ast.UnaryOp, tables: TextTables, scope: Scope) -> Expr:
    operand, op = lower_expr(node.operand, tables, scope), type(node.op)
    if op is ast.Not:
        return Op("not", (operand,))
    return negated(operand) if op is ast.USub else live_operands("?", (operand,))


def _boolean(node: ast.BoolOp, tables: TextTables, scope: Scope) -> Expr:
    """``a and b and c`` is ``(a and b) and c``."""
    op = "and" if type(node.op) is ast.And else "or"
    found = lower_expr(node.values[0], tables, scope)
    for value in node.values[1:]:
        found = Op(op, (found, lower_expr(value, tables, scope)))
    return found


_BINARY: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.BitOr: "|"}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is-not",
    ast.In: "in",
    ast.NotIn: "not-in",
}


def _binary(node: ast.BinOp, tables: TextTables, scope: Scope) -> Expr:
    left, right = lower_expr(node.left, tables, scope), lower_expr(node.right, tables, scope)
    return binary(_BINARY.get(type(node.op), "?"), left, right)


def _comparison(node: ast.Compare, tables: TextTables, scope: Scope) -> Expr:
    left, links = lower_expr(node.left, tables, scope), []
    for operator, comparator in zip(node.ops, node.comparators, strict=True):
        right = lower_expr(comparator, tables, scope)
        links.append(Op(_COMPARE[type(operator)], (left, right)))
        left = right
    return links[0] if len(links) == 1 else Op("and", tuple(links))


def _conditional(node: ast.IfExp, tables: TextTables, scope: Scope) -> Expr:
    body, test = lower_expr(node.body, tables, scope), lower_expr(node.test, tables, scope)
    return Op("if", (test, body, lower_expr(node.orelse, tables, scope)))


def _display(kind: str) -> Lowerer:
    def lower(node: ast.Tuple | ast.List | ast.Set, tables: TextTables, scope: Scope) -> Expr:
        return display(kind, tuple([_element(element, tables, scope) for element in node.elts]))

    return lower


def _element(node: ast.expr, tables: TextTables, scope: Scope) -> Expr:
    if isinstance(node, ast.Starred):
        return Star(lower_expr(node.value, tables, scope))
    return lower_expr(node, tables, scope)


def _dict(node: ast.Dict, tables: TextTables, scope: Scope) -> Expr:
    items: list[Expr] = []
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            items.append(Star(lower_expr(value, tables, scope)))
        else:
            items += (lower_expr(key, tables, scope), lower_expr(value, tables, scope))
    return display("dict", tuple(items))


def _subscript(node: ast.Subscript, tables: TextTables, scope: Scope) -> Expr:
    return Subscript(lower_expr(node.value, tables, scope), lower_expr(node.slice, tables, scope))


def _comprehension(kind: str) -> Lowerer:
    def lower(node: ast.ListComp | ast.SetComp | ast.GeneratorExp, tables: TextTables, scope: Scope) -> Expr:
        elements = (lower_expr(node.elt, tables, scope),)
        return Comp(kind, elements, _clauses(node.generators, tables, scope))

    return lower


def _dict_comprehension(node: ast.DictComp, tables: TextTables, scope: Scope) -> Expr:
    elements = lower_expr(node.key, tables, scope), lower_expr(node.value, tables, scope)
    return Comp("dict", elements, _clauses(node.generators, tables, scope))


def _clauses(nodes: list[ast.comprehension], tables: TextTables, scope: Scope) -> tuple[Clause, ...]:
    return tuple([_clause(node, tables, scope) for node in nodes])


def _clause(node: ast.comprehension, tables: TextTables, scope: Scope) -> Clause:
    target, iterable = lower_expr(node.target, tables, scope), lower_expr(node.iter, tables, scope)
    return Clause(target, iterable, _each(node.ifs, tables, scope), bool(node.is_async))


def _walrus(node: ast.NamedExpr, tables: TextTables, scope: Scope) -> Expr:
    target, value = lower_expr(node.target, tables, scope), lower_expr(node.value, tables, scope)
    return Walrus(target, value) if isinstance(target, Name) else value


_BY_TYPE: dict[type[ast.expr], Lowerer] = {
    ast.Name: _name,
    ast.Constant: _constant,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.Await: _await,
    ast.Yield: _yield,
    ast.YieldFrom: _yield_from,
    ast.Lambda: _lambda,
    ast.JoinedStr: _fstring,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.BinOp: _binary,
    ast.Compare: _comparison,
    ast.IfExp: _conditional,
    ast.Tuple: _display("tuple"),
    ast.List: _display("list"),
    ast.Set: _display("set"),
    ast.Dict: _dict,
    ast.Subscript: _subscript,
    ast.ListComp: _comprehension("list"),
    ast.SetComp: _comprehension("set"),
    ast.GeneratorExp: _comprehension("generator"),
    ast.DictComp: _dict_comprehension,
    ast.NamedExpr: _walrus,
}
