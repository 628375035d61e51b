"""Wrappers that leave Ctrl-C to the child which they wait for, and die alone on SIGTERM.

The terminal sends SIGINT to the whole group: the wrapper ignores its own, and waits until the child has ended. SIGTERM
is sent to the wrapper only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Const, ModuleFacts
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.platforms import is_for_windows
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.signals import Handling, handlings, ignores, is_restored
from shutdown_lint.walk import Site, argument

_ENDS_WITH_PARENT = frozenset({"PR_SET_PDEATHSIG", "prctl", "set_pdeathsig", "AssignProcessToJobObject"})


class Wrapper(NamedTuple):
    """Where SIGINT is ignored, the child, and the wait for it."""

    ignored: Handling
    child: Acquisition
    wait: Site


def wrappers(module: ModuleFacts, project: Project) -> Iterator[Wrapper]:
    """The functions of the module that ignore SIGINT, do nothing about SIGTERM, and then wait without limit for a child of theirs."""
    for handling in handlings(project):
        fn = handling.fn
        if fn.module is not module or "SIGINT" not in handling.signals or is_test(fn) or not ignores(handling, project):
            continue
        if is_for_windows(handling.site.at):
            continue  # where nobody sends SIGTERM
        if is_restored(handling, project) or _terminates(fn, project) or _ENDS_WITH_PARENT & fn.mentions:
            continue
        for child in project.resources.of_function(fn):
            if child.model.kind == "child" and not _is_detached(child):
                yield from (Wrapper(handling, child, wait) for wait in _waits(child, handling, project))


def _terminates(fn: Fn, project: Project) -> bool:
    """Whether SIGTERM is taken care of: by the function, what it calls, or those that call it."""
    near = {*project.protocol.reach(fn), *(caller.fn for caller in project.calls.callers(fn))}
    if any("SIGTERM" in other.mentions for other in near):
        return True
    return any(h.fn in near and (not h.signals or "SIGTERM" in h.signals) for h in handlings(project))


def _is_detached(child: Acquisition) -> bool:
    """``start_new_session=True``: the child is meant to live on."""
    given = argument(child.call, 99, "start_new_session")
    return isinstance(given, Const) and given.value is True


def _waits(child: Acquisition, handling: Handling, project: Project) -> Iterator[Site]:
    track = project.resources.track(child)
    if track.escaped or track.has(*child.model.stop):  # somebody ends it in another way
        return
    for use in track.methods("wait", "communicate"):
        wait = project.protocol.wait(use.site, use.fn)
        if use.fn is handling.fn and wait is not None and not wait.bounded:
            if use.site.call.span.line > handling.site.call.span.line:
                yield use.site
                return
