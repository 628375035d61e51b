"""What comes behind a ``try`` whose clause swallows: a loop that goes on and on, or the end of the task anyway."""

from __future__ import annotations

import re

from shutdown_lint.facts import Assign, Attr, Break, Call, Const, Expr, For, If, Name, Return, Stmt, Try, While
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.loop_shapes import runs_dry
from shutdown_lint.rules.swallowed._tried import is_release, waits
from shutdown_lint.walk import At, Site, enclosing_loops, last_name, subexprs, walk

_MAX_HOPS = 2
_FILES = re.compile(r"^_?(f|fp|fh|fd|fin|fobj|\w*file\w*|\w*handle|infp|inp)$", re.IGNORECASE)


def goes_on_and_on(at: At, fn: Fn, project: Project, hops: int = 0) -> bool:
    """Whether a loop around the place, or around a call of the function, has no end of its own, or waits.

    A loop that works off what there is leaves soon: whoever called it goes on.
    """
    around = {id(loop.stmt) for loop in enclosing_loops(at) if not _reads_to_the_end(loop.stmt)}
    endless = any(
        id(loop.at.stmt) in around and (loop.waits or _is_endless(loop.at)) for loop in project.protocol.loops(fn)
    )
    callers = project.calls.callers(fn) if not endless and hops < _MAX_HOPS else ()
    return endless or any(
        caller.confidence == "proven" and goes_on_and_on(caller.site.at, caller.fn, project, hops + 1)
        for caller in callers
    )


def _is_endless(loop: At) -> bool:
    """Whether nothing but an error leads out of the loop: one that a test leaves, or that empties something, has an end of its own."""
    stmt = loop.stmt
    if not isinstance(stmt, For) and not isinstance(getattr(stmt, "test", None), Const):
        return False
    return not runs_dry(loop, stmt.body) and not any(  # type: ignore[union-attr]  # a loop has a body
        isinstance(at.stmt, Return) or (isinstance(at.stmt, Break) and not any(enclosing_loops(at)))
        for at in walk(stmt.body)  # type: ignore[union-attr]  # a loop has a body
        if all(place.part != "handler" for place in at.around())
    )


def _reads_to_the_end(stmt: Stmt) -> bool:
    """``while True: line = file.readline(); if not line: break``: as long as there is something to read, which is not endless.

    What a person, a child or a peer writes may go on for ever.
    """
    reads = {
        target.id
        for at in walk(stmt.body if isinstance(stmt, While) else ())
        if isinstance(at.stmt, Assign) and _is_read(at.stmt.value)
        for target in at.stmt.targets
        if isinstance(target, Name)
    }
    return any(
        isinstance(at.stmt, If)
        and isinstance(at.stmt.body[-1], Break)
        and any(isinstance(part, Name) and part.id in reads for part in subexprs(at.stmt.test))
        for at in (walk(stmt.body) if isinstance(stmt, While) and reads else ())
    )


def _is_read(value: Expr | None) -> bool:
    return (
        isinstance(value, Call)
        and isinstance(value.func, Attr)
        and value.func.name in ("read", "readline")
        and bool(_FILES.match(last_name(value.func.value)))
    )


def ends_task(at: At, fn: Fn, project: Project) -> bool:
    """Whether the task ends behind the ``try`` anyway: what follows in a coroutine that nobody awaits only releases, or does not wait."""
    if any(isinstance(place.stmt, (While, For)) for place in at.around()):
        return False
    told = _set_in_clauses(at.stmt)
    later = (stmt for place in at.around() for stmt in place.after() if not _asks(stmt, told))
    if not all(is_release(stmt) or not waits(stmt) for stmt in later):
        return False
    callers = project.calls.callers(fn)
    if any(caller.site.awaited for caller in callers):
        return False
    if "task" in project.roles.kinds(fn):
        return True
    return all(_is_handed_on(c.site) for c in callers) if callers else _is_passed(fn, project)


def _set_in_clauses(stmt: Stmt) -> frozenset[str]:
    """``except BaseException: failed = True``."""
    return frozenset(
        target.id
        for handler in (stmt.handlers if isinstance(stmt, Try) else ())
        for at in walk(handler.body)
        if isinstance(at.stmt, Assign)
        for target in at.stmt.targets
        if isinstance(target, Name)
    )


def _asks(stmt: Stmt, told: frozenset[str]) -> bool:
    """``if not failed: …``, which does not run behind the clause."""
    return isinstance(stmt, If) and any(isinstance(part, Name) and part.id in told for part in subexprs(stmt.test))


def _is_passed(fn: Fn, project: Project) -> bool:
    """``task_group.start_soon(self._run, job)``: a call gets the private coroutine function itself."""
    return fn.name.startswith("_") and any(
        site.parents and isinstance(site.parents[0], Call) and site.parents[0].func is not site.expr
        for other in project.calls.mentioning(fn.name)
        for site in (*other.attributes(fn.name), *other.names(fn.name))
    )


def _is_handed_on(site: Site) -> bool:
    """``loop.call_soon_threadsafe(loop.create_task, callback())``: another call gets the coroutine."""
    return bool(site.parents) and isinstance(site.parents[0], Call)
