"""Queues that a stop waits to see worked off, by a thread whose work on each item waits for the network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shutdown_lint.facts import Attr, Expr
from shutdown_lint.findings import Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.failing import why
from shutdown_lint.project.places import Attribute, Place
from shutdown_lint.walk import Site, text

_GETS = frozenset({"get", "get_nowait"})
_SOCKETS = (
    "socket.socket.connect",
    "socket.socket.send",
    "socket.socket.sendall",
    "socket.socket.recv",
    "socket.create_connection",
)


def slow_consumer(queue: Expr, fn: Fn, project: Project) -> tuple[Step, Step] | None:
    """Where a thread takes the items of the queue, and the call on the network in its work on them."""
    places = tuple(project.protocol.places_read(queue, fn))
    for consumer, taken in _consumers(places, fn, project):
        call = next(iter(_network(consumer, project)), None)
        if call is not None:
            return taken, call
    return None


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


def _network(consumer: Fn, project: Project) -> Iterator[Step]:
    for fn in project.protocol.reach(consumer):
        for site in fn.sites:
            names = project.calls.external(site.call, fn)
            reason = why(site.call, fn, project) if names and not set(names) & set(_SOCKETS) else None
            if set(names) & set(_SOCKETS) or (reason is not None and reason.kind == "network"):
                yield fn.step(site.call.span, f"`{text(site.call)}` waits for the network, for each of them")
