"""The course of a program: the functions that it runs from an entry point inwards, and the places where it may rest.

``programs`` answers where a program *surely* stays until it is stopped, for rules that must be right. A course is wider: it
holds every place at which the program may be when a signal comes (each loop without a count, each wait without a limit),
with the calls that lead there. What a handler tells picks the right one among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.facts import Attr, Call, Expr, For, Name, With
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.iterating import rounds
from shutdown_lint.project.memo import Memo
from shutdown_lint.project.programs import Frame, in_program, is_run
from shutdown_lint.project.protocol import Loop, Wait
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.values import Coroutine, Instance
from shutdown_lint.walk import At, Site, argument, last_name

if TYPE_CHECKING:
    from shutdown_lint.project import Project

MAX_DEPTH = 12
MAX_WAYS = 12
MAX_TARGETS = 16
MAX_FUNCTIONS = 400
AWAITS = ("asyncio.run", "asyncio.AbstractEventLoop.run_until_complete", "asyncio.Runner.run", "asyncio.wait_for",
           "asyncio.shield")  # fmt: skip
_STARTS = frozenset({"create_task", "ensure_future"})


class Rest(NamedTuple):
    """A place where the program may be for long: a loop, or a call that waits; the innermost of ``frames``."""

    frames: tuple[Frame, ...]
    loop: Loop | None
    wait: Wait | None


class Course(NamedTuple):
    """What one entry point runs: for each function the places that call it, and the rests in the order of the code."""

    entry: Fn
    calls: dict[Fn, tuple[Frame, ...]]
    rests: tuple[Rest, ...]

    def ways(self, fn: Fn, above: tuple[Fn, ...] = ()) -> Iterator[tuple[Frame, ...]]:
        """The frames of calls, outermost first, by which the program comes into the function; at most ``MAX_WAYS``."""
        if fn is self.entry:
            yield ()
        found = 0
        for call in self.calls.get(fn, ()) if fn not in above and len(above) < MAX_DEPTH else ():
            for way in self.ways(call.fn, (*above, fn)):
                yield (*way, call)
                found += 1
                if found == MAX_WAYS:
                    return


_MEMO: Memo[dict[Fn, Course]] = Memo()


def course(entry: Fn, project: Project) -> Course:
    """The course of the program that begins with ``entry``; bounded, the first way into each function counts."""
    memo = _MEMO.setdefault(project, {})
    if entry not in memo:
        calls: dict[Fn, list[Frame]] = {entry: []}
        rests = tuple(_rests(entry, (), entry, calls, project))
        memo[entry] = Course(entry, {fn: tuple(found) for fn, found in calls.items()}, rests)
    return memo[entry]


def _rests(
    fn: Fn, frames: tuple[Frame, ...], entry: Fn, calls: dict[Fn, list[Frame]], project: Project
) -> Iterator[Rest]:
    """Depth first, in the order of the code."""
    for at, loop, given, inner in _points(fn, project):
        if fn.is_module and fn is entry and not in_program(at, fn, project):
            continue
        here = (*frames, Frame(fn, at))
        if loop is not None:
            yield Rest(here, loop, None)
        yield from _into(given, here, entry, calls, project)
        for targets, wait in inner:
            yield from _into(targets, here, entry, calls, project)
            if wait is not None:
                yield Rest(here, None, wait)


class _Point(NamedTuple):
    """A statement that leads on: its loop without a count, the functions that give a loop its items, and for each of its
    calls the functions that it runs and its wait without limit."""

    at: At
    loop: Loop | None
    given: tuple[Fn, ...]
    calls: tuple[tuple[tuple[Fn, ...], Wait | None], ...]


_POINTS: Memo[dict[Fn, tuple[_Point, ...]]] = Memo()


def _points(fn: Fn, project: Project) -> tuple[_Point, ...]:
    """The statements of the function that lead on: the same in each course that comes by."""
    memo = _POINTS.setdefault(project, {})
    if fn not in memo:
        memo[fn] = tuple(_find_points(fn, project))
    return memo[fn]


def _find_points(fn: Fn, project: Project) -> Iterator[_Point]:
    loops = {id(loop.at.stmt): loop for loop in project.protocol.loops(fn)}
    sites: dict[int, list[Site]] = {}
    for site in fn.sites:
        sites.setdefault(id(site.at.stmt), []).append(site)
    for at in fn.statements:
        loop = loops.get(id(at.stmt))
        given = rounds(at.stmt, fn, project) if isinstance(at.stmt, For) else ()
        if loop is None and any(not target.facts.is_generator for target in given):
            loop = Loop(at, fn, (), True, ())  # what ends an iterator is in its own code
        inner = ((tuple(_runs(site, fn, project)), _endless(site, fn, project)) for site in sites.get(id(at.stmt), ()))
        calls = tuple((targets, wait) for targets, wait in inner if targets or wait is not None)
        if loop is not None or given or calls:
            yield _Point(at, loop, given, calls)


def _endless(site: Site, fn: Fn, project: Project) -> Wait | None:
    wait = project.protocol.wait(site, fn)
    return None if wait is None or wait.bounded else wait


def _into(
    targets: Iterable[Fn], here: tuple[Frame, ...], entry: Fn, calls: dict[Fn, list[Frame]], project: Project
) -> Iterator[Rest]:
    """The rests of functions that the innermost frame runs; those that are known already are only noted."""
    for target in targets if len(here) < MAX_DEPTH else ():
        if target in calls:
            calls[target].append(here[-1])
        elif len(calls) < MAX_FUNCTIONS:
            calls[target] = [here[-1]]
            yield from _rests(target, here, entry, calls, project)


def _runs(site: Site, fn: Fn, project: Project) -> Iterator[Fn]:
    """The functions that the statement runs by this call before it goes on."""
    targets = [target.fn for target in project.calls.targets(site.call, fn)] or list(_guessed(site.call, fn, project))
    for target in targets if len(targets) <= MAX_TARGETS else ():
        if target.facts.is_generator:
            if isinstance(site.at.stmt, With):
                yield target
        elif not target.facts.is_async or site.awaited or is_run(site, fn, project):
            yield target
        if target.name == "__init__" and target.cls is not None and isinstance(site.at.stmt, With):
            yield from _entering(target.cls, project)
    if any(name in AWAITS for name in project.calls.external(site.call, fn)):
        yield from _coroutines(argument(site.call, 0, "main"), fn, project)


def _entering(cls: Cls, project: Project) -> Iterator[Fn]:
    for name in ("__enter__", "__aenter__"):
        method = project.classes.method(cls, name)
        if method is not None:
            yield method


def _coroutines(expr: Expr | None, fn: Fn, project: Project) -> Iterator[Fn]:
    """The coroutine functions behind what is awaited: the call of one, a task made of one."""
    for value in project.evaluate.values(expr, fn):
        if isinstance(value, Coroutine):
            yield value.fn
        elif isinstance(value, Instance) and value.call is not None and value.fn is not None:
            if last_name(value.call.func) in _STARTS and value.call.args:
                yield from _coroutines(value.call.args[0].value, value.fn, project)


# --- receivers of unknown type ---------------------------------------------------------------------------------------


def _guessed(call: Call, fn: Fn, project: Project) -> Iterator[Fn]:
    """The method that an object of unknown type surely means: one that only one class has, or one of what that returns."""
    if not isinstance(call.func, Attr) or project.evaluate.values(call.func, fn):
        return
    only = _only_method(call, project)
    if only is not None:
        yield only
        return
    for made in _makers(call.func.value, fn):
        maker = _only_method(made, project)
        for value in project.evaluate.returned(maker) if maker is not None else ():
            if isinstance(value, Instance) and isinstance(value.cls, Cls):
                method = project.classes.method(value.cls, call.func.name)
                if method is not None:
                    yield method


def _only_method(call: Call, project: Project) -> Fn | None:
    """The only method of that name in the project that takes these arguments, overrides of it left out."""
    name = last_name(call.func) if isinstance(call.func, Attr) else ""
    if not name or name.startswith("__") or name in _COMMON:
        return None
    found = [method for method in project.calls.methods_named(name) if not is_test(method) and _takes(method, call)]
    roots = [m for m in found if m.cls is not None and project.classes.super_method(m.cls, name) is None]
    return roots[0] if len(roots) == 1 else None


def _takes(method: Fn, call: Call) -> bool:
    """Whether the arguments fit the parameters, as far as their number and their keywords tell."""
    params = method.facts.params[1 if method.is_method else 0 :]
    if any(arg.star for arg in call.args):
        return True
    names = {param.name for param in params}
    kinds = {param.kind for param in params}
    given = [arg for arg in call.args if arg.keyword is None]
    room = sum(param.kind in ("positional-only", "positional") for param in params)
    return ("*" in kinds or len(given) <= room) and (
        "**" in kinds or all(arg.keyword in names for arg in call.args if arg.keyword is not None)
    )


# Methods that files, containers, sockets and threads of the standard library have too.
_COMMON = frozenset({
    "add", "append", "clear", "close", "connect", "copy", "flush", "get", "items", "join", "keys", "load", "main", "open",
    "pop", "put", "read", "remove", "run", "send", "set", "start", "stop", "update", "values", "wait", "write",
})  # fmt: skip


def _makers(expr: Expr, fn: Fn) -> Iterator[Call]:
    """The calls whose result the receiver is."""
    if isinstance(expr, Call):
        yield expr
    for binding in fn.bindings.get(expr.id, ()) if isinstance(expr, Name) else ():
        value = getattr(binding, "expr", None)
        if isinstance(value, Call):
            yield value
