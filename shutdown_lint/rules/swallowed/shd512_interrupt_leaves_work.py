"""Ctrl-C ends the wait and leaves the work running.

## What it does
Reports ``except KeyboardInterrupt`` around ``loop.run_until_complete(...)``, ``future.result()`` or a ``wait`` on
futures, when neither the clause nor what follows cancels the submitted work or shuts down what runs it.

## Why it matters
The interrupt is raised in the thread that waits, not in the work. The task is destroyed while it is pending, without its
``finally``; the job of the pool runs on, and the interpreter waits for it at exit: Ctrl-C seems to do nothing.

## Example
```python
import asyncio


def main(service):
    loop = asyncio.get_event_loop()
    try:
        loop.run_until_complete(service())
    except KeyboardInterrupt:
        print("bye")
```

## Use instead
```python
import asyncio


def main(service):
    try:
        asyncio.run(service())
    except KeyboardInterrupt:
        print("bye")
```

## Precision
Silent where anything after the interrupt cancels, stops, shuts down, closes or kills, or runs the loop again, and where
the clause raises.

## References
- [asyncio.run and KeyboardInterrupt](https://docs.python.org/3/library/asyncio-runner.html#handling-keyboard-interruption)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Body, Handler, ModuleFacts, Try, With
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.swallowed._catching import caught, forwards, last_name, raises, tries
from shutdown_lint.walk import At, Site, sites, text, what_runs_after

RULE = Rule(
    code="SHD512",
    name="interrupt-leaves-work",
    summary="except KeyboardInterrupt around a wait leaves the submitted work running",
    tier="S",
    severity="warning",
    triggers=(
        "KeyboardInterrupt & run_until_complete",
        "KeyboardInterrupt & .result(",
        "KeyboardInterrupt & wait(",
        "KeyboardInterrupt & as_completed",
    ),
    origin=("G1",),
)
_ENDS = re.compile(
    r"cancel|stop|shut_?down|close|kill|terminate|run_until_complete|run_forever|quit|exit|abort|cleanup|clean_up|teardown|raise_signal|reset|disconnect",
    re.IGNORECASE,
)
_WAITS = (
    "asyncio.AbstractEventLoop.run_until_complete",
    "concurrent.futures.wait",
    "concurrent.futures.as_completed",
    "concurrent.futures.Future.result",
)


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every ``except KeyboardInterrupt`` around a wait."""
    for fn in project.functions(module):
        if "KeyboardInterrupt" not in fn.mentions or is_test(fn):
            continue
        for at, stmt in tries(fn):
            for handler in stmt.handlers:
                if handler.types is None or "KeyboardInterrupt" not in caught(handler, fn, project):
                    continue
                wait = next((site for site in sites(stmt.body) if _is_wait(site, fn, project)), None)
                if wait is not None and not _ended(at, stmt, handler, fn):
                    yield _finding(module, handler, wait, fn)


def _is_wait(site: Site, fn: Fn, project: Project) -> bool:
    last = last_name(site.call)
    if last == "run_until_complete":
        return True
    if last not in ("result", "wait", "as_completed"):
        return False
    return project.calls.is_call_to(site.call, fn, *_WAITS)


def _ended(at: At, stmt: Try, handler: Handler, fn: Fn) -> bool:
    if raises(handler.body) or forwards(handler, fn) or _ends(handler.body) or _ends(stmt.final):
        return True
    if any(last_name(site.call) == "set" and not site.call.args for site in sites(handler.body)):
        return True  # an event that the work was given
    if any(isinstance(place.outer.stmt, With) for place in at.around() if place.outer is not None):
        return True
    return _ends(tuple(what_runs_after(at)))


def _ends(body: Body) -> bool:
    return any(_ENDS.search(last_name(site.call)) for site in sites(body))


def _finding(module: ModuleFacts, handler: Handler, wait: Site, fn: Fn) -> Finding:
    return RULE.finding(
        module,
        handler.span,
        f"Ctrl-C ends `{text(wait.call)}` in `{fn.qualname}` and leaves the work that it waits for uncancelled",
        confidence="likely",
        lost=(fn.step(wait.call.span, f"the cleanup of what `{text(wait.call)}` runs"),),
        help="cancel the work and wait for it in the clause, or use `asyncio.run` or a `with` executor",
    )
