"""Wake-ups that a worker throws away: the event is cleared between the test of the stop flag and the wait."""

from __future__ import annotations

from typing import NamedTuple

from shutdown_lint.facts import If
from shutdown_lint.project import Project
from shutdown_lint.project.protocol import Loop, Wait
from shutdown_lint.project.tracks import Place
from shutdown_lint.rules.waits._stops import receiver
from shutdown_lint.walk import Site, enclosing_loops, last_name, line_of, same

_QUICK = frozenset({"debug", "info", "warning", "is_set", "acquire", "release"})


class Lost(NamedTuple):
    """The ``clear()``, and whether work stands between the test of the flag and it, so that the moment is a long one."""

    clear: Site
    wide: bool


def lost_wake(wait: Wait, loop: Loop, flag: Place, project: Project) -> Lost | None:
    """``while not self._stop: self._wake.clear(); …; self._wake.wait()``: a stop that sets both just before is slept over."""
    if wait.model.wakes != "set" or wait.fn is not loop.fn or next(enclosing_loops(wait.site.at), None) is not None:
        return None  # elsewhere, or in an inner loop: the place of a wait is known up to the loop's own block
    start, end = line_of(loop.at.stmt), wait.site.call.span.line
    for site in loop.fn.sites:
        line = site.call.span.line
        if last_name(site.call.func) != "clear" or not start < line < end or not _is_inside(site, loop):
            continue
        if same(receiver(site.call), receiver(wait.site.call)) and not _is_tested(line, end, flag, loop, project):
            return Lost(site, _works(start, line, loop))
    return None


def _is_inside(site: Site, loop: Loop) -> bool:
    around = next(enclosing_loops(site.at), None)
    return around is not None and around.stmt is loop.at.stmt


def _is_tested(start: int, end: int, flag: Place, loop: Loop, project: Project) -> bool:
    """Whether the flag is looked at again behind the clear."""
    return any(
        isinstance(at.stmt, If)
        and start < at.stmt.span.line <= end
        and flag in project.protocol.places_read(at.stmt.test, loop.fn)
        for at in loop.fn.statements
    )


def _works(start: int, end: int, loop: Loop) -> bool:
    return any(start < site.call.span.line < end and last_name(site.call.func) not in _QUICK for site in loop.fn.sites)
