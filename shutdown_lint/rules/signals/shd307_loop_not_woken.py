"""Under asyncio a `signal.signal` handler that only sets an event or stops the loop does not wake the loop.

## What it does
Reports handlers installed by `signal.signal` that do nothing to end the program but set an `asyncio.Event` (or a future's
result) that a coroutine awaits, or call `loop.stop`, `create_task`, `ensure_future`, `call_soon`, `call_later` or
`task.cancel`; what frameworks offer for this beside their thread-safe calls (tornado's `IOLoop.stop`, a server's `close`) counts too.
Also reports `loop.stop()`, in what a handler runs or schedules, with cleanup to await behind it.

## Why it matters
The loop sleeps in `select` until a socket or timer is due. A plain signal handler runs, and the loop goes back to sleep: the
event is set, the callback is queued, and nobody looks. The program stops only when something else happens to wake it, or
never. Handlers that the loop installs itself wake it. A loop that is told to stop ends this turn and no more: a cleanup that has
to wait for anything stays where it is.

## Example
```python
import asyncio
import signal


async def main():
    stop = asyncio.Event()
    signal.signal(signal.SIGTERM, lambda signum, frame: stop.set())
    await stop.wait()


asyncio.run(main())
```

## Use instead
```python
import asyncio
import signal


async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


asyncio.run(main())
```

## Fix safety
Unsafe: `add_signal_handler` of the running loop, which hands the signal's number on. The handler no longer breaks into code that
blocks the loop, and Windows has no such handlers. Offered where it is installed in a coroutine and does not use the frame.

## Precision
Silent where the handler also raises, exits or calls `call_soon_threadsafe`, for events that are only polled or awaited with a
short limit, and where
`signal.signal` is what is left after `add_signal_handler` has failed, or is for Windows only: its loop is woken by every signal.
Types must be known: an object of unknown type is none of asyncio's.

## References
- [loop.add_signal_handler](https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.add_signal_handler)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Call, ModuleFacts, Name, Raise, Span
from shutdown_lint.findings import Finding, Fix, Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.limits import seconds
from shutdown_lint.project.platforms import runs_on_windows
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.signals import Handling, handlings
from shutdown_lint.rules._texts import SIGNALS
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.signals._context import Reached, other_users
from shutdown_lint.rules.signals._early import early
from shutdown_lint.rules.signals._replaced import is_for_loops_without, is_replaced
from shutdown_lint.walk import Site, argument, last_name, text

RULE = Rule(
    code="SHD307",
    name="loop-not-woken",
    summary="a signal.signal handler that the asyncio loop does not notice",
    tier="D",
    severity="error",
    fix="unsafe",
    triggers=(
        *SIGNALS,
        r"signal & re:loop\w*(?:\(\))?\.stop\b",
    ),
    origin=("G12",),
)

HELP = (
    "install the handler by `loop.add_signal_handler`, or go through `loop.call_soon_threadsafe`, which wakes the loop"
)
# Whatever raises or exits ends the loop; what reaches it from outside, beside what the models know, wakes it.
_WAKES = frozenset(
    {
        "sys.exit",
        "os._exit",
        "builtins.exit",
        "builtins.quit",
        "os.kill",
        "os.abort",
        "os.write",
        "signal.raise_signal",
        "_thread.interrupt_main",
        "signal.default_int_handler",
        "socket.socket.send",
    }
)
_LAST = "await the cleanup first and stop the loop as the last step; better, let the main coroutine return"
# what a program is asked to stop by; what others tell (a child has ended, a window has changed) is late, and no more
_STOPPING = frozenset({"SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP", "SIGABRT", "SIGBREAK"})
MAX_DEPTH = 3
LATE = 10.0  # seconds
MAX_HANDLERS = 8


class Unnoticed(NamedTuple):
    """A call that the loop does not notice: in which function, and by which calls of the handler."""

    fn: Fn
    site: Site
    steps: tuple[Step, ...]


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The handlers that the module installs; each call that nobody notices."""
    seen: set[Fn] = set()
    for handling in handlings(project):
        if handling.via != "signal" or handling.fn.module is not module or is_test(handling.fn):
            continue
        if is_for_loops_without(handling.site.at) or runs_on_windows(handling.fn, project):
            continue
        if handling.signals and _STOPPING.isdisjoint(handling.signals):
            continue
        # a method may be overridden: who is surely installed comes first, and one finding for the call is enough
        for handler in handling.targets[:MAX_HANDLERS]:
            found = _unnoticed(handling, handler, project) if handler not in seen else None
            if found is not None and not is_replaced(handling, project):
                seen.add(handler)
                yield _finding(handling, handler, found, project)
                break
    yield from _stopped_early(module, project, seen)


def _stopped_early(module: ModuleFacts, project: Project, told: set[Fn]) -> Iterator[Finding]:
    """The places of the module that stop the loop before what they await, in what handlers run."""
    seen: set[Span] = set()
    for handling in handlings(project):
        found = early(handling, project) if not is_test(handling.fn) and not told & set(handling.targets) else None
        if found is None or found.fn.module is not module or found.stop.call.span in seen:
            continue
        seen.add(found.stop.call.span)
        lost = found.fn.step(found.lost.span, f"`{text(found.lost)}`")
        message = f"`{text(found.stop.call)}` stops the event loop at the end of this turn: `{text(found.lost)}` never gets to its end"
        trace = (handling.fn.step(handling.site.call.span, f"`{text(handling.site.call)}` installs the handler"),)
        yield RULE.finding(module, found.stop.call.span, message, lost=(lost,), trace=trace, help=_LAST)


def _unnoticed(handling: Handling, handler: Fn, project: Project) -> Unnoticed | None:
    """The first call that needs the loop's attention, where nothing that the handler runs gets it."""
    functions = _reach(handler, project)
    if any(_wakes(fn, project) for fn in functions):
        return None
    if handling.signals == ("SIGINT",) and any(_hands_on(fn, project) for fn in functions):
        return None
    reached = Reached(handling, handler, handler, ())
    for fn, steps in functions.items():
        for site in fn.sites:
            if _is_unnoticed(site, reached._replace(fn=fn), project):
                return Unnoticed(fn, site, steps)
    return None


def _reach(handler: Fn, project: Project) -> dict[Fn, tuple[Step, ...]]:
    """What the handler runs, each with the calls that lead to it."""
    found: dict[Fn, tuple[Step, ...]] = {handler: ()}
    front = [handler]
    for _ in range(MAX_DEPTH):
        calls = [
            (fn, site, target.fn)
            for fn in front
            for site in fn.sites
            for target in project.calls.targets(site.call, fn)
        ]
        front = []
        for fn, site, callee in calls:
            if callee not in found and not callee.facts.is_async and not callee.facts.is_generator:
                step = fn.step(site.call.span, f"`{fn.qualname}` calls `{callee.qualname}`")
                found[callee] = (*found[fn], step)
                front.append(callee)
    return found


def _wakes(fn: Fn, project: Project) -> bool:
    """Whether the function raises, exits, wakes the loop, or calls what is not known."""
    if any(isinstance(at.stmt, Raise) for at in fn.statements):
        return True
    return any(_may_wake(site, fn, project) for site in fn.sites)


def _may_wake(site: Site, fn: Fn, project: Project) -> bool:
    names = project.calls.external(site.call, fn)
    if names:
        return any(name in _WAKES or project.models.loop_calls.get(name) is True for name in names)
    last = site.call.func.name if isinstance(site.call.func, Attr) else ""
    return last.endswith(("_threadsafe", "from_signal"))


def _hands_on(fn: Fn, project: Project) -> bool:
    """Whether it calls what it does not know with the signal and the frame: Python's own handler of SIGINT raises."""
    params = {param.name for param in fn.facts.params}
    return any(
        len(site.call.args) == 2  # as a handler is called (signal, Python's manual)
        and all(isinstance(arg.value, Name) and arg.value.id in params for arg in site.call.args)
        and not project.calls.targets(site.call, fn)
        for site in fn.sites
    )


def _is_unnoticed(site: Site, reached: Reached, project: Project) -> bool:
    names = project.calls.external(site.call, reached.fn)
    if any(project.models.loop_calls.get(name) is False for name in names):
        return True
    if "asyncio.Event.set" in names and isinstance(site.call.func, Attr):
        waits = other_users(site.call.func.value, reached, project, "wait")
        return any(not _looks_again(wait, fn, project) for fn, wait in waits)
    return False


def _looks_again(event: Site, fn: Fn, project: Project) -> bool:
    """``await asyncio.wait_for(stop.wait(), 1)``: the wait ends by itself, soon after the signal at the latest."""
    limits = (
        argument(parent, 1, "timeout")
        for parent in event.parents
        if isinstance(parent, Call) and last_name(parent.func) == "wait_for"
    )
    return any((seconds(limit, fn, project) or LATE) < LATE for limit in limits if limit is not None)


def _finding(handling: Handling, handler: Fn, found: Unnoticed, project: Project) -> Finding:
    signal, call = handling.signals[0] if handling.signals else "the signal", text(found.site.call)
    of_asyncio = any(name.startswith("asyncio.") for name in project.calls.external(found.site.call, found.fn))
    message = f"`{call}` in the handler of {signal} " + (
        "does not wake the event loop: it sleeps on, and the program does not stop"
        if of_asyncio
        else "may interrupt the event loop in the midst of the same work, and does not wake it: the stop is late or goes wrong"
    )
    trace = (
        handling.fn.step(handling.site.call.span, f"`{text(handling.site.call)}` installs `{handler.qualname}`"),
        *found.steps,
        found.fn.step(found.site.call.span, f"`{call}` is called beside the loop"),
    )
    fix = _fix(handling, handler)
    return RULE.finding(handling.fn.module, handling.site.call.span, message, trace=trace, help=HELP, fix=fix)


def _fix(handling: Handling, handler: Fn) -> Fix | str:
    """The loop runs the handler, without a frame."""
    positional = [param.name for param in handler.facts.params if param.kind in ("positional", "positional-only")]
    given = positional[int(handler.is_method) :]
    if not handling.fn.facts.is_async:
        return "the handler is not installed in a coroutine, where the loop is known"
    if given[1:2] and given[1] in handler.mentions and not handler.facts.is_lambda:
        return f"`{handler.qualname}` uses the frame"
    return Fix("unsafe", "let the event loop run the handler", "shd307")
