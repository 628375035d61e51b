"""Workers that tell their end as their last step: an exception or a cancellation in the work skips it, and who waits goes on waiting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Await, Call, Expr, For, Stmt, Try, While, With
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.endings import catches
from shutdown_lint.project.failing import is_suppress, why
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.values import Instance
from shutdown_lint.rules._handed_flags import EVENTS
from shutdown_lint.rules.swallowed._catching import raises, statement_call
from shutdown_lint.rules.waits._polls import is_limited, limited
from shutdown_lint.rules.waits._stops import receiver, way_out
from shutdown_lint.walk import At, Site, argument, sites, text

_TELLS = frozenset({"set", "set_result"})
_FUTURES = frozenset({"asyncio.Future", "asyncio.loop.create_future", "concurrent.futures.Future"})
_KINDS = frozenset({*EVENTS, *_FUTURES})
_OTHERWISE = ("set", "set_result", "set_exception", "cancel")
_WORKERS = ("thread", "task", "process", "pool-thread")


class EndTold(NamedTuple):
    """The call that tells the end, the work before it, what may raise there, and who waits, in ``waiter``."""

    tell: Call
    work: Stmt
    risk: Call
    what: str
    waiter: Fn
    wait: Site
    sure: bool


def ends_told(fn: Fn, project: Project) -> Iterator[EndTold]:
    """``while …: self._work()`` and then ``self._stopped.set()``, for a ``self._stopped.wait()`` without limit in a stop."""
    if not _TELLS & fn.mentions or fn.is_module or fn.name == "__init__":
        return
    for at in fn.statements:
        call = statement_call(at.stmt) if at.outer is None else None
        if call is None or not isinstance(call.func, Attr) or call.func.name not in _TELLS:
            continue
        work = next((stmt for stmt in reversed(at.before()) if _lasts(stmt)), None)
        if work is None or (call.func.name == "set" and call.args) or project.roles.role(fn, *_WORKERS) is None:
            continue
        made = _made(receiver(call), fn, project)
        if not made or _is_told_otherwise(call, made, project):
            continue
        risk = _risk(work, fn, project)
        cut = risk or (_cancelled(work) if fn.facts.is_async else None)
        waited = next(_endless_waits(call, made, fn, project), None) if cut is not None else None
        if cut is not None and waited is not None:
            yield EndTold(call, work, *cut, *waited, sure=risk is not None)


def _lasts(stmt: Stmt) -> bool:
    """A loop: what stands before it has told nobody that it lives, and fails where it starts."""
    return isinstance(stmt, While) or (isinstance(stmt, For) and stmt.is_async)


def _risk(work: Stmt, fn: Fn, project: Project) -> tuple[Call, str] | None:
    """A call of the work that may raise past the end of the function."""
    for site in sites((work,)):
        if _is_caught(site.at):
            continue
        reason = why(site.call, fn, project, awaited=site.awaited)
        if reason is not None and reason.kind in ("network", "foreign", "supplied"):
            return site.call, reason.what
    return None


def _cancelled(work: Stmt) -> tuple[Call, str] | None:
    """An await in which a cancellation arrives that nothing catches."""
    for site in sites((work,)):
        if site.awaited and not _is_caught(site.at, "CancelledError"):
            return site.call, f"`await {text(site.call)}` raises CancelledError when the task is cancelled"
    return None


def _is_caught(at: At, error: str = "Exception") -> bool:
    for place in at.around():
        outer = place.outer.stmt if place.outer is not None and place.part in ("body", "") else None
        if isinstance(outer, Try) and place.part == "body":
            if any(catches(handler.types, error) and not raises(handler.body) for handler in outer.handlers):
                return True
        if isinstance(outer, With) and any(is_suppress(item.context) for item in outer.items):
            return True
    return False


def _is_told_otherwise(tell: Call, made: frozenset[int], project: Project) -> bool:
    """Whether another place tells it too, or ends the wait in another way."""
    return any(
        site.call is not tell and not is_test(other) and made & _made(receiver(site.call), other, project)
        for name in _OTHERWISE
        for other, site in project.calls.calls_named(name)
    )


def _endless_waits(tell: Call, made: frozenset[int], fn: Fn, project: Project) -> Iterator[tuple[Fn, Site]]:
    """Waits without limit for the same event or future, on a way out."""
    name = getattr(receiver(tell), "name", getattr(receiver(tell), "id", ""))
    for waiter in project.calls.mentioning(name):
        if waiter is fn or is_test(waiter):
            continue
        for site in (*waiter.attributes(name), *waiter.names(name)):
            if _waits(site) and made & _made(site.expr, waiter, project) and not _has_limit(site, waiter, project):
                if way_out(waiter, site.at, project) is not None:
                    yield waiter, site


def _waits(site: Site) -> bool:
    """``await future``, ``event.wait()``, ``future.result()``."""
    parents = site.parents
    if parents and isinstance(parents[0], Await):
        return True
    called = len(parents) > 1 and isinstance(parents[0], Attr) and isinstance(parents[1], Call)
    if not called or parents[1].func is not parents[0] or parents[0].name not in ("wait", "result"):  # type: ignore[union-attr]  # an attribute that is called
        return False
    return not parents[1].args  # type: ignore[union-attr]  # a call


def _has_limit(site: Site, fn: Fn, project: Project) -> bool:
    call = next((parent for parent in site.parents if isinstance(parent, Call)), None)
    return (
        is_limited(site)
        or limited(fn, site.at, project)
        or (call is not None and argument(call, 0, "timeout") is not None)
    )


def _made(expr: Expr | None, fn: Fn, project: Project) -> frozenset[int]:
    """The calls that make the event or future."""
    return frozenset(
        id(value.call)
        for value in project.evaluate.values(expr, fn)
        if isinstance(value, Instance) and value.call is not None and value.cls in _KINDS
    )
