"""Queues that a stop waits to see worked off, by a thread whose work on each item waits for the network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Call, Const, Expr
from shutdown_lint.findings import Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.failing import why
from shutdown_lint.project.tracks import Attribute, Place
from shutdown_lint.rules.waits._in_time import gives_limit
from shutdown_lint.rules.waits._stops import acquisitions_of
from shutdown_lint.walk import Site, argument, enclosing_loops, last_name, text

_GETS = frozenset({"get", "get_nowait"})
_SOCKETS = (
    "socket.socket.connect",
    "socket.socket.send",
    "socket.socket.sendall",
    "socket.socket.recv",
    "socket.create_connection",
)


# of a session in memory: nothing is sent
_SETS_UP = frozenset({"mount", "update", "setdefault", "settimeout", "setsockopt", "get_adapter"})


class Slow(NamedTuple):
    """Where a thread takes the items of the queue, and the call on the network in its work on each; whether that has a limit."""

    taken: Step
    call: Step
    limited: bool


def slow_consumer(queue: Expr, fn: Fn, project: Project) -> Slow | None:
    """A thread whose work on the items waits for the network; first of all one that waits without a limit."""
    places = tuple(project.protocol.places_read(queue, fn))
    found = (
        Slow(taken, call, limited)
        for consumer, taken in _consumers(places, fn, project)
        for call, limited in _network(consumer, project)
    )
    return min(found, key=lambda slow: slow.limited, default=None)


def _consumers(places: tuple[Place, ...], fn: Fn, project: Project) -> Iterator[tuple[Fn, Step]]:
    for name in dict.fromkeys(place.name for place in places):
        for other in project.calls.mentioning(name):
            if other is fn or "task_done" not in other.mentions or not project.roles.only(other, "thread"):
                continue
            for site in (*other.attributes(name), *other.names(name)):
                if _takes(site) and _meet(places, project.protocol.places_read(site.expr, other), project):
                    span = getattr(site.at.stmt, "span", other.facts.span)
                    yield other, other.step(span, f"`{other.qualname}` takes the items")


def _takes(site: Site) -> bool:
    """``queue.get()``, ``iter(queue.get, END)``."""
    return bool(site.parents) and isinstance(site.parents[0], Attr) and site.parents[0].name in _GETS


def _meet(left: tuple[Place, ...], right: Iterable[Place], project: Project) -> bool:
    """Whether two expressions name one place; of an attribute, the same in the family of its class."""
    for place in right:
        for other in left:
            if place == other:
                return True
            if isinstance(place, Attribute) and isinstance(other, Attribute) and place.name == other.name:
                if place.cls in project.classes.family(other.cls):
                    return True
    return False


def _network(consumer: Fn, project: Project) -> Iterator[tuple[Step, bool]]:
    """The calls that wait for a peer, and whether each gives up on it after a while."""
    for fn, site in _for_each_item(consumer, project):
        names = project.calls.external(site.call, fn)
        if last_name(site.call.func) in _SETS_UP:
            continue
        on_socket = bool(set(names) & set(_SOCKETS))
        reason = why(site.call, fn, project) if names and not on_socket else None
        if on_socket or (reason is not None and reason.kind == "network"):
            step = fn.step(site.call.span, f"`{text(site.call)}` waits for the network, for each of them")
            yield step, _gives_up(site.call, fn, project)


def _for_each_item(consumer: Fn, project: Project) -> Iterator[tuple[Fn, Site]]:
    """The calls that the consumer makes in its loop, and those further in; what it sets up before is done once."""
    looped = [site for site in consumer.sites if any(True for _ in enclosing_loops(site.at))]
    if not looped:
        yield from ((fn, site) for fn in project.protocol.reach(consumer) for site in fn.sites)
        return
    yield from ((consumer, site) for site in looped)
    called = dict.fromkeys(target.fn for site in looped for target in project.calls.targets(site.call, consumer))
    inner = dict.fromkeys(fn for target in called for fn in project.protocol.reach(target) if fn is not consumer)
    yield from ((fn, site) for fn in inner for site in fn.sites)


def _gives_up(call: Call, fn: Fn, project: Project) -> bool:
    """Whether the call has a limit, or its socket: given where it was connected, or set where it is held."""
    if gives_limit(call) or _connects_with_limit(call):
        return True
    for made in acquisitions_of(call.func.value if isinstance(call.func, Attr) else None, fn, project):
        if _connects_with_limit(made.call) or project.resources.track(made).has("settimeout"):
            return True
    return False


def _connects_with_limit(call: Call) -> bool:
    """``socket.create_connection(address, 10)``, ``timeout=10``."""
    given = argument(call, 1, "timeout") if last_name(call.func) == "create_connection" else None
    return given is not None and not (isinstance(given, Const) and given.value is None)
