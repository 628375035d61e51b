"""How long a wait may last: numbers of seconds, and what is left of the time until a deadline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.facts import Call, Const, Expr, Name, Op
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.values import Constant
from shutdown_lint.walk import last_name

if TYPE_CHECKING:
    from shutdown_lint.project import Project

_DAY = 86_400.0
_CLOCKS = frozenset({"monotonic", "perf_counter", "time", "now"})


class Deadline(NamedTuple):
    """``name = clock() + after``."""

    name: str
    after: Expr


def seconds(expr: Expr | None, fn: Fn, project: Project) -> float | None:
    """The number of seconds that an expression surely is at least: a literal, or the least of the constants that it may be.

    A day and more is no limit that anybody means: it is the most that the platform takes.
    """
    if isinstance(expr, Const):
        values: list[object] = [expr.value]
    else:
        found = project.evaluate.values(expr, fn)
        if not all(isinstance(value, Constant) for value in found):
            return None
        values = [value.value for value in found if isinstance(value, Constant)]
    numbers = [float(value) for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    least = min(numbers) if numbers and len(numbers) == len(values) else None
    return None if least is not None and least >= _DAY else least


def deadline(expr: Expr | None, fn: Fn) -> Deadline | None:
    """The deadline of ``deadline - clock()``, also inside ``max(…, 0)``; None for anything else, or if it is set again."""
    if isinstance(expr, Call) and last_name(expr.func) == "max" and len(expr.args) == 2:
        return next((inner for arg in expr.args if (inner := deadline(arg.value, fn)) is not None), None)
    if not (isinstance(expr, Op) and expr.op == "-" and len(expr.operands) == 2 and _is_clock(expr.operands[1])):
        return None
    name = expr.operands[0]
    found = list(_set(name.id, fn)) if isinstance(name, Name) else []
    return Deadline(name.id, found[0]) if isinstance(name, Name) and len(found) == 1 else None


def until(test: Expr, fn: Fn) -> Deadline | None:
    """The deadline that ends a loop: ``while work and clock() < deadline``."""
    if isinstance(test, Op) and test.op == "and":
        return next((inner for operand in test.operands if (inner := until(operand, fn)) is not None), None)
    if not (isinstance(test, Op) and test.op in ("<", "<=", ">", ">=") and len(test.operands) == 2):
        return None
    left, right = test.operands if test.op in ("<", "<=") else test.operands[::-1]
    return deadline(Op("-", (right, left)), fn)


def _set(name: str, fn: Fn) -> Iterator[Expr]:
    """What is added to the clock where the name is bound in the function; ``None`` beside it says that there may be no deadline."""
    for binding in fn.bindings.get(name, ()):
        value = getattr(binding, "expr", None)
        if isinstance(value, Op) and value.op == "+" and len(value.operands) == 2:
            left, right = value.operands
            yield right if _is_clock(left) else left if _is_clock(right) else Const(None)
        elif not (isinstance(value, Const) and value.value is None):
            yield Const(None)


def _is_clock(expr: Expr) -> bool:
    return isinstance(expr, Call) and last_name(expr.func) in _CLOCKS
