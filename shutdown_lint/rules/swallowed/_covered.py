"""Who else sees to what a clause for errors releases, when the coroutine is cancelled."""

from __future__ import annotations

from shutdown_lint.facts import Attr, Body, Call, Expr, Name, Stmt, Try, With, WithItem
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.handles import Cls
from shutdown_lint.project.roles import is_test
from shutdown_lint.rules.swallowed._catching import STOPPING, caught
from shutdown_lint.rules.swallowed._releases import RELEASES, release_calls
from shutdown_lint.walk import At, enclosing_finally, last_name, own_exprs, sites, stands_in, walk


def covered(stmt: Try, fn: Fn, project: Project) -> bool:
    """Whether some clause or the ``finally`` sees cancellation too."""
    return bool(release_calls(stmt.final)) or any(caught(handler, fn, project) & STOPPING for handler in stmt.handlers)


def covered_outside(at: At, released: Call, fn: Fn, project: Project) -> bool:
    """Whether a ``finally``, a clause that sees cancellation, or a ``with``, here or further out, deals with it as well."""
    what = what_of(released)
    if isinstance(at.stmt, Try) and _mentions(at.stmt.final, what):
        return True
    for place in at.around():
        outer = place.outer.stmt if place.outer is not None and place.part == "body" else None
        if isinstance(outer, Try) and (
            _mentions(outer.final, what)
            or any(caught(h, fn, project) & STOPPING and _mentions(h.body, what) for h in outer.handlers)
        ):
            return True
        if isinstance(outer, With) and any(_holds(item, what) for item in outer.items):
            return True
    return isinstance(what, Attr) and _covered_by_callers(what, fn, project)


def _covered_by_callers(what: Attr, fn: Fn, project: Project, hops: int = 3) -> bool:
    """Whether a ``finally`` around a call of the function ends what its object keeps in the attribute, or calls its method."""
    if fn.own_attribute(what) is None or fn.cls is None:
        return False
    return _covered_way(what.name, fn, fn.cls, project, hops)


def _covered_way(name: str, fn: Fn, cls: Cls, project: Project, hops: int) -> bool:
    callers = [c for c in project.calls.callers(fn) if c.fn is not fn and not is_test(c.fn)] if hops else []
    return any(
        any(_ends(name, final.stmt, caller.fn, cls, project) for final in enclosing_finally(caller.site.at))
        or _covered_way(name, caller.fn, cls, project, hops - 1)
        for caller in callers
    )


def _ends(name: str, stmt: Stmt, fn: Fn, cls: Cls, project: Project) -> bool:
    """Whether the ``finally`` calls what deals with the attribute in the class, or is the method of that name."""
    family = project.classes.family(cls)
    return any(
        reached.cls in family and (name in reached.mentions or reached.name == name)
        for site in (sites(stmt.final) if isinstance(stmt, Try) else ())
        for target in project.calls.targets(site.call, fn)
        for reached in project.protocol.reach(target.fn)
    )


def what_of(released: Call) -> Expr:
    """What is released: the receiver, the object's own method that does it, or what is put back."""
    assert isinstance(released.func, Attr)
    if last_name(released.func).lstrip("_") not in RELEASES and released.args:
        return released.args[0].value
    receiver = released.func.value
    return released.func if isinstance(receiver, Name) and receiver.id in ("self", "cls") else receiver


def _mentions(body: Body, what: Expr) -> bool:
    return any(stands_in(what, root) for at in walk(body) for root in own_exprs(at.stmt))


def _holds(item: WithItem, what: Expr) -> bool:
    """``async with pool.take() as connection``, ``with closing(connection)``."""
    return any(stands_in(what, root) for root in (item.target, item.context) if root)
