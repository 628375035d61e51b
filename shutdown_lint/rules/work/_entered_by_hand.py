"""Contexts that a class enters by hand and never leaves: ``await self._client.__aenter__()``, and no ``__aexit__`` anywhere.

Nobody needs to know what it is: who enters a context by hand takes it on to leave it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Assign, Attr, Call, Expr, Name
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.resources import STOP_METHODS
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.values import Instance
from shutdown_lint.rules.work._ended_otherwise import ENDS
from shutdown_lint.rules.work._made_with import kept_in
from shutdown_lint.rules.work._siblings import does_something
from shutdown_lint.walk import Site, last_name, subexprs, unawaited

_ENTERS = {"__aenter__": "__aexit__", "__enter__": "__exit__"}
_EXITS = frozenset(_ENTERS.values())


class Entered(NamedTuple):
    """The call that enters ``self.member``, where it stands, the method that leaves it, and a stop method that forgets it.

    It is sure of a coroutine's context (a connection, a child process) in a class that somebody is meant to end.
    """

    site: Site
    fn: Fn
    member: str
    leaves: str
    stop: Fn | None

    @property
    def sure(self) -> bool:
        """Whether it surely matters."""
        return self.stop is not None and self.leaves == "__aexit__"


def entered_by_hand(cls: Cls, project: Project) -> Iterator[Entered]:
    """The members of the class that are entered and never left."""
    said: set[str] = set()
    for fn in cls.methods.values():
        if fn.mentions.isdisjoint(_ENTERS) or is_test(fn):
            continue
        for site in fn.sites:
            func = site.call.func
            if not isinstance(func, Attr) or func.name not in _ENTERS or site.call.args:
                continue
            member = _held_in(func.value, fn)
            if member is None or member in said or _is_idle(func, fn, project):
                continue
            said.add(member)
            names = {member, *_results(site, fn)}
            if not _is_left(names, cls, project):
                yield Entered(site, fn, member, _ENTERS[func.name], _forgetful(cls))


def _held_in(context: Expr, fn: Fn) -> str | None:
    """The attribute in which the context rests: ``self._context``, or a local that is kept there."""
    if isinstance(context, Name):
        return next(filter(None, map(fn.own_attribute, kept_in(context.id, fn))), None)
    return fn.own_attribute(context)


def _results(site: Site, fn: Fn) -> Iterator[str]:
    """The attributes that get what entering gives: ``self._session = await self._context.__aenter__()``."""
    stmt = site.at.stmt
    if isinstance(stmt, Assign) and unawaited(stmt.value) is site.call:
        for target in stmt.targets:
            for part in getattr(target, "items", (target,)):
                name = fn.own_attribute(part)
                if name is not None:
                    yield name


def _is_idle(func: Attr, fn: Fn, project: Project) -> bool:
    """Whether it is of a class of the project whose way out ends nothing."""
    values = project.evaluate.values(func.value, fn)
    classes = [v.cls for v in values if isinstance(v, Instance) and isinstance(v.cls, Cls)]
    leaving = [project.classes.method(cls, _ENTERS[func.name]) for cls in classes]
    return bool(leaving) and not any(
        method is not None and (does_something(method) or "super" in method.mentions) for method in leaving
    )


def _is_left(names: set[str], cls: Cls, project: Project) -> bool:
    """Whether anybody leaves or ends one of the members, hands it on, or reads it for a reason that is not seen."""
    family = set(project.classes.family(cls))
    for name in sorted(names):
        for fn in project.calls.mentioning(name):
            own = project.classes.enclosing(fn) in family
            if any(_ends(site, own) for site in fn.attributes(name)):
                return True
    methods = (fn for member in family for fn in member.methods.values())
    return any(not fn.strings.isdisjoint(names) for fn in methods)  # `getattr(self, "_client", None)`


def _ends(site: Site, own: bool) -> bool:
    parent = site.parents[0] if site.parents else None
    if isinstance(parent, Attr):
        return parent.name in _EXITS or bool(ENDS.match(parent.name))
    if isinstance(parent, Call):
        return own and site.expr is not parent.func and last_name(parent.func) not in ("bool", "isinstance", "hasattr")
    # an alias of it may be ended under its other name: `running, self._running = self._running, None`
    value = site.at.stmt.value if isinstance(site.at.stmt, Assign) else None
    return own and value is not None and any(part is site.expr for part in subexprs(value))


def _forgetful(cls: Cls) -> Fn | None:
    """A method that ends objects of the class."""
    stops = (cls.methods[name] for name in STOP_METHODS if name in cls.methods)
    return next((stop for stop in stops if stop.self_name is not None and not is_test(stop)), None)
