"""An event loop that is run by hand and closed while tasks are still at work.

## What it does
Reports ``loop.close()`` of a loop that is run by ``run_forever`` or ``run_until_complete``, where a task which surely has not
ended is neither cancelled nor awaited before: at the default tier where that task has cleanup which needs the loop.

## Why it matters
``asyncio.run`` cancels all tasks and lets them finish. ``loop.close()`` does neither: an ``async with`` of a pending task is never
left, its ``finally`` stops at the first ``await``, and nothing but "Task was destroyed but it is pending" is printed.

## Example
```python
import asyncio


async def serve(queue, store):
    async with store.session() as session:
        while True:
            await session.write(await queue.get())


def main(queue, store):
    loop = asyncio.new_event_loop()
    serving = loop.create_task(serve(queue, store))
    print("started", serving)
    try:
        loop.run_forever()
    finally:
        loop.close()
```

## Use instead
```python
import asyncio


async def serve(queue, store):
    async with store.session() as session:
        while True:
            await session.write(await queue.get())


def main(queue, store):
    asyncio.run(serve(queue, store))
```

## Precision
The task's loop has no way out, and no alias of the task is awaited, cancelled or handed to anything. Silent where
``asyncio.all_tasks`` is asked for on the way. Tier S where the task holds no cleanup that needs the loop, and where the
coroutine comes from a caller, who may start tasks.

## References
- [loop.close](https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.close)
- [asyncio.run](https://docs.python.org/3/library/asyncio-runner.html#asyncio.run)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Call, Expr, ModuleFacts, Name
from shutdown_lint.findings import Finding, Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Loop
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.values import Instance
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._async_cleanup import async_cleanup
from shutdown_lint.rules.work._common import acquired
from shutdown_lint.rules.work._foreign import handed_in
from shutdown_lint.walk import Site, same, text

RULE = Rule(
    code="SHD216",
    name="loop-closed-with-tasks",
    summary="an event loop is closed while tasks are still at work",
    tier="D",
    severity="warning",
    triggers=("run_forever & .close(", "run_until_complete & .close("),
    origin=("G9",),
)
_RUNS = frozenset({"run_forever", "run_until_complete"})
_LOOPS = ("asyncio.AbstractEventLoop", "asyncio.new_event_loop")
# Who asks for all tasks, or has a helper that cancels them, knows that there are some.
_CANCELS = frozenset({"all_tasks", "_cancel_all_tasks", "cancel_all_tasks", "cancel_tasks", "_cancel_tasks"})


class _Pending(NamedTuple):
    """A task that has not ended when the loop is closed."""

    made: Acquisition
    body: Fn
    loop: Loop


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every loop that the module closes."""
    for fn in project.functions(module):
        if "close" not in fn.mentions or is_test(fn):
            continue
        for site in fn.sites:
            func = site.call.func
            if isinstance(func, Attr) and func.name == "close" and _is_loop(func.value, fn, project):
                found = tuple(_closed(module, site, func.value, fn, project))
                yield from found or _foreign(module, site, func.value, fn, project)


def _is_loop(expr: Expr, fn: Fn, project: Project) -> bool:
    if "loop" not in (expr.name if isinstance(expr, Attr) else expr.id if isinstance(expr, Name) else ""):
        return False
    values = project.evaluate.values(expr, fn)
    return any(isinstance(v, Instance) and isinstance(v.cls, str) and v.cls in _LOOPS for v in values)


def _closed(module: ModuleFacts, site: Site, loop: Expr, fn: Fn, project: Project) -> Iterator[Finding]:
    runs = list(_runs(loop, fn, project))
    reached = _reached(runs, fn, project)
    if not runs or any(_CANCELS & other.mentions for other in reached):
        return
    pending = list(_pending(reached, project))
    held = [(task, tuple(_lost(task.body, project))) for task in pending]
    held.sort(key=lambda found: not found[1])  # one with a loss speaks for all
    if held:
        yield _finding(module, site, fn, runs[0], *held[0])


def _foreign(module: ModuleFacts, site: Site, loop: Expr, fn: Fn, project: Project) -> Iterator[Finding]:
    """A loop that runs what others hand in, whose tasks nobody here knows."""
    runs = list(_runs(loop, fn, project))
    if not runs or any(_CANCELS & other.mentions for other in _reached(runs, fn, project)):
        return
    given = handed_in(runs, loop, fn, project)
    if given is not None:
        runner, call = given
        yield RULE.finding(
            module,
            site.call.span,
            f"`{text(site.call)}` in `{fn.qualname}` leaves the tasks that the coroutine in `{text(call)}` has started: they are destroyed pending",
            tier="S",
            severity="info",
            confidence="likely",
            trace=(runner.step(call.span, f"`{runner.qualname}` runs what its callers hand in"),),
            help="use `asyncio.run`; or cancel `asyncio.all_tasks(loop)` and wait for them before the loop is closed",
        )


def _runs(loop: Expr, fn: Fn, project: Project) -> Iterator[tuple[Fn, Site]]:
    """Where the same loop is run: in the function itself, or by a method that shares the attribute."""
    near = [fn]
    cls = project.classes.enclosing(fn)
    if isinstance(loop, Attr) and cls is not None:
        near += [other for other in project.classes.functions_in(cls) if other is not fn]
    for other in near:
        for site in other.sites if other.mentions & _RUNS else ():
            func = site.call.func
            if isinstance(func, Attr) and func.name in _RUNS and same(func.value, loop):
                yield other, site


def _reached(runs: list[tuple[Fn, Site]], fn: Fn, project: Project) -> tuple[Fn, ...]:
    """What runs before the loop is closed, as far as it can be seen: the functions that run it, and what they call."""
    found = {other: None for start in (fn, *(runner for runner, _ in runs)) for other in project.protocol.reach(start)}
    return tuple(found)


def _pending(reached: tuple[Fn, ...], project: Project) -> Iterator[_Pending]:
    for made, track in acquired(project, list(reached), "task"):
        finished = track.escaped or any(use.kind == "await" for use in track.uses)
        if finished or track.has("cancel", "result", "exception", "done", "__await__"):
            continue
        for body in project.resources.bodies(made):
            loop = next((loop for loop in project.protocol.worker_loops(body) if not loop.leaves), None)
            if loop is not None:
                yield _Pending(made, body, loop)


def _lost(body: Fn, project: Project) -> Iterator[Step]:
    """The cleanup that needs the loop, in the task and in the coroutines that it calls."""
    for fn in project.protocol.reach(body):
        if fn.facts.is_async:
            yield from async_cleanup(fn, project)


def _finding(
    module: ModuleFacts, site: Site, fn: Fn, run: tuple[Fn, Site], task: _Pending, lost: tuple[Step, ...]
) -> Finding:
    given = task.made.call.args[0].value
    name = f"`{text(given)}`" if isinstance(given, Call) else f"`{task.body.qualname}`"
    what = f"{lost[0].text} is never left" if lost else "it is destroyed pending"
    return RULE.finding(
        module,
        site.call.span,
        f"`{text(site.call)}` in `{fn.qualname}` leaves task {name} at work: {what}",
        tier="D" if lost else "S",
        lost=lost[:4],
        trace=(
            task.made.fn.step(task.made.call.span, f"started in `{task.made.fn.qualname}`, never cancelled or awaited"),
            task.loop.step(f"its loop in `{task.loop.fn.qualname}` has no way out"),
            run[0].step(run[1].call.span, f"`{text(run[1].call)}` comes back while it is at work"),
        ),
        help="use `asyncio.run`; or cancel `asyncio.all_tasks(loop)`, wait for them and `shutdown_asyncgens()` before the loop is closed",
    )
