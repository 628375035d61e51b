"""Clauses that hand the request to stop on in the place of a result, as if the work had failed.

``except: return handle(Failure(), item)`` beside ``return handle(result, item)``, or ``outcome = traceback.format_exc()`` beside
``outcome = task.run()``: who gets it goes on with the next item.
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Await, Body, Call, Expr, Handler, Name, Return, Seq, Try
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.scopes import Element
from shutdown_lint.project.supplied import is_supplied
from shutdown_lint.walk import At, enclosing_loops, last_name, own_exprs, same, sites, subexprs, walk, what_runs_after

# What makes a value of the exception that is being handled.
_TEXTS = frozenset({"format_exc", "format_exception", "format_exception_only"})
_FAILURES = _TEXTS | {"Failure"}


def as_result(at: At, stmt: Try, handler: Handler, fn: Fn, project: Project) -> bool:
    """Whether the clause makes a failed result of the interrupt, and the loop around the work goes on with the next item."""
    if not any(_is_foreign(site.call, fn, project) for site in sites(stmt.body)):
        return False
    return _returned(stmt, handler, fn) or (_stored(at, stmt, handler) and _repeated(fn, at, project))


def _is_foreign(call: Call, fn: Fn, project: Project) -> bool:
    """Work that others supply: a method of a parameter, or what a loop takes out of a collection."""
    if isinstance(call.func, Attr):
        return isinstance(call.func.value, Name) and is_supplied(call.func.value, fn, project)
    return isinstance(call.func, Name) and any(
        isinstance(binding, Element) for binding in fn.bindings.get(call.func.id, ())
    )


def _returned(stmt: Try, handler: Handler, fn: Fn) -> bool:
    """``return handle(Failure(), …)``, where what is behind the ``try`` hands the result to the same function."""
    for at in walk(handler.body):
        call = _call(at.stmt.value) if isinstance(at.stmt, Return) else None
        if (
            call is None or last_name(call.func)[:1].isupper()
        ):  # a response or the like is made, and nobody goes on with it
            continue
        if not any(_makes_failure(arg.value, _FAILURES) for arg in call.args):
            continue
        inside = {id(inner.stmt) for other in stmt.handlers for inner in walk(other.body)}
        others = (at for at in fn.statements if id(at.stmt) not in inside)
        if any(_hands_same(other.stmt.value, call) for other in others if isinstance(other.stmt, Return)):
            return True
    return False


def _call(value: Expr | None) -> Call | None:
    value = value.value if isinstance(value, Await) else value
    return value if isinstance(value, Call) else None


def _hands_same(value: Expr | None, call: Call) -> bool:
    other = _call(value)
    return other is not None and same(other.func, call.func) and len(other.args) == len(call.args)


def _makes_failure(value: Expr, makers: frozenset[str]) -> bool:
    return any(isinstance(part, Call) and last_name(part.func) in makers for part in subexprs(value))


def _stored(at: At, stmt: Try, handler: Handler) -> bool:
    """Only the text of the exception is kept, in the name that else holds the result, and that is handed on."""
    results = set(_assigned(stmt.body, None))
    kept = set(_assigned(handler.body, _TEXTS)) & results
    return any(_hands_on(after_at, name) for name in kept for after_at in _after(at))


def _assigned(body: Body, makers: frozenset[str] | None) -> Iterator[str]:
    for at in walk(body):
        if isinstance(at.stmt, Assign) and at.stmt.value is not None:
            if makers is None or _makes_failure(at.stmt.value, makers):
                yield from (target.id for target in at.stmt.targets if isinstance(target, Name))


def _after(at: At) -> Iterator[At]:
    return walk(tuple(what_runs_after(at)))


def _hands_on(at: At, name: str) -> bool:
    """``queue.put((task, outcome))``, ``return task, outcome``."""
    for root in own_exprs(at.stmt):
        calls = (part for part in subexprs(root) if isinstance(part, Call))
        given = [arg.value for call in calls for arg in call.args]
        given += [root] if isinstance(at.stmt, Return) else []
        if any(_is_or_holds(value, name) for value in given):
            return True
    return False


def _is_or_holds(value: Expr, name: str) -> bool:
    items = value.items if isinstance(value, Seq) and value.kind != "fstring" else (value,)
    return any(isinstance(item, Name) and item.id == name for item in items)


def _repeated(fn: Fn, at: At, project: Project) -> bool:
    """Whether a loop, here or where the function is called or handed to be called, goes on to the next item."""
    if next(enclosing_loops(at), None) is not None:
        return True
    calls = [caller.site for caller in project.calls.callers(fn)]
    calls += [r.site for r in project.roles.registrations() if fn in r.targets]
    return any(next(enclosing_loops(site.at), None) is not None for site in calls)
