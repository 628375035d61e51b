"""Limits that a function takes from its caller and does not keep."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Call, Const, If, Name, Op, Param
from shutdown_lint.findings import Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Wait
from shutdown_lint.rules.waits._stops import method_name
from shutdown_lint.walk import At, Site, argument, subexprs

WAIT_NAME = re.compile(r"join|wait|stop|close|shutdown|terminate")
_LIMIT = re.compile(r"^(\w+_)?timeout(_s|_sec|_secs|_seconds)?$")
_WAITS = frozenset({"thread", "process", "child", "set", "job"})
_METHODS = frozenset({"wait", "join", "result", "get", "acquire", "wait_for", "communicate", "poll", "select"})


class Unused(NamedTuple):
    """A wait without limit in a function that was given one, and where the wait itself stands if in another function."""

    site: Site
    limit: str
    steps: tuple[Step, ...]


def limit_params(fn: Fn) -> Iterator[Param]:
    """The parameters that are named as a limit."""
    return (param for param in fn.facts.params if _LIMIT.match(param.name))


def is_callers_limit(wait: Wait) -> bool:
    """``t.join(timeout)``: the limit is a parameter of the function."""
    given = wait.site.call.args[0].value if wait.site.call.args else None
    return isinstance(given, Name) and any(param.name == given.id for param in limit_params(wait.fn))


def is_reaping(at: At) -> bool:
    """``if not t.is_alive(): t.join()``: nothing is left to wait for."""
    tests = (place.outer.stmt.test for place in at.around() if place.outer and isinstance(place.outer.stmt, If))
    return any(
        isinstance(test, Op)
        and test.op == "not"
        and any(isinstance(part, Attr) and part.name == "is_alive" for part in subexprs(test))
        for test in tests
    )


def unused(fn: Fn, project: Project) -> Unused | None:
    """The first wait without limit of a function whose own limit is mentioned nowhere in it."""
    limits = [param.name for param in limit_params(fn) if param.name not in fn.mentions]
    if limits:
        within = f"{fn.qualname}.<locals>."
        looked_at = {n for f in project.functions(fn.module) if f.qualname.startswith(within) for n in f.mentions}
        limits = [name for name in limits if name not in looked_at]
    if not limits or "locals" in fn.mentions:
        return None
    for site in fn.sites:
        wait = project.protocol.wait(site, fn)
        if wait is not None and wait.model.wakes in _WAITS and not wait.bounded and _takes_limit(wait):
            return Unused(site, limits[0], ())
        inner = _inner(site, fn, project) if wait is None else None
        if inner is not None:
            return Unused(site, limits[0], (inner,))
    return None


def _takes_limit(wait: Wait) -> bool:
    return bool(wait.model.timeout) or wait.model.position >= 0


def _inner(site: Site, fn: Fn, project: Project) -> Step | None:
    """The wait of a called function whose own limit is None unless it is given, and is not."""
    if any(arg.star for arg in site.call.args) or _is_handed_on(site):
        return None
    for target in project.calls.targets(site.call, fn):
        if target.fn is fn or target.confidence != "proven" or target.fn.facts.is_async is not site.awaited:
            continue
        for param in limit_params(target.fn):
            is_none = isinstance(param.default, Const) and param.default.value is None
            for inner in _waits_by(param, target.fn) if is_none and not _is_given(site, param, target.fn) else ():
                return target.fn.step(inner.call.span, f"`{target.fn.qualname}` waits, here without a limit")
    return None


def _is_handed_on(site: Site) -> bool:
    """``futures.append(comm.close())``: what comes back is waited for by someone else."""
    return not site.awaited and any(isinstance(parent, Call) for parent in site.parents)


def _is_given(site: Site, param: Param, fn: Fn) -> bool:
    names = [other.name for other in fn.facts.params if other.kind in ("positional", "positional-only")]
    position = names.index(param.name) - int(fn.is_method) if param.name in names else 99
    return argument(site.call, position, param.name) is not None


def _waits_by(param: Param, fn: Fn) -> Iterator[Site]:
    """The waits to which the function hands that parameter."""
    for site in fn.sites:
        if method_name(site.call) in _METHODS and any(
            isinstance(arg.value, Name) and arg.value.id == param.name for arg in site.call.args
        ):
            yield site
