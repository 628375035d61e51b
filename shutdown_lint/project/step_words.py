"""How conditions, iterables and exception types are written in a step: in a few words."""

from __future__ import annotations

from shutdown_lint.facts import Const, Expr, Op, Seq
from shutdown_lint.walk import text

MAX_TEXT = 40


def short(expr: Expr) -> str:
    """A condition or iterable in a few words."""
    said = _condition(expr)
    return said if len(said) <= MAX_TEXT else f"{said[: MAX_TEXT - 1]}…"


def _condition(expr: Expr) -> str:
    if isinstance(expr, Op) and expr.op == "not":
        return f"not {_condition(expr.operands[0])}"
    if isinstance(expr, Op) and expr.op not in ("if", "?"):
        return f" {expr.op.replace('-', ' ').strip() or '-'} ".join(map(_condition, expr.operands))
    return "None" if isinstance(expr, Const) and expr.value is None else text(expr, MAX_TEXT)


def exceptions(types: Expr | None) -> str:
    """The types of an ``except`` clause."""
    if isinstance(types, Seq):
        return ", ".join(text(item) for item in types.items)
    return text(types) if types is not None else "anything"
