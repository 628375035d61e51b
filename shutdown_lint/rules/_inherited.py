"""Forked children that inherit a SIGTERM handler which does not end them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Const, If, Raise
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.memo import Memo
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.signals import Handling, handlings, is_restored
from shutdown_lint.project.tracks import Track
from shutdown_lint.walk import Site, argument

MAX_CLIMB = 4
_CHILDREN = ("process", "pool-process")
_ENDS = (
    "exit",
    "_exit",
    "quit",
    "abort",
    "kill",
    "killpg",
    "raise_signal",
    "interrupt_main",
    "execv",
    "execvp",
    "execve",
)
_TELLS = frozenset({"set", "append", "appendleft", "add", "put", "put_nowait", "clear", "write"})


class Inherited(NamedTuple):
    """A handler that a child inherits, and the function that starts the child after it is installed."""

    handling: Handling
    handler: Fn | None


def inherited(child: Acquisition, track: Track, project: Project) -> Inherited | None:
    """The handler that keeps the child from ending at SIGTERM; only where it is surely installed before the child starts."""
    if not _forks(child, project) or _resets(child, project):
        return None
    for handling in handlings(project):
        if "SIGTERM" not in handling.signals or is_test(handling.fn) or not _outlives(handling, project):
            continue
        if project.roles.role(handling.fn, *_CHILDREN) or is_restored(handling, project):
            continue
        if not _told(child, handling, project) and _comes_first(handling, child, track, project):
            return Inherited(handling, handling.targets[0] if handling.targets else None)
    return None


def _forks(child: Acquisition, project: Project) -> bool:
    """Whether the child is made by a plain fork: so it is by default before Python 3.14."""
    method = _start_method(project)
    return method == "fork" or (method == "" and project.target_version < (3, 14))


_METHODS: Memo[str] = Memo()


def _start_method(project: Project) -> str:
    """The one start method that the project chooses; "" for none, "?" where it is unknown or varies."""
    found = _METHODS.get(project)
    if found is None:
        chosen = set()
        for name in ("set_start_method", "get_context"):
            for fn, site in project.calls.calls_named(name):
                given = argument(site.call, 0, "method")
                if not is_test(fn):
                    chosen.add(str(given.value) if isinstance(given, Const) else "" if given is None else "?")
        chosen.discard("None")
        found = _METHODS[project] = "" if chosen <= {""} else chosen.pop() if len(chosen) == 1 else "?"
    return found


def _resets(child: Acquisition, project: Project) -> bool:
    """Whether the child installs a handler of its own, becomes another program, or is not known."""
    bodies = project.resources.bodies(child)
    if child.model.kind == "pool":
        given = argument(child.call, 1, "initializer")
        bodies = project.calls.callables(given, child.fn) if given is not None else ()
        return given is not None and (not bodies or any(_rearms(body, project) for body in bodies))
    return any(_rearms(body, project) for body in bodies)


def _rearms(body: Fn, project: Project) -> bool:
    words = {"signal", "execv", "execvp", "execve", "execvpe", "pthread_sigmask", "add_signal_handler", "reset_signals"}
    return any(words & fn.mentions for fn in project.protocol.reach(body))


def _outlives(handling: Handling, project: Project) -> bool:
    """Whether the process surely goes on after the handler. What the loop's handlers do is nothing in a forked child."""
    if handling.via == "loop":
        return True
    return len(handling.targets) == 1 and all(
        _goes_on(fn, project) for fn in project.protocol.reach(handling.targets[0])
    )


def _goes_on(fn: Fn, project: Project) -> bool:
    """Whether the function neither raises, nor exits, nor calls what we do not know."""
    if any(isinstance(at.stmt, Raise) for at in fn.statements):
        return False
    for site in fn.sites:
        last = getattr(site.call.func, "name", getattr(site.call.func, "id", ""))
        names = project.calls.external(site.call, fn)
        if last in _ENDS or (names and not all(_is_harmless(name) for name in names)):
            return False
        if not names and not project.calls.targets(site.call, fn) and not _is_known(site.call.func, last):
            return False
    return True


def _is_harmless(name: str) -> bool:
    first, _, last = name.partition(".")
    if first in ("multiprocessing", "subprocess", "os", "signal", "asyncio"):
        return name.rpartition(".")[2] in _TELLS or name in (
            "os.getpid",
            "os.write",
            "signal.Signals",
            "signal.strsignal",
        )
    return first in sys.stdlib_module_names or (first == "builtins" and last != "input")


def _is_known(func: object, last: str) -> bool:
    """A logger's method, or one of a container or an event of unknown type."""
    return isinstance(func, Attr) and (last in _TELLS or last in ("debug", "info", "warning", "error", "critical"))


def _told(child: Acquisition, handling: Handling, project: Project) -> bool:
    """Whether the handler, which runs in the child too, sets what the child's loops test; or the child ends soon by itself."""
    if child.model.kind == "pool":
        return False
    bodies = project.resources.bodies(child)
    loops = project.resources.loops(child)
    if bodies and not loops and all(project.protocol.ending(body) == "finite" for body in bodies):
        return True
    tests = [place for loop in loops for place in loop.tests]
    return any(project.protocol.tells(target, tests) for target in handling.targets)


def _comes_first(handling: Handling, child: Acquisition, track: Track, project: Project) -> bool:
    """Whether some function surely installs the handler, itself or by what it calls, on a line before it starts the child."""
    if handling.fn.is_module and handling.fn.module is child.fn.module and not child.fn.is_module:
        return True
    starts = [(use.fn, use.site) for use in track.uses if use.kind == "method" and use.name == "start"]
    installed = dict(_ways(handling.fn, handling.site, project))
    for fn, site in starts or [(child.fn, child.site)]:
        if any(above in installed and _precedes(installed[above], at) for above, at in _ways(fn, site, project)):
            return True
    return False


def _precedes(one: Site, other: Site) -> bool:
    """Whether it stands before the other, and not in another branch."""
    branches = {id(place.outer.stmt): place.part for place in one.at.around() if place.outer is not None}
    apart = any(
        place.outer is not None
        and isinstance(place.outer.stmt, If)
        and branches.get(id(place.outer.stmt), place.part) != place.part
        for place in other.at.around()
    )
    return one.call.span.line < other.call.span.line and not apart


def _ways(fn: Fn, site: Site, project: Project) -> Iterator[tuple[Fn, Site]]:
    """The function and its callers, a few calls up, each with the call on the way down."""
    queue, seen = [(fn, site, 0)], {fn}
    for here, at, depth in queue:
        yield here, at
        for caller in project.calls.callers(here) if depth < MAX_CLIMB else ():
            if caller.fn not in seen and caller.confidence == "proven" and not is_test(caller.fn):
                seen.add(caller.fn)
                queue.append((caller.fn, caller.site, depth + 1))
