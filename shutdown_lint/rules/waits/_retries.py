"""Loops of a thread that try again and again without a look at the flag by which the thread is told to stop."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from shutdown_lint.facts import Break, Call, Const, Handler, If, Name, Raise, Return, Seq, Try, While
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Loop
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.tracks import Place
from shutdown_lint.rules.waits._woken import flag_from_outside
from shutdown_lint.walk import At, enclosing_loops, exprs, last_name, sites, subexprs, walk

_TRIES = re.compile(r"(^|_)(re)?(connect|open|login|dial|handshake|bind|subscribe)(_|$)|create_connection")
_ERRORS = frozenset({
    "Exception", "OSError", "IOError", "ConnectionError", "ConnectionRefusedError", "ConnectionResetError", "TimeoutError", "timeout", "error",
    "gaierror", "SocketError",
})  # fmt: skip


class Retry(NamedTuple):
    """The loop that tries, what it tries, and the flag that another loop of the thread tests."""

    fn: Fn
    at: At
    tried: Call
    loop: Loop
    flag: Place


def retries(thread: Acquisition, here: Mapping[Fn, tuple[tuple[At, Call], ...]], project: Project) -> Iterator[Retry]:
    """``while True: try: self._connect(); break; except OSError: sleep(1)`` before the loop that tests the flag.

    ``here`` are functions with such loops, see ``tries``.
    """
    loops = project.resources.loops(thread)
    told = [(loop, flag) for loop in loops if (flag := flag_from_outside(project, loop)) is not None]
    if not told:
        return
    loop, flag = told[0]
    names = {place.name for _, place in told}
    for body in project.resources.bodies(thread):
        for fn in project.protocol.reach(body):
            for at, tried in here.get(fn, ()):
                if not _looks(at, fn, names, project):
                    yield Retry(fn, at, tried, loop, flag)


def tries(fn: Fn) -> tuple[tuple[At, Call], ...]:
    """The loops of the function that try until it goes well, and what they try: found out before any thread is asked."""
    loops = (at for at in fn.statements if isinstance(at.stmt, While))
    return tuple((at, tried) for at in loops if (tried := _tried(at)) is not None)


def _looks(at: At, fn: Fn, names: set[str], project: Project) -> bool:
    """Whether the loop, or what it calls, or a loop around it that is left by it, mentions one of the flags."""
    assert isinstance(at.stmt, While)
    roots = (at.stmt.test, *exprs(at.stmt.body))
    if any(last_name(part) in names for root in roots for part in subexprs(root)):
        return True
    called = {target.fn for site in sites(at.stmt.body) for target in project.calls.targets(site.call, fn)}
    return any(names & other.mentions for target in called for other in project.protocol.reach(target))


def _tried(at: At) -> Call | None:
    """What the loop tries until it goes well: errors are caught, slept over, and nothing counts them."""
    loop = at.stmt
    assert isinstance(loop, While)
    if not isinstance(loop.test, (Const, Name)) or (isinstance(loop.test, Const) and not loop.test.value):
        return None
    if not any(last_name(site.call.func) == "sleep" for site in sites(loop.body)):
        return None
    for inner in walk(loop.body):
        stmt = inner.stmt
        if (
            not isinstance(stmt, Try) or next(enclosing_loops(inner), None) is not None
        ):  # the body's own are all that is seen
            continue
        tried = next((s.call for s in sites(stmt.body) if _TRIES.search(last_name(s.call.func))), None)
        if tried is not None and any(_goes_on(handler) for handler in stmt.handlers) and _ends_well(loop):
            return tried
    return None


def _goes_on(handler: Handler) -> bool:
    """Whether the clause takes the errors of a peer that is gone, and does not leave; a caller's choice aside."""
    parts = handler.types.items if isinstance(handler.types, Seq) else (handler.types,)
    if not any(part is None or last_name(part) in _ERRORS for part in parts):
        return False
    return not any(isinstance(at.stmt, (Raise, Break, Return)) and not _is_chosen(at) for at in walk(handler.body))


def _is_chosen(at: At) -> bool:
    """``if not retry: raise``."""
    test = at.outer.stmt.test if at.outer is not None and isinstance(at.outer.stmt, If) else None
    return getattr(test, "op", "") == "not" and isinstance(test.operands[0], Name)  # type: ignore[union-attr]  # an operation


def _ends_well(loop: While) -> bool:
    """Whether the loop is left where all went well, so that it is one that tries, and not the worker's own."""
    return any(
        isinstance(at.stmt, (Break, Return)) and all(place.part != "handler" for place in at.around())
        for at in walk(loop.body)
    )
