"""What a generator ends behind the loop in which it yields: who stops iterating early never comes there.

``GeneratorExit`` is raised in the ``yield`` when the generator is closed or collected, as is what the loop itself raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Call, Expr, ExprStmt, For, Name, Param, Try, While, With
from shutdown_lint.findings import Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.endings import catches
from shutdown_lint.project.scopes import Value
from shutdown_lint.rules.swallowed._catching import statement_call
from shutdown_lint.walk import At, enclosing_finally, root_name, sites, stands_in, walk, yields

_ENDS = frozenset(
    {"close", "aclose", "stop", "shutdown", "terminate", "kill", "quit", "disconnect", "release", "cancel"}
)
# Made in the generator, these outlive it; a file or a socket of its own goes with its frame.
_OUTLIVE = frozenset(
    {"executor", "pool", "process", "child", "thread", "server", "scheduler", "observer", "consumer", "session", "task"}
)
_DECORATED = frozenset({"contextmanager", "asynccontextmanager", "fixture", "inlineCallbacks", "coroutine"})


class Iterated(NamedTuple):
    """The step behind the loop, and the ``yield`` in it that may be the last."""

    step: Call
    given: At
    tier: Tier


def ended_behind_yields(fn: Fn, project: Project) -> Iterator[Iterated]:
    """The first release of the generator that stands behind a loop with a ``yield``, and nowhere else."""
    if not fn.facts.is_generator or fn.decorator_names & _DECORATED or not _ENDS & fn.mentions:
        return
    for loop in fn.statements:
        given = _first_yield(loop) if isinstance(loop.stmt, (For, While)) else _delegates(loop)
        if given is None or next(enclosing_finally(loop), None) is not None:
            continue
        for stmt in loop.after():
            call = statement_call(stmt)
            func = call.func if call is not None else None
            if call is None or not isinstance(func, Attr) or func.name not in _ENDS or call.args:
                continue
            if not _ended_elsewhere(func.value, fn):
                tier = _tier(func.value, fn, project)
                if tier is not None:
                    yield Iterated(call, given, tier)
                    return


def _delegates(at: At) -> At | None:
    """``yield from response.lines()`` is such a loop as well."""
    return at if isinstance(at.stmt, ExprStmt) and any(given.is_from for given in yields(at)) else None


def _first_yield(loop: At) -> At | None:
    assert isinstance(loop.stmt, (For, While))
    return next((at for at in walk(loop.stmt.body) if any(True for _ in yields(at)) and not _is_caught(at)), None)


def _is_caught(at: At) -> bool:
    """Whether a clause in the loop takes what is raised in the ``yield``."""
    return any(
        catches(handler.types, "GeneratorExit")
        for place in at.around()
        if place.outer and place.part == "body" and isinstance(place.outer.stmt, Try)
        for handler in place.outer.stmt.handlers
    )


def _ended_elsewhere(what: Expr, fn: Fn) -> bool:
    """Whether a ``finally``, a clause or a ``with`` of the function deals with it."""
    for at in fn.statements:
        if isinstance(at.stmt, With) and any(stands_in(what, item.context) for item in at.stmt.items):
            return True
        if isinstance(at.stmt, Try):
            guarded = (*at.stmt.final, *(s for handler in at.stmt.handlers for s in handler.body))
            if any(stands_in(what, site.call) for site in sites(guarded)):
                return True
    return False


def _tier(what: Expr, fn: Fn, project: Project) -> Tier | None:
    """By default where it outlives the generator: an attribute, what an attribute holds, or a worker of its own."""
    kinds = project.resources.kinds_of(what, fn)
    if isinstance(what, Attr):
        return "D" if root_name(what) == fn.self_name else "S"
    if not isinstance(what, Name):
        return None
    bindings = fn.given(what.id)
    if len(bindings) != 1:
        return None
    if isinstance(bindings[0], Param):
        return "S"
    if isinstance(bindings[0], Value) and isinstance(bindings[0].expr, Attr):
        return "D"
    if kinds & _OUTLIVE:
        return "D"
    return None if kinds or not isinstance(bindings[0], Value) else "S"
