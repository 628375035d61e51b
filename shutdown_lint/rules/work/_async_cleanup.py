"""Cleanup of a coroutine that takes turns of the event loop: without the loop, or without an await, it does not finish."""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Await, Try, With
from shutdown_lint.findings import Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.walk import own_exprs, subexprs, walk


def async_cleanup(body: Fn, project: Project) -> Iterator[Step]:
    """The ``async with`` blocks and the ``finally`` clauses with an ``await`` in the coroutine function itself."""
    for at in body.statements:
        if isinstance(at.stmt, With) and at.stmt.is_async:
            for item in at.stmt.items:
                if not project.cleanup.is_harmless(item.context, body):
                    yield project.cleanup.with_step(item, at.stmt, body)
        elif isinstance(at.stmt, Try) and at.stmt.final and _awaits(at.stmt):
            yield project.cleanup.final_step(at.stmt, body)


def _awaits(stmt: Try) -> bool:
    return any(
        isinstance(expr, Await) for at in walk(stmt.final) for root in own_exprs(at.stmt) for expr in subexprs(root)
    )
