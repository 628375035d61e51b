"""Containers of resources that a stop method empties without releasing what they hold.

That the elements are resources is seen from the class itself: another of its methods releases them one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Assign, Attr, Call, Expr, Name, Seq, Subscript
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.places import ADDERS
from shutdown_lint.project.resources import STOP_METHODS
from shutdown_lint.project.tracks import Attribute
from shutdown_lint.walk import At, Site, last_name, own_exprs, root_name, same, subexprs, walk

RELEASES = frozenset({"close", "aclose", "stop", "shutdown", "join", "terminate", "disconnect", "cancel", "unlink"})
_EMPTY_CALLS = frozenset({"list", "dict", "set", "deque", "tuple", "OrderedDict", "WeakSet"})


class Dropped(NamedTuple):
    """``method`` empties ``self.name`` at ``at``; ``releasing`` is the call elsewhere that releases an element."""

    method: Fn
    at: At
    name: str
    releasing: Site
    releaser: Fn


def dropped(cls: Cls, project: Project) -> Iterator[Dropped]:
    """The containers that a stop method of the class forgets."""
    for name in STOP_METHODS:
        method = cls.methods.get(name)
        for at, attribute in _emptied(method) if method is not None else ():
            found = _release_elsewhere(cls, attribute, method, project) if method is not None else None
            if method is None or found is None or _is_read(method, attribute, cls, project):
                continue
            if not _ends_their_maker(method, attribute, cls) and not _is_held_twice(method, attribute, cls):
                yield Dropped(method, at, attribute, *found)


def _emptied(method: Fn) -> Iterator[tuple[At, str]]:
    """``self.x = []`` and ``self.x.clear()``."""
    for at in method.statements:
        if isinstance(at.stmt, Assign) and len(at.stmt.targets) == 1 and _is_empty(at.stmt.value):
            target = at.stmt.targets[0]
            if isinstance(target, Attr) and method.is_self(target.value):
                yield at, target.name
    for site in method.sites:
        func = site.call.func
        if isinstance(func, Attr) and func.name == "clear" and site.dropped:
            if isinstance(func.value, Attr) and method.is_self(func.value.value):
                yield site.at, func.value.name


def _is_empty(value: Expr | None) -> bool:
    if isinstance(value, Call):
        return isinstance(value.func, Name) and value.func.id in _EMPTY_CALLS and not value.args
    return isinstance(value, Seq) and value.kind != "fstring" and not value.items


def _release_elsewhere(cls: Cls, name: str, method: Fn, project: Project) -> tuple[Site, Fn] | None:
    """Where another method of the class releases the elements of ``self.name``."""
    track = project.resources.place_track(Attribute(cls, name, True))
    for use in track.uses:
        if use.kind == "method" and use.name in RELEASES and use.fn is not method and use.fn.module is cls.module:
            if "join" in method.mentions and project.roles.role(use.fn, "thread") is not None:
                continue  # the method waits for the thread that releases them
            if not _goes_on(use.site) and _is_near(use.fn, name, project):
                return use.site, use.fn
    return None


def _is_near(fn: Fn, name: str, project: Project) -> bool:
    """Whether the function that releases, or one that hands it an element, names the container: further off it may be of another."""
    givers = (caller.fn for caller in project.calls.callers(fn) if caller.site.call.args)
    return name in fn.mentions or any(name in giver.mentions for giver in givers)


def _goes_on(release: Site) -> bool:
    """Whether the element is used again behind the call (``job.cancel(); job.start()``): that has not ended it."""
    name = root_name(release.call.func)
    return any(
        isinstance(part, Name) and part.id == name
        for at in walk(release.at.after())
        for expr in own_exprs(at.stmt)
        for part in subexprs(expr)
    )


def _ends_their_maker(method: Fn, name: str, cls: Cls) -> bool:
    """Whether the method ends the member that makes the elements (``self.jobs[k] = self.scheduler.schedule(…)``)."""
    made_by = [
        site.call.func.value
        for fn in cls.methods.values()
        if fn is not method and name in fn.mentions
        for site in fn.sites
        if isinstance(site.call.func, Attr) and not site.dropped
    ]
    ended = (s.call.func for s in method.sites if isinstance(s.call.func, Attr) and s.call.func.name in RELEASES)
    return any(isinstance(func.value, Attr) and same(func.value, maker) for func in ended for maker in made_by)


def _is_held_twice(method: Fn, name: str, cls: Cls) -> bool:
    """Whether elements go into another container too (``self.all.append(x); self.free.put(x)``), which the method sees to."""
    for fn in cls.methods.values():
        added = list(_additions(fn)) if name in fn.mentions else []
        here = [element for container, element in added if container == name]
        others = [element for container, element in added if container != name and container in method.mentions]
        if any(same(element, other) for element in here for other in others):
            return True
    return False


def _additions(fn: Fn) -> Iterator[tuple[str, Expr]]:
    """The containers of the object, each with what is put into it: ``self.name.append(x)``, ``self.name[x] = y`` (both)."""
    for site in fn.sites:
        func = site.call.func
        is_member = isinstance(func, Attr) and isinstance(func.value, Attr) and fn.is_self(func.value.value)
        if is_member and last_name(func) in ADDERS and site.call.args:
            yield last_name(getattr(func, "value", None)), site.call.args[0].value
    for at in fn.statements:
        for target in at.stmt.targets if isinstance(at.stmt, Assign) else ():
            held = target.value if isinstance(target, Subscript) else None
            if isinstance(target, Subscript) and isinstance(held, Attr) and fn.is_self(held.value):
                yield held.name, target.key
                if isinstance(at.stmt, Assign) and at.stmt.value is not None:
                    yield held.name, at.stmt.value


def _is_read(method: Fn, name: str, cls: Cls, project: Project) -> bool:
    """Whether the method, what it calls, or who calls it looks at the container: it may release the elements by then."""
    near = (*project.protocol.reach(method), *(caller.fn for caller in project.calls.callers(method)))
    return any(
        not _only_emptied(site)
        for fn in near
        if project.classes.enclosing(fn) in project.classes.family(cls)
        for site in fn.attributes(name)
    )


def _only_emptied(site: Site) -> bool:
    """Whether the mention is the emptying itself."""
    if not site.parents:
        return isinstance(site.at.stmt, Assign) and any(target is site.expr for target in site.at.stmt.targets)
    parent = site.parents[0]
    return isinstance(parent, Attr) and parent.name == "clear"
