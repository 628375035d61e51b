"""A coroutine catches ``CancelledError`` and goes on.

## What it does
Reports ``except CancelledError`` (alone or in a tuple) around an ``await`` inside a loop of a coroutine, when the clause
neither raises nor leaves the loop, and nothing in the function cancels a task itself. Outside of loops it reports a clause that
names ``CancelledError`` beside errors, ``except (CancelledError, TimeoutError): pass``, or (strict) alone, when the function or its
caller then awaits something else that is no cleanup.

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

## Fix safety
Unsafe: who awaits the task gets `CancelledError` from then on.

## Precision
Silent for ``t.cancel(); await t``, for ``uncancel()``, when the loop's condition is changed in the clause or by who cancels,
where what is awaited never waits itself, and where nothing but a task or future is awaited, by its name: someone may cancel that
one alone. Beside errors only where all that is awaited is called on the spot, in no stop method and no top function of a task;
strict where no caller is known, and beside `Exception`, which is written on purpose. Strict too for `await asyncio.shield(task)`
again and again, which ends with that task, and for loops that empty what they test: the 2 of 5 findings in unseen packages that
were meant. Strict for loops that ask another object whether to go on (3 false in one of 144 packages),
and where the clause names `KeyboardInterrupt` or `SystemExit` beside it. In 700 more, 6 of 8 were right before that.

## References
- [Task cancellation](https://docs.python.org/3/library/asyncio-task.html#task-cancellation)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import (
    Assign,
    Attr,
    Await,
    Body,
    Break,
    Call,
    Expr,
    ExprStmt,
    For,
    Handler,
    If,
    ModuleFacts,
    Name,
    Raise,
    Return,
    Seq,
    Stmt,
    Try,
    While,
)
from shutdown_lint.findings import Finding, Fix, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.implementers import is_for_others
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.swallowed._as_error import as_error
from shutdown_lint.rules.swallowed._catching import (
    awaits,
    cancels,
    caught,
    empties,
    forwards,
    leaves,
    leaves_behind,
    raises,
    tries,
)
from shutdown_lint.walk import At, enclosing_loops, exprs, last_name, same, sites, subexprs, walk

RULE = Rule(
    code="SHD502",
    name="cancellation-swallowed",
    summary="a coroutine catches CancelledError and goes on",
    tier="D",
    severity="error",
    fix="unsafe",
    triggers=("async def & CancelledError",),
    origin=("G13",),
)
# what tells the loop, or its program, to end
_TELLS = re.compile(r"_*((request|initiate|begin|trigger)_)?(set|close|stop|shut_?down|clear|quit)$")
_CLEANUP = re.compile(r"clean_?up|close|abort|disconnect|reset|teardown")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every ``except CancelledError`` in a loop of a coroutine."""
    for fn in project.functions(module):
        if not fn.facts.is_async or cancels(fn, project):
            continue
        for at, stmt in tries(fn):
            for handler in stmt.handlers:
                if "CancelledError" not in caught(handler, fn, project) or not awaits(stmt.body):
                    continue
                tier = as_error(at, stmt, handler, fn, project)
                if tier is not None:
                    yield _taken_for_error(module, fn, stmt, handler, tier)
                elif _goes_on(at, handler, fn) and not _is_meant(at, stmt, fn, project):
                    yield RULE.finding(
                        module,
                        handler.span,
                        f"`{fn.qualname}` catches CancelledError and goes on looping: the task cannot be cancelled and the exit hangs",
                        tier="S" if _may_end(at, stmt, handler) else None,
                        help="end the clause with `raise`, or leave the loop",
                        fix=Fix("unsafe", "end the clause with `raise`", "shd502"),
                        trace=(
                            fn.step(stmt.span, "cancellation arrives in this `try`"),
                            fn.step(handler.span, "caught here, the loop goes on"),
                        ),
                    )


def _taken_for_error(module: ModuleFacts, fn: Fn, stmt: Try, handler: Handler, tier: Tier) -> Finding:
    alone = not isinstance(handler.types, Seq)
    how = "swallows its own cancellation" if alone else "takes its own cancellation for an error"
    return RULE.finding(
        module,
        handler.span,
        f"`{fn.qualname}` {how} and returns as if nothing had happened: the task goes on",
        tier=tier,
        help="end the clause with `raise`"
        if alone
        else "leave CancelledError out of the clause, or end it with `raise`",
        fix="the clause may be meant" if alone else "the clause is for errors as well",
        trace=(
            fn.step(stmt.span, "cancellation arrives in this `try`"),
            fn.step(handler.span, "caught here, and not raised again"),
        ),
    )


def _goes_on(at: At, handler: Handler, fn: Fn) -> bool:
    loop = next(enclosing_loops(at), None)
    if loop is None or not (isinstance(loop.stmt, While) or _is_endless(loop.stmt)):
        return False
    if any(isinstance(stmt, Raise) for place in loop.around() for stmt in place.after()):
        return False  # what must not be broken off is done first, and the cancellation raised behind it
    if leaves_behind(at, loop):
        return False
    if raises(handler.body) or leaves(handler.body) or (forwards(handler, fn) and not _only_cleans_up(handler)):
        return False
    changes_state = any(isinstance(inner.stmt, Assign) for inner in walk(handler.body))
    tells = any(True for site in sites(handler.body) if _TELLS.match(getattr(site.call.func, "name", "")))
    return not changes_state and not tells


def _is_endless(stmt: Stmt) -> bool:
    """``for server in cycle(servers):``"""
    source = stmt.iter if isinstance(stmt, For) else None
    if not isinstance(source, Call):
        return False
    return last_name(source.func) in ("cycle", "count") or (
        last_name(source.func) == "repeat" and len(source.args) == 1
    )


def _only_cleans_up(handler: Handler) -> bool:
    """``await self._cleanup(error)``: the exception only tells the cleanup why."""
    mentioning = [
        site
        for site in sites(handler.body)
        if any(isinstance(arg.value, Name) and arg.value.id == handler.name for arg in site.call.args)
    ]
    kept = sum(
        isinstance(expr, Name) and expr.id == handler.name for root in exprs(handler.body) for expr in subexprs(root)
    )
    return kept == len(mentioning) > 0 and all(_CLEANUP.search(last_name(site.call.func)) for site in mentioning)


def _is_meant(at: At, stmt: Try, fn: Fn, project: Project) -> bool:
    """Whether the cancellation may be that of a task which is awaited by its name, or comes with a flag that ends the loop."""
    awaited = [expr.value for root in exprs(stmt.body) for expr in subexprs(root) if isinstance(expr, Await)]
    if awaited and not _is_iterated(stmt.body) and all(_never_waits(expr, fn, project) for expr in awaited):
        return True
    if awaited and all(isinstance(expr, (Name, Attr)) for expr in awaited) and not _is_iterated(stmt.body):
        return True
    loop = next(enclosing_loops(at)).stmt
    tested = _identifiers(loop.test) if isinstance(loop, While) else frozenset()
    return bool(tested) and any(
        "cancel" in other.mentions and _sets(other, tested) for other in project.functions(fn.module) if other is not fn
    )


def _never_waits(expr: Expr, fn: Fn, project: Project) -> bool:
    """Whether the awaited coroutine awaits nothing itself: no cancellation arrives in it."""
    targets = project.calls.targets(expr, fn) if isinstance(expr, Call) else ()
    return bool(targets) and all(
        target.fn.facts.is_async and not is_for_others(target.fn, project) and not awaits(target.fn.facts.body)
        for target in targets
    )


def _asks(at: At, handler: Handler) -> bool:
    """Whether the clause looks at the flag that the loop tests: who stops the loop sets that before it cancels."""
    loop = next(enclosing_loops(at)).stmt
    tested = [part for part in subexprs(loop.test) if isinstance(part, Attr)] if isinstance(loop, While) else []
    asked = (part for inner in walk(handler.body) if isinstance(inner.stmt, If) for part in subexprs(inner.stmt.test))
    return any(same(part, flag) for part in asked for flag in tested)


def _may_end(at: At, stmt: Try, handler: Handler) -> bool:
    loop = next(enclosing_loops(at)).stmt
    return _finishes(stmt) or empties(loop) or _asks(at, handler) or _is_told(loop)


def _is_told(loop: Stmt) -> bool:
    """``while not self.scan.stopping:`` asks another object, whose owner says that it is over before it cancels."""
    asked = subexprs(loop.test) if isinstance(loop, While) else ()
    return any(isinstance(part, Attr) and isinstance(part.value, Attr) for part in asked)


def _finishes(stmt: Try) -> bool:
    """``try: await asyncio.shield(task)``, again and again: the cancellation is forgotten, but only until that task is done."""
    first = stmt.body[0] if all(isinstance(later, (Return, Break)) for later in stmt.body[1:]) else None
    awaited = first.value if isinstance(first, (ExprStmt, Return)) else None
    call = awaited.value if isinstance(awaited, Await) else None
    if not isinstance(call, Call) or last_name(call.func) != "shield" or not call.args:
        return False
    of = call.args[0].value
    if isinstance(of, Call):  # `shield(self.get_task())`, which is asked for the same one again
        return not of.args and any(isinstance(later, (Return, Break)) for later in stmt.orelse)
    return isinstance(of, (Name, Attr))


def _is_iterated(body: Body) -> bool:
    """Whether an ``async for`` or ``async with`` awaits something without a name."""
    return any(getattr(at.stmt, "is_async", False) for at in walk(body))


def _identifiers(expr: Expr) -> frozenset[str]:
    found = {
        part.name if isinstance(part, Attr) else part.id for part in subexprs(expr) if isinstance(part, (Attr, Name))
    }
    return frozenset(found - {"self", "cls", "is_set", "done", "closed"})


def _sets(fn: Fn, tested: frozenset[str]) -> bool:
    """Whether the function gives one of the flags another value."""
    if not tested & fn.mentions or fn.name == "__init__":
        return False
    assigned = [target for at in fn.statements if isinstance(at.stmt, Assign) for target in at.stmt.targets]
    called = [
        site.call.func.value
        for site in fn.sites
        if isinstance(site.call.func, Attr) and site.call.func.name in ("set", "clear")
    ]
    return any(_identifiers(expr) & tested for expr in (*assigned, *called))
