"""Errors that a coroutine of the project raises itself, for a peer that refuses or does not answer.

A question about the object's own state (``if not self.connected: raise ConnectionError``) is none: who ends something has
asked that before.
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Await, Call, If, Name, Raise, Try
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.scopes import Value
from shutdown_lint.project.supplied import last_part
from shutdown_lint.walk import At, exprs, sites, subexprs

_LATE = frozenset({"TimeoutError"})
_GONE = frozenset(
    {
        *("ConnectionError", "ConnectionResetError", "ConnectionAbortedError", "ConnectionRefusedError"),
        *("BrokenPipeError", "OSError", "IOError"),
    }
)


def peer_errors(fn: Fn) -> Iterator[tuple[At, Raise]]:
    """Each ``raise`` of the coroutine that tells of what a peer did, or did not do in time."""
    if not fn.facts.is_async or not fn.mentions & (_LATE | _GONE):
        return
    for at in fn.statements:
        if not isinstance(at.stmt, Raise) or last_part(at.stmt.exc) not in _LATE | _GONE:
            continue
        late = last_part(at.stmt.exc) in _LATE and _is_behind_await(at, fn)
        if late or _translates(at) or _judges_answer(at, fn):
            yield at, at.stmt


def _translates(at: At) -> bool:
    """``except ClientError as error: raise ConnectionError(…) from error``, around an await."""
    outer = next((place.outer.stmt for place in at.around() if place.part == "handler" and place.outer), None)
    return isinstance(outer, Try) and _awaits(outer)


def _awaits(stmt: Try) -> bool:
    return any(isinstance(part, Await) for root in exprs(stmt.body) for part in subexprs(root))


def _judges_answer(at: At, fn: Fn) -> bool:
    """``if reply.status != 200: raise OSError(…)``, of what an await gave."""
    tests = (place.outer.stmt.test for place in at.around() if place.outer and isinstance(place.outer.stmt, If))
    parts = [part for test in tests for part in subexprs(test)]
    if any(isinstance(part, Await) for part in parts):
        return True
    return any(
        isinstance(binding, Value) and isinstance(binding.expr, Await) and isinstance(binding.expr.value, Call)
        for part in parts
        if isinstance(part, Name)
        for binding in fn.bindings.get(part.id, ())
    )


def _is_behind_await(at: At, fn: Fn) -> bool:
    line = at.stmt.span.line if isinstance(at.stmt, Raise) else 0
    return any(site.awaited and site.call.span.line < line for site in sites(fn.facts.body))
