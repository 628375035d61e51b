"""Which branches of a called function the arguments of the call rule out: ``stop(graceful=False)``."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from shutdown_lint.facts import Attr, Call, Const, Expr, If, Name, Op, Param
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.leaves import pruned, surely
from shutdown_lint.project.scopes import Binding, Value
from shutdown_lint.project.values import Constant
from shutdown_lint.walk import At, enclosing_loops, has_star

if TYPE_CHECKING:
    from shutdown_lint.project import Project
    from shutdown_lint.project.step import Step

# What a parameter is known to be, and what a test without `not`, `and` and `or` comes to; None where it is not known.
Known: TypeAlias = Callable[[str], "Const | None"]
Leaf: TypeAlias = Callable[[Expr], "bool | None"]

_COMPARES: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def given(name: str, fn: Fn, call: Call, project: Project, at: At | None = None) -> Expr | None:
    """What the call gives for the parameter of that name, or its default; None where it is not known or bound anew.

    With ``at``, what is bound anew behind that place does not matter there, unless a loop leads back to it.
    """
    param = next((param for param in fn.facts.params if param.name == name), None)
    if param is None or (has_star(call) and not any(arg.keyword == name for arg in call.args)):
        return None
    if any(not _comes_behind(b, at) for b in fn.bindings.get(name, ()) if not isinstance(b, Param)):
        return None
    return project.calls.passed(call, fn, param) or param.default


def _comes_behind(binding: Binding, at: At | None) -> bool:
    here = getattr(at.stmt, "span", None) if at is not None else None
    there = getattr(binding.at.stmt, "span", None) if isinstance(binding, Value) else None
    if at is None or here is None or there is None or any(True for _ in enclosing_loops(at)):
        return False
    return bool(there.line > here.line)


def truth(test: Expr, leaf: Leaf) -> bool | None:
    """What a test comes to by what ``not``, ``and`` and ``or`` make of its parts; None if that is not known."""
    if isinstance(test, Op) and test.op == "not":
        inner = truth(test.operands[0], leaf)
        return None if inner is None else not inner
    if isinstance(test, Op) and test.op in ("and", "or"):
        decides = test.op == "or"
        found = {truth(operand, leaf) for operand in test.operands}
        return decides if decides in found else None if None in found else not decides
    return leaf(test)


def by_names(known: Known) -> Leaf:
    """Reads ``flag``, ``code is None``, ``code is not None`` and ``code != 0`` by what the names are known to be."""
    return lambda test: _named(test, known)


def _named(test: Expr, known: Known) -> bool | None:
    if isinstance(test, Op) and test.op in ("is", "is-not") and len(test.operands) == 2:
        value, other = (_value(operand, known) for operand in test.operands)
        if value is None or other is None or other.value is not None:
            return None
        return (value.value is None) == (test.op == "is")
    if isinstance(test, Op) and test.op in _COMPARES and len(test.operands) == 2:
        left, right = (_value(operand, known) for operand in test.operands)
        return _compared(test.op, left.value, right.value) if left is not None and right is not None else None
    value = _value(test, known)
    return None if value is None else bool(value.value)


def _compared(op: str, left: object, right: object) -> bool | None:
    """What ``==`` and its like come to for two literals; None where they cannot be put in order."""
    try:
        return bool(_COMPARES[op](left, right))
    except TypeError:
        return None


def _value(expr: Expr, known: Known) -> Const | None:
    if isinstance(expr, Const):
        return expr
    return known(expr.id) if isinstance(expr, Name) else None


def settled(found: tuple[Step, ...], target: Fn, call: Call, caller: Fn, project: Project) -> tuple[Step, ...]:
    """The steps of a called function as the call's literal arguments (or the defaults) have them.

    Branches that they rule out are left out, and a limit that is a parameter is the one that is given.
    """
    return _of_call(found, target, call, caller, {}, project)


def _of_call(
    found: tuple[Step, ...], target: Fn, call: Call, caller: Fn, around: dict[str, Const], project: Project
) -> tuple[Step, ...]:
    """``around`` is what the calling function's own parameters are known to be: they may be passed on."""
    known: dict[str, Const] = {}
    for param in target.facts.params:
        value = given(param.name, target, call, project)
        if isinstance(value, Name) and value.id in around:
            value = around[value.id]
        elif value is not None and not isinstance(value, Const):
            value = _number(value, caller, project)
        if isinstance(value, Const):
            known[param.name] = value
    return pruned(tuple(_settled(found, target, known, project))) if known else found


def _number(expr: Expr, fn: Fn, project: Project) -> Const | None:
    """The one number that a name or an attribute stands for: ``STOP_TIMEOUT``."""
    values = project.evaluate.values(expr, fn) if isinstance(expr, (Name, Attr)) else ()
    found = values[0] if len(values) == 1 else None
    value = found.value if isinstance(found, Constant) else None
    return Const(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _limited(step: Step, known: dict[str, Const]) -> Step:
    """A wait whose limit is a known parameter; with None it has no limit."""
    value = known[step.param].value
    if value is None:
        return step._replace(limit=None, bounded=False, param="") if step.kind == "wait" else step
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return step
    return step._replace(limit=float(value), param="")


def _settled(found: Iterable[Step], target: Fn, known: dict[str, Const], project: Project) -> Iterator[Step]:
    for step in found:
        if step.param in known and step.fn is target:
            step = _limited(step, known)
        holds = _holds(step, target, known)
        if holds is not None:
            inner = tuple(_settled(step.steps[0 if holds else 1].steps, target, known, project))
            yield from inner
            if surely(inner):
                return
        elif step.kind == "call":
            yield _passed_on(step, target, known, project)
        else:
            inner = tuple(_settled(step.steps, target, known, project))
            if inner or not step.steps or step.kind == "branch":
                yield step._replace(steps=inner)


def _holds(step: Step, target: Fn, known: dict[str, Const]) -> bool | None:
    """What the test of an ``if`` of the function comes to."""
    if step.kind != "choice" or step.fn is not target:
        return None
    place = (step.line, step.column)
    tests = (at.stmt.test for at in target.statements if isinstance(at.stmt, If))
    spans = ((at.stmt.span.line, at.stmt.span.col) for at in target.statements if isinstance(at.stmt, If))
    test = next((test for test, span in zip(tests, spans, strict=True) if span == place), None)
    return truth(test, by_names(known.get)) if test is not None else None


def _passed_on(step: Step, target: Fn, known: dict[str, Const], project: Project) -> Step:
    """A call that hands a known parameter on: ``self._stop(graceful)``."""
    call = step.site.call if step.site is not None and step.fn is target else None
    if call is None or not any(isinstance(arg.value, Name) and arg.value.id in known for arg in call.args):
        return step
    inner = _of_call(step.steps, step.steps[0].fn, call, target, known, project)
    return step._replace(steps=inner) if inner else step
