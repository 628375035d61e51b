"""Lowering of statements: dispatch by node type, bodies in source order.

Every lowerer begins with the cursor at the first token of its statement (a decorated definition: at the first
decorator) and ends behind the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

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
from shutdown_lint.lower.concrete.definitions import lower_class, lower_function, take_type_parameters
from shutdown_lint.lower.concrete.expressions import discard, lower_expr
from shutdown_lint.lower.concrete.imports import lower_import, lower_import_from
from shutdown_lint.lower.concrete.patterns import lower_case
from shutdown_lint.lower.concrete.tables import CursorTables
from shutdown_lint.lower.scope import Scope, normal

if TYPE_CHECKING:
    import libcst as cst
else:
    from shutdown_lint.lower.concrete.nodes import cst

Lowerer: TypeAlias = Callable[[Any, CursorTables, Scope], "Stmt | None"]


def lower_body(body: cst.BaseSuite | cst.Module, tables: CursorTables, scope: Scope) -> Body:
    """The statements of a suite; ``pass``, docstrings and bare literals leave nothing."""
    cursor, found = tables.cursor, []
    if not isinstance(body, cst.Module):
        cursor.take(":")
    for statement in _flat(body.body):
        cursor.start()
        lowered = _lower(statement, tables, scope)
        if lowered is not None:
            found.append(lowered)
    return tuple(found)


def _flat(statements: Sequence[cst.CSTNode]) -> Iterator[cst.CSTNode]:
    for statement in statements:
        if isinstance(statement, cst.SimpleStatementLine):
            yield from statement.body
        else:
            yield statement


def _lower(node: cst.CSTNode, tables: CursorTables, scope: Scope) -> Stmt | None:
    lowerer = _BY_TYPE.get(type(node))
    return lowerer(node, tables, scope) if lowerer else None


def _optional(node: cst.CSTNode | None, tables: CursorTables, scope: Scope) -> Expr | None:
    return None if node is None else lower_expr(node, tables, scope)


def _expression(node: cst.Expr, tables: CursorTables, scope: Scope) -> Stmt | None:
    start = tables.cursor.pos
    value = lower_expr(node.value, tables, scope)
    return None if isinstance(value, (Const, Unknown)) else ExprStmt(value, tables.cursor.span(start))


def _pass(node: cst.Pass, tables: CursorTables, scope: Scope) -> Stmt | None:
    tables.cursor.take("pass")
    return None


def _assign(node: cst.Assign, tables: CursorTables, scope: Scope) -> Stmt:
    cursor, targets = tables.cursor, []
    start = cursor.pos
    for target in node.targets:
        targets.append(lower_expr(target.target, tables, scope))
        cursor.take("=")
    value = lower_expr(node.value, tables, scope)
    return Assign(tuple(targets), value, None, "=", cursor.span(start))


def _annotated(node: cst.AnnAssign, tables: CursorTables, scope: Scope) -> Stmt:
    cursor, value = tables.cursor, None
    start = cursor.pos
    target = lower_expr(node.target, tables, scope)
    cursor.take(":")
    annotation = lower_expr(node.annotation.annotation, tables, scope)
    if node.value is not None:
        cursor.take("=")
        value = lower_expr(node.value, tables, scope)
    return Assign((target,), value, annotation, "=", cursor.span(start))


_AUGMENTED = {
    cst.AddAssign: "+=",
    cst.SubtractAssign: "-=",
    cst.BitOrAssign: "|=",
    cst.BitAndAssign: "&=",
    cst.MultiplyAssign: "*=",
    cst.MatrixMultiplyAssign: "@=",
    cst.DivideAssign: "/=",
    cst.FloorDivideAssign: "//=",
    cst.ModuloAssign: "%=",
    cst.PowerAssign: "**=",
    cst.LeftShiftAssign: "<<=",
    cst.RightShiftAssign: ">>=",
    cst.BitXorAssign: "^=",
}
_USED_AUGMENTED = ("+=", "-=", "|=", "&=")


def _augmented(node: cst.AugAssign, tables: CursorTables, scope: Scope) -> Stmt:
    cursor, op = tables.cursor, _AUGMENTED.get(type(node.operator), "")
    start = cursor.pos
    target = lower_expr(node.target, tables, scope)
    cursor.take(op)
    value = lower_expr(node.value, tables, scope)
    return Assign((target,), value, None, op if op in _USED_AUGMENTED else "?=", cursor.span(start))


def _return(node: cst.Return, tables: CursorTables, scope: Scope) -> Stmt:
    start = tables.cursor.pos
    tables.cursor.take("return")
    return Return(_optional(node.value, tables, scope), tables.cursor.span(start))


def _raise(node: cst.Raise, tables: CursorTables, scope: Scope) -> Stmt:
    cursor, cause = tables.cursor, None
    start = cursor.pos
    cursor.take("raise")
    raised = _optional(node.exc, tables, scope)
    if node.cause is not None:
        cursor.take("from")
        cause = lower_expr(node.cause.item, tables, scope)
    return Raise(raised, cause, cursor.span(start))


def _break(node: cst.Break, tables: CursorTables, scope: Scope) -> Stmt:
    start = tables.cursor.pos
    tables.cursor.take("break")
    return Break(tables.cursor.span(start))


def _continue(node: cst.Continue, tables: CursorTables, scope: Scope) -> Stmt:
    start = tables.cursor.pos
    tables.cursor.take("continue")
    return Continue(tables.cursor.span(start))


def _if(node: cst.If, tables: CursorTables, scope: Scope, word: str = "if") -> Stmt:
    start = tables.cursor.pos
    tables.cursor.take(word)
    test, body = lower_expr(node.test, tables, scope), lower_body(node.body, tables, scope)
    orelse = _orelse(node.orelse, tables, scope)
    return If(test, body, orelse, tables.cursor.span(start))


def _orelse(node: cst.If | cst.Else | None, tables: CursorTables, scope: Scope) -> Body:
    if node is None:
        return ()
    tables.cursor.start()
    if isinstance(node, cst.If):
        return (_if(node, tables, scope, "elif"),)
    tables.cursor.take("else")
    return lower_body(node.body, tables, scope)


def _while(node: cst.While, tables: CursorTables, scope: Scope) -> Stmt:
    start = tables.cursor.pos
    tables.cursor.take("while")
    test, body = lower_expr(node.test, tables, scope), lower_body(node.body, tables, scope)
    orelse = _orelse(node.orelse, tables, scope)
    return While(test, body, orelse, tables.cursor.span(start))


def _take_async(node: cst.For | cst.With, tables: CursorTables) -> bool:
    if node.asynchronous is None:
        return False
    tables.cursor.take("async")
    return True


def _for(node: cst.For, tables: CursorTables, scope: Scope) -> Stmt:
    cursor = tables.cursor
    start, is_async = cursor.pos, _take_async(node, tables)
    cursor.take("for")
    target = lower_expr(node.target, tables, scope)
    cursor.take("in")
    iterable = lower_expr(node.iter, tables, scope)
    body, orelse = lower_body(node.body, tables, scope), _orelse(node.orelse, tables, scope)
    return For(target, iterable, body, orelse, is_async, cursor.span(start))


def _try(node: cst.Try | cst.TryStar, tables: CursorTables, scope: Scope) -> Stmt:
    cursor = tables.cursor
    final: Body = ()
    start = cursor.pos
    cursor.take("try")
    body = lower_body(node.body, tables, scope)
    handlers = tuple([_handler(handler, tables, scope) for handler in node.handlers])
    orelse = _orelse(node.orelse, tables, scope)
    if node.finalbody is not None:
        cursor.take("finally")
        final = lower_body(node.finalbody.body, tables, scope)
    return Try(body, handlers, orelse, final, isinstance(node, cst.TryStar), cursor.span(start))


def _handler(node: cst.ExceptHandler | cst.ExceptStarHandler, tables: CursorTables, scope: Scope) -> Handler:
    cursor, name = tables.cursor, None
    start = cursor.start()
    cursor.take("except")
    if isinstance(node, cst.ExceptStarHandler):
        cursor.take("*")
    types = _optional(node.type, tables, scope)
    if node.name is not None and isinstance(node.name.name, cst.Name):
        name = node.name.name.value
        cursor.take("as")
        cursor.take(name)
        name = normal(name)
    body = lower_body(node.body, tables, scope)
    return Handler(types, name, body, cursor.span(start))


def _with(node: cst.With, tables: CursorTables, scope: Scope) -> Stmt:
    cursor = tables.cursor
    start, is_async = cursor.pos, _take_async(node, tables)
    first = cursor.span(start)
    # a context that is no call is told by its statement's first word
    first = first._replace(end_line=first.line, end_col=first.col + len("with"))
    cursor.take("with")
    bracket = isinstance(node.lpar, cst.LeftParen)
    if bracket:
        cursor.take("(")
    items = tuple([_with_item(item, tables, scope, first) for item in node.items])
    if bracket:
        cursor.take(")")
    body = lower_body(node.body, tables, scope)
    return With(items, body, is_async, cursor.span(start))


def _with_item(node: cst.WithItem, tables: CursorTables, scope: Scope, first: Span) -> WithItem:
    cursor, target = tables.cursor, None
    context = lower_expr(node.item, tables, scope)
    if node.asname is not None:
        cursor.take("as")
        target = lower_expr(node.asname.name, tables, scope)
    cursor.skip(",")
    return WithItem(context, target, context.span if isinstance(context, (Call, Await, Lambda)) else first)


def _scope(kind: str) -> Lowerer:
    def lower(node: cst.Global | cst.Nonlocal, tables: CursorTables, scope: Scope) -> Stmt:
        tables.cursor.take(kind)
        for item in node.names:
            tables.cursor.take(item.name.value)
            tables.cursor.skip(",")
        return ScopeDecl(kind, tuple(normal(item.name.value) for item in node.names))

    return lower


def _delete(node: cst.Del, tables: CursorTables, scope: Scope) -> Stmt:
    start = tables.cursor.pos
    tables.cursor.take("del")
    target = lower_expr(node.target, tables, scope)
    return Delete(target.items if isinstance(target, Seq) else (target,), tables.cursor.span(start))


def _assert(node: cst.Assert, tables: CursorTables, scope: Scope) -> Stmt:
    start = tables.cursor.pos
    tables.cursor.take("assert")
    test = lower_expr(node.test, tables, scope)
    if node.msg is not None:
        tables.cursor.take(",")
        discard(node.msg, tables, scope)
    return Assert(test, tables.cursor.span(start))


def _match(node: cst.Match, tables: CursorTables, scope: Scope) -> Stmt:
    cursor = tables.cursor
    start = cursor.pos
    cursor.take("match")
    subject = lower_expr(node.subject, tables, scope)
    cursor.take(":")
    cases = tuple([_case(case, tables, scope) for case in node.cases])
    return Match(subject, cases, cursor.span(start))


def _case(node: cst.MatchCase, tables: CursorTables, scope: Scope) -> Case:
    tables.cursor.take("case")
    binds, irrefutable = lower_case(node.pattern, tables, scope)
    guard = None
    if node.guard is not None:
        tables.cursor.take("if")
        guard = lower_expr(node.guard, tables, scope)
    return Case(binds, guard, irrefutable and guard is None, lower_body(node.body, tables, scope))


def _function(node: cst.FunctionDef, tables: CursorTables, scope: Scope) -> Stmt:
    return lower_function(node, tables, scope, lower_body)


def _class(node: cst.ClassDef, tables: CursorTables, scope: Scope) -> Stmt:
    return lower_class(node, tables, scope, lower_body)


def _import(node: cst.Import, tables: CursorTables, scope: Scope) -> Stmt:
    start = tables.cursor.pos
    return Import(lower_import(node, tables.cursor), tables.cursor.span(start))


def _import_from(node: cst.ImportFrom, tables: CursorTables, scope: Scope) -> Stmt:
    start = tables.cursor.pos
    return Import(lower_import_from(node, tables.cursor), tables.cursor.span(start))


def _type_alias(node: cst.TypeAlias, tables: CursorTables, scope: Scope) -> Stmt:
    cursor, name = tables.cursor, node.name.value
    start = cursor.pos
    cursor.take("type")
    cursor.take(name)
    take_type_parameters(node.type_parameters, tables, scope)
    cursor.take("=")
    value = lower_expr(node.value, tables, scope)
    return Assign((Name(normal(name)),), value, None, "=", cursor.span(start))


_BY_TYPE: dict[type[cst.CSTNode], Lowerer] = {
    cst.Expr: _expression,
    cst.Pass: _pass,
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
