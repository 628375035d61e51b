"""A sleep stands in for a join: whatever the worker has not done when it is over is cut off.

## What it does
Reports `time.sleep(n)` or `await asyncio.sleep(n)` right after a worker was started or told to end, where nothing ever
joins or awaits that worker: a daemon thread with work that reaches outside the process, a cancelled task with cleanup of
its own, a task that the end of `asyncio.run` cancels, a thread whose resources are closed behind the sleep. The
finding names what is lost.

## Why it matters
A sleep is a guess. On a slow disk or a busy machine the worker needs longer than the guess and is cut off in the midst of
its work; on all other days the program waits for nothing.

## Example
```python
import asyncio


async def consume(queue, store):
    try:
        while True:
            await store.add(await queue.get())
    finally:
        await store.flush()


async def serve(queue, store):
    consumer = asyncio.create_task(consume(queue, store))
    await asyncio.sleep(3600)
    consumer.cancel()
    await asyncio.sleep(1)
```

## Use instead
```python
import asyncio
import contextlib


async def consume(queue, store):
    try:
        while True:
            await store.add(await queue.get())
    finally:
        await store.flush()


async def serve(queue, store):
    consumer = asyncio.create_task(consume(queue, store))
    try:
        await asyncio.sleep(3600)
    finally:
        consumer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await consumer
```

## Precision
Silent in loops (polling, periodic work), in `except` clauses (back-off), after the start of a worker that goes on for
ever (the sleep lets it come up, or run for a while), and for workers that are joined, awaited, asked whether they live, or
handed over. Tier S where no lost work is proven, a preview in tests.

## References
- [Thread.join](https://docs.python.org/3/library/threading.html#threading.Thread.join)
- [Task.cancel](https://docs.python.org/3/library/asyncio-task.html#asyncio.Task.cancel)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Await, Call, Const, ModuleFacts, Raise, Return, Stmt, Try, With
from shutdown_lint.findings import Finding, Step, Tier
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.afterwards import follows, program_ends_after
from shutdown_lint.project.outside import reaches_outside
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.stops import same_place
from shutdown_lint.project.tracks import Place, Track, Use
from shutdown_lint.project.values import Instance
from shutdown_lint.rules._told import is_event, stop_value, tells
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._common import label, names
from shutdown_lint.walk import At, Site, enclosing_loops, own_exprs, sites, sites_at, subexprs, text, walk

RULE = Rule(
    code="SHD210",
    name="sleep-as-join",
    summary="a sleep stands in for joining a worker that was started or told to end",
    tier="D",
    severity="warning",
    triggers=(r"re:sleep\s*\(", r"re:sleep\s+as\b"),
    origin=("G2",),
)
SLEEPS = ("time.sleep", "asyncio.sleep")
_KINDS = ("thread", "process", "task")
# Words of which one must stand before the sleep: what starts a worker, or tells it to end.
_STARTS = frozenset({"start", "create_task", "ensure_future"})
_TELLS = frozenset(
    {"set", "clear", "cancel", "put", "put_nowait", "stop", "close", "shutdown", "terminate", "quit", "request_stop"}
)
_SAYS = frozenset({"print", "debug", "info", "warning", "error", "exception", "critical", "log", "echo", "_"})
_WATCHED = (
    "is_alive",
    "join",
    "done",
    "result",
    "exception",
    "add_done_callback",
    "sentinel",
    "exitcode",
    "terminate",
    "kill",
)
_CLOSES = frozenset(
    {"close", "shutdown", "disconnect", "unlink", "cleanup", "dispose", "quit", "rmtree", "remove", "aclose"}
)


class _Sleep(NamedTuple):
    """A sleep that nothing repeats, and the statements that stand before it."""

    site: Site
    fn: Fn
    before: tuple[Stmt, ...]


class _Verdict(NamedTuple):
    """What is wrong: how the worker came to the sleep, and what is lost (nothing: tier S)."""

    how: str
    why: str
    when: Step
    lost: tuple[Step, ...]


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at the sleeps of the module that stand behind the start or the stop of a worker."""
    for sleep in _sleeps(module, project):
        for acquisition in project.resources.everywhere(*_KINDS):
            if _is_left(acquisition, project):
                verdict = _judge(sleep, acquisition, project)
                if verdict is not None:
                    yield _finding(sleep, acquisition, verdict, project)
                    break


def _sleeps(module: ModuleFacts, project: Project) -> Iterator[_Sleep]:
    aliases = project.modules.of(module).aliases
    called = {"sleep", *(local for local, name in aliases.items() if name == "sleep")}
    for fn in project.functions(module):
        for site in fn.sites if called & fn.mentions else ():
            if names(site.call.func) in called and site.dropped and not _repeats(site.at):
                before = tuple(stmt for place in site.at.around() for stmt in place.before())
                if _has_cause(before) and project.calls.is_call_to(site.call, fn, *SLEEPS):
                    yield _Sleep(site, fn, before)


def _repeats(at: At) -> bool:
    """In a loop (polling, periodic work) or in an `except` clause (back-off)."""
    return any(True for _ in enclosing_loops(at)) or any(place.part == "handler" for place in at.around())


def _has_cause(before: tuple[Stmt, ...]) -> bool:
    """Whether a word that starts or stops a worker stands before the sleep, or anything that may write a flag."""
    called = {names(site.call.func) for site in sites(before)}
    return bool(called & (_STARTS | _TELLS)) or any(
        type(at.stmt).__name__ == "Assign" and isinstance(getattr(at.stmt, "value", None), Const) for at in walk(before)
    )


def _is_left(acquisition: Acquisition, project: Project) -> bool:
    """Whether nobody ever waits for the worker, or looks at it."""
    if not project.resources.started(acquisition):
        return False
    track = project.resources.track(acquisition)
    watched = track.has(*_WATCHED) or track.escaped or any(use.kind in ("await", "with") for use in track.uses)
    return not watched and (acquisition.model.kind == "task" or not project.resources.released(acquisition))


def _judge(sleep: _Sleep, acquisition: Acquisition, project: Project) -> _Verdict | None:
    track = project.resources.track(acquisition)
    if acquisition.model.kind == "task":
        return _cancelled(sleep, acquisition, track, project) or _ends_with_loop(sleep, acquisition, track, project)
    return _told(sleep, acquisition, project) or _only_started(sleep, acquisition, track, project)


# --- told to end -----------------------------------------------------------------------------------------------------------


def _cancelled(sleep: _Sleep, acquisition: Acquisition, track: Track, project: Project) -> _Verdict | None:
    """`task.cancel()`, then a sleep: the cleanup of the task gets as long as the guess."""
    use = _before(track.methods("cancel"), sleep)
    if use is None:
        return None
    lost = tuple(step for body in project.resources.bodies(acquisition) for step in _awaiting_cleanup(body))
    if not lost and _is_turn(sleep):
        return None
    return _Verdict("was cancelled", "its cleanup is cut off", _step(use.site, use.fn, "cancelled here"), lost)


def _is_turn(sleep: _Sleep) -> bool:
    """``sleep(0)`` gives others their turn, and no time."""
    given = sleep.site.call.args[0].value if sleep.site.call.args else None
    return isinstance(given, Const) and given.value == 0


def _awaiting_cleanup(body: Fn) -> Iterator[Step]:
    """The `finally`, `except` and `async with` of a coroutine that wait for something: they last longer than one turn."""
    for at in body.statements:
        if isinstance(at.stmt, Try):
            blocks = (at.stmt.final, *(h.body for h in at.stmt.handlers if h.types is None or _is_cancel(h.types)))
            found = next((expr for block in blocks for expr in _awaits(block)), None)
            if found is not None:
                yield body.step(found.span, f"`{text(found)}` in {body.qualname}")
        elif isinstance(at.stmt, With) and at.stmt.is_async:
            yield body.step(at.stmt.span, f"`async with {text(at.stmt.items[0].context)}` in {body.qualname}")


def _is_cancel(types: object) -> bool:
    return any(names(part) in ("CancelledError", "BaseException") for part in subexprs(types))  # type: ignore[arg-type]  # an expression


def _awaits(block: tuple[Stmt, ...]) -> Iterator[Await]:
    for at in walk(block):
        for root in own_exprs(at.stmt):
            yield from (expr for expr in subexprs(root) if isinstance(expr, Await))


def _told(sleep: _Sleep, acquisition: Acquisition, project: Project) -> _Verdict | None:
    """A flag that ends the worker's loop is set, then a sleep."""
    for loop in project.resources.loops(acquisition) if not _is_turn(sleep) else ():
        for place in loop.tests if loop.leaves else ():
            stop, event = stop_value(loop, place.name), is_event(project, place)
            if acquisition.model.kind == "process" and not event:
                continue  # a child does not see what its parent writes into an attribute
            at = _teller(sleep, acquisition, place, stop, event, project)
            if at is not None:
                when = sleep.fn.step(getattr(at, "span", sleep.site.call.span), "told to end here")
                lost = _at_stake(sleep, acquisition, loop.fn, project)
                return _Verdict("was told to end", "it may still be at work", when, lost)
    return None


def _teller(
    sleep: _Sleep, acquisition: Acquisition, place: Place, stop: bool | None, event: bool, project: Project
) -> Stmt | None:
    """The statement before the sleep that gives the place the value at which the loop ends, itself or by a call.

    Nothing else that may need its time stands between the two: a sleep behind a signal or a command is for that.
    """
    served = _served(sleep)
    stmts = {id(at.stmt): at.stmt for at in walk(served)}
    for site in (*sleep.fn.attributes(place.name), *sleep.fn.names(place.name)):
        if id(site.at.stmt) in stmts and event and tells(site, sleep.fn, stop, event):
            return site.at.stmt
    for at in walk(served):
        for site in sites_at(at):
            for target in project.calls.targets(site.call, sleep.fn):
                if target.fn.name != "__init__" and _sets(target.fn, place, stop, event, project):
                    if not _is_of_another(site, sleep.fn, acquisition, project):
                        return at.stmt
    return None


def _is_of_another(site: Site, fn: Fn, acquisition: Acquisition, project: Project) -> bool:
    """Whether the call is made on another worker of the same class: ``self.report.close()`` tells ``self.feed`` nothing."""
    mine = project.resources.track(acquisition).places
    theirs = set(_places(site.call, fn, project))
    cls = acquisition.cls
    of_class = cls is not None and any(
        isinstance(value, Instance) and isinstance(value.cls, Cls) and value.cls in project.classes.family(cls)
        for value in project.evaluate.values(getattr(site.call.func, "value", None), fn)
    )
    return (
        of_class and bool(mine and theirs) and not any(same_place(place, other) for place in mine for other in theirs)
    )


def _served(sleep: _Sleep) -> tuple[Stmt, ...]:
    """The statements right before the sleep, as far as they only tell: up to another call, or a way out, above it."""
    found: list[Stmt] = []
    for place in sleep.site.at.around():
        for stmt in reversed(place.before()):
            if _leaves(stmt) or (found and _takes_time(found[-1])):
                return tuple(found)
            found.append(stmt)
    return tuple(found)


def _leaves(stmt: Stmt) -> bool:
    """Whether what it does is not followed by the sleep: ``except …: stop.set(); return``."""
    return any(isinstance(at.stmt, (Return, Raise)) for at in walk((stmt,)))


def _takes_time(stmt: Stmt) -> bool:
    """Whether it makes a call that is neither a tell nor a message."""
    return any(names(site.call.func) not in _TELLS | _SAYS for site in sites((stmt,)))


def _sets(fn: Fn, place: Place, stop: bool | None, event: bool, project: Project) -> bool:
    if not project.protocol.tells(fn, (place,)):
        return False
    return any(
        tells(site, inner, stop, event)
        for inner in project.protocol.reach(fn)
        for site in (*inner.attributes(place.name), *inner.names(place.name))
    )


# --- only started ----------------------------------------------------------------------------------------------------------


def _ends_with_loop(sleep: _Sleep, acquisition: Acquisition, track: Track, project: Project) -> _Verdict | None:
    """A task with an end of its own is started, a sleep, and the program ends: the event loop cancels the task."""
    if track.has("cancel") or not _stands_before(acquisition.site, acquisition.fn, sleep):
        return None
    return _cut_off(sleep, acquisition, "the end of the event loop cancels it", project)


def _only_started(sleep: _Sleep, acquisition: Acquisition, track: Track, project: Project) -> _Verdict | None:
    """A daemon with an end of its own is started, a sleep, and the program ends."""
    if acquisition.daemon is not True or _before(track.methods("start"), sleep) is None:
        return None
    return _cut_off(sleep, acquisition, "the end of the program kills it", project)


def _cut_off(sleep: _Sleep, acquisition: Acquisition, why: str, project: Project) -> _Verdict | None:
    bodies = project.resources.bodies(acquisition)
    if not bodies or any(project.protocol.ending(body) != "finite" for body in bodies):
        return None
    if not program_ends_after(sleep.site.at, sleep.fn, project):
        return None
    lost = tuple(step for body in bodies for step in _effects(body, project))
    return _Verdict("was only started", why, _step(acquisition.site, acquisition.fn, "started here"), lost)


# --- what is lost ----------------------------------------------------------------------------------------------------------


def _at_stake(sleep: _Sleep, acquisition: Acquisition, worker: Fn, project: Project) -> tuple[Step, ...]:
    """What a worker that is still at work loses: its effects if it is a daemon, else what is closed under it."""
    closed = tuple(_closed_under(sleep, worker, project))
    return closed or (tuple(_effects(worker, project)) if acquisition.daemon is True else ())


def _effects(body: Fn, project: Project) -> Iterator[Step]:
    """The calls of the worker, and of what it calls, that reach outside of the process."""
    for fn in project.protocol.reach(body):
        for site in fn.sites:
            if not project.calls.targets(site.call, fn) and reaches_outside(site, fn, project):
                yield fn.step(site.call.span, f"`{text(site.call)}` in {fn.qualname}")
                return


def _closed_under(sleep: _Sleep, worker: Fn, project: Project) -> Iterator[Step]:
    """What is closed after the sleep although the worker uses it."""
    used = {place for fn in project.protocol.reach(worker) for place in _receivers(fn, project)}
    for stmt, fn in follows(sleep.site.at, sleep.fn, project):
        for site in sites((stmt,)):
            if names(site.call.func) in _CLOSES and used & set(_places(site.call, fn, project)):
                yield fn.step(site.call.span, f"`{text(site.call)}`, which `{worker.qualname}` still uses")


def _receivers(fn: Fn, project: Project) -> Iterator[Place]:
    for site in fn.sites:
        yield from _places(site.call, fn, project)


def _places(call: Call, fn: Fn, project: Project) -> Iterator[Place]:
    """The places whose object the call is made on."""
    receiver = getattr(call.func, "value", None)
    if receiver is not None and not isinstance(receiver, Call):
        yield from project.protocol.places_read(receiver, fn)


# --- reporting -------------------------------------------------------------------------------------------------------------


def _before(uses: tuple[Use, ...], sleep: _Sleep) -> Use | None:
    return next((use for use in uses if _stands_before(use.site, use.fn, sleep)), None)


def _stands_before(site: Site, fn: Fn, sleep: _Sleep) -> bool:
    return fn is sleep.fn and any(at.stmt is site.at.stmt for at in walk(sleep.before))


def _step(site: Site, fn: Fn, what: str) -> Step:
    return fn.step(site.call.span, what)


def _finding(sleep: _Sleep, acquisition: Acquisition, verdict: _Verdict, project: Project) -> Finding:
    kind = acquisition.model.kind
    name = label(acquisition, project.resources.track(acquisition))
    loses = f" and loses {verdict.lost[0].text}" if verdict.lost else ""
    end = "await it" if kind == "task" else "join it, with a limit"
    tier: Tier = "P" if is_test(sleep.fn) else "D" if verdict.lost else "S"
    return RULE.finding(
        sleep.fn.module,
        sleep.site.call.span,
        f"`{text(sleep.site.call)}` stands in for waiting for {kind} `{name}`, which {verdict.how}: "
        f"if it needs longer, {verdict.why}{loses}",
        tier=tier,
        lost=verdict.lost,
        trace=(verdict.when, acquisition.fn.step(acquisition.call.span, f"{kind} `{name}` is made here")),
        help=f"keep `{name}` and {end}, instead of guessing how long it needs",
    )
