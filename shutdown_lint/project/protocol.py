"""The "told to stop" protocol: how a worker's loops end, what they can sleep on, who tells them.

For work with a body (the target of a thread, process or task) this computes its unbounded loops, the places whose
value ends them (*stop tests*), and the calls in them that wait without limit (*blocking points*).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from shutdown_lint.facts import (
    Assign,
    Attr,
    Await,
    Body,
    Call,
    Const,
    Expr,
    For,
    If,
    Name,
    Seq,
    Subscript,
    While,
    Yield,
)
from shutdown_lint.findings import Step
from shutdown_lint.models import Blocking
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.loop_shapes import always, counts, leaves_here, leaves_loop, runs_dry, sets
from shutdown_lint.project.tracks import Attribute, Local, Place
from shutdown_lint.project.values import Class, Instance
from shutdown_lint.walk import At, Site, argument, last_name, line_of, own_exprs, sites, sites_at, subexprs, walk

if TYPE_CHECKING:
    from shutdown_lint.project import Project

Ending: TypeAlias = Literal["finite", "stoppable", "endless", "unknown"]

MAX_CALL_DEPTH = 3
_TELLERS = frozenset(
    {
        "set",
        "put",
        "put_nowait",
        "close",
        "cancel",
        "notify",
        "notify_all",
        "send",
        "shutdown",
        "release",
        "clear",
        "append",
        "add",
        "sendall",
        "write",
    }
)
_TASK_MAKERS = frozenset({"create_task", "ensure_future", "start_soon", "run_coroutine_threadsafe"})
_ENDLESS_ITERATORS = frozenset({"itertools.count", "itertools.cycle", "itertools.repeat"})


class Wait(NamedTuple):
    """A call that waits: its model, and whether a limit is given (a variable limit counts as one)."""

    site: Site
    fn: Fn
    model: Blocking
    bounded: bool


class Loop(NamedTuple):
    """An unbounded loop of a worker.

    ``tests`` are the places whose value can end it; ``leaves`` whether there is any way out of it at all (condition,
    ``break``, ``return``, ``raise``, an iterator that ends); ``waits`` the waits inside, those of callees included.
    """

    at: At
    fn: Fn
    tests: tuple[Place, ...]
    leaves: bool
    waits: tuple[Wait, ...]

    def step(self, message: str) -> Step:
        """A step of a trace at the loop."""
        return self.fn.step(self.at.stmt.span, message)  # type: ignore[union-attr]  # a loop is a statement with a span


class Protocol:
    """Answers how workers end."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._loops: dict[Fn, tuple[Loop, ...]] = {}
        self._reach: dict[tuple[Fn, int], tuple[Fn, ...]] = {}
        self._settable: dict[Cls, dict[str, Fn]] = {}
        self._worker_loops: dict[tuple[Fn, int], tuple[Loop, ...]] = {}
        self._waits: dict[tuple[Fn, int], tuple[Wait, ...]] = {}

    # --- waits ---------------------------------------------------------------------------------------------------------

    def wait(self, site: Site, fn: Fn) -> Wait | None:
        """The wait that a call is, by the type of its receiver; None for a call that is not known to wait."""
        if isinstance(site.call.func, Attr) and site.call.func.name not in self._project.models.blocking_names:
            return None
        for name in self._names(site.call, fn):
            model = self._project.models.blocking.get(name)
            if model is not None:
                return Wait(site, fn, model, self.is_bounded(site.call, model))
        return None

    def _names(self, call: Call, fn: Fn) -> Iterator[str]:
        yield from self._project.calls.external(call, fn)
        if isinstance(call.func, Attr):
            for value in self._project.evaluate.values(call.func.value, fn):
                if (
                    isinstance(value, Instance)
                    and isinstance(value.cls, Cls)
                    and self._project.classes.method(value.cls, call.func.name) is None
                ):
                    for base in self._project.classes.external_bases(value.cls):
                        yield f"{self._project.models.canonical(base)}.{call.func.name}"
                        model = self._project.models.acquire.get(self._project.models.canonical(base))
                        if model is not None:
                            yield f"{model.name}.{call.func.name}"

    def is_bounded(self, call: Call, model: Blocking) -> bool:
        """Whether the call has a limit, or does not block at all (``get(False)``, ``wait=False``)."""
        if any(arg.star for arg in call.args):
            return True
        for keyword, position in (("block", 0), ("blocking", 0), ("wait", 0)):
            given = argument(
                call, position if model.call.endswith((".get", ".acquire", ".put", ".shutdown")) else 99, keyword
            )
            if isinstance(given, Const) and given.value is False:
                return True
        if not model.timeout and model.position < 0:
            return False
        limit = argument(call, model.position if model.position >= 0 else 99, model.timeout or "\0")
        return limit is not None and not (isinstance(limit, Const) and (limit.value is None or limit.value == -1))

    # --- loops ---------------------------------------------------------------------------------------------------------

    def loops(self, fn: Fn) -> tuple[Loop, ...]:
        """The unbounded loops of the function itself."""
        if fn not in self._loops:
            self._loops[fn] = ()
            self._loops[fn] = tuple(loop for at in fn.statements for loop in self._loop(at, fn))
        return self._loops[fn]

    def _loop(self, at: At, fn: Fn) -> Iterator[Loop]:
        stmt = at.stmt
        if isinstance(stmt, While) and not counts(stmt):
            tests = [*self.places_read(stmt.test, fn), *self._break_tests(at, stmt.body, fn)]
            tests += self._relayed_tests(stmt, fn)
            leaves = not always(stmt.test) or leaves_loop(stmt.body) or runs_dry(at, stmt.body)
        elif isinstance(stmt, For) and self._is_endless_iter(stmt, fn):
            tests, leaves = (
                list(self._break_tests(at, stmt.body, fn)),
                leaves_loop(stmt.body) or not self._surely_endless(stmt, fn),
            )
        else:
            return
        yield Loop(at, fn, tuple(dict.fromkeys(tests)), leaves, tuple(self._waits_at(sites(stmt.body), fn, 0)))

    def _is_endless_iter(self, stmt: For, fn: Fn) -> bool:
        """``for x in iter(q.get, None)``, ``async for``, ``itertools.count()``: the end is someone else's doing."""
        if stmt.is_async or self._surely_endless(stmt, fn):
            return True
        return (
            isinstance(stmt.iter, Call)
            and isinstance(stmt.iter.func, Name)
            and stmt.iter.func.id == "iter"
            and len(stmt.iter.args) == 2
        )

    def _surely_endless(self, stmt: For, fn: Fn) -> bool:
        return isinstance(stmt.iter, Call) and any(
            n in _ENDLESS_ITERATORS for n in self._project.calls.external(stmt.iter, fn)
        )

    def _break_tests(self, loop: At, body: Body, fn: Fn) -> Iterator[Place]:
        """Places tested by an ``if`` that leads out of the loop, or that a value tested so was read from."""
        for at in walk(body):
            if isinstance(at.stmt, If) and (leaves_here(at.stmt.body) or leaves_here(at.stmt.orelse)):
                yield from self.places_read(at.stmt.test, fn)

    def _relayed_tests(self, loop: While, fn: Fn) -> Iterator[Place]:
        """``while run:`` with ``if self._stop: run = False`` in its body: the local only passes on what the ``if`` tests."""
        own = {part.id for part in subexprs(loop.test) if isinstance(part, Name)}
        own = {name for name in own if self._project.evaluate.binding_scope(name, fn) is fn and not fn.is_module}
        for at in walk(loop.body) if own else ():
            if isinstance(at.stmt, If) and any(sets(stmt, own) for stmt in at.stmt.body):
                yield from self.places_read(at.stmt.test, fn)

    def places_read(self, test: Expr, fn: Fn) -> Iterator[Place]:
        """The places that a condition reads: ``self._stop.is_set()``, ``not running``; a local's source is followed once."""
        for expr in subexprs(test):
            if isinstance(expr, Attr):
                yield from self._attribute_place(expr, fn)
            elif isinstance(expr, Name) and expr.id != self._project.classes.self_name(fn):
                scope = self._project.evaluate.binding_scope(expr.id, fn)
                if scope is not None:
                    yield Local(scope, expr.id, False)
                    yield from self._source(expr.id, scope)

    def _source(self, name: str, scope: Fn) -> Iterator[Place]:
        """``item = self.q.get()`` … ``if item is None: break``: the place is the queue."""
        for binding in scope.bindings.get(name, ()):
            value = getattr(binding, "expr", None)
            if isinstance(value, Await):
                value = value.value
            if isinstance(value, Attr):  # `queue = self._queue`
                yield from self._attribute_place(value, scope)
            if isinstance(value, Call) and isinstance(value.func, Attr):
                receiver = value.func.value
                if isinstance(receiver, Attr):
                    yield from self._attribute_place(receiver, scope)
                elif isinstance(receiver, Name):
                    owner = self._project.evaluate.binding_scope(receiver.id, scope)
                    if owner is not None:
                        yield Local(owner, receiver.id, False)
                        yield from self._alias(receiver.id, owner)

    def _alias(self, name: str, scope: Fn) -> Iterator[Place]:
        """The attribute that a local stands for."""
        for binding in scope.bindings.get(name, ()):
            value = getattr(binding, "expr", None)
            if isinstance(value, Attr):
                yield from self._attribute_place(value, scope)

    def _attribute_place(self, expr: Attr, fn: Fn) -> Iterator[Place]:
        if isinstance(expr.value, Name) and expr.value.id == self._project.classes.self_name(fn):
            owner = self._project.classes.enclosing(fn)
            if owner is not None:
                yield Attribute(owner, expr.name, False)
                return
        for value in self._project.evaluate.values(expr.value, fn):
            if isinstance(value, (Instance, Class)) and isinstance(value.cls, Cls):
                yield Attribute(value.cls, expr.name, False)

    def _waits_at(self, sites: Iterable[Site], fn: Fn, depth: int) -> Iterator[Wait]:
        for site in sites:
            wait = self.wait(site, fn)
            if wait is not None:
                yield wait
            elif depth < MAX_CALL_DEPTH - 1:
                for target in self._project.calls.targets(site.call, fn):
                    if target.fn is not fn and target.fn.name != "__init__":
                        yield from self._waits_within(target.fn, depth + 1)

    def _waits_within(self, fn: Fn, depth: int) -> tuple[Wait, ...]:
        """The waits of the function and of what it calls, as deep as is left at this depth."""
        known = self._waits.get((fn, depth))
        if known is None:
            known = self._waits[fn, depth] = tuple(self._waits_at(fn.sites, fn, depth))
        return known

    # --- endings -------------------------------------------------------------------------------------------------------

    def worker_loops(self, fn: Fn, depth: int = 0) -> tuple[Loop, ...]:
        """The unbounded loops of a worker body and of what it calls, a few calls deep."""
        known = self._worker_loops.get((fn, depth))
        if known is None:
            known = self._worker_loops[fn, depth] = self._find_worker_loops(fn, depth)
        return known

    def _find_worker_loops(self, fn: Fn, depth: int) -> tuple[Loop, ...]:
        found = list(self.loops(fn))
        if depth < MAX_CALL_DEPTH:
            for site in fn.sites:
                for target in () if _is_handed_to_task(site) else self._project.calls.targets(site.call, fn):
                    if target.fn is not fn and target.fn.name != "__init__":
                        inner = self.worker_loops(target.fn, depth + 1)
                        found += (loop for loop in inner if not _is_turned_by(site, loop, target.fn))
        return tuple({(id(loop.at.stmt), loop.fn): loop for loop in found}.values())

    def ending(self, fn: Fn) -> Ending:
        """How a worker with this body ends.

        ``finite``: it has no unbounded loop and no wait without limit; ``stoppable``: each of its loops tests some place
        (or has another way out); ``endless``: a loop has no way out at all; ``unknown``: it calls what we cannot see.
        """
        loops = self.worker_loops(fn)
        if any(not loop.leaves for loop in loops):
            return "endless"
        if any(wait.model.forever for wait in self.waits(fn)):
            return "endless"
        if loops:
            return "stoppable"
        return (
            "unknown" if any(not wait.bounded and wait.model.wakes != "time" for wait in self.waits(fn)) else "finite"
        )

    def waits(self, fn: Fn) -> tuple[Wait, ...]:
        """The waits of a body and of what it calls."""
        return self._waits_within(fn, 0)

    # --- telling -------------------------------------------------------------------------------------------------------

    def tells(self, fn: Fn, places: Iterable[Place], until: Site | None = None) -> bool:
        """Whether the function (or what it calls, a few calls deep) sets, puts into, closes or writes one of the places.

        With ``until``, only what stands textually before that site in ``fn`` counts.
        """
        wanted = {(type(p), getattr(p, "cls", None) or getattr(p, "fn", None), p.name) for p in places}
        names = {p.name for p in places}
        families = {
            cls: p.name for p in places if isinstance(p, Attribute) for cls in self._project.classes.family(p.cls)
        }
        return any(self._tells_here(f, wanted, names, families, until if f is fn else None) for f in self.reach(fn))

    def _tells_here(
        self,
        fn: Fn,
        wanted: set[tuple[type, object, str]],
        names: set[str],
        families: dict[Cls, str],
        until: Site | None,
    ) -> bool:
        if not names & fn.mentions:
            return False
        for at in fn.statements:
            if until is not None and line_of(at.stmt) >= line_of(until.at.stmt):
                break
            for place in self._told_places(at, fn):
                key = (type(place), getattr(place, "cls", None) or getattr(place, "fn", None), place.name)
                if key in wanted or (isinstance(place, Attribute) and place.cls in families and place.name in names):
                    return True
        return False

    def _told_places(self, at: At, fn: Fn) -> Iterator[Place]:
        """The places that the statement writes or tells."""
        if isinstance(at.stmt, Assign):
            for target in at.stmt.targets:
                yield from self._target_places(target, fn)
        for site in sites_at(at):
            if isinstance(site.call.func, Attr) and site.call.func.name in _TELLERS:
                yield from self.places_read(site.call.func.value, fn)
            for arg in site.call.args:
                if isinstance(arg.value, Attr) and arg.value.name in _TELLERS:
                    yield from self.places_read(arg.value.value, fn)

    def _target_places(self, target: Expr, fn: Fn) -> Iterator[Place]:
        if isinstance(target, Subscript):
            target = target.value
        if isinstance(target, Seq):
            for item in target.items:
                yield from self._target_places(item, fn)
        elif isinstance(target, (Attr, Name)):
            yield from self.places_read(target, fn)

    def reach(self, fn: Fn, depth: int = 0) -> tuple[Fn, ...]:
        """The function and the project functions that it calls, a few calls deep."""
        key = (fn, depth)
        if key not in self._reach:
            self._reach[key] = (fn,)
            found = [fn]
            if depth < MAX_CALL_DEPTH:
                for site in fn.sites:
                    for target in self._project.calls.targets(site.call, fn):
                        found += self.reach(target.fn, depth + 1)
                for setter in self._setters(fn):
                    found += self.reach(setter, depth + 1)
            self._reach[key] = tuple(dict.fromkeys(found))
        return self._reach[key]

    def _setters(self, fn: Fn) -> Iterator[Fn]:
        """The properties of its own object that the function assigns to: ``self.stop = True``."""
        own = self._properties(fn.cls) if fn.cls is not None else {}
        if own.keys() & fn.mentions:
            for at in fn.statements:
                for target in at.stmt.targets if isinstance(at.stmt, Assign) else ():
                    if (name := fn.own_attribute(target)) in own:
                        yield own[name]

    def _properties(self, cls: Cls) -> dict[str, Fn]:
        """The properties of a class that can be set."""
        if cls not in self._settable:
            methods = self._project.classes.methods(cls).items()
            self._settable[cls] = {name: fn for name, fn in methods if "setter" in fn.decorator_names}
        return self._settable[cls]


def _is_turned_by(site: Site, loop: Loop, generator: Fn) -> bool:
    """Whether the endless loop is a generator's, which goes on only as long as who asks it: ``next(frames)``."""
    if loop.leaves or loop.fn is not generator or not generator.facts.is_generator:
        return False
    body = loop.at.stmt.body if isinstance(loop.at.stmt, (For, While)) else ()
    if not any(isinstance(part, Yield) for at in walk(body) for root in own_exprs(at.stmt) for part in subexprs(root)):
        return False
    user = site.at.stmt
    is_iterated = isinstance(user, For) and any(part is site.call for part in subexprs(user.iter))
    return not is_iterated or (isinstance(user, For) and leaves_loop(user.body))


def _is_handed_to_task(site: Site) -> bool:
    """``create_task(self._watch())``: the call makes a coroutine, which runs beside."""
    maker = site.parents[0] if site.parents else None
    return isinstance(maker, Call) and last_name(maker.func) in _TASK_MAKERS
