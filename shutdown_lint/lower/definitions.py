"""Lowering of ``def`` and ``class``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import libcst as cst

from shutdown_lint.facts import Body, Class, ClassDef, Function, FunctionDef
from shutdown_lint.lower.expressions import lower_args, lower_expr
from shutdown_lint.lower.params import lower_params
from shutdown_lint.lower.scope import Scope, Tables, normal

LowerBody: TypeAlias = Callable[[cst.BaseSuite, Tables, Scope], Body]


def lower_function(node: cst.FunctionDef, tables: Tables, scope: Scope, lower_body: LowerBody) -> FunctionDef:
    """Record the function and leave a ``FunctionDef`` where it stands."""
    index, name = tables.new_function(), normal(node.name.value)
    qualname = scope.prefix + name
    decorators = tuple(lower_expr(decorator.decorator, tables, scope) for decorator in node.decorators)
    params = lower_params(node.params, tables, scope)
    returns = lower_expr(node.returns.annotation, tables, scope) if node.returns else None
    inner = Scope(index, -1, f"{qualname}.<locals>.")
    body = lower_body(node.body, tables, inner)
    span, extent = tables.positions.span(node.name), tables.positions.span(node)
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


def lower_class(node: cst.ClassDef, tables: Tables, scope: Scope, lower_body: LowerBody) -> ClassDef:
    """Record the class and leave a ``ClassDef`` where it stands."""
    index, name = tables.new_class(), normal(node.name.value)
    qualname = scope.prefix + name
    decorators = tuple(lower_expr(decorator.decorator, tables, scope) for decorator in node.decorators)
    bases = tuple(arg.value for arg in lower_args(node.bases, tables, scope))
    keywords = lower_args(node.keywords, tables, scope)
    body = lower_body(node.body, tables, Scope(scope.function, index, f"{qualname}."))
    methods = tuple(function.number for function in tables.functions if function is not None and function.cls == index)
    span, extent = tables.positions.span(node.name), tables.positions.span(node)
    tables.classes[index] = Class(
        index, name, qualname, bases, keywords, decorators, body, methods, scope.function, span, extent
    )
    return ClassDef(index, extent)
