"""A coroutine turns its own cancellation into a return value or another exception.

## What it does
Reports ``except CancelledError`` around an await, in a coroutine that cancels nothing itself, when the clause returns a
value as if the work had an outcome, raises another exception, or ends a helper whose callers then go on.

## Why it matters
Who cancels a task wants it to unwind: to close responses, roll back, give connections back. When the cancellation comes
out as an ordinary message, the caller takes its normal path and never learns that it was asked to stop.

## Example
```python
import asyncio


class Receiver:
    async def receive(self):
        try:
            return await self.queue.get()
        except asyncio.CancelledError:
            return {"type": "disconnect"}
```

## Use instead
```python
class Receiver:
    async def receive(self):
        return await self.queue.get()
```

## Precision
Preview; by default only where a message that is made up on the spot is returned (a dict, a tuple, a text): one hit in the
twenty packages and those of the benchmark, a published bug; and where the clause names errors as well and raises one exception for
all of them: two packages of some ninety, one of them mended since. Silent where the function or its class cancels what is
awaited, where a task is awaited by its name, in the top function of a task, in stop methods, and for ``return`` of
nothing, of ``None`` and of booleans; preview for a message that says to stop (`{"type": "lifespan.shutdown"}`).

## References
- [Task cancellation](https://docs.python.org/3/library/asyncio-task.html#task-cancellation)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Attr, Await, Call, Const, Expr, Handler, ModuleFacts, Name, Raise, Return, Seq, Try
from shutdown_lint.findings import Finding, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.swallowed._as_error import is_top, own_awaits
from shutdown_lint.rules.swallowed._catching import STOPPING, awaits, cancels, caught, last_name, tries
from shutdown_lint.rules.waits._stops import in_final, is_stop
from shutdown_lint.walk import exprs, sites, subexprs, text, walk

RULE = Rule(
    code="SHD514",
    name="cancellation-returned",
    summary="a coroutine turns its own cancellation into a return value or another exception",
    tier="D",
    severity="warning",
    triggers=("CancelledError",),
    origin=("G13",),
)
_STOPS = re.compile(r"\b(shut_?down|stop|exit|quit|terminate|sigint|sigterm|interrupt)", re.IGNORECASE)
_ENDS = frozenset({"exit", "_exit", "abort", "throw", "reraise"})


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every ``except CancelledError`` of a coroutine."""
    for fn in project.functions(module):
        if not fn.facts.is_async or is_test(fn) or "CancelledError" not in fn.mentions or cancels(fn, project):
            continue
        for at, stmt in tries(fn):
            if not awaits(stmt.body) or in_final(at) or is_stop(fn, project) or _ends_a_task(fn, project):
                continue
            for handler in stmt.handlers:
                turned = _turned(handler, fn, project)
                if turned is not None and not _may_be_anothers(stmt, fn, project):
                    yield _finding(module, stmt, handler, turned, fn, project)


def _ends_a_task(fn: Fn, project: Project) -> bool:
    """Whether nothing but a task runs the coroutine, as its top function."""
    return project.roles.only(fn, "task") and is_top(fn, project)


def _turned(handler: Handler, fn: Fn, project: Project) -> Return | Raise | None:
    """The statement by which the clause turns the cancellation into something else."""
    if handler.types is None or "CancelledError" not in caught(handler, fn, project):
        return None
    if any(last_name(site.call) in _ENDS for site in sites(handler.body)):
        return None
    inner = [at.stmt for at in walk(handler.body)]
    if any(isinstance(stmt, Raise) and _is_cancellation(stmt, handler) for stmt in inner):
        return None
    return next((stmt for stmt in inner if isinstance(stmt, Raise) or _is_outcome(stmt)), None)  # type: ignore[return-value]


def _is_cancellation(stmt: Raise, handler: Handler) -> bool:
    exc = stmt.exc.func if isinstance(stmt.exc, Call) else stmt.exc
    if exc is None:
        return True
    name = exc.name if isinstance(exc, Attr) else exc.id if isinstance(exc, Name) else ""
    return name == handler.name or name in ("CancelledError", "KeyboardInterrupt", "SystemExit", "GeneratorExit")


def _is_outcome(stmt: object) -> bool:
    """A value that the caller takes for a result; ``None`` and booleans are left to the next reader."""
    if not isinstance(stmt, Return) or stmt.value is None:
        return False
    return not (isinstance(stmt.value, Const) and (stmt.value.value is None or isinstance(stmt.value.value, bool)))


def _may_be_anothers(stmt: Try, fn: Fn, project: Project) -> bool:
    """Whether the cancellation may be that of a task or future that someone cancels on purpose."""
    awaited = [expr.value for root in exprs(stmt.body) for expr in subexprs(root) if isinstance(expr, Await)]
    names = {name for expr in awaited for name in _future_names(expr)}
    if any("task" in name.lower() for name in names):
        return True
    return any(
        last_name(site.call) == "cancel" and _last(site.call.func) in names
        for other in project.functions(fn.module)
        if "cancel" in other.mentions
        for site in other.sites
    )


def _future_names(expr: Expr) -> Iterator[str]:
    """The last names of tasks and futures that are awaited by name, also inside of ``wait_for`` and ``shield``."""
    if isinstance(expr, Call):
        for arg in expr.args:
            yield from _future_names(arg.value)
    elif isinstance(expr, (Name, Attr)):
        yield expr.id if isinstance(expr, Name) else expr.name


def _last(func: Expr) -> str:
    inner = func.value if isinstance(func, Attr) else func
    return inner.name if isinstance(inner, Attr) else inner.id if isinstance(inner, Name) else ""


def _finding(
    module: ModuleFacts, stmt: Try, handler: Handler, turned: Return | Raise, fn: Fn, project: Project
) -> Finding:
    what = "an ordinary result" if isinstance(turned, Return) else f"`{text(turned.exc)}`"
    return RULE.finding(
        module,
        handler.span,
        f"`{fn.qualname}` turns its own cancellation into {what}: the caller is never told to stop",
        tier=_tier(turned, stmt, handler, fn, project),
        trace=(
            fn.step(stmt.span, "cancellation arrives in this `try`"),
            fn.step(turned.span, f"it leaves the coroutine as {what}"),
        ),
        help="let CancelledError pass: clean up in `finally`, or end the clause with `raise`",
    )


def _tier(turned: Return | Raise, stmt: Try, handler: Handler, fn: Fn, project: Project) -> Tier:
    """A message that is made up on the spot can mean nothing but an outcome; an exception for errors and cancellation alike, an error.

    Strict in helpers of tasks, and for any other value where errors give the same.
    """
    beside = bool(caught(handler, fn, project) - STOPPING) and own_awaits(stmt.body)
    within = project.roles.only(fn, "task")
    if isinstance(turned, Raise):
        return "P" if not beside else "S" if within else "D"
    value = turned.value
    if any(
        isinstance(part, Const) and _STOPS.search(str(part.value))
        for part in (subexprs(value) if value is not None else ())
    ):
        return "P"  # a message that says what the caller has to do
    made_up = isinstance(value, Seq) or (isinstance(value, Const) and isinstance(value.value, str))
    return "D" if made_up and not within else "S" if beside else "P"
