"""Done callbacks that ask a cancelled task for its error: that raises ``CancelledError``, and the rest of the callback is skipped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Assign, Attr, Call, Expr, Name, Stmt, Try
from shutdown_lint.project import Fn, Project
from shutdown_lint.rules.swallowed._awaited_cancelled import guard_of
from shutdown_lint.rules.swallowed._catching import statement_call
from shutdown_lint.rules.swallowed._releases import RELEASES
from shutdown_lint.rules.waits._stops import receiver, tasks_of
from shutdown_lint.walk import At, Site, last_name, text, walk, what_runs_after

_TASK = re.compile(r"task", re.IGNORECASE)
_ASKS = frozenset({"exception", "result"})
# What wakes, gives back or takes out.
_MATTERS = RELEASES | {
    "set", "set_result", "set_exception", "notify", "notify_all", "discard", "remove", "pop", "put_nowait", "task_done", "call_soon",
}  # fmt: skip


class Asked(NamedTuple):
    """The question in the callback, where the callback was given, and the first step that is skipped."""

    call: Call
    callback: Fn
    given: Call
    giver: Fn
    lost: str
    lost_at: Stmt
    sure: bool


def asked(fn: Fn, project: Project) -> Iterator[Asked]:
    """``task.add_done_callback(f)`` in ``fn``, where ``f`` of the same module asks first and tidies up afterwards."""
    for site in fn.sites if "add_done_callback" in fn.mentions else ():
        if last_name(site.call.func) != "add_done_callback" or not site.call.args or not _is_task(site, fn, project):
            continue
        callbacks = project.calls.callables(site.call.args[0].value, fn)
        questions = [_question(callback, project) if _is_near(callback, fn) else None for callback in callbacks]
        # a name that is defined twice stands for one of them here
        if callbacks and questions[0] is not None and all(question is not None for question in questions):
            call, lost = questions[0]
            yield Asked(call, callbacks[0], site.call, fn, *lost, sure=_is_cancelled(site, fn, project))


def _is_near(callback: Fn, fn: Fn) -> bool:
    return callback.module is fn.module and not callback.facts.is_lambda


def _is_task(site: Site, fn: Fn, project: Project) -> bool:
    what = receiver(site.call)
    made = tasks_of(what, fn, project)
    if made:
        return all(task.model.kind == "task" for task in made)
    return not project.evaluate.values(what, fn) and bool(_TASK.search(last_name(what)))


def _is_cancelled(site: Site, fn: Fn, project: Project) -> bool:
    """Whether the program is seen to cancel the task."""
    return any(project.resources.track(task).has("cancel") for task in tasks_of(receiver(site.call), fn, project))


def _question(callback: Fn, project: Project) -> tuple[Call, tuple[str, Stmt]] | None:
    """The first ``task.exception()`` that nothing guards, and what follows it whatever it says."""
    params = callback.facts.params[int(callback.is_method) :]
    if not params or "cancelled" in callback.mentions or not callback.mentions & _ASKS:
        return None
    for site in callback.sites:
        what = receiver(site.call)
        if last_name(site.call.func) in _ASKS and isinstance(what, Name) and what.id == params[0].name:
            if guard_of(site.at, callback, project) is not None:
                return None
            lost = _first_lost(site.at, site.call)
            return (site.call, lost) if lost is not None else None
    return None


def _first_lost(at: At, question: Call) -> tuple[str, Stmt] | None:
    final = {
        id(inner.stmt)
        for place in at.around()
        if place.outer is not None and isinstance(place.outer.stmt, Try) and place.part != "final"
        for inner in walk(place.outer.stmt.final)
    }
    for later in walk(tuple(what_runs_after(at))):
        stmt = later.stmt
        if id(stmt) in final:
            continue  # this runs, whatever was raised
        call = statement_call(stmt)
        if call is not None and call is not question and last_name(call.func) in _MATTERS:
            return f"`{text(call)}`", stmt
        if isinstance(stmt, Assign) and any(_is_state(target) for target in stmt.targets):
            return f"`{text(stmt.targets[0])} = …`", stmt
    return None


def _is_state(target: Expr) -> bool:
    return isinstance(target, Attr)
