"""Statements with their surroundings: the blocks that they have, what stands around them, what runs after them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from shutdown_lint.facts import (
    Assert,
    Assign,
    Body,
    Delete,
    Expr,
    ExprStmt,
    For,
    Handler,
    If,
    Match,
    Raise,
    Return,
    Stmt,
    Try,
    While,
    With,
    make,
)


class At(NamedTuple):
    """A statement where it stands.

    ``block[position]`` is ``stmt``. ``part`` names the part of the compound statement ``outer.stmt`` whose block this is:
    ``body``, ``orelse``, ``final``, ``handler`` (then ``handler`` tells which) or ``case``; at the top of a function
    it is ``""`` and ``outer`` is None.
    """

    stmt: Stmt
    block: Body
    position: int
    part: str
    outer: At | None
    handler: Handler | None

    def after(self) -> Body:
        """The statements that follow in the same block."""
        return self.block[self.position + 1 :]

    def before(self) -> Body:
        """The statements before it in the same block."""
        return self.block[: self.position]

    def around(self) -> Iterator[At]:
        """This place and the compound statements around it, innermost first."""
        at: At | None = self
        while at is not None:
            yield at
            at = at.outer


def parts_of(stmt: Stmt) -> Iterator[tuple[str, Body, Handler | None]]:
    """The blocks of a compound statement: (part, block, handler); nothing for ``def`` and ``class``."""
    if isinstance(stmt, (If, While, For)):
        yield "body", stmt.body, None
        yield "orelse", stmt.orelse, None
    elif isinstance(stmt, With):
        yield "body", stmt.body, None
    elif isinstance(stmt, Try):
        yield "body", stmt.body, None
        for handler in stmt.handlers:
            yield "handler", handler.body, handler
        yield "orelse", stmt.orelse, None
        yield "final", stmt.final, None
    elif isinstance(stmt, Match):
        for case in stmt.cases:
            yield "case", case.body, None


def walk(body: Body, part: str = "", outer: At | None = None, handler: Handler | None = None) -> Iterator[At]:
    """Every statement of the body in source order, nested blocks included, nested definitions not entered."""
    for index, stmt in enumerate(body):
        at = make(At, (stmt, body, index, part, outer, handler))
        yield at
        if type(stmt) in _COMPOUND:
            for inner_part, block, inner_handler in parts_of(stmt):
                if block:
                    yield from walk(block, inner_part, at, inner_handler)


_COMPOUND = frozenset({If, While, For, With, Try, Match})


def own_exprs(stmt: Stmt) -> Iterator[Expr]:
    """The expressions that belong to the statement itself, in order of evaluation, not those of its blocks."""
    found = OWN.get(type(stmt))
    return iter(found(stmt) if found is not None else ())


def _given(*exprs: Expr | None) -> tuple[Expr, ...]:
    return tuple([expr for expr in exprs if expr is not None])


def _own_of_assign(stmt: Assign) -> tuple[Expr, ...]:
    return stmt.targets if stmt.value is None else (stmt.value, *stmt.targets)


def _own_of_with(stmt: With) -> tuple[Expr, ...]:
    return _given(*(part for item in stmt.items for part in (item.context, item.target)))


def _own_of_match(stmt: Match) -> tuple[Expr, ...]:
    return (stmt.subject, *_given(*(case.guard for case in stmt.cases)))


# Asked for every statement and expression of a project, often: one look at the type, no chain of them.
OWN: dict[type, Callable[[Any], tuple[Expr, ...]]] = {
    Assign: _own_of_assign,
    ExprStmt: lambda stmt: (stmt.value,),
    Return: lambda stmt: _given(stmt.value),
    Raise: lambda stmt: _given(stmt.exc, stmt.cause),
    If: lambda stmt: (stmt.test,),
    While: lambda stmt: (stmt.test,),
    Assert: lambda stmt: (stmt.test,),
    For: lambda stmt: (stmt.iter, stmt.target),
    With: _own_of_with,
    Try: lambda stmt: _given(*(handler.types for handler in stmt.handlers)),
    Match: _own_of_match,
    Delete: lambda stmt: stmt.targets,
}


def line_of(stmt: Stmt) -> int:
    """The 1-based line in which the statement begins; 0 for one that keeps no span (``global``)."""
    span = getattr(stmt, "span", None)
    return span.line if span is not None else 0


def enclosing_finally(at: At) -> Iterator[At]:
    """The ``try`` statements with a ``finally`` that will run when this place is left, innermost first."""
    for place in at.around():
        if (
            place.outer is not None
            and isinstance(place.outer.stmt, Try)
            and place.outer.stmt.final
            and place.part != "final"
        ):
            yield place.outer


def enclosing_with(at: At) -> Iterator[At]:
    """The ``with`` statements around the place, innermost first."""
    for place in at.around():
        if place.outer is not None and isinstance(place.outer.stmt, With):
            yield place.outer


def enclosing_loops(at: At) -> Iterator[At]:
    """The loops in whose body the place stands, innermost first."""
    for place in at.around():
        if place.outer is not None and isinstance(place.outer.stmt, (While, For)) and place.part == "body":
            yield place.outer


def what_runs_after(at: At) -> Iterator[Stmt]:
    """The statements that follow the place on normal completion, block by block outwards (``finally`` blocks included).

    Behind a ``return`` or ``raise`` only the ``finally`` blocks around it follow.
    """
    left = isinstance(at.stmt, (Return, Raise))
    for place in at.around():
        for stmt in () if left else place.after():
            yield stmt
            left = left or isinstance(stmt, (Return, Raise))
        outer = place.outer
        if outer is not None and isinstance(outer.stmt, Try) and place.part != "final":
            if place.part == "body" and not left:
                yield from outer.stmt.orelse
            yield from outer.stmt.final
