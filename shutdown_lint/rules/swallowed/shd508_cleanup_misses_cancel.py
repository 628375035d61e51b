"""A cleanup in ``except Exception`` or ``except TimeoutError`` of a coroutine: cancellation passes by and the resource leaks.

## What it does
Reports, in a coroutine, a ``try`` around an ``await`` whose ``except Exception`` clause releases something and raises
again, when no other clause and no ``finally`` covers ``CancelledError``. What is put back where the function took it counts as
released. So does an attribute that the clause sets back, where a method refuses while it is set (`if self._connection is not None:
raise`). A child that the function started and that only the clause kills (``except TimeoutError: child.kill()``) is reported too; so is a
step of a context manager that stands in ``except Exception`` and again in ``else``, and a done callback that asks a task for its
``exception()`` before it tidies up (strict where the program is not seen to cancel the task).

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

## Fix safety
Safe where the clause does nothing but release and end with a bare `raise`: what passed by it is then released too, and goes
on its way as before.

## Precision
Only clauses that name a release and end with ``raise``, or take an entry out of a container that the function
made. Silent in tests, where a ``finally`` or ``with`` further out (a caller's too, for an attribute) ends the same object, where one of
those that there are is picked and sent away, for a local ``TemporaryDirectory``, which removes itself when it is dropped, and where
an object ends itself after an error (``self.close()``) elsewhere than in what opens it, unless it is broken off (``abort()``) or
this is the last resort of its own stop. Silent too where nothing more is awaited once the thing is there, where it was looked up and not made,
and where a ``finally`` around a call further out reaches the same method; strict for an optional parameter, which belongs to those
callers who have one. In 700 unseen packages 68 of 76 were right before that. One finding for all clauses of a ``try``.

## References
- [asyncio.CancelledError, changed in 3.8](https://docs.python.org/3/library/asyncio-exceptions.html#asyncio.CancelledError)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Attr, Await, Call, ExprStmt, Handler, ModuleFacts, Name, Raise, Stmt, Try
from shutdown_lint.findings import Finding, Fix
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.swallowed._callbacks import Asked, asked
from shutdown_lint.rules.swallowed._catching import awaits, caught, tries
from shutdown_lint.rules.swallowed._covered import covered, covered_outside, what_of
from shutdown_lint.rules.swallowed._done_twice import Twice, done_twice
from shutdown_lint.rules.swallowed._releases import RELEASES, release_calls
from shutdown_lint.rules.swallowed._state_kept import Kept, state_kept
from shutdown_lint.rules.swallowed._undoing import killed_by, released_by, undoes
from shutdown_lint.rules.waits._stops import STOP_NAME
from shutdown_lint.walk import last_name, sites, text

RULE = Rule(
    code="SHD508",
    name="cleanup-misses-cancel",
    summary="a cleanup in `except Exception` of a coroutine is skipped by cancellation",
    tier="D",
    severity="warning",
    fix="safe",
    triggers=(
        r"async def & await & re:except[^\n]*\bException\b & raise",
        r"async def & await & re:except[^\n]*\bException\b & re:(?:put|release|give|return)\w*\( & return",
        r"async def & create_subprocess & re:\.(?:kill|terminate)\(",
        r"contextmanager & yield & re:except[^\n]*\bException\b & else:",
        "add_done_callback & .exception()",
        "add_done_callback & .result()",
    ),
    origin=("G4",),
)

_OPENS = re.compile(
    r"(^|_)(re)?(open|connect|start|a?enter|init|set_?up|log_?in|create|acquire|attach|bind|launch|spawn|handshake|instantiate|serve)(_|$)"
)
_BLOCKING = re.compile(r"(?<!non)(?<!non_)blocking", re.IGNORECASE)
# what a stop falls back on where a decent end fails
_LAST_RESORT = frozenset({"terminate", "kill"})


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every ``except Exception`` of a coroutine that releases and raises again."""
    for fn in project.functions(module):
        for question in asked(fn, project):
            yield _unasked(module, question)
        for twice in done_twice(fn, project) if fn.facts.is_generator else ():
            yield _by_hand(module, fn, twice)
        if not fn.facts.is_async or is_test(fn) or _is_run_without_loop(fn):
            continue
        reported: set[int] = set()
        for at, stmt in tries(fn):
            if not awaits(stmt.body) or covered(stmt, fn, project):
                continue
            if any(
                place.part == "handler" and place.outer and id(place.outer.stmt) in reported for place in at.around()
            ):
                continue  # the same ladder, one rung further
            for handler in stmt.handlers:
                kept = state_kept(at, stmt, handler, fn, project)
                if kept is not None:
                    yield _left_set(module, handler, fn, kept, project)
                released = _released(stmt, handler, fn, project) if kept is None else None
                if released is None or _ends_all(released, stmt, fn) or _cancels_gathered(released, stmt):
                    continue
                if _removes_itself(released, fn, project):
                    continue
                if not covered_outside(at, released, fn, project):
                    names = caught(handler, fn, project)
                    caught_as = "Exception" if "Exception" in names else "TimeoutError"
                    yield _finding(module, handler, fn, released, caught_as, project)
                    reported.add(id(stmt))
                    break  # one `finally` mends all clauses of the `try`


def _is_run_without_loop(fn: Fn) -> bool:
    """Whether the name says that the coroutine is driven to its end by hand, where nothing cancels it: ``BlockingPool.acquire``."""
    return any(_BLOCKING.search(name) for name in (fn.qualname, fn.module.name.rpartition(".")[2]))


def _ends_all(released: Call, stmt: Try, fn: Fn) -> bool:
    """Whether an object ends itself after an error, elsewhere than in what opens it: who cancels the task does not mean that."""
    assert isinstance(released.func, Attr)
    receiver, name = released.func.value, released.func.name.lstrip("_")
    if name == "abort" or name not in RELEASES or (name in _LAST_RESORT and STOP_NAME.match(fn.name)):
        return False
    opens = (fn.name, *(last_name(site.call.func) for site in sites(stmt.body)))
    return isinstance(receiver, Name) and receiver.id == fn.self_name and not any(map(_OPENS.search, opens))


def _is_lent(released: Call, fn: Fn) -> bool:
    """Whether it is handed in by those callers who have one: they are told of the cancellation, too, and most likely end it."""
    assert isinstance(released.func, Attr)
    what = released.func.value
    optional = {param.name for param in fn.facts.params if param.default is not None}
    return isinstance(what, Name) and what.id in optional and len(fn.bindings.get(what.id, ())) < 2


def _removes_itself(released: Call, fn: Fn, project: Project) -> bool:
    """Whether it is a local temporary folder: it has a finalizer of its own, which runs when the function is left."""
    what = what_of(released)
    return isinstance(what, Name) and what.id in fn.bindings and "tempdir" in project.resources.kinds_of(what, fn)


def _cancels_gathered(released: Call, stmt: Try) -> bool:
    """Whether only tasks are cancelled that a ``gather`` waits for, which cancels them by itself when it is cancelled."""
    awaited = [site for site in sites(stmt.body) if site.awaited]
    return (
        last_name(released.func) == "cancel"
        and bool(awaited)
        and all(last_name(site.call.func) == "gather" for site in awaited)
    )


def _released(stmt: Try, handler: Handler, fn: Fn, project: Project) -> Call | None:
    """What the clause releases, where it does so to undo what the ``try`` began."""
    names = caught(handler, fn, project)
    if not names <= {"Exception", "TimeoutError"}:
        return None
    found = released_by(handler, stmt, fn) if "Exception" in names and undoes(handler, stmt, fn) else None
    return found or killed_by(handler, fn, project)


def _what_is_raised(fn: Fn, project: Project) -> str:
    """Other libraries than asyncio have exceptions of their own."""
    return "CancelledError" if "asyncio" in project.modules.of(fn.module).imports else "cancellation"


def _finding(
    module: ModuleFacts, handler: Handler, fn: Fn, released: Call, caught_as: str, project: Project
) -> Finding:
    return RULE.finding(
        module,
        handler.span,
        f"`{text(released)}` in `{fn.qualname}` is skipped when the task is cancelled: "
        f"`except {caught_as}` does not see {_what_is_raised(fn, project)}",
        tier="S" if _is_lent(released, fn) else None,
        lost=(fn.step(released.span, f"`{text(released)}`"),),
        help="catch `BaseException` here (the clause raises again), or release in `finally`"
        if isinstance(handler.body[-1], Raise)
        else "release in `finally`, or in a clause for `BaseException` that raises again",
        fix=_fix(handler, caught_as),
    )


def _left_set(module: ModuleFacts, handler: Handler, fn: Fn, kept: Kept, project: Project) -> Finding:
    what = text(kept.what)
    return RULE.finding(
        module,
        handler.span,
        f"`{what}` stays set when the task is cancelled in `{fn.qualname}`: "
        f"`except Exception` does not see {_what_is_raised(fn, project)}, and `{kept.asks.qualname}` refuses from then on",
        lost=(fn.step(kept.reset.span, f"`{what}` is set back"),),
        trace=(kept.asks.step(kept.asks.facts.span, f"`{kept.asks.qualname}` asks whether `{what}` is set"),),
        help="catch `BaseException` here (the clause raises again), or set it back in `finally`",
        fix="the clause does more than to release",
    )


def _by_hand(module: ModuleFacts, fn: Fn, found: Twice) -> Finding:
    step = text(found.call)
    return RULE.finding(
        module,
        found.handler.span,
        f"`{step}` in `{fn.qualname}` is skipped when Ctrl-C, an exit or a cancellation ends the `with` block: "
        "neither `except Exception` nor `else` runs then",
        lost=(fn.step(found.call.span, f"`{step}`"),),
        help="put the step into `finally`",
        fix="the step stands in two places",
    )


def _unasked(module: ModuleFacts, found: Asked) -> Finding:
    question, fn = text(found.call), found.callback
    return RULE.finding(
        module,
        found.call.span,
        f"`{question}` in the done callback `{fn.qualname}` raises CancelledError when the task was cancelled: {found.lost} is skipped",
        tier="D" if found.sure else "S",
        confidence="proven" if found.sure else "likely",
        lost=(fn.step(found.lost_at.span, found.lost),),  # type: ignore[union-attr]  # a call or an assignment
        trace=(found.giver.step(found.given.span, f"`{text(found.given)}`"),),
        help="ask `cancelled()` first, or put the later steps into `finally`",
        fix="this is no clause",
    )


def _fix(handler: Handler, caught_as: str) -> Fix | str:
    if caught_as != "Exception":
        return "the clause is for the end of a limit"
    *others, last = handler.body
    if not isinstance(last, Raise) or last.exc is not None:
        return "the clause raises something else than what it caught"
    if not all(_is_release(stmt) for stmt in others):
        return "the clause does more than to release"
    return Fix("safe", "catch `BaseException`, which holds cancellation too", "shd508")


def _is_release(stmt: Stmt) -> bool:
    value = stmt.value if isinstance(stmt, ExprStmt) else None
    call = value.value if isinstance(value, Await) else value
    return isinstance(call, Call) and call in release_calls((stmt,))
