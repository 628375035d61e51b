"""Cleanup at stake: the ``with`` and ``finally`` around a place and around the calls that lead to it, and what is registered process-wide."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from shutdown_lint.facts import Attr, Await, Call, Expr, ExprStmt, Name, Try, With, WithItem
from shutdown_lint.findings import Step
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.values import External, Function, Instance
from shutdown_lint.walk import At, Site, sites, text, walk

if TYPE_CHECKING:
    from shutdown_lint.project import Project

MAX_DEPTH = 4
MAX_STEPS = 12
# Leaving these undone at exit loses nothing outside the process.
_HARMLESS = frozenset(
    {
        "contextlib.suppress",
        "contextlib.nullcontext",
        "contextlib.redirect_stdout",
        "contextlib.redirect_stderr",
        "warnings.catch_warnings",
        "threading.Lock",
        "threading.RLock",
        "threading.Condition",
        "threading.Semaphore",
        "threading.BoundedSemaphore",
        "asyncio.Lock",
        "asyncio.Semaphore",
        "asyncio.Condition",
        "asyncio.timeout",
        "asyncio.timeout_at",
        "unittest.mock.patch",
        "pytest.raises",
        "decimal.localcontext",
    }
)
_LOCKISH = re.compile(
    r"lock|mutex|cond(ition)?$|sem(aphore)?$|suppress|timeout|span|timer|catch|ignore|profil|patch|raises",
    re.IGNORECASE,
)
_REACHES_OUTSIDE = re.compile(
    r"commit|rollback|flush|save|write|dump|close|unlink|remove|rmtree|rename|replace|unlock|release|cleanup|clean_up|delete|send|publish|"
    r"disconnect|shutdown|terminate|stop|restore|reset|deregister|unregister|ack|nack|fsync|sync|upload|notify|unsubscribe|logout|quit",
    re.IGNORECASE,
)


class Cleanup:
    """Answers what is lost when control never comes back to a place."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._held: dict[Fn, tuple[Step, ...]] = {}

    def around(self, at: At, fn: Fn) -> tuple[Step, ...]:
        """The ``with`` blocks and ``finally`` clauses around the place in its own function, innermost first."""
        return tuple(step for place in at.around() for step in self._around(place, fn))

    def _around(self, place: At, fn: Fn) -> Iterator[Step]:
        outer = place.outer
        if outer is None:
            return
        if isinstance(outer.stmt, Try) and outer.stmt.final and place.part != "final":
            yield self.final_step(outer.stmt, fn)
        elif isinstance(outer.stmt, With):
            yield from (
                self.with_step(item, outer.stmt, fn)
                for item in outer.stmt.items
                if not self.is_harmless(item.context, fn)
            )

    def final_step(self, stmt: Try, fn: Fn) -> Step:
        """``finally: db.close()`` at the first line of the clause."""
        first = stmt.final[0]
        span = getattr(first, "span", stmt.span)
        what = text(first.value) if isinstance(first, ExprStmt) else "…"
        return fn.step(span, f"`finally: {what}` in {fn.qualname}")

    def with_step(self, item: WithItem, stmt: With, fn: Fn) -> Step:
        """``with open(path)`` at its line."""
        word = "async with" if stmt.is_async else "with"
        return fn.step(stmt.span, f"`{word} {text(item.context)}` in {fn.qualname}")

    def is_harmless(self, context: Expr, fn: Fn) -> bool:
        """Whether leaving the context manager unfinished loses nothing: locks, ``suppress``, timers, test helpers."""
        inner = context.value if isinstance(context, Await) else context
        for value in self._project.evaluate.values(inner, fn):
            if isinstance(value, Instance) and isinstance(value.cls, str):
                return self._project.models.canonical(value.cls) in _HARMLESS
        if isinstance(inner, Call):
            if any(name in _HARMLESS for name in self._project.calls.external(inner, fn)):
                return True
            inner = inner.func
        last = inner.name if isinstance(inner, Attr) else inner.id if isinstance(inner, Name) else ""
        return bool(_LOCKISH.search(last))

    def along_callers(self, fn: Fn, depth: int = 0, seen: frozenset[Fn] = frozenset()) -> tuple[Step, ...]:
        """The cleanup around the calls that lead to the function, nearest callers first."""
        if depth >= MAX_DEPTH:
            return ()
        found: list[Step] = []
        for caller in self._project.calls.callers(fn):
            if caller.fn in seen or caller.fn is fn:
                continue
            found += self.around(caller.site.at, caller.fn)
            found += self.along_callers(caller.fn, depth + 1, seen | {fn, caller.fn})
            if len(found) >= MAX_STEPS:
                break
        return tuple(dict.fromkeys(found))[:MAX_STEPS]

    def registered(self) -> tuple[Step, ...]:
        """Callbacks registered with ``atexit`` or ``weakref.finalize`` anywhere in the project outside of tests."""
        from shutdown_lint.project.roles import is_test

        found = []
        for registration in self._project.roles.registrations():
            if registration.callback.role in ("atexit", "finalizer") and not is_test(registration.fn):
                call = registration.site.call
                found.append(registration.fn.step(call.span, f"`{text(call)}` in {registration.fn.qualname}"))
        return tuple(dict.fromkeys(found))

    def held_by(self, fn: Fn, depth: int = 0) -> tuple[Step, ...]:
        """The cleanup that reaches outside the process in a worker's body and in what it calls, a few calls deep.

        ``with`` over files, connections and the like, ``finally`` clauses that write, close, unlock, delete; locks within
        the process are not among them.
        """
        if depth == 0 and fn in self._held:
            return self._held[fn]
        found = list(self._own(fn))
        if depth < MAX_DEPTH - 1:
            for site in fn.sites:
                for target in self._project.calls.targets(site.call, fn):
                    if target.fn is not fn and target.confidence == "proven":
                        found += self.held_by(target.fn, depth + 1)
        steps = tuple(dict.fromkeys(found))[:MAX_STEPS]
        if depth == 0:
            self._held[fn] = steps
        return steps

    def _own(self, fn: Fn) -> Iterator[Step]:
        for at in fn.statements:
            if isinstance(at.stmt, With):
                yield from (
                    self.with_step(item, at.stmt, fn)
                    for item in at.stmt.items
                    if not self.is_harmless(item.context, fn)
                )
            elif isinstance(at.stmt, Try) and at.stmt.final and self._reaches_outside(at.stmt, fn):
                yield self.final_step(at.stmt, fn)

    def _reaches_outside(self, stmt: Try, fn: Fn) -> bool:
        return any(_REACHES_OUTSIDE.search(_last(site)) for site in sites(stmt.final)) or any(
            isinstance(at.stmt, Try) for at in walk(stmt.final)
        )

    def callback_held(self, value: Function | External) -> tuple[Step, ...]:
        """The cleanup of a function value."""
        return self.held_by(value.fn) if isinstance(value, Function) else ()


def _last(site: Site) -> str:
    func = site.call.func
    return func.name if isinstance(func, Attr) else func.id if isinstance(func, Name) else ""
