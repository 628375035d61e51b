"""A worker whose loop has no way out, where the end of the program waits for it.

## What it does
Reports an endless loop (no condition, flag, sentinel, ``break``, ``return`` or ``raise`` that ends it) in a job of a thread or
process pool, ``asyncio.to_thread`` or ``run_in_executor``, and in a non-daemon thread that is handed on so that its end is out
of sight. At tier S also a daemon thread that its owner's stop method cannot end.

## Why it matters
The interpreter joins the workers of every pool at exit, ``asyncio.run`` those of its default executor: one job without an end,
and the exit hangs until SIGKILL. A daemon thread is stopped wherever it is.

## Example
```python
import asyncio
import time


def watch(path):
    while True:
        print("size", path.stat().st_size)
        time.sleep(5)


async def serve(path, server):
    watching = asyncio.create_task(asyncio.to_thread(watch, path))
    try:
        await server.run()
    finally:
        watching.cancel()
```

## Use instead
```python
import asyncio
import threading


def watch(path, stop):
    while not stop.wait(5):
        print("size", path.stat().st_size)


async def serve(path, server):
    stop = threading.Event()
    watching = asyncio.create_task(asyncio.to_thread(watch, path, stop))
    try:
        await server.run()
    finally:
        stop.set()
        await watching
```

## Precision
Silent where the worker, or what it calls, raises or may be ended by something that another function closes, and for pools of
``multiprocessing``, which kill their workers; and where an error that leaves the loop is foreseen (``except queue.Empty``
around it). Tier S where the loop waits for a peer, whose end may raise in it.

## References
- [concurrent.futures, ThreadPoolExecutor](https://docs.python.org/3/library/concurrent.futures.html#threadpoolexecutor)
- [asyncio.to_thread](https://docs.python.org/3/library/asyncio-task.html#asyncio.to_thread)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Call, ModuleFacts
from shutdown_lint.findings import Finding, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Loop
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import Registration, is_test
from shutdown_lint.project.values import Constant, Instance
from shutdown_lint.rules._texts import THREAD
from shutdown_lint.rules._told import untold
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._common import acquired, ends_by_error, label, owner, stop_method, stop_step
from shutdown_lint.rules.work._durable import worker_cleanup
from shutdown_lint.walk import argument, last_name, sites, text

RULE = Rule(
    code="SHD211",
    name="worker-without-stop",
    summary="a worker that the exit waits for has an endless loop and no way to be told to stop",
    tier="D",
    severity="warning",
    triggers=(
        "submit",
        "run_in_executor",
        "to_thread",
        THREAD,
    ),
    origin=("G9",),
)
_POOLED = frozenset({"submit", "run_in_executor", "to_thread", "map"})
_EXECUTORS = ("concurrent.futures.ThreadPoolExecutor", "concurrent.futures.ProcessPoolExecutor")
# What such a call waits for may end, and that may come as an exception (EOFError, ContextTerminated, StopIteration).
_PEERS = frozenset({
    "recv", "recv_multipart", "recv_json", "recv_pyobj", "recv_string", "recvfrom", "read", "readline", "receive", "accept",
    "next", "input", "consume", "raw_input", "__next__", "communicate", "get_message", "poll_once",
})  # fmt: skip


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every job that the module gives to a pool, and at every thread that it starts."""
    for fn in project.functions(module):
        if fn.mentions & _POOLED and not is_test(fn):
            yield from _jobs(module, fn, project)
    for acquisition, track in acquired(project, project.functions(module), "thread"):
        if acquisition.model.name != "threading.Thread" or project.resources.released(acquisition):
            continue
        loop = _endless(project.resources.bodies(acquisition), project)
        if loop is None:
            continue
        if acquisition.daemon is False and track.escaped:
            yield _hangs(module, acquisition.fn, acquisition.call, f"thread `{label(acquisition, track)}`", loop)
        elif acquisition.daemon is True and not track.has("is_alive") and not _loses(acquisition, project):
            held = owner(project, track)
            own = held is not None and project.classes.enclosing(acquisition.fn) in project.classes.family(held[0])
            stop = stop_method(project, held[0]) if held is not None and own else None
            if stop is not None:
                yield _unstoppable(module, acquisition, label(acquisition, track), loop, stop)


def _jobs(module: ModuleFacts, fn: Fn, project: Project) -> Iterator[Finding]:
    for site in fn.sites:
        if last_name(site.call.func) in _POOLED:
            for job in project.roles.at(site, fn):
                loop = _endless(job.targets, project) if _is_joined(job, project) else None
                if loop is not None:
                    yield _hangs(module, fn, site.call, f"job `{text(job.argument)}`", loop)
                    break


def _is_joined(job: Registration, project: Project) -> bool:
    """Whether the end of the program surely waits for the job: the pools of ``concurrent.futures`` do, those of others may not."""
    if job.callback.role not in ("pool-thread", "pool-process") or job.callback.call.startswith("multiprocessing"):
        return False
    if not job.callback.call.endswith("run_in_executor"):
        return True
    pool = project.evaluate.values(argument(job.site.call, 0, "executor"), job.fn)
    known = (Constant(None), *_EXECUTORS)
    return bool(pool) and all((value.cls if isinstance(value, Instance) else value) in known for value in pool)


def _endless(targets: tuple[Fn, ...], project: Project) -> Loop | None:
    """A loop without any way out, foreseen errors among them, which no other function can end by closing what it uses."""
    found = untold(project, targets, (), 0)
    if found is None or found.loop.leaves or ends_by_error(found.loop, targets, project):
        return None
    return found.loop


def _tier(loop: Loop) -> Tier:
    body = getattr(loop.at.stmt, "body", ())
    waits_for_peer = any(wait.model.wakes in ("peer", "close") for wait in loop.waits)
    return "S" if waits_for_peer or any(last_name(site.call.func) in _PEERS for site in sites(body)) else "D"


def _loses(acquisition: Acquisition, project: Project) -> bool:
    """Cleanup that is lost with a daemon is the finding of another rule."""
    return bool(worker_cleanup(acquisition, project))


def _hangs(module: ModuleFacts, fn: Fn, call: Call, what: str, loop: Loop) -> Finding:
    return RULE.finding(
        module,
        call.span,
        f"{what} never ends, as the loop in `{loop.fn.qualname}` has no way out: the exit waits for it until SIGKILL",
        tier=_tier(loop),
        lost=(loop.step("everything that the exit does after it has waited for its workers"),),
        trace=(
            fn.step(call.span, f"started in `{fn.qualname}`"),
            loop.step(f"endless loop in `{loop.fn.qualname}`"),
        ),
        help="let the loop test a `threading.Event`, and set it where the program ends",
    )


def _unstoppable(module: ModuleFacts, acquisition: Acquisition, name: str, loop: Loop, stop: Fn) -> Finding:
    return RULE.finding(
        module,
        acquisition.call.span,
        f"`{stop.qualname}` cannot end daemon thread `{name}`, as the loop in `{loop.fn.qualname}` has no way out: it runs on until it is cut off",
        tier="S",
        severity="info",
        trace=(loop.step(f"endless loop in `{loop.fn.qualname}`"), stop_step(stop)),
        help=f"let the loop test a `threading.Event`, set it in `{stop.qualname}`, and join the thread with a limit",
    )
