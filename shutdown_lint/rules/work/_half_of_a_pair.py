"""Half of a pair: a class opens what it inherits, and never closes it, as the other classes with the same base do.

``self.open_storage(…)`` in the constructor, and ``self.close_storage()`` in every other subclass of the base.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.values import Instance
from shutdown_lint.rules.work._counterparts import others
from shutdown_lint.rules.work._siblings import does_something
from shutdown_lint.walk import Site, last_name

MIN_OTHERS = 2  # classes that do both
_OPENS = re.compile(r"_*(?:open|start|connect|attach|install|acquire|setup|launch|activate)_")


class Half(NamedTuple):
    """The call that opens, the method in which it stands, the one that would close, and who calls that for itself.

    It is not sure where somebody calls the one that closes for an object of which nothing is known.
    """

    start: Site
    fn: Fn
    ends: Fn
    like: Fn
    sure: bool


def halves(cls: Cls, project: Project) -> Iterator[Half]:
    """What the class opens by a method of its base that has a counterpart."""
    names = _inherited(cls, project) if cls.facts.bases else frozenset()
    for fn in cls.methods.values() if names else ():
        for site in fn.sites if names & fn.mentions and not is_test(fn) else ():
            name = fn.own_attribute(site.call.func)
            if name is None or name not in names:
                continue
            start = project.classes.method(cls, name)
            for other in others(name) if start is not None and start.cls is not cls else ():
                ends = project.classes.method(cls, other)
                if start is None or ends is None or ends.cls is not start.cls or not does_something(ends):
                    continue
                found = _others_do(ends, cls, project)
                if found is not None:
                    yield Half(site, fn, ends, *found)


def _inherited(cls: Cls, project: Project) -> frozenset[str]:
    """The methods of its bases that open something and have a counterpart there."""
    bases = (base for base in project.classes.mro(cls) if isinstance(base, Cls) and base is not cls)
    return frozenset(
        name
        for base in bases
        for name in base.methods
        if _OPENS.match(name) and any(other in base.methods for other in others(name))
    )


def _others_do(ends: Fn, cls: Cls, project: Project) -> tuple[Fn, bool] | None:
    """A method of one of the other classes that call the end for themselves; nothing where this one may be ended too."""
    family = {member for member in project.classes.family(cls) if member is not ends.cls}
    doing: dict[Cls, Fn] = {}
    sure = True
    for fn, site in project.calls.calls_named(ends.name):
        if fn.cls in family:
            return None
        if fn.own_attribute(site.call.func) is not None:
            if fn.cls is not None and fn.cls is not ends.cls and not is_test(fn):
                doing.setdefault(fn.cls, fn)
        elif isinstance(site.call.func, Attr) and last_name(site.call.func.value) != "super":
            values = project.evaluate.values(site.call.func.value, fn)
            if any(isinstance(v, Instance) and v.cls in family for v in values):
                return None
            sure = sure and bool(values)
    if any(ends.name in fn.mentions for fn in project.calls.mentioning(ends.name) if fn.cls in family):
        return None
    return (next(iter(doing.values())), sure) if len(doing) >= MIN_OTHERS else None
