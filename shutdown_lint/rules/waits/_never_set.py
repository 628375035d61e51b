"""Events that a worker sets on its way, and that nobody sets when it dies before: who waits for them without limit hangs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Call, Expr, For, Stmt, While
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.failing import talks_to_server
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.values import Instance
from shutdown_lint.rules._handed_flags import EVENTS
from shutdown_lint.rules.waits._skipping import breaker
from shutdown_lint.rules.waits._stops import receiver
from shutdown_lint.walk import Site, argument, last_name, line_of, same, sites, text

_ROLES = ("thread", "process", "pool-thread", "pool-process", "task")
# What fails in practice: peers, ports, files, other programs.
_RISKY = frozenset({
    "connect", "bind", "listen", "open", "start_server", "create_server", "create_connection", "open_connection", "Popen", "run", "login",
    "create_subprocess_exec", "create_subprocess_shell", "accept", "recv", "read", "urlopen", "load", "loads", "import_module", "getaddrinfo",
})  # fmt: skip


class Unset(NamedTuple):
    """The ``set()`` that is skipped, by what, and the wait that then lasts for ever."""

    done: Site
    why: str
    wait: Site
    waiter: Fn


def never_set(fn: Fn, project: Project) -> Iterator[Unset]:
    """``server.bind(…); self._ready.set()`` in a thread, and ``self._ready.wait()`` where it was started.

    And in any function ``self._idle.clear()`` … ``self._idle.set()``.
    """
    for site in fn.sites if "set" in fn.mentions else ():
        if last_name(site.call.func) != "set" or site.call.args or not isinstance(site.call.func, Attr):
            continue
        made = _events(receiver(site.call), fn, project)
        clear = _cleared_before(site, fn) if made else None
        why = _breaker(site, clear, fn, project) if made else None
        if why is None or _is_set_elsewhere(site, made, project):
            continue
        if clear is None and not project.roles.role(fn, *_ROLES):
            continue
        for waiter, wait in project.calls.calls_named("wait"):
            if (
                (waiter is not fn or clear is not None)
                and _is_endless(wait, waiter)
                and made & _events(receiver(wait.call), waiter, project)
            ):
                yield Unset(site, why, wait, waiter)
                break


def _events(expr: Expr | None, fn: Fn, project: Project) -> frozenset[int]:
    """The constructor calls of the events that the expression may be."""
    return frozenset(
        id(value.call)
        for value in project.evaluate.values(expr, fn)
        if isinstance(value, Instance) and value.call is not None and value.cls in EVENTS
    )


def _cleared_before(done: Site, fn: Fn) -> Site | None:
    """The ``clear()`` of the same event in the same function, which makes others wait until the work is done."""
    if "clear" not in fn.mentions:
        return None
    return next(
        (
            site
            for site in fn.sites
            if last_name(site.call.func) == "clear"
            and site.call.span.line < done.call.span.line
            and same(receiver(site.call), receiver(done.call))
        ),
        None,
    )


def _breaker(site: Site, clear: Site | None, fn: Fn, project: Project) -> str | None:
    """What may keep the function from getting there, of the statements before; none in a loop, a clause or a ``finally``."""
    between: list[Stmt] = []
    for place in site.at.around():
        outer = place.outer.stmt if place.outer is not None else None
        if place.part in ("final", "handler", "case") or isinstance(outer, (While, For)):
            return None
        between = [*place.before(), *between]
    if clear is not None:
        line = clear.call.span.line
        return breaker(tuple(stmt for stmt in between if line_of(stmt) > line), fn, [site], project)
    risky = [stmt for stmt in between if any(_is_risky(other.call, fn, project) for other in sites((stmt,)))]
    return breaker(tuple(risky), fn, [site], project)


def _is_risky(call: Call, fn: Fn, project: Project) -> bool:
    names = project.calls.external(call, fn)
    return last_name(call.func) in _RISKY or any(talks_to_server(name, project) for name in names)


def _is_set_elsewhere(done: Site, made: frozenset[int], project: Project) -> bool:
    """Whether somebody else sets the event too: the one who stops, or an error's clause of the worker."""
    return any(
        site.call is not done.call and not is_test(other) and made & _events(receiver(site.call), other, project)
        for other, site in project.calls.calls_named("set")
        if not site.call.args
    )


def _is_endless(wait: Site, fn: Fn) -> bool:
    return not wait.call.args and argument(wait.call, 0, "timeout") is None and not is_test(fn)


def told(found: Unset) -> str:
    """What happens, in one line."""
    where = f" in `{found.waiter.qualname}`" if not found.waiter.is_module else ""
    return (
        f"`{text(found.done.call)}` is skipped when {found.why}: `{text(found.wait.call)}`{where} then waits for ever"
    )
