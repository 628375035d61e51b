"""Which branches of a called function the arguments of the call rule out: ``stop(graceful=False)``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from shutdown_lint.facts import Call, Const, Expr, If, Name, Op, Param
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.scopes import Binding, Value
from shutdown_lint.walk import At, enclosing_loops, has_star

if TYPE_CHECKING:
    from shutdown_lint.project import Project
    from shutdown_lint.project.steps import Step


def given(name: str, fn: Fn, call: Call, project: Project, at: At | None = None) -> Expr | None:
    """What the call gives for the parameter of that name, or its default; None where it is not known or bound anew.

    With ``at``, what is bound anew behind that place does not matter there, unless a loop leads back to it.
    """
    param = next((param for param in fn.facts.params if param.name == name), None)
    if param is None or has_star(call):
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


def settled(found: tuple[Step, ...], target: Fn, call: Call, project: Project) -> tuple[Step, ...]:
    """The steps of a called function without the branches that the call's literal arguments (or the defaults) rule out."""
    names = [param.name for param in target.facts.params]
    values = ((name, given(name, target, call, project)) for name in names)
    known = {name: bool(value.value) for name, value in values if isinstance(value, Const)}
    return tuple(_settled(found, target, known)) if known else found


def _settled(found: Iterable[Step], target: Fn, known: dict[str, bool]) -> Iterator[Step]:
    tests = {(at.stmt.span.line, at.stmt.span.col): at.stmt.test for at in target.statements if isinstance(at.stmt, If)}
    for step in found:
        test = tests.get((step.line, step.column)) if step.kind == "choice" and step.fn is target else None
        truth = _truth(test, known) if test is not None else None
        if truth is not None:
            yield from _settled(step.steps[0 if truth else 1].steps, target, known)
        elif step.kind != "call":
            inner = tuple(_settled(step.steps, target, known))
            if inner or not step.steps or step.kind == "branch":
                yield step._replace(steps=inner)
        else:
            yield step


def _truth(test: Expr, known: dict[str, bool]) -> bool | None:
    if isinstance(test, Op) and test.op == "not":
        truth = _truth(test.operands[0], known)
        return None if truth is None else not truth
    return known.get(test.id) if isinstance(test, Name) else None
