"""Functions that run on the way out, and what they wait for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Attr, Call, Const, Expr, Name
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.handles import Cls
from shutdown_lint.project.places import Attribute, Local, Track
from shutdown_lint.project.protocol import Loop
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.values import Instance
from shutdown_lint.walk import Site, same

STOP_NAME = re.compile(
    r"^_*(async_)?(do_|on_|handle_|graceful_|force_|wait_)?(close|aclose|stop|shutdown|shut_down|terminate|disconnect|quit|cleanup|clean_up|"
    r"teardown|tear_down|dispose|finish|finalize|destroy|halt|unsubscribe|kill|exit|flush|drain|deinit|server_close)(_\w+|d|all)?$"
    r"|^__(exit|aexit|del)__$|^stopService$|^tearDown",
)


def stop_functions(project: Project, fns: list[Fn]) -> Iterator[Fn]:
    """The functions among ``fns`` whose name or role says that they run at shutdown; test code aside."""
    for fn in fns:
        if not is_test(fn) and (STOP_NAME.match(fn.name) or "atexit" in _seed_kinds(project, fn)):
            yield fn


def _seed_kinds(project: Project, fn: Fn) -> frozenset[str]:
    return frozenset(role.kind for role in project.roles.seeds().get(fn, ()))


def receiver(call: Call) -> Expr | None:
    """What the method is called on."""
    return call.func.value if isinstance(call.func, Attr) else None


def acquisitions_of(expr: Expr | None, fn: Fn, project: Project) -> list[Acquisition]:
    """The places that make the object which the expression stands for."""
    found = []
    for value in project.evaluate.values(expr, fn):
        if isinstance(value, Instance) and value.call is not None and value.fn is not None:
            found += [a for a in project.resources.of_function(value.fn) if a.call is value.call]
    return found


def worker_targets(acquisition: Acquisition, project: Project) -> tuple[Fn, ...]:
    """The bodies that a thread or process runs."""
    if acquisition.cls is not None:
        run = project.classes.method(acquisition.cls, "run")
        if run is not None:
            return (run,)
    for registration in project.roles.at(acquisition.site, acquisition.fn):
        return registration.targets
    return ()


def worker_loops(acquisition: Acquisition, project: Project) -> tuple[Loop, ...]:
    """The unbounded loops of the worker."""
    return tuple(loop for target in worker_targets(acquisition, project) for loop in project.protocol.worker_loops(target))


def told_by_someone(project: Project, loop: Loop) -> bool:
    """Whether any function but the worker and constructors sets what the loop tests; True where that cannot be known."""
    if not loop.tests:
        return False
    if any(isinstance(place, Local) and any(p.name == place.name for p in place.fn.facts.params) for place in loop.tests):
        return True  # a parameter of the worker: what is passed for it is told somewhere else
    worker = set(project.protocol.reach(loop.fn))
    names = {place.name for place in loop.tests}
    for fn in (fn for name in names for fn in project.calls.mentioning(name)):
        if fn.name != "__init__" and fn not in worker and project.protocol.tells(fn, loop.tests):
            return True
    return False


def is_known_test(loop: Loop) -> bool:
    """Whether the loop's end depends on attributes of project classes only, so that all writers can be seen."""
    return bool(loop.tests) and all(isinstance(place, Attribute) for place in loop.tests)


def same_receiver(site: Site, other: Site) -> bool:
    """Whether two calls are made on the same expression."""
    left, right = receiver(site.call), receiver(other.call)
    return left is not None and same(left, right)


def method_name(call: Call) -> str:
    """The last name of the callee."""
    return call.func.name if isinstance(call.func, Attr) else call.func.id if isinstance(call.func, Name) else ""


def in_family(project: Project, fn: Fn) -> Cls | None:
    """The class whose instance the function works on."""
    return project.classes.enclosing(fn)


def seconds(expr: Expr | None) -> float | None:
    """A literal number of seconds."""
    return float(expr.value) if isinstance(expr, Const) and isinstance(expr.value, (int, float)) and not isinstance(expr.value, bool) else None


def asked_to_end(track: Track) -> bool:
    """Whether a child is terminated, killed, signalled or told through its stdin anywhere."""
    return track.has("terminate", "kill", "send_signal", "stdin", "pid", "cancel", "communicate")
