"""Cleanup loops that go on after a member's error, and not after its cancellation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Await, Body, Call, Expr, For, Name, Try
from shutdown_lint.findings import Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.failing import why
from shutdown_lint.rules.swallowed._catching import STOPPING, caught, last_name, leaves, raises, tries
from shutdown_lint.rules.swallowed._steps import is_release_name
from shutdown_lint.rules.waits._stops import is_stop
from shutdown_lint.walk import enclosing_loops, exprs, root_name, subexprs

_HELPER = re.compile(r"(^|_)(stop|close|shutdown|cleanup|terminate|teardown|disconnect)(_|$)")
_WRAPPERS = frozenset({"shield", "wait_for"})
_ENDS = frozenset({"__anext__", "__aexit__", "asend"})


class Member(NamedTuple):
    """The awaited release of one member, and how sure it is that a member may be cancelled."""

    call: Call
    tier: Tier


def cancelled_members(fn: Fn, project: Project) -> Iterator[Member]:
    """``for child in children: try: await child.stop() except Exception: log(…)`` in a coroutine that stops things."""
    if not fn.facts.is_async or not _stops(fn, project):
        return
    for at, stmt in tries(fn):
        around = next(enclosing_loops(at), None)
        loop = around.stmt if around is not None else None
        if not isinstance(loop, For) or not isinstance(loop.target, Name) or not _goes_on(stmt, fn, project):
            continue
        for call in _released(stmt.body, loop.target.id):
            reason = why(call, fn, project, awaited=True)
            foreign = (reason is not None and reason.kind in ("foreign", "supplied")) or last_name(call) in _ENDS
            yield Member(call, "D" if foreign else "S")
            break


def _stops(fn: Fn, project: Project) -> bool:
    """A stop function, or a helper that says so in its name and that one calls: ``_default_stop_children``."""
    return is_stop(fn, project) or (
        bool(_HELPER.search(fn.name)) and any(is_stop(caller.fn, project) for caller in project.calls.callers(fn))
    )


def _goes_on(stmt: Try, fn: Fn, project: Project) -> bool:
    """Whether a member's error is put aside for the others, and its cancellation is not."""
    names = [caught(handler, fn, project) for handler in stmt.handlers]
    return (
        any("Exception" in some for some in names)
        and not any(some & STOPPING for some in names)
        and not any(raises(handler.body) or leaves(handler.body) for handler in stmt.handlers)
    )


def _released(body: Body, member: str) -> Iterator[Call]:
    for expr in (expr for root in exprs(body) for expr in subexprs(root)):
        call = _unwrapped(expr.value) if isinstance(expr, Await) else None
        if call is not None and root_name(call) == member:
            if is_release_name(last_name(call)) or last_name(call) in _ENDS:
                yield call


def _unwrapped(expr: Expr) -> Call | None:
    while isinstance(expr, Call) and last_name(expr) in _WRAPPERS and expr.args:
        expr = expr.args[0].value
    return expr if isinstance(expr, Call) else None
