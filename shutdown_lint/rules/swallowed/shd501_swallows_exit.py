"""A bare ``except`` or ``except BaseException`` swallows the request to stop and goes on.

## What it does
Reports ``except:`` and ``except BaseException`` whose body neither raises, ends the process, leaves the loop, nor keeps
the exception for someone else: around an ``await`` in a coroutine, or in a loop that may run in the main thread. Also a clause that
hands the interrupt on in the place of a result (`return handle(Failure(), item)` beside `return handle(result, item)`, or the text
of the traceback in the name that else holds the outcome), when a loop goes on with the next item.

## Why it matters
``KeyboardInterrupt``, ``SystemExit`` (which a SIGTERM handler raises) and ``CancelledError`` are not errors: they are how
a program is told to stop. Swallowed in a loop, the program goes on until SIGKILL.

## Example
```python
import time


def poll(source):
    while True:
        try:
            source.fetch()
            time.sleep(1)
        except:
            print("fetch failed")
```

## Use instead
```python
import time


def poll(source):
    while True:
        try:
            source.fetch()
            time.sleep(1)
        except Exception:
            print("fetch failed")
```

## Fix safety
Unsafe: `except Exception` lets errors through that the clause was perhaps meant for. Offered where nothing in the `try` exits in
its normal course.

## Precision
By default around an `await`, and in loops that have no end of their own or that wait, around what waits or is handed in. Strict where the `try` waits, talks to a
server or works in a loop of its own while the loop around it ends by itself, and where it only awaits a task that is kept, whose
exception may be that task's own, or waits in a coroutine without an ``await``, where no cancellation arrives. Preview for every
other bare clause, for callbacks that others supply, for single steps of a cleanup and for the loops of shells, and where a file is
read to its end: of 11 strict ones that were read in unseen packages, the 5 true ones waited or worked. By default 5 of 8
were right before these were told apart, and 7 of 7 since. In 430 more, 6 of 6 around an `await` were right, and 1 of 8 in loops
that end by themselves, which are strict or previews since. In 700 more, 27 of 31: the others were run by threads that call it by a
name only, ended their task behind a flag that the clause sets, or stood in a chat with a person, and are silent or strict since, as are
the steps of a cleanup that goes from member to member.
Silent where the clause raises on some path, stores or forwards the exception, ends the loop or the process, where an
earlier clause deals with the stopping exceptions (or raises what nobody can see: `except self.fatal: raise`), where the
clause changes what the loop tests, where a task ends behind the clause anyway, and in bodies that only threads or child processes run: a thread never
sees ``KeyboardInterrupt``.

## References
- [Exception hierarchy](https://docs.python.org/3/library/exceptions.html#exception-hierarchy)
- [asyncio.CancelledError](https://docs.python.org/3/library/asyncio-exceptions.html#asyncio.CancelledError)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import (
    Assign,
    Attr,
    Const,
    ExprStmt,
    For,
    Handler,
    ModuleFacts,
    Name,
    Raise,
    Return,
    Stmt,
    Try,
    While,
)
from shutdown_lint.findings import Finding, Fix, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.swallowed._as_result import as_result
from shutdown_lint.rules.swallowed._catching import (
    awaits,
    cancels,
    caught,
    forwards,
    last_name,
    leaves,
    raises,
    shielded_by_sibling,
    tries,
)
from shutdown_lint.rules.swallowed._goes_on import ends_task, goes_on_and_on
from shutdown_lint.rules.swallowed._tried import (
    asks_for_results,
    awaits_a_task,
    is_work,
    may_last,
    may_wait,
    releases_only,
    works,
)
from shutdown_lint.rules.swallowed._where_caught import (
    THREADS,
    calls_each,
    closes_behind,
    ends_in_final,
    in_chat,
    in_cleanup,
    is_a_thread,
    is_command,
    is_prompt,
    may_be_a_thread,
    only_threads_call,
    waits_for_child,
)
from shutdown_lint.rules.waits._stops import is_stop
from shutdown_lint.walk import At, enclosing_loops, same, sites, subexprs, walk, what_runs_after

RULE = Rule(
    code="SHD501",
    name="swallows-exit",
    summary="a bare except or except BaseException swallows the request to stop and goes on",
    tier="D",
    severity="warning",
    fix="unsafe",
    triggers=(r"re:except(?:\s*:|[^\n]*BaseException|\s*\([^)]*BaseException)",),
    origin=("G4",),
)
# calls that exit the program when all is as it should be: argument parsers above all
_EXITS = frozenset(
    {"exit", "quit", "parse_args", "parse_known_args", "main", "invoke", "exec", "run_path", "run_module"}
)


# where no interrupt and no request to exit arrives
_NEVER_INTERRUPTED = (*THREADS, "pool-process", "process", "del", "weakref-callback", "test")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every handler of every ``try``."""
    for fn in project.functions(module):
        for at, stmt in tries(fn):
            for handler in stmt.handlers:
                if "BaseException" not in caught(handler, fn, project) or _ends_loop(at, handler):
                    continue
                if (
                    shielded_by_sibling(stmt, handler, fn, project)
                    or raises(handler.body)
                    or _is_ended_by_final(at, stmt)
                ):
                    continue
                tier = _tier(at, stmt, fn, project)
                if tier is not None and as_result(at, stmt, handler, fn, project):
                    yield _finding(module, at, stmt, handler, fn, "D", "hands it on as if the work had failed")
                elif tier is not None and not leaves(handler.body) and not forwards(handler, fn):
                    yield _finding(module, at, stmt, handler, fn, tier)
                elif tier is not None and _gives_nothing(handler, stmt, fn) and not forwards(handler, fn):
                    yield _finding(module, at, stmt, handler, fn, "S", "gives its caller nothing instead")


def _gives_nothing(handler: Handler, stmt: Try, fn: Fn) -> bool:
    """Whether a coroutine that is cancelled returns None or a flag, which its caller takes for a failure, and goes on."""
    last = handler.body[-1] if handler.body else None
    if not fn.facts.is_async or not awaits(stmt.body) or not isinstance(last, Return):
        return False
    gives = [at.stmt.value for at in fn.statements if isinstance(at.stmt, Return)]
    nothing = last.value is None or (isinstance(last.value, Const) and last.value.value in (None, False))
    return nothing and any(value is not None and not isinstance(value, Const) for value in gives)


def _is_ended_by_final(at: At, stmt: Try) -> bool:
    """Whether the ``finally`` of this or of an outer ``try`` ends the process: ``finally: os._exit(code)`` of a forked child."""
    outer = (place.outer.stmt for place in at.around() if place.outer is not None and place.part != "final")
    return any(raises(one.final) for one in (stmt, *outer) if isinstance(one, Try))


def _ends_loop(at: At, handler: Handler) -> bool:
    """Whether the clause gives what a loop around it tests another value: ``self.running = False``, ``done.set()``."""
    tests = [loop.stmt.test for loop in enclosing_loops(at) if isinstance(loop.stmt, While)]
    tested = [expr for test in tests for expr in subexprs(test) if isinstance(expr, (Name, Attr))]
    changed = [
        target for inner in walk(handler.body) if isinstance(inner.stmt, Assign) for target in inner.stmt.targets
    ]
    for site in sites(handler.body):
        if isinstance(site.call.func, Attr) and site.call.func.name in ("set", "clear"):
            changed.append(site.call.func.value)
    return any(same(target, expr) for target in changed for expr in tested)


def _tier(at: At, stmt: Try, fn: Fn, project: Project) -> Tier | None:
    if any(project.roles.only(maker, *_NEVER_INTERRUPTED) for maker in _makers(fn)):
        return None
    if any(_ends(stmt) for place in at.around() for stmt in place.after()):
        return None  # the request that this is the cleanup of goes on, or the program ends anyway
    if releases_only(stmt) and is_stop(fn, project):
        # one step of a cleanup that must go through
        return "S" if fn.facts.is_async and awaits(stmt.body) else "P"
    if fn.facts.is_async and awaits(stmt.body):
        if cancels(fn, project) or ends_task(at, fn, project):
            return None
        if awaits_a_task(stmt):
            return "S"  # of a task that is over, the exception is its own
        if any(place.part == "final" for place in at.around()):
            return "S"  # the request that `finally` runs for goes on behind it; this is a second one
        loops = tuple(enclosing_loops(at))
        if is_stop(fn, project) and all(isinstance(loop.stmt, For) and not loop.stmt.is_async for loop in loops):
            return "S"  # one step of a cleanup, or of that of one member: it comes to its end
        return "S" if not loops and _is_the_end(at) else "D"
    if asks_for_results(stmt) or is_a_thread(fn) or only_threads_call(fn, project):
        return None
    if fn.facts.is_async:
        return "S" if may_wait(stmt, fn, project) else "P"  # cancellation, which Ctrl-C is too, comes out of an await
    if next(enclosing_loops(at), None) is None or not any(True for _ in sites(stmt.body)):
        last = is_command(fn, project) or closes_behind(at, stmt) or ends_in_final(at, stmt)
        return "S" if may_wait(stmt, fn, project) and not last else "P"
    if not may_last(stmt, fn, project) and not any(is_work(site.call) for site in sites(stmt.body)):
        return "P"
    if in_cleanup(at) or releases_only(stmt) or calls_each(at, stmt, fn, project):
        return "S" if may_wait(stmt, fn, project) else "P"
    if is_prompt(stmt, fn) or waits_for_child(at, stmt):
        return "P"
    if may_last(stmt, fn, project) and goes_on_and_on(at, fn, project):
        return "S" if may_be_a_thread(fn, project) or in_chat(at) else "D"
    return "S" if may_wait(stmt, fn, project) or works(stmt, fn, project) else "P"


def _is_the_end(at: At) -> bool:
    """Whether the function ends behind the clause, if only by `return`: what called it goes on, and may well end, too."""
    return all(isinstance(stmt, Return) and not awaits((stmt,)) for stmt in what_runs_after(at))


def _makers(fn: Fn) -> Iterator[Fn]:
    """The function and those that it is nested in, which most likely have it called, whoever else calls what they give it to."""
    while not fn.is_module:
        yield fn
        if fn.parent is None:
            return
        fn = fn.parent


def _ends(stmt: Stmt) -> bool:
    """``raise``, ``sys.exit(1)``."""
    return isinstance(stmt, Raise) or (isinstance(stmt, ExprStmt) and raises((stmt,)))


def _finding(
    module: ModuleFacts,
    at: At,
    stmt: Try,
    handler: Handler,
    fn: Fn,
    tier: Tier,
    then: str = "nothing passes it on",
) -> Finding:
    what = "`except:`" if handler.types is None else "`except BaseException`"
    lost = (
        "CancelledError, KeyboardInterrupt and SystemExit" if awaits(stmt.body) else "KeyboardInterrupt and SystemExit"
    )
    end = ", and the work goes on" if tier == "D" else " that arrive in this `try`"
    if tier == "D" and any(isinstance(loop.stmt, While) for loop in enclosing_loops(at)):
        end += ": the program cannot be stopped here"
    return RULE.finding(
        module,
        handler.span,
        f"{what} in `{fn.qualname}` swallows {lost}{end}",
        tier=tier,
        help="catch `Exception`, or end the clause with `raise`",
        trace=(
            fn.step(stmt.span, "the request to stop arrives in this `try`"),
            fn.step(
                handler.span,
                f"caught here, and the clause {then}" if then.startswith("hands") else f"caught here, {then}",
            ),
        ),
        fix=_fix(stmt),
    )


def _fix(stmt: Try) -> Fix | str:
    if any(last_name(site.call) in _EXITS for site in sites(stmt.body)):
        return "the `try` may end by SystemExit in its normal course"
    return Fix("unsafe", "catch `Exception` only", "shd501")
