"""A coroutine catches ``CancelledError`` in a loop and goes on looping.

## What it does
Reports ``except CancelledError`` (alone or in a tuple) around an ``await`` inside a loop of a coroutine, when the clause
neither raises nor leaves the loop, and nothing in the function cancels a task itself.

## Why it matters
Cancellation is delivered once. A coroutine that swallows it and goes on is never cancelled again by ``asyncio.run``:
Ctrl-C is ignored, ``wait_for`` and ``TaskGroup`` wait for ever.

## Example
```python
import asyncio


async def worker(queue):
    while True:
        try:
            job = await queue.get()
            await job()
        except asyncio.CancelledError:
            print("cancelled")
```

## Use instead
```python
import asyncio


async def worker(queue):
    while True:
        try:
            job = await queue.get()
            await job()
        except asyncio.CancelledError:
            print("cancelled")
            raise
```

## Precision
Silent for ``t.cancel(); await t``, for ``uncancel()``, and when the loop's condition is changed in the clause.

## References
- [Task cancellation](https://docs.python.org/3/library/asyncio-task.html#task-cancellation)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Handler, ModuleFacts, While
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.swallowed._catching import awaits, cancels, caught, forwards, leaves, raises, tries
from shutdown_lint.walk import At, enclosing_loops, sites, walk

RULE = Rule(
    code="SHD502",
    name="cancellation-swallowed",
    summary="a coroutine catches CancelledError in a loop and goes on",
    tier="D",
    severity="error",
    triggers=("async def & CancelledError",),
    origin=("G13",),
)


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every ``except CancelledError`` in a loop of a coroutine."""
    for fn in project.functions(module):
        if not fn.facts.is_async or cancels(fn):
            continue
        for at, stmt in tries(fn):
            for handler in stmt.handlers:
                if "CancelledError" in caught(handler, fn, project) and awaits(stmt.body) and _goes_on(at, handler, fn):
                    yield RULE.finding(
                        module,
                        handler.span,
                        f"`{fn.qualname}` catches CancelledError and goes on looping: the task cannot be cancelled and the exit hangs",
                        help="end the clause with `raise`, or leave the loop",
                        trace=(
                            fn.step(stmt.span, "cancellation arrives in this `try`"),
                            fn.step(handler.span, "caught here, the loop goes on"),
                        ),
                    )


def _goes_on(at: At, handler: Handler, fn: Fn) -> bool:
    loop = next(enclosing_loops(at), None)
    if loop is None or not isinstance(loop.stmt, While):
        return False
    if raises(handler.body) or leaves(handler.body) or forwards(handler, fn):
        return False
    changes_state = any(isinstance(inner.stmt, Assign) for inner in walk(handler.body))
    tells = any(
        True
        for site in sites(handler.body)
        if getattr(site.call.func, "name", "") in ("set", "close", "stop", "shutdown", "clear")
    )
    return not changes_state and not tells
