"""`sys.exit` in a task or callback of the event loop: the whole program leaves from a place that its main coroutine does not see.

## What it does
Reports, at the strict tier, exit requests (`sys.exit`, `raise SystemExit`) that leave a task or a callback of an asyncio loop.

## Why it matters
The exception breaks out of the loop at once: `asyncio.run` then cancels all other tasks, the main coroutine with them,
which gets a `CancelledError` wherever it happens to wait instead of the failure. Cleanup runs and the exit code is kept, but
nobody who awaits the task can see or handle its end.

## Example
```python
import asyncio
import sys


async def watch(path):
    while True:
        await asyncio.sleep(1)
        if not path.exists():
            sys.exit(2)


async def main(path, serve):
    watching = asyncio.create_task(watch(path))
    try:
        await serve()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
```

## Use instead
```python
import asyncio


async def watch(path):
    while path.exists():
        await asyncio.sleep(1)
    raise FileNotFoundError(path)


async def main(path, serve):
    async with asyncio.TaskGroup() as group:
        group.create_task(watch(path))
        group.create_task(serve())
```

## Precision
Silent for the main coroutine and what it calls, for signal callbacks, and where the request is caught on the way.

## References
- [asyncio.run](https://docs.python.org/3/library/asyncio-runner.html#asyncio.run)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.findings import Finding
from shutdown_lint.project import Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.exits._requests import TRIGGERS, Way, requests, ways

RULE = Rule(
    code="SHD111",
    name="async-exit",
    summary="`sys.exit` in a task or callback breaks out of the event loop",
    tier="S",
    severity="info",
    triggers=TRIGGERS,
    origin=("G7",),
)
_WHAT = {"task": "a task", "loop-callback": "a callback of the loop"}


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The exit requests of the module that leave a task or a callback."""
    for request in requests(module, project):
        found = (way for way in ways(request, project, *_WHAT) if _is_asyncio(way, project))
        way = next(found, None) if not is_test(request.fn) else None
        if way is not None:
            message = (
                f"`{request.text}` in {_WHAT[way.role.kind]} breaks out of the event loop: the main coroutine "
                "is cancelled wherever it waits, and never sees the failure"
            )
            yield RULE.finding(
                module,
                request.span,
                message,
                confidence=way.confidence,
                trace=way.steps,
                help="raise an exception of your own, await the task in the main coroutine, and exit there",
            )


def _is_asyncio(way: Way, project: Project) -> bool:
    """Whether asyncio's loop runs it: other loops (Twisted's) log what a callback raises, and go on."""
    if way.role.kind == "task":
        return True
    made = (r for r in project.roles.registrations() if r.callback.role == way.role.kind)
    return any(r.callback.call.startswith("asyncio.") for r in made if way.role.seed in r.targets)
