"""`signal.signal` in another thread than the main one raises ValueError.

## What it does
Reports the installation of a signal handler (`signal.signal`, `signal.set_wakeup_fd`, `loop.add_signal_handler`) that is
reached in a thread, timer or pool thread; the finding shows the path from the place that starts the thread.

## Why it matters
Python runs handlers in the main thread only, and only that thread may install them: the call raises ValueError (in a loop:
RuntimeError or ValueError), the thread ends there, and the signal keeps its default: it kills the process.

## Example
```python
import signal
import sys
import threading


def serve():
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(0))
    print("serving")


server = threading.Thread(target=serve)
server.start()
server.join()
```

## Use instead
```python
import signal
import sys
import threading


def serve():
    print("serving")


signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(0))
server = threading.Thread(target=serve)
server.start()
server.join()
```

## Precision
Silent where a test around the call, or around a call on the way to it, asks for the main thread, where the error is
caught, for executors that may run processes, where only tests start such a thread, and where the thread is started on
another platform than the handler. Strict where a test of what the function is given decides: the thread may give something else.

## References
- [Signals and threads](https://docs.python.org/3/library/signal.html#signals-and-threads)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Call, Const, Expr, If, ModuleFacts, Name, Raise, Return, Try, With
from shutdown_lint.findings import Confidence, Finding, Step
from shutdown_lint.project import Fn, Project, values as v
from shutdown_lint.project.conditions import is_closed_off
from shutdown_lint.project.endings import catches
from shutdown_lint.project.roles import MAX_DEPTH, MAX_VISITED, Role, is_test
from shutdown_lint.project.signals import installs
from shutdown_lint.rules._excluding import excludes
from shutdown_lint.rules._texts import SIGNALS
from shutdown_lint.rules.base import Rule
from shutdown_lint.walk import At, Site, argument, subexprs, text

RULE = Rule(
    code="SHD304",
    name="handler-off-main-thread",
    summary="a signal handler installed in another thread than the main one",
    tier="D",
    severity="error",
    triggers=SIGNALS,
    origin=("G1",),
)

HELP = "install the handler in the main thread before the thread starts"
_ROLES = {"thread": "a thread", "timer": "a timer thread", "pool-thread": "a pool thread"}
_ASKS = re.compile(
    r"main_?thread|is_?main|current_?thread|currentThread|get_?ident|in_?thread|off_?main|threaded|signals?_?(ok|enabled|possible|allowed)",
    re.IGNORECASE,
)
_MAY_BE_PROCESSES = ("concurrent.futures.Executor.submit", "concurrent.futures.Executor.map")
_CAUGHT = ("ValueError", "Exception", "RuntimeError")


class _Way(NamedTuple):
    """A role of a place with the path to it."""

    role: Role
    steps: tuple[Step, ...]
    confidence: Confidence


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The installations of the module that a thread runs into."""
    for fn in project.functions(module):
        for site in fn.sites if not is_test(fn) else ():
            if installs(site, fn, project) is None and not project.calls.is_call_to(
                site.call, fn, "signal.set_wakeup_fd"
            ):
                continue
            way = next(_ways(site, fn, project), None)
            if way is not None:
                message = f"`{text(site.call)}` runs in {_ROLES[way.role.kind]}, where it raises ValueError: the handler is never installed"
                yield RULE.finding(
                    module,
                    site.call.span,
                    message,
                    tier="S" if _is_chosen(site.at, fn) else None,
                    confidence=way.confidence,
                    trace=way.steps,
                    help=HELP,
                )


def _is_chosen(at: At, fn: Fn) -> bool:
    """``if window.is_main: signal.signal(…)``: what the caller gives decides, and the thread may give something else."""
    given = {param.name for param in fn.facts.params[int(fn.is_method) :]}
    return any(
        place.outer is not None
        and isinstance(place.outer.stmt, If)
        and any(isinstance(part, Name) and part.id in given for part in subexprs(place.outer.stmt.test))
        for place in at.around()
    )


def _ways(site: Site, start: Fn, project: Project) -> Iterator[_Way]:
    """The thread roles under which the place is reached without a test for the main thread, shortest ways first."""
    if _is_guarded(site.at, start):
        return
    seeds = project.roles.seeds()
    queue: list[tuple[Fn, At, tuple[Step, ...], Confidence]] = [(start, site.at, (), "proven")]
    seen = {start}
    for fn, at, steps, confidence in queue:
        for role in seeds.get(fn, ()):
            if role.kind in _ROLES and _is_thread(role, site.at, at, fn, project):
                yield _Way(role, (*role.steps, *steps), confidence if role.confidence == "proven" else "likely")
        if len(steps) >= MAX_DEPTH or len(queue) >= MAX_VISITED or fn.facts.is_generator:
            continue
        for caller in project.calls.callers(fn):
            if (
                caller.fn not in seen
                and not _is_guarded(caller.site.at, caller.fn)
                and _runs_there(fn, caller.site, caller.fn, project)
            ):
                seen.add(caller.fn)
                step = caller.fn.step(caller.site.call.span, f"`{caller.fn.qualname}` calls `{fn.qualname}`")
                sure = confidence if caller.confidence == "proven" else "likely"
                queue.append((caller.fn, caller.site.at, (step, *steps), sure))


def _runs_there(fn: Fn, site: Site, caller: Fn, project: Project) -> bool:
    """Whether the call runs the function in the caller's thread: a coroutine must be awaited or given to ``asyncio.run``."""
    if not fn.facts.is_async or site.awaited:
        return True
    outer = site.parents[0] if site.parents else None
    return isinstance(outer, Call) and project.calls.is_call_to(
        outer, caller, "asyncio.run", "asyncio.AbstractEventLoop.run_until_complete", "asyncio.Runner.run"
    )


def _is_thread(role: Role, at: At, here: At, fn: Fn, project: Project) -> bool:
    """Not where the function is started as a process too, not for an executor that may be one of processes, not in tests.

    Nor where the thread is only started on another platform than that of the place, or under the contrary of what is asked
    ``here``, in the thread's function ``fn``.
    """
    if project.roles.kinds(role.seed) & {"process", "pool-process"}:
        return False
    registered = False
    for registration in project.roles.registrations():
        if role.seed in registration.targets and registration.callback.role == role.kind:
            registered = True
            if is_test(registration.fn) or excludes(registration.site.at, at):
                continue
            if is_closed_off(registration, here, fn):
                continue
            if registration.callback.call in _MAY_BE_PROCESSES:
                continue
            if registration.callback.call.endswith("run_in_executor") and not _is_default(
                registration.site, registration.fn, project
            ):
                continue
            return True
    return not registered and role.seed.name == "run" and role.seed.cls is not None


def _is_default(site: Site, fn: Fn, project: Project) -> bool:
    """``run_in_executor(None, …)``, or a pool of threads."""
    given = argument(site.call, 0, "executor")
    if isinstance(given, Const):
        return given.value is None
    return any(
        isinstance(x, v.Instance) and x.cls == "concurrent.futures.ThreadPoolExecutor"
        for x in project.evaluate.values(given, fn)
    )


def _is_guarded(at: At, fn: Fn) -> bool:
    """Whether the place is under, or behind, a test for the main thread, or its ValueError is caught."""
    for place in at.around():
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, If) and _asks(outer.test, fn):
            return True
        if isinstance(outer, Try) and place.part == "body" and any(catches(h.types, *_CAUGHT) for h in outer.handlers):
            return True
        if isinstance(outer, With) and any("suppress" in text(item.context) for item in outer.items):
            return True
        if any(
            isinstance(stmt, If)
            and _asks(stmt.test, fn)
            and isinstance(stmt.body[-1:] and stmt.body[-1], (Return, Raise))
            for stmt in place.before()
        ):
            return True
    return False


def _asks(test: Expr, fn: Fn, depth: int = 0) -> bool:
    """Whether a condition is about the thread, by its words or by where its names come from."""
    for expr in subexprs(test):
        word = expr.name if isinstance(expr, Attr) else expr.id if isinstance(expr, Name) else ""
        if _ASKS.search(word):
            return True
        if isinstance(expr, Name) and depth < 2:
            sources = (getattr(binding, "expr", None) for binding in fn.bindings.get(expr.id, ()))
            if any(source is not None and _asks(source, fn, depth + 1) for source in sources):
                return True
    # a flag that the caller sets (`if install_signal_handlers:`) is the caller's promise
    return isinstance(test, Name) and any(param.name == test.id for param in fn.facts.params)
