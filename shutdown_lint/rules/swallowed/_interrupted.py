"""``thing.start(); thing.join(); thing.stop()`` in a main program: the interrupt comes in the wait, and the stop never runs.

A main program that waits without limit is ended by Ctrl-C (or by a SIGTERM handler that raises), and the exception is
raised just there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Assign, Attr, Call, Expr, ExprStmt, Name, Stmt, Try, With
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.outside import reaches_outside
from shutdown_lint.project.signals import handlings
from shutdown_lint.rules.swallowed._steps import is_release_name
from shutdown_lint.walk import At, Site, last_name, same, sites_at, subexprs

_STARTS = re.compile(r"^_?(start|launch|begin|spawn|serve)(_\w+)?$")
_WAITS = re.compile(r"join$|wait")
_OPEN_WAITS = frozenset({"thread", "process", "set", "job", "stop", "close", "shutdown", "notify", "peers"})
_NO_STOPS = frozenset({"flush", "commit"})
_INTERRUPTS = frozenset({"KeyboardInterrupt", "BaseException", "SystemExit"})
_MAX_DEPTH = 4


class Interrupted(NamedTuple):
    """What was started, the wait in which the interrupt comes, and the stop behind it that is then skipped."""

    start: Site
    wait: Site
    stop: Site


def interrupted(fn: Fn, project: Project) -> Iterator[Interrupted]:
    """The stops of a main program that its Ctrl-C skips."""
    if fn.facts.is_async:
        return
    for at in fn.statements:
        wait = _wait(at, fn, project)
        stop = _stop(at, fn) if wait is not None else None
        if wait is None or stop is None or not reaches_outside(stop, fn, project) or _same_thing(wait, stop):
            continue
        if "main" not in project.roles.kinds(fn):
            return
        start = next((site for site in _before(at) if _concerns(stop, site, fn, project)), None)
        if (
            start is not None
            and not _is_told(wait, fn, project)
            and not _is_caught(at)
            and not _caught_outside(fn, project)
            and not _handled(project)
        ):
            yield Interrupted(start, wait, stop)


def _call_site(at: At) -> Site | None:
    """The call that the statement consists of."""
    return next((s for s in sites_at(at) if isinstance(at.stmt, ExprStmt) and s.expr is at.stmt.value), None)


def _wait(at: At, fn: Fn, project: Project) -> Site | None:
    site = _call_site(at)
    if site is None or site.call.args or not _WAITS.match(last_name(site.call.func)):
        return None
    wait = project.protocol.wait(site, fn)
    return site if wait is not None and not wait.bounded and wait.model.wakes in _OPEN_WAITS else None


def _stop(wait: At, fn: Fn) -> Site | None:
    """The first statement behind the wait, but for output, if it stops something."""
    for position in range(wait.position + 1, len(wait.block)):
        at = At(wait.block[position], wait.block, position, wait.part, wait.outer, wait.handler)
        site = _call_site(at)
        if site is None:
            return None
        name = last_name(site.call.func)
        if _WAITS.search(name) or name in _NO_STOPS:
            return None  # one wait behind the other, or the end of a piece of work
        if is_release_name(name):
            return site
        if name not in ("print", "info", "debug", "warning", "echo"):
            return None
    return None


def _is_told(wait: Site, fn: Fn, project: Project) -> bool:
    """Whether the wait is for an event that a stop function sets which is handed to somebody who calls it: that one takes the signal."""
    event = wait.call.func.value if isinstance(wait.call.func, Attr) else None
    if not isinstance(event, (Name, Attr)):
        return False
    return any(
        is_release_name(other.name)
        and other.module is fn.module
        and not project.calls.callers(other)
        and any(last_name(site.call.func) == "set" and _is_of(site.call, event) for site in other.sites)
        and any(site.parents and isinstance(site.parents[0], Call) for site in fn.names(other.name))
        for other in project.functions(fn.module)
        if "set" in other.mentions
    )


def _is_of(call: Call, receiver: Expr) -> bool:
    return isinstance(call.func, Attr) and same(call.func.value, receiver)


def _same_thing(wait: Site, stop: Site) -> bool:
    """``child.join(); child.close()``: what has ended is tidied up, and no more is lost than the wait itself."""
    waited, stopped = wait.call.func, stop.call.func
    return (
        isinstance(waited, Attr)
        and isinstance(stopped, Attr)
        and same(waited.value, stopped.value)
        and waited.name == "join"
        and stopped.name in ("close", "release")
    )


def _before(wait: At) -> Iterator[Site]:
    """What is started before the wait in its block, nearest first."""
    for position in range(wait.position - 1, -1, -1):
        stmt: Stmt = wait.block[position]
        at = At(stmt, wait.block, position, wait.part, wait.outer, wait.handler)
        if isinstance(stmt, (ExprStmt, Assign)):
            yield from (site for site in sites_at(at) if _STARTS.match(last_name(site.call.func)))


def _concerns(stop: Site, start: Site, fn: Fn, project: Project) -> bool:
    """Whether the stop is for what was started: the same receiver, or a function that deals with an object of its name."""
    if not isinstance(start.call.func, Attr):
        return False
    started = start.call.func.value
    if isinstance(stop.call.func, Attr) and same(stop.call.func.value, started):
        return True
    name = last_name(started)
    targets = (target.fn for target in project.calls.targets(stop.call, fn)) if isinstance(stop.call.func, Name) else ()
    return any(_stops_named(inner.call, name) for target in targets for inner in target.sites)


def _stops_named(call: Call, name: str) -> bool:
    func = call.func
    return isinstance(func, Attr) and is_release_name(func.name) and last_name(func.value) == name


def _is_caught(at: At) -> bool:
    """Whether something around the place deals with an interrupt: a clause for it, a ``finally``, a context manager."""
    for place in at.around():
        outer = place.outer.stmt if place.outer is not None and place.part == "body" else None
        if isinstance(outer, With):
            return True
        if isinstance(outer, Try) and (outer.final or any(_takes(handler.types) for handler in outer.handlers)):
            return True
    return False


def _takes(types: Expr | None) -> bool:
    return types is None or any(last_name(part) in _INTERRUPTS for part in subexprs(types))


def _caught_outside(fn: Fn, project: Project, depth: int = 0) -> bool:
    """Whether on each way from the program's start to the function somebody deals with it."""
    callers = project.calls.callers(fn)
    if depth >= _MAX_DEPTH:
        return True
    return bool(callers) and all(
        _is_caught(caller.site.at) or _caught_outside(caller.fn, project, depth + 1) for caller in callers
    )


def _handled(project: Project) -> bool:
    """Whether the program has a handler of SIGINT: then the interrupt is what that makes of it."""
    return any("SIGINT" in handling.signals or not handling.signals for handling in handlings(project))
