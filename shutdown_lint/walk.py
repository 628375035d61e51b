"""Walking over facts: statements with their surroundings, expressions, and where the result of a call goes.

All functions are pure. Beware of ``==`` between expressions: records are tuples, and a ``Name("x")`` equals a
``Const("x")``; use ``same``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from shutdown_lint.facts import (
    Assert,
    Assign,
    Attr,
    Await,
    Body,
    Call,
    Comp,
    Const,
    Delete,
    Expr,
    ExprStmt,
    For,
    Handler,
    If,
    Lambda,
    Match,
    Name,
    Op,
    Raise,
    Return,
    Seq,
    Star,
    Stmt,
    Subscript,
    Try,
    Walrus,
    While,
    With,
    Yield,
    make,
)

PARTS_BODY = "body"


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
    found = _OWN.get(type(stmt))
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
_OWN: dict[type, Callable[[Any], tuple[Expr, ...]]] = {
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


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct sub-expressions; a lambda's body is not among them."""
    found = _CHILDREN.get(type(expr))
    return found(expr) if found is not None else ()


def _children_of_comp(expr: Comp) -> tuple[Expr, ...]:
    clauses = (part for clause in expr.clauses for part in (clause.iter, clause.target, *clause.ifs))
    return (*clauses, *expr.elements)


_CHILDREN: dict[type, Callable[[Any], tuple[Expr, ...]]] = {
    Attr: lambda expr: (expr.value,),
    Await: lambda expr: (expr.value,),
    Yield: lambda expr: (expr.value,),
    Star: lambda expr: (expr.value,),
    Call: lambda expr: (expr.func, *[arg.value for arg in expr.args]),
    Op: lambda expr: expr.operands,
    Seq: lambda expr: expr.items,
    Subscript: lambda expr: (expr.value, expr.key),
    Walrus: lambda expr: (expr.target, expr.value),
    Comp: _children_of_comp,
}


def subexprs(expr: Expr) -> Iterator[Expr]:
    """The expression and everything in it, outermost first."""
    stack = [expr]
    while stack:
        top = stack.pop()
        yield top
        found = _CHILDREN.get(type(top))
        if found is not None:
            stack.extend(found(top)[::-1])


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
    found = _CHILDREN.get(type(expr))
    if found is not None:
        inner = (expr, *parents)
        for child in found(expr):
            if type(child) in _CHILDREN:
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
        below = _CHILDREN.get(kind)
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
            elif of_child in _CHILDREN:
                look(child, at, number, inner)
        if kind is Call:
            calls.append(make(Site, (expr, at, parents)))

    for number, at in enumerate(places):
        own = _OWN.get(type(at.stmt))
        for expr in own(at.stmt) if own is not None else ():
            look(expr, at, number, ())
    strings = frozenset(value for value in constants if isinstance(value, str))
    return Survey(tuple(calls), frozenset(mentions), strings, binders)


def occurrences(places: Iterable[At]) -> dict[str, list[Site]]:
    """Every name and attribute in the expressions of some statements, by identifier, outermost first."""
    found: dict[str, list[Site]] = {}

    def look(expr: Any, at: At, parents: tuple[Expr, ...]) -> None:
        kind = type(expr)
        if kind is Name:
            found.setdefault(expr.id, []).append(Site(expr, at, parents))
            return
        below = _CHILDREN.get(kind)
        if below is None:
            return
        if kind is Attr:
            found.setdefault(expr.name, []).append(Site(expr, at, parents))
        inner = (expr, *parents)
        for child in below(expr):
            look(child, at, inner)

    for at in places:
        own = _OWN.get(type(at.stmt))
        for expr in own(at.stmt) if own is not None else ():
            look(expr, at, ())
    return found


def exprs(body: Body) -> Iterator[Expr]:
    """The expressions of every statement of the body (not of nested definitions), each whole."""
    return (root for at in walk(body) for root in own_exprs(at.stmt))


def yields(at: At) -> Iterator[Yield]:
    """The ``yield`` expressions of the statement itself."""
    return (expr for root in own_exprs(at.stmt) for expr in subexprs(root) if isinstance(expr, Yield))


def lambdas(body: Body) -> Iterator[Lambda]:
    """The lambdas written in the body."""
    return (expr for root in exprs(body) for expr in subexprs(root) if isinstance(expr, Lambda))


def line_of(stmt: Stmt) -> int:
    """The 1-based line in which the statement begins; 0 for one that keeps no span (``global``)."""
    span = getattr(stmt, "span", None)
    return span.line if span is not None else 0


def same(left: Expr | None, right: Expr | None) -> bool:
    """Whether two expressions are written alike."""
    if type(left) is not type(right):
        return False
    if isinstance(left, Name) and isinstance(right, Name):
        return left.id == right.id
    if isinstance(left, Attr) and isinstance(right, Attr):
        return left.name == right.name and same(left.value, right.value)
    if isinstance(left, Subscript) and isinstance(right, Subscript):
        return same(left.value, right.value) and same(left.key, right.key)
    return left is not None and not children(left) and left == right


def dotted(expr: Expr | None) -> str | None:
    """``a.b.c`` for a name with attributes, else None."""
    parts: list[str] = []
    while isinstance(expr, Attr):
        parts.append(expr.name)
        expr = expr.value
    if not isinstance(expr, Name):
        return None
    return ".".join((expr.id, *reversed(parts)))


def last_name(expr: Expr | None) -> str:
    """``c`` of ``a.b.c``; empty for what is neither a name nor an attribute."""
    return expr.name if isinstance(expr, Attr) else expr.id if isinstance(expr, Name) else ""


def root_name(expr: Expr | None) -> str | None:
    """The name at the root of ``a.b[0].c()``."""
    while isinstance(expr, (Attr, Subscript, Await, Call)):
        expr = expr.func if isinstance(expr, Call) else expr.value
    return expr.id if isinstance(expr, Name) else None


def argument(call: Call, position: int, keyword: str) -> Expr | None:
    """The argument given by keyword, or at the (0-based) position; None where it is absent or hidden by a star."""
    for arg in call.args:
        if arg.keyword == keyword and not arg.star:
            return arg.value
    if 0 <= position < len(call.args) and all(
        not arg.star and arg.keyword is None for arg in call.args[: position + 1]
    ):
        return call.args[position].value
    return None


def has_star(call: Call) -> bool:
    """Whether ``*args`` or ``**kwargs`` hides arguments."""
    return any(arg.star for arg in call.args)


def text(expr: Expr | None, limit: int = 60) -> str:
    """A short rendering for messages: ``self._db.close()``; arguments are abbreviated."""
    out = _text(expr)
    return out if len(out) <= limit else out[: limit - 1] + "…"


def _text(expr: Expr | None) -> str:
    if isinstance(expr, Name):
        return expr.id
    if isinstance(expr, Attr):
        return f"{_text(expr.value)}.{expr.name}"
    if isinstance(expr, Call):
        return f"{_text(expr.func)}({_arguments(expr)})"
    if isinstance(expr, Await):
        return f"await {_text(expr.value)}"
    if isinstance(expr, Subscript):
        return f"{_text(expr.value)}[…]"
    if isinstance(expr, Lambda):
        return "lambda"
    value = getattr(expr, "value", None)
    return repr(value) if isinstance(value, (str, int, float, bool)) else "…"


def _arguments(call: Call) -> str:
    if not call.args:
        return ""
    first = _text(call.args[0].value) if call.args[0].keyword is None else "…"
    return first if len(call.args) == 1 else f"{first}, …"


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
