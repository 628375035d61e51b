"""A coroutine function as a callback: it is called, makes a coroutine object, and nothing runs it.

## What it does
Reports coroutine functions (and coroutine objects, and lambdas that return one) given to what calls plain functions:
`signal.signal`, `loop.add_signal_handler`, `atexit.register`, `weakref.finalize`, the target of a `Thread`, `Process` or
`Timer`, `submit`, `run_in_executor`, `to_thread`, `call_soon`, `call_later`, `add_done_callback`; and `async def run` in a
subclass of `Thread` or `Process`.

## Why it matters
Calling a coroutine function only makes an object. The cleanup or the work in it never starts; the only sign is "coroutine
was never awaited" on stderr, often in the very moment in which the process ends. `add_signal_handler` raises TypeError.

## Example
```python
import asyncio
import atexit


async def flush():
    await asyncio.sleep(0.1)


atexit.register(flush)
```

## Use instead
```python
import asyncio
import atexit


async def flush():
    await asyncio.sleep(0.1)


def flush_at_exit():
    asyncio.run(flush())


atexit.register(flush_at_exit)
```

## Precision
Silent for functions with decorators (which may make a plain function of it) and for what cannot be resolved. Lambdas that
make a task, or hand the coroutine to anything else, are right; so are asynchronous generators whose call's result is used.

## References
- [Coroutines](https://docs.python.org/3/library/asyncio-task.html#coroutines)
- [atexit](https://docs.python.org/3/library/atexit.html)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Await, Call, Const, ModuleFacts, Name, Return, Span
from shutdown_lint.findings import Finding
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.roles import ROLE_TEXT, Registration, is_test
from shutdown_lint.project.signals import handlings
from shutdown_lint.project.values import Instance
from shutdown_lint.rules._texts import SIGNALS
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.signals._callables import coroutine_of, is_plain
from shutdown_lint.walk import last_name, own_exprs, subexprs, text

RULE = Rule(
    code="SHD311",
    name="coroutine-never-runs",
    summary="a coroutine function where a plain callback is called",
    tier="D",
    severity="error",
    triggers=(
        "async def & @callbacks",
        "async def run(",
        *(f"async def & {trigger}" for trigger in SIGNALS),
    ),
    origin=("G3",),
)

_HELP = {
    "signal-handler": "let the loop handle the signal: `loop.add_signal_handler(sig, event.set)`, and await the cleanup in a coroutine that waits for the event",
    "loop-signal-callback": "register a plain function that makes a task and keeps it, or sets an event that the main coroutine awaits",
    "atexit": "await the cleanup at the end of the main coroutine; a plain function that calls `asyncio.run` does at worst",
}
_THREAD_HELP = "register a plain function that runs the coroutine: `asyncio.run(f())`, or `asyncio.run_coroutine_threadsafe(f(), loop)` where a loop runs already"
_WORKERS = ("threading.Thread", "multiprocessing.Process")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The callbacks of the module that are coroutine functions, and the workers whose body is one."""
    seen: set[Span] = set()
    for registration in _registrations(module, project):
        if registration.callback.awaits or registration.callback.role in ("framework", "task"):
            continue
        found = coroutine_of(registration.argument, registration.fn, project)
        if found is None or _may_be_another(registration, project) or _is_taken_on(found, registration):
            continue
        if registration.site.call.span not in seen and not is_test(registration.fn):
            seen.add(registration.site.call.span)
            yield _finding(registration, found)
    for fn in project.functions(module):
        if (
            fn.name == "run"
            and fn.facts.is_async
            and fn.cls is not None
            and is_plain(fn)
            and project.classes.is_a(fn.cls, *_WORKERS)
        ):
            message = f"`{fn.qualname}` is a coroutine function: starting the worker calls it once, and nothing runs the coroutine"
            yield RULE.finding(
                module,
                fn.facts.span,
                message,
                help="make `run` a plain method that calls `asyncio.run` on the coroutine",
            )


def _is_taken_on(found: Fn, registration: Registration) -> bool:
    """Whether somebody gets what the call makes, and runs it.

    ``pages = await loop.run_in_executor(None, self.pages)`` of an asynchronous generator: who gets it iterates over it. Of a
    coroutine function the result is a coroutine: it is awaited in turn, returned, or handed on to what awaits it.
    """
    site = registration.site
    if found.facts.is_generator:
        return not site.dropped
    if not site.awaited:
        return _is_kept_for_later(registration)
    if len(site.parents) > 1:
        return isinstance(site.parents[1], (Await, Call))
    stmt = site.at.stmt
    names = {target.id for target in stmt.targets if isinstance(target, Name)} if isinstance(stmt, Assign) else set()
    return isinstance(stmt, Return) or (bool(names) and _awaits(registration.fn, names))


def _is_kept_for_later(registration: Registration) -> bool:
    """``tasks = [asyncio.to_thread(f, x) for x in xs]``, by a parameter: who awaits these gets coroutines, and may await them in turn."""
    func, given = registration.site.call.func, registration.argument
    params = {param.name for param in registration.fn.facts.params}
    by_param = isinstance(given, Name) and given.id in params
    return last_name(func) in ("to_thread", "run_in_executor") and not registration.site.dropped and by_param


def _awaits(fn: Fn, names: set[str]) -> bool:
    """Whether the function awaits one of the names: ``made = await loop.run_in_executor(…); await made``."""
    return any(
        isinstance(part, Await) and isinstance(part.value, Name) and part.value.id in names
        for at in fn.statements
        for root in own_exprs(at.stmt)
        for part in subexprs(root)
    )


def _may_be_another(registration: Registration, project: Project) -> bool:
    """Whether the callback is a method of a member that may be a plain stand-in: of unknown type, or without such a method."""
    given = registration.argument
    if not isinstance(given, Attr):
        return False
    receiver = given.value
    cls = project.classes.enclosing(registration.fn)
    if not isinstance(receiver, Attr) or cls is None or text(receiver.value) != registration.fn.self_name:
        return False
    for write in project.classes.writes(cls, receiver.name):
        values = () if isinstance(write.value, Const) else project.evaluate.values(write.value, write.fn)
        if not values and not isinstance(write.value, Const):
            return True
        if any(
            isinstance(v, Instance) and isinstance(v.cls, Cls) and project.classes.method(v.cls, given.name) is None
            for v in values
        ):
            return True
    return False


def _registrations(module: ModuleFacts, project: Project) -> Iterator[Registration]:
    yield from (found for found in project.roles.registrations() if found.fn.module is module)
    # handlers that reach their installer through a function of the project
    rows = {row.call: row for rows in project.models.callbacks.values() for row in rows}
    for handling in handlings(project):
        if handling.fn.module is module:
            row = rows["signal.signal" if handling.via == "signal" else "asyncio.AbstractEventLoop.add_signal_handler"]
            yield Registration(row, handling.site, handling.fn, handling.handler, handling.targets)


def _finding(registration: Registration, coroutine: Fn) -> Finding:
    fn, role = registration.fn, registration.callback.role
    what = ROLE_TEXT.get(role, role)
    if role == "loop-signal-callback":
        effect = f"TypeError here, or the coroutine of `{coroutine.qualname}` is dropped when the signal comes"
    else:
        effect = "calling it only makes a coroutine, which nothing runs"
    message = f"`{coroutine.qualname}` is a coroutine function, given to `{text(registration.site.call.func)}` as {what}: {effect}"
    trace = (coroutine.step(coroutine.facts.span, f"`async def {coroutine.name}`"),)
    return RULE.finding(
        fn.module, registration.site.call.span, message, trace=trace, help=_HELP.get(role, _THREAD_HELP)
    )
