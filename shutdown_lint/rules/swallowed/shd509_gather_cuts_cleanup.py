"""``asyncio.gather`` over several closes without ``return_exceptions=True``.

## What it does
Reports ``await asyncio.gather(...)`` whose arguments are coroutines named ``close``, ``stop``, ``shutdown``,
``disconnect``, ``wait_closed`` and the like, without ``return_exceptions=True``; and an ``asyncio.TaskGroup`` whose tasks
are all such coroutines.

## Why it matters
The first close that fails ends the wait: ``gather`` raises, the others run on unawaited, and when the loop ends they are
cancelled in the midst of closing.

## Example
```python
import asyncio


async def stop_all(services):
    await asyncio.gather(*[service.stop() for service in services])
```

## Use instead
```python
import asyncio


async def stop_all(services):
    await asyncio.gather(*[service.stop() for service in services], return_exceptions=True)
```

## Fix safety
Unsafe: the errors of the closes are no longer raised. Offered for `gather` as a statement of its own.

## Precision
Only calls and groups whose every coroutine is a release by name, also within ``wait_for``. Silent where all of them are
functions of the project that let no exception out.

## References
- [asyncio.gather](https://docs.python.org/3/library/asyncio-task.html#asyncio.gather)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, Body, Call, Comp, Const, Expr, ModuleFacts, Name, Try, With
from shutdown_lint.findings import Finding, Fix
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.endings import catches
from shutdown_lint.project.failing import of_body, why
from shutdown_lint.project.implementers import methods_by_name
from shutdown_lint.project.scopes import Value
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.swallowed._releases import RELEASES
from shutdown_lint.walk import Site, argument, enclosing_loops, last_name, sites, text

RULE = Rule(
    code="SHD509",
    name="gather-cuts-cleanup",
    summary="asyncio.gather over several closes without return_exceptions: the first failure leaves the others",
    tier="D",
    severity="warning",
    fix="unsafe",
    triggers=("gather(", "TaskGroup"),
    origin=("G13",),
)
_WRAPPERS = frozenset({"wait_for", "create_task", "ensure_future"})
_NAMES = RELEASES - {"cancel", "release", "abort", "rollback"}


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every call of ``asyncio.gather``."""
    for fn in project.functions(module):
        for site in fn.sites:
            if getattr(site.call.func, "name", getattr(site.call.func, "id", "")) != "gather":
                continue
            if not site.awaited or not project.calls.is_call_to(site.call, fn, "asyncio.gather"):
                continue
            closes = _closes(site.call, fn)
            if not closes or _returns_exceptions(site.call) or _ends_otherwise(site):
                continue
            if not _keep_quiet(closes, fn, project):
                yield _finding(module, site.call, fn, closes)
        if "TaskGroup" in fn.mentions:
            yield from _groups(module, fn, project)


def _groups(module: ModuleFacts, fn: Fn, project: Project) -> Iterator[Finding]:
    """A task group all of whose tasks are closes: the first that fails cancels the others half-way."""
    for at in fn.statements:
        if not isinstance(at.stmt, With) or not at.stmt.is_async:
            continue
        for item in at.stmt.items:
            if isinstance(item.context, Call) and project.calls.is_call_to(item.context, fn, "asyncio.TaskGroup"):
                closes = _started(at.stmt.body)
                if closes and not _keep_quiet(closes, fn, project):
                    yield _cancelling(module, fn, item.context, closes)


def _started(body: Body) -> list[Call]:
    """The closes that the block makes tasks of; empty where some task is something else, or there is just one."""
    tasks = [site for site in sites(body) if _last(site.call) == "create_task" and site.call.args]
    repeated = any(next(enclosing_loops(task.at), None) is not None for task in tasks)
    closes = [_unwrapped(task.call) for task in tasks]
    if not all(_is_release(close) for close in closes) or len(closes) + repeated < 2:
        return []
    return [close for close in closes if isinstance(close, Call)]


def _ends_otherwise(site: Site) -> bool:
    """Whether a clause around it ends what is left by other means: ``except Exception: self.terminate(); raise``."""
    return any(
        catches(handler.types, "Exception") and any(_last(inner.call) in RELEASES for inner in sites(handler.body))
        for place in site.at.around()
        if place.outer and isinstance(place.outer.stmt, Try) and place.part == "body"
        for handler in place.outer.stmt.handlers
    )


def _keep_quiet(closes: list[Call], fn: Fn, project: Project) -> bool:
    """Whether all closes are the project's own, and let no exception out (or are done when they return, before the gather)."""
    return all(_is_quiet(close, fn, project) for close in closes)


def _is_quiet(close: Call, fn: Fn, project: Project) -> bool:
    targets = [target.fn for target in project.calls.targets(close, fn) if target.fn is not fn]
    if not targets:
        named = [m for m in _methods_by_name(close, project) if m.module is fn.module]
        return len(named) == 1 and of_body(named[0], project) is None
    if all(target.facts.is_async and target.cls is not None and not target.facts.body for target in targets):
        return False  # a hook that waits to be filled, by others: theirs may raise
    return not any(target.facts.is_async for target in targets) or why(close, fn, project, awaited=True) is None


def _methods_by_name(close: Call, project: Project) -> Iterator[Fn]:
    """The methods that the name of the receiver speaks of: ``channel`` is a ``DummyChannel``."""
    if isinstance(close.func, Attr):
        yield from methods_by_name(last_name(close.func.value), close.func.name, project)


def _cancelling(module: ModuleFacts, fn: Fn, group: Call, closes: list[Call]) -> Finding:
    return RULE.finding(
        module,
        group.span,
        f"the first failing `{text(closes[0])}` makes this task group in `{fn.qualname}` cancel the other closes half-way",
        lost=tuple(fn.step(close.span, f"`{text(close)}` of the others") for close in closes),
        help="use `asyncio.gather` with `return_exceptions=True`, or catch the errors of each close in its own task",
        fix="a task group takes no `return_exceptions`",
    )


def _returns_exceptions(call: Call) -> bool:
    given = argument(call, 99, "return_exceptions")
    return given is not None and not (isinstance(given, Const) and given.value is False)


def _closes(call: Call, fn: Fn) -> list[Call]:
    """The release calls that the arguments consist of; empty where some argument is something else, or there is just one."""
    found: list[Expr] = []
    many = False
    for arg in call.args:
        if arg.keyword is not None:
            continue
        elements = _elements(arg.value, fn) if arg.star else (arg.value,)
        many = many or bool(arg.star)
        for element in elements:
            if not _is_release(_unwrapped(element)):
                return []
            found.append(_unwrapped(element))
        if not elements:
            return []
    return [call for call in found if isinstance(call, Call)] if many or len(found) > 1 else []


def _unwrapped(expr: Expr) -> Expr:
    """What a limit or a task is made of: ``wait_for(x.close(), 3)``, ``create_task(x.close())``."""
    while isinstance(expr, Call) and _last(expr) in _WRAPPERS and expr.args:
        expr = expr.args[0].value
    return expr


def _last(call: Call) -> str:
    return call.func.name if isinstance(call.func, Attr) else call.func.id if isinstance(call.func, Name) else ""


def _elements(expr: Expr, fn: Fn) -> tuple[Expr, ...]:
    if isinstance(expr, Comp):
        return expr.elements
    if isinstance(expr, Name):
        values = [b.expr for b in fn.bindings.get(expr.id, ()) if isinstance(b, Value)]
        return values[0].elements if len(values) == 1 and isinstance(values[0], Comp) else ()
    return ()


def _is_release(expr: Expr) -> bool:
    return isinstance(expr, Call) and isinstance(expr.func, Attr) and expr.func.name in _NAMES


def _finding(module: ModuleFacts, call: Call, fn: Fn, closes: list[Call]) -> Finding:
    return RULE.finding(
        module,
        call.span,
        f"the first failing `{text(closes[0])}` ends this `gather` in `{fn.qualname}`: the other closes run on unawaited",
        lost=tuple(fn.step(close.span, f"`{text(close)}` of the others") for close in closes),
        help="pass `return_exceptions=True` and look at the results",
        fix=Fix("unsafe", "wait for all closes, by `return_exceptions=True`", "shd509"),
    )
