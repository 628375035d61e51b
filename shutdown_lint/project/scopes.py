"""What the names of one function are bound to, as written: no resolution yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias, Union

from shutdown_lint.facts import (
    Assign,
    ClassDef,
    Comp,
    Expr,
    For,
    Function,
    FunctionDef,
    Import,
    ImportName,
    Match,
    Name,
    Param,
    ScopeDecl,
    Seq,
    Star,
    Try,
    Walrus,
    With,
)
from shutdown_lint.walk import At


class Value(NamedTuple):
    """Bound to the value of an expression; ``item`` is the position in it when a tuple is unpacked (else -1)."""

    expr: Expr
    item: int
    at: At


class Element(NamedTuple):
    """Bound to an element of an iterable (``for``, comprehension)."""

    iter: Expr
    item: int
    is_async: bool


class Entered(NamedTuple):
    """Bound to what a ``with`` item yields."""

    context: Expr
    item: int


class Caught(NamedTuple):
    """Bound to an exception."""

    types: Expr | None


class Typed(NamedTuple):
    """Declared by an annotation."""

    annotation: Expr


class Opaque(NamedTuple):
    """Bound to something that the analysis does not follow (patterns, ``del``, augmented assignment)."""


Binding: TypeAlias = Union[Value, Element, Entered, Caught, Typed, Opaque, Param, ImportName, FunctionDef, ClassDef]


def bindings_of(
    function: Function | None, places: Iterable[At], binders: Mapping[int, Sequence[Expr]]
) -> dict[str, tuple[Binding, ...]]:
    """Name → its bindings in source order, for a function (None: a class body) with the given statements.

    ``binders`` are the expressions that bind names, by the number of the statement in ``places``.
    """
    found: dict[str, list[Binding]] = {}
    for param in function.params if function else ():
        found.setdefault(param.name, []).append(param)
    for number, at in enumerate(places):
        if type(at.stmt) in _BINDS:
            for name, binding in _bound(at):
                found.setdefault(name, []).append(binding)
        for expr in binders.get(number, ()):
            for name, binding in _in_expression(expr, at):
                found.setdefault(name, []).append(binding)
    return {name: tuple(bindings) for name, bindings in found.items()}


def declared(places: Iterable[At]) -> dict[str, str]:
    """Names under ``global`` and ``nonlocal``."""
    return {name: at.stmt.kind for at in places if isinstance(at.stmt, ScopeDecl) for name in at.stmt.names}


_BINDS = frozenset({Assign, For, With, Try, Match, Import})


def _bound(at: At) -> Iterator[tuple[str, Binding]]:
    stmt = at.stmt
    if isinstance(stmt, Assign):
        yield from _assigned(stmt, at)
    elif isinstance(stmt, For):
        yield from _targets(stmt.target, lambda item: Element(stmt.iter, item, stmt.is_async))
    elif isinstance(stmt, With):
        for with_item in stmt.items:
            if with_item.target is not None:
                yield from _entered(with_item.target, with_item.context)
    elif isinstance(stmt, Try):
        yield from ((handler.name, Caught(handler.types)) for handler in stmt.handlers if handler.name)
    elif isinstance(stmt, Match):
        yield from ((name, Opaque()) for case in stmt.cases for name in case.binds)
    elif isinstance(stmt, Import):
        yield from ((name.local, name) for name in stmt.names)


def _assigned(stmt: Assign, at: At) -> Iterator[tuple[str, Binding]]:
    for target in stmt.targets:
        if stmt.annotation is not None and isinstance(target, Name):
            yield target.id, Typed(stmt.annotation)
        if stmt.value is None:
            continue
        if stmt.op != "=":
            yield from _targets(target, lambda item: Opaque())
        else:
            yield from _targets(target, partial(_value, stmt.value, at))


def _value(expr: Expr, at: At, item: int) -> Binding:
    return Value(expr, item, at)


def _entered(target: Expr, context: Expr) -> Iterator[tuple[str, Binding]]:
    yield from _targets(target, lambda item: Entered(context, item))


def _targets(target: Expr, make: Callable[[int], Binding], item: int = -1) -> Iterator[tuple[str, Binding]]:
    """The names in a target; unpacking is followed one level deep."""
    if isinstance(target, Name):
        yield target.id, make(item)
    elif isinstance(target, Star):
        yield from _targets(target.value, lambda _: Opaque())
    elif isinstance(target, Seq):
        for position, element in enumerate(target.items):
            if item >= 0:
                yield from _targets(element, lambda _: Opaque())
            else:
                yield from _targets(element, make, position)


def _in_expression(expr: Expr, at: At) -> Iterator[tuple[str, Binding]]:
    if isinstance(expr, Walrus):
        yield expr.target.id, Value(expr.value, -1, at)
    elif isinstance(expr, Comp):
        for clause in expr.clauses:
            yield from _comp_targets(clause.target, clause.iter, clause.is_async)


def _comp_targets(target: Expr, iterable: Expr, is_async: bool) -> Iterator[tuple[str, Binding]]:
    yield from _targets(target, lambda item: Element(iterable, item, is_async))
