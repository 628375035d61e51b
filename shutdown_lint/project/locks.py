"""Locks: which one is held at a place, and which ones a piece of work takes.

Two expressions stand for the same lock where they name the same place (an attribute of one class, a global, a local), or
where both come from one constructor call. A ``with`` and the statements between ``lock.acquire()`` and
``lock.release()`` hold it; a limited or non-blocking ``acquire`` is no danger to anybody and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.facts import Attr, Call, Const, Expr, ExprStmt, Name, Span, Stmt, With
from shutdown_lint.findings import Step
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.memo import Memo
from shutdown_lint.project.scopes import Value
from shutdown_lint.project.tracks import Attribute, Local, Place
from shutdown_lint.project.values import Instance
from shutdown_lint.walk import At, Site, argument, same, sites_at, text, walk

if TYPE_CHECKING:
    from shutdown_lint.project import Project

MAX_DEPTH = 4
THREAD_LOCKS = frozenset({
    "threading.Lock", "threading.RLock", "threading.Condition", "threading.Semaphore", "threading.BoundedSemaphore",
})  # fmt: skip
PROCESS_LOCKS = frozenset({"multiprocessing.Lock", "multiprocessing.RLock", "multiprocessing.Condition"})
LOOP_LOCKS = frozenset({"asyncio.Lock", "asyncio.Condition", "asyncio.Semaphore"})
LOCKS = THREAD_LOCKS | PROCESS_LOCKS | LOOP_LOCKS


class Lock(NamedTuple):
    """A lock: its type, the place that the code names, how it is written, and the constructor calls that may make it.

    ``own`` says that it is an attribute of the instance itself (``self._lock``).
    """

    type: str
    place: Place
    written: str
    made_by: tuple[int, ...]
    own: bool


class Held(NamedTuple):
    """A lock, and where ``fn`` takes it."""

    lock: Lock
    fn: Fn
    span: Span


class Taking(NamedTuple):
    """A lock that a piece of work takes: the calls from the work's body to the function that takes it."""

    held: Held
    calls: tuple[Step, ...]
    direct: bool


_MEMO: Memo[dict[Fn, tuple[Held, ...]]] = Memo()


def same_lock(left: Lock, right: Lock, project: Project) -> bool:
    """Whether the two are, or may be, one lock."""
    if left.type != right.type:
        return False
    if isinstance(left.place, Attribute) and isinstance(right.place, Attribute):
        if left.place.name == right.place.name and right.place.cls in project.classes.family(left.place.cls):
            return True
    elif left.place == right.place:
        return True
    return bool(set(left.made_by) & set(right.made_by))


def around(at: At, fn: Fn, project: Project) -> Iterator[Held]:
    """The locks that are held where the statement runs, innermost first; one that is given back on the way is not."""
    inside = at
    for place in at.around():
        yield from _acquired_before(place, fn, project)
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, With):
            for item in outer.items:
                lock = lock_of(item.context, fn, project)
                if lock is not None and not _given_back(item.context, outer, inside):
                    yield Held(lock, fn, item.span)


def _acquired_before(place: At, fn: Fn, project: Project) -> Iterator[Held]:
    """``lock.acquire()`` among the statements before it, without a ``release`` between."""
    before = place.before()
    for number, stmt in enumerate(before):
        call = stmt.value if isinstance(stmt, ExprStmt) else None
        if isinstance(call, Call) and isinstance(call.func, Attr) and call.func.name == "acquire" and not call.args:
            lock = lock_of(call.func.value, fn, project)
            if lock is not None and not any(_releases(later, call.func.value) for later in before[number + 1 :]):
                yield Held(lock, fn, call.span)


def _given_back(lock: Expr, stmt: With, at: At) -> bool:
    """``lock.release()`` inside the ``with``, before the place."""
    line = getattr(at.stmt, "span", stmt.span).line
    return any(
        _is_release(site, lock) and site.call.span.line <= line for inner in walk(stmt.body) for site in sites_at(inner)
    )


def _releases(stmt: Stmt, lock: Expr) -> bool:
    return any(_is_release(site, lock) for at in walk((stmt,)) for site in sites_at(at))


def _is_release(site: Site, lock: Expr) -> bool:
    func = site.call.func
    return isinstance(func, Attr) and func.name == "release" and same(func.value, lock)


def taken_by(fn: Fn, project: Project) -> tuple[Held, ...]:
    """The locks that the function itself takes, and waits for without limit."""
    memo = _MEMO.setdefault(project, {})
    if fn not in memo:
        memo[fn] = tuple(_takes(fn, project))
    return memo[fn]


def _takes(fn: Fn, project: Project) -> Iterator[Held]:
    for at in fn.statements:
        if isinstance(at.stmt, With):
            for item in at.stmt.items:
                lock = lock_of(item.context, fn, project)
                if lock is not None:
                    yield Held(lock, fn, item.span)
    for site in fn.sites if "acquire" in fn.mentions else ():
        if isinstance(site.call.func, Attr) and site.call.func.name == "acquire" and not _is_limited(site.call):
            lock = lock_of(site.call.func.value, fn, project)
            if lock is not None:
                yield Held(lock, fn, site.call.span)


def _is_limited(call: Call) -> bool:
    """``acquire(False)``, ``acquire(timeout=1)``, or arguments that we cannot read."""
    blocking = argument(call, 0, "blocking")
    if isinstance(blocking, Const) and blocking.value is True and len(call.args) == 1:
        return False
    return bool(call.args)


def takings(body: Fn, project: Project) -> Iterator[Taking]:
    """Every lock that work with this body takes, in it or in what it calls, a few calls deep.

    ``direct``: the body's own instance is the one whose methods run all the way, so that ``self`` is one object.
    """
    yield from _takings(body, (), True, frozenset({body}), project)


def _takings(fn: Fn, calls: tuple[Step, ...], direct: bool, seen: frozenset[Fn], project: Project) -> Iterator[Taking]:
    yield from (Taking(held, calls, direct) for held in taken_by(fn, project))
    if len(calls) >= MAX_DEPTH:
        return
    for site in fn.sites:
        for target in project.calls.targets(site.call, fn):
            if target.confidence == "proven" and target.fn not in seen and not _only_made(target.fn, site):
                step = fn.step(site.call.span, f"`{fn.qualname}` calls `{target.fn.qualname}`")
                on_self = direct and _is_on_self(site.call, fn, project)
                yield from _takings(target.fn, (*calls, step), on_self, seen | {target.fn}, project)


def _only_made(fn: Fn, site: Site) -> bool:
    """A coroutine that is not awaited, or a generator, which the call does not run."""
    return fn.facts.is_generator or (fn.facts.is_async and not site.awaited)


def _is_on_self(call: Call, fn: Fn, project: Project) -> bool:
    if not isinstance(call.func, Attr):
        return True
    return isinstance(call.func.value, Name) and call.func.value.id == project.classes.self_name(fn)


def lock_of(expr: Expr, fn: Fn, project: Project) -> Lock | None:
    """The lock that the expression is, by its type; None for anything else."""
    if not isinstance(expr, (Name, Attr)):
        return None
    found = [v for v in project.evaluate.values(expr, fn) if isinstance(v, Instance)]
    types = {project.models.canonical(v.cls) for v in found if isinstance(v.cls, str)}
    place = _place(expr, fn, project)
    if len(types) != 1 or not types <= LOCKS or place is None:
        return None
    made = tuple(id(v.call) for v in found if v.call is not None and _is_stored_directly(v.call, v.fn))
    own = isinstance(expr, Attr) and isinstance(expr.value, Name) and expr.value.id == project.classes.self_name(fn)
    return Lock(types.pop(), place, text(expr), made, own)


def _is_stored_directly(call: Call, fn: Fn | None) -> bool:
    """``self._lock = Lock()``; a factory's ``return Lock()`` makes many locks at one place."""
    return fn is not None and any(
        getattr(at.stmt, "value", None) is call and hasattr(at.stmt, "targets") for at in fn.statements
    )


def _place(expr: Name | Attr, fn: Fn, project: Project) -> Place | None:
    """The attribute or name, behind a local alias (``lock = self._lock``)."""
    if isinstance(expr, Attr):
        return next(iter(project.protocol.places_read(expr, fn)), None)
    scope = project.evaluate.binding_scope(expr.id, fn)
    if scope is None:
        return None
    bindings = scope.bindings.get(expr.id, ())
    if len(bindings) == 1 and isinstance(bindings[0], Value) and isinstance(bindings[0].expr, Attr):
        return next(iter(project.protocol.places_read(bindings[0].expr, scope)), Local(scope, expr.id, False))
    return Local(scope, expr.id, False)
