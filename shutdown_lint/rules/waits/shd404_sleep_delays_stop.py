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

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Loop, Wait
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._stops import seconds, worker_loops
from shutdown_lint.walk import text

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
            for wait in _long_sleeps(loop, here):
                if id(wait.site.call) not in seen:
                    seen.add(id(wait.site.call))
                    yield from _judge(module, project, acquisition, loop, wait)


def _long_sleeps(loop: Loop, here: set[Fn]) -> Iterator[Wait]:
    if not loop.tests or loop.fn not in here:
        return
    for wait in loop.waits:
        if wait.model.call != "time.sleep" or wait.fn is not loop.fn or any(p.part == "handler" for p in wait.site.at.around()):
            continue
        given = wait.site.call.args[0].value if wait.site.call.args else None
        number = seconds(given)
        if number is None or number >= LONG:
            yield wait


def _judge(module: ModuleFacts, project: Project, acquisition: Acquisition, loop: Loop, wait: Wait) -> Iterator[Finding]:
    joined = project.resources.track(acquisition).methods("join")
    tested = sorted({place.name for place in loop.tests})
    given = text(wait.site.call.args[0].value) if wait.site.call.args else "n"
    trace = [loop.fn.step(wait.site.call.span, f"`{loop.fn.qualname}` sleeps in its loop")]
    if joined:
        trace.append(joined[0].fn.step(joined[0].site.call.span, f"`{joined[0].fn.qualname}` waits for it"))
    yield RULE.finding(
        module,
        wait.site.call.span,
        f"`{text(wait.site.call)}` in `{loop.fn.qualname}` delays the stop: `{tested[0]}` is seen only when the sleep is over",
        tier="D" if joined else "S",
        trace=trace,
        help=f"wait on a `threading.Event` instead: `event.wait({given})` ends at once when it is set",
    )
