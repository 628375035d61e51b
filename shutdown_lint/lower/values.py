"""What of an expression is kept, whichever parser read it: the bounds on literals, and the operands that do something."""

from __future__ import annotations

from shutdown_lint.facts import (
    UNKNOWN,
    Attr,
    Await,
    Call,
    Comp,
    Const,
    Expr,
    Lambda,
    Name,
    Op,
    Seq,
    Star,
    Subscript,
    Unknown,
    Walrus,
    Yield,
)

MAX_STRING = 200
MAX_LITERALS = 8
MAX_INTEGER = 1 << 63


def literal(value: object) -> Expr:
    """A constant, or ``UNKNOWN`` for one that no rule reads: bytes, complex numbers, what is longer than the bounds."""
    if isinstance(value, str):
        return Const(value) if len(value) <= MAX_STRING else UNKNOWN
    if isinstance(value, int):
        return Const(value) if value < MAX_INTEGER else UNKNOWN
    return Const(value) if value is None or isinstance(value, float) else UNKNOWN


def negated(operand: Expr) -> Expr:
    """``-operand``."""
    if isinstance(operand, Const) and isinstance(operand.value, (int, float)):
        return Const(-operand.value)
    return live_operands("?", (operand,))


def binary(op: str, left: Expr, right: Expr) -> Expr:
    """``left op right``; the operator is ``+``, ``-``, ``|`` (a union of types), or ``?`` for any other."""
    if op == "?" or isinstance(left, Unknown) or isinstance(right, Unknown):
        kept = tuple([operand for operand in (left, right) if is_live(operand) or _is_read(operand)])
        return Op("?", kept) if kept else UNKNOWN
    return Op(op, (left, right))


def _is_read(operand: Expr) -> bool:
    """A name or attribute, or arithmetic with one: whether anybody looks at a flag or a limit is asked of all that is read."""
    if isinstance(operand, Op):
        return any(map(_is_read, operand.operands))
    return isinstance(operand, (Name, Attr)) or (isinstance(operand, Subscript) and _is_read(operand.value))


def display(kind: str, items: tuple[Expr, ...]) -> Expr:
    """A tuple, list, set or dictionary; a long table of literals is data that no rule reads."""
    if len(items) > MAX_LITERALS and all(isinstance(item, (Const, Unknown)) for item in items):
        return UNKNOWN
    return Seq(kind, items)


def live_operands(kind: str, operands: tuple[Expr, ...]) -> Expr:
    """Only the operands in which something happens; ``UNKNOWN`` where there is none."""
    live = tuple([operand for operand in operands if is_live(operand)])
    if not live:
        return UNKNOWN
    return Seq(kind, live) if kind == "fstring" else Op(kind, live)


def is_live(expr: Expr) -> bool:
    """Whether evaluating the expression can do more than read names."""
    if isinstance(expr, (Call, Await, Yield, Lambda, Walrus, Comp)):
        return True
    if isinstance(expr, (Attr, Subscript, Star)):
        return is_live(expr.value)
    if isinstance(expr, Op):
        return any(map(is_live, expr.operands))
    return isinstance(expr, Seq) and any(map(is_live, expr.items))
