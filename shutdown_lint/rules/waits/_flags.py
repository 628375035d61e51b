"""Stop flags: who writes one, who reads it, and whether code outside of the project may do so."""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Call, Const, Name
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.tracks import Attribute, Place
from shutdown_lint.rules._told import is_event, is_flag, tells
from shutdown_lint.walk import Site, argument, subexprs

_BY_NAME = ("getattr", "setattr", "hasattr", "vars", "attrgetter", "__setattr__", "__getattribute__")


def mentions(place: Place, project: Project) -> Iterator[tuple[Fn, Site]]:
    """Every place in the project where the flag may be meant; files that were skipped are read for it.

    An attribute counts wherever one of its name stands; a bare name only where it is the same variable, or comes from an
    import.
    """
    for fn in project.calls.mentioning(place.name):
        yield from ((fn, site) for site in fn.attributes(place.name))
        if isinstance(place, Attribute):
            continue
        scope = project.evaluate.binding_scope(place.name, fn)
        if scope is place.fn or (scope is not None and scope.module is not place.fn.module):
            yield from ((fn, site) for site in fn.names(place.name))


def is_set(place: Place, stop: bool | None, project: Project) -> bool:
    """Whether any code of the project may give the flag the value ``stop``."""
    event = is_event(project, place)
    return any(tells(site, fn, stop, event) for fn, site in mentions(place, project))


def readers(place: Place, project: Project) -> Iterator[tuple[Fn, Site]]:
    """Where the flag's value is read, an event asked or waited for, or either handed on."""
    for fn, site in mentions(place, project):
        if not _is_written(site) and not _is_set_call(site):
            yield fn, site


def _is_written(site: Site) -> bool:
    stmt = site.at.stmt
    return (
        isinstance(stmt, Assign)
        and stmt.op == "="
        and any(site.expr is part for target in stmt.targets for part in subexprs(target))
    )


def _is_set_call(site: Site) -> bool:
    """``event.set()``, ``event.clear()``."""
    attr = site.parents[0] if site.parents else None
    call = site.parents[1] if len(site.parents) > 1 else None
    return isinstance(attr, Attr) and attr.name in ("set", "clear") and isinstance(call, Call) and call.func is attr


def set_by(fn: Fn, project: Project) -> Iterator[tuple[Place, Site]]:
    """The flags that the function gives a value: ``self._stop = True``, ``self._stop.set()``; with the place where the flag stands."""
    for name in fn.mentions:
        for site in (*fn.attributes(name), *fn.names(name)):
            written = _is_written(site) and isinstance(getattr(site.at.stmt, "value", None), Const)
            if (not written and not _is_set_call(site)) or not isinstance(site.expr, (Attr, Name)):
                continue
            place = next(iter(project.protocol.places_read(site.expr, fn)), None)
            if place is not None and place.name == name and is_flag(project, place) and not _is_local(place, fn):
                yield place, site


def _is_local(place: Place, fn: Fn) -> bool:
    return not isinstance(place, Attribute) and place.fn is fn


def by_name(place: Place, project: Project) -> bool:
    """Whether ``getattr``, ``setattr`` and the like may reach the flag by its name."""
    if not isinstance(place, Attribute):
        return any(site.call.args == () for _, site in project.calls.calls_named("globals"))
    family = project.classes.family(place.cls)
    for word in _BY_NAME:
        for fn, site in project.calls.calls_named(word):
            named = argument(site.call, 1 if word != "__setattr__" else 0, "name")
            if isinstance(named, Const):
                if named.value == place.name:
                    return True
            elif project.classes.enclosing(fn) in family:
                return True
    return False


def is_public(place: Place, project: Project) -> bool:
    """Whether code outside of the project may be meant to set or read the flag; a program's own module has no outside."""
    if place.name.startswith("_"):
        return False
    module = place.cls.module if isinstance(place, Attribute) else place.fn.module
    return project.roles.main_guard(project.body(module)) is None and not module.name.endswith("__main__")


def written(place: Place, project: Project) -> str:
    """The flag as the code writes it."""
    return f"self.{place.name}" if isinstance(place, Attribute) else place.name
