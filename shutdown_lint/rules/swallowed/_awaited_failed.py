"""Tasks that a stop method awaits: one that died of an error raises it there, and the rest of the stop is skipped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Expr, Span
from shutdown_lint.findings import Step, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.failing import Why, of_body
from shutdown_lint.rules.swallowed._awaited_cancelled import awaited, guard_of, is_asked_first, later
from shutdown_lint.rules.waits._stops import in_final, is_stop, tasks_of

_ERRORS = frozenset({"Exception", "BaseException"})


class Failed(NamedTuple):
    """The await of a task that may have failed: what, where, what it failed of, and what is skipped then."""

    what: Expr
    span: Span
    body: Fn
    why: Why
    lost: tuple[Step, ...]
    tier: Tier


def awaited_failed(fn: Fn, project: Project) -> Iterator[Failed]:
    """``await self._task`` in what stops, with nothing around it that takes the task's own errors."""
    if not fn.facts.is_async:
        return
    for at in fn.statements:
        for what in awaited(at, fn, project) if is_stop(fn, project) or in_final(at) else ():
            if guard_of(at, fn, project, _ERRORS) is not None or is_asked_first(at, "done", "exception", loops=False):
                continue
            found = _failing(what, fn, project)
            lost = tuple(later(at, None, fn, False)) if found else ()
            if found and lost:
                yield Failed(what, at.stmt.span, *found, lost, "S")  # type: ignore[union-attr]  # it holds an expression
                return


def _failing(what: Expr, fn: Fn, project: Project) -> tuple[Fn, Why] | None:
    """The coroutine of the task that lets an error out, and why it may have one."""
    for task in tasks_of(what, fn, project):
        for body in project.resources.bodies(task) if task.model.kind == "task" else ():
            why = of_body(body, project)
            if why is not None and why.kind in ("network", "foreign", "supplied") and body is not fn:
                return body, why
    return None
