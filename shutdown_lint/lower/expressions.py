"""Lowering of expressions: dispatch by node type, the parts that no rule can use become ``UNKNOWN``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import libcst as cst

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
    Seq,
    Star,
    Subscript,
    Unknown,
    Walrus,
    Yield,
)
from shutdown_lint.lower.params import lower_params
from shutdown_lint.lower.scope import Scope, Tables, normal

MAX_STRING = 200
MAX_LITERALS = 8

Lowerer: TypeAlias = Callable[[Any, Tables, Scope], Expr]


def lower_expr(node: cst.CSTNode, tables: Tables, scope: Scope) -> Expr:
    """The facts of one expression."""
    lowerer = _BY_TYPE.get(type(node))
    return lowerer(node, tables, scope) if lowerer else UNKNOWN


def _name(node: cst.Name, tables: Tables, scope: Scope) -> Expr:
    value = node.value
    if value in _KEYWORDS:
        return _KEYWORDS[value]
    return tables.name(value)


_KEYWORDS: dict[str, Expr] = {"None": Const(None), "True": Const(True), "False": Const(False)}


def _attribute(node: cst.Attribute, tables: Tables, scope: Scope) -> Expr:
    return Attr(lower_expr(node.value, tables, scope), normal(node.attr.value))


def _call(node: cst.Call, tables: Tables, scope: Scope) -> Expr:
    func = lower_expr(node.func, tables, scope)
    return Call(func, lower_args(node.args, tables, scope), tables.positions.span(node))


def lower_args(args: Iterable[cst.Arg], tables: Tables, scope: Scope) -> tuple[Arg, ...]:
    """The arguments of a call or the bases of a class."""
    return tuple(
        Arg(lower_expr(arg.value, tables, scope), normal(arg.keyword.value) if arg.keyword else None, arg.star)
        for arg in args
    )


def _await(node: cst.Await, tables: Tables, scope: Scope) -> Expr:
    return Await(lower_expr(node.expression, tables, scope), tables.positions.span(node))


def _yield(node: cst.Yield, tables: Tables, scope: Scope) -> Expr:
    scope.yields = True
    value = node.value
    if value is None:
        return Yield(_KEYWORDS["None"], False)
    if isinstance(value, cst.From):
        return Yield(lower_expr(value.item, tables, scope), True)
    return Yield(lower_expr(value, tables, scope), False)


def _lambda(node: cst.Lambda, tables: Tables, scope: Scope) -> Expr:
    index, span = tables.new_function(), tables.positions.span(node)
    prefix = f"{scope.prefix}<lambda>"
    params = lower_params(node.params, tables, scope)
    inner = Scope(index, -1, f"{prefix}.<locals>.")
    body = (Return(lower_expr(node.body, tables, inner), span),)
    tables.functions[index] = Function(
        index, "<lambda>", prefix, False, inner.yields, True, params, (), None, body, -1, scope.function, span, span
    )
    return Lambda(index, span)


def _string(node: cst.SimpleString, tables: Tables, scope: Scope) -> Expr:
    text = node.value
    if len(text) > MAX_STRING or "b" in node.prefix.lower():
        return UNKNOWN
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return UNKNOWN
    return Const(value) if isinstance(value, str) else UNKNOWN


def _concatenated(node: cst.ConcatenatedString, tables: Tables, scope: Scope) -> Expr:
    left, right = lower_expr(node.left, tables, scope), lower_expr(node.right, tables, scope)
    if (
        isinstance(left, Const)
        and isinstance(right, Const)
        and isinstance(left.value, str)
        and isinstance(right.value, str)
    ):
        joined = left.value + right.value
        return Const(joined) if len(joined) <= MAX_STRING else UNKNOWN
    return live_operands("fstring", (left, right))


def _fstring(node: cst.FormattedString, tables: Tables, scope: Scope) -> Expr:
    parts = (part.expression for part in node.parts if isinstance(part, cst.FormattedStringExpression))
    return live_operands("fstring", tuple(lower_expr(part, tables, scope) for part in parts))


def live_operands(kind: str, operands: tuple[Expr, ...]) -> Expr:
    """Only the operands in which something happens; ``UNKNOWN`` where there is none."""
    live = tuple(operand for operand in operands if is_live(operand))
    if not live:
        return UNKNOWN
    return Seq(kind, live) if kind == "fstring" else Op(kind, live)


def is_live(expr: Expr) -> bool:
    """Whether evaluating the expression can do more than read names."""
    if isinstance(expr, (Call, Await, Yield, Lambda, Walrus, Comp)):
        return True
    if isinstance(expr, (Attr, Subscript, Star)):
        return is_live(expr.value)
    if isinstance(expr, Op):
        return any(map(is_live, expr.operands))
    return isinstance(expr, Seq) and any(map(is_live, expr.items))


def _integer(node: cst.Integer, tables: Tables, scope: Scope) -> Expr:
    # CPython refuses int() of more than 4,300 digits (sys.set_int_max_str_digits)
    return Const(ast.literal_eval(node.value)) if len(node.value) < 20 else UNKNOWN


def _float(node: cst.Float, tables: Tables, scope: Scope) -> Expr:
    return Const(float(node.value)) if len(node.value) < 40 else UNKNOWN


_UNARY = {cst.Not: "not", cst.Minus: "-"}
_BINARY = {cst.Add: "+", cst.Subtract: "-"}
_COMPARE = {
    cst.Equal: "==",
    cst.NotEqual: "!=",
    cst.LessThan: "<",
    cst.LessThanEqual: "<=",
    cst.GreaterThan: ">",
    cst.GreaterThanEqual: ">=",
    cst.Is: "is",
    cst.IsNot: "is-not",
    cst.In: "in",
    cst.NotIn: "not-in",
}


def _unary(node: cst.UnaryOperation, tables: Tables, scope: Scope) -> Expr:
    operand = lower_expr(node.expression, tables, scope)
    op = _UNARY.get(type(node.operator), "?")
    if op == "-" and isinstance(operand, Const) and isinstance(operand.value, (int, float)):
        return Const(-operand.value)
    return Op("not", (operand,)) if op == "not" else live_operands("?", (operand,))


def _boolean(node: cst.BooleanOperation, tables: Tables, scope: Scope) -> Expr:
    op = "and" if isinstance(node.operator, cst.And) else "or"
    return Op(op, (lower_expr(node.left, tables, scope), lower_expr(node.right, tables, scope)))


def _binary(node: cst.BinaryOperation, tables: Tables, scope: Scope) -> Expr:
    op = _BINARY.get(type(node.operator), "?")
    operands = (lower_expr(node.left, tables, scope), lower_expr(node.right, tables, scope))
    if op == "?" or any(isinstance(operand, Unknown) for operand in operands):
        return live_operands("?", operands)
    return Op(op, operands)


def _comparison(node: cst.Comparison, tables: Tables, scope: Scope) -> Expr:
    left = lower_expr(node.left, tables, scope)
    links = []
    for target in node.comparisons:
        right = lower_expr(target.comparator, tables, scope)
        links.append(Op(_COMPARE.get(type(target.operator), "?"), (left, right)))
        left = right
    return links[0] if len(links) == 1 else Op("and", tuple(links))


def _conditional(node: cst.IfExp, tables: Tables, scope: Scope) -> Expr:
    return Op("if", tuple(lower_expr(part, tables, scope) for part in (node.test, node.body, node.orelse)))


def _display(kind: str) -> Lowerer:
    def lower(node: cst.Tuple | cst.List | cst.Set, tables: Tables, scope: Scope) -> Expr:
        return _seq(kind, tuple(_element(element, tables, scope) for element in node.elements))

    return lower


def _element(node: cst.BaseElement, tables: Tables, scope: Scope) -> Expr:
    value = lower_expr(node.value, tables, scope)
    return Star(value) if isinstance(node, cst.StarredElement) else value


def _seq(kind: str, items: tuple[Expr, ...]) -> Expr:
    """A display; a long table of literals is data that no rule reads."""
    if len(items) > MAX_LITERALS and all(isinstance(item, (Const, Unknown)) for item in items):
        return UNKNOWN
    return Seq(kind, items)


def _dict(node: cst.Dict, tables: Tables, scope: Scope) -> Expr:
    items: list[Expr] = []
    for element in node.elements:
        if isinstance(element, cst.DictElement):
            items += (lower_expr(element.key, tables, scope), lower_expr(element.value, tables, scope))
        else:
            items.append(Star(lower_expr(element.value, tables, scope)))
    return _seq("dict", tuple(items))


def _subscript(node: cst.Subscript, tables: Tables, scope: Scope) -> Expr:
    value = lower_expr(node.value, tables, scope)
    indices = tuple(
        lower_expr(element.slice.value, tables, scope) if isinstance(element.slice, cst.Index) else UNKNOWN
        for element in node.slice
    )
    return Subscript(value, indices[0] if len(indices) == 1 else Seq("tuple", indices))


def _comprehension(kind: str) -> Lowerer:
    def lower(node: cst.BaseComp, tables: Tables, scope: Scope) -> Expr:
        parts = (node.key, node.value) if isinstance(node, cst.DictComp) else (node.elt,)  # type: ignore[attr-defined]  # all but a dict's have elt
        clauses = tuple(_clause(clause, tables, scope) for clause in _clauses(node.for_in))
        return Comp(kind, tuple(lower_expr(part, tables, scope) for part in parts), clauses)

    return lower


def _clauses(first: cst.CompFor) -> Iterable[cst.CompFor]:
    clause: cst.CompFor | None = first
    while clause is not None:
        yield clause
        clause = clause.inner_for_in


def _clause(node: cst.CompFor, tables: Tables, scope: Scope) -> Clause:
    return Clause(
        lower_expr(node.target, tables, scope),
        lower_expr(node.iter, tables, scope),
        tuple(lower_expr(test.test, tables, scope) for test in node.ifs),
        node.asynchronous is not None,
    )


def _walrus(node: cst.NamedExpr, tables: Tables, scope: Scope) -> Expr:
    target = lower_expr(node.target, tables, scope)
    value = lower_expr(node.value, tables, scope)
    return Walrus(target, value) if isinstance(target, Name) else value


_BY_TYPE: dict[type[cst.CSTNode], Lowerer] = {
    cst.Name: _name,
    cst.Attribute: _attribute,
    cst.Call: _call,
    cst.Await: _await,
    cst.Yield: _yield,
    cst.Lambda: _lambda,
    cst.SimpleString: _string,
    cst.ConcatenatedString: _concatenated,
    cst.FormattedString: _fstring,
    cst.Integer: _integer,
    cst.Float: _float,
    cst.UnaryOperation: _unary,
    cst.BooleanOperation: _boolean,
    cst.BinaryOperation: _binary,
    cst.Comparison: _comparison,
    cst.IfExp: _conditional,
    cst.Tuple: _display("tuple"),
    cst.List: _display("list"),
    cst.Set: _display("set"),
    cst.Dict: _dict,
    cst.Subscript: _subscript,
    cst.ListComp: _comprehension("list"),
    cst.SetComp: _comprehension("set"),
    cst.DictComp: _comprehension("dict"),
    cst.GeneratorExp: _comprehension("generator"),
    cst.NamedExpr: _walrus,
}
