"""``contextlib.suppress`` swallows the request to stop, and the work goes on.

## What it does
Reports ``suppress(BaseException)``, ``suppress(KeyboardInterrupt)``, ``suppress(SystemExit)`` and
``suppress(CancelledError)`` around an awaited call that the function did not just cancel, when other work follows; and
``suppress(BaseException)`` around work in a loop that the main thread may run.

## Why it matters
``CancelledError``, ``KeyboardInterrupt`` and ``SystemExit`` are delivered once. Suppressed, the coroutine goes on as if
nothing had been asked: the task cannot be cancelled, ``wait_for`` and Ctrl-C have no effect.

## Example
```python
import asyncio
import contextlib


async def poll(source, sink):
    while True:
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            sink.write(await source.read())
        await asyncio.sleep(5)
```

## Use instead
```python
import asyncio
import contextlib


async def poll(source, sink):
    while True:
        with contextlib.suppress(ConnectionError):
            sink.write(await source.read())
        await asyncio.sleep(5)
```

## Fix safety
Unsafe: what was suppressed, on purpose perhaps, then ends the work.

## Precision
Silent where the function cancels something itself, where a task or future is awaited by its name (it may be cancelled
from elsewhere), in cleanups, and where nothing follows but releases and log lines. Strict where what follows neither waits nor gives a result.

## References
- [contextlib.suppress](https://docs.python.org/3/library/contextlib.html#contextlib.suppress)
- [Task cancellation](https://docs.python.org/3/library/asyncio-task.html#task-cancellation)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Await, Body, Call, Expr, ModuleFacts, Raise, Return, Stmt, With
from shutdown_lint.findings import Finding, Fix, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.swallowed._catching import STOPPING, cancels, last_name, statement_call, suppressed
from shutdown_lint.rules.swallowed._steps import is_release_name
from shutdown_lint.rules.swallowed._tried import waits
from shutdown_lint.rules.waits._stops import STOP_NAME, in_final, is_stop
from shutdown_lint.walk import At, enclosing_loops, own_exprs, sites, subexprs, walk, what_runs_after

RULE = Rule(
    code="SHD504",
    name="suppress-base",
    summary="contextlib.suppress swallows the request to stop, and the work goes on",
    tier="D",
    severity="warning",
    fix="unsafe",
    triggers=(
        "suppress & BaseException",
        "suppress & CancelledError",
        "suppress & KeyboardInterrupt",
        "suppress & SystemExit",
    ),
    origin=("G4",),
)
_ASIDE = ("thread", "timer", "pool-thread", "pool-process", "process", "del", "weakref-callback", "test")
_SAYS = frozenset({"print", "debug", "info", "warning", "error", "exception", "critical", "echo", "log"})
_WRAPPERS = frozenset({"wait_for", "shield", "gather", "wait", "wrap_future"})


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every ``with suppress(…)``."""
    for fn in project.functions(module):
        if is_test(fn):
            continue
        for at in fn.statements:
            if not isinstance(at.stmt, With):
                continue
            for item in at.stmt.items:
                names = suppressed(item.context, fn, project) & STOPPING
                tier = _tier(at, at.stmt.body, names, fn, project) if names else None
                if tier is not None:
                    yield _finding(module, item.context, names, fn, tier)


def _tier(at: At, body: Body, names: frozenset[str], fn: Fn, project: Project) -> Tier | None:
    if in_final(at) or is_stop(fn, project) or _only_releases(body):
        return None
    looping = next(enclosing_loops(at), None) is not None
    if fn.facts.is_async and _awaits_work(body):
        later = tuple(what_runs_after(at))
        if cancels(fn, project) or not (looping or any(not _is_last_thing(stmt) for stmt in later)):
            return None
        return "D" if looping or any(waits(stmt) or _is_outcome(stmt) for stmt in later) else "S"
    if "CancelledError" in names or fn.facts.is_async or project.roles.only(fn, *_ASIDE):
        return None
    if looping and any(True for _ in sites(body)):
        return "D" if "BaseException" in names else "S"
    return None


def _is_last_thing(stmt: Stmt) -> bool:
    """What is right behind the end of the work: a bare end, a release, a line for the log."""
    call = statement_call(stmt)
    if call is not None:
        last = last_name(call)
        return is_release_name(last) or bool(STOP_NAME.match(last)) or last in _SAYS
    return (isinstance(stmt, Return) and stmt.value is None) or (isinstance(stmt, Raise) and stmt.exc is None)


def _is_outcome(stmt: Stmt) -> bool:
    """What the caller takes for a result or for an error; anything else that does not wait comes to its end, and so may the task."""
    return (isinstance(stmt, Return) and stmt.value is not None) or isinstance(stmt, Raise)


def _only_releases(body: Body) -> bool:
    return all(is_release_name(last_name(site.call)) for site in sites(body))


def _awaits_work(body: Body) -> bool:
    """Whether a call is awaited: not a task or future by its name, which someone else may have cancelled."""
    return any(
        isinstance(expr, Await) and _is_work(expr.value)
        for at in walk(body)
        for root in own_exprs(at.stmt)
        for expr in subexprs(root)
    )


def _is_work(expr: Expr) -> bool:
    while isinstance(expr, Call) and last_name(expr) in _WRAPPERS and expr.args:
        expr = expr.args[0].value
    return isinstance(expr, Call) and last_name(expr) not in _WRAPPERS and not is_release_name(last_name(expr))


def _finding(module: ModuleFacts, context: Expr, names: frozenset[str], fn: Fn, tier: Tier) -> Finding:
    assert isinstance(context, Call)
    what = ", ".join(sorted(names))
    return RULE.finding(
        module,
        context.span,
        f"`suppress({what})` in `{fn.qualname}` swallows the request to stop, and the work goes on",
        tier=tier,
        help="suppress only the errors that are expected here",
        fix=Fix("unsafe", "suppress no request to stop", "shd504"),
        trace=(fn.step(context.span, f"{what} ends here, what follows runs on"),),
    )
