"""A release that stands after work which can raise, with nothing that releases when it does.

## What it does
Reports ``x.close()``, ``x.stop()`` and the like for a local ``x`` that the same function acquired, when calls or awaits
stand between the two and neither ``finally``, ``with`` nor an ``except`` clause releases ``x`` too. So it does for the
``release()`` of a lock, the ``cancel()`` of a task of its own (strict: behind an ``asyncio.wait`` for several),
and the handler of a signal that is put back; for what is taken from a pool and given back to
it; for temporary files and folders that are removed behind the work, and the settings of a terminal;
and (strict) for the own `self._cleanup()` at the end of a `run` or `main`. Behind the `yield` of a
`@contextmanager` it reports what takes back a step before it, since the `yield` raises what the `with` block raises
(strict: variables that are set back, files, and what a `lifespan` does at the end of its program). In a main program also
the stop of what was started, right behind a wait without limit: Ctrl-C is raised in the wait, and the stop never runs.

## Why it matters
One exception, one cancellation, one Ctrl-C between the two lines, and the release never runs: the worker thread keeps the
process alive, the pool's processes stay, the session leaks.

## Example
```python
from multiprocessing import Pool


def render(pages):
    pool = Pool(4)
    results = pool.map(print, pages)
    pool.terminate()
    return results
```

## Use instead
```python
from multiprocessing import Pool


def render(pages):
    pool = Pool(4)
    try:
        return pool.map(print, pages)
    finally:
        pool.terminate()
```

## Precision
Only objects whose type is known to own something that outlives the exception (threads, processes, pools, servers,
sessions, or a project class that starts such), and locals whose ``stop()`` follows their own ``run()``. Plain files and
sockets are closed when they are collected, and stay silent; so do what a function only asks for (`get_event_loop`), the
server of a main program that ends there, temporary files behind work that fails only on a full disk or whose errors are
caught and logged, and those that a caller gets or may keep, and mere waits of a function with a handler for SIGINT. In unseen packages 14 of 18 were
right before that, and 3 of 3 since.

## References
- [The try statement](https://docs.python.org/3/reference/compound_stmts.html#the-try-statement)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import (
    Attr,
    Await,
    Call,
    Const,
    Expr,
    ExprStmt,
    Handler,
    If,
    ModuleFacts,
    Name,
    Return,
    Seq,
    Stmt,
    Try,
    With,
)
from shutdown_lint.findings import Confidence, Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.handles import Cls
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.scopes import Value
from shutdown_lint.project.values import Instance
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.swallowed._catching import last_name, leaves, raises, statement_call
from shutdown_lint.rules.swallowed._interrupted import Interrupted, interrupted
from shutdown_lint.rules.swallowed._left_on_disk import left_on_disk
from shutdown_lint.rules.swallowed._own_end import OwnEnd, own_ends
from shutdown_lint.rules.swallowed._pairs import Pair, pairs
from shutdown_lint.rules.swallowed._raced import Raced, raced
from shutdown_lint.rules.swallowed._steps import is_release_name
from shutdown_lint.rules.swallowed._yielded import Left, left_at_yield
from shutdown_lint.walk import At, Site, argument, enclosing_finally, sites, sites_at, subexprs, text, walk

RULE = Rule(
    code="SHD507",
    name="release-not-in-finally",
    summary="a release stands after work that can raise, and nothing releases when it does",
    tier="D",
    severity="warning",
    triggers=(
        ".stop()",
        ".shutdown(",
        ".terminate()",
        ".aclose(",
        ".disconnect()",
        "await & .close(",
        "Pool & .close(",
        ".quit()",
        ".server_close(",
        ".acquire( & .release()",
        r"re:\.(?:get|take|acquire|borrow|checkout|pop|next)\w*\( & re:\.(?:release|putconn|put_back|give_back|return)\w*\(\w",
        "signal.signal(",
        r"re:\bmkdtemp\( & re:\b(?:rmtree|rmdir|removedirs)\(",
        r"re:\b(?:mkstemp|mktemp|NamedTemporaryFile)\( & re:\b(?:remove|unlink)\(",
        "tcgetattr( & tcsetattr(",
        "create_task( & .cancel()",
        "ensure_future( & .cancel()",
        r"contextmanager & re:\n[ \t]+(?:\w+ = |\(?)yield\b",
        r"start & re:\.(?:join|wait\w*)\(\)",
        r"re:async def _*(?:async_)?(?:run|main|serve|work|loop|execute|process|listen|consume) & re:(?:self)\._*(?:clean|close|stop|shut|tear|dispose|final|disc)",
    ),
    origin=("G4",),
)
_NAMES = frozenset(
    {"close", "stop", "shutdown", "terminate", "aclose", "disconnect", "release", "quit", "server_close"}
)
_UNDO = frozenset(
    {"release", "cancel", "signal", "putconn", "put_back", "give_back", "release_connection", "return_connection"}
)
_KINDS = frozenset(
    {"executor", "pool", "process", "child", "server", "scheduler", "observer", "consumer", "loop", "thread"}
)
_ASYNC_KINDS = _KINDS | {"session", "connection"}
_RUNS = frozenset(
    {"run", "start", "serve", "serve_forever", "work", "consume", "process", "execute", "main", "loop", "wait", "join"}
)
_WAITS = frozenset({"wait", "sleep", "serve_forever", "Event", "Future", "create_future", "pause"})


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every release of a local, standing as a statement of its own."""
    for fn in project.functions(module):
        if is_test(fn) or fn.facts.is_lambda:
            continue
        said: set[Call] = set()
        for found in interrupted(fn, project) if any(map(is_release_name, fn.mentions)) else ():
            said.add(found.stop.call)
            yield _skipped_by_interrupt(module, fn, found)
        for own in own_ends(fn, project):
            yield _own_skipped(module, fn, own)
        for left in left_at_yield(fn, project):
            yield _left(module, fn, left)
        for pair in left_on_disk(fn, project):
            yield _not_undone(module, fn, pair)
        if not (_NAMES | _UNDO) & fn.mentions:
            continue
        for pair in pairs(fn, project) if _UNDO & fn.mentions else ():
            if _can_raise(pair.between, ""):
                yield _not_undone(module, fn, pair)
        for race in raced(fn, project):
            yield _not_cancelled(module, fn, race)
        reported: set[str] = set()
        for at in fn.statements if not fn.is_module else ():  # an exception in a script's own lines ends its process
            call = statement_call(at.stmt)
            name = _released_local(call)
            if call is not None and call not in said and name is not None and name not in reported:
                confidence = _hazard(at, call, name, fn, project)
                if confidence is not None:
                    reported.add(name)
                    yield _finding(module, fn, call, name, confidence)


def _released_local(call: Call | None) -> str | None:
    if (
        call is not None
        and isinstance(call.func, Attr)
        and call.func.name in _NAMES
        and isinstance(call.func.value, Name)
    ):
        return call.func.value.id
    return None


def _hazard(at: At, call: Call, name: str, fn: Fn, project: Project) -> Confidence | None:
    """How sure it is that an exception before the release leaks the object."""
    acquired = [b for b in fn.bindings.get(name, ()) if isinstance(b, Value)]
    if len(acquired) != 1 or len(fn.bindings[name]) != 1 or not isinstance(_called(acquired[0].expr), Call):
        return None
    start = acquired[0].at
    if _is_lent(acquired[0].expr):
        return None
    if (
        start.block is not at.block
        or _protected(at)
        or _released_elsewhere(name, at, fn)
        or _escapes(name, fn)
        or _in_closure(name, fn, project)
    ):
        return None
    between = _while_alive(at.block[start.position + 1 : at.position], call, name, fn, project)
    if _is_left_to_collector(call, name, fn, project):
        return None
    if not _can_raise(between, name) or _ends_process(at) or (_takes_interrupts(fn, project) and _only_waits(between)):
        return None
    assert isinstance(call.func, Attr)
    return _worth_it(call.func, name, between, fn, project)


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
    """``threads.shutdown(wait=False)``: a thread pool that nobody holds any more ends in the same way by itself."""
    waits = argument(call, 0, "wait")
    made = project.evaluate.values(Name(name), fn) if isinstance(waits, Const) and waits.value is False else ()
    return any(isinstance(value, Instance) and value.cls == "concurrent.futures.ThreadPoolExecutor" for value in made)


def _ends_process(at: At) -> bool:
    """Whether the process ends right behind the release, in a forked child: ``streamer.stop(); os._exit(0)``."""
    call = statement_call(at.after()[0]) if at.after() else None
    return call is not None and last_name(call) == "_exit"


def _takes_interrupts(fn: Fn, project: Project) -> bool:
    """Whether the function installs a handler, so that Ctrl-C raises nothing in its waits."""
    return any(
        project.calls.is_call_to(site.call, fn, "signal.signal") and "SIGINT" in text(site.call) for site in fn.sites
    )


def _only_waits(between: tuple[Stmt, ...]) -> bool:
    return all(last_name(site.call) in _WAITS | {"signal"} or _is_trivial(site.call, "") for site in sites(between))


def _is_lent(expr: Expr) -> bool:
    """``loop = asyncio.get_event_loop()``: what is there already is asked for, and somebody else's to end."""
    call = _called(expr)
    return isinstance(call, Call) and last_name(call).startswith(("get_event_", "get_running_", "get_current_"))


def _called(expr: Expr) -> Expr:
    return expr.value if isinstance(expr, Await) else expr


def _protected(at: At) -> bool:
    return (
        any(place.part in ("final", "handler") for place in at.around())
        or next(enclosing_finally(at), None) is not None
    )


def _released_elsewhere(name: str, at: At, fn: Fn) -> bool:
    """Another release of the object in a handler, a ``finally`` or a ``with``, or handed to an exit stack or atexit."""
    for other in fn.statements:
        if other is at:
            continue
        if isinstance(other.stmt, With) and any(_mentions(item.context, name) for item in other.stmt.items):
            return True
        if isinstance(other.stmt, Try):
            guarded = (*other.stmt.final, *(stmt for handler in other.stmt.handlers for stmt in handler.body))
            if any(_mentions(site.call, name) for site in sites(guarded)):
                return True
    return False


def _mentions(expr: Expr, name: str) -> bool:
    return any(isinstance(part, Name) and part.id == name for part in subexprs(expr))


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
    return attribute.name in _NAMES and not called


def _in_closure(name: str, fn: Fn, project: Project) -> bool:
    """Whether a nested function uses the object: it may be released from there."""
    return any(other.parent is fn and name in other.mentions for other in project.functions(fn.module))


def _can_raise(between: tuple[Stmt, ...], name: str) -> bool:
    """Whether the statements between acquisition and release do work: an await, or a call that is more than a setter."""
    work = [at for at in walk(between) if not _is_caught(at) and not _leaves_without(at)]
    if any(isinstance(at.stmt, With) and at.stmt.is_async for at in work):
        return True
    return any(not _is_trivial(site.call, name) or site.awaited for at in work for site in sites_at(at))


def _is_caught(at: At) -> bool:
    """In a ``try`` that takes all that its work raises: of a mere wait, nothing but cancellation and Ctrl-C."""
    for place in at.around():
        outer = place.outer.stmt if place.outer is not None and place.part == "body" else None
        if isinstance(outer, Try) and not any(
            raises(handler.body) or leaves(handler.body) for handler in outer.handlers
        ):
            waits = all(last_name(site.call) in _WAITS for site in sites(outer.body))
            if any(_takes_all(handler, waits) for handler in outer.handlers):
                return True
    return False


def _leaves_without(at: At) -> bool:
    """In a branch that returns before the release is reached: that path does without it, whatever is raised there."""
    return any(
        isinstance(place.outer.stmt, If) and isinstance(place.block[-1], Return) for place in at.around() if place.outer
    )


def _takes_all(handler: Handler, waits: bool) -> bool:
    if handler.types is None:
        return True
    parts = handler.types.items if isinstance(handler.types, Seq) else (handler.types,)
    last = {part.name if isinstance(part, Attr) else part.id for part in parts if isinstance(part, (Attr, Name))}
    return bool(last & ({"BaseException", "CancelledError", "KeyboardInterrupt"} if waits else {"BaseException"}))


def _is_trivial(call: Call, name: str) -> bool:
    last = call.func.name if isinstance(call.func, Attr) else call.func.id if isinstance(call.func, Name) else ""
    return last in _NAMES or last in (
        "acquire",
        "is_alive",
        "start",
        "print",
        "debug",
        "info",
        "warning",
        "len",
        "str",
        "int",
        "append",
        "time",
        "monotonic",
        "join",
        "isinstance",
        "format",
        "setdefault",
        "submit",
        "put",
        "put_nowait",
        "add",
        "set",
        "clear",
    )


def _worth_it(func: Attr, name: str, between: tuple[Stmt, ...], fn: Fn, project: Project) -> Confidence | None:
    values = project.evaluate.values(func.value, fn)
    kinds = _ASYNC_KINDS if fn.facts.is_async else _KINDS
    for value in values:
        if isinstance(value, Instance) and isinstance(value.cls, Cls):
            return "proven" if _starts_something(value.cls, func.name, project) else None
        if isinstance(value, Instance) and isinstance(value.cls, str):
            model = project.models.resource(value.cls)
            return (
                "proven"
                if model is not None
                and model.kind in (kinds - {"server"} if project.roles.only(fn, "main") else kinds)
                and func.name in (*model.release, *model.stop)
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


def _starts_something(cls: Cls, release: str, project: Project) -> bool:
    """Whether the class's stop method ends a thread, process, pool or server that it holds."""
    method = project.classes.method(cls, release)
    if method is None:
        return False
    for fn in project.protocol.reach(method):
        for site in fn.sites:
            if isinstance(site.call.func, Attr):
                model = project.resources.model_of(site.call.func.value, fn)
                if model is not None and model.kind in _KINDS and site.call.func.name in (*model.release, *model.stop):
                    return True
    return False


def _not_undone(module: ModuleFacts, fn: Fn, pair: Pair) -> Finding:
    undo = text(pair.undo)
    start = getattr(pair.start.stmt, "span", fn.facts.span)
    return RULE.finding(
        module,
        pair.undo.span,
        f"`{undo}` in `{fn.qualname}` is skipped when the work before it raises: {pair.so}",
        lost=(fn.step(pair.undo.span, f"`{undo}`"),),
        trace=(fn.step(start, "what it takes back"),),
        help=f"put the work into `try` and `{undo}` into `finally`",
    )


def _left(module: ModuleFacts, fn: Fn, found: Left) -> Finding:
    step = text(found.step) if isinstance(found.step, Call) else text(found.step.targets[0]) + " = …"
    return RULE.finding(
        module,
        found.step.span,
        f"`{step}` in `{fn.qualname}` is skipped when the `with` block raises or is cancelled: that is raised in the `yield`",
        tier="S" if found.minor else None,
        lost=(fn.step(found.step.span, f"`{step}`"),),
        trace=(fn.step(getattr(found.start.stmt, "span", fn.facts.span), "what it takes back"),),
        help="put the `yield` into `try`, and what takes things back into `finally`",
    )


def _own_skipped(module: ModuleFacts, fn: Fn, found: OwnEnd) -> Finding:
    end = text(found.end)
    return RULE.finding(
        module,
        found.end.span,
        f"`{end}` in `{fn.qualname}` is skipped when the work before it raises or is cancelled",
        tier="S",
        confidence="likely",
        lost=(fn.step(found.end.span, f"`{end}`"),),
        trace=(fn.step(found.work.span, "the work"),),  # type: ignore[union-attr]  # a statement that works has a span
        help=f"put the work into `try` and `{end}` into `finally`",
    )


def _not_cancelled(module: ModuleFacts, fn: Fn, race: Raced) -> Finding:
    return RULE.finding(
        module,
        race.wait.span,
        f"when `{fn.qualname}` is cancelled in `{text(race.wait)}`, {race.what} go on: `asyncio.wait` cancels none of them",
        tier="S",
        lost=(fn.step(race.cancel.span, f"`{text(race.cancel)}`"),),
        help="put the wait into `try`, and cancel what is not done in `finally`",
    )


def _skipped_by_interrupt(module: ModuleFacts, fn: Fn, found: Interrupted) -> Finding:
    stop, wait = text(found.stop.call), text(found.wait.call)
    return RULE.finding(
        module,
        found.stop.call.span,
        f"`{stop}` in `{fn.qualname}` is skipped when Ctrl-C ends the program in `{wait}`, which is where it waits",
        lost=(fn.step(found.stop.call.span, f"`{stop}`"),),
        trace=(
            fn.step(found.start.call.span, "what it stops"),
            fn.step(found.wait.call.span, "KeyboardInterrupt is raised here"),
        ),
        help=f"put the wait into `try` and `{stop}` into `finally`",
    )


def _finding(module: ModuleFacts, fn: Fn, call: Call, name: str, confidence: Confidence) -> Finding:
    return RULE.finding(
        module,
        call.span,
        f"`{text(call)}` in `{fn.qualname}` is skipped when the work before it raises: `{name}` is never released",
        confidence=confidence,
        lost=(fn.step(call.span, f"`{text(call)}`"),),
        help=f"put the work into `try` and `{text(call)}` into `finally`",
    )
