"""Tasks that ``__aenter__`` starts and waits for: cancelled in that wait, it leaves them, since ``__aexit__`` is not called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Assign, Attr, Call, Try
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.endings import catches
from shutdown_lint.rules.swallowed._pairs import TASKS
from shutdown_lint.walk import At, Site, dotted, last_name, line_of

_WAITS = frozenset({"wait", "wait_for", "get", "sleep", "acquire", "receive", "recv"})
_MAX_HOPS = 2


class EnteredLate(NamedTuple):
    """The task, the wait in which a cancellation leaves it, and what it is kept as."""

    task: Call
    wait: Call
    kept: Attr


def entered_late(fn: Fn, project: Project) -> Iterator[EnteredLate]:
    """``self._task = create_task(self._run()); await self._ready.wait()`` on the way into an ``async with``."""
    if not fn.facts.is_async or fn.cls is None or not fn.mentions & {"create_task", "ensure_future"}:
        return
    waits = [site for site in fn.sites if site.awaited and last_name(site.call.func) in _WAITS]
    if not waits or not _is_way_in(fn, project, 0):
        return
    for at in fn.statements:
        task, kept = _started(at, fn, project)
        if task is None or kept is None:
            continue
        wait = next((site for site in waits if line_of(site.at.stmt) > line_of(at.stmt) and _is_behind(site, at)), None)
        if wait is not None and not _is_guarded(wait.at):
            yield EnteredLate(task, wait.call, kept)
            return


def _started(at: At, fn: Fn, project: Project) -> tuple[Call | None, Attr | None]:
    stmt = at.stmt
    if not isinstance(stmt, Assign) or not isinstance(stmt.value, Call) or len(stmt.targets) != 1:
        return None, None
    kept = stmt.targets[0]
    if not isinstance(kept, Attr) or (dotted(kept) or "").partition(".")[0] != fn.self_name:
        return None, None
    return (stmt.value, kept) if project.calls.is_call_to(stmt.value, fn, *TASKS) else (None, None)


def _is_behind(wait: Site, start: At) -> bool:
    """Whether the wait stands behind the start, in its block or in one around it."""
    blocks = {id(place.block): place.position for place in start.around()}
    return any(id(p.block) in blocks and p.position > blocks[id(p.block)] for p in wait.at.around())


def _is_guarded(at: At) -> bool:
    for place in at.around():
        outer = place.outer.stmt if place.outer is not None and place.part == "body" else None
        if isinstance(outer, Try) and (outer.final or any(catches(h.types, "CancelledError") for h in outer.handlers)):
            return True
    return False


def _is_way_in(fn: Fn, project: Project, hops: int) -> bool:
    """Whether ``__aenter__`` of a class that has an ``__aexit__`` awaits it, with nothing that sees a cancellation there."""
    if fn.name == "__aenter__":
        return fn.cls is not None and project.classes.method(fn.cls, "__aexit__") is not None
    if hops >= _MAX_HOPS:
        return False
    return any(
        caller.fn.cls is fn.cls
        and caller.site.awaited
        and not _is_guarded(caller.site.at)
        and _is_way_in(caller.fn, project, hops + 1)
        for caller in project.calls.callers(fn)
    )
