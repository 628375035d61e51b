"""Lowering of statements: dispatch by node type, bodies in source order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import libcst as cst

from shutdown_lint.facts import (
    NO_SPAN,
    Assert,
    Assign,
    Body,
    Break,
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
    Match,
    Name,
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
from shutdown_lint.lower.definitions import lower_class, lower_function
from shutdown_lint.lower.expressions import lower_expr
from shutdown_lint.lower.imports import lower_import, lower_import_from
from shutdown_lint.lower.patterns import lower_case
from shutdown_lint.lower.scope import Scope, Tables, normal

Lowerer: TypeAlias = Callable[[Any, Tables, Scope], "Stmt | None"]


def lower_body(body: cst.BaseSuite | cst.Module, tables: Tables, scope: Scope) -> Body:
    """The statements of a suite; ``pass``, docstrings and bare literals leave nothing."""
    lowered = (_lower(statement, tables, scope) for statement in _flat(body.body))
    return tuple(statement for statement in lowered if statement is not None)


def _flat(statements: Sequence[cst.CSTNode]) -> Iterator[cst.CSTNode]:
    for statement in statements:
        if isinstance(statement, cst.SimpleStatementLine):
            yield from statement.body
        else:
            yield statement


def _lower(node: cst.CSTNode, tables: Tables, scope: Scope) -> Stmt | None:
    lowerer = _BY_TYPE.get(type(node))
    return lowerer(node, tables, scope) if lowerer else None


def _optional(node: cst.CSTNode | None, tables: Tables, scope: Scope) -> Expr | None:
    return None if node is None else lower_expr(node, tables, scope)


def _expression(node: cst.Expr, tables: Tables, scope: Scope) -> Stmt | None:
    value = lower_expr(node.value, tables, scope)
    return None if isinstance(value, (Const, Unknown)) else ExprStmt(value, tables.positions.span(node))


def _assign(node: cst.Assign, tables: Tables, scope: Scope) -> Stmt:
    targets = tuple(lower_expr(target.target, tables, scope) for target in node.targets)
    return Assign(targets, lower_expr(node.value, tables, scope), None, "=", tables.positions.span(node))


def _annotated(node: cst.AnnAssign, tables: Tables, scope: Scope) -> Stmt:
    target, value = lower_expr(node.target, tables, scope), _optional(node.value, tables, scope)
    annotation = lower_expr(node.annotation.annotation, tables, scope)
    return Assign((target,), value, annotation, "=", tables.positions.span(node))


def _augmented(node: cst.AugAssign, tables: Tables, scope: Scope) -> Stmt:
    op = {cst.AddAssign: "+=", cst.SubtractAssign: "-=", cst.BitOrAssign: "|=", cst.BitAndAssign: "&="}.get(
        type(node.operator), "?="
    )
    target, value = lower_expr(node.target, tables, scope), lower_expr(node.value, tables, scope)
    return Assign((target,), value, None, op, tables.positions.span(node))


def _return(node: cst.Return, tables: Tables, scope: Scope) -> Stmt:
    return Return(_optional(node.value, tables, scope), tables.positions.span(node))


def _raise(node: cst.Raise, tables: Tables, scope: Scope) -> Stmt:
    cause = lower_expr(node.cause.item, tables, scope) if node.cause else None
    return Raise(_optional(node.exc, tables, scope), cause, tables.positions.span(node))


def _break(node: cst.Break, tables: Tables, scope: Scope) -> Stmt:
    return Break(tables.positions.span(node))


def _continue(node: cst.Continue, tables: Tables, scope: Scope) -> Stmt:
    return Continue(tables.positions.span(node))


def _if(node: cst.If, tables: Tables, scope: Scope) -> Stmt:
    test, body = lower_expr(node.test, tables, scope), lower_body(node.body, tables, scope)
    return If(test, body, _orelse(node.orelse, tables, scope), tables.positions.span(node))


def _orelse(node: cst.If | cst.Else | None, tables: Tables, scope: Scope) -> Body:
    if node is None:
        return ()
    return (_if(node, tables, scope),) if isinstance(node, cst.If) else lower_body(node.body, tables, scope)


def _while(node: cst.While, tables: Tables, scope: Scope) -> Stmt:
    test, body = lower_expr(node.test, tables, scope), lower_body(node.body, tables, scope)
    return While(test, body, _orelse(node.orelse, tables, scope), tables.positions.span(node))


def _for(node: cst.For, tables: Tables, scope: Scope) -> Stmt:
    target, iterable = lower_expr(node.target, tables, scope), lower_expr(node.iter, tables, scope)
    body, orelse = lower_body(node.body, tables, scope), _orelse(node.orelse, tables, scope)
    return For(target, iterable, body, orelse, node.asynchronous is not None, tables.positions.span(node))


def _try(node: cst.Try | cst.TryStar, tables: Tables, scope: Scope) -> Stmt:
    body = lower_body(node.body, tables, scope)
    handlers = tuple(_handler(handler, tables, scope) for handler in node.handlers)
    final = lower_body(node.finalbody.body, tables, scope) if node.finalbody else ()
    orelse = _orelse(node.orelse, tables, scope)
    return Try(body, handlers, orelse, final, isinstance(node, cst.TryStar), tables.positions.span(node))


def _handler(node: cst.ExceptHandler | cst.ExceptStarHandler, tables: Tables, scope: Scope) -> Handler:
    name = node.name.name.value if node.name and isinstance(node.name.name, cst.Name) else None
    types = _optional(node.type, tables, scope)
    return Handler(
        types, normal(name) if name else None, lower_body(node.body, tables, scope), tables.positions.span(node)
    )


def _with(node: cst.With, tables: Tables, scope: Scope) -> Stmt:
    span = tables.positions.span(node)
    items = tuple(_with_item(item, tables, scope, span) for item in node.items)
    return With(items, lower_body(node.body, tables, scope), node.asynchronous is not None, span)


def _with_item(node: cst.WithItem, tables: Tables, scope: Scope, outer: Span) -> WithItem:
    target = lower_expr(node.asname.name, tables, scope) if node.asname else None
    span = tables.positions.span(node.item)
    if span == NO_SPAN:  # only calls have positions; another context is told by its statement's first word
        span = outer._replace(end_line=outer.line, end_col=outer.col + len("with"))
    return WithItem(lower_expr(node.item, tables, scope), target, span)


def _scope(kind: str) -> Lowerer:
    def lower(node: cst.Global | cst.Nonlocal, tables: Tables, scope: Scope) -> Stmt:
        return ScopeDecl(kind, tuple(normal(item.name.value) for item in node.names))

    return lower


def _delete(node: cst.Del, tables: Tables, scope: Scope) -> Stmt:
    target = lower_expr(node.target, tables, scope)
    return Delete(target.items if isinstance(target, Seq) else (target,), tables.positions.span(node))


def _assert(node: cst.Assert, tables: Tables, scope: Scope) -> Stmt:
    return Assert(lower_expr(node.test, tables, scope), tables.positions.span(node))


def _match(node: cst.Match, tables: Tables, scope: Scope) -> Stmt:
    cases: list[Case] = []
    for case in node.cases:
        binds, irrefutable = lower_case(case.pattern)
        guard = _optional(case.guard, tables, scope)
        cases.append(Case(binds, guard, irrefutable and guard is None, lower_body(case.body, tables, scope)))
    return Match(lower_expr(node.subject, tables, scope), tuple(cases), tables.positions.span(node))


def _function(node: cst.FunctionDef, tables: Tables, scope: Scope) -> Stmt:
    return lower_function(node, tables, scope, lower_body)


def _class(node: cst.ClassDef, tables: Tables, scope: Scope) -> Stmt:
    return lower_class(node, tables, scope, lower_body)


def _import(node: cst.Import, tables: Tables, scope: Scope) -> Stmt:
    return Import(lower_import(node), tables.positions.span(node))


def _import_from(node: cst.ImportFrom, tables: Tables, scope: Scope) -> Stmt:
    return Import(lower_import_from(node), tables.positions.span(node))


def _type_alias(node: cst.TypeAlias, tables: Tables, scope: Scope) -> Stmt:
    return Assign(
        (Name(normal(node.name.value)),), lower_expr(node.value, tables, scope), None, "=", tables.positions.span(node)
    )


_BY_TYPE: dict[type[cst.CSTNode], Lowerer] = {
    cst.Expr: _expression,
    cst.Assign: _assign,
    cst.AnnAssign: _annotated,
    cst.AugAssign: _augmented,
    cst.Return: _return,
    cst.Raise: _raise,
    cst.Break: _break,
    cst.Continue: _continue,
    cst.If: _if,
    cst.While: _while,
    cst.For: _for,
    cst.Try: _try,
    cst.TryStar: _try,
    cst.With: _with,
    cst.Global: _scope("global"),
    cst.Nonlocal: _scope("nonlocal"),
    cst.Del: _delete,
    cst.Assert: _assert,
    cst.Match: _match,
    cst.FunctionDef: _function,
    cst.ClassDef: _class,
    cst.Import: _import,
    cst.ImportFrom: _import_from,
    cst.TypeAlias: _type_alias,
}
