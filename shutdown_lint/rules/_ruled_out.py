"""Whether what a call passes keeps it from a place in the function that it calls."""

from __future__ import annotations

from shutdown_lint.facts import Attr, Call, Comp, Const, Expr, If, Lambda, Name, Op, Seq
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.scopes import Element, Value
from shutdown_lint.project.settled import Leaf, by_names, given, truth
from shutdown_lint.walk import At

_MAX_NAMES = 3  # names followed to find out whether a value can be None
_TEXTS = frozenset({"split", "rsplit", "splitlines"})  # lists of texts


def is_ruled_out(at: At, fn: Fn, call: Call, project: Project, caller: Fn | None = None) -> bool:
    """Whether what the call gives (or leaves at its default) for a parameter keeps it from the place.

    ``def close(fatal=False): if fatal: sys.exit(1)`` does not exit when it is called as ``close()``. In the scope of a
    ``caller``, a value that cannot be None does not come into ``if line is None:``.
    """
    for place in at.around():
        outer = place.outer
        if outer is not None and isinstance(outer.stmt, If) and place.part in ("body", "orelse"):
            holds = truth(outer.stmt.test, _reader(outer, fn, call, project, caller))
            if holds is not None and holds != (place.part == "body"):
                return True
    return False


def _reader(at: At, fn: Fn, call: Call, project: Project, caller: Fn | None) -> Leaf:
    """What the tests at the place come to by what the call gives."""

    def known(name: str) -> Const | None:
        value = given(name, fn, call, project, at)
        return value if isinstance(value, Const) else None

    def leaf(test: Expr) -> bool | None:
        holds = constant(test)
        name = _compared_with_none(test)
        if holds is not None or caller is None or not name:
            return holds
        return (
            getattr(test, "op", "") == "is-not" if _is_something(given(name, fn, call, project, at), caller) else None
        )

    constant = by_names(known)
    return leaf


def _compared_with_none(test: Expr) -> str:
    """The name in ``name is None`` or ``name is not None``; empty for another test."""
    if not (isinstance(test, Op) and test.op in ("is", "is-not") and len(test.operands) == 2):
        return ""
    name, other = test.operands
    return name.id if isinstance(name, Name) and isinstance(other, Const) and other.value is None else ""


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
