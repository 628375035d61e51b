"""Stop methods that are reached by the very task that they cancel: the next await in them raises, and the rest is skipped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Assign, Attr, Await, Call, For, Name, Return, Stmt, With
from shutdown_lint.findings import Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.tracks import Attribute, Use
from shutdown_lint.rules._ruled_out import is_ruled_out
from shutdown_lint.rules.swallowed._awaited_cancelled import guard_of, later
from shutdown_lint.walk import At, Site, last_name, own_exprs, same, subexprs

_MAX_DEPTH = 4
# Who asks which task it is has thought of the case.
_ASKS = frozenset({"current_task", "get_current_task"})
_PLAIN = frozenset({"staticmethod", "classmethod", "override", "wraps"})


class OwnTask(NamedTuple):
    """The cancel, the await behind it that raises, the way there, and what is skipped."""

    cancel: Site
    raised: At
    body: Fn
    made: Step
    steps: tuple[Step, ...]
    lost: tuple[Step, ...]


def own_tasks(fn: Fn, project: Project) -> Iterator[OwnTask]:
    """``async def close(self): self._reader.cancel(); await self._bye()``, awaited in the reader itself."""
    if not fn.facts.is_async or "cancel" not in fn.mentions or fn.self_name is None or fn.mentions & _ASKS:
        return
    cancels = [site for site in fn.sites if last_name(site.call.func) == "cancel" and _is_own(site.call, fn)]
    for task in project.resources.everywhere("task") if cancels else ():
        for use in project.resources.track(task).methods("cancel") if not is_test(task.fn) else ():
            if use.fn is fn and isinstance(use.place, Attribute) and not use.place.contains and not is_test(fn):
                found = _found(task, use, project)
                if found is not None:
                    yield found
                    return


def _is_own(call: Call, fn: Fn) -> bool:
    """Whether it is a cancel of what an attribute of the own object holds, or of a local that may stand for it."""
    return isinstance(call.func, Attr) and not (
        isinstance(call.func.value, Name) and call.func.value.id == fn.self_name
    )


def _found(task: Acquisition, use: Use, project: Project) -> OwnTask | None:
    raised = _next_await(use.site.at)
    if raised is None or guard_of(raised, use.fn, project) is not None:
        return None
    lost = tuple(later(raised, None, use.fn, True))
    for body in project.resources.bodies(task) if lost else ():
        steps = _way(body, use, project) if body is not use.fn else None
        if steps is not None:
            made = task.fn.step(task.call.span, f"task of `{body.qualname}`")
            return OwnTask(use.site, raised, body, made, steps, lost)
    return None


def _next_await(at: At) -> At | None:
    """The statement behind the cancel, on the straight way, in which the coroutine is suspended next."""
    for place in at.around():
        for position in range(place.position + 1, len(place.block)):
            stmt = place.block[position]
            if isinstance(stmt, Return):
                return None
            if _suspends(stmt):
                return place._replace(stmt=stmt, position=position)
        if (
            place.outer is not None
            and not isinstance(place.outer.stmt, (For, With))
            and place.part in ("orelse", "case")
        ):
            continue
    return None


def _suspends(stmt: Stmt) -> bool:
    if isinstance(stmt, With):
        return stmt.is_async
    return any(isinstance(part, Await) for root in own_exprs(stmt) for part in subexprs(root))


def _way(start: Fn, use: Use, project: Project) -> tuple[Step, ...] | None:
    """The calls from the task's body to the cancel: plain ones or awaited on the spot, on the same object."""
    queue: list[tuple[Fn, tuple[Step, ...]]] = [(start, ())]
    seen = {start}
    for fn, steps in queue:
        if _ASKS & fn.mentions:
            continue
        if fn is use.fn:
            return steps
        for site in fn.sites if len(steps) < _MAX_DEPTH else ():
            if not _stays_in_task(site, fn, project) or _is_let_go(site, use, fn):
                continue
            for target in project.calls.targets(site.call, fn):
                if target.confidence != "proven" or target.fn in seen or target.fn.decorator_names - _PLAIN:
                    continue
                if target.fn.facts.is_async != site.awaited or target.fn.name == "__init__":
                    continue
                if target.fn is use.fn and is_ruled_out(use.site.at, use.fn, site.call, project):
                    continue
                seen.add(target.fn)
                step = fn.step(site.call.span, f"`{fn.qualname}` calls `{target.fn.qualname}`")
                queue.append((target.fn, (*steps, step)))
    return None


def _stays_in_task(site: Site, fn: Fn, project: Project) -> bool:
    func = site.call.func
    return isinstance(func, Attr) and isinstance(func.value, Name) and func.value.id == project.classes.self_name(fn)


def _is_let_go(site: Site, use: Use, fn: Fn) -> bool:
    """``self._task = None`` before: what is cancelled then is another task, or none."""
    held = use.site.call.func.value if isinstance(use.site.call.func, Attr) else None
    return any(
        isinstance(at.stmt, Assign)
        and at.stmt.span.line < site.call.span.line
        and any(same(target, held) for target in at.stmt.targets)
        for at in fn.statements
    )
