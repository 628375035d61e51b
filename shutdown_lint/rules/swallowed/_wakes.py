"""Further steps of a cleanup: what is said to a peer before the end, and the event that tells others of the end."""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, Await, Call, ExprStmt
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.failing import Why, why
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.values import Instance
from shutdown_lint.rules._handed_flags import EVENTS
from shutdown_lint.rules.swallowed._catching import statement_call
from shutdown_lint.rules.swallowed._steps import Release, is_release_name
from shutdown_lint.rules.waits._polls import is_limited, limited
from shutdown_lint.rules.waits._stops import receiver
from shutdown_lint.walk import Site, argument

_WAKES = frozenset({"set", "notify_all", "notify"})
_WOKEN = frozenset({*EVENTS, "threading.Condition", "asyncio.Condition"})
_MAX_HOPS = 1


def said(fn: Fn, project: Project) -> Iterator[tuple[Release, Why]]:
    """``await self._send_goodbye()``, ``await writer.drain()``: awaited in what stops, and it fails where the peer is gone."""
    for at in fn.statements if fn.facts.is_async else ():
        value = at.stmt.value if isinstance(at.stmt, ExprStmt) else None
        call = value.value if isinstance(value, Await) else None
        if not isinstance(call, Call) or not isinstance(call.func, Attr) or is_release_name(call.func.name):
            continue
        reason = why(call, fn, project, awaited=True)
        if reason is not None and reason.kind == "network" and len(reason.steps) <= _MAX_HOPS:
            yield Release(call, at, True, None), reason


def wakes(fn: Fn, project: Project) -> Iterator[Release]:
    """``self.closed.set()``, where another function waits for that without limit: skipped, it waits for ever."""
    for at in fn.statements if fn.mentions & _WAKES else ():
        call = statement_call(at.stmt)
        if call is None or not isinstance(call.func, Attr) or call.func.name not in _WAKES or call.args:
            continue
        made = _made(call, fn, project)
        if made and any(
            waiter is not fn
            and not is_test(waiter)
            and _is_endless(site, waiter, project)
            and made & _made(site.call, waiter, project)
            for waiter, site in project.calls.calls_named("wait")
        ):
            yield Release(call, at, False, None)


def _is_endless(wait: Site, fn: Fn, project: Project) -> bool:
    return (
        not wait.call.args
        and argument(wait.call, 0, "timeout") is None
        and not is_limited(wait)
        and not limited(fn, wait.at, project)
    )


def _made(call: Call, fn: Fn, project: Project) -> frozenset[int]:
    """The constructor calls of the events or conditions on which the method is called."""
    return frozenset(
        id(value.call)
        for value in project.evaluate.values(receiver(call), fn)
        if isinstance(value, Instance) and value.call is not None and value.cls in _WOKEN
    )
