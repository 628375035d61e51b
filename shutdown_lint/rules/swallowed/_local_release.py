"""The release of a local that its function acquired, with work between the two and nothing that releases when that raises."""

from __future__ import annotations

import re

from shutdown_lint.facts import Attr, Await, Call, Const, Expr, ExprStmt, Name, Stmt, Try, With
from shutdown_lint.findings import Confidence
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.handles import Cls
from shutdown_lint.project.scopes import Binding, Value
from shutdown_lint.project.values import Constant, Instance
from shutdown_lint.rules.swallowed._between import NAMES, WAITS, can_raise, is_trivial
from shutdown_lint.rules.swallowed._catching import awaits, last_name, statement_call
from shutdown_lint.rules.swallowed._pairs import is_main
from shutdown_lint.rules.swallowed._undoing import mentions
from shutdown_lint.walk import At, Site, argument, enclosing_finally, root_name, sites, subexprs, text, unawaited

_KINDS = frozenset({"executor", "pool", "process", "child", "server", "scheduler", "observer", "consumer", "thread"})


# what is over with the program, or has no work left, when the error that skips the release ends it: an exit ends pools, and the
# threads of observers, schedulers and consumers are daemons
_END_WITH_PROGRAM = frozenset(
    {"server", "executor", "session", "connection", "loop", "pool", "observer", "scheduler", "consumer"}
)
_ASYNC_KINDS = _KINDS | {"session", "connection"}


_MAKES = re.compile(r"_*(?:async_)?(?:connect|open|create|make|new|start|launch|dial|build)(?:_|$)|\w+_factory$")
_CONNECTED = re.compile(r"(?:^|_)(?:conn|connection|client|session|channel|server|browser|driver|cluster)$")
_ENDS_WORK = frozenset({"stop", "shutdown", "terminate"})  # told of by the work that its object does
_RUNS = frozenset(
    {"run", "start", "serve", "serve_forever", "work", "consume", "process", "execute", "main", "loop", "wait", "join"}
)


def released_local(call: Call | None) -> str | None:
    if (
        call is not None
        and isinstance(call.func, Attr)
        and call.func.name in NAMES
        and isinstance(call.func.value, Name)
    ):
        return call.func.value.id
    return None


def hazard(at: At, call: Call, name: str, fn: Fn, project: Project) -> Confidence | None:
    """How sure it is that an exception before the release leaks the object."""
    given = [b for b in fn.given(name) if not _is_none(b)]
    acquired = [b for b in given if isinstance(b, Value)]
    if len(acquired) != 1 or len(given) != 1 or not isinstance(unawaited(acquired[0].expr), Call):
        return None
    start = acquired[0].at
    if _is_lent(acquired[0].expr):
        return None
    if (
        start.block is not at.block
        or is_guarded(at)
        or is_released_elsewhere(name, at, fn)
        or _escapes(name, fn)
        or _in_closure(name, fn, project)
        or _ends_with_its_maker(acquired[0].expr, start)
    ):
        return None
    between = _while_alive(at.block[start.position + 1 : at.position], call, name, fn, project)
    if _is_left_to_collector(call, name, fn, project):
        return None
    if _only_hands_out(between, name, fn, project):
        return None
    if not can_raise(between) or ends_process(at) or (_takes_interrupts(fn, project) and _only_waits(between)):
        return None
    assert isinstance(call.func, Attr)
    found = worth(call.func, name, between, fn, project)
    if found is None and _is_made_here(acquired[0].expr) and not is_main(fn, project):
        # nobody knows what it is, but that there is something to wait for when it is closed, or by its name
        if awaits(between) if _is_awaited(at) else _CONNECTED.search(name):
            return "likely" if _is_unknown(call.func.value, fn, project) else None
    return found


def _ends_with_its_maker(expr: Expr, at: At) -> bool:
    """``with driver() as d:`` / ``browser = d.launch()``: what raises leaves the ``with``, which ends what was made by its object."""
    maker = unawaited(expr)
    name = root_name(maker.func) if isinstance(maker, Call) else None
    for place in at.around():
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, Try) and outer.handlers and place.part == "body":
            return False  # it may go on in the `with`
        if isinstance(outer, With) and name is not None:
            if any(isinstance(item.target, Name) and item.target.id == name for item in outer.items):
                return True
    return False


def _is_none(binding: Binding) -> bool:
    """``conn = None``, for the time in which there is none."""
    return isinstance(binding, Value) and isinstance(binding.expr, Const) and binding.expr.value is None


def _is_unknown(expr: Expr, fn: Fn, project: Project) -> bool:
    """Whether nothing is known of it, or only that a library makes it which no model describes."""
    values = [value for value in project.evaluate.values(expr, fn) if not isinstance(value, Constant)]
    classes = [getattr(value, "cls", None) for value in values]
    known = any(not isinstance(cls, str) or project.models.resource(cls) is not None for cls in classes)
    return not known and not project.roles.only(fn, "main")


def is_guessed(at: At, call: Call, fn: Fn, project: Project) -> bool:
    """Whether nothing but its name tells that the object matters."""
    assert isinstance(call.func, Attr)
    return not _is_awaited(at) and _is_unknown(call.func.value, fn, project) and last_name(call) not in _ENDS_WORK


def _is_awaited(at: At) -> bool:
    """``await conn.close()``."""
    return isinstance(at.stmt, ExprStmt) and isinstance(at.stmt.value, Await)


def _is_made_here(expr: Expr) -> bool:
    """``await connect(…)``, ``Client(…)``, ``await browser.new_page()``: it is new, and nobody else's."""
    called = unawaited(expr)
    name = last_name(called) if isinstance(called, Call) else ""
    return bool(_MAKES.match(name)) or name[:1].isupper()


def _only_hands_out(between: tuple[Stmt, ...], name: str, fn: Fn, project: Project) -> bool:
    """``pool.map(work, items)`` and then ``pool.shutdown()``: what fails in the jobs is kept for who asks for their results."""
    calls = [_call_of(stmt) for stmt in between]
    return (
        bool(calls)
        and "executor" in project.resources.kinds_of(Name(name), fn)
        and all(
            call is not None
            and isinstance(call.func, Attr)
            and call.func.name in ("submit", "map")
            and _is(call.func.value, name)
            and not any(isinstance(part, Call) for arg in call.args for part in subexprs(arg.value))
            for call in calls
        )
    )


def _call_of(stmt: Stmt) -> Call | None:
    value = stmt.value if isinstance(stmt, ExprStmt) else None
    return value if isinstance(value, Call) else None


def _while_alive(between: tuple[Stmt, ...], call: Call, name: str, fn: Fn, project: Project) -> tuple[Stmt, ...]:
    """Of a child that is terminated, the work before its end was waited for without limit: behind that there is nothing to end."""
    if last_name(call) != "terminate" or not _is_child(name, fn, project):
        return between
    for position, stmt in enumerate(between):
        waits = [site for site in sites((stmt,)) if _awaits_end(site.call, name)]
        if waits and not any(site.awaited for site in waits):
            return between[:position]
    return between


def _is_child(name: str, fn: Fn, project: Project) -> bool:
    return bool(project.resources.kinds_of(Name(name), fn) & {"child", "process"})


def _awaits_end(call: Call, name: str) -> bool:
    """``child.communicate()``, ``child.wait()``, ``process.join()``, without a limit."""
    position = {"communicate": 1, "wait": 0, "join": 0}.get(last_name(call))
    return (
        position is not None
        and isinstance(call.func, Attr)
        and _is(call.func.value, name)
        and argument(call, position, "timeout") is None
    )


def _is_left_to_collector(call: Call, name: str, fn: Fn, project: Project) -> bool:
    """``threads.shutdown(wait=False)``: a thread pool that nobody holds any more ends in the same way by itself.

    So does what releases itself in its own ``__del__``.
    """
    values = project.evaluate.values(Name(name), fn)
    if any(isinstance(v, Instance) and isinstance(v.cls, Cls) and _deletes(v.cls, call, project) for v in values):
        return True
    waits = argument(call, 0, "wait")
    made = values if isinstance(waits, Const) and waits.value is False else ()
    return any(isinstance(value, Instance) and value.cls == "concurrent.futures.ThreadPoolExecutor" for value in made)


def _deletes(cls: Cls, call: Call, project: Project) -> bool:
    end = project.classes.method(cls, "__del__")
    release = project.classes.method(cls, last_name(call))
    return end is not None and release is not None and release in project.protocol.reach(end)


def ends_process(at: At) -> bool:
    """Whether the process ends right behind the release, in a forked child: ``streamer.stop(); os._exit(0)``."""
    call = statement_call(at.after()[0]) if at.after() else None
    return call is not None and last_name(call) == "_exit"


def _takes_interrupts(fn: Fn, project: Project) -> bool:
    """Whether the function installs a handler, so that Ctrl-C raises nothing in its waits."""
    return any(
        project.calls.is_call_to(site.call, fn, "signal.signal") and "SIGINT" in text(site.call) for site in fn.sites
    )


def _only_waits(between: tuple[Stmt, ...]) -> bool:
    return all(last_name(site.call) in WAITS | {"signal"} or is_trivial(site.call) for site in sites(between))


def _is_lent(expr: Expr) -> bool:
    """``loop = asyncio.get_event_loop()``: what is there already is asked for, and somebody else's to end."""
    call = unawaited(expr)
    return isinstance(call, Call) and last_name(call).startswith(("get_event_", "get_running_", "get_current_"))


def is_guarded(at: At) -> bool:
    """Whether it stands in a clause or a ``finally``, or in a ``try`` with one."""
    return (
        any(place.part in ("final", "handler") for place in at.around())
        or next(enclosing_finally(at), None) is not None
    )


def is_released_elsewhere(name: str, at: At, fn: Fn) -> bool:
    """Another release of the object in a handler, a ``finally`` or a ``with``, or handed to an exit stack or atexit."""
    for other in fn.statements:
        if other is at:
            continue
        if isinstance(other.stmt, With) and any(mentions(item.context, name) for item in other.stmt.items):
            return True
        if isinstance(other.stmt, Try):
            guarded = (*other.stmt.final, *(stmt for handler in other.stmt.handlers for stmt in handler.body))
            if any(mentions(site.call, name) for site in sites(guarded)):
                return True
    return False


def _escapes(name: str, fn: Fn) -> bool:
    """Whether the object is returned, stored, or handed to anything: then someone else may own it."""
    for site in fn.names(name):
        parent = site.parents[0] if site.parents else None
        if parent is None:
            stmt = site.at.stmt
            if not (isinstance(stmt, ExprStmt) or any(site.expr is target for target in getattr(stmt, "targets", ()))):
                return True
        elif not isinstance(parent, Attr) or _is_handed_on(site, parent):
            return True
    return False


def _is_handed_on(site: Site, attribute: Attr) -> bool:
    """``stack.callback(server.close)``: the release itself is given to someone."""
    called = len(site.parents) > 1 and isinstance(site.parents[1], Call) and site.parents[1].func is attribute
    return attribute.name in NAMES and not called


def _in_closure(name: str, fn: Fn, project: Project) -> bool:
    """Whether a nested function uses the object: it may be released from there."""
    return any(other.parent is fn and name in other.mentions for other in project.functions(fn.module))


def worth(func: Attr, name: str, between: tuple[Stmt, ...], fn: Fn, project: Project) -> Confidence | None:
    """Whether something outlives the exception that skips the release, by what is known of it."""
    values = project.evaluate.values(func.value, fn)
    kinds = _ASYNC_KINDS if fn.facts.is_async else _KINDS
    if project.roles.only(fn, "main") or is_main(fn, project):
        kinds -= _END_WITH_PROGRAM
    for value in values:
        if isinstance(value, Instance) and isinstance(value.cls, Cls):
            return "proven" if _starts_something(value.cls, func.name, kinds, project) else None
        if isinstance(value, Instance) and isinstance(value.cls, str):
            model = project.models.resource(value.cls)
            return (
                "proven"
                if model is not None and model.kind in kinds and func.name in (*model.release, *model.stop)
                else None
            )
    if values:
        return None
    runs = any(
        isinstance(site.call.func, Attr)
        and _is(site.call.func.value, name)
        and site.call.func.name in _RUNS - {"start", "join"}
        for site in sites(between)
    )
    return "likely" if runs and func.name in ("stop", "shutdown", "terminate") else None


def _is(expr: Expr, name: str) -> bool:
    return isinstance(expr, Name) and expr.id == name


def _starts_something(cls: Cls, release: str, kinds: frozenset[str], project: Project) -> bool:
    """Whether the class's stop method ends a thread, process, pool or server that it holds."""
    method = project.classes.method(cls, release)
    if method is None:
        return False
    for fn in project.protocol.reach(method):
        for site in fn.sites:
            if isinstance(site.call.func, Attr):
                model = project.resources.model_of(site.call.func.value, fn)
                if (
                    model is not None
                    and model.kind in kinds & _KINDS
                    and site.call.func.name in (*model.release, *model.stop)
                ):
                    return True
    return False
