"""Elements that a class moves from one container to another, of which its stop method ends only what is in the first.

``self._connections.remove(conn)``, ``self._trash.add(conn)`` … ``for conn in self._connections: conn.close()``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Name
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.ended_members import ended_in, with_helpers
from shutdown_lint.project.resources import STOP_METHODS
from shutdown_lint.project.roles import is_test
from shutdown_lint.walk import Site, last_name, loop_over

_ADDS = frozenset({"append", "add", "appendleft", "insert"})
_TAKES = frozenset({"remove", "discard", "pop", "popleft"})


class MovedOn(NamedTuple):
    """The call that moves an element into ``self.member``, the stop method, and the call that ends those in the other one."""

    moving: Site
    mover: Fn
    member: str
    stop: Fn
    ending: str
    kept: str


def moved_on(cls: Cls, project: Project) -> Iterator[MovedOn]:
    """The containers whose elements the stop methods of the class forget."""
    moves = [found for fn in cls.methods.values() if fn.self_name and not is_test(fn) for found in _moves(fn)]
    if not moves:
        return
    stops = [cls.methods[name] for name in STOP_METHODS if name in cls.methods and not is_test(cls.methods[name])]
    mentioned = frozenset().union(*(fn.mentions for stop in stops for fn in project.protocol.reach(stop)))
    for stop in stops:
        ended = {
            found.member: last_name(found.call.func)
            for fn in with_helpers(stop, project)
            for found in ended_in(fn)
            if isinstance(found.call.func, Attr) and isinstance(found.call.func.value, Name)
        }
        for site, mover, kept, member in moves:
            if kept in ended and member not in mentioned and _ends_later(cls, member, ended[kept]):
                yield MovedOn(site, mover, member, stop, ended[kept], kept)
                return


def _ends_later(cls: Cls, member: str, ending: str) -> bool:
    """Whether what is in there still has to be ended: a method that takes an element out does so."""
    for fn in cls.methods.values():
        if member not in fn.mentions or ending not in fn.mentions:
            continue
        taken = {
            s.call.args[0].value.id
            for s in fn.sites
            if isinstance(s.call.func, Attr)
            and s.call.func.name in _TAKES
            and len(s.call.args) == 1
            and isinstance(s.call.args[0].value, Name)
            and fn.own_attribute(s.call.func.value) == member
        }
        funcs = (s.call.func for s in fn.sites if last_name(s.call.func) == ending)
        if any(isinstance(f, Attr) and isinstance(f.value, Name) and f.value.id in taken for f in funcs):
            return True
    return False


def _moves(fn: Fn) -> Iterator[tuple[Site, Fn, str, str]]:
    """Where a name is taken from what one attribute holds and put into another."""
    if fn.mentions.isdisjoint(_TAKES) or fn.mentions.isdisjoint(_ADDS):
        return
    calls = [(s, s.call.func, s.call.args[0].value) for s in fn.sites if len(s.call.args) == 1]
    taken = {
        arg.id: _member(func.value, fn)
        for _, func, arg in calls
        if isinstance(func, Attr) and func.name in _TAKES and isinstance(arg, Name)
    }
    for site, func, arg in calls:
        if isinstance(func, Attr) and func.name in _ADDS and isinstance(arg, Name) and loop_over(arg.id, site) is None:
            kept, member = taken.get(arg.id), fn.own_attribute(func.value)
            if kept is not None and member is not None and kept != member:
                yield site, fn, kept, member


def _member(container: object, fn: Fn) -> str | None:
    """The attribute: ``self._open`` itself, or the one that a copy is made of and becomes: ``rest = self._open[:]``."""
    if isinstance(container, Attr):
        return fn.own_attribute(container)
    bindings = fn.given(container.id) if isinstance(container, Name) else ()
    expr = getattr(bindings[0], "expr", None) if len(bindings) == 1 else None
    while expr is not None and not isinstance(expr, Attr):
        expr = getattr(expr, "value", None) or (expr.args[0].value if getattr(expr, "args", ()) else None)
    return fn.own_attribute(expr)
