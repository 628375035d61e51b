"""Flags in memory that a child process does not share: who sets one in the parent tells the child nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Loop
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.tracks import Attribute, Place
from shutdown_lint.rules._told import is_unshared, tellers_of
from shutdown_lint.rules.waits._flags import by_name, set_by
from shutdown_lint.walk import Site, walk

_STOPPING = re.compile(
    r"stop|running|^_*run$|keep|alive|shut|exit|quit|terminat|kill|halt|abort|clos(e|ing)|active|finish|done|end$",
    re.IGNORECASE,
)
# Roles in which the setter may run in the child as well: handlers of signals are inherited, and go to the whole group.
_IN_CHILD = ("signal-handler", "loop-signal-callback", "process", "pool-process", "thread", "timer")
_ENDS = ("terminate", "kill", "send_signal", "pid", "ident")


class Unseen(NamedTuple):
    """The place where the flag is set, the child's loop that tests its own copy, and whether something else ends the child."""

    place: Place
    site: Site
    loop: Loop
    sure: bool


def unseen(fn: Fn, project: Project) -> Iterator[Unseen]:
    """The flags that the stop function sets for a loop in another process."""
    bodies = tuple(_children(fn, project))
    if not bodies or project.roles.role(fn, *_IN_CHILD) is not None:
        return
    for place, site in set_by(fn, project):
        if not _STOPPING.search(place.name) or not is_unshared(project, place) or by_name(place, project):
            continue
        for body, child in bodies:
            loop = next((loop for loop in project.protocol.worker_loops(body) if _hangs_on(loop, place, project)), None)
            if loop is not None and _is_apart(loop, body, place, fn, project):
                track = project.resources.track(child) if child is not None else None
                ended = track.has(*_ENDS) if track is not None else bool({"terminate", "kill", "pid"} & fn.mentions)
                yield Unseen(place, site, loop, sure=not ended and not _is_left(loop))
                break


def _children(fn: Fn, project: Project) -> Iterator[tuple[Fn, Acquisition | None]]:
    """What child processes run, and where they are made; of a subclass also where nobody of the project makes one."""
    for child in project.resources.everywhere("process"):
        for body in project.resources.bodies(child) if not is_test(child.fn) else ():
            yield body, child
    cls = project.classes.enclosing(fn)
    run = project.classes.method(cls, "run") if cls is not None else None
    if cls is not None and run is not None and project.classes.is_a(cls, "multiprocessing.Process"):
        yield run, None


def _hangs_on(loop: Loop, place: Place, project: Project) -> bool:
    """Whether the flag is among those that alone end the loop."""
    return any(_is_same(test, place, project) for test in loop.tests) and all(
        is_unshared(project, test) for test in loop.tests
    )


def _is_same(test: Place, place: Place, project: Project) -> bool:
    if isinstance(test, Attribute) and isinstance(place, Attribute):
        return test.name == place.name and test.cls in project.classes.family(place.cls)
    return test == place


def _is_apart(loop: Loop, body: Fn, place: Place, fn: Fn, project: Project) -> bool:
    """Whether the loop runs in the child alone, and nobody sets the flag there."""
    worker = set(project.protocol.reach(body))
    if fn in worker or project.roles.kinds(body) - {"process"}:
        return False
    if _is_made_by(worker, fn, project):
        return False
    setters = [setter for setter, _ in tellers_of(project, loop, place)]
    return not any(setter in worker or project.roles.role(setter, *_IN_CHILD) is not None for setter in setters)


def _is_made_by(worker: set[Fn], fn: Fn, project: Project) -> bool:
    """Whether the child makes the object for itself: who has it, and calls the function, is in the child as well."""
    cls = project.classes.enclosing(fn)
    made = project.classes.method(cls, "__init__") if cls is not None else None
    makers = [caller.fn for caller in project.calls.callers(made)] if made is not None else []
    return bool(makers) and worker.issuperset(makers)


def _is_left(loop: Loop) -> bool:
    """Whether a jump leaves the loop: an error, or Ctrl-C, ends it too."""
    body = getattr(loop.at.stmt, "body", ())
    return any(type(at.stmt).__name__ in ("Break", "Return", "Raise") for at in walk(body))
