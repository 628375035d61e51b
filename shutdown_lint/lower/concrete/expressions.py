"""Lowering of expressions: dispatch by node type, the parts that no rule can use become ``UNKNOWN``.

Every lowerer begins with the cursor at the first token of its node and ends behind the last, without the parentheses
around the node: ``lower_expr`` takes these.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

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
from shutdown_lint.lower.concrete.cursor import Cursor
from shutdown_lint.lower.concrete.params import lower_params
from shutdown_lint.lower.concrete.tables import CursorTables
from shutdown_lint.lower.scope import Scope, normal
from shutdown_lint.lower.values import binary, display, literal, live_operands, negated

if TYPE_CHECKING:
    import libcst as cst
else:
    from shutdown_lint.lower.concrete.nodes import cst

# CPython refuses int() of more than 4,300 digits (sys.set_int_max_str_digits); what is longer than this is above the bound
_LONG_INTEGER = 100

Lowerer: TypeAlias = Callable[[Any, CursorTables, Scope], Expr]


def lower_expr(node: cst.CSTNode, tables: CursorTables, scope: Scope) -> Expr:
    """The facts of one expression."""
    parentheses = getattr(node, "lpar", ())
    if isinstance(node, cst.Name) and not parentheses:
        return _name(node, tables, scope)  # every second expression; nobody asks where it begins
    if not parentheses:
        return lower_unparenthesized(node, tables, scope)
    cursor = tables.cursor
    for _ in parentheses:
        cursor.take("(")
    found = lower_unparenthesized(node, tables, scope)
    for _ in parentheses:
        cursor.take(")")
    return found


def lower_unparenthesized(node: cst.CSTNode, tables: CursorTables, scope: Scope) -> Expr:
    """As ``lower_expr``; the parentheses around the node are left to the caller."""
    tables.cursor.start()
    return _BY_TYPE.get(type(node), _unread)(node, tables, scope)


def discard(node: cst.CSTNode | None, tables: CursorTables, scope: Scope) -> Unknown:
    """Move the cursor past an expression that no rule can use."""
    if node is not None:
        functions, yields = len(tables.functions), scope.yields
        lower_expr(node, tables, scope)
        del tables.functions[functions:]
        scope.yields = yields
    return UNKNOWN


def _unread(node: cst.CSTNode, tables: CursorTables, scope: Scope) -> Expr:
    """A kind of expression that this version does not know."""
    return UNKNOWN


def _name(node: cst.Name, tables: CursorTables, scope: Scope) -> Expr:
    value: str = node.value
    tables.cursor.take(value)
    return _KEYWORDS.get(value) or tables.name(value)


_KEYWORDS: dict[str, Expr] = {"None": Const(None), "True": Const(True), "False": Const(False)}


def _attribute(node: cst.Attribute, tables: CursorTables, scope: Scope) -> Expr:
    value, cursor = lower_expr(node.value, tables, scope), tables.cursor
    cursor.take(".")
    name = node.attr.value
    cursor.take(name)
    return Attr(value, normal(name))


def _call(node: cst.Call, tables: CursorTables, scope: Scope) -> Expr:
    cursor = tables.cursor
    start = cursor.pos
    func = lower_expr(node.func, tables, scope)
    cursor.take("(")
    args = lower_args(node.args, tables, scope)
    cursor.take(")")
    return Call(func, args, cursor.span(start))


def lower_args(args: Iterable[cst.Arg], tables: CursorTables, scope: Scope) -> tuple[Arg, ...]:
    """The arguments of a call or the bases of a class."""
    return tuple([_arg(arg, tables, scope) for arg in args])


def _arg(node: cst.Arg, tables: CursorTables, scope: Scope) -> Arg:
    cursor, keyword = tables.cursor, None
    if node.star:
        cursor.take(node.star)
    elif node.keyword is not None:
        keyword = node.keyword.value
        cursor.take(keyword)
        cursor.take("=")
        keyword = normal(keyword)
    value = lower_expr(node.value, tables, scope)
    cursor.skip(",")
    return Arg(value, keyword, node.star)


def _await(node: cst.Await, tables: CursorTables, scope: Scope) -> Expr:
    cursor = tables.cursor
    start = cursor.pos
    cursor.take("await")
    return Await(lower_expr(node.expression, tables, scope), cursor.span(start))


def _yield(node: cst.Yield, tables: CursorTables, scope: Scope) -> Expr:
    scope.yields = True
    tables.cursor.take("yield")
    value = node.value
    if value is None:
        return Yield(_KEYWORDS["None"], False)
    if type(value) is cst.From:
        tables.cursor.take("from")
        return Yield(lower_expr(value.item, tables, scope), True)
    return Yield(lower_expr(value, tables, scope), False)


def _lambda(node: cst.Lambda, tables: CursorTables, scope: Scope) -> Expr:
    index, cursor = tables.new_function(), tables.cursor
    start = cursor.pos
    prefix = f"{scope.prefix}<lambda>"
    cursor.take("lambda")
    params = lower_params(node.params, tables, scope)
    cursor.take(":")
    inner = Scope(index, -1, f"{prefix}.<locals>.")
    value = lower_expr(node.body, tables, inner)
    span = cursor.span(start)
    body = (Return(value, span),)
    tables.functions[index] = Function(
        index, "<lambda>", prefix, False, inner.yields, True, params, (), None, body, -1, scope.function, span, span
    )
    return Lambda(index, span)


def _string(node: cst.SimpleString, tables: CursorTables, scope: Scope) -> Expr:
    text = node.value
    tables.cursor.take(text)
    try:
        return literal(ast.literal_eval(text))
    except (ValueError, SyntaxError):
        return UNKNOWN


def _concatenated(node: cst.ConcatenatedString, tables: CursorTables, scope: Scope) -> Expr:
    parts = _pieces(node, tables, scope)
    texts = [part.value for part in parts if isinstance(part, Const) and isinstance(part.value, str)]
    if len(texts) == len(parts):
        return literal("".join(texts))
    return live_operands("fstring", tuple([item for part in parts for item in _items(part)]))


def _pieces(node: cst.ConcatenatedString, tables: CursorTables, scope: Scope) -> list[Expr]:
    found: list[Expr] = []
    rest: cst.BaseExpression = node
    while isinstance(rest, cst.ConcatenatedString):
        found.append(lower_expr(rest.left, tables, scope))
        rest = rest.right
    return [*found, lower_expr(rest, tables, scope)]


def _items(part: Expr) -> tuple[Expr, ...]:
    """Strings that stand side by side are one: so are their fields."""
    return part.items if isinstance(part, Seq) else (part,)


def _fstring(node: cst.FormattedString, tables: CursorTables, scope: Scope) -> Expr:
    tables.cursor.exact(node.start)
    found = _parts(node.parts, tables, scope)
    tables.cursor.exact(node.end)
    return live_operands("fstring", found)


def _parts(
    parts: Iterable[cst.BaseFormattedStringContent | cst.BaseTemplatedStringContent], tables: CursorTables, scope: Scope
) -> tuple[Expr, ...]:
    """The expressions in a formatted string, without those in format specifications."""
    found = []
    for part in parts:
        if isinstance(part, (cst.FormattedStringText, cst.TemplatedStringText)):
            tables.cursor.exact(part.value)
        elif isinstance(part, (cst.FormattedStringExpression, cst.TemplatedStringExpression)):
            found.append(_replacement(part, tables, scope))
    return tuple(found)


def _replacement(
    node: cst.FormattedStringExpression | cst.TemplatedStringExpression, tables: CursorTables, scope: Scope
) -> Expr:
    cursor = tables.cursor
    cursor.take("{")
    found = lower_expr(node.expression, tables, scope)
    if node.equal is not None:
        cursor.take("=")
    if node.conversion is not None:
        cursor.take("!")
        cursor.take(node.conversion)
    if node.format_spec is not None:
        cursor.take(":")
        _discard_parts(node.format_spec, tables, scope)
    cursor.take("}")
    return found


def _discard_parts(
    parts: Iterable[cst.BaseFormattedStringContent | cst.BaseTemplatedStringContent], tables: CursorTables, scope: Scope
) -> None:
    functions, yields = len(tables.functions), scope.yields
    _parts(parts, tables, scope)
    del tables.functions[functions:]
    scope.yields = yields


def _template(node: cst.TemplatedString, tables: CursorTables, scope: Scope) -> Expr:
    tables.cursor.exact(node.start)
    _discard_parts(node.parts, tables, scope)
    tables.cursor.exact(node.end)
    return UNKNOWN


def _integer(node: cst.Integer, tables: CursorTables, scope: Scope) -> Expr:
    tables.cursor.take(node.value)
    return UNKNOWN if len(node.value) > _LONG_INTEGER else literal(ast.literal_eval(node.value))


def _float(node: cst.Float, tables: CursorTables, scope: Scope) -> Expr:
    tables.cursor.take(node.value)
    return literal(float(node.value))


def _imaginary(node: cst.Imaginary, tables: CursorTables, scope: Scope) -> Expr:
    tables.cursor.take(node.value)
    return UNKNOWN


def _ellipsis(node: cst.Ellipsis, tables: CursorTables, scope: Scope) -> Expr:
    tables.cursor.take("...")
    return UNKNOWN


_UNARY = {cst.Not: "not", cst.Minus: "-"}
_UNARY_TOKENS = {**_UNARY, cst.Plus: "+", cst.BitInvert: "~"}
_BINARY = {cst.Add: "+", cst.Subtract: "-", cst.BitOr: "|"}
_BINARY_TOKENS = {
    **_BINARY,
    cst.Multiply: "*",
    cst.MatrixMultiply: "@",
    cst.Divide: "/",
    cst.FloorDivide: "//",
    cst.Modulo: "%",
    cst.Power: "**",
    cst.LeftShift: "<<",
    cst.RightShift: ">>",
    cst.BitXor: "^",
    cst.BitAnd: "&",
}
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


def _unary(node: cst.UnaryOperation, tables: CursorTables, scope: Scope) -> Expr:
    tables.cursor.take(_UNARY_TOKENS.get(type(node.operator), ""))
    operand = lower_expr(node.expression, tables, scope)
    op = _UNARY.get(type(node.operator), "?")
    if op == "-":
        return negated(operand)
    return Op("not", (operand,)) if op == "not" else live_operands("?", (operand,))


def _boolean(node: cst.BooleanOperation, tables: CursorTables, scope: Scope) -> Expr:
    op = "and" if isinstance(node.operator, cst.And) else "or"
    left = lower_expr(node.left, tables, scope)
    tables.cursor.take(op)
    return Op(op, (left, lower_expr(node.right, tables, scope)))


def _binary(node: cst.BinaryOperation, tables: CursorTables, scope: Scope) -> Expr:
    op = _BINARY.get(type(node.operator), "?")
    left = lower_expr(node.left, tables, scope)
    tables.cursor.take(_BINARY_TOKENS.get(type(node.operator), ""))
    return binary(op, left, lower_expr(node.right, tables, scope))


def _comparison(node: cst.Comparison, tables: CursorTables, scope: Scope) -> Expr:
    left = lower_expr(node.left, tables, scope)
    links = []
    for target in node.comparisons:
        op = _COMPARE.get(type(target.operator), "?")
        _take_comparison(op, target.operator, tables.cursor)
        right = lower_expr(target.comparator, tables, scope)
        links.append(Op(op, (left, right)))
        left = right
    return links[0] if len(links) == 1 else Op("and", tuple(links))


def _take_comparison(op: str, operator: cst.BaseCompOp, cursor: Cursor) -> None:
    if type(operator) is cst.NotEqual:
        cursor.take(operator.value or "!=")
    else:
        for word in op.split("-"):
            cursor.take(word)


def _conditional(node: cst.IfExp, tables: CursorTables, scope: Scope) -> Expr:
    body = lower_expr(node.body, tables, scope)
    tables.cursor.take("if")
    test = lower_expr(node.test, tables, scope)
    tables.cursor.take("else")
    return Op("if", (test, body, lower_expr(node.orelse, tables, scope)))


def _display(kind: str, opening: str = "", closing: str = "") -> Lowerer:
    def lower(node: cst.Tuple | cst.List | cst.Set, tables: CursorTables, scope: Scope) -> Expr:
        tables.cursor.take(opening)
        found = display(kind, tuple([_element(element, tables, scope) for element in node.elements]))
        tables.cursor.take(closing)
        return found

    return lower


def _element(node: cst.BaseElement, tables: CursorTables, scope: Scope) -> Expr:
    starred = type(node) is cst.StarredElement
    value = _starred(node, tables, scope) if starred else lower_expr(node.value, tables, scope)
    tables.cursor.skip(",")
    return Star(value) if starred else value


def _starred(node: cst.BaseElement, tables: CursorTables, scope: Scope) -> Expr:
    cursor = tables.cursor
    depth = len(getattr(node, "lpar", ()))
    for _ in range(depth):
        cursor.take("(")
    cursor.take("*")
    value = lower_expr(node.value, tables, scope)
    for _ in range(depth):
        cursor.take(")")
    return value


def _star(node: cst.StarredElement, tables: CursorTables, scope: Scope) -> Expr:
    """``*Ts`` where no display is: an annotation, the element of a comprehension."""
    tables.cursor.take("*")
    return discard(node.value, tables, scope)


def _dict(node: cst.Dict, tables: CursorTables, scope: Scope) -> Expr:
    items: list[Expr] = []
    cursor = tables.cursor
    cursor.take("{")
    for element in node.elements:
        if isinstance(element, cst.DictElement):
            items.append(lower_expr(element.key, tables, scope))
            cursor.take(":")
            items.append(lower_expr(element.value, tables, scope))
        else:
            cursor.take("**")
            items.append(Star(lower_expr(element.value, tables, scope)))
        cursor.skip(",")
    cursor.take("}")
    return display("dict", tuple(items))


def _subscript(node: cst.Subscript, tables: CursorTables, scope: Scope) -> Expr:
    value, cursor = lower_expr(node.value, tables, scope), tables.cursor
    cursor.take("[")
    indices = tuple([_index(element, tables, scope) for element in node.slice])
    is_tuple = len(indices) > 1 or isinstance(indices[0], Star) or cursor.text[cursor.pos - 1] == ","
    cursor.take("]")
    return Subscript(value, display("tuple", indices) if is_tuple else indices[0])


def _index(node: cst.SubscriptElement, tables: CursorTables, scope: Scope) -> Expr:
    part, cursor = node.slice, tables.cursor
    found: Expr = UNKNOWN
    if isinstance(part, cst.Index):
        if part.star:
            cursor.take(part.star)
        found = lower_expr(part.value, tables, scope)
        found = Star(found) if part.star else found
    elif isinstance(part, cst.Slice):
        discard(part.lower, tables, scope)
        cursor.take(":")
        discard(part.upper, tables, scope)
        if cursor.skip(":"):
            discard(part.step, tables, scope)
    cursor.skip(",")
    return found


def _comprehension(kind: str, opening: str = "", closing: str = "") -> Lowerer:
    def lower(node: cst.BaseComp, tables: CursorTables, scope: Scope) -> Expr:
        cursor = tables.cursor
        cursor.take(opening)
        elements = _comp_elements(node, tables, scope)
        clauses = tuple([_clause(clause, tables, scope) for clause in _clauses(node.for_in)])
        cursor.take(closing)
        return Comp(kind, elements, clauses)

    return lower


def _comp_elements(node: cst.BaseComp, tables: CursorTables, scope: Scope) -> tuple[Expr, ...]:
    if not isinstance(node, cst.DictComp):
        return (lower_expr(node.elt, tables, scope),)  # type: ignore[attr-defined]  # all but a dict's have elt
    key = lower_expr(node.key, tables, scope)
    tables.cursor.take(":")
    return key, lower_expr(node.value, tables, scope)


def _clauses(first: cst.CompFor) -> Iterable[cst.CompFor]:
    clause: cst.CompFor | None = first
    while clause is not None:
        yield clause
        clause = clause.inner_for_in


def _clause(node: cst.CompFor, tables: CursorTables, scope: Scope) -> Clause:
    cursor = tables.cursor
    if node.asynchronous is not None:
        cursor.take("async")
    cursor.take("for")
    target = lower_expr(node.target, tables, scope)
    cursor.take("in")
    iterable = lower_expr(node.iter, tables, scope)
    return Clause(
        target, iterable, tuple([_comp_if(test, tables, scope) for test in node.ifs]), node.asynchronous is not None
    )


def _comp_if(node: cst.CompIf, tables: CursorTables, scope: Scope) -> Expr:
    tables.cursor.take("if")
    return lower_expr(node.test, tables, scope)


def _walrus(node: cst.NamedExpr, tables: CursorTables, scope: Scope) -> Expr:
    target = lower_expr(node.target, tables, scope)
    tables.cursor.take(":=")
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
    cst.Imaginary: _imaginary,
    cst.Ellipsis: _ellipsis,
    cst.StarredElement: _star,
    cst.UnaryOperation: _unary,
    cst.BooleanOperation: _boolean,
    cst.BinaryOperation: _binary,
    cst.Comparison: _comparison,
    cst.IfExp: _conditional,
    cst.Tuple: _display("tuple"),
    cst.List: _display("list", "[", "]"),
    cst.Set: _display("set", "{", "}"),
    cst.Dict: _dict,
    cst.Subscript: _subscript,
    cst.ListComp: _comprehension("list", "[", "]"),
    cst.SetComp: _comprehension("set", "{", "}"),
    cst.DictComp: _comprehension("dict", "{", "}"),
    cst.GeneratorExp: _comprehension("generator"),
    cst.NamedExpr: _walrus,
    cst.TemplatedString: _template,
}
