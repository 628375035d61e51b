"""Whether what a call passes keeps it from a place in the function that it calls."""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Call, Const, Expr, If, Name, Op
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.settled import given
from shutdown_lint.walk import At


def is_ruled_out(at: At, fn: Fn, call: Call, project: Project) -> bool:
    """Whether the constant that the call gives (or leaves at its default) for a parameter keeps it from the place.

    ``def close(fatal=False): if fatal: sys.exit(1)`` does not exit when it is called as ``close()``.
    """
    for place in at.around():
        outer = place.outer.stmt if place.outer else None
        if isinstance(outer, If) and place.part in ("body", "orelse"):
            for test, wanted in _needed(outer.test, place.part == "body"):
                holds = _value(test, fn, call, project)
                if holds is not None and holds != wanted:
                    return True
    return False


def _needed(test: Expr, wanted: bool) -> Iterator[tuple[Expr, bool]]:
    """The tests that must all have these values for the whole to have its: ``a and not b`` needs ``a`` and no ``b``."""
    if isinstance(test, Op) and test.op == "not":
        yield from _needed(test.operands[0], not wanted)
    elif isinstance(test, Op) and test.op == ("and" if wanted else "or"):
        for operand in test.operands:
            yield from _needed(operand, wanted)
    else:
        yield test, wanted


def _value(test: Expr, fn: Fn, call: Call, project: Project) -> bool | None:
    """What ``flag``, ``code is None`` or ``code is not None`` is in this call; None where it is not known."""
    if isinstance(test, Op) and test.op in ("is", "is-not") and len(test.operands) == 2:
        name, other = test.operands
        value = _given(name, fn, call, project)
        if isinstance(value, Const) and isinstance(other, Const) and other.value is None:
            return (value.value is None) == (test.op == "is")
        return None
    value = _given(test, fn, call, project)
    return bool(value.value) if isinstance(value, Const) else None


def _given(test: Expr, fn: Fn, call: Call, project: Project) -> Expr | None:
    return given(test.id, fn, call, project) if isinstance(test, Name) else None
