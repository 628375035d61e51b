"""Lowering of statements: dispatch by node type, bodies in source order."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, TypeAlias

from shutdown_lint.facts import (
    Assert,
    Assign,
    Await,
    Body,
    Break,
    Call,
    Case,
    Const,
    Continue,
    Delete,
    Expr,
    ExprStmt,
    For,
    Handler,
    If,
    Import,
    Lambda,
    Match,
    Raise,
    Return,
    ScopeDecl,
    Seq,
    Span,
    Stmt,
    Try,
    Unknown,
    While,
    With,
    WithItem,
)
from shutdown_lint.lower.abstract.definitions import lower_class, lower_function
from shutdown_lint.lower.abstract.expressions import lower_root
from shutdown_lint.lower.abstract.imports import lower_import, lower_import_from
from shutdown_lint.lower.abstract.patterns import lower_case
from shutdown_lint.lower.abstract.tables import Placed, TextTables
from shutdown_lint.lower.scope import Scope

Lowerer: TypeAlias = Callable[[Any, TextTables, Scope], "Stmt | None"]


def lower_body(body: list[ast.stmt], tables: TextTables, scope: Scope) -> Body:
    """The statements of a suite; ``pass``, docstrings and bare literals leave nothing."""
    found = []
    for statement in body:
        lowerer = _BY_TYPE.get(type(statement))
        lowered = lowerer(statement, tables, scope) if lowerer else None
        if lowered is not None:
            found.append(lowered)
    return tuple(found)


def _optional(node: ast.expr | None, tables: TextTables, scope: Scope) -> Expr | None:
    return None if node is None else lower_root(node, tables, scope)


def _extent(node: Placed, tables: TextTables) -> Span:
    """From the first character of a statement with bodies to behind the last of the statements in it.

    CPython counts a semicolon at the end of a body to the statement around it.
    """
    return tables.between(node, _last(node)) if tables.has_semicolons else tables.span(node)


def _last(node: Placed) -> Placed:
    for field in ("finalbody", "orelse", "handlers", "cases", "body"):
        inner = getattr(node, field, None)
        if inner and isinstance(inner, list):
            last = inner[-1]
            return _last(last.body[-1] if isinstance(last, ast.match_case) else last)
    return node


def _expression(node: ast.Expr, tables: TextTables, scope: Scope) -> Stmt | None:
    value = lower_root(node.value, tables, scope)
    return None if isinstance(value, (Const, Unknown)) else ExprStmt(value, tables.span(node))


def _assign(node: ast.Assign, tables: TextTables, scope: Scope) -> Stmt:
    targets = tuple([lower_root(target, tables, scope) for target in node.targets])
    return Assign(targets, lower_root(node.value, tables, scope), None, "=", tables.span(node))


def _annotated(node: ast.AnnAssign, tables: TextTables, scope: Scope) -> Stmt:
    target, annotation = lower_root(node.target, tables, scope), lower_root(node.annotation, tables, scope)
    return Assign((target,), _optional(node.value, tables, scope), annotation, "=", tables.span(node))


_AUGMENTED: dict[type[ast.operator], str] = {ast.Add: "+=", ast.Sub: "-=", ast.BitOr: "|=", ast.BitAnd: "&="}


def _augmented(node: ast.AugAssign, tables: TextTables, scope: Scope) -> Stmt:
    target, value = lower_root(node.target, tables, scope), lower_root(node.value, tables, scope)
    return Assign((target,), value, None, _AUGMENTED.get(type(node.op), "?="), tables.span(node))


def _return(node: ast.Return, tables: TextTables, scope: Scope) -> Stmt:
    return Return(_optional(node.value, tables, scope), tables.span(node))


def _raise(node: ast.Raise, tables: TextTables, scope: Scope) -> Stmt:
    raised, cause = _optional(node.exc, tables, scope), _optional(node.cause, tables, scope)
    return Raise(raised, cause, tables.span(node))


def _break(node: ast.Break, tables: TextTables, scope: Scope) -> Stmt:
    return Break(tables.span(node))


def _continue(node: ast.Continue, tables: TextTables, scope: Scope) -> Stmt:
    return Continue(tables.span(node))


def _if(node: ast.If, tables: TextTables, scope: Scope) -> Stmt:
    test, body = lower_root(node.test, tables, scope), lower_body(node.body, tables, scope)
    return If(test, body, lower_body(node.orelse, tables, scope), _extent(node, tables))


def _while(node: ast.While, tables: TextTables, scope: Scope) -> Stmt:
    test, body = lower_root(node.test, tables, scope), lower_body(node.body, tables, scope)
    return While(test, body, lower_body(node.orelse, tables, scope), _extent(node, tables))


def _for(node: ast.For | ast.AsyncFor, tables: TextTables, scope: Scope) -> Stmt:
    target, iterable = lower_root(node.target, tables, scope), lower_root(node.iter, tables, scope)
    body, orelse = lower_body(node.body, tables, scope), lower_body(node.orelse, tables, scope)
    return For(target, iterable, body, orelse, isinstance(node, ast.AsyncFor), _extent(node, tables))


def _try(is_star: bool) -> Lowerer:
    def lower(node: ast.Try, tables: TextTables, scope: Scope) -> Stmt:
        body = lower_body(node.body, tables, scope)
        handlers = tuple([_handler(handler, tables, scope) for handler in node.handlers])
        orelse, final = lower_body(node.orelse, tables, scope), lower_body(node.finalbody, tables, scope)
        return Try(body, handlers, orelse, final, is_star, _extent(node, tables))

    return lower


def _handler(node: ast.ExceptHandler, tables: TextTables, scope: Scope) -> Handler:
    types = _optional(node.type, tables, scope)
    return Handler(types, node.name, lower_body(node.body, tables, scope), _extent(node, tables))


def _with(node: ast.With | ast.AsyncWith, tables: TextTables, scope: Scope) -> Stmt:
    # a context that is no call is told by its statement's first word
    first = tables.span(node)
    first = first._replace(end_line=first.line, end_col=first.col + len("with"))
    items = tuple([_with_item(item, first, tables, scope) for item in node.items])
    body = lower_body(node.body, tables, scope)
    return With(items, body, isinstance(node, ast.AsyncWith), _extent(node, tables))


def _with_item(node: ast.withitem, first: Span, tables: TextTables, scope: Scope) -> WithItem:
    context, target = lower_root(node.context_expr, tables, scope), _optional(node.optional_vars, tables, scope)
    return WithItem(context, target, context.span if isinstance(context, (Call, Await, Lambda)) else first)


def _global(node: ast.Global, tables: TextTables, scope: Scope) -> Stmt:
    return ScopeDecl("global", tuple(node.names))


def _nonlocal(node: ast.Nonlocal, tables: TextTables, scope: Scope) -> Stmt:
    return ScopeDecl("nonlocal", tuple(node.names))


def _delete(node: ast.Delete, tables: TextTables, scope: Scope) -> Stmt:
    targets = tuple([lower_root(target, tables, scope) for target in node.targets])
    if len(targets) == 1 and isinstance(targets[0], Seq):
        targets = targets[0].items
    return Delete(targets, tables.span(node))


def _assert(node: ast.Assert, tables: TextTables, scope: Scope) -> Stmt:
    return Assert(lower_root(node.test, tables, scope), tables.span(node))


def _match(node: ast.Match, tables: TextTables, scope: Scope) -> Stmt:
    subject = lower_root(node.subject, tables, scope)
    return Match(subject, tuple([_case(case, tables, scope) for case in node.cases]), _extent(node, tables))


def _case(node: ast.match_case, tables: TextTables, scope: Scope) -> Case:
    binds, irrefutable = lower_case(node.pattern)
    guard = _optional(node.guard, tables, scope)
    return Case(binds, guard, irrefutable and guard is None, lower_body(node.body, tables, scope))


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, tables: TextTables, scope: Scope) -> Stmt:
    return lower_function(node, _extent(node, tables), tables, scope, lower_body)


def _class(node: ast.ClassDef, tables: TextTables, scope: Scope) -> Stmt:
    return lower_class(node, _extent(node, tables), tables, scope, lower_body)


def _import(node: ast.Import, tables: TextTables, scope: Scope) -> Stmt:
    return Import(lower_import(node), tables.span(node))


def _import_from(node: ast.ImportFrom, tables: TextTables, scope: Scope) -> Stmt:
    return Import(lower_import_from(node), tables.span(node))


def _type_alias(node: Any, tables: TextTables, scope: Scope) -> Stmt:
    name, value = lower_root(node.name, tables, scope), lower_root(node.value, tables, scope)
    return Assign((name,), value, None, "=", tables.span(node))


_BY_TYPE: dict[type[ast.stmt], Lowerer] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.If: _if,
    ast.While: _while,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.Try: _try(False),
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Global: _global,
    ast.Nonlocal: _nonlocal,
    ast.Delete: _delete,
    ast.Assert: _assert,
    ast.Match: _match,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
}
# nodes of later versions than the oldest that the package runs on
for _kind, _lowerer in (("TryStar", _try(True)), ("TypeAlias", _type_alias)):
    if hasattr(ast, _kind):
        _BY_TYPE[getattr(ast, _kind)] = _lowerer
