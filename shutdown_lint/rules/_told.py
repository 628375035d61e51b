"""Whether anybody tells a worker to end: the flags that its loops test, and who sets them.

Everything here errs towards "told": a finding needs a loop that surely goes on, and code that surely never ends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shutdown_lint.facts import (
    Assign,
    Attr,
    Await,
    Call,
    Const,
    Expr,
    ExprStmt,
    For,
    If,
    Name,
    Op,
    Raise,
    Try,
    While,
    With,
)
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.handles import Cls
from shutdown_lint.project.protocol import Loop
from shutdown_lint.project.scopes import Typed, Value
from shutdown_lint.project.tracks import Attribute, Local, Place
from shutdown_lint.rules._handed_flags import EVENTS, setters_of
from shutdown_lint.walk import At, Site, enclosing_loops, line_of, root_name, subexprs, walk, what_runs_after

QUEUES = (
    "queue.Queue",
    "queue.SimpleQueue",
    "queue.LifoQueue",
    "queue.PriorityQueue",
    "multiprocessing.Queue",
    "multiprocessing.SimpleQueue",
    "multiprocessing.JoinableQueue",
    "asyncio.Queue",
)
QUERIES = frozenset(
    {
        "is_alive",
        "is_set",
        "isSet",
        "join",
        "wait",
        "start",
        "getName",
        "get",
        "empty",
        "qsize",
        "done",
        "debug",
        "info",
        "warning",
        "error",
        "exception",
        "critical",
        "log",
        "msg",
        "print",
        "poll",
        "copy",
        "values",
        "items",
        "keys",
        "append",
        "time",
        "monotonic",
        "fileno",
        "locked",
        "acquire",
        "release",
        "is_running",
        "getpid",
        "format",
    }
)
CLOSERS = frozenset(
    {
        "close",
        "shutdown",
        "stop",
        "cancel",
        "terminate",
        "kill",
        "disconnect",
        "abort",
        "interrupt",
        "quit",
        "exit",
        "end",
        "finish",
        "aclose",
        "server_close",
        "send_signal",
        "killpg",
        "destroy",
        "release",
        "unsubscribe",
        "term",
        "halt",
    }
)
_ADDS = frozenset({"put", "put_nowait", "append", "add", "send", "write"})


class Untold(NamedTuple):
    """A loop that nobody ends, and why it goes on."""

    loop: Loop
    why: str


def untold(project: Project, targets: Iterable[Fn], waiters: tuple[Fn, ...], until: int) -> Untold | None:
    """A loop of the worker bodies that goes on although the functions in ``waiters`` wait for it.

    The first of ``waiters`` holds the wait, in line ``until``; what stands behind it comes too late.
    """
    for target in targets:
        worker = frozenset(project.protocol.reach(target))
        for loop in project.protocol.worker_loops(target):
            why = _goes_on(project, loop, worker)
            if (
                why
                and not _touched(project, loop, worker, waiters, until)
                and not _closed_by_others(project, worker, waiters)
            ):
                return Untold(loop, why)
    return None


def _goes_on(project: Project, loop: Loop, worker: frozenset[Fn]) -> str:
    """Why the loop has no end, or nothing where it may have one."""
    if loop.fn.facts.is_generator or _raises_in_callees(project, loop):
        return ""
    if not loop.leaves:
        return "has no way out"
    if not loop.tests or _left_by_handler(loop) or not all(is_flag(project, place) for place in loop.tests):
        return ""
    if any(is_told(project, place, stop_value(loop, place.name)) for place in loop.tests):
        return ""
    return f"tests `{loop.tests[0].name}`, which nobody sets"


def _raises_in_callees(project: Project, loop: Loop) -> bool:
    """A callee that raises may end the loop from afar; of an unknown receiver's method, one of that name in the project."""
    for site in loop.fn.sites:
        callees = [target.fn for target in project.calls.targets(site.call, loop.fn) if target.fn is not loop.fn]
        if any(_raises(fn) for callee in callees for fn in project.protocol.reach(callee)):
            return True
        if not callees and isinstance(site.call.func, Attr) and not project.calls.external(site.call, loop.fn):
            if any(_raises(fn) for fn in project.calls.methods_named(site.call.func.name)):
                return True
    return False


def _raises(fn: Fn) -> bool:
    """Whether it has a ``raise``; an abstract method's says nothing about those that override it."""
    raised = (at.stmt.exc for at in fn.statements if isinstance(at.stmt, Raise))
    return any(root_name(exc) != "NotImplementedError" for exc in raised)


def _left_by_handler(loop: Loop) -> bool:
    """``except OSError: break``: the end comes as an exception."""
    body = loop.at.stmt.body if isinstance(loop.at.stmt, While) else ()
    return any(
        at.part in ("handler", "final") and type(at.stmt).__name__ in ("Break", "Return", "Raise") for at in walk(body)
    )


# --- flags -----------------------------------------------------------------------------------------------------------------


def is_flag(project: Project, place: Place) -> bool:
    """Whether only constants and events are ever put into the place."""
    values = list(_written(project, place))
    return bool(values) and all(value is not None and _is_flag_value(project, value, fn) for value, fn in values)


def is_unshared(project: Project, place: Place) -> bool:
    """Whether the flag is one in the memory of a process, of which a child has a copy: no event of ``multiprocessing``."""
    return is_flag(project, place) and all(
        not isinstance(value, Call) or project.calls.is_call_to(value, fn, "threading.Event", "asyncio.Event")
        for value, fn in _written(project, place)
    )


def is_event(project: Project, place: Place) -> bool:
    """Whether the place is an event made by the program itself."""
    calls = [(value, fn) for value, fn in _written(project, place) if isinstance(value, Call)]
    return bool(calls) and is_flag(project, place)


def latched(project: Project, place: Place) -> list[Fn]:
    """Who sets an event that tells that work has begun: set once, with more to do behind it, and cleared by nobody."""
    if not is_event(project, place):
        return []
    done = [
        (getattr(site.call.func, "name", ""), site, fn)
        for fn in project.calls.mentioning(place.name)
        for site in fn.sites
        if isinstance(site.call.func, Attr) and _is_named(site.call.func.value, place.name)
    ]
    if any(name == "clear" for name, _, _ in done):
        return []
    setters = [(site, fn) for name, site, fn in done if name == "set"]
    begins = all(
        not fn.is_module
        and fn.name != "__init__"
        and not any(True for _ in enclosing_loops(site.at))
        and _goes_to_work(site.at)
        for site, fn in setters
    )
    return [fn for _, fn in setters] if begins else []


def _goes_to_work(at: At) -> bool:
    """Whether a loop, a ``with`` or an ``await`` follows the statement, perhaps in a ``try``."""
    behind = (inner for stmt in what_runs_after(at) for inner in (stmt.body if isinstance(stmt, Try) else (stmt,)))
    return any(
        isinstance(stmt, (While, For, With)) or (isinstance(stmt, ExprStmt) and isinstance(stmt.value, Await))
        for stmt in behind
    )


def is_queue(project: Project, place: Place) -> bool:
    """Whether the place is a queue made by the program itself."""
    return any(
        isinstance(value, Call) and project.calls.is_call_to(value, fn, *QUEUES)
        for value, fn in _written(project, place)
    )


def _written(project: Project, place: Place) -> Iterator[tuple[Expr | None, Fn]]:
    """The values written into the place; None for one that cannot be seen."""
    if isinstance(place, Attribute):
        for write in project.classes.writes(place.cls, place.name):
            if write.value is not None:
                yield (write.value if write.item < 0 and _alone(write.at) else None), write.fn
        return
    for fn in (place.fn, *_global_writers(project, place.fn, place.name)):
        for binding in fn.bindings.get(place.name, ()):
            if isinstance(binding, Value):
                yield (binding.expr if binding.item < 0 and _alone(binding.at) else None), fn
            elif not isinstance(binding, Typed):
                yield None, fn


def _alone(at: At) -> bool:
    """Not ``event = self._event = Event()``, which gives the event a second name."""
    return not isinstance(at.stmt, Assign) or len(at.stmt.targets) == 1


def _global_writers(project: Project, scope: Fn, name: str) -> Iterator[Fn]:
    return (fn for fn in project.functions(scope.module) if scope.is_module and fn.declared.get(name) == "global")


def _is_flag_value(project: Project, value: Expr, fn: Fn) -> bool:
    if isinstance(value, Const):
        return value.value is None or isinstance(value.value, (bool, int))
    return isinstance(value, Call) and project.calls.is_call_to(value, fn, *EVENTS)


def stop_value(loop: Loop, name: str) -> bool | None:
    """The value of the flag that ends the loop; None where it cannot be told."""
    found = set()
    if isinstance(loop.at.stmt, While):
        found |= {not value for value in _polarity(loop.at.stmt.test, name)}
        for at in walk(loop.at.stmt.body):
            if (
                isinstance(at.stmt, If)
                and at.stmt.body
                and type(at.stmt.body[-1]).__name__ in ("Break", "Return", "Raise")
            ):
                found |= set(_polarity(at.stmt.test, name))
    return found.pop() if len(found) == 1 else None


def _polarity(test: Expr, name: str, positive: bool = True) -> Iterator[bool]:
    """Whether the test is true when the flag is; both where it is compared with something."""
    if isinstance(test, Op) and test.op == "not":
        yield from _polarity(test.operands[0], name, not positive)
    elif isinstance(test, Op) and test.op in ("and", "or"):
        for operand in test.operands:
            yield from _polarity(operand, name, positive)
    elif any(_is_named(expr, name) for expr in subexprs(test)):
        yield positive
        if isinstance(test, Op):
            yield not positive


def _is_named(expr: Expr, name: str) -> bool:
    return (isinstance(expr, Attr) and expr.name == name) or (isinstance(expr, Name) and expr.id == name)


def is_told(project: Project, place: Place, stop: bool | None) -> bool:
    """Whether any code of the project may give the flag the value ``stop`` (None: change it at all).

    Goes by the name alone: what stands in a place of the same name elsewhere counts as well.
    """
    event = is_event(project, place)
    return any(
        tells(site, fn, stop, event)
        for fn in project.calls.mentioning(place.name)
        for site in (*fn.attributes(place.name), *fn.names(place.name))
    )


def told_flag(project: Project, loop: Loop) -> Place | None:
    """A flag that the loop tests and that somebody sets: the loop is one that is told to stop."""
    return next(told_flags(project, loop), None)


def told_flags(project: Project, loop: Loop) -> Iterator[Place]:
    """Every such flag of the loop."""
    flags = (place for place in loop.tests if is_flag(project, place) or setters_of(project, place))
    return (place for place in flags if any(True for _ in tellers_of(project, loop, place)))


def tellers_of(project: Project, loop: Loop, flag: Place) -> Iterator[tuple[Fn, Site]]:
    """Where the flag is set: not another function's local of that name, nor what another class sets on its own ``self``."""
    if not is_flag(project, flag):
        yield from setters_of(project, flag) if stop_value(loop, flag.name) is not False else ()
        return
    stop, event = stop_value(loop, flag.name), is_event(project, flag)
    for fn in project.calls.mentioning(flag.name):
        for site in (*fn.attributes(flag.name), *fn.names(flag.name)):
            if tells(site, fn, stop, event) and not _is_of_another(site, fn, flag, project):
                yield fn, site


def _is_of_another(site: Site, fn: Fn, flag: Place, project: Project) -> bool:
    """Whether the place is an attribute of ``self`` in a class that has nothing to do with the flag's.

    A local of the worker is nobody else's: what has its name elsewhere is another variable.
    """
    if isinstance(flag, Local) and not flag.fn.is_module:
        return project.evaluate.binding_scope(flag.name, fn) is not flag.fn or not isinstance(site.expr, Name)
    owner = site.expr.value if isinstance(site.expr, Attr) else None
    cls = project.classes.enclosing(fn)
    if not isinstance(flag, Attribute) or cls is None or not isinstance(owner, Name):
        return False
    return owner.id == project.classes.self_name(fn) and not are_kin(cls, flag.cls, project)


def are_kin(cls: Cls, other: Cls, project: Project) -> bool:
    """Whether the two classes, or subclasses of one of them, may make one object."""
    ours = {member for sub in (cls, *project.classes.subclasses(cls)) for member in project.classes.mro(sub)}
    return any(
        isinstance(member, Cls) and member in ours
        for sub in (other, *project.classes.subclasses(other))
        for member in project.classes.mro(sub)
    )


def tells(site: Site, fn: Fn, stop: bool | None, event: bool) -> bool:
    """Whether the place where the flag's name stands may give it the value ``stop``."""
    stmt, parent = site.at.stmt, site.parents[0] if site.parents else None
    if isinstance(stmt, Assign) and any(part is site.expr for target in stmt.targets for part in subexprs(target)):
        if stmt.op != "=":
            return True  # a count
        if (
            fn.name == "__init__"
            or (fn.is_module and _comes_first(site, fn))
            or (isinstance(stmt.value, Call) and event)
        ):
            return False
        return stop is None or not isinstance(stmt.value, Const) or bool(stmt.value.value) is stop
    if not event:
        return False
    if isinstance(parent, Attr):
        called = len(site.parents) > 1 and isinstance(site.parents[1], Call) and site.parents[1].func is parent
        if called and parent.name in ("is_set", "isSet", "wait"):
            return False
        return not called or {"set": True, "clear": False}.get(parent.name, stop) is stop or stop is None
    return not isinstance(site.at.stmt, (If, While)) or isinstance(parent, Call)


def _comes_first(site: Site, fn: Fn) -> bool:
    """Whether the body of the module gives the name its first value here: what it gives it later changes it."""
    name = site.expr.id if isinstance(site.expr, Name) else ""
    stored = (other.at for other in fn.names(name) if isinstance(other.at.stmt, Assign))
    firsts = [line_of(at.stmt) for at in stored if any(_names(target, name) for target in at.stmt.targets)]  # type: ignore[union-attr]  # an assignment
    return not firsts or line_of(site.at.stmt) <= min(firsts)


def _names(target: Expr, name: str) -> bool:
    return any(isinstance(part, Name) and part.id == name for part in subexprs(target))


# --- the stop path ---------------------------------------------------------------------------------------------------------


def _touched(project: Project, loop: Loop, worker: frozenset[Fn], waiters: tuple[Fn, ...], until: int) -> bool:
    """Whether the stop path does anything, before the wait, to what the worker looks at."""
    known = {name for fn in worker for name in fn.mentions} - {"self", "cls"}
    for waiter in waiters:
        for fn in project.protocol.reach(waiter):
            if fn not in worker and any(
                _touches(site, known, loop.leaves) for site in fn.sites if not _late(site.at, fn, waiters[0], until)
            ):
                return True
            if fn not in worker and any(
                _assigns(at, known, loop.leaves) for at in fn.statements if not _late(at, fn, waiters[0], until)
            ):
                return True
    return False


def _late(at: At, fn: Fn, waiter: Fn, until: int) -> bool:
    span = getattr(at.stmt, "span", None)
    return fn is waiter and span is not None and span.line >= until


def _touches(site: Site, known: set[str], leaves: bool) -> bool:
    func = site.call.func
    if isinstance(func, Attr):
        if func.name in QUERIES or (func.name == "set" and not leaves and not site.call.args):
            return False  # an event that is set ends no loop that never leaves
        if _identifiers(func.value) & known and (leaves or func.name not in _ADDS or _puts_sentinel(site.call)):
            return True
    elif isinstance(func, Name) and func.id in (
        "print",
        "len",
        "isinstance",
        "bool",
        "list",
        "range",
        "hasattr",
        "Thread",
        "Process",
    ):
        return False
    return any(isinstance(arg.value, Attr) and arg.value.name in known for arg in site.call.args)


def _puts_sentinel(call: Call) -> bool:
    return any(isinstance(arg.value, Const) for arg in call.args)


def _assigns(at: At, known: set[str], leaves: bool) -> bool:
    """Whether something that the worker looks at is replaced; a flag ends no loop that never leaves."""
    if not isinstance(at.stmt, Assign) or (
        not leaves and isinstance(at.stmt.value, Const) and isinstance(at.stmt.value.value, bool)
    ):
        return False
    return any(isinstance(target, Attr) and target.name in known for target in at.stmt.targets)


def _identifiers(expr: Expr) -> set[str]:
    names = {
        part.name if isinstance(part, Attr) else part.id for part in subexprs(expr) if isinstance(part, (Attr, Name))
    }
    return names - {"self", "cls"}


def _closed_by_others(project: Project, worker: frozenset[Fn], waiters: tuple[Fn, ...]) -> bool:
    """Whether a function outside the worker closes or stops something that the worker calls."""
    held = {
        name
        for fn in worker
        for site in fn.sites
        if isinstance(site.call.func, Attr)
        for name in _identifiers(site.call.func.value)
    }
    users = {fn for name in held for fn in project.calls.mentioning(name)}
    return any(_closes(site, held) for fn in users if fn not in worker and fn not in waiters for site in fn.sites)


def _closes(site: Site, held: set[str]) -> bool:
    func = site.call.func
    return isinstance(func, Attr) and func.name in CLOSERS and bool(_identifiers(func.value) & held)
