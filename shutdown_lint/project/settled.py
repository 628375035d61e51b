"""Which branches of a called function the arguments of the call rule out: ``stop(graceful=False)``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from shutdown_lint.facts import Call, Const, Expr, If, Name, Op
from shutdown_lint.project.handles import Fn

if TYPE_CHECKING:
    from shutdown_lint.project import Project
    from shutdown_lint.project.steps import Step


def settled(found: tuple[Step, ...], target: Fn, call: Call, project: Project) -> tuple[Step, ...]:
    """The steps of a called function without the branches that the call's literal arguments (or the defaults) rule out."""
    given = {param.name: project.calls.passed(call, target, param) or param.default for param in target.facts.params}
    if any(arg.star for arg in call.args):
        return found
    known = {name: bool(value.value) for name, value in given.items() if isinstance(value, Const)}
    rebound = {name for name, bindings in target.bindings.items() if len(bindings) > 1}
    known = {name: value for name, value in known.items() if name not in rebound}
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
