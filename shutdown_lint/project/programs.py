"""Where a program spends its life: the way from an entry point to the place at which it stays until it is stopped.

An entry point is a console script, a command of a command line framework, or the ``__main__`` part of a module. A *stay*
is a loop that nothing but a stop request ends, a call that serves for ever, or a wait for a worker that runs for ever.
Loops that end by themselves (at the end of input, after a retry that worked, after a count) are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.facts import (
    NO_SPAN,
    Attr,
    Break,
    Call,
    Const,
    Expr,
    ExprStmt,
    For,
    If,
    Name,
    Op,
    Return,
    Span,
    While,
)
from shutdown_lint.findings import Step
from shutdown_lint.project.endings import SOFT_EXITS
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.loop_shapes import runs_dry
from shutdown_lint.project.memo import Memo
from shutdown_lint.project.protocol import Loop, Wait
from shutdown_lint.project.resources import STOP_METHODS
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.tracks import Attribute, Local, Place
from shutdown_lint.project.values import Constant, Instance
from shutdown_lint.walk import At, Site, argument, enclosing_loops, last_name, same, sites_at, subexprs, text, walk

if TYPE_CHECKING:
    from shutdown_lint.project import Project

MAX_DEPTH = 7
MAX_COMMANDS = 16
MAX_FUNCTIONS = 120
_EVENTS = ("threading.Event", "multiprocessing.Event", "asyncio.Event", "multiprocessing.synchronize.Event")
_RUNNERS = (
    "asyncio.run",
    "asyncio.AbstractEventLoop.run_until_complete",
    "asyncio.Runner.run",
    "asyncio.wait_for",
    "asyncio.shield",
)
_ENDERS = ("terminate", "kill", "killpg", "send_signal")
_JOINS = ("threading.Thread.join", "multiprocessing.Process.join")
# A flag that ends a program's main loop, by its name; `ready`, `connected` and `done` are told by workers.
_STOP_WORDS = re.compile(
    r"stop|running|^run$|keep|alive|shut|exit|quit|terminat|kill|halt|abort|closing|active|should|interrupt|sig(nal|term|int)|signum|die$|leave",
    re.IGNORECASE,
)
_STARTS = re.compile(
    r"connected$|(^|_)(ready|started|opened|online|found|received|available|initiali[sz]ed)$", re.IGNORECASE
)
_ASKED_TO_STOP = ("KeyboardInterrupt", "SystemExit", "CancelledError", "BaseException")


class Frame(NamedTuple):
    """A function on the way, and the place in it at which the next one is called (or at which the program stays)."""

    fn: Fn
    at: At


class Stay(NamedTuple):
    """Where a program stays: the frames from the entry point inwards, and the loop or call in the last one.

    ``what`` says it in words (``the loop in serve``), ``body`` is the function of the worker that is waited for, if any.
    """

    entry: Fn
    frames: tuple[Frame, ...]
    what: str
    worker: Fn | None

    def steps(self) -> tuple[Step, ...]:
        """The path for a finding."""
        calls = [_call_step(here, below.fn) for here, below in zip(self.frames, self.frames[1:])]
        last = self.frames[-1]
        return (*(step for step in calls if step is not None), last.fn.step(span_of(last.at), f"stays in {self.what}"))


def span_of(at: At) -> Span:
    """The span of a statement; a declaration, which nothing runs, has none."""
    return getattr(at.stmt, "span", NO_SPAN)


def _call_step(here: Frame, below: Fn) -> Step | None:
    return here.fn.step(span_of(here.at), f"`{here.fn.qualname}` runs `{below.qualname}`")


_MEMO: Memo[dict[Fn, Stay | None]] = Memo()


_ENTRIES: Memo[tuple[Fn, ...]] = Memo()


def entries(project: Project) -> tuple[Fn, ...]:
    """The entry points of the project's programs, tests left out; a module's body for its ``__main__`` part."""
    found = _ENTRIES.get(project)
    if found is None:
        seeds = project.roles.seeds().items()
        mains = (fn for fn, roles in seeds if any(role.kind == "main" for role in roles))
        found = tuple([fn for fn in mains if not is_test(fn)])
        if project.roles.gathered:
            _ENTRIES[project] = found
    return found


def stay(entry: Fn, project: Project) -> Stay | None:
    """Where the program of this entry point stays; None where it ends by itself, or that is not known."""
    memo = _MEMO.setdefault(project, {})
    if entry not in memo:
        memo[entry] = None
        memo[entry] = _search(entry, entry, (), set(), project)
    return memo[entry]


def _search(entry: Fn, fn: Fn, frames: tuple[Frame, ...], seen: set[Fn], project: Project) -> Stay | None:
    """Depth first, in the order of the code."""
    if fn in seen or len(seen) >= MAX_FUNCTIONS or len(frames) >= MAX_DEPTH:
        return None
    seen.add(fn)
    loops = {id(loop.at.stmt): loop for loop in project.protocol.loops(fn)}
    for at in fn.statements:
        if fn.is_module and fn is entry and not in_program(at, fn, project):
            continue
        here = (*frames, Frame(fn, at))
        loop = loops.get(id(at.stmt))
        if loop is not None and _is_long(loop, project):
            return Stay(entry, here, f"the loop in {fn.qualname}", None)
        for site in sites_at(at):
            found = _at_call(site, fn, entry, here, seen, project)
            if found is not None:
                return found
    return None


def in_program(at: At, fn: Fn, project: Project) -> bool:
    """Whether a statement of a module's body is of the program: under the ``__main__`` test, if there is one."""
    guard = project.roles.main_guard(fn)
    return guard is None or any(place.outer is not None and place.outer.stmt is guard for place in at.around())


def _at_call(site: Site, fn: Fn, entry: Fn, here: tuple[Frame, ...], seen: set[Fn], project: Project) -> Stay | None:
    wait = project.protocol.wait(site, fn)
    if wait is not None:
        worker = _awaited_worker(wait, project)
        if _is_for_ever(wait, project) or worker is not None:
            return Stay(entry, here, f"`{text(site.call)}` in {fn.qualname}", worker)
    for target in _run_by(site, fn, project):
        found = _search(entry, target, here, seen, project)
        if found is not None:
            return found
    return None


def _run_by(site: Site, fn: Fn, project: Project) -> Iterator[Fn]:
    """The functions that the call runs to their end before it comes back; a coroutine must be awaited or run."""
    targets = project.calls.targets(site.call, fn)
    # several are commands of one program, `COMMANDS[name](args)`; overrides that are only likely tell nothing
    surely = all(target.confidence == "proven" for target in targets) and len(targets) <= MAX_COMMANDS
    for target in targets if len(targets) == 1 or surely else ():
        if target.fn.facts.is_generator:
            continue
        if not target.fn.facts.is_async or site.awaited or is_run(site, fn, project):
            yield target.fn


def is_run(site: Site, fn: Fn, project: Project) -> bool:
    """Whether the result of the call, a coroutine, is handed to something that runs it to its end."""
    outer = site.parents[0] if site.parents else None
    return isinstance(outer, Call) and project.calls.is_call_to(outer, fn, *_RUNNERS)


# --- loops -----------------------------------------------------------------------------------------------------------


def _is_long(loop: Loop, project: Project) -> bool:
    """Whether only a stop request, or an error, ends the loop; and it waits for something, so that it is no computation."""
    if not loop.waits and not _waits_in_test(loop, project) and not _polls(loop, project):
        return False
    stmt = loop.at.stmt
    if isinstance(stmt, While) and runs_dry(loop.at, stmt.body):
        return False
    if isinstance(stmt, While) and not _is_true(stmt.test) and not _is_stop_test(stmt.test, loop, project):
        return False
    if isinstance(stmt, For) and not _is_endless(stmt, loop, project):
        return False
    return all(_is_asked_way_out(at, loop, project) for at in _ways_out(loop, project))


def _waits_in_test(loop: Loop, project: Project) -> bool:
    """``while not stopping.wait(1):`` rests in its condition."""
    return any(project.protocol.wait(site, loop.fn) is not None for site in sites_at(loop.at))


def _is_true(test: Expr) -> bool:
    return isinstance(test, Const) and bool(test.value)


def _is_endless(stmt: For, loop: Loop, project: Project) -> bool:
    return isinstance(stmt.iter, Call) and project.calls.is_call_to(
        stmt.iter, loop.fn, "itertools.count", "itertools.repeat", "itertools.cycle"
    )


def _polls(loop: Loop, project: Project) -> bool:
    """A call on a consumer, a socket or a selector."""
    for at in walk(getattr(loop.at.stmt, "body", ())):
        for site in sites_at(at):
            if isinstance(site.call.func, Attr) and site.call.func.name in (
                "poll",
                "consume",
                "select",
                "receive",
                "accept",
                "handle_request",
            ):
                model = project.resources.model_of(site.call.func.value, loop.fn)
                if model is not None and model.kind in ("consumer", "socket", "selector", "server"):
                    return True
    return False


def _ways_out(loop: Loop, project: Project) -> Iterator[At]:
    """The statements that leave the loop without an error: ``return``, a ``break`` of its own, an exit request."""
    for at in walk(getattr(loop.at.stmt, "body", ())):
        if (
            isinstance(at.stmt, Return)
            or (isinstance(at.stmt, Break) and next(enclosing_loops(at), None) is None)
            or (
                isinstance(at.stmt, ExprStmt)
                and isinstance(at.stmt.value, Call)
                and project.calls.is_call_to(at.stmt.value, loop.fn, *SOFT_EXITS)
            )
        ):
            yield at


def _is_asked_way_out(at: At, loop: Loop, project: Project) -> bool:
    """Whether the loop is left there because someone asked for it: by an interrupt, or by a flag or event."""
    for place in at.around():
        if place.handler is not None and any(name in _ASKED_TO_STOP for name in _caught(place.handler.types)):
            return True
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, If) and _is_stop_test(outer.test, loop, project):
            return True
    return False


def _caught(types: Expr | None) -> Iterator[str]:
    for part in getattr(types, "items", (types,)):
        yield getattr(part, "id", getattr(part, "name", ""))


def _is_stop_test(test: Expr, loop: Loop, project: Project) -> bool:
    """``not stop.is_set()``, ``self.running``, ``not stop.wait(1)``: an event or a flag that the loop itself does not change."""
    places = tuple(project.protocol.places_read(test, loop.fn))
    if isinstance(test, Op) and test.op not in ("not", "and", "or", "is", "is-not", "=="):
        return False
    if any(_awaits_a_start(part) for part in subexprs(test)):
        return False
    flags = [place for place in places if _STOP_WORDS.search(place.name) and _is_flag(place, loop.fn, project)]
    return bool(flags) and not _told_inside(loop, flags)


def _awaits_a_start(test: Expr) -> bool:
    """``not self.connected``: a loop that ends as soon as something has begun."""
    asked = test.operands[0] if isinstance(test, Op) and test.op == "not" else None
    return isinstance(asked, (Attr, Name)) and _STARTS.search(last_name(asked)) is not None


def _is_flag(place: Place, fn: Fn, project: Project) -> bool:
    """An event, or a global or attribute that holds nothing but True and False."""
    if isinstance(place, Attribute):
        values = project.classes.stored(place.cls, place.name)
    elif isinstance(place, Local):
        values = project.evaluate.name(place.name, place.fn)
        if not place.fn.is_module and place.fn is fn and not any(isinstance(value, Instance) for value in values):
            return False
    if not values:
        return False
    return all(_is_event(value) or (isinstance(value, Constant) and isinstance(value.value, bool)) for value in values)


def _is_event(value: object) -> bool:
    return isinstance(value, Instance) and value.cls in _EVENTS


def _told_inside(loop: Loop, places: list[Place]) -> bool:
    """Whether the loop's own body (not a handler of an interrupt in it) writes or sets one of the places."""
    names = {place.name for place in places}
    for at in walk(getattr(loop.at.stmt, "body", ())):
        if any(
            place.handler is not None and any(n in _ASKED_TO_STOP for n in _caught(place.handler.types))
            for place in at.around()
        ):
            continue
        for target in getattr(at.stmt, "targets", ()):
            if isinstance(target, (Name, Attr)) and (target.id if isinstance(target, Name) else target.name) in names:
                return True
        for site in sites_at(at):
            func = site.call.func
            if isinstance(func, Attr) and func.name == "set" and text(func.value).rpartition(".")[2] in names:
                return True
    return False


# --- waits -----------------------------------------------------------------------------------------------------------


def _is_for_ever(wait: Wait, project: Project) -> bool:
    """A server's loop, ``signal.pause()``, or a wait for an event that nothing but a handler sets."""
    call, fn = wait.site.call, wait.fn
    if wait.model.forever:
        if _is_stopped_inside(call, fn, project):
            return False
        return not wait.model.is_async or wait.site.awaited or is_run(wait.site, fn, project)
    if wait.bounded or not wait.model.call.endswith("Event.wait") or not isinstance(call.func, Attr):
        return False
    if _in_wait_for(wait.site, fn, project) or fn.name == "__init__":
        return False  # a constructor waits until something has begun
    receiver = call.func.value
    if isinstance(receiver, Call):
        return any(_is_event(value) for value in project.evaluate.values(receiver, fn))
    names = [place.name for place in project.protocol.places_read(receiver, fn)]
    return (
        bool(names)
        and not any(_sets(name, other, project) for name in names for other in project.calls.calls_named("set"))
        and not _is_set_handed(names, fn, project)
    )


def _in_wait_for(site: Site, fn: Fn, project: Project) -> bool:
    """``await asyncio.wait_for(done.wait(), 5)``."""
    outer = site.parents[0] if site.parents else None
    if not isinstance(outer, Call) or not project.calls.is_call_to(outer, fn, "asyncio.wait_for"):
        return False
    limit = argument(outer, 1, "timeout")
    return limit is not None and not (isinstance(limit, Const) and limit.value is None)


def _is_set_handed(names: list[str], fn: Fn, project: Project) -> bool:
    """``loop.call_soon_threadsafe(done.set)``: others call it."""
    return any(
        isinstance(site.expr, Attr)
        and last_name(site.expr.value) in names
        and any(isinstance(parent, Call) and parent.func is not site.expr for parent in site.parents[:1])
        for other in project.functions(fn.module)
        if "set" in other.mentions
        for site in other.attributes("set")
    )


def _is_stopped_inside(call: Call, fn: Fn, project: Project) -> bool:
    """``def on_answer(): loop.stop()`` in the function that runs the loop: its work ends it, not a signal."""
    loop = call.func.value if isinstance(call.func, Attr) and call.func.name == "run_forever" else None
    return isinstance(loop, (Name, Attr)) and any(
        isinstance(site.call.func, Attr)
        and site.call.func.name == "stop"
        and same(site.call.func.value, loop)
        and not project.roles.only(other, "signal-handler", "loop-signal-callback")
        for other in project.functions(fn.module)
        if other.parent is fn and "stop" in other.mentions
        for site in other.sites
    )


def _sets(name: str, other: tuple[Fn, Site], project: Project) -> bool:
    """Whether the call sets an event of this name, outside of signal handlers."""
    fn, site = other
    if text(getattr(site.call.func, "value", None)).rpartition(".")[2] != name:
        return False
    return not project.roles.only(fn, "signal-handler", "loop-signal-callback")


def _awaited_worker(wait: Wait, project: Project) -> Fn | None:
    """The body of a thread or process that runs for ever and is waited for without limit."""
    call = wait.site.call
    if wait.bounded or wait.model.call not in _JOINS or not isinstance(call.func, Attr) or wait.fn.name in STOP_METHODS:
        return None
    if _is_ended_before(wait):
        return None
    for value in project.evaluate.values(call.func.value, wait.fn):
        if isinstance(value, Instance):
            for body in worker_bodies(value, project):
                loops = [loop for loop in project.protocol.worker_loops(body) if _is_long(loop, project)]
                if loops and not any(project.protocol.tells(wait.fn, loop.tests, until=wait.site) for loop in loops):
                    return body
    return None


def _is_ended_before(wait: Wait) -> bool:
    """Whether the same function has terminated or killed children before it waits: ``child.terminate(); child.join()``."""
    line = wait.site.call.span.line
    return any(
        isinstance(site.call.func, Attr) and site.call.func.name in _ENDERS and site.call.span.line < line
        for site in wait.fn.sites
    )


def worker_bodies(value: Instance, project: Project) -> tuple[Fn, ...]:
    """The functions that a thread or process object runs: its target, or the ``run`` of its class."""
    if isinstance(value.cls, Cls):
        run = project.classes.method(value.cls, "run")
        if run is not None:
            return (run,)
    if value.call is None or value.fn is None:
        return ()
    return project.calls.callables(argument(value.call, 1, "target"), value.fn)
