"""Which branches of a called function the arguments of the call rule out: ``stop(graceful=False)``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from shutdown_lint.facts import Call, Const, Expr, If, Name, Op
from shutdown_lint.project.handles import Fn
from shutdown_lint.walk import has_star

if TYPE_CHECKING:
    from shutdown_lint.project import Project
    from shutdown_lint.project.steps import Step


def given(name: str, fn: Fn, call: Call, project: Project) -> Expr | None:
    """What the call gives for the parameter of that name, or its default; None where it is not known or bound anew."""
    param = next((param for param in fn.facts.params if param.name == name), None)
    if param is None or len(fn.bindings.get(name, ())) > 1 or has_star(call):
        return None
    return project.calls.passed(call, fn, param) or param.default


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
