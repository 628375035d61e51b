"""Stop events that a worker is handed: the parameter, or the attribute that keeps it, is one object with the giver's own.

A flag that is made where it is tested goes by its name (``_told.py``). A handed event may have any name with those who
set it, and is followed from where it is made.
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, Call, Const, Expr, Name, Param
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.handing import handed
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.scopes import Value
from shutdown_lint.project.tracks import Attribute, Local, Place, Track
from shutdown_lint.walk import Site

EVENTS = ("threading.Event", "multiprocessing.Event", "asyncio.Event")
_MAX_HOPS = 4


def setters_of(project: Project, place: Place) -> list[tuple[Fn, Site]]:
    """Where the events that are handed to the place are set; empty where something else than an event may be handed over."""
    made = _known(project, place, EVENTS)
    tracks = [project.resources.track_site(site, fn) for site, fn in made]
    found = [(use.fn, use.site) for track in tracks for use in track.methods("set")]
    return found + [setter for setter in _handed_setters(project, made) if setter[0] is not getattr(place, "fn", None)]


def _handed_setters(project: Project, made: list[tuple[Site, Fn]]) -> Iterator[tuple[Fn, Site]]:
    """Where another worker that is handed one of the events sets it: ``stop.set()`` for a parameter ``stop``."""
    makers = {id(site.call) for site, _ in made}
    for fn, site in project.calls.calls_named("set") if makers else ():
        what = site.call.func.value if isinstance(site.call.func, Attr) and not site.call.args else None
        if isinstance(what, Name) and any(param.name == what.id for param in fn.facts.params) and not is_test(fn):
            if any(id(other.call) in makers for other, _ in _known(project, Local(fn, what.id, False), EVENTS)):
                yield fn, site


def tracks_of(project: Project, place: Place, kinds: tuple[str, ...]) -> list[Track]:
    """What becomes of the objects that are handed to the place; empty where one of another kind, or an unseen one, may be."""
    return [project.resources.track_site(site, fn) for site, fn in _known(project, place, kinds)]


def _known(project: Project, place: Place, kinds: tuple[str, ...]) -> list[tuple[Site, Fn]]:
    """Where the objects that are handed to the place are made; empty where one of another kind, or an unseen one, may be."""
    made = list(_made(project, place, kinds, _MAX_HOPS)) if _is_handed(project, place) else []
    known = [found for found in made if found is not None]
    return list(dict.fromkeys(known)) if known and len(known) == len(made) else []


def _is_handed(project: Project, place: Place) -> bool:
    """Whether a caller gives what the place holds: asked first, as most flags are made where they are tested."""
    if isinstance(place, Local):
        return _param(place) is not None
    writes = project.classes.writes(place.cls, place.name)
    return any(isinstance(w.value, Name) and _param(Local(w.fn, w.value.id, False)) is not None for w in writes)


def _param(place: Local) -> Param | None:
    """The parameter that the place is, if nothing else is ever put into it."""
    bindings = place.fn.bindings.get(place.name, ())
    only = bindings[0] if len(bindings) == 1 else None
    return only if isinstance(only, Param) and only.kind not in ("*", "**") else None


def _made(project: Project, place: Place, kinds: tuple[str, ...], hops: int) -> Iterator[tuple[Site, Fn] | None]:
    """The calls that make what the place holds; None for what is of no such kind, or cannot be seen."""
    for value, fn in _given(project, place) if hops else ():
        yield from _makers(project, value, fn, kinds, hops)


def _given(project: Project, place: Place) -> Iterator[tuple[Expr | None, Fn]]:
    if isinstance(place, Attribute):
        yield from (
            (w.value if w.item < 0 else None, w.fn)
            for w in project.classes.writes(place.cls, place.name)
            if w.value is not None
        )
        return
    param = _param(place)
    if param is None:
        for binding in place.fn.bindings.get(place.name, ()):
            yield (binding.expr if isinstance(binding, Value) and binding.item < 0 else None), place.fn
        return
    for caller in project.calls.callers(place.fn):
        if not is_test(caller.fn):
            yield project.calls.passed(caller.site.call, place.fn, param) or param.default, caller.fn
    yield from handed(place.fn, param, project)


def _makers(
    project: Project, value: Expr | None, fn: Fn, kinds: tuple[str, ...], hops: int
) -> Iterator[tuple[Site, Fn] | None]:
    if isinstance(value, Const) and value.value is None:
        return
    if isinstance(value, Call):
        site = next((site for site in fn.sites if site.call is value), None)
        made = site is not None and project.calls.is_call_to(value, fn, *kinds)
        yield (site, fn) if made and site is not None else None
        return
    place = _place(project, value, fn)
    found = list(_made(project, place, kinds, hops - 1)) if place is not None else []
    yield from found or (None,)


def _place(project: Project, value: Expr | None, fn: Fn) -> Place | None:
    """``stop``, ``self._stop``."""
    if isinstance(value, Name):
        scope = project.evaluate.binding_scope(value.id, fn)
        return Local(scope, value.id, False) if scope is not None else None
    cls = project.classes.enclosing(fn)
    if isinstance(value, Attr) and cls is not None and fn.own_attribute(value) is not None:
        return Attribute(cls, value.name, False)
    return None
