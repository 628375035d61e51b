"""What a clause for errors sets back, and a cancellation leaves as it is: the next call takes it for work under way."""

from __future__ import annotations

from typing import NamedTuple

from shutdown_lint.facts import Assign, Attr, Const, Expr, ExprStmt, Handler, If, Raise, Return, Try
from shutdown_lint.project import Fn, Project
from shutdown_lint.rules.swallowed._catching import STOPPING, awaits, caught
from shutdown_lint.walk import At, line_of, same, walk


class Kept(NamedTuple):
    """The assignment that is skipped, the attribute, and the function that asks for it."""

    reset: Assign
    what: Attr
    asks: Fn
    test: Expr


def state_kept(at: At, stmt: Try, handler: Handler, fn: Fn, project: Project) -> Kept | None:
    """``except Exception: self._connection = None; raise``, where another method refuses while that is set."""
    if fn.cls is None or caught(handler, fn, project) != {"Exception"} or not _only_sets_back(handler):
        return None
    for inner in handler.body:
        target = inner.targets[0] if isinstance(inner, Assign) and len(inner.targets) == 1 else None
        if not isinstance(inner, Assign) or not isinstance(target, Attr) or fn.own_attribute(target) is None:
            continue
        if not (isinstance(inner.value, Const) and inner.value.value in (None, False)) or _is_set_back(
            at, stmt, target, fn, project
        ):
            continue
        if not _may_be_set(stmt, target, fn):
            continue
        for other in project.classes.family(fn.cls):
            for method in other.methods.values():
                test = _refuses(method, target) if target.name in method.mentions else None
                if test is not None:
                    return Kept(inner, target, method, test)
    return None


def _only_sets_back(handler: Handler) -> bool:
    """Whether the clause sets attributes (and logs) and raises again what it caught."""
    others, last = handler.body[:-1], handler.body[-1] if handler.body else None
    return isinstance(last, Raise) and last.exc is None and all(isinstance(stmt, (Assign, ExprStmt)) for stmt in others)


def _is_set_back(at: At, stmt: Try, target: Attr, fn: Fn, project: Project) -> bool:
    """Whether a ``finally``, or a clause that sees cancellation, here or at a caller, deals with it as well."""
    if any(isinstance(s.stmt, Assign) and any(same(t, target) for t in s.stmt.targets) for s in walk(stmt.final)):
        return True
    guards = (*at.around(), *(place for caller in project.calls.callers(fn) for place in caller.site.at.around()))
    for place in guards:
        outer = place.outer.stmt if place.outer is not None and place.part == "body" else None
        if isinstance(outer, Try) and (outer.final or any(caught(h, fn, project) & STOPPING for h in outer.handlers)):
            return True
    return any(caught(h, fn, project) & STOPPING for h in stmt.handlers)


def _may_be_set(stmt: Try, target: Attr, fn: Fn) -> bool:
    """Whether something is awaited within the ``try`` while the attribute is set; where others set it, it may be."""
    set_here = [
        at.stmt.span.line
        for at in fn.statements
        if isinstance(at.stmt, Assign)
        and any(same(t, target) for t in at.stmt.targets)
        and not (isinstance(at.stmt.value, Const) and at.stmt.value.value in (None, False))
    ]
    waits = [line_of(inner.stmt) for inner in walk(stmt.body) if awaits((inner.stmt,))] if set_here else []
    return not set_here or any(line > min(set_here) for line in waits)


def _refuses(method: Fn, target: Attr) -> Expr | None:
    """The test by which a method leaves at once while the attribute is set: ``if self._task is not None: raise …``."""
    for at in method.statements:
        if (
            isinstance(at.stmt, If)
            and at.outer is None
            and at.stmt.body
            and isinstance(at.stmt.body[-1], (Raise, Return))
        ):
            if _asks_if_set(at.stmt.test, target):
                return at.stmt.test
    return None


def _asks_if_set(test: Expr, target: Attr) -> bool:
    """``self.x``, ``self.x is not None``, and these within ``and``/``or``; not what is asked of the object itself."""
    if isinstance(test, Attr):
        return test.name == target.name
    if getattr(test, "op", "") in ("and", "or"):
        return any(_asks_if_set(part, target) for part in test.operands)  # type: ignore[union-attr]  # an operation
    if getattr(test, "op", "") == "is-not":
        left, right = test.operands  # type: ignore[union-attr]  # an operation
        return isinstance(left, Attr) and left.name == target.name and isinstance(right, Const) and right.value is None
    return False
