"""`task_done()` is skipped when the work raises, and `queue.join()` waits for ever.

## What it does
Reports `task_done()` that stands behind work which can raise (or behind a `continue`) and not in a `finally`, where the program
joins the same queue; the item may also be taken in the call that works on it (`handle(jobs.get())`). So is the last step of a
worker behind its loop, an event that is set or a future that gets its result, where a stop waits for it without limit and the loop
calls what may fail (strict: where only a cancellation of the task skips it). Strict: the `set()` of an
event behind a worker's call for a port, a peer or a file, or behind its own `clear()` and work, when nobody else sets it and
somebody waits for it without limit.

## Why it matters
`queue.join()` counts: one item that is taken and never reported keeps it waiting, and it takes no limit. A single bad item
then keeps the program from ending.

## Example
```python
import queue
import threading

jobs = queue.Queue()


def convert(path):
    with open(path, encoding="utf-8") as source:
        print(source.read())


def worker():
    while True:
        path = jobs.get()
        convert(path)
        jobs.task_done()


def main(paths):
    threading.Thread(target=worker, daemon=True).start()
    for path in paths:
        jobs.put(path)
    jobs.join()
```

## Use instead
```python
import queue
import threading

jobs = queue.Queue()


def convert(path):
    with open(path, encoding="utf-8") as source:
        print(source.read())


def worker():
    while True:
        path = jobs.get()
        try:
            convert(path)
        except OSError as error:
            print(error)
        finally:
            jobs.task_done()


def main(paths):
    threading.Thread(target=worker, daemon=True).start()
    for path in paths:
        jobs.put(path)
    jobs.join()
```

## Fix safety
Safe in one shape: `get()` is assigned, the work follows in the same block and jumps nowhere, and the function's only
`task_done()` ends it. The work goes into a `try`, `task_done()` into its `finally`; without an error all runs as before.

## Precision
The `join()` must be seen to be of the same queue. Silent where what is between cannot raise: output, sleeps, containers,
functions whose whole body catches `Exception`; and where a clause that catches the error reports the item as well.

## References
- [Queue.task_done](https://docs.python.org/3/library/queue.html#queue.Queue.task_done)
- [asyncio.Queue.join](https://docs.python.org/3/library/asyncio-queue.html#asyncio.Queue.join)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import (
    Attr,
    Await,
    Body,
    Call,
    Const,
    Continue,
    Expr,
    ExprStmt,
    For,
    If,
    ModuleFacts,
    Name,
    Op,
    Stmt,
    Try,
    While,
)
from shutdown_lint.findings import Finding, Fix
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.values import Instance, Values
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._end_told import EndTold, ends_told
from shutdown_lint.rules.waits._never_set import Unset, never_set, told
from shutdown_lint.rules.waits._polls import is_limited
from shutdown_lint.rules.waits._skipping import breaker, may_raise
from shutdown_lint.rules.waits._stops import receiver
from shutdown_lint.rules.waits._work import given_to
from shutdown_lint.walk import At, Site, argument, last_name, same, sites, subexprs, text

RULE = Rule(
    code="SHD403",
    name="task-done-not-in-finally",
    summary="`task_done()` is skipped when the work raises, and the queue is joined",
    tier="D",
    severity="warning",
    fix="safe",
    triggers=(
        "task_done(",
        r".set() & Event & re:Thread|Process|create_task|ensure_future|executor|submit",
        ".set() & Event & .clear()",
        r"while & re:\n[ \t]+[\w.]+\.set_result\(",
    ),
    origin=("G11",),
)

HELP = "put the work into a `try` and `task_done()` into its `finally`"
_FIX = Fix("safe", "report the item in a `finally`", "shd403")
_QUEUES = frozenset(
    {
        "queue.Queue",
        "queue.LifoQueue",
        "queue.PriorityQueue",
        "asyncio.Queue",
        "asyncio.LifoQueue",
        "asyncio.PriorityQueue",
        "multiprocessing.JoinableQueue",
        "multiprocessing.Queue",
    }
)
_GETS = ("get", "get_nowait")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The reports of the module that may be skipped."""
    for fn in project.functions(module):
        if is_test(fn):
            continue
        ends = {id(end.tell): end for end in ends_told(fn, project)}
        yield from (_end_not_told(fn, end) for end in ends.values())
        for unset in never_set(fn, project):
            if id(unset.done.call) not in ends:
                yield _never(fn, unset)
        if "task_done" not in fn.mentions:
            continue
        done = [site for site in fn.sites if _method(site) == "task_done"]
        for site in done if not any(_is_final(other) for other in done) else ():
            skipped = _skipped_by(site, fn, done, project)
            joined = _join(site, fn, project, skipped.endswith(" raises")) if skipped is not None else None
            if skipped is not None and joined is not None:
                yield _finding(site, fn, skipped, joined)


def _method(site: Site) -> str:
    return site.call.func.name if isinstance(site.call.func, Attr) else ""


def _is_final(site: Site) -> bool:
    return any(place.part == "final" or place.handler is not None for place in site.at.around())


# --- what skips it ---------------------------------------------------------------------------------------------------


def _skipped_by(done: Site, fn: Fn, all_done: list[Site], project: Project) -> str | None:
    """What stands between the ``get()`` and the report and may keep it from running."""
    queue = receiver(done.call)
    between: list[Stmt] = []
    for place in done.at.around():
        outer = place.outer.stmt if place.outer is not None else None
        before = place.before()
        taken = next((n for n, stmt in enumerate(before) if _takes((stmt,), queue)), None)
        between = [*(before if taken is None else before[taken + 1 :]), *between]
        if taken is not None:
            between = [stmt for stmt in between if not _is_idle_guard(stmt, queue, project)]
            return breaker(tuple(between), fn, all_done, project)
        work = None if fn.facts.is_async else next((c for s in reversed(before) if (c := _takes_for(s, queue))), None)
        if work is not None and may_raise(work, fn, project):
            return f"`{text(work)}` raises"
        if isinstance(outer, (While, For)):
            return None
        if isinstance(outer, If) and place.part == "body":
            between.insert(0, ExprStmt(outer.test, outer.span))  # asked first
    return None


def _is_idle_guard(stmt: Stmt, queue: Expr | None, project: Project) -> bool:
    """``if item is None: continue``, where nobody puts a None into a queue of that name."""
    if not isinstance(stmt, If) or len(stmt.body) != 1 or not isinstance(stmt.body[0], Continue) or stmt.orelse:
        return False
    test = stmt.test
    if not (isinstance(test, Op) and test.op == "is" and isinstance(test.operands[-1], Const)):
        return False
    return not any(
        last_name(receiver(site.call)) == last_name(queue)
        and any(isinstance(arg.value, Const) and arg.value.value is None for arg in site.call.args)
        for word in ("put", "put_nowait")
        for _, site in project.calls.calls_named(word)
    )


def _takes(block: Body, queue: Expr | None) -> bool:
    found = (site for site in sites(block) if _method(site) in _GETS and same(receiver(site.call), queue))
    return any(not _is_handed_on(site) for site in found)


def _takes_for(stmt: Stmt, queue: Expr | None) -> Call | None:
    """The call for which an item is taken, in one statement: ``handle(*queue.get())``."""
    call = stmt.value if isinstance(stmt, ExprStmt) else None
    taken = (site for site in sites((stmt,)) if _method(site) in _GETS and same(receiver(site.call), queue))
    return call if isinstance(call, Call) and any(call is parent for get in taken for parent in get.parents) else None


def _is_handed_on(get: Site) -> bool:
    """Whether another call gets the coroutine, ``create_task(queue.get())``: nothing is taken from the queue here."""
    return any(isinstance(p, Call) for p in get.parents) and not any(isinstance(p, Await) for p in get.parents)


# --- who waits -------------------------------------------------------------------------------------------------------


def _join(done: Site, fn: Fn, project: Project, raised: bool) -> tuple[Site, Fn] | None:
    """The ``join()`` of the same queue; what is ``raised`` and not caught leaves the function, and never comes to its own join."""
    made = _made(receiver(done.call), fn, project)
    if not made:
        return None
    for other, site in project.calls.calls_named("join"):
        if (
            not site.call.args
            and isinstance(site.call.func, Attr)
            and not is_test(other)
            and not _gathers(site, other)
            and not is_limited(site)
        ):
            if made & _made(site.call.func.value, other, project):
                if other is fn and raised and not _is_caught_here(done.at):
                    continue
                return site, other
    return None


def _is_caught_here(at: At) -> bool:
    """Whether an error of the work ends in a clause of the same function."""
    return any(
        handler.types is None or {last_name(part) for part in subexprs(handler.types)} & {"Exception", "BaseException"}
        for place in at.around()
        if place.outer is not None and place.part == "body" and isinstance(place.outer.stmt, Try)
        for handler in place.outer.stmt.handlers
    )


def _gathers(join: Site, fn: Fn) -> bool:
    """Whether the workers are gathered before: what one of them raises comes out there, and the join is never reached."""
    line = join.call.span.line
    return any(
        site.awaited
        and last_name(site.call.func) == "gather"
        and site.call.span.line < line
        and argument(site.call, 99, "return_exceptions") is None
        for site in fn.sites
    )


def _made(expr: Expr | None, fn: Fn, project: Project) -> frozenset[int]:
    """The places that make the queue; a worker gets it by ``Thread(target=worker, args=(queue,))``."""
    found = _makers(project.evaluate.values(expr, fn), project)
    if not found and isinstance(expr, Name):
        for given, holder in given_to(expr.id, fn, project):
            found |= _makers(project.evaluate.values(given, holder), project)
    return found


def _makers(values: Values, project: Project) -> frozenset[int]:
    return frozenset(
        id(value.call)
        for value in values
        if isinstance(value, Instance) and value.call is not None and _is_queue(value, project)
    )


def _is_queue(value: Instance, project: Project) -> bool:
    """Whether it is a queue, or made of a class of the project that derives from one."""
    names = (value.cls,) if isinstance(value.cls, str) else project.classes.external_bases(value.cls)
    return any(project.models.canonical(name) in _QUEUES for name in names)


def _finding(done: Site, fn: Fn, skipped: str, joined: tuple[Site, Fn]) -> Finding:
    site, other = joined
    where = f" in `{other.qualname}`" if not other.is_module else ""
    message = f"`{text(done.call)}` is skipped when {skipped}: `{text(site.call)}`{where} then waits for ever"
    if skipped == "`continue`":
        message = f"`{text(done.call)}` is skipped by `continue`: `{text(site.call)}`{where} then waits for ever"
    fix = "the item may be left unreported on purpose" if skipped == "`continue`" else _FIX
    trace = (other.step(site.call.span, f"`{text(site.call)}` waits until every item is reported"),)
    return RULE.finding(fn.module, done.call.span, message, trace=trace, help=HELP, fix=fix)


def _never(fn: Fn, found: Unset) -> Finding:
    call = found.wait.call
    return RULE.finding(
        fn.module,
        found.done.call.span,
        told(found),
        tier="S",
        confidence="likely",
        lost=(fn.step(found.done.call.span, f"`{text(found.done.call)}`"),),
        trace=(found.waiter.step(call.span, f"`{text(call)}` waits without limit"),),
        help="set the event in a `finally` (and say how it went), or wait with a limit and look whether the worker lives",
        fix="it is an event, and no item of a queue",
    )


def _end_not_told(fn: Fn, found: EndTold) -> Finding:
    tell, waiter = text(found.tell), found.waiter
    skipped = "the work before it raises" if found.sure else "the task is cancelled"
    return RULE.finding(
        fn.module,
        found.tell.span,
        f"`{tell}` in `{fn.qualname}` is skipped when {skipped}: `{waiter.qualname}`, which waits for it without limit, then waits for ever",
        tier="D" if found.sure else "S",
        confidence="proven" if found.sure else "likely",
        lost=(fn.step(found.tell.span, f"`{tell}`"),),
        trace=(
            fn.step(found.risk.span, f"this may raise: {found.what}"),
            waiter.step(found.wait.at.stmt.span, f"`{waiter.qualname}` waits"),  # type: ignore[union-attr]  # a statement that waits has a span
        ),
        help=f"put the work into `try` and `{tell}` into `finally`",
        fix="it is no item of a queue",
    )
