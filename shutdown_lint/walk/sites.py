"""Where expressions stand: the calls, names and literals of a body, each with its statement and what is around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from shutdown_lint.facts import (
    Attr,
    Await,
    Body,
    Call,
    Comp,
    Const,
    Expr,
    ExprStmt,
    For,
    Lambda,
    Name,
    Walrus,
    Yield,
    make,
)
from shutdown_lint.walk.expressions import CHILDREN, subexprs
from shutdown_lint.walk.statements import OWN, At, enclosing_loops, own_exprs, walk


class Site(NamedTuple):
    """An expression where it stands: its statement, and the expressions around it, innermost first."""

    expr: Expr
    at: At
    parents: tuple[Expr, ...]

    @property
    def call(self) -> Call:
        """The expression, known to be a call."""
        assert isinstance(self.expr, Call)
        return self.expr

    @property
    def awaited(self) -> bool:
        """Whether the result is awaited on the spot."""
        return bool(self.parents) and isinstance(self.parents[0], Await)

    @property
    def dropped(self) -> bool:
        """Whether the result (or the awaited result) of the expression is thrown away."""
        parents = self.parents[1:] if self.awaited else self.parents
        return not parents and isinstance(self.at.stmt, ExprStmt)


def sites(body: Body) -> Iterator[Site]:
    """Every call of the body (not of nested definitions), in order of the statements, inner calls before outer ones."""
    for at in walk(body):
        yield from sites_at(at)


def sites_at(at: At) -> Iterator[Site]:
    """The calls that belong to the statement itself."""
    for expr in own_exprs(at.stmt):
        yield from _calls(expr, at, ())


def _calls(expr: Expr, at: At, parents: tuple[Expr, ...]) -> Iterator[Site]:
    found = CHILDREN.get(type(expr))
    if found is not None:
        inner = (expr, *parents)
        for child in found(expr):
            if type(child) in CHILDREN:
                yield from _calls(child, at, inner)
    if isinstance(expr, Call):
        yield Site(expr, at, parents)


class Survey(NamedTuple):
    """What stands in the expressions of some statements.

    ``sites`` are the calls, as from ``sites``; ``mentions`` every identifier and attribute name; ``strings`` the string
    literals; ``binders`` the walrus expressions and comprehensions, outermost first, by the number of their statement.
    """

    sites: tuple[Site, ...]
    mentions: frozenset[str]
    strings: frozenset[str]
    binders: dict[int, list[Expr]]


def survey(places: Iterable[At]) -> Survey:
    """All of it in one walk: it is asked for every function of a project."""
    calls: list[Site] = []
    mentions: set[str] = set()
    constants: set[Any] = set()
    binders: dict[int, list[Expr]] = {}

    def look(expr: Any, at: At, number: int, parents: tuple[Expr, ...]) -> None:
        child: Any
        kind = type(expr)
        while kind is Attr:  # the commonest, `self.name`, without a call of this function
            mentions.add(expr.name)
            value = expr.value
            if type(value) is Name:
                mentions.add(value.id)
                return
            parents = (expr, *parents)
            expr, kind = value, type(value)
        below = CHILDREN.get(kind)
        if below is None:
            if kind is Name:
                mentions.add(expr.id)
            elif kind is Const:
                constants.add(expr.value)
            return
        if kind is Walrus or kind is Comp:
            binders.setdefault(number, []).append(expr)
        inner = (expr, *parents)
        for child in below(expr):
            of_child = type(child)
            if of_child is Name:
                mentions.add(child.id)
            elif of_child is Const:
                constants.add(child.value)
            elif of_child in CHILDREN:
                look(child, at, number, inner)  # noqa: F821  # it is deleted when all is found
        if kind is Call:
            calls.append(make(Site, (expr, at, parents)))

    for number, at in enumerate(places):
        own = OWN.get(type(at.stmt))
        for expr in own(at.stmt) if own is not None else ():
            look(expr, at, number, ())
    del look  # it knows itself: a cycle, and all that it found would wait for the collector
    strings = frozenset(value for value in constants if isinstance(value, str))
    return Survey(tuple(calls), frozenset(mentions), strings, binders)


def mentioning(places: Iterable[At]) -> dict[str, list[At]]:
    """By name: the statements in whose expressions the name or an attribute of that name stands."""
    found: dict[str, list[At]] = {}
    for at in places:
        parts = (part for root in own_exprs(at.stmt) for part in subexprs(root))
        names = [part.id if isinstance(part, Name) else part.name for part in parts if isinstance(part, (Name, Attr))]
        for name in dict.fromkeys(names):
            found.setdefault(name, []).append(at)
    return found


def occurrences(name: str, at: At) -> Iterator[Site]:
    """Where the name, or an attribute of that name, stands in the expressions of the statement, outermost first."""
    for expr in own_exprs(at.stmt):
        yield from _occurrences(name, expr, at, ())


def _occurrences(name: str, expr: Any, at: At, parents: tuple[Expr, ...]) -> Iterator[Site]:
    kind = type(expr)
    if kind is Name:
        if expr.id == name:
            yield Site(expr, at, parents)
        return
    if kind is Attr and expr.name == name:
        yield Site(expr, at, parents)
    below = CHILDREN.get(kind)
    if below is not None:
        inner = (expr, *parents)
        for child in below(expr):
            yield from _occurrences(name, child, at, inner)


def exprs(body: Body) -> Iterator[Expr]:
    """The expressions of every statement of the body (not of nested definitions), each whole."""
    return (root for at in walk(body) for root in own_exprs(at.stmt))


def yields(at: At) -> Iterator[Yield]:
    """The ``yield`` expressions of the statement itself."""
    return (expr for root in own_exprs(at.stmt) for expr in subexprs(root) if isinstance(expr, Yield))


def lambdas(body: Body) -> Iterator[Lambda]:
    """The lambdas written in the body."""
    return (expr for root in exprs(body) for expr in subexprs(root) if isinstance(expr, Lambda))


def loop_over(name: str, site: Site) -> Expr | None:
    """What the innermost loop or comprehension around the expression runs over, whose variable has the name."""
    for parent in site.parents:
        for clause in parent.clauses if isinstance(parent, Comp) else ():
            if isinstance(clause.target, Name) and clause.target.id == name:
                return clause.iter
    for place in enclosing_loops(site.at):
        if isinstance(place.stmt, For) and isinstance(place.stmt.target, Name) and place.stmt.target.id == name:
            return place.stmt.iter
    return None
