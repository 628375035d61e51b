"""Threads that run callbacks of whoever uses the object: one that asks the object to stop waits for its own thread."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from shutdown_lint.facts import Attr, Call, Name
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.walk import Site

_CALLBACK = re.compile(r"^_*on_[a-z]|callback|_cb$|(^|_)(handler|hook|listener|observer)$")
_ASKS = frozenset({"current_thread", "currentThread", "get_ident", "ident", "main_thread", "_get_ident"})


def callback_of(bodies: Iterable[Fn], join: Site, fn: Fn, project: Project) -> tuple[Fn, Call] | None:
    """The call of a callback in the thread, for a join in a method that a callback may call."""
    cls = project.classes.enclosing(fn)
    if cls is None or cls.name.startswith("_") or fn.name.startswith("_") or not fn.is_method or _ASKS & fn.mentions:
        return None
    if any(caller.fn.mentions & _ASKS for caller in project.calls.callers(fn)):
        return None
    family = project.classes.family(cls)
    return next((found for body in bodies for found in _callbacks(body, family, project)), None)


def _callbacks(body: Fn, family: Iterable[Cls], project: Project) -> Iterator[tuple[Fn, Call]]:
    """``self.on_message(…)``, where the attribute holds what a user has given."""
    members = set(family)
    for fn in project.protocol.reach(body):
        cls = project.classes.enclosing(fn)
        if cls not in members or cls is None or not any(map(_CALLBACK.search, fn.mentions)):
            continue
        for site in fn.sites:
            func = site.call.func
            if isinstance(func, Attr) and _CALLBACK.search(func.name) and fn.own_attribute(func) is not None:
                if _is_given(cls, func.name, project):
                    yield fn, site.call


def _is_given(cls: Cls, name: str, project: Project) -> bool:
    """Whether a user puts a parameter into the attribute, perhaps behind a property of that name: nobody of the project does."""
    method = project.classes.method(cls, name)
    if method is not None and "property" not in method.decorator_names and "setter" not in method.decorator_names:
        return False
    return any(
        isinstance(write.value, Name)
        and any(param.name == write.value.id for param in write.fn.facts.params)
        and not any(not is_test(caller.fn) for caller in project.calls.callers(write.fn))
        for attribute in {name, f"_{name.lstrip('_')}"}
        for write in project.classes.writes(cls, attribute)
    )
