"""Tasks that a coroutine cancels and then awaits with nothing around: that raises ``CancelledError``, and the rest is skipped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import (
    Assign,
    Attr,
    Await,
    Body,
    Break,
    Call,
    Const,
    Continue,
    Expr,
    ExprStmt,
    For,
    If,
    Name,
    Raise,
    Return,
    Span,
    Stmt,
    Try,
    While,
    With,
)
from shutdown_lint.findings import Step, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.failing import QUIET_NAMES, is_suppress
from shutdown_lint.rules.swallowed._catching import caught, raises, suppressed
from shutdown_lint.rules.swallowed._steps import is_release_name
from shutdown_lint.rules.waits._stops import in_final, is_stop, receiver, tasks_of
from shutdown_lint.walk import (
    At,
    argument,
    dotted,
    enclosing_finally,
    enclosing_loops,
    last_name,
    line_of,
    same,
    subexprs,
    text,
    walk,
    what_runs_after,
)

_CANCELLED = frozenset({"CancelledError", "BaseException"})
_TASK = re.compile(r"task|future|fut$|coro|worker|job|loop|runner", re.IGNORECASE)
_LIMITS = frozenset({"wait_for", "shield"})


class Raised(NamedTuple):
    """The await of a cancelled task: what is awaited, where, what it skips, and how sure it is that it raises."""

    what: Expr
    span: Span
    cancel: Span
    lost: tuple[Step, ...]
    tier: Tier


def awaited_cancelled(fn: Fn, project: Project) -> Iterator[Raised]:
    """``task.cancel(); await task; …`` where nothing around the await takes the ``CancelledError``."""
    if not fn.facts.is_async or "cancel" not in fn.mentions:
        return
    for at in fn.statements:
        for what in awaited(at, fn, project):
            cancel = cancelled_before(what, at, fn)
            if cancel is None or _is_cancelled_itself(at, fn, project) or _is_done(what, cancel, fn, project):
                continue
            guard = guard_of(at, fn, project)
            if guard is not None and _is_beside(at, guard):
                continue  # the guard is meant for this very await
            tier = tier_of(cancel, fn, project)
            lost = lost_by(what, at, guard, fn, project) if tier else ()
            if tier and lost:
                yield Raised(what, at.stmt.span, cancel.span, lost, tier)  # type: ignore[union-attr]  # it holds an expression
                return


def awaited(at: At, fn: Fn, project: Project) -> Iterator[Expr]:
    """What the statement awaits by its name: ``await task``, ``await wait_for(task, 3)``, ``await gather(*tasks)``."""
    value = at.stmt.value if isinstance(at.stmt, (ExprStmt, Assign)) else None
    inner = value.value if isinstance(value, Await) else None
    while isinstance(inner, Call) and last_name(inner.func) in _LIMITS and inner.args:
        inner = inner.args[0].value
    if isinstance(inner, Call) and project.calls.is_call_to(inner, fn, "asyncio.gather"):
        given = argument(inner, 99, "return_exceptions")
        if given is None or (isinstance(given, Const) and given.value is False):
            yield from (arg.value for arg in inner.args if arg.keyword is None and dotted(arg.value))
    elif inner is not None and dotted(inner):
        yield inner


# --- whether it raises -----------------------------------------------------------------------------------------------


def cancelled_before(what: Expr, at: At, fn: Fn) -> Call | None:
    """The ``cancel()`` of the same task, or of each member of the same container, on the way to the place."""
    for site in fn.sites:
        func = site.call.func
        if not (isinstance(func, Attr) and func.name == "cancel"):
            continue
        if (same(func.value, what) or _is_member(func.value, site.at, what)) and _leads_to(site.at, at):
            if not _is_renewed(what, site.call.span, at, fn):
                return site.call
    return None


def _is_member(task: Expr, at: At, container: Expr) -> bool:
    loop = next(enclosing_loops(at), None)
    stmt = loop.stmt if loop is not None else None
    if not isinstance(stmt, For) or not same(stmt.target, task):
        return False
    return same(stmt.iter, container)


def _leads_to(cancel: At, at: At) -> bool:
    """Whether who passes the first place comes to the second: no branch with a jump, no clause for errors between them."""
    blocks = {id(place.block): place for place in at.around()}
    for place in cancel.around():
        if id(place.block) in blocks:
            return place.position < blocks[id(place.block)].position
        if place.part == "handler" or isinstance(place.block[-1], (Return, Raise, Break, Continue)):
            return False
    return False


def _is_renewed(what: Expr, cancel: Span, at: At, fn: Fn) -> bool:
    """Whether the name stands for another task by the time of the await."""
    end = at.stmt.span.line  # type: ignore[union-attr]  # a statement that awaits has a span
    return any(
        isinstance(other.stmt, Assign)
        and cancel.line <= other.stmt.span.line < end
        and any(same(target, what) for target in other.stmt.targets)
        for other in fn.statements
    )


def _is_done(what: Expr, cancel: Call, fn: Fn, project: Project) -> bool:
    """Whether the task has come to its end before: it is awaited here, or by a function that is called first."""
    if any(_awaits(what, at, fn, project) for at in fn.statements if line_of(at.stmt) < cancel.span.line):
        return True
    return any(
        _awaits(what, at, target.fn, project)
        for site in fn.sites
        if site.awaited and site.call.span.line < cancel.span.line
        for target in project.calls.targets(site.call, fn)
        for at in target.fn.statements
    )


def _awaits(what: Expr, at: At, fn: Fn, project: Project) -> bool:
    return any(same(found, what) for found in awaited(at, fn, project))


def guard_of(at: At, fn: Fn, project: Project, names: frozenset[str] = _CANCELLED) -> At | None:
    """The ``try`` or ``with`` of the own function that catches a ``CancelledError`` (one of the ``names``) raised at the place."""
    for place in at.around():
        outer = place.outer if place.part == "body" else None
        stmt = outer.stmt if outer is not None else None
        if isinstance(stmt, Try) and any(caught(handler, fn, project) & names for handler in stmt.handlers):
            return outer
        if isinstance(stmt, With) and any(_suppresses(item.context, fn, project, names) for item in stmt.items):
            return outer
    return None


def is_asked_first(at: At, *names: str, loops: bool = True) -> bool:
    """Whether the await stands where a test has asked the task: ``if not task.done():``; a loop's too, unless told otherwise."""
    return any(
        isinstance(place.outer.stmt, (If, While) if loops else If)
        and any(isinstance(part, Call) and last_name(part.func) in names for part in subexprs(place.outer.stmt.test))
        for place in at.around()
        if place.outer is not None
    )


def _is_beside(at: At, guard: At) -> bool:
    """Whether no loop but one over the tasks themselves stands between the guard and the await."""
    inside = [loop for loop in enclosing_loops(at) if any(place.stmt is guard.stmt for place in loop.around())]
    return len(inside) < 2


def _suppresses(context: Expr, fn: Fn, project: Project, names: frozenset[str]) -> bool:
    found = suppressed(context, fn, project)
    return bool(found & names) if found else is_suppress(context)


def _is_cancelled_itself(at: At, fn: Fn, project: Project) -> bool:
    """Whether the place stands in a clause for the coroutine's own cancellation, which is raised again behind it."""
    return any(place.handler is not None and caught(place.handler, fn, project) & _CANCELLED for place in at.around())


def tier_of(cancel: Call, fn: Fn, project: Project) -> Tier | None:
    """By default where the task's coroutine is known to let the cancellation out.

    Strict where it may take it for its end, or is unknown: it does raise where the task has not run yet.
    """
    what = receiver(cancel)
    made = tasks_of(what, fn, project)
    bodies = [body for task in made for body in project.resources.bodies(task)]
    if any(task.model.kind != "task" for task in made):
        return None
    if bodies:
        return "S" if any(_is_wrapped(body, project) or _swallows(body, project) for body in bodies) else "D"
    unknown = not made and not project.evaluate.values(what, fn)
    return "S" if made or (unknown and _TASK.search(last_name(what))) else None


def _is_wrapped(body: Fn, project: Project) -> bool:
    """Whether a decorator may take the cancellation: one that the project does not show, or with a clause for it."""
    for decorator in body.facts.decorators:
        made = project.calls.callables(
            decorator.func if isinstance(decorator, Call) else decorator, body.parent or body
        )
        if not made or any(_swallows(inner, project) for outer in made for inner in _with_nested(outer, project)):
            return True
    return False


def _with_nested(outer: Fn, project: Project) -> Iterator[Fn]:
    inside = {outer}
    for fn in project.functions(outer.module):
        if fn in inside or fn.parent in inside:
            inside.add(fn)
            yield fn


def _swallows(body: Fn, project: Project) -> bool:
    """Whether the coroutine may take its cancellation for its end."""
    for at in body.statements:
        if isinstance(at.stmt, Try) and any(
            caught(handler, body, project) & _CANCELLED and not raises(handler.body) for handler in at.stmt.handlers
        ):
            return True
        if isinstance(at.stmt, With) and any(
            _suppresses(item.context, body, project, _CANCELLED) for item in at.stmt.items
        ):
            return True
    return False


# --- what it skips ---------------------------------------------------------------------------------------------------


def lost_by(what: Expr, at: At, guard: At | None, fn: Fn, project: Project) -> tuple[Step, ...]:
    """The members that follow, and the later steps of the function; of one that ends with it, those of who called it to stop."""
    steps = [fn.step(at.stmt.span, f"`{text(what)}` of the members that follow")] if _is_in_turn(what, at) else []  # type: ignore[union-attr]
    steps += later(at, guard, fn, is_stop(fn, project) or in_final(at))
    if not steps and guard is None and (is_stop(fn, project) or in_final(at)):
        for caller in project.calls.callers(fn):
            if caller.site.awaited and guard_of(caller.site.at, caller.fn, project) is None:
                steps += later(caller.site.at, None, caller.fn, is_stop(caller.fn, project) or in_final(caller.site.at))
    return tuple(steps)


def _is_in_turn(what: Expr, at: At) -> bool:
    loop = next(enclosing_loops(at), None)
    return loop is not None and isinstance(loop.stmt, For) and same(loop.stmt.target, what)


def later(at: At, guard: At | None, fn: Fn, stopping: bool) -> list[Step]:
    """The steps behind the place that an exception skips: releases, and where things are stopped whatever else is done."""
    return [
        fn.step(later.stmt.span, f"`{text(step)}`")  # type: ignore[union-attr]  # it holds an expression
        for later in walk(_skipped(at, guard))
        if (step := _step(later.stmt, fn, stopping)) is not None
    ]


def _step(stmt: Stmt, fn: Fn, stopping: bool) -> Expr | None:
    """A call that ends something (or any call for its effect, in what stops), or the wait for another task."""
    value = stmt.value if isinstance(stmt, (ExprStmt, Assign, Return)) else None
    awaited = value.value if isinstance(value, Await) else value
    if isinstance(awaited, Call):
        return awaited if _matters(awaited, fn, stopping) else None
    return value if isinstance(value, Await) and dotted(value.value) else None


def _skipped(at: At, guard: At | None) -> Body:
    """What runs behind the place on a good day, up to a jump or the guard, and not in a ``finally``, which runs anyhow."""
    finals = {id(stmt) for place in enclosing_finally(at) if isinstance(place.stmt, Try) for stmt in place.stmt.final}
    behind = {id(stmt) for stmt in what_runs_after(guard)} if guard is not None else set()
    found: list[Stmt] = []
    for stmt in what_runs_after(at):
        if id(stmt) not in finals | behind:
            found.append(stmt)
        if isinstance(stmt, (Return, Raise, Break, Continue)):
            break
    return tuple(found)


def _matters(call: Call, fn: Fn, stopping: bool) -> bool:
    name = last_name(call.func)
    if is_release_name(name):
        return True
    if not stopping or not isinstance(call.func, Attr) or name in QUIET_NAMES:
        return False
    return not isinstance(call.func.value, Name) or call.func.value.id == fn.self_name
