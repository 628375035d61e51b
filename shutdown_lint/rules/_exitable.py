"""Whether a program may be ended by ``SystemExit`` at a place, or by a handler that raises: what could hold it up.

The answers are texts for the verbose output: why there is no fix. They are empty where nothing is known to stand in the
way (``semantics.md`` C: a thread that is no daemon makes the exit hang, a clause swallows it, a forked child runs the
cleanup twice, a thread ends alone).
"""

from __future__ import annotations

from shutdown_lint.facts import Call, Try, With
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.endings import catches
from shutdown_lint.project.stakes import upwards
from shutdown_lint.walk import At

_STAYS = ("thread", "timer", "executor", "pool", "process")


def holds_up(project: Project) -> str:
    """A worker that keeps the interpreter from ending, or a child that inherits the handler."""
    for acquisition in project.resources.everywhere(*_STAYS):
        if acquisition.daemon is not True:
            what = acquisition.model.name.rpartition(".")[2]
            return f"`{what}` in `{acquisition.fn.qualname}` may keep the program from ending"
    if any(True for _ in project.calls.calls_named("fork")):
        return "the program forks"
    return ""


def swallows(at: At, fn: Fn, project: Project) -> str:
    """A clause around the place, here or along the callers, that catches ``SystemExit``."""
    for path in upwards(at, fn, project):
        place = path.site.at if path.site is not None else at
        for part in place.around():
            outer = part.outer.stmt if part.outer is not None and part.part == "body" else None
            if isinstance(outer, Try) and any(catches(h.types, "SystemExit", "BaseException") for h in outer.handlers):
                return f"an `except` clause in `{path.fn.qualname}` catches SystemExit"
            if isinstance(outer, With) and any(_suppresses(item.context) for item in outer.items):
                return f"a context manager in `{path.fn.qualname}` may suppress SystemExit"
    return ""


def _suppresses(context: object) -> bool:
    name = getattr(context.func, "name", getattr(context.func, "id", "")) if isinstance(context, Call) else ""
    return name in ("suppress", "raises", "ignored")
