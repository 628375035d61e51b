"""Lowering of ``def`` and ``class``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from shutdown_lint.facts import Body, Class, ClassDef, Expr, Function, FunctionDef, Span
from shutdown_lint.lower.concrete.cursor import Cursor
from shutdown_lint.lower.concrete.expressions import discard, lower_args, lower_expr
from shutdown_lint.lower.concrete.params import lower_params
from shutdown_lint.lower.concrete.tables import CursorTables
from shutdown_lint.lower.scope import Scope, normal

if TYPE_CHECKING:
    import libcst as cst
else:
    from shutdown_lint.lower.concrete.nodes import cst

LowerBody: TypeAlias = Callable[[cst.BaseSuite, CursorTables, Scope], Body]


def lower_function(node: cst.FunctionDef, tables: CursorTables, scope: Scope, lower_body: LowerBody) -> FunctionDef:
    """Record the function and leave a ``FunctionDef`` where it stands."""
    index, name = tables.new_function(), normal(node.name.value)
    qualname, cursor = scope.prefix + name, tables.cursor
    decorators = _decorators(node.decorators, tables, scope)
    start = cursor.start()
    if node.asynchronous is not None:
        cursor.take("async")
    cursor.take("def")
    span = _take_name(node.name, cursor)
    take_type_parameters(node.type_parameters, tables, scope)
    cursor.take("(")
    params = lower_params(node.params, tables, scope)
    cursor.take(")")
    returns = _returns(node.returns, tables, scope)
    inner = Scope(index, -1, f"{qualname}.<locals>.")
    body = lower_body(node.body, tables, inner)
    extent = cursor.span(start)
    tables.functions[index] = Function(
        index,
        name,
        qualname,
        node.asynchronous is not None,
        inner.yields,
        False,
        params,
        decorators,
        returns,
        body,
        scope.cls,
        scope.function,
        span,
        extent,
    )
    return FunctionDef(index, extent)


def lower_class(node: cst.ClassDef, tables: CursorTables, scope: Scope, lower_body: LowerBody) -> ClassDef:
    """Record the class and leave a ``ClassDef`` where it stands."""
    index, name = tables.new_class(), normal(node.name.value)
    qualname, cursor = scope.prefix + name, tables.cursor
    decorators = _decorators(node.decorators, tables, scope)
    start = cursor.start()
    cursor.take("class")
    span = _take_name(node.name, cursor)
    take_type_parameters(node.type_parameters, tables, scope)
    bracket = cursor.skip("(")
    bases = tuple([arg.value for arg in lower_args(node.bases, tables, scope)])
    keywords = lower_args(node.keywords, tables, scope)
    if bracket:
        cursor.take(")")
    body = lower_body(node.body, tables, Scope(scope.function, index, f"{qualname}."))
    methods = tuple(function.number for function in tables.functions if function is not None and function.cls == index)
    extent = cursor.span(start)
    tables.classes[index] = Class(
        index, name, qualname, bases, keywords, decorators, body, methods, scope.function, span, extent
    )
    return ClassDef(index, extent)


def _decorators(nodes: Sequence[cst.Decorator], tables: CursorTables, scope: Scope) -> tuple[Expr, ...]:
    found = []
    for node in nodes:
        tables.cursor.take("@")
        found.append(lower_expr(node.decorator, tables, scope))
    return tuple(found)


def _take_name(node: cst.Name, cursor: Cursor) -> Span:
    start = cursor.start()
    cursor.take(node.value)
    return cursor.span(start)


def _returns(node: cst.Annotation | None, tables: CursorTables, scope: Scope) -> Expr | None:
    if node is None:
        return None
    tables.cursor.take("->")
    return lower_expr(node.annotation, tables, scope)


def take_type_parameters(node: cst.TypeParameters | None, tables: CursorTables, scope: Scope) -> None:
    """Move the cursor past ``[T: int = str, *Ts, **P]``."""
    if node is None:
        return
    cursor = tables.cursor
    cursor.take("[")
    for item in node.params:
        param = item.param
        for star in ("**", "*"):
            if cursor.skip(star):
                break
        cursor.take(param.name.value)
        if isinstance(param, cst.TypeVar) and param.bound is not None:
            cursor.take(":")
            discard(param.bound, tables, scope)
        if item.default is not None:
            cursor.take("=")
            cursor.skip("*")
            discard(item.default, tables, scope)
        cursor.skip(",")
    cursor.take("]")
