"""A coroutine blocks the event loop on the way out.

## What it does
Reports a blocking wait (a thread's or process's ``join``, ``executor.shutdown()``, ``future.result()``, ``Popen.wait()``, a queue's
``join``, ``time.sleep``) in a coroutine that runs at shutdown, in a plain function that such a coroutine calls, and in a callback of
``loop.add_signal_handler``.

## Why it matters
While the loop is blocked nothing else on it runs: tasks that were cancelled do not get to their cleanup, answers are not sent, and
no ``asyncio.timeout`` ends the wait. If the work that is waited for needs the loop itself, the stop hangs for good.

## Example
```python
import asyncio
import threading


class Bridge:
    def __init__(self):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._pump)
        self._thread.start()

    def _pump(self):
        while not self._stop.wait(5):
            print("pump")

    async def aclose(self):
        self._stop.set()
        self._thread.join()
        await asyncio.sleep(0)
```

## Use instead
```python
import asyncio
import threading


class Bridge:
    def __init__(self):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._pump)
        self._thread.start()

    def _pump(self):
        while not self._stop.wait(5):
            print("pump")

    async def aclose(self):
        self._stop.set()
        await asyncio.to_thread(self._thread.join)
```

## Precision
Tier D for waits without limit, or of one second and more where that is known, in functions that stop things and behind the ``yield`` of an
``@asynccontextmanager``. Shorter ones, those in the ``finally`` of other coroutines, and those at the end of a program's only
coroutine are tier S. Silent for what is handed to a thread, for a child that was killed just before, and for futures that are
known to be done.

## References
- [Running blocking code](https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code)
- [asyncio.to_thread](https://docs.python.org/3/library/asyncio-task.html#asyncio.to_thread)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Await, Call, Const, For, If, ModuleFacts, Name
from shutdown_lint.findings import Finding, Step, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.limits import seconds
from shutdown_lint.project.protocol import Wait
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.signals import handlings
from shutdown_lint.project.values import Instance
from shutdown_lint.rules._texts import JOIN
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.swallowed._catching import statement_call
from shutdown_lint.rules.waits._last_job import has_done_its_last, has_jobs_in_child_only
from shutdown_lint.rules.waits._stops import (
    AT_EXIT,
    in_final,
    is_patient,
    is_stop,
    may_be_on_way_out,
    method_name,
    receiver,
    same_receiver,
)
from shutdown_lint.rules.waits._work import waits_for_work
from shutdown_lint.walk import At, Site, argument, line_of, own_exprs, same, subexprs, text, yields

RULE = Rule(
    code="SHD413",
    name="loop-blocked-at-stop",
    summary="a coroutine blocks the event loop on the way out",
    tier="D",
    severity="warning",
    triggers=(
        JOIN,
        ".shutdown(",
        ".result(",
        ".wait(",
        r"re:sleep\((?<!\wsleep\()(?<!asyncio\.sleep\()",
        ".communicate(",
        "waitpid(",
    ),
    origin=("G13",),
)
SHORT = 1.0
_WORDS = frozenset({"join", "shutdown", "result", "exception", "wait", "communicate", "sleep", "waitpid"})
_WAKES = frozenset({"thread", "process", "job", "child", "time", "task_done", "set"})
_KILLS = frozenset({"kill", "killpg"})
_DONE = ("concurrent.futures.as_completed", "concurrent.futures.wait", "asyncio.wait")


class Path(NamedTuple):
    """How a place comes to run on the loop at shutdown: the steps, and whether it surely does."""

    coroutine: Fn
    steps: tuple[Step, ...]
    firm: bool


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at the blocking calls of every coroutine, and of the plain functions that may run on the loop."""
    for fn in project.functions(module):
        sites = [site for site in fn.sites if method_name(site.call) in _WORDS] if fn.mentions & _WORDS else []
        if not sites or is_test(fn):
            continue
        for site in sites:
            wait = project.protocol.wait(site, fn)
            if wait is not None and _blocks(wait, project) and not _is_over(wait, project):
                path = _path(fn, site.at, project)
                if path is not None and (not _exits_hard(site.at) or _needs_loop(wait, project)):
                    yield _finding(module, wait, path, project)


def _blocks(wait: Wait, project: Project) -> bool:
    return (
        wait.model.wakes in _WAKES
        and not wait.model.call.startswith("asyncio.")
        and not wait.site.awaited
        and not (wait.bounded and _limit(wait, project) is None and wait.model.call.endswith(".shutdown"))
        and _limit(wait, project) != 0
        and not (wait.model.call == "os.waitpid" and _polls(wait.site.call))
    )


def _polls(call: Call) -> bool:
    """``os.waitpid(pid, os.WNOHANG)``."""
    options = argument(call, 1, "options")
    return options is not None and not (isinstance(options, Const) and not options.value)


def _limit(wait: Wait, project: Project) -> float | None:
    """The seconds that the wait lasts at most, where they are known."""
    model = wait.model
    position, keyword = (0, "secs") if model.wakes == "time" else (model.position, model.timeout or "\0")
    given = argument(wait.site.call, position if position >= 0 else 99, keyword)
    return seconds(given, wait.fn, project) if given is not None else None


# --- is it on the loop, at shutdown? ---------------------------------------------------------------------------------


def _path(fn: Fn, at: At, project: Project) -> Path | None:
    if _is_off_loop(at):
        return None
    if fn.facts.is_async:
        if is_stop(fn, project) or _behind_yield(fn, at):
            return Path(fn, (), not is_patient(fn))
        return Path(fn, (), False) if in_final(at) or _is_cancelled(at) else None
    if fn.facts.is_lambda or fn.is_module:
        return None
    on_loop = any(found.via == "loop" for found in handlings(project))
    role = project.roles.role(fn, "loop-signal-callback") if on_loop else None
    if role is not None:
        return Path(fn, role.steps, True)
    if may_be_on_way_out(fn, at, project) and not any(r.kind in AT_EXIT for r in project.roles.seeds().get(fn, ())):
        return _from_coroutine(fn, project)
    return None


def _is_off_loop(at: At) -> bool:
    """Whether the place is chosen by whether a loop runs: ``if get_running_loop() is None``."""
    tests = (place.outer.stmt.test for place in at.around() if place.outer and isinstance(place.outer.stmt, If))
    return any(
        isinstance(part, Call) and method_name(part).endswith(("running_loop", "current_async_library"))
        for test in tests
        for part in subexprs(test)
    )


def _from_coroutine(fn: Fn, project: Project) -> Path | None:
    """A coroutine that stops things and calls the plain function itself."""
    for caller in project.calls.callers(fn):
        coroutine = caller.fn
        if caller.site.awaited:
            continue  # `await self.session.close()`: of all that this may be, a coroutine
        if coroutine.facts.is_async and caller.confidence == "proven" and not is_test(coroutine):
            if (is_stop(coroutine, project) and not is_patient(coroutine)) or _behind_yield(coroutine, caller.site.at):
                step = coroutine.step(
                    caller.site.call.span, f"`{coroutine.qualname}` calls `{fn.qualname}` on the loop"
                )
                return Path(coroutine, (step,), True)
    return None


def _behind_yield(fn: Fn, at: At) -> bool:
    """The part of an ``@asynccontextmanager`` that runs when it is left."""
    if "asynccontextmanager" not in fn.decorator_names:
        return False
    lines = [line_of(place.stmt) for place in fn.statements if any(True for _ in yields(place))]
    return bool(lines) and line_of(at.stmt) > min(lines)


def _is_cancelled(at: At) -> bool:
    """In a handler of CancelledError."""
    return any(
        place.handler is not None
        and place.handler.types is not None
        and any(
            getattr(part, "name", getattr(part, "id", "")) == "CancelledError" for part in subexprs(place.handler.types)
        )
        for place in at.around()
    )


# --- is there anything to wait for? ----------------------------------------------------------------------------------


def _is_over(wait: Wait, project: Project) -> bool:
    """A killed child, a future that is known to be done, a thread that has ended."""
    site, fn = wait.site, wait.fn
    if wait.model.wakes in ("child", "process"):
        earlier = (other for other in fn.sites if other.call.span.line <= site.call.span.line)
        return any(method_name(other.call) in _KILLS and _same_child(other, site) for other in earlier)
    if wait.model.wakes == "job" and (_comes_from_done(site, fn, project) or _is_awaitable(site, fn, project)):
        return True
    if wait.model.wakes == "thread" and _has_announced_its_end(wait, project):
        return True
    if wait.model.call.endswith(".shutdown") and (_was_told_before(wait) or has_done_its_last(wait, project)):
        return True
    if wait.model.call.endswith(".shutdown") and has_jobs_in_child_only(wait, project):
        return True
    tests = (place.outer.stmt.test for place in site.at.around() if place.outer and isinstance(place.outer.stmt, If))
    return any("done()" in text(part) for test in tests for part in subexprs(test) if isinstance(part, Call))


def _was_told_before(wait: Wait) -> bool:
    """``pool.shutdown(wait=False)``, and something was awaited since: the second call waits for what has ended by then."""
    here = wait.site.call
    for site in wait.fn.sites:
        if method_name(site.call) != "shutdown" or not same(receiver(site.call), receiver(here)):
            continue
        waits = argument(site.call, 0, "wait")
        if isinstance(waits, Const) and not waits.value:
            return any(site.call.span.line < part.span.line < here.span.line for part in _awaits(wait.fn))
    return False


def _is_awaitable(site: Site, fn: Fn, project: Project) -> bool:
    """A future that may be asyncio's own, or that the function awaits itself."""
    if method_name(site.call) not in ("result", "exception"):
        return False
    if any(text(part.value).startswith(text(receiver(site.call))) for part in _awaits(fn)):
        return True
    types = {v.cls for v in project.evaluate.values(receiver(site.call), fn) if isinstance(v, Instance)}
    return types != {"concurrent.futures.Future"}


def _exits_hard(at: At) -> bool:
    """Whether ``os._exit`` stands behind the place: no task gets to run any more, whether the loop is blocked before or not."""
    calls = (statement_call(stmt) for place in at.around() for stmt in place.after())
    return any(call is not None and text(call.func) == "os._exit" for call in calls)


def _has_announced_its_end(wait: Wait, project: Project) -> bool:
    """The thread tells the loop by ``call_soon_threadsafe`` when it is through, and the coroutine has awaited something since."""
    line = wait.site.call.span.line
    if not any(part.span.line < line for part in _awaits(wait.fn)):
        return False
    works = (
        work for found in waits_for_work(wait.fn, project) if found.span == wait.site.call.span for work in found.works
    )
    return any(
        "call_soon_threadsafe" in reached.mentions for work in works for reached in project.protocol.reach(work.body)
    )


def _awaits(fn: Fn) -> Iterator[Await]:
    for at in fn.statements:
        for root in own_exprs(at.stmt):
            yield from (part for part in subexprs(root) if isinstance(part, Await))


def _same_child(kill: Site, wait: Site) -> bool:
    return same_receiver(kill, wait) or any(
        isinstance(part, Attr) and part.name == "pid" for arg in kill.call.args for part in subexprs(arg.value)
    )


def _comes_from_done(site: Site, fn: Fn, project: Project) -> bool:
    """``for job in as_completed(jobs): job.result()``; ``done, _ = wait(jobs)``."""
    name = receiver(site.call)
    if not isinstance(name, Name):
        return False
    loops = (
        place.outer.stmt.iter
        for place in site.at.around()
        if place.outer is not None and isinstance(place.outer.stmt, For)
    )
    sources = [*loops, *(getattr(b, "iter", getattr(b, "expr", None)) for b in fn.bindings.get(name.id, ()))]
    for source in sources:
        if isinstance(source, Name):
            sources += [getattr(b, "expr", None) for b in fn.bindings.get(source.id, ()) if len(sources) < 10]
        elif source is not None and any(
            isinstance(part, Call) and project.calls.is_call_to(part, fn, *_DONE) for part in subexprs(source)
        ):
            return True
    return any(param.name == name.id for param in fn.facts.params) and "callback" in fn.name


# --- the finding -----------------------------------------------------------------------------------------------------


def _finding(module: ModuleFacts, wait: Wait, path: Path, project: Project) -> Finding:
    fn, call = wait.fn, wait.site.call
    needs = _needs_loop(wait, project)
    where = f"`{fn.qualname}`" if fn is path.coroutine else f"`{fn.qualname}`, which `{path.coroutine.qualname}` calls,"
    return RULE.finding(
        module,
        call.span,
        f"`{text(call)}` in {where} blocks the event loop on the way out: "
        + (f"`{needs.text}`, which it waits for, needs that loop" if needs else "no task can finish meanwhile"),
        tier=_tier(wait, path, project),
        severity="error" if needs else "warning",
        trace=(*path.steps, fn.step(call.span, f"`{fn.qualname}` blocks"), *((needs,) if needs else ())),
        help=_HELP.get(wait.model.wakes, "await it in a thread: `await asyncio.to_thread(…)`"),
    )


_HELP = {
    "thread": "`await asyncio.to_thread(thread.join)`, with a limit",
    "process": "`await asyncio.to_thread(process.join, limit)`",
    "job": "`await asyncio.wrap_future(future)`, or `await asyncio.to_thread(executor.shutdown)`",
    "child": "start it by `asyncio.create_subprocess_exec`, or `await asyncio.to_thread(child.wait, limit)`",
    "time": "`await asyncio.sleep(…)`, or better wait for what the pause stands for",
}


def _tier(wait: Wait, path: Path, project: Project) -> Tier:
    limit = _limit(wait, project)
    variable = argument(wait.site.call, 0, "wait") if wait.model.call.endswith(".shutdown") else None
    if (
        not path.firm
        or (limit is not None and limit < SHORT)
        or (variable is not None and not isinstance(variable, Const))
    ):
        return "S"
    if (limit is None and (wait.bounded or wait.model.wakes == "time")) or _runs_a_loop(wait, project):
        return "S"
    return "S" if _is_alone(path.coroutine, project) else "D"


def _runs_a_loop(wait: Wait, project: Project) -> bool:
    """Whether the thread runs an event loop of its own: the coroutine belongs to another program, or to none."""
    works = (
        work for found in waits_for_work(wait.fn, project) if found.span == wait.site.call.span for work in found.works
    )
    loops = {"run_forever", "run_until_complete"}
    return any(loops & reached.mentions for work in works for reached in project.protocol.reach(work.body))


def _is_alone(fn: Fn, project: Project) -> bool:
    """The program's main coroutine, where nothing in the project makes a task: the loop has nothing else to run."""
    if fn.cls is not None or not any(
        project.calls.is_call_to(caller.site.parents[0], caller.fn, "asyncio.run")
        for caller in project.calls.callers(fn)
        if caller.site.parents and isinstance(caller.site.parents[0], Call)
    ):
        return False
    return not any(
        project.calls.calls_named(name) for name in ("create_task", "ensure_future", "gather", "start_server")
    )


def _needs_loop(wait: Wait, project: Project) -> Step | None:
    """A place in the work that hands a coroutine to the loop and waits for its result."""
    for found in waits_for_work(wait.fn, project):
        if found.span == wait.site.call.span:
            for work in found.works:
                for reached in project.protocol.reach(work.body):
                    step = _asks_loop(reached, project)
                    if step is not None:
                        return step
    return None


def _asks_loop(fn: Fn, project: Project) -> Step | None:
    if not {"run_coroutine_threadsafe", "result"} <= fn.mentions:
        return None
    for site in fn.sites:
        if project.calls.is_call_to(site.call, fn, "asyncio.run_coroutine_threadsafe"):
            return fn.step(site.call.span, fn.qualname)
    return None
