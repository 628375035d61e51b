"""Tasks that are made in the call of an ``asyncio.wait`` which ends with the first of them: nobody can end the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Assign, Await, Call, Const, Expr, ExprStmt, Name, Seq
from shutdown_lint.project import Fn, Project
from shutdown_lint.walk import Site, argument, enclosing_loops, last_name

_TASKS = ("asyncio.create_task", "asyncio.ensure_future", "asyncio.AbstractEventLoop.create_task")


# What waits for something that may never come; other work may be meant to go on behind the wait.
_WAITS = frozenset(
    {"wait", "get", "recv", "receive", "read", "readline", "join", "acquire", "accept", "__anext__", "anext"}
)


class Losers(NamedTuple):
    """The wait, the first of the tasks, whether a loop makes them again and again, and whether all of them only wait."""

    wait: Call
    task: Call
    again: bool
    idle: bool


def losers(fn: Fn, project: Project) -> Iterator[Losers]:
    """``await asyncio.wait({create_task(a()), create_task(b())}, return_when=FIRST_COMPLETED)``, what is pending thrown away."""
    if not fn.facts.is_async or "wait" not in fn.mentions or not fn.mentions & {"create_task", "ensure_future"}:
        return
    for site in fn.sites:
        if last_name(site.call.func) != "wait" or not site.awaited or not _drops_pending(site, fn):
            continue
        tasks = _made_inline(site.call, fn, project)
        if tasks and _ends_early(site.call) and project.calls.is_call_to(site.call, fn, "asyncio.wait"):
            yield Losers(site.call, tasks[0], next(enclosing_loops(site.at), None) is not None, all(map(_idles, tasks)))


def _made_inline(wait: Call, fn: Fn, project: Project) -> tuple[Call, ...]:
    """The tasks, where there are several and all of what is waited for is made in the call."""
    given = wait.args[0].value if wait.args else None
    items = given.items if isinstance(given, Seq) else ()
    tasks = tuple(item for item in items if isinstance(item, Call) and project.calls.is_call_to(item, fn, *_TASKS))
    return tasks if len(tasks) > 1 else ()


def _idles(task: Call) -> bool:
    given = task.args[0].value if task.args else None
    return isinstance(given, Call) and last_name(given.func) in _WAITS


def _ends_early(wait: Call) -> bool:
    when, limit = argument(wait, 2, "return_when"), argument(wait, 1, "timeout")
    if _name(when) in ("FIRST_COMPLETED", "FIRST_EXCEPTION"):
        return True
    return limit is not None and not (isinstance(limit, Const) and limit.value is None)


def _name(expr: Expr | None) -> str:
    return str(expr.value) if isinstance(expr, Const) else last_name(expr)


def _drops_pending(site: Site, fn: Fn) -> bool:
    """Whether the tasks that go on are thrown away with the result, or have a name that nobody uses."""
    stmt = site.at.stmt
    if len(site.parents) != 1:
        return False
    if isinstance(stmt, ExprStmt):
        return True
    target = stmt.targets[0] if isinstance(stmt, Assign) and len(stmt.targets) == 1 else None
    if not isinstance(stmt, Assign) or not isinstance(stmt.value, Await) or not isinstance(target, Seq):
        return False
    pending = target.items[1] if len(target.items) == 2 else None
    return isinstance(pending, Name) and len(tuple(fn.names(pending.id))) == 1
