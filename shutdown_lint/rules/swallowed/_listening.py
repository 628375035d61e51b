"""Callbacks that a coroutine registers for the time of a wait, and takes back behind it: cancelled in the wait, it leaves them.

``loop.add_reader(fd, wake)`` … ``await ready.wait()`` … ``loop.remove_reader(fd)``.
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, Await, Call, Expr, If, Name, Stmt, Try
from shutdown_lint.project import Fn
from shutdown_lint.rules.swallowed._catching import statement_call
from shutdown_lint.rules.swallowed._pairs import Pair
from shutdown_lint.walk import At, own_exprs, root_name, same, sites, subexprs, text, walk

# The first steps by the ones that take them back.
ADDS = {
    "remove_reader": "add_reader",
    "remove_writer": "add_writer",
    "remove_signal_handler": "add_signal_handler",
    "remove_listener": "add_listener",
    "remove_done_callback": "add_done_callback",
    "remove_callback": "add_callback",
    "remove_handler": "add_handler",
    "remove_observer": "add_observer",
    "unsubscribe": "subscribe",
    "unregister": "register",
}
LOOPS = frozenset({"remove_reader", "remove_writer", "remove_signal_handler"})


def left_listening(fn: Fn) -> Iterator[Pair]:
    """The pairs of the coroutine with an await between the two that nothing guards; one for each that is listened to."""
    if not fn.facts.is_async or not fn.mentions & set(ADDS):
        return
    said: set[str] = set()
    for at in fn.statements:
        undo = statement_call(at.stmt)
        if undo is None or not isinstance(undo.func, Attr) or not undo.args or undo.func.name not in ADDS:
            continue
        start = None if text(undo.func.value) in said or _is_guarded(at) else _start(at, undo, undo.func)
        if start is None or _is_own(undo.func.value, fn) or _is_taken_back_elsewhere(undo, at, fn):
            continue
        between = tuple(_between(start, at))
        if any(map(_awaits, between)):
            said.add(text(undo.func.value))
            yield Pair(start, at, undo, f"`{text(undo.func.value)}` goes on calling it", between)


def _is_guarded(at: At) -> bool:
    return any(place.part in ("final", "handler") for place in at.around())


def _start(at: At, undo: Call, func: Attr) -> At | None:
    """The nearest first step before it: in the same block, or each in an ``if`` with the same test."""
    place, test = at, None
    if at.outer is not None and isinstance(at.outer.stmt, If) and at.part == "body":
        place, test = at.outer, at.outer.stmt.test
    for candidate in (at, place):
        for position in range(candidate.position - 1, -1, -1):
            earlier = At(
                candidate.block[position], candidate.block, position, candidate.part, candidate.outer, candidate.handler
            )
            if _adds(earlier.stmt, undo, func):
                return earlier
            if candidate is not at and isinstance(earlier.stmt, If) and same(earlier.stmt.test, test):
                if any(_adds(stmt, undo, func) for stmt in earlier.stmt.body):
                    return earlier
    return None


def _adds(stmt: Stmt, undo: Call, func: Attr) -> bool:
    call = statement_call(stmt)
    return (
        call is not None
        and isinstance(call.func, Attr)
        and call.func.name == ADDS[func.name]
        and same(call.func.value, func.value)
        and len(call.args) >= len(undo.args)
        and all(same(one.value, other.value) for one, other in zip(call.args, undo.args))
    )


def _between(start: At, at: At) -> Iterator[Stmt]:
    place = next((place for place in at.around() if place.block is start.block), None)
    return iter(start.block[start.position + 1 : place.position] if place is not None else ())


def _awaits(stmt: Stmt) -> bool:
    return any(
        isinstance(part, Await) for inner in walk((stmt,)) for root in own_exprs(inner.stmt) for part in subexprs(root)
    )


def _is_own(receiver: Expr, fn: Fn) -> bool:
    """Whether the function makes what it listens to: with it go its listeners."""
    name = root_name(receiver)
    params = {param.name for param in fn.facts.params}
    if name is None or name in params or not isinstance(receiver, Name):
        return False
    return name in fn.bindings and "loop" not in name


def _is_taken_back_elsewhere(undo: Call, at: At, fn: Fn) -> bool:
    """Whether a ``finally`` or a clause takes the same step."""
    for other in fn.statements:
        if other is not at and isinstance(other.stmt, Try):
            guarded = (*other.stmt.final, *(s for handler in other.stmt.handlers for s in handler.body))
            if any(same(site.call.func, undo.func) for site in sites(guarded)):
                return True
    return False
