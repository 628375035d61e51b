"""Cancelled tasks in one ``asyncio.gather``: the first raises ``CancelledError``, and the wait for the others is over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Await, Body, Call, Name, Seq, Span, Star, Try, With
from shutdown_lint.findings import Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.scopes import Value
from shutdown_lint.rules.swallowed._awaited_cancelled import awaited, cancelled_before, guard_of
from shutdown_lint.rules.swallowed._catching import awaits
from shutdown_lint.rules.waits._stops import receiver, tasks_of
from shutdown_lint.walk import Site, argument, last_name, text, walk


class Gathered(NamedTuple):
    """The ``gather`` of cancelled tasks: the first of them, where, and how sure it is that the others have work left."""

    what: str
    span: Span
    cancel: Span
    tier: Tier


def gathered(fn: Fn, project: Project) -> Iterator[Gathered]:
    """``for task in tasks: task.cancel()`` and ``await gather(*tasks)`` where the ``CancelledError`` is caught."""
    for site in fn.sites if "gather" in fn.mentions else ():
        if not site.awaited or guard_of(site.at, fn, project) is None or not _is_of_many(site) or _is_of_one(site, fn):
            continue
        tasks = (
            tuple(awaited(site.at, fn, project)) if project.calls.is_call_to(site.call, fn, "asyncio.gather") else ()
        )
        cancels = [cancelled_before(task, site.at, fn) for task in tasks]
        told = [cancel for cancel in cancels if cancel is not None]
        tier = _tier(told, fn, project) if told and len(told) == len(cancels) else None
        if tier:
            yield Gathered(text(tasks[0]), site.call.span, told[0].span, tier)


def _is_of_many(site: Site) -> bool:
    given = [arg for arg in site.call.args if arg.keyword is None]
    return len(given) > 1 or any(arg.star or isinstance(arg.value, Star) for arg in given)


def _is_of_one(site: Site, fn: Fn) -> bool:
    """What is left of two tasks when the first is done: ``done, pending = await wait((a, b), return_when=FIRST_COMPLETED)``."""
    given = [
        arg.value.value if isinstance(arg.value, Star) else arg.value for arg in site.call.args if arg.keyword is None
    ]
    bindings = fn.given(given[0].id) if len(given) == 1 and isinstance(given[0], Name) else ()
    made = bindings[0] if len(bindings) == 1 else None
    wait = made.expr.value if isinstance(made, Value) and made.item == 1 and isinstance(made.expr, Await) else None
    if not isinstance(wait, Call) or last_name(wait.func) != "wait" or not wait.args:
        return False
    tasks = wait.args[0].value
    when = argument(wait, 99, "return_when")
    return (
        isinstance(tasks, Seq) and len(tasks.items) <= 2 and when is not None and last_name(when) == "FIRST_COMPLETED"
    )


def _tier(told: list[Call], fn: Fn, project: Project) -> Tier | None:
    """By default where a task awaits something in its cleanup; silent where none does: all are done in one turn of the loop."""
    made = [task for cancel in told for task in tasks_of(receiver(cancel), fn, project)]
    bodies = [body for task in made for body in project.resources.bodies(task)]
    if any(_cleans_up(body.facts.body) for body in bodies):
        return "D"
    return None if bodies and len(bodies) >= len(made) and not any(_calls_on(body, project) for body in bodies) else "S"


def _cleans_up(body: Body) -> bool:
    """Whether something is awaited behind the cancellation: in a ``finally`` or a clause, or when an ``async with`` is left."""
    for at in walk(body):
        if isinstance(at.stmt, Try) and (
            awaits(at.stmt.final) or any(awaits(handler.body) for handler in at.stmt.handlers)
        ):
            return True
        if isinstance(at.stmt, With) and at.stmt.is_async:
            return True
    return False


def _calls_on(body: Fn, project: Project) -> bool:
    """Whether it awaits functions that may clean up in turn, other than those of asyncio itself."""
    return any(
        site.awaited and not any(name.startswith("asyncio.") for name in project.calls.external(site.call, body))
        for site in body.sites
    )
