"""Loops that start children and watch them, until they are told to stop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Break, Call, Expr, For, Name, Return, Span, While
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Loop
from shutdown_lint.project.resources import STOP_METHODS, Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.scopes import Value
from shutdown_lint.project.tracks import Attribute, Place, Track, Use
from shutdown_lint.rules._told import is_queue, told_flag
from shutdown_lint.walk import At, enclosing_loops, last_name, own_exprs, sites, subexprs, walk

_WATCHES = frozenset({"poll", "is_alive", "join", "wait", "exitcode", "returncode"})
_LOGS = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log", "print", "msg", "write"})
_SHARED = frozenset(
    {"Event", "Queue", "SimpleQueue", "JoinableQueue", "Pipe", "Condition", "Value", "Semaphore", "Barrier"}
)


class Supervision(NamedTuple):
    """The loop that watches a child, one place where it does, and the first statement that leaves the loop from inside."""

    loop: Loop
    watch: Use
    way_out: Span | None


def is_logged(use: Use) -> bool:
    """Whether the attribute is read to be printed: ``log.info("started %s", child.pid)``."""
    if use.kind != "read":
        return False
    return any(isinstance(parent, Call) and last_name(parent.func) in _LOGS for parent in use.site.parents)


def is_renewal(use: Use, acquisition: Acquisition, project: Project) -> bool:
    """Whether the next child is made behind it in the same function: ``child.terminate(); child.wait(); child = start()``."""
    if use.fn.name in STOP_METHODS:
        return False
    made = {id(a.site.at.stmt) for a in project.resources.of_function(use.fn) if a.model is acquisition.model}
    if not made:
        return False
    around = use.site.at.around()
    return any(id(inner.stmt) in made for place in around for inner in walk(place.after()))


def supervision(uses: list[Use], acquisition: Acquisition, track: Track, project: Project) -> Supervision | None:
    """The one loop in which all the watching is done, if it is told to stop while children live."""
    watches = [use for use in uses if use.name in _WATCHES]
    runners = dict.fromkeys(fn for use in watches for fn in _runners(use.fn, project))
    for loop in (loop for fn in runners for loop in project.protocol.loops(fn)):
        seen = [use for use in watches if not _before(use, loop, acquisition, project)]
        if not (loop.leaves and seen and _starts(loop, acquisition, project)):
            continue
        if all(_is_in(use, loop, project) for use in seen) and not _until_children_end(loop, track):
            if not is_test(loop.fn) and _is_told(loop, project):
                return Supervision(loop, seen[0], _way_out(loop))
    return None


def is_told_itself(acquisition: Acquisition, project: Project) -> bool:
    """Whether the child is told by what it shares with its parent: an event, queue or pipe that it is given, or that it tests."""
    places = [place for expr in _given(acquisition) for place in project.protocol.places_read(expr, acquisition.fn)]
    bodies = project.resources.bodies(acquisition)
    for body in bodies:
        places += [place for loop in project.protocol.worker_loops(body) for place in loop.tests]
    shared = [place for place in places if _is_shared(place, project)]
    inside = {fn for body in bodies for fn in project.protocol.reach(body)}
    tellers = dict.fromkeys(fn for place in shared for fn in project.calls.mentioning(place.name))
    return any(
        fn not in inside and fn.name != "__init__" and not fn.is_module and project.protocol.tells(fn, shared)
        for fn in tellers
    )


def _is_shared(place: Place, project: Project) -> bool:
    """By the name of what makes it, since contexts and managers of ``multiprocessing`` make them too."""
    if isinstance(place, Attribute):
        values = [write.value for write in project.classes.writes(place.cls, place.name)]
    else:
        values = [b.expr for b in place.fn.bindings.get(place.name, ()) if isinstance(b, Value)]
    return any(isinstance(value, Call) and last_name(value.func) in _SHARED for value in values)


def _given(acquisition: Acquisition) -> Iterator[Expr]:
    """The names and attributes among the arguments, but for the target."""
    for arg in acquisition.call.args:
        if arg.keyword != "target":
            yield from (part for part in subexprs(arg.value) if isinstance(part, (Name, Attr)))


def _runners(fn: Fn, project: Project) -> tuple[Fn, ...]:
    """The function that watches, and those that call it."""
    return (fn, *dict.fromkeys(caller.fn for caller in project.calls.callers(fn)))


def _starts(loop: Loop, acquisition: Acquisition, project: Project) -> bool:
    """Whether the loop's function, or what it calls, starts the children."""
    return acquisition.fn in project.protocol.reach(loop.fn)


def _before(use: Use, loop: Loop, acquisition: Acquisition, project: Project) -> bool:
    """Whether the look at the child is part of starting it: in what the function that makes it calls, outside of the loop."""
    if use.fn is loop.fn or acquisition.fn is loop.fn:
        return False
    return use.fn is not acquisition.fn and use.fn in project.protocol.reach(acquisition.fn)


def _is_told(loop: Loop, project: Project) -> bool:
    """By a flag that somebody sets, or by a message from a queue."""
    return told_flag(project, loop) is not None or any(is_queue(project, place) for place in loop.tests)


def _is_in(use: Use, loop: Loop, project: Project) -> bool:
    if use.fn is loop.fn:
        return any(at.stmt is loop.at.stmt for at in enclosing_loops(use.site.at)) or use.site.at.stmt is loop.at.stmt
    stmt = loop.at.stmt
    inside = sites(stmt.body) if isinstance(stmt, (While, For)) else ()
    called = {t.fn for site in inside for t in project.calls.targets(site.call, loop.fn)}
    outside = {caller.fn for caller in project.calls.callers(use.fn)} - {loop.fn}
    return use.fn in called and not outside


def _until_children_end(loop: Loop, track: Track) -> bool:
    """``while self.children:`` and ``while child.poll() is None:`` run until there is nobody left."""
    names = {place.name for place in track.places}
    return any(
        getattr(expr, "name", getattr(expr, "id", None)) in names
        for root in own_exprs(loop.at.stmt)
        for expr in subexprs(root)
    ) or any(_is_held(place, track.places) for place in loop.tests)


def _is_held(place: Place, places: tuple[Place, ...]) -> bool:
    return any(
        place.name == other.name and isinstance(place, Attribute) is isinstance(other, Attribute) for other in places
    )


def _way_out(loop: Loop) -> Span | None:
    stmt = loop.at.stmt
    inside = walk(stmt.body) if isinstance(stmt, (While, For)) else ()
    ways = [at for at in inside if isinstance(at.stmt, Return) or (isinstance(at.stmt, Break) and not _inner_loop(at))]
    return ways[-1].stmt.span if ways else None  # type: ignore[union-attr]  # return and break have a span


def _inner_loop(at: At) -> bool:
    """Whether the ``break`` belongs to a loop inside of the walked one (whose own places are not above it here)."""
    return next(enclosing_loops(at), None) is not None
