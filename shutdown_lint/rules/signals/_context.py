"""What runs in signal context: the handlers of ``signal.signal`` and what they call, with the way from the handler."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Call, Expr, Name
from shutdown_lint.findings import Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.signals import Handling, handlings
from shutdown_lint.walk import Site

MAX_DEPTH = 4
# Handing a function to one of these runs it later, outside of the handler.
_BESIDE = frozenset({"thread", "timer", "pool-thread", "process", "pool-process"})


class Reached(NamedTuple):
    """A function that a handler runs, with the calls from the handler to it."""

    handling: Handling
    handler: Fn
    fn: Fn
    steps: tuple[Step, ...]


def in_signal_context(project: Project) -> Iterator[Reached]:
    """Every function that a handler of ``signal.signal`` runs, nearest first; each function once."""
    seen: set[Fn] = set()
    for handling in handlings(project):
        if handling.via != "signal" or is_test(handling.fn):
            continue
        for handler in handling.targets:
            yield from _reach(handling, handler, project, seen)


def _reach(handling: Handling, handler: Fn, project: Project, seen: set[Fn]) -> Iterator[Reached]:
    signal = handling.signals[0] if handling.signals else "a signal"
    name = "this lambda" if handler.facts.is_lambda else f"`{handler.qualname}`"
    first = handling.fn.step(handling.site.call.span, f"{name} handles {signal}")
    queue = [Reached(handling, handler, handler, (first,))]
    for reached in queue:
        if reached.fn in seen or reached.fn.facts.is_async or reached.fn.facts.is_generator:
            continue
        seen.add(reached.fn)
        yield reached
        if len(reached.steps) < MAX_DEPTH:
            queue += _calls(reached, project)


def _calls(reached: Reached, project: Project) -> Iterator[Reached]:
    for site in reached.fn.sites:
        targets = project.calls.targets(site.call, reached.fn)
        for target in targets if len(targets) == 1 else ():
            if target.confidence == "proven" and target.fn is not reached.fn:
                step = reached.fn.step(site.call.span, f"`{reached.fn.qualname}` calls `{target.fn.qualname}`")
                yield reached._replace(fn=target.fn, steps=(*reached.steps, step))


def other_users(receiver: Expr, reached: Reached, project: Project, *methods: str) -> Iterator[tuple[Fn, Site]]:
    """The places outside of the handler at which the same object is used: by ``with``, or by one of the methods.

    The same object is the same attribute of the class, or the same global or enclosing name. Functions that only threads
    run are left out: a handler interrupts the main thread alone; so are those that are lent to somebody who may be a thread.
    The function itself counts where other code calls it too.
    """
    wanted = {
        (type(p), getattr(p, "cls", None) or getattr(p, "fn", None), p.name)
        for p in project.protocol.places_read(receiver, reached.fn)
    }
    for fn in _candidates(receiver, reached, project):
        if project.roles.only(fn, *_BESIDE) or is_test(fn) or _is_lent(fn, project):
            continue
        for site in _occurrences(receiver, fn):
            places = project.protocol.places_read(site.expr, fn)
            if any(
                (type(p), getattr(p, "cls", None) or getattr(p, "fn", None), p.name) in wanted for p in places
            ) and _is_use(site, methods):
                yield fn, site


def _is_lent(fn: Fn, project: Project, depth: int = 0) -> bool:
    """Whether nobody calls the function, or each that does: it is an argument of a call, ``every(60, self.report)``."""
    if depth > MAX_DEPTH or project.roles.kinds(fn) - {*_BESIDE}:
        return False
    callers = [caller.fn for caller in project.calls.callers(fn) if not is_test(caller.fn)]
    if callers:
        return all(caller is not fn and _is_lent(caller, project, depth + 1) for caller in callers)
    return any(
        any(site.expr is arg.value for parent in site.parents[:1] if isinstance(parent, Call) for arg in parent.args)
        for other in project.functions(fn.module)
        if fn.name in other.mentions
        for site in (*other.attributes(fn.name), *other.names(fn.name))
    )


def _candidates(receiver: Expr, reached: Reached, project: Project) -> Iterator[Fn]:
    """The functions that mention the object; those that nothing but the handler runs left out."""
    name = receiver.name if isinstance(receiver, Attr) else receiver.id if isinstance(receiver, Name) else ""
    for entry in project.modules:
        for fn in entry.functions:
            own = fn is reached.fn or fn is reached.handler
            if name in fn.mentions and (not own or _is_called_elsewhere(fn, project)):
                yield fn


def _is_called_elsewhere(fn: Fn, project: Project) -> bool:
    """Whether code that may run in the main thread calls the function, besides handlers and what only they run."""
    beside = (*_BESIDE, "signal-handler")
    return any(
        caller.confidence == "proven" and not is_test(caller.fn) and not project.roles.only(caller.fn, *beside)
        for caller in project.calls.callers(fn)
    )


def _occurrences(receiver: Expr, fn: Fn) -> list[Site]:
    if isinstance(receiver, Attr):
        return fn.attributes(receiver.name)
    return fn.names(receiver.id) if isinstance(receiver, Name) else []


def _is_use(site: Site, methods: tuple[str, ...]) -> bool:
    from shutdown_lint.facts import With

    parent = site.parents[0] if site.parents else None
    if isinstance(parent, Attr):
        return parent.name in methods and len(site.parents) > 1
    return parent is None and isinstance(site.at.stmt, With) and "with" in methods
