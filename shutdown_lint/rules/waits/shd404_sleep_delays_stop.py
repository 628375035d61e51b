"""A worker sleeps in a loop that tests a stop flag, and its stopper joins it.

## What it does
Reports ``time.sleep(n)`` with n of 2 seconds or more, or unknown, in the loop of a thread that tests a stop event or flag,
when the thread is joined.

## Why it matters
The stop waits until the sleep is over; with several workers the sleeps add up past the grace period.

## Example
```python
import threading
import time


class Poller:
    def __init__(self):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            print("poll")
            time.sleep(30)

    def close(self):
        self._stop.set()
        self._thread.join()
```

## Use instead
```python
import threading


class Poller:
    def __init__(self):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            print("poll")
            self._stop.wait(30)

    def close(self):
        self._stop.set()
        self._thread.join()
```

## Precision
Tier D only where the thread is joined; retry back-off in ``except`` clauses is silent.

## References
- [Event.wait](https://docs.python.org/3/library/threading.html#threading.Event.wait)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, Expr, ModuleFacts, Name
from shutdown_lint.findings import Finding, Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Loop, Wait
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.values import Constant
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._stops import told_by_someone, worker_loops
from shutdown_lint.walk import root_name, text

RULE = Rule(
    code="SHD404",
    name="sleep-delays-stop",
    summary="a worker sleeps in a loop that tests a stop flag, so that its stopper waits",
    tier="D",
    severity="warning",
    triggers=("sleep",),
    origin=("G2",),
)
LONG = 2.0


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at the loops of every thread of the project whose sleep stands in this module."""
    seen: set[int] = set()
    here = set(project.functions(module))
    for acquisition in project.resources.everywhere("thread"):
        for loop in worker_loops(acquisition, project):
            for wait in _long_sleeps(loop, here, project):
                if id(wait.site.call) not in seen and told_by_someone(project, loop):
                    seen.add(id(wait.site.call))
                    yield _finding(module, loop, wait, _joined(acquisition, project))
    for run in _subclass_bodies(module, project):
        for loop in project.protocol.loops(run):
            for wait in _long_sleeps(loop, here, project):
                if id(wait.site.call) not in seen and told_by_someone(project, loop):
                    seen.add(id(wait.site.call))
                    yield _finding(module, loop, wait, _joins_itself(run, project))


def _subclass_bodies(module: ModuleFacts, project: Project) -> Iterator[Fn]:
    """``run`` of the Thread subclasses defined here; who makes their instances may stand outside of the project."""
    for cls in project.modules.of(module).classes:
        if "run" in cls.methods and project.classes.is_a(cls, "threading.Thread"):
            yield cls.methods["run"]


def _joins_itself(run: Fn, project: Project) -> Step | None:
    assert run.cls is not None
    for method in run.cls.methods.values():
        for site in method.sites:
            if isinstance(site.call.func, Attr) and site.call.func.name == "join" and root_name(site.call.func) == method.self_name:
                if isinstance(site.call.func.value, Name):
                    return method.step(site.call.span, f"`{method.qualname}` waits for it")
    return None


def _joined(acquisition: Acquisition, project: Project) -> Step | None:
    joins = project.resources.track(acquisition).methods("join")
    return joins[0].fn.step(joins[0].site.call.span, f"`{joins[0].fn.qualname}` waits for it") if joins else None


def _long_sleeps(loop: Loop, here: set[Fn], project: Project) -> Iterator[Wait]:
    if not loop.tests or loop.fn not in here:
        return
    for wait in loop.waits:
        if wait.model.call != "time.sleep" or wait.fn is not loop.fn or any(p.part == "handler" for p in wait.site.at.around()):
            continue
        if wait.site.call.args and _is_long(wait.site.call.args[0].value, loop.fn, project):
            yield wait


def _is_long(given: Expr, fn: Fn, project: Project) -> bool:
    """Two seconds or more; or a number that the user sets (a parameter, perhaps kept in an attribute)."""
    numbers = [v.value for v in project.evaluate.values(given, fn) if isinstance(v, Constant)]
    known = [n for n in numbers if isinstance(n, (int, float)) and not isinstance(n, bool)]
    if known:
        return max(known) >= LONG
    if isinstance(given, Attr):
        cls = project.classes.enclosing(fn)
        writes = project.classes.writes(cls, given.name) if cls else []
        return any(isinstance(write.value, (Name, Attr)) for write in writes)
    return isinstance(given, Name)


def _finding(module: ModuleFacts, loop: Loop, wait: Wait, joined: Step | None) -> Finding:
    tested = sorted({place.name for place in loop.tests})
    given = text(wait.site.call.args[0].value)
    trace = (loop.fn.step(wait.site.call.span, f"`{loop.fn.qualname}` sleeps in its loop"), *((joined,) if joined else ()))
    return RULE.finding(
        module,
        wait.site.call.span,
        f"`{text(wait.site.call)}` in `{loop.fn.qualname}` delays the stop: `{tested[0]}` is seen only when the sleep is over",
        tier="D" if joined else "S",
        trace=trace,
        help=f"wait on a `threading.Event` instead: `event.wait({given})` ends at once when it is set",
    )
