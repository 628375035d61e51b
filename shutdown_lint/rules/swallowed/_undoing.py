"""What an ``except`` clause gives back or ends after an error: releases, things put back where they were taken, children killed."""

from __future__ import annotations

import re

from shutdown_lint.facts import (
    Assign,
    Attr,
    Await,
    Call,
    Const,
    Expr,
    For,
    Handler,
    Name,
    Raise,
    Return,
    Seq,
    Subscript,
    Try,
    While,
    With,
)
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.scopes import Value
from shutdown_lint.rules.swallowed._catching import awaits
from shutdown_lint.rules.swallowed._releases import RELEASES
from shutdown_lint.rules.waits._stops import acquisitions_of, receiver
from shutdown_lint.walk import At, exprs, last_name, line_of, same, sites, sites_at, subexprs, walk, what_runs_after

_GIVES = re.compile(r"^_*(put|put_nowait|putconn|append|appendleft|add|push|release|give|return)(_|$)")
GIVES_OWN = re.compile(r"^_*(putconn|put_back|release|give_back|return)(_|$)")
TAKES = re.compile(r"^_*(get|getconn|get_nowait|pop|popleft|take|acquire|borrow|checkout|check_out|next)(_|$)")
_KILLS = frozenset({"kill", "terminate"})
_ENTERS = frozenset({"append", "appendleft", "add", "insert", "setdefault"})
_LEAVES = frozenset({"remove", "discard", "pop"})


def released_by(handler: Handler, stmt: Try, fn: Fn) -> Call | None:
    """What the clause gives back: a release, what the function took from the same place, or an entry that it made."""
    calls = [site.call for site in sites(handler.body)]
    releases = (
        call
        for call in calls
        if _is_release(call) and not _is_picked(receiver(call), fn) and not _is_taken_last(receiver(call), stmt, fn)
    )
    first = next((call for call in releases if not _is_awaited(receiver(call), call, stmt)), None)
    return first or given_back(handler, fn) or _taken_out(handler, stmt, fn)


def _is_picked(what: Expr | None, fn: Fn) -> bool:
    """Whether it is one of those that there are (``peer = random.choice(peers)``): an error convicts it, a cancellation does not."""
    bindings = fn.bindings.get(what.id, ()) if isinstance(what, Name) else ()
    return bool(bindings) and all(
        isinstance(b, Value) and (isinstance(b.expr, Subscript) or _picks(b.expr) or _looks_up(b.expr))
        for b in bindings
    )


def _looks_up(expr: Expr) -> bool:
    """``self._sessions.get(key)``."""
    if not (
        isinstance(expr, Call) and last_name(expr.func) == "get" and isinstance(receiver(expr), Attr) and expr.args
    ):
        return False
    return expr.args[0].keyword is None and not isinstance(expr.args[0].value, Const)


def _picks(expr: Expr) -> bool:
    return isinstance(expr, Call) and last_name(expr.func) in ("choice", "choose", "select", "min", "max", "next")


def _is_taken_last(what: Expr | None, stmt: Try, fn: Fn) -> bool:
    """Whether nothing more is awaited in the ``try`` once the thing is there: no cancellation arrives while there is something to release."""
    if isinstance(what, Name) and any(param.name == what.id for param in fn.facts.params):
        return False
    taken = {id(at.stmt) for at in fn.statements if _sets(at, what)}
    inside = [at for at in walk(stmt.body) if id(at.stmt) in taken]
    return 0 < len(taken) == len(inside) and not any(map(_awaits_later, inside))


def _sets(at: At, what: Expr | None) -> bool:
    """``what = …``, ``other, what = …``; None is nothing to release."""
    if not isinstance(at.stmt, Assign) or (isinstance(at.stmt.value, Const) and at.stmt.value.value is None):
        return False
    return any(
        same(part, what)
        for target in at.stmt.targets
        for part in (target.items if isinstance(target, Seq) else (target,))
    )


def _awaits_later(at: At) -> bool:
    """Whether something is awaited behind the place before its outermost block is left."""
    outer = (place.outer.stmt for place in at.around() if place.outer is not None)
    again = any(isinstance(stmt, (While, For)) or (isinstance(stmt, With) and stmt.is_async) for stmt in outer)
    return again or awaits(tuple(what_runs_after(at)))


def _is_awaited(what: Expr | None, call: Call, stmt: Try) -> bool:
    """Whether this cancels a future that is awaited by its name: who is cancelled in such an await cancels it too."""
    return last_name(call.func) == "cancel" and any(
        isinstance(part, Await) and same(part.value, what) for root in exprs(stmt.body) for part in subexprs(root)
    )


def _taken_out(handler: Handler, stmt: Try, fn: Fn) -> Call | None:
    """``self._waiters.remove(waiter)`` behind ``self._waiters.append(waiter)``."""
    for site in sites(handler.body):
        given = site.call.args[0].value if site.call.args else None
        where = receiver(site.call)
        if (
            last_name(site.call.func) not in _LEAVES
            or not isinstance(where, Attr)
            or not isinstance(given, (Name, Attr))
        ):
            continue
        if any(_enters(at, where, given) for at in fn.statements if line_of(at.stmt) < handler.span.line):
            return site.call
    return None


def _enters(at: At, where: Expr, what: Expr) -> bool:
    """``where.append(what)``, ``where[what] = …``."""
    if isinstance(at.stmt, Assign):
        return any(isinstance(t, Subscript) and same(t.value, where) and same(t.key, what) for t in at.stmt.targets)
    return any(
        last_name(site.call.func) in _ENTERS
        and same(receiver(site.call), where)
        and any(same(arg.value, what) for arg in site.call.args)
        for site in sites_at(at)
    )


def _is_release(call: Call) -> bool:
    return receiver(call) is not None and last_name(call.func).lstrip("_") in RELEASES


def given_back(handler: Handler, fn: Fn) -> Call | None:
    """``self._idle.put_nowait(x)`` behind ``x = await self._idle.get()``."""
    for site in sites(handler.body):
        given = site.call.args[0].value if site.call.args else None
        if isinstance(given, Name) and _GIVES.match(last_name(site.call.func)) and _is_taken(given.id, site.call, fn):
            return site.call
    return None


def _is_taken(name: str, give: Call, fn: Fn) -> bool:
    bindings = fn.given(name)
    return len(bindings) == 1 and all(isinstance(b, Value) and _takes(b.expr, give, fn) for b in bindings)


def _takes(expr: Expr, give: Call, fn: Fn) -> bool:
    call = expr.value if isinstance(expr, Await) else expr
    where, name = receiver(give), last_name(give.func)
    if where is None or (isinstance(where, Name) and where.id == fn.self_name and not GIVES_OWN.match(name)):
        return False
    return isinstance(call, Call) and bool(TAKES.match(last_name(call.func))) and same(receiver(call), where)


def undoes(handler: Handler, stmt: Try, fn: Fn) -> bool:
    """Whether the clause only undoes: it raises again behind it, or what it gives back is returned where all went well."""
    last = handler.body[-1] if handler.body else None
    if isinstance(last, Try) and last.final:
        last = last.final[-1]
    if isinstance(last, Raise):
        return True
    back = given_back(handler, fn)
    name = back.args[0].value if back is not None else None
    return isinstance(name, Name) and any(
        isinstance(at.stmt, Return) and at.stmt.value is not None and mentions(at.stmt.value, name.id)
        for at in walk(stmt.orelse)
    )


def mentions(expr: Expr, name: str) -> bool:
    """Whether the bare name stands in the expression."""
    return any(isinstance(part, Name) and part.id == name for part in subexprs(expr))


def killed_by(handler: Handler, fn: Fn, project: Project) -> Call | None:
    """The kill of a child that the function itself started."""
    for site in sites(handler.body):
        child = receiver(site.call)
        if last_name(site.call.func) in _KILLS and isinstance(child, Name):
            made = acquisitions_of(child, fn, project)
            if made and all(a.model.kind == "child" and a.fn is fn for a in made):
                return site.call
    return None
