"""Loops that end something else than their members: ``for listener in self.listeners: self.listener.stop()``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Call, Expr, For, Name
from shutdown_lint.project import Fn
from shutdown_lint.project.scopes import Element
from shutdown_lint.walk import At, exprs, sites, subexprs

_ENDS = frozenset(
    {"close", "aclose", "stop", "shutdown", "terminate", "disconnect", "cancel", "kill", "quit", "dispose", "join"}
)


class Slip(NamedTuple):
    """The call in the loop that ends the wrong object; ``name`` is the member's, which nothing in the loop uses."""

    call: Call
    name: str
    ends: str
    members: Expr


def wrong_members(fn: Fn) -> Iterator[Slip]:
    """The loops of the function whose variable is never used, where what is ended bears its name, or another loop's."""
    if not _ENDS & fn.mentions:
        return
    for at in fn.statements:
        if isinstance(at.stmt, For) and isinstance(at.stmt.target, Name) and not _is_counted(at.stmt):
            name = at.stmt.target.id
            if any(isinstance(part, Name) and part.id == name for e in exprs(at.stmt.body) for part in subexprs(e)):
                continue
            call = next((site.call for site in sites(at.stmt.body) if _is_slip(site.call, name, at, fn)), None)
            if call is not None and isinstance(call.func, Attr):
                yield Slip(call, name, call.func.name, at.stmt.iter)


def _is_counted(loop: For) -> bool:
    """``for attempt in range(3)``: the same is done several times, and means to be."""
    return isinstance(loop.iter, Call) and isinstance(loop.iter.func, Name) and loop.iter.func.id in ("range", "repeat")


def _is_slip(call: Call, name: str, loop: At, fn: Fn) -> bool:
    if not isinstance(call.func, Attr) or call.func.name not in _ENDS or call.args:
        return False
    what = call.func.value
    if isinstance(what, Attr):
        return what.name == name and isinstance(what.value, Name) and what.value.id == fn.self_name
    return isinstance(what, Name) and _is_of_another_loop(what.id, loop, fn)


def _is_of_another_loop(name: str, loop: At, fn: Fn) -> bool:
    """Whether the name is nothing but the variable of a loop that is over, and so stands for its last member only."""
    bindings = fn.bindings.get(name, ())
    around = {id(place.outer.stmt) for place in loop.around() if place.outer is not None}
    return (
        bool(bindings)
        and all(isinstance(b, Element) for b in bindings)
        and not any(
            isinstance(at.stmt, For)
            and id(at.stmt) in around
            and isinstance(at.stmt.target, Name)
            and at.stmt.target.id == name
            for at in fn.statements
        )
    )
