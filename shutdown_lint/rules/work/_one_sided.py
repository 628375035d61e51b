"""Members that ``start()`` starts and ``stop()`` forgets: ``await self.db.open()`` here, and no ``self.db.close()`` there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.supplied import is_supplied
from shutdown_lint.project.tracks import Attribute
from shutdown_lint.project.values import Instance
from shutdown_lint.rules.work._ended_otherwise import ENDS
from shutdown_lint.rules.work._siblings import does_something
from shutdown_lint.walk import Site, last_name

_UNDONE_BY = {
    "start": ("stop", "shutdown", "close", "aclose", "terminate"),
    "async_start": ("async_stop", "async_close"),
    "startup": ("shutdown", "stop", "close"),
    "open": ("close", "aclose"),
    "connect": ("disconnect", "close", "aclose"),
    "listen": ("close", "stop", "unlisten"),
    "launch": ("stop", "close", "shutdown"),
    "setup": ("teardown", "close", "shutdown"),
    "initialize": ("shutdown", "close", "finalize"),
}
_MAKERS = frozenset({"__init__", "__enter__", "__aenter__", "run", "begin", "init", "on_start", *_UNDONE_BY})
_STOPS = (
    "stop",
    "close",
    "shutdown",
    "aclose",
    "async_stop",
    "disconnect",
    "terminate",
    "cleanup",
    "teardown",
    "__exit__",
    "__aexit__",
)
# Workers of the libraries have rules of their own, which know whether they end by themselves.
_WORKERS = ("Thread", "Timer", "Process", "QThread", "Greenlet")


class OneSided(NamedTuple):
    """The member, the call that starts it, its method that would end it, and the stop method that does not call that."""

    member: str
    start: Site
    starter: Fn
    ends: Fn
    stop: Fn


def one_sided(cls: Cls, project: Project) -> Iterator[OneSided]:
    """What the class starts in its attributes and nobody ends, although it has a way to stop, and they have too."""
    methods = project.classes.methods(cls)
    stops = [methods[name] for name in _STOPS if name in methods and _is_real(methods[name])]
    starters = [method for name, method in cls.methods.items() if name in _MAKERS and not is_test(method)]
    if not starters or not any(stop.cls is cls for stop in stops):
        return
    mentioned = frozenset().union(*(fn.mentions for stop in stops for fn in project.protocol.reach(stop)))
    said: set[str] = set()
    for starter, site, member in _starts(cls, starters, project):
        if member in mentioned | said:
            continue
        ends = _ending(site, starter, project)
        if (
            ends is None
            or _is_ended(Attribute(cls, member, False), project)
            or _is_others(site, starter, ends, project)
        ):
            continue
        said.add(member)
        yield OneSided(member, site, starter, ends, stops[0])


def _is_real(stop: Fn) -> bool:
    """Whether it ends something: a hook that is empty, or says that it is not there yet, may be filled elsewhere."""
    return does_something(stop) and not stop.decorator_names & {"property", "abstractmethod"}


def _starts(cls: Cls, starters: list[Fn], project: Project) -> Iterator[tuple[Fn, Site, str]]:
    """``self.db.start()`` in a start method, or in a helper of the class that it calls."""
    reached = {fn: None for starter in starters for fn in project.protocol.reach(starter) if fn.cls is cls}
    for fn in reached:
        for site in fn.sites:
            func = site.call.func
            if (
                isinstance(func, Attr)
                and func.name in _UNDONE_BY
                and (name := fn.own_attribute(func.value)) is not None
            ):
                yield fn, site, name


def _ending(site: Site, fn: Fn, project: Project) -> Fn | None:
    """The method of the member's class, known as one of the project, that undoes its start."""
    assert isinstance(site.call.func, Attr)
    found: list[Fn] = []
    for value in project.evaluate.values(site.call.func.value, fn):
        cls = value.cls if isinstance(value, Instance) else None
        if not isinstance(cls, Cls):
            return None
        if any(base.rpartition(".")[2] in _WORKERS for base in project.classes.external_bases(cls)):
            return None
        methods = (project.classes.method(cls, name) for name in _UNDONE_BY[site.call.func.name])
        method = next((m for m in methods if m is not None), None)
        if method is None or method.decorator_names or not does_something(method):
            return None
        found.append(method)
    return found[0] if found else None


def _is_ended(place: Attribute, project: Project) -> bool:
    """Whether anybody ends what is in the attribute, under any name, or it goes where that cannot be seen."""
    track = project.resources.place_track(place)
    ended = any(use.kind in ("method", "read") and ENDS.match(use.name) for use in track.uses)
    return ended or track.entered or track.escaped


def _is_others(site: Site, fn: Fn, ends: Fn, project: Project) -> bool:
    """Whether it may have been handed in by one who ends it, under whatever name."""
    assert isinstance(site.call.func, Attr)
    if not is_supplied(site.call.func.value, fn, project):
        return False
    family = set(project.classes.family(ends.cls)) if ends.cls is not None else set()
    callers = [c for c in project.calls.callers(ends) if not is_test(c.fn)]
    return any(
        project.classes.enclosing(c.fn) not in family or last_name(c.site.call.func) != ends.name for c in callers
    )
