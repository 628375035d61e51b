"""``except Exception: release; raise`` in a coroutine: cancellation passes by and the resource leaks.

## What it does
Reports, in a coroutine, a ``try`` around an ``await`` whose ``except Exception`` clause releases something and raises
again, when no other clause and no ``finally`` covers ``CancelledError``.

## Why it matters
Since Python 3.8 ``CancelledError`` derives from ``BaseException``. A timeout or a shutdown during the ``await`` skips the
clause: the connection or file that was just opened is never closed.

## Example
```python
async def connect(pool):
    connection = pool.make()
    try:
        await connection.handshake()
    except Exception:
        await connection.close()
        raise
    return connection
```

## Use instead
```python
async def connect(pool):
    connection = pool.make()
    try:
        await connection.handshake()
    except BaseException:
        await connection.close()
        raise
    return connection
```

## Precision
Only clauses that name a release and end with a bare ``raise``.

## References
- [asyncio.CancelledError, changed in 3.8](https://docs.python.org/3/library/asyncio-exceptions.html#asyncio.CancelledError)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Call, Handler, ModuleFacts, Raise, Try
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.swallowed._catching import STOPPING, awaits, caught, tries
from shutdown_lint.rules.swallowed._releases import release_calls
from shutdown_lint.walk import text

RULE = Rule(
    code="SHD508",
    name="cleanup-misses-cancel",
    summary="a cleanup in `except Exception` of a coroutine is skipped by cancellation",
    tier="D",
    severity="warning",
    triggers=(
        r"async def & await & re:except[^\n]*\bException\b(?s:.{0,3000}?)\n[ \t]*raise\b & re:(?m)(?:^|[;:])[ \t]*raise[ \t\r]*(?:[#;]|$)",
    ),
    origin=("G4",),
)


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every ``except Exception`` of a coroutine that releases and raises again."""
    for fn in project.functions(module):
        if not fn.facts.is_async:
            continue
        for _, stmt in tries(fn):
            if not awaits(stmt.body) or _covered(stmt, fn, project):
                continue
            for handler in stmt.handlers:
                released = _releases_and_raises(handler, fn, project)
                if released is not None:
                    yield _finding(module, handler, fn, released)


def _covered(stmt: Try, fn: Fn, project: Project) -> bool:
    """Whether some clause or the ``finally`` sees cancellation too."""
    return bool(release_calls(stmt.final)) or any(caught(handler, fn, project) & STOPPING for handler in stmt.handlers)


def _releases_and_raises(handler: Handler, fn: Fn, project: Project) -> Call | None:
    if caught(handler, fn, project) != {"Exception"} or not handler.body:
        return None
    last = handler.body[-1]
    if not isinstance(last, Raise) or last.exc is not None:
        return None
    return next(iter(release_calls(handler.body)), None)


def _finding(module: ModuleFacts, handler: Handler, fn: Fn, released: Call) -> Finding:
    return RULE.finding(
        module,
        handler.span,
        f"`{text(released)}` in `{fn.qualname}` is skipped when the task is cancelled: `except Exception` does not see CancelledError",
        lost=(fn.step(released.span, f"`{text(released)}`"),),
        help="catch `BaseException` here (the clause raises again), or release in `finally`",
    )
