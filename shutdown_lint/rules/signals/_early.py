"""A loop that is told to stop before the cleanup that needs it has run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Await, Call, Stmt
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.imports import program
from shutdown_lint.project.signals import Handling
from shutdown_lint.project.values import External
from shutdown_lint.walk import Site, own_exprs, sites, subexprs, walk, what_runs_after

_STOPS = ("asyncio.AbstractEventLoop.stop", "tornado.ioloop.IOLoop.stop")
_LATER = ("call_soon", "call_soon_threadsafe", "add_callback", "add_callback_from_signal")
_SPAWNS = ("create_task", "ensure_future")
_BRIEF = ("asyncio.sleep",)


class Early(NamedTuple):
    """The call that stops the loop, and the cleanup that no longer runs."""

    fn: Fn
    stop: Site
    lost: Call


def early(handling: Handling, project: Project) -> Early | None:
    """In what the handler runs or schedules: a stop of the loop with something to await behind it."""
    for target in handling.targets:
        for fn in project.protocol.reach(target):
            for site in fn.sites if "stop" in fn.mentions else ():
                if _is_stop(site, fn, project):
                    lost = next(_behind(site, fn, project), None)
                    if lost is not None and not _runs_again(handling, project):
                        return Early(fn, site, lost)
    return None


def _is_stop(site: Site, fn: Fn, project: Project) -> bool:
    """``loop.stop()``, or ``loop.call_soon(loop.stop)``."""
    if project.calls.is_call_to(site.call, fn, *_STOPS):
        return True
    func, args = site.call.func, site.call.args
    if not isinstance(func, Attr) or func.name not in _LATER or not args or not isinstance(args[0].value, Attr):
        return False
    values = project.evaluate.values(args[0].value, fn)
    return any(isinstance(v, External) and project.models.canonical(v.name) in _STOPS for v in values)


def _behind(stop: Site, fn: Fn, project: Project) -> Iterator[Call]:
    """What is awaited or made a task behind the stop; in a plain function also the tasks made right before it."""
    for stmt in what_runs_after(stop.at):
        yield from _needs_loop(stmt, fn, project)
    if not fn.facts.is_async:
        for stmt in stop.at.before():
            yield from _spawned(stmt, fn, project)


def _needs_loop(stmt: Stmt, fn: Fn, project: Project) -> Iterator[Call]:
    for at in walk((stmt,)):
        for root in own_exprs(at.stmt):
            for expr in subexprs(root):
                if isinstance(expr, Await) and isinstance(expr.value, Call):
                    if not project.calls.is_call_to(expr.value, fn, *_BRIEF):
                        yield expr.value
    yield from _spawned(stmt, fn, project)


def _spawned(stmt: Stmt, fn: Fn, project: Project) -> Iterator[Call]:
    """The project's coroutines that await something, made tasks."""
    for site in sites((stmt,)):
        outer = site.parents[0] if site.parents else None
        name = getattr(outer.func, "name", getattr(outer.func, "id", "")) if isinstance(outer, Call) else ""
        targets = project.calls.targets(site.call, fn) if name in _SPAWNS else ()
        if len(targets) == 1 and targets[0].fn.facts.is_async and _awaits(targets[0].fn):
            yield site.call


def _awaits(fn: Fn) -> bool:
    return any(
        isinstance(expr, Await) for at in fn.statements for root in own_exprs(at.stmt) for expr in subexprs(root)
    )


def _runs_again(handling: Handling, project: Project) -> bool:
    """Whether the program runs the loop once more after it was stopped: ``run_forever()``, then ``run_until_complete(…)``."""
    modules = program([handling.fn.module.name], project)
    for fn, site in project.calls.calls_named("run_until_complete"):
        if fn.module.name in modules or handling.fn.module.name in program([fn.module.name], project):
            first = [
                s
                for s in fn.sites
                if getattr(s.call.func, "name", "") in ("run_forever", "start", "run_until_complete")
            ]
            if any(s.call.span.line < site.call.span.line for s in first):
                return True
    return False
