"""A member that a method makes, works with and ends itself: an exception in the work leaves it, and nobody else ends it.

``self._pool = Pool(4)`` … ``self._pool.map(…)`` … ``self._pool.terminate()`` in one block, without a ``finally``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Assign, Attr, Await, Call, Stmt
from shutdown_lint.findings import Confidence
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.rules.swallowed._between import NAMES, can_raise
from shutdown_lint.rules.swallowed._catching import statement_call
from shutdown_lint.rules.swallowed._local_release import ends_process, is_guarded, worth
from shutdown_lint.rules.work._ended_otherwise import ENDS
from shutdown_lint.walk import Site, unawaited


class Worked(NamedTuple):
    """The release that is skipped, the statement that makes what it releases, and how sure it is."""

    end: Call
    member: str
    made: Stmt
    confidence: Confidence


def worked_with(fn: Fn, project: Project) -> Iterator[Worked]:
    """The members that the method releases behind the work for which it has made them."""
    if fn.cls is None or fn.self_name is None or not NAMES & fn.mentions:
        return
    said: set[str] = set()
    for at in fn.statements:
        call = statement_call(at.stmt)
        func = call.func if call is not None else None
        name = fn.own_attribute(func.value) if isinstance(func, Attr) and func.name in NAMES else None
        if call is None or name is None or name in said or not isinstance(func, Attr):
            continue
        start = next((place for place in reversed(at.before()) if _makes(place, name, fn)), None)
        if start is None or is_guarded(at) or ends_process(at):
            continue
        between = at.block[at.block.index(start) + 1 : at.position]
        if not can_raise(between) or _is_known_to_others(name, fn, fn.cls, project):
            continue
        confidence = worth(func, name, between, fn, project)
        if confidence is not None:
            said.add(name)
            yield Worked(call, name, start, confidence)


def _makes(stmt: Stmt, name: str, fn: Fn) -> bool:
    """``self._pool = Pool(4)``."""
    if not isinstance(stmt, Assign) or len(stmt.targets) != 1 or fn.own_attribute(stmt.targets[0]) != name:
        return False
    return isinstance(unawaited(stmt.value), Call)


def _is_known_to_others(name: str, fn: Fn, cls: Cls, project: Project) -> bool:
    """Whether it is ended elsewhere too, or given to somebody who may."""
    family = set(project.classes.family(cls))
    for other in project.calls.mentioning(name):
        for site in other.attributes(name):
            of_another = other.own_attribute(site.expr) is not None and other.cls not in family
            if of_another or (other is fn and not _is_handed(site)):
                continue
            if _is_handed(site) or _ends(site):
                return True
    return False


def _ends(site: Site) -> bool:
    parent = site.parents[0] if site.parents else None
    return isinstance(parent, Attr) and bool(ENDS.match(parent.name))


def _is_handed(site: Site) -> bool:
    """Whether the object itself is given away: returned, stored, an argument."""
    parent = site.parents[0] if site.parents else None
    if parent is None:
        return not any(site.expr is target for target in getattr(site.at.stmt, "targets", ()))
    return not isinstance(parent, (Attr, Await)) and type(parent).__name__ not in ("Op", "Subscript")
