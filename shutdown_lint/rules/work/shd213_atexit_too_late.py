"""A non-daemon thread that only an atexit callback stops: the exit waits for the thread first, so it hangs.

## What it does
Reports ``atexit.register`` of a function that tells a non-daemon thread (or a worker of a thread pool) to end, or cancels
a non-daemon timer. The finding shows the loop that waits for the word and the function that gives it.

## Why it matters
The interpreter joins the non-daemon threads and the pools before it runs atexit callbacks. The thread waits for a word
that comes only after it has ended: the process hangs at its exit until it is killed, and the callback never runs.

## Example
```python
import atexit
import threading

stopping = threading.Event()


def watch():
    while not stopping.wait(1.0):
        print("looking")


def stop():
    stopping.set()
    watcher.join()


watcher = threading.Thread(target=watch)
watcher.start()
atexit.register(stop)
```

## Use instead
```python
import threading

stopping = threading.Event()


def watch():
    while not stopping.wait(1.0):
        print("looking")


watcher = threading.Thread(target=watch)
watcher.start()
try:
    print("the program does its work")
finally:
    stopping.set()
    watcher.join(timeout=5)
```

## Precision
Silent for daemon threads, for ``threading._register_atexit`` (whose callbacks run before the threads are joined), and
for threads that have another way to end, such as a daemon that waits for the main thread and gives the word. Tier S
where the program also stops the thread on another way, by the callback itself or by what that calls.

## References
- [atexit](https://docs.python.org/3/library/atexit.html)
- [Interpreter finalization](https://docs.python.org/3/c-api/init.html#c.Py_FinalizeEx): non-daemon threads first, then
  the exit functions
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, ModuleFacts, Try
from shutdown_lint.findings import Finding, Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Loop, Wait
from shutdown_lint.project.roles import Registration, is_test
from shutdown_lint.project.tracks import Place
from shutdown_lint.rules._told import is_event, is_flag, stop_value, tells
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._common import label
from shutdown_lint.walk import text

RULE = Rule(
    code="SHD213",
    name="atexit-too-late",
    summary="a non-daemon thread is stopped by an atexit callback, which runs only after the thread has ended",
    tier="D",
    severity="error",
    triggers=("atexit",),
    origin=("G11",),
)
HELP = (
    "stop it before the program ends, in a `finally` of its main function, and join it; or start it with `daemon=True`"
)
_PUTS = frozenset({"put", "put_nowait"})


class _Worker(NamedTuple):
    """A loop that the exit waits for: what runs it, and where that is started."""

    name: str
    started: Step
    loop: Loop


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every atexit callback that the module registers."""
    for fn in project.functions(module):
        for site in fn.sites if not is_test(fn) else ():
            for registration in project.roles.at(site, fn):
                if registration.callback.role == "atexit":
                    yield from _judge(registration, module, project)


def _judge(registration: Registration, module: ModuleFacts, project: Project) -> Iterator[Finding]:
    for worker in _workers(project):
        place = next((p for p in worker.loop.tests if _is_told(p, worker.loop, registration, project)), None)
        if place is not None and not _is_watched(place, project):
            ends = f"its loop in `{worker.loop.fn.qualname}` ends when `{place.name}` says so"
            why = (worker.started, worker.loop.step(ends))
            told = _told_elsewhere(registration, project) or _is_told_by_others(place, registration, project)
            yield _finding(registration, module, worker.name, "it hangs", why, told)
            return
    for name, started in _timers(registration, project):
        told = _told_elsewhere(registration, project)
        yield _finding(registration, module, name, "it goes on until the timer has fired", (started,), told)
        return


def _finding(
    registration: Registration, module: ModuleFacts, name: str, so: str, why: tuple[Step, ...], told: bool
) -> Finding:
    steps = tuple(
        target.step(target.facts.span, f"`{target.qualname}` would end it") for target in registration.targets
    )
    return RULE.finding(
        module,
        registration.site.call.span,
        f"`{text(registration.argument)}` would end {name}, but the exit waits for that before it runs atexit callbacks: {so}",
        tier="S" if told else "D",
        trace=(*why, *steps[:1]),
        help=HELP,
    )


# --- what the exit waits for -----------------------------------------------------------------------------------------------


def _workers(project: Project) -> Iterator[_Worker]:
    """The loops of non-daemon threads and of pool threads that end when they are told."""
    for acquisition in project.resources.everywhere("thread"):
        fn = acquisition.fn
        if acquisition.daemon is not False or is_test(fn) or not project.resources.started(acquisition):
            continue
        if project.roles.only(fn, "thread"):  # a thread that a daemon thread makes is one itself
            continue
        name = label(acquisition, project.resources.track(acquisition))
        named = f"thread `{name}`"
        started = fn.step(acquisition.call.span, f"{named} is made in `{fn.qualname}`")
        yield from (_Worker(named, started, loop) for loop in project.resources.loops(acquisition) if _waits(loop))
    for registration in project.roles.registrations():
        if not registration.callback.call.startswith("concurrent.futures.ThreadPoolExecutor."):
            continue
        fn, span = registration.fn, registration.site.call.span
        for target in registration.targets if not is_test(fn) else ():
            started = fn.step(span, f"`{target.qualname}` is given to a pool of threads in `{fn.qualname}`")
            loops = project.protocol.worker_loops(target)
            yield from (
                _Worker(f"the pool thread that runs `{target.qualname}`", started, x) for x in loops if _waits(x)
            )


def _waits(loop: Loop) -> bool:
    """Whether nothing else than a word ends the loop; one that looks at the main thread ends by itself."""
    asks = loop.fn.mentions & {"main_thread", "is_finalizing"}
    return loop.leaves and bool(loop.tests) and not asks and not any(_runs_dry(wait, loop) for wait in loop.waits)


def _runs_dry(wait: Wait, loop: Loop) -> bool:
    """Whether the loop ends by the error of a queue that stays empty: ``queue.get(timeout=1)`` with no ``try`` around it."""
    if not wait.bounded or wait.model.wakes != "put" or wait.fn is not loop.fn:
        return False
    for place in wait.site.at.around():
        if place.outer is None or place.outer.stmt is loop.at.stmt:
            return True
        if isinstance(place.outer.stmt, Try) and place.part == "body" and place.outer.stmt.handlers:
            return False
    return True


def _is_watched(place: Place, project: Project) -> bool:
    """Whether another thread waits for the end of the main thread and then gives the word."""
    return any(
        "main_thread" in body.mentions and project.protocol.tells(body, (place,))
        for acquisition in project.resources.everywhere("thread")
        for body in project.resources.bodies(acquisition)
    )


def _timers(registration: Registration, project: Project) -> Iterator[tuple[str, Step]]:
    """The non-daemon timers that the callback cancels."""
    reach = _reach(registration, project)
    for acquisition in project.resources.everywhere("timer"):
        if acquisition.daemon is not False or is_test(acquisition.fn) or not project.resources.started(acquisition):
            continue
        track = project.resources.track(acquisition)
        cancels = [use for use in track.uses if use.name == "cancel" and use.kind in ("method", "read")]
        handed = [use for use in cancels if any(p is registration.site.call for p in use.site.parents)]
        if cancels and (handed or all(use.fn in reach for use in cancels)):
            name = f"timer `{label(acquisition, track)}`"
            fn = acquisition.fn
            yield name, fn.step(acquisition.call.span, f"{name} is started in `{fn.qualname}`")


# --- who tells it ----------------------------------------------------------------------------------------------------------


def _reach(registration: Registration, project: Project) -> frozenset[Fn]:
    return frozenset(fn for target in registration.targets for fn in project.protocol.reach(target))


def _is_told(place: Place, loop: Loop, registration: Registration, project: Project) -> bool:
    """Whether the callback gives the word that the loop waits for: sets its flag, or puts into its queue."""
    if is_flag(project, place):
        return _is_set(place, loop, registration, project)
    return any(
        isinstance(site.call.func, Attr)
        and site.call.func.name in _PUTS
        and place in project.protocol.places_read(site.call.func.value, fn)
        for fn in _reach(registration, project)
        for site in fn.sites
    )


def _is_set(place: Place, loop: Loop, registration: Registration, project: Project) -> bool:
    given, event = registration.argument, is_event(project, place)
    if not registration.targets:
        return (
            event
            and isinstance(given, Attr)
            and given.name == "set"
            and place in project.protocol.places_read(given.value, registration.fn)
        )
    stop = stop_value(loop, place.name)
    return any(project.protocol.tells(target, (place,)) for target in registration.targets) and any(
        tells(site, fn, stop, event)
        for fn in _reach(registration, project)
        for site in (*fn.attributes(place.name), *fn.names(place.name))
    )


def _told_elsewhere(registration: Registration, project: Project) -> bool:
    """Whether the program also calls what the callback calls."""
    reach = _reach(registration, project)
    return any(
        caller.fn not in reach and not is_test(caller.fn)
        for target in registration.targets
        for caller in project.calls.callers(target)
    )


def _is_told_by_others(place: Place, registration: Registration, project: Project) -> bool:
    """Whether the program calls a part of the callback that gives the word: its main function may do so in `finally`."""
    reach = _reach(registration, project) - frozenset(registration.targets)
    telling = [fn for fn in reach if not fn.name.startswith("__") and project.protocol.tells(fn, (place,))]
    callers = (caller for fn in telling for caller in project.calls.callers(fn))
    return any(
        caller.fn not in reach and caller.fn not in registration.targets and not is_test(caller.fn)
        for caller in callers
    )
