"""Functions that make a resource for whoever calls them: each call makes another object, with an owner of its own.

Followed from its constructor, what a factory makes is all of its objects at once, and one owner's release is taken for
that of the others. Seen from a call, it is the object of this caller alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.facts import Assign, Attr, Await, Call, Name, Return
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.memo import Memo
from shutdown_lint.project.roles import is_test
from shutdown_lint.walk import Site, unawaited

if TYPE_CHECKING:
    from shutdown_lint.project import Project
    from shutdown_lint.project.resources import Acquisition

MAX_CALLS = 20
MAX_DEPTH = 3
# What these run stands in their constructor call, which the call of a factory does not show.
_NAMED_THERE = frozenset({"thread", "timer", "process", "task", "child"})
# Any other decorator may make it another function: one whose result is kept, given once to all, or entered.
_PLAIN = frozenset({"staticmethod", "classmethod"})


class _Given(NamedTuple):
    """What functions get from factories, and the constructor calls (by identity) whose objects these are."""

    found: dict[Fn, list[Acquisition]]
    taken: set[int]


_GIVEN: Memo[_Given] = Memo()


def of_function(fn: Fn, project: Project) -> Iterator[Acquisition]:
    """The resources that the function makes or gets from a factory; not those that it makes for its callers, one each.

    Where no caller releases its own, what the factory makes is one hazard, and told of there.
    """
    given = _by_caller(project)
    yield from (made for made in project.resources.of_function(fn) if id(made.site.expr) not in given.taken)
    yield from given.found.get(fn, ())


def _by_caller(project: Project) -> _Given:
    known = _GIVEN.get(project)
    if known is None:
        known = _Given({}, set())
        for fn in (fn for entry in project.modules for fn in entry.functions if _may_be_factory(fn)):
            for acquisition in project.resources.of_function(fn):
                for made in _given(acquisition, project, 0) if _is_hidden(acquisition, project) else ():
                    known.found.setdefault(made.fn, []).append(made)
                    known.taken.add(id(acquisition.site.expr))
        _GIVEN[project] = known
    return known


def _is_hidden(acquisition: Acquisition, project: Project) -> bool:
    """Whether it comes from a factory, and somebody releases it there or behind one of the calls."""
    if acquisition.model.kind in _NAMED_THERE or not _is_factory(acquisition) or is_test(acquisition.fn):
        return False
    return project.resources.track(acquisition).escaped or project.resources.released(acquisition)


def _given(acquisition: Acquisition, project: Project, depth: int) -> Iterator[Acquisition]:
    """The same resource, as each caller of the factory gets it; one caller alone is its owner in any case."""
    callers = project.calls.callers(acquisition.fn)
    if not 1 < len(callers) <= MAX_CALLS or any(caller.confidence != "proven" for caller in callers):
        return
    for caller in callers:
        if is_test(caller.fn):
            continue
        made = acquisition._replace(site=caller.site, fn=caller.fn)
        if not _is_factory(made):
            yield made
        elif depth < MAX_DEPTH:
            yield from _given(made, project, depth + 1)


def _may_be_factory(fn: Fn) -> bool:
    """A cheap look before it is asked what the function makes."""
    if fn.is_module or fn.facts.is_generator or fn.facts.is_lambda:
        return False
    return any(isinstance(unawaited(value), (Call, Name)) for value in fn.returns) and not fn.decorator_names - _PLAIN


def _is_factory(acquisition: Acquisition) -> bool:
    """Whether the function does nothing but set the object up and return it."""
    fn, site = acquisition.fn, acquisition.site
    outer = site.parents[1:] if site.awaited else site.parents
    if outer or not _may_be_factory(fn):
        return False
    if isinstance(site.at.stmt, Return):
        return True
    return isinstance(site.at.stmt, Assign) and _is_returned(site.at.stmt, fn)


def _is_returned(stmt: Assign, fn: Fn) -> bool:
    """``session = Session()`` … ``return session``, with nothing between but what is done with it."""
    target = stmt.targets[0]
    if len(stmt.targets) != 1 or not isinstance(target, Name) or len(fn.bindings.get(target.id, ())) != 1:
        return False
    reads = [site for site in fn.names(target.id) if site.at.stmt is not stmt]
    returned = [site for site in reads if not site.parents and isinstance(site.at.stmt, Return)]
    return bool(returned) and all(site in returned or _is_set_up(site) for site in reads)


def _is_set_up(site: Site) -> bool:
    """``session.headers["a"] = "b"``, ``await session.connect()``."""
    return bool(site.parents) and isinstance(site.parents[0], (Attr, Await))
