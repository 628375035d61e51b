"""Lowering of ``def`` and ``class``."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import TypeAlias

from shutdown_lint.facts import Body, Class, ClassDef, Expr, Function, FunctionDef, Span
from shutdown_lint.lower.abstract.expressions import lower_args, lower_root
from shutdown_lint.lower.abstract.params import lower_params
from shutdown_lint.lower.abstract.tables import TextTables
from shutdown_lint.lower.scope import Scope

LowerBody: TypeAlias = Callable[["list[ast.stmt]", TextTables, Scope], Body]

_SPACE = r"(?:[ \t\f]|\\(?:\r\n|\n|\r))+"
_HEAD = re.compile(rf"(?:async{_SPACE})?(?:def|class){_SPACE}([^\s\\(\[:]+)")


def lower_function(
    node: ast.FunctionDef | ast.AsyncFunctionDef, extent: Span, tables: TextTables, scope: Scope, lower_body: LowerBody
) -> FunctionDef:
    """Record the function and leave a ``FunctionDef`` where it stands."""
    index, name, is_async = tables.new_function(), node.name, isinstance(node, ast.AsyncFunctionDef)
    qualname = scope.prefix + name
    decorators = _decorators(node.decorator_list, tables, scope)
    params = lower_params(node.args, tables, scope, lower_root)
    returns = None if node.returns is None else lower_root(node.returns, tables, scope)
    inner = Scope(index, -1, f"{qualname}.<locals>.")
    body, span = lower_body(node.body, tables, inner), _name_span(node, tables)
    tables.functions[index] = Function(
        index,
        name,
        qualname,
        is_async,
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


def lower_class(node: ast.ClassDef, extent: Span, tables: TextTables, scope: Scope, lower_body: LowerBody) -> ClassDef:
    """Record the class and leave a ``ClassDef`` where it stands."""
    index, name = tables.new_class(), node.name
    qualname = scope.prefix + name
    decorators = _decorators(node.decorator_list, tables, scope)
    arguments = lower_args(node.bases, node.keywords, tables, scope)
    first_keyword = next(
        (number for number, arg in enumerate(arguments) if arg.keyword or arg.star == "**"), len(arguments)
    )
    bases = tuple([arg.value for arg in arguments[:first_keyword]])
    body = lower_body(node.body, tables, Scope(scope.function, index, f"{qualname}."))
    methods = tuple([function.number for function in tables.functions if function and function.cls == index])
    span, keywords = _name_span(node, tables), arguments[first_keyword:]
    tables.classes[index] = Class(
        index, name, qualname, bases, keywords, decorators, body, methods, scope.function, span, extent
    )
    return ClassDef(index, extent)


def _decorators(nodes: list[ast.expr], tables: TextTables, scope: Scope) -> tuple[Expr, ...]:
    return tuple([lower_root(node, tables, scope) for node in nodes])


def _name_span(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, tables: TextTables) -> Span:
    """Where the name stands; ``ast`` does not say."""
    head = _HEAD.match(tables.text, tables.start(node))
    if head is None:
        return tables.span(node)
    line, col = tables.place(head.start(1))
    return Span(line, col, line, col + head.end(1) - head.start(1))
