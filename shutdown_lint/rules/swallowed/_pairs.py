"""Steps that undo an earlier one of the same block, and that an exception between the two skips.

``lock.acquire()`` … ``lock.release()``, ``old = signal.signal(…)`` … ``signal.signal(…, old)``, ``task = create_task(…)``
… ``task.cancel()``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Assert, Assign, Attr, Await, Call, Expr, ExprStmt, Name, Raise, Stmt, Try
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.scopes import Value
from shutdown_lint.project.values import Instance
from shutdown_lint.rules.swallowed._catching import raises
from shutdown_lint.rules.swallowed._undoing import GIVES_OWN, TAKES
from shutdown_lint.walk import At, argument, last_name, same, sites, text

_LOCKS = frozenset(
    {
        "threading.Lock",
        "threading.RLock",
        "threading.Semaphore",
        "threading.BoundedSemaphore",
        "threading.Condition",
        "multiprocessing.Lock",
        "multiprocessing.RLock",
        "multiprocessing.Semaphore",
        "asyncio.Lock",
        "asyncio.Semaphore",
        "asyncio.BoundedSemaphore",
        "asyncio.Condition",
    }
)
TASKS = ("asyncio.create_task", "asyncio.ensure_future", "asyncio.AbstractEventLoop.create_task")


# What is done under a lock and does not fail in practice: containers, conditions, the clock.
_CALM = frozenset(
    {
        "append", "appendleft", "popleft", "pop", "add", "discard", "remove", "insert", "clear", "get", "items", "keys",
        "values", "copy", "extend", "update", "setdefault", "notify", "notify_all", "notifyAll", "wait", "set", "is_set",
        "empty", "qsize", "full", "range", "enumerate", "zip", "sorted", "sum", "any", "all", "time", "monotonic", "len",
        "list", "tuple", "dict", "min", "max", "int", "str", "isinstance", "debug", "info", "warning", "error", "release",
        "id", "bool", "type", "Thread", "start", "float", "abs", "round", "uniform", "random", "randint", "get_ident",
        "current_thread", "getpid", "perf_counter", "time_ns", "is_alive", "isAlive", "isSet", "Timer", "Event", "hasattr",
        "getattr", "setattr",
    }
)  # fmt: skip
_MAX_DEPTH = 2


class Pair(NamedTuple):
    """``undo`` is the call at ``at`` that takes back what ``start`` did; ``so`` is what stays if it never runs; ``lock`` what it locks."""

    start: At
    at: At
    undo: Call
    so: str
    between: tuple[Stmt, ...]
    lock: Expr | None = None


def pairs(fn: Fn, project: Project) -> Iterator[Pair]:
    """The pairs of the function whose second step is skipped by an exception."""
    for at in fn.statements:
        undo = _call_of(at.stmt)
        if undo is None or not isinstance(undo.func, Attr):
            continue
        found = _start(at, undo, undo.func, fn, project)
        if found is not None and not _undone_elsewhere(undo, at, fn):
            yield found


def _start(at: At, undo: Call, func: Attr, fn: Fn, project: Project) -> Pair | None:
    if func.name == "release" and not undo.args:
        return _lock(at, undo, func.value, fn, project)
    if undo.args and GIVES_OWN.match(func.name):
        return _borrowed(at, undo, func, fn)
    if func.name == "cancel" and isinstance(func.value, Name):
        return _task(at, undo, func.value, fn, project)
    if func.name == "signal" and project.calls.is_call_to(undo, fn, "signal.signal"):
        return _handler(at, undo, fn, project)
    return None


def _call_of(stmt: Stmt) -> Call | None:
    value = stmt.value if isinstance(stmt, ExprStmt) else None
    value = value.value if isinstance(value, Await) else value
    return value if isinstance(value, Call) else None


def _earlier(at: At) -> Iterator[tuple[int, At]]:
    """The statements before it in its block, nearest first."""
    for position in range(at.position - 1, -1, -1):
        yield position, At(at.block[position], at.block, position, at.part, at.outer, at.handler)


def _lock(at: At, undo: Call, receiver: Expr, fn: Fn, project: Project) -> Pair | None:
    for position, earlier in _earlier(at):
        call = _call_of(earlier.stmt)
        func = call.func if call is not None else None
        if not isinstance(func, Attr) or not same(func.value, receiver):
            continue
        if func.name != "acquire" or not _is_lock(receiver, fn, project) or _is_own(receiver, fn, project):
            return None
        between = at.block[position + 1 : at.position]
        if all(is_calm(site.call, fn, project) for site in sites(between)):
            return None
        so = f"`{text(receiver)}` stays locked, and who takes it next waits for ever"
        return Pair(earlier, at, undo, so, between, receiver)
    return None


def is_calm(call: Call, fn: Fn, project: Project, depth: int = 0) -> bool:
    """Whether the call does not fail in practice: one of those, or a function of the project that makes only such."""
    if last_name(call.func) in _CALM:
        return True
    targets = project.calls.targets(call, fn) if depth < _MAX_DEPTH else ()
    return bool(targets) and all(
        not any(isinstance(at.stmt, (Raise, Assert)) for at in target.fn.statements)
        and not target.fn.facts.is_async
        and all(is_calm(site.call, target.fn, project, depth + 1) for site in target.fn.sites)
        for target in targets
    )


def _is_lock(receiver: Expr, fn: Fn, project: Project) -> bool:
    values = project.evaluate.values(receiver, fn)
    return bool(values) and all(isinstance(v, Instance) and v.cls in _LOCKS for v in values)


def _is_own(receiver: Expr, fn: Fn, project: Project) -> bool:
    """Whether the lock is made anew in each call, so that nobody else ever takes it."""
    if not isinstance(receiver, Name) or fn.is_module or not _stays(receiver.id, fn):
        return False
    made = any(
        isinstance(binding, Value) and isinstance(binding.expr, Call) for binding in fn.bindings.get(receiver.id, ())
    )
    return made and not any(
        other.parent is fn and receiver.id in other.mentions for other in project.functions(fn.module)
    )


def _borrowed(at: At, undo: Call, func: Attr, fn: Fn) -> Pair | None:
    """``connection = pool.acquire()`` … ``pool.release(connection)``."""
    given = undo.args[0].value
    made = _made_before(given, at, fn) if isinstance(given, Name) else None
    if made is None or not isinstance(given, Name) or not isinstance(made[1].func, Attr):
        return None
    if not TAKES.match(made[1].func.name) or not same(made[1].func.value, func.value):
        return None
    between = at.block[made[0].position + 1 : at.position]
    if all(last_name(site.call.func) in _CALM for site in sites(between)) or _ends_when_it_fails(between, given.id):
        return None
    return Pair(made[0], at, undo, f"`{text(func.value)}` never gets `{given.id}` back", between)


def _ends_when_it_fails(between: tuple[Stmt, ...], name: str) -> bool:
    """``except BaseException: connection.close(); raise``: what has failed is not given back, and ended instead."""
    for stmt in between:
        calls = (stmt,) if not isinstance(stmt, Try) else (*stmt.orelse, *stmt.final)
        if any(last_name(site.call.func) not in _CALM for site in sites(calls)):
            return False
        if isinstance(stmt, Try):
            ended = [any(_is_of(site.call, name) for site in sites(handler.body)) for handler in stmt.handlers]
            if not all(ended) or not any(
                h.types is None or last_name(h.types) == "BaseException" for h in stmt.handlers
            ):
                return False
    return True


def _is_of(call: Call, name: str) -> bool:
    """``name.close()``."""
    return isinstance(call.func, Attr) and isinstance(call.func.value, Name) and call.func.value.id == name


def _task(at: At, undo: Call, name: Name, fn: Fn, project: Project) -> Pair | None:
    made = _made_before(name, at, fn)
    if made is None or not project.calls.is_call_to(made[1], fn, *TASKS) or not _stays(name.id, fn):
        return None
    if _ends_the_program(fn, project):
        return None
    between = at.block[made[0].position + 1 : at.position]
    # a mere sleep beside a task stands in for waiting for it, which is another rule's
    # only a cancel ends a wait; where the program's main coroutine is cancelled, so are all tasks
    idle = {"sleep", "wait"} if is_main(fn, project) else {"sleep"}
    works = any(site.awaited and last_name(site.call.func) not in idle for site in sites(between))
    return Pair(made[0], at, undo, f"task `{name.id}` goes on", between) if works else None


def _ends_the_program(fn: Fn, project: Project) -> bool:
    """Whether an error in the coroutine ends its program, and all tasks with it: only a command awaits it, and catches nothing."""
    callers = project.calls.callers(fn)
    return bool(callers) and all(
        caller.fn.facts.is_async
        and (is_main(caller.fn, project) or project.roles.only(caller.fn, "main"))
        and not any(isinstance(place.stmt, Try) for place in caller.site.at.around())
        for caller in callers
    )


def is_main(fn: Fn, project: Project) -> bool:
    """Whether the function is the program's main coroutine: ``asyncio.run(main())``."""
    return any(
        isinstance(caller.site.parents[0], Call)
        and project.calls.is_call_to(caller.site.parents[0], caller.fn, "asyncio.run")
        for caller in project.calls.callers(fn)
        if caller.site.parents
    )


def _handler(at: At, undo: Call, fn: Fn, project: Project) -> Pair | None:
    old = argument(undo, 1, "handler")
    made = _made_before(old, at, fn) if isinstance(old, Name) else None
    if made is None or not project.calls.is_call_to(made[1], fn, "signal.signal", "signal.getsignal"):
        return None
    if raises(at.after()):
        return None  # the program ends behind it, as an exception would end it
    signal = text(argument(undo, 0, "signalnum"))
    between = at.block[made[0].position + 1 : at.position]
    return Pair(made[0], at, undo, f"the handler of `{signal}` is never put back", between)


def _made_before(name: Name, at: At, fn: Fn) -> tuple[At, Call] | None:
    """The one call, before the place in its block, whose result the name holds."""
    bindings = fn.given(name.id)
    if len(bindings) != 1 or not isinstance(bindings[0], Value):
        return None
    made, expr = bindings[0].at, bindings[0].expr
    call = expr.value if isinstance(expr, Await) else expr
    if not isinstance(call, Call) or made.block is not at.block or made.position >= at.position:
        return None
    return (made, call) if isinstance(made.stmt, Assign) else None


def _stays(name: str, fn: Fn) -> bool:
    """Whether the object is only used by its methods and awaited: nobody else may cancel it."""
    uses = (site for site in fn.names(name) if site.parents)
    return all(isinstance(site.parents[0], (Attr, Await)) for site in uses)


def _undone_elsewhere(undo: Call, at: At, fn: Fn) -> bool:
    """Whether another place of the function, in a handler or a ``finally``, takes the same step."""
    if any(place.part in ("final", "handler") for place in at.around()):
        return True
    for other in fn.statements:
        if isinstance(other.stmt, Try):
            guarded = (*other.stmt.final, *(s for handler in other.stmt.handlers for s in handler.body))
            if any(same(site.call.func, undo.func) for site in sites(guarded)):
                return True
    return False
