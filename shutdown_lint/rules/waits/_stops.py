"""Functions that run on the way out, the workers that they wait for, and who else is on the path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Call, Const, Expr, Handler, Name, Seq
from shutdown_lint.findings import Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.tracks import Track, Use
from shutdown_lint.project.values import Instance
from shutdown_lint.walk import At, Site, same

_VERBS = (
    "close|aclose|stop|shutdown|shut_down|terminate|disconnect|quit|cleanup|clean_up|teardown|tear_down|dispose|finish|finalize|"
    "destroy|halt|unsubscribe|kill|exit|flush|drain|deinit|server_close"
)
# What speaks of an end and does not bring it about: `exit_code`, `close_reason`.
_NOUNS = "code|status|reason|result|state|info"
STOP_NAME = re.compile(
    rf"^_*(async_)?(do_|on_|handle_|graceful_|force_|wait_)?({_VERBS})(?!_?({_NOUNS})s?$)(_\w+|d|all)?$|^__(exit|aexit|del)__$|^stopService$|^tearDown",
)
# Names that promise an end, and not that the work is done first.
_FIRM = re.compile(
    r"^_*(async_)?(do_|on_|graceful_|force_)?(stop|shutdown|shut_down|terminate|disconnect|quit|teardown|halt|kill|exit)(_|$)"
)
_PATIENT = re.compile(r"^_*(async_)?(do_|on_|wait_)?(finish|finalize|flush|drain)(_|$)")
_HELPER = re.compile(r"^_(?!_)|wait|join|end|all")
_PROPERTIES = frozenset({"property", "cached_property"})
AT_EXIT = frozenset({"atexit", "thread-atexit", "finalizer"})


class WayOut(NamedTuple):
    """Why a place runs at shutdown: the function that is the stop (the place's own or a caller), and the steps from it."""

    stop: Fn
    steps: tuple[Step, ...]


def way_out(fn: Fn, at: At, project: Project) -> WayOut | None:
    """Whether the place runs when something stops: by the function's name or role, its caller's, or in a ``finally``."""
    if is_test(fn):
        return None
    if is_stop(fn, project) or in_final(at):
        return WayOut(fn, ())
    for caller in project.calls.callers(fn):
        if is_stop(caller.fn, project) and not is_test(caller.fn):
            return WayOut(
                caller.fn, (caller.fn.step(caller.site.call.span, f"`{caller.fn.qualname}` calls `{fn.qualname}`"),)
            )
    return None


def may_be_on_way_out(fn: Fn, at: At, project: Project) -> bool:
    """A cheap look before ``way_out``: the name, the place, or a private helper or a wait by name, that a stop may call."""
    return bool(_HELPER.search(fn.name)) or is_stop(fn, project) or in_final(at)


def is_stop(fn: Fn, project: Project) -> bool:
    """Whether the function's name or registration says that it runs at shutdown."""
    return (bool(STOP_NAME.match(fn.name)) and not fn.decorator_names & _PROPERTIES) or any(
        role.kind in AT_EXIT for role in project.roles.seeds().get(fn, ())
    )


def is_patient(fn: Fn) -> bool:
    """Whether the name promises that the work is done first."""
    return bool(_PATIENT.match(fn.name))


def is_firm(fn: Fn, project: Project) -> bool:
    """Whether the function ends things, rather than waits until they are done (``flush``, ``drain``, ``finish``, ``close``)."""
    return bool(_FIRM.match(fn.name)) or (is_stop(fn, project) and not STOP_NAME.match(fn.name))


def in_final(at: At) -> bool:
    """Whether the place stands in a ``finally``, or in a handler of Ctrl-C or an exit."""
    return any(
        place.part == "final" or (place.handler is not None and _is_exit(place.handler)) for place in at.around()
    )


def _is_exit(handler: Handler) -> bool:
    types = handler.types.items if isinstance(handler.types, Seq) else (handler.types,)
    return any(getattr(part, "id", "") in ("KeyboardInterrupt", "SystemExit") for part in types)


def receiver(call: Call) -> Expr | None:
    """What the method is called on."""
    return call.func.value if isinstance(call.func, Attr) else None


def acquisitions_of(expr: Expr | None, fn: Fn, project: Project) -> list[Acquisition]:
    """The places that make the object which the expression stands for: by its values, else by what is done with it."""
    values = [value for value in project.evaluate.values(expr, fn) if isinstance(value, Instance)]
    found = [
        a
        for v in values
        if v.call is not None and v.fn is not None
        for a in project.resources.of_function(v.fn)
        if a.call is v.call
    ]
    if found or expr is None or not values:
        return found
    return [
        a
        for kind in project.resources.kinds_of(expr, fn)
        for a in project.resources.everywhere(kind)
        if _is_used_as(expr, a, project)
    ]


def tasks_of(expr: Expr | None, fn: Fn, project: Project) -> list[Acquisition]:
    """The same for tasks, which lists and dictionaries hold: also those of the module that are seen to be used as this."""
    found = acquisitions_of(expr, fn, project)
    if found or expr is None or project.evaluate.values(expr, fn):
        return found
    return [
        task
        for task in project.resources.acquisitions(fn.module, "task")
        if any(use.fn is fn and _holds(use, expr) for use in project.resources.track(task).uses)
    ]


def _is_used_as(expr: Expr, acquisition: Acquisition, project: Project) -> bool:
    """Whether the expression is one of those through which the object is used."""
    return any(_holds(use, expr) for use in project.resources.track(acquisition).uses)


def _holds(use: Use, expr: Expr) -> bool:
    return any(part is expr for root in (use.site.expr, *use.site.parents) for part in _spine(root))


def _spine(expr: Expr) -> Iterator[Expr]:
    """``a.b.c()``: the call, ``a.b.c``, ``a.b``, ``a``."""
    while isinstance(expr, (Call, Attr)):
        yield expr
        expr = expr.func if isinstance(expr, Call) else expr.value
    yield expr


def same_receiver(site: Site, other: Site) -> bool:
    """Whether two calls are made on the same expression."""
    left, right = receiver(site.call), receiver(other.call)
    return left is not None and same(left, right)


def method_name(call: Call) -> str:
    """The last name of the callee."""
    return call.func.name if isinstance(call.func, Attr) else call.func.id if isinstance(call.func, Name) else ""


def seconds(expr: Expr | None) -> float | None:
    """A literal number of seconds."""
    return (
        float(expr.value)
        if isinstance(expr, Const) and isinstance(expr.value, (int, float)) and not isinstance(expr.value, bool)
        else None
    )


def asked_to_end(track: Track) -> bool:
    """Whether a child is terminated, killed, signalled or told through its stdin anywhere."""
    return track.has("terminate", "kill", "send_signal", "stdin", "pid", "cancel", "communicate")
