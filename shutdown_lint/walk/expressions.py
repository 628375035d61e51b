"""Expressions: what they consist of, which names and arguments they hold, how they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from shutdown_lint.facts import Attr, Await, Call, Comp, Expr, Lambda, Name, Op, Seq, Star, Subscript, Walrus, Yield


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct sub-expressions; a lambda's body is not among them."""
    found = CHILDREN.get(type(expr))
    return found(expr) if found is not None else ()


def _children_of_comp(expr: Comp) -> tuple[Expr, ...]:
    clauses = (part for clause in expr.clauses for part in (clause.iter, clause.target, *clause.ifs))
    return (*clauses, *expr.elements)


CHILDREN: dict[type, Callable[[Any], tuple[Expr, ...]]] = {
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
        found = CHILDREN.get(type(top))
        if found is not None:
            stack.extend(found(top)[::-1])


def unawaited(expr: Expr | None) -> Expr | None:
    """What an ``await`` awaits; any other expression is itself."""
    return expr.value if isinstance(expr, Await) else expr


def unnegated(test: Expr) -> tuple[Expr, bool]:
    """What is tested, and whether it has to hold: ``running`` and False, of ``not running``."""
    return (test.operands[0], False) if isinstance(test, Op) and test.op == "not" else (test, True)


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


def stands_in(what: Expr, expr: Expr) -> bool:
    """Whether the second expression is written like the first, or holds one that is."""
    return any(same(part, what) for part in subexprs(expr))


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
