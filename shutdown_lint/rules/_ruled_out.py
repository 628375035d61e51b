"""Whether what a call passes keeps it from a place in the function that it calls."""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, Call, Comp, Const, Expr, If, Lambda, Name, Op, Seq
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.scopes import Element, Value
from shutdown_lint.project.settled import given
from shutdown_lint.walk import At

_MAX_NAMES = 3  # names followed to find out whether a value can be None
_TEXTS = frozenset({"split", "rsplit", "splitlines"})  # lists of texts


def is_ruled_out(at: At, fn: Fn, call: Call, project: Project, caller: Fn | None = None) -> bool:
    """Whether what the call gives (or leaves at its default) for a parameter keeps it from the place.

    ``def close(fatal=False): if fatal: sys.exit(1)`` does not exit when it is called as ``close()``. In the scope of a
    ``caller``, a value that cannot be None does not come into ``if line is None:``.
    """
    for place in at.around():
        outer = place.outer.stmt if place.outer else None
        if isinstance(outer, If) and place.part in ("body", "orelse"):
            for test, wanted in _needed(outer.test, place.part == "body"):
                holds = _value(test, fn, call, project, caller, place.outer)
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


def _value(test: Expr, fn: Fn, call: Call, project: Project, caller: Fn | None, at: At | None) -> bool | None:
    """What ``flag``, ``code is None`` or ``code is not None`` is in this call; None where it is not known."""
    if isinstance(test, Op) and test.op in ("is", "is-not") and len(test.operands) == 2:
        name, other = test.operands
        value = _given(name, fn, call, project, at)
        if isinstance(other, Const) and other.value is None:
            if isinstance(value, Const):
                return (value.value is None) == (test.op == "is")
            if caller is not None and _is_something(value, caller):
                return test.op == "is-not"
        return None
    value = _given(test, fn, call, project, at)
    return bool(value.value) if isinstance(value, Const) else None


def _given(test: Expr, fn: Fn, call: Call, project: Project, at: At | None) -> Expr | None:
    return given(test.id, fn, call, project, at) if isinstance(test, Name) else None


def _is_something(expr: Expr | None, scope: Fn, names: int = _MAX_NAMES) -> bool:
    """Whether the value is surely not None: a literal, or a name that only holds such, or parts of a text."""
    if isinstance(expr, (Seq, Comp, Lambda)):
        return True
    if isinstance(expr, Const):
        return expr.value is not None
    if not isinstance(expr, Name) or names == 0:
        return _is_list_of_texts(expr, scope, names)
    bindings = scope.bindings.get(expr.id, ())
    return bool(bindings) and all(
        (isinstance(binding, Value) and binding.item < 0 and _is_something(binding.expr, scope, names - 1))
        or (isinstance(binding, Element) and binding.item < 0 and _is_list_of_texts(binding.iter, scope, names - 1))
        for binding in bindings
    )


def _is_list_of_texts(expr: Expr | None, scope: Fn, names: int) -> bool:
    """``line.split(";")``, or a name that holds nothing else."""
    if isinstance(expr, Call):
        return isinstance(expr.func, Attr) and expr.func.name in _TEXTS
    bindings = scope.bindings.get(expr.id, ()) if isinstance(expr, Name) and names > 0 else ()
    return bool(bindings) and all(
        isinstance(binding, Value) and binding.item < 0 and _is_list_of_texts(binding.expr, scope, names - 1)
        for binding in bindings
    )
