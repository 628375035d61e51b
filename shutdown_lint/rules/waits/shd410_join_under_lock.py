"""A wait for work while a lock is held that the work takes.

## What it does
Reports a join of a thread, a shutdown of an executor, a wait for a future or an awaited task that stands under a lock (or in
a function that is called under it), where the work that is waited for takes the same lock, in its own body, in what it calls, or
in a done callback that the pool's threads run.

## Why it matters
The work waits for the lock and the holder of the lock waits for the work: the stop hangs for good, and only now and then, because
it needs the worker to be just before the lock. Whatever the stop would have done after the wait is lost.

## Example
```python
import threading


class Recorder:
    def __init__(self):
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._rows = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop.wait(1):
            with self._lock:
                print(self._rows)

    def close(self):
        with self._lock:
            self._stop.set()
            self._thread.join()
            self._rows.clear()
```

## Use instead
```python
import threading


class Recorder:
    def __init__(self):
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._rows = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop.wait(1):
            with self._lock:
                print(self._rows)

    def close(self):
        self._stop.set()
        self._thread.join()
        with self._lock:
            self._rows.clear()
```

## Precision
Tier D where the lock is proven to be one object: a global, or an attribute of the one instance that waits and whose method is the
work. Tier S where another instance may hold another lock, where the wait has a limit (then it lasts for the whole of it), and
where a stop method shuts down an executor of unknown type, with jobs of unknown code, under a lock that public methods take (D where
five of them or more do).
Silent when the lock is given back before the wait, when the work asks for it without blocking or with a limit, and for a lock of
threads that is not shared with the process that is waited for.

## References
- [Thread.join](https://docs.python.org/3/library/threading.html#threading.Thread.join)
- [Executor.shutdown](https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Executor.shutdown)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Const, If, ModuleFacts, Name, Op, With
from shutdown_lint.findings import Finding, Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.locks import (
    LOOP_LOCKS,
    PROCESS_LOCKS,
    Held,
    Lock,
    Taking,
    around,
    same_lock,
    taken_by,
    takings,
)
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.tracks import Attribute
from shutdown_lint.rules._texts import WAITS_FOR_WORK
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._stops import STOP_NAME, receiver
from shutdown_lint.rules.waits._work import WaitFor, Work, about_self, waits_for_work
from shutdown_lint.walk import At, Site, argument, text

RULE = Rule(
    code="SHD410",
    name="join-under-lock",
    summary="a wait for work while a lock is held that the work takes",
    tier="D",
    severity="error",
    triggers=WAITS_FOR_WORK,
    origin=("G11",),
)
# So many public methods that take a lock make it the main lock of its class: a job that uses the class at all will take it.
_MAIN_LOCK = 5
_HELP = "only take out what is to be waited for under the lock, and wait after the lock is given back"


class Under(NamedTuple):
    """A lock that is held at a wait, and the calls between."""

    held: Held
    calls: tuple[Step, ...]


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at the waits of every function that holds a lock, or is called by one that does."""
    for fn in project.functions(module):
        if is_test(fn):
            continue
        for wait in waits_for_work(fn, project) if _may_hold(fn) else ():
            yield from _at(module, wait, fn, project)
        for site in fn.sites if "shutdown" in fn.mentions and STOP_NAME.match(fn.name) else ():
            yield from _unknown_jobs(module, site, fn, project)


def _may_hold(fn: Fn) -> bool:
    """A cheap look: the function takes something that is no new object, or is a helper that others may call under a lock."""
    if "acquire" in fn.mentions or (fn.name.startswith("_") and not fn.name.startswith("__")):
        return True
    withs = (at.stmt for at in fn.statements if isinstance(at.stmt, With))
    return any(isinstance(item.context, (Name, Attr)) for stmt in withs for item in stmt.items)


def _at(module: ModuleFacts, wait: WaitFor, fn: Fn, project: Project) -> Iterator[Finding]:
    if _ended_already(wait.at):
        return
    for under in _locks_at(wait.at, fn, project):
        for work in wait.works:
            taking = _taking(under.held.lock, work, project)
            if taking is not None:
                yield _finding(module, wait, work, under, taking, fn, project)
                return


def _locks_at(at: At, fn: Fn, project: Project) -> Iterator[Under]:
    """The locks held at a statement: in its function, or around a call of it."""
    yield from (Under(held, ()) for held in around(at, fn, project))
    for caller in project.calls.callers(fn) if fn.name.startswith("_") and not fn.name.startswith("__") else ():
        if caller.confidence == "proven" and not is_test(caller.fn) and (not fn.facts.is_async or caller.site.awaited):
            step = caller.fn.step(caller.site.call.span, f"`{caller.fn.qualname}` calls `{fn.qualname}` under it")
            yield from (Under(held, (step,)) for held in around(caller.site.at, caller.fn, project))


def _taking(lock: Lock, work: Work, project: Project) -> Taking | None:
    """Where the work takes the lock; the surest place first."""
    if (
        work.cancelled
        or (work.kind == "process") is not (lock.type in PROCESS_LOCKS)
        or (work.kind == "task") is not (lock.type in LOOP_LOCKS)
    ):
        return None
    found = [taking for taking in takings(work.body, project) if same_lock(lock, taking.held.lock, project)]
    return min(found, key=lambda taking: (not taking.direct, len(taking.calls)), default=None)


def _ended_already(at: At) -> bool:
    """``if not t.is_alive(): t.join()``: nothing is left to wait for."""
    tests = (place.outer.stmt.test for place in at.around() if place.outer and isinstance(place.outer.stmt, If))
    return any(isinstance(test, Op) and test.op == "not" and "is_alive" in text(test.operands[0]) for test in tests)


def _is_proven(wait: WaitFor, work: Work, under: Under, taking: Taking, fn: Fn, project: Project) -> bool:
    """Whether it is one lock: a global or local one, or that of the one instance which waits and works."""
    lock, other = under.held.lock, taking.held.lock
    if wait.bounded:
        return False
    if not isinstance(lock.place, Attribute) or not isinstance(other.place, Attribute):
        return True
    if not lock.own or not about_self(wait.subject, fn, project):
        return False
    family = project.classes.family(lock.place.cls)
    if work.owner is None or project.classes.enclosing(work.owner) not in family:
        return False
    return taking.direct or work.body.cls not in family or other.place.cls not in family


def _finding(
    module: ModuleFacts, wait: WaitFor, work: Work, under: Under, taking: Taking, fn: Fn, project: Project
) -> Finding:
    lock, taker = under.held.lock, taking.held
    return RULE.finding(
        module,
        wait.span,
        f"`{wait.text}` in `{fn.qualname}` waits for a {work.kind} while `{lock.written}` is held, which "
        f"`{taker.fn.qualname}` in that {work.kind} takes{': the wait lasts for its whole limit' if wait.bounded else ''}",
        tier="D" if _is_proven(wait, work, under, taking, fn, project) else "S",
        confidence="proven" if _is_proven(wait, work, under, taking, fn, project) else "likely",
        trace=(
            under.held.fn.step(under.held.span, f"`{under.held.fn.qualname}` takes `{lock.written}`"),
            *under.calls,
            fn.step(wait.span, f"`{fn.qualname}` waits"),
            work.started,
            *taking.calls,
            taker.fn.step(taker.span, f"`{taker.fn.qualname}` needs `{taker.lock.written}`"),
        ),
        help=_HELP,
    )


# --- jobs of unknown code --------------------------------------------------------------------------------------------


def _unknown_jobs(module: ModuleFacts, site: Site, fn: Fn, project: Project) -> Iterator[Finding]:
    """``executor.shutdown(wait)`` under a lock: the jobs may call the public methods that take it."""
    call = site.call
    wait = argument(call, 0, "wait")
    if (
        receiver(call) is None
        or wait is None
        or getattr(call.func, "name", "") != "shutdown"
        or "wait" not in _written(call)
    ):
        return
    if (isinstance(wait, Const) and not wait.value) or project.evaluate.values(receiver(call), fn):
        return
    for held in around(site.at, fn, project):
        public = list(_public_takers(held.lock, fn, project))
        if public and held.lock.own:
            others = len(dict.fromkeys(taker.fn for taker in public)) - 1
            yield RULE.finding(
                module,
                call.span,
                f"`{text(call)}` in `{fn.qualname}` waits for jobs while `{held.lock.written}` is held, which a job takes when it "
                f"calls `{public[0].fn.name}`{f' or one of {others} other methods' if others > 1 else ''}",
                tier="D" if others + 1 >= _MAIN_LOCK else "S",
                confidence="likely",
                trace=(
                    fn.step(held.span, f"`{fn.qualname}` takes `{held.lock.written}`"),
                    fn.step(call.span, f"`{fn.qualname}` waits for the jobs"),
                    public[0].fn.step(public[0].span, f"`{public[0].fn.qualname}` needs `{public[0].lock.written}`"),
                ),
                help=_HELP,
            )
            return


def _written(call: object) -> set[str]:
    args = getattr(call, "args", ())
    return {arg.keyword or text(arg.value) for arg in args}


def _public_takers(lock: Lock, fn: Fn, project: Project) -> Iterator[Held]:
    cls = project.classes.enclosing(fn)
    for name, method in project.classes.methods(cls).items() if cls is not None else ():
        if not name.startswith("_") and not STOP_NAME.match(name) and name != "start":
            yield from (held for held in taken_by(method, project) if same_lock(lock, held.lock, project))
