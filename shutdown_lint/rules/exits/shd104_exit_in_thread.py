"""`sys.exit` in a thread ends that thread only: the program goes on, and its exit code stays 0.

## What it does
Reports `sys.exit()`, `raise SystemExit` and `exit()` that run in a thread, a timer or a pool thread, here or in any
function that the thread's target calls; the finding shows the path from where the thread is made. A bare `sys.exit()`
in the target itself may be meant as "end this thread": it is left to the strict tier.

## Why it matters
`threading` ignores SystemExit silently: no traceback, no exit code, the main thread goes on without its worker. In a
pool the exception is stored in a future, and lost where nobody reads the result.

## Example
```python
import sys
import threading


def watch(path: str) -> None:
    with open(path) as source:
        if not source.read():
            sys.exit(f"{path} is empty")


if __name__ == "__main__":
    watcher = threading.Thread(target=watch, args=("feed.txt",))
    watcher.start()
    watcher.join()
```

## Use instead
```python
import sys
import threading

EMPTY: list[str] = []


def watch(path: str) -> None:
    with open(path) as source:
        if not source.read():
            EMPTY.append(path)


if __name__ == "__main__":
    watcher = threading.Thread(target=watch, args=("feed.txt",))
    watcher.start()
    watcher.join()
    if EMPTY:
        sys.exit(f"{EMPTY[0]} is empty")
```

## Precision
Silent where the exit request is caught on the way (`except SystemExit` in the thread), in worker processes, and for
pool jobs whose result somebody reads. Threads that only tests start do not count, nor places that what the thread passes on
does not reach (``if line is None:`` with a part of a text, a flag handed on from call to call). Strict where the thread has told
others right before, or has handed the error to an object that keeps it. Of 11 findings drawn from unseen packages, two were of that kind,
and 9 right.

## References
- [threading.excepthook](https://docs.python.org/3/library/threading.html#threading.excepthook)
- [_thread.start_new_thread](https://docs.python.org/3/library/_thread.html#thread.start_new_thread)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Const, Expr, If, ModuleFacts, Name
from shutdown_lint.findings import Finding
from shutdown_lint.project import Project
from shutdown_lint.project.roles import Registration, is_test
from shutdown_lint.project.values import Class
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.exits._requests import TRIGGERS, Request, Way, catches_within, requests, ways
from shutdown_lint.walk import At, sites, subexprs

RULE = Rule(
    code="SHD104",
    name="exit-in-thread",
    summary="`sys.exit` in a thread, timer or pool thread, which ends only that thread",
    tier="D",
    severity="error",
    triggers=TRIGGERS,
    origin=("G7",),
)

HELP = "hand the failure to the main thread (an attribute, a queue, a future whose result it reads) and exit there"
_TELLS = frozenset({"interrupt_main", "set", "put", "put_nowait", "kill", "raise_signal", "call_soon_threadsafe"})
_WHAT = {
    "thread": "ends only a thread",
    "timer": "ends only a timer thread",
    "pool-thread": "in a pool thread is stored in a future that nobody reads",
}


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The exit requests of the module that reach the top of a thread."""
    for request in requests(module, project):
        if is_test(request.fn) or _is_in_main_thread(request.at) or _is_at_interrupt(request.at):
            continue
        way = next((way for way in ways(request, project, *_WHAT) if _is_lost(way, project)), None)
        if way is not None:
            yield _finding(request, way, project)


def _finding(request: Request, way: Way, project: Project) -> Finding:
    told = _has_told_others(request) or any(_hands_on(at, project) for at in way.places)
    maybe_meant = told or (way.calls == 0 and (request.status is None or _is_zero(request)))
    message = f"`{request.text}` {_WHAT[way.role.kind]}: the program goes on and its exit code stays 0"
    return RULE.finding(
        request.fn.module,
        request.span,
        message,
        tier="S" if maybe_meant else "D",
        severity="info" if maybe_meant else "error",
        confidence=way.confidence,
        trace=way.steps,
        help="end the thread by `return`" if maybe_meant else HELP,
    )


def _is_zero(request: Request) -> bool:
    return isinstance(request.status, Const) and request.status.value in (0, None)


def _is_at_interrupt(at: At) -> bool:
    """``except KeyboardInterrupt:`` around the place: the interrupt comes in the main thread, and no other gets here."""
    types = (place.handler.types for place in at.around() if place.handler is not None)
    return any(isinstance(one, Name) and one.id == "KeyboardInterrupt" for one in types)


def _is_in_main_thread(at: At) -> bool:
    """``if threading.current_thread() is threading.main_thread():`` around the place."""
    tests = (place.outer.stmt.test for place in at.around() if place.outer and isinstance(place.outer.stmt, If))
    return any(isinstance(part, Attr) and part.name == "main_thread" for test in tests for part in subexprs(test))


def _has_told_others(request: Request) -> bool:
    """Right behind a call that tells the main thread: ``stop.set()``, ``interrupt_main()``, a signal to the process."""
    calls = (site.call.func for site in sites(request.at.before()))
    return any(getattr(func, "name", getattr(func, "id", "")) in _TELLS for func in calls)


def _hands_on(at: At, project: Project) -> bool:
    """Whether the error was handed on just before: ``except Failed as exc: tasks.terminate(exc); fail(exc)``.

    To something of the project that keeps it, for others to see; not to one that only logs it.
    """
    caught = {place.handler.name for place in at.around() if place.handler is not None and place.handler.name}
    return any(
        isinstance(arg.value, Name) and arg.value.id in caught and _keeps_an_argument(site.call.func, project)
        for site in (sites(at.before()) if caught else ())
        for arg in site.call.args
    )


def _keeps_an_argument(func: Expr, project: Project) -> bool:
    """Whether a method of this name puts what it is given into its object: ``self.error = error``."""
    methods = project.calls.methods_named(func.name) if isinstance(func, Attr) else ()
    return any(
        isinstance(place.stmt, Assign)
        and isinstance(place.stmt.value, Name)
        and place.stmt.value.id in {param.name for param in method.facts.params}
        and any(isinstance(target, Attr) for target in place.stmt.targets)
        for method in methods
        for place in method.statements
    )


def _is_lost(way: Way, project: Project) -> bool:
    """Whether the exit request vanishes: made outside of tests, and in a pool, with a future that nobody reads."""
    made = [r for r in project.roles.registrations() if r.callback.role == way.role.kind and way.role.seed in r.targets]
    if made and all(is_test(r.fn) or _thread_catches(r, project) for r in made):
        return False
    return way.role.kind != "pool-thread" or any(_is_dropped(registration, project) for registration in made)


def _thread_catches(registration: Registration, project: Project) -> bool:
    """Whether the thread is of a project class whose ``run`` catches exit requests."""
    for value in project.evaluate.values(registration.site.call.func, registration.fn):
        run = project.classes.method(value.cls, "run") if isinstance(value, Class) else None
        if run is not None and catches_within(run, project):
            return True
    return False


def _is_dropped(registration: Registration, project: Project) -> bool:
    """``pool.submit(job)`` as a statement, or a future that is kept in a place where nothing is done with it."""
    if registration.site.dropped:
        return not registration.site.awaited
    return False
