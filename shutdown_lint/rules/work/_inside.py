"""The way by which a worker's own body comes to a place: plain calls, made on the same object."""

from __future__ import annotations

from shutdown_lint.facts import Attr, Call, Name
from shutdown_lint.findings import Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.rules._ruled_out import is_ruled_out
from shutdown_lint.walk import At

MAX_DEPTH = 5
# Who asks which thread it is has thought of the case.
_ASKS = frozenset({"current_thread", "currentThread", "get_ident", "get_native_id", "main_thread", "_is_own_thread"})
_PLAIN = frozenset({"staticmethod", "classmethod", "property", "cached_property", "override", "wraps"})


def way(
    start: Fn, goal: Fn, project: Project, *, same_object: bool, place: At | None = None
) -> tuple[Step, ...] | None:
    """The calls from a body to a function, without one that asks which thread it is in; None if there is no such way.

    With ``same_object``, only calls of the own object's methods (and of nested functions) are followed. A call of the
    goal by which ``place`` in it is not reached (``stop(wait=False)``, under ``if wait:``) is none.
    """
    queue: list[tuple[Fn, tuple[Step, ...]]] = [(start, ())]
    seen = {start}
    for fn, steps in queue:
        if _ASKS & fn.mentions:
            continue
        if fn is goal:
            return steps
        for site in fn.sites if len(steps) < MAX_DEPTH else ():
            if same_object and not _on_own_object(site.call, fn, project):
                continue
            for target in project.calls.targets(site.call, fn):
                if target.fn is goal and place is not None and is_ruled_out(place, goal, site.call, project):
                    continue
                if target.fn.decorator_names - _PLAIN:
                    continue  # a decorator may hand it to another thread
                if target.confidence == "proven" and target.fn not in seen and target.fn.name != "__init__":
                    seen.add(target.fn)
                    step = fn.step(site.call.span, f"`{fn.qualname}` calls `{target.fn.qualname}`")
                    queue.append((target.fn, (*steps, step)))
    return None


def _on_own_object(call: Call, fn: Fn, project: Project) -> bool:
    func = call.func
    if isinstance(func, Name):
        return True
    return isinstance(func, Attr) and isinstance(func.value, Name) and func.value.id == project.classes.self_name(fn)
