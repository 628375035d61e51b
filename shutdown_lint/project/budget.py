"""The declared budget: which steps end which component, and what its limit means for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from shutdown_lint.facts import Attr, Expr
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.step import Step
from shutdown_lint.project.values import Class, External, Function, Instance, Value
from shutdown_lint.settings import Component

if TYPE_CHECKING:
    from shutdown_lint.project import Project

_KINDS = frozenset({"call", "wait", "release", "limit"})


def component_of(step: Step, project: Project) -> Component | None:
    """The component that the step ends: by the type of the object whose method is called, or by the function itself."""
    if step.kind not in _KINDS or step.site is None or not project.budget.components:
        return None
    call = step.site.call
    given: list[Expr] = [call.func] if not step.text.startswith("end of") else [call]
    if isinstance(call.func, Attr):
        given.append(call.func.value)
    names = {
        name for expr in given for value in project.evaluate.values(expr, step.fn) for name in _names(value, project)
    }
    return next((component for component in project.budget.components if component.name in names), None)


def _names(value: Value, project: Project) -> Iterator[str]:
    """The dotted names of the value's class and of those above it; of a function its own."""
    if isinstance(value, (Instance, Class)):
        for cls in project.classes.mro(value.cls) if isinstance(value.cls, Cls) else (value.cls,):
            yield _dotted(cls) if isinstance(cls, Cls) else project.models.canonical(cls)
    elif isinstance(value, Function):
        yield _dotted(value.fn)
    elif isinstance(value, External):
        yield project.models.canonical(value.name)


def _dotted(handle: Cls | Fn) -> str:
    return f"{handle.module.name}.{handle.facts.qualname}"


def of_components(
    found: Iterable[Step], project: Project, inside: tuple[Step, ...] = ()
) -> Iterator[tuple[Step, Component, tuple[Step, ...]]]:
    """The outermost steps that end a component, in order, each with the steps around it."""
    for step in found:
        component = component_of(step, project)
        if component is not None:
            yield step, component, inside
        else:
            yield from of_components(step.steps, project, (*inside, step))


def limited(found: Iterable[Step], project: Project) -> tuple[Step, ...]:
    """The steps with the declared limits around what ends a component and says no limit of its own."""
    return tuple(_limited(step, project) for step in found) if project.budget.components else tuple(found)


def _limited(step: Step, project: Project) -> Step:
    component = component_of(step, project)
    if component is None or component.limit is None:
        return step._replace(steps=tuple(_limited(inner, project) for inner in step.steps))
    if not _is_open(step):
        return step
    said = f"{step.text}, limit of the budget"
    return step._replace(kind="limit", text=said, limit=component.limit, bounded=True, steps=(step,))


def _is_open(step: Step) -> bool:
    """Whether something in it waits without a limit that is known."""
    return (step.kind in ("wait", "limit") and step.limit is None) or any(_is_open(inner) for inner in step.steps)
