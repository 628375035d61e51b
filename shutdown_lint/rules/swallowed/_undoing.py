"""What an ``except`` clause gives back or ends after an error: releases, things put back where they were taken, children killed."""

from __future__ import annotations

import re

from shutdown_lint.facts import Await, Call, Expr, Handler, Name, Raise, Return, Try
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.scopes import Value
from shutdown_lint.rules.swallowed._releases import RELEASES
from shutdown_lint.rules.waits._stops import acquisitions_of, receiver
from shutdown_lint.walk import last_name, same, sites, subexprs, walk

_GIVES = re.compile(r"^_*(put|put_nowait|putconn|append|appendleft|add|push|release|give|return)(_|$)")
_GIVES_OWN = re.compile(r"^_*(putconn|put_back|release|give_back|return)(_|$)")
_TAKES = re.compile(r"^_*(get|getconn|get_nowait|pop|popleft|take|acquire|borrow|checkout|check_out|next)(_|$)")
_KILLS = frozenset({"kill", "terminate"})


def released_by(handler: Handler, fn: Fn) -> Call | None:
    """The first call of the clause that releases a receiver, or puts back what the function took from the same place."""
    calls = [site.call for site in sites(handler.body)]
    return next((call for call in calls if _is_release(call)), None) or given_back(handler, fn)


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
    bindings = fn.bindings.get(name, ())
    return len(bindings) == 1 and all(isinstance(b, Value) and _takes(b.expr, give, fn) for b in bindings)


def _takes(expr: Expr, give: Call, fn: Fn) -> bool:
    call = expr.value if isinstance(expr, Await) else expr
    where, name = receiver(give), last_name(give.func)
    if where is None or (isinstance(where, Name) and where.id == fn.self_name and not _GIVES_OWN.match(name)):
        return False
    return isinstance(call, Call) and bool(_TAKES.match(last_name(call.func))) and same(receiver(call), where)


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
        isinstance(at.stmt, Return) and at.stmt.value is not None and _mentions(at.stmt.value, name.id)
        for at in walk(stmt.orelse)
    )


def _mentions(expr: Expr, name: str) -> bool:
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
