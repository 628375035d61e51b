"""Two tasks are cancelled, and both are awaited in one ``try``: the first raises, the second is never awaited.

## What it does
Reports, in a coroutine, the await of a cancelled task that stands behind the await of another cancelled task in the same
``try … except CancelledError`` or ``with suppress(CancelledError)``; also a loop inside the ``try`` that awaits cancelled
tasks one after the other, and a ``gather`` of them without ``return_exceptions=True``.

## Why it matters
Awaiting a cancelled task raises ``CancelledError``, and the ``except`` clause ends the whole block. The second task is
still cleaning up when the function returns: what it uses is closed under it, its errors are never seen.

## Example
```python
import asyncio


async def stop(reader_task, writer_task):
    reader_task.cancel()
    writer_task.cancel()
    try:
        await reader_task
        await writer_task
    except asyncio.CancelledError:
        pass
```

## Use instead
```python
import asyncio


async def stop(reader_task, writer_task):
    reader_task.cancel()
    writer_task.cancel()
    await asyncio.gather(reader_task, writer_task, return_exceptions=True)
```

## Precision
Only what the same function cancels and then awaits by the same name. A `gather` by default where a task is known to await
something in its cleanup, strict where its coroutine is unknown or calls others.

## References
- [Task cancellation](https://docs.python.org/3/library/asyncio-task.html#task-cancellation)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Await, Body, Call, Expr, ExprStmt, For, ModuleFacts, Name, Span, Try, With
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.swallowed._catching import caught, last_name, suppressed
from shutdown_lint.rules.swallowed._gathered import Gathered, gathered
from shutdown_lint.walk import At, dotted, sites

RULE = Rule(
    code="SHD513",
    name="cancelled-awaits-in-one-try",
    summary="two cancelled tasks are awaited in one try: the first raise skips the second await",
    tier="D",
    severity="warning",
    triggers=("CancelledError & .cancel(",),
    origin=("G13",),
)
_LIMITS = frozenset({"wait_for", "shield"})


class Awaited(NamedTuple):
    """A cancelled task that is awaited: what, where, and whether for each member of a container."""

    what: str
    span: Span
    of_each: bool


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every block of a coroutine that takes ``CancelledError``."""
    for fn in project.functions(module):
        if not fn.facts.is_async or "cancel" not in fn.mentions:
            continue
        for at in fn.statements:
            block = _guarded(at, fn, project)
            if block and not _waited_before(at):
                yield from _findings(module, block, fn, project)
        for found in gathered(fn, project):
            yield _cut_short(module, fn, found)


def _guarded(at: At, fn: Fn, project: Project) -> Body:
    """The block whose ``CancelledError`` ends at this statement."""
    if isinstance(at.stmt, Try) and any("CancelledError" in caught(h, fn, project) for h in at.stmt.handlers):
        return at.stmt.body
    if isinstance(at.stmt, With) and any("CancelledError" in suppressed(i.context, fn, project) for i in at.stmt.items):
        return at.stmt.body
    return ()


def _waited_before(at: At) -> bool:
    """Whether an ``asyncio.wait`` or ``gather`` behind the cancels has already seen the tasks to their end."""
    seen = [site for place in at.around() for site in sites(place.before())]
    told = max((site.call.span.line for site in seen if last_name(site.call) == "cancel"), default=0)
    return any(
        site.awaited
        and last_name(site.call) in ("wait", "gather")
        and site.call.args
        and site.call.span.line > told > 0
        for site in seen
    )


def _findings(module: ModuleFacts, block: Body, fn: Fn, project: Project) -> Iterator[Finding]:
    cancelled = _cancelled(fn)
    waits = [wait for stmt in block for wait in _awaited(stmt) if wait.what in cancelled]
    first = next(iter(waits), None)
    if first is None:
        return
    if first.of_each:
        yield _finding(module, fn, first, first, f"the members of `{first.what}` after it are never awaited")
        return
    for wait in waits[1:]:
        if wait.what != first.what:
            yield _finding(module, fn, wait, first, f"`{wait.what}` is never awaited")
            return


def _cancelled(fn: Fn) -> frozenset[str]:
    """What the function cancels: names, and the containers whose members a loop cancels."""
    found: set[str] = set()
    for site in fn.sites:
        if last_name(site.call) != "cancel" or not isinstance(site.call.func, Attr):
            continue
        receiver = dotted(site.call.func.value)
        if receiver is None:
            continue
        found.add(receiver)
        for place in site.at.around():
            loop = place.outer.stmt if place.outer is not None else None
            if isinstance(loop, For) and isinstance(loop.target, Name) and loop.target.id == receiver:
                found.add(_container(loop.iter))
    return frozenset(found)


def _container(expr: Expr) -> str:
    """``self.tasks`` for ``list(self.tasks)`` and ``self.tasks.values()`` too."""
    while isinstance(expr, Call):
        if isinstance(expr.func, Name) and len(expr.args) == 1:
            expr = expr.args[0].value
        elif isinstance(expr.func, Attr):
            expr = expr.func.value
        else:
            break
    return dotted(expr) or ""


def _awaited(stmt: object) -> Iterator[Awaited]:
    if isinstance(stmt, For) and not stmt.is_async and isinstance(stmt.target, Name):
        for inner in stmt.body:
            if any(wait.what == stmt.target.id for wait in _awaited(inner)):
                yield Awaited(_container(stmt.iter), stmt.span, True)
    if isinstance(stmt, ExprStmt) and isinstance(stmt.value, Await):
        inner_expr = stmt.value.value
        while isinstance(inner_expr, Call) and last_name(inner_expr) in _LIMITS and inner_expr.args:
            inner_expr = inner_expr.args[0].value
        name = dotted(inner_expr)
        if name is not None:
            yield Awaited(name, stmt.span, False)


def _finding(module: ModuleFacts, fn: Fn, wait: Awaited, first: Awaited, what: str) -> Finding:
    raises = f"the first cancelled member of `{first.what}`" if first.of_each else f"the cancelled `{first.what}`"
    return RULE.finding(
        module,
        wait.span,
        f"awaiting {raises} raises CancelledError and ends the block in `{fn.qualname}`: {what}",
        lost=(fn.step(wait.span, f"the cleanup of `{wait.what}`"),),
        trace=(fn.step(first.span, f"{raises} raises here"),),
        help="await them by `asyncio.gather(..., return_exceptions=True)`, or each in a `try` of its own",
    )


def _cut_short(module: ModuleFacts, fn: Fn, found: Gathered) -> Finding:
    return RULE.finding(
        module,
        found.span,
        f"the first cancelled task ends this `gather` in `{fn.qualname}`: the others are still cleaning up, and nobody awaits them",
        tier=found.tier,
        confidence="proven" if found.tier == "D" else "likely",
        lost=(fn.step(found.span, f"the cleanup of the others in `{found.what}`"),),
        trace=(fn.step(found.cancel, "cancelled here"), fn.step(found.span, "the first CancelledError is raised here")),
        help="pass `return_exceptions=True`, or use `asyncio.wait`",
    )
