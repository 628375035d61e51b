"""What is lost when the whole process ends at a place without unwinding: only what outlives the process counts.

The operating system closes sockets, releases locks and frees memory by itself. Lost are: buffers not yet written,
transactions not committed, files and folders not removed, callbacks not run, work of other threads cut off, child
processes left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.facts import Attr, Call, Const, Expr, ExprStmt, If, Name, Raise, Return, Span, Stmt, Try, With
from shutdown_lint.findings import Confidence, Step
from shutdown_lint.project.conditions import needed, onward, reached_as_registered
from shutdown_lint.project.forks import reset_by_child, side_of
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.imports import imported
from shutdown_lint.project.memo import Memo
from shutdown_lint.project.outside import OPENERS, does_something, held, held_long, of_statement, writes
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import Registration, is_test
from shutdown_lint.project.values import Class
from shutdown_lint.walk import At, Site, argument, enclosing_loops, last_name, line_of, same, text

if TYPE_CHECKING:
    from shutdown_lint.project import Project

MAX_FUNCTIONS = 40
MAX_STEPS = 8
# Roles whose functions run beside, or in the midst of, the code that registered them.
_BESIDE = frozenset(
    {"thread", "timer", "pool-thread", "signal-handler", "loop-signal-callback", "loop-callback", "task"}
)


class Path(NamedTuple):
    """A function from which the place is reached, with the call on the way to it (None: the place's own function).

    ``wanted`` are the parameters of the function that must be true, or false, for that.
    """

    fn: Fn
    site: Site | None
    confidence: Confidence
    wanted: Mapping[str, bool] = MappingProxyType({})


def upwards(at: At, fn: Fn, project: Project) -> tuple[Path, ...]:
    """The function of a place and those that lead to it, nearest first; each once.

    Callers in tests are left out, and calls whose arguments keep the function from the place.
    """
    found = [Path(fn, None, "proven", needed(at, fn))]
    seen = {fn}
    for path in found:
        place = path.site.at if path.site is not None else at
        for caller in project.calls.callers(path.fn) if len(found) < MAX_FUNCTIONS else ():
            if caller.fn not in seen and not is_test(caller.fn):
                wanted = onward(path.wanted, place, path.fn, caller.site.call, caller.site.at, caller.fn, project)
                if wanted is not None:
                    seen.add(caller.fn)
                    found.append(Path(caller.fn, caller.site, caller.confidence, wanted))
    return tuple(found)


def at_stake(at: At, fn: Fn, project: Project) -> tuple[Step, ...]:
    """What a hard end of the process at this place loses, as steps; innermost first, at most ``MAX_STEPS``."""
    paths = upwards(at, fn, project)
    found = list(_unwound(at, paths, project))
    starters = tuple(_starters(at, paths, project))
    for registration in starters:
        beside = (*around(registration.site.at, registration.fn, project), *held_long(registration.fn, project))
        own = _own_executor(registration)
        found += (step for step in beside if own is None or step.line != own.line)
    functions = tuple(dict.fromkeys((*(path.fn for path in paths), *(r.fn for r in starters))))
    places = _places(at, paths)
    found += registered(functions, project, places)
    found += live(at, functions, project, places)
    return tuple(dict.fromkeys(found))[:MAX_STEPS]


def _own_executor(registration: Registration) -> Span | None:
    """``with ThreadPoolExecutor() as pool: pool.submit(work)``: it can do nothing but wait for ``work`` itself."""
    func = registration.site.call.func
    name = func.value.id if isinstance(func, Attr) and isinstance(func.value, Name) else ""
    for at in registration.fn.statements:
        if name and isinstance(at.stmt, With):
            if any(isinstance(item.target, Name) and item.target.id == name for item in at.stmt.items):
                return at.stmt.span
    return None


def _places(at: At, paths: tuple[Path, ...]) -> dict[Fn, At]:
    """Where the way to the place leads through each function."""
    return {paths[0].fn: at, **{path.fn: path.site.at for path in paths if path.site is not None}}


def inherited(at: At, fn: Fn, project: Project) -> tuple[Step, ...]:
    """What a child forked at this place runs a second time when it unwinds the stack and ends normally."""
    paths = upwards(at, fn, project)
    places = _places(at, paths)
    functions = tuple(path.fn for path in paths)
    found = (*_unwound(at, paths, project), *registered(functions, project, places, reset_by_child(fn, project)))
    return tuple(dict.fromkeys(found))[:MAX_STEPS]


def _unwound(at: At, paths: tuple[Path, ...], project: Project) -> Iterator[Step]:
    """The cleanup around the place and around the calls that lead to it."""
    yield from around(at, paths[0].fn, project)
    for path in paths[1:]:
        if path.site is not None:
            yield from around(path.site.at, path.fn, project)


def _starters(at: At, paths: tuple[Path, ...], project: Project) -> Iterator[Registration]:
    """Where the threads, handlers and callbacks that run the place beside other code were registered."""
    ours = {path.fn: path for path in paths}
    for registration in project.roles.registrations():
        if registration.callback.role not in _BESIDE or is_test(registration.fn):
            continue
        for path in (ours[target] for target in registration.targets if target in ours):
            place = path.site.at if path.site is not None else at
            if reached_as_registered(registration, path.wanted, place, path.fn, project):
                yield registration
                break


def around(at: At, fn: Fn, project: Project) -> Iterator[Step]:
    """The ``with`` and ``finally`` around the place in its own function that do something outside of the process."""
    for place in at.around():
        if place.outer is None or place.part == "final" or _is_done(place.outer.stmt, at):
            continue
        yield from of_statement(place.outer, fn, project)


def _is_done(stmt: Stmt, at: At) -> bool:
    """Whether all that a ``finally`` does was done by hand just before: ``os.remove(path)``, and then ``os._exit(1)``."""
    final = stmt.final if isinstance(stmt, Try) else ()
    done = [before.value for before in at.before() if isinstance(before, ExprStmt)]
    return bool(final) and all(
        isinstance(inner, ExprStmt) and any(_is_alike(inner.value, call) for call in done) for inner in final
    )


def _is_alike(one: Expr, other: Expr) -> bool:
    """Whether two calls are written alike, with names and attributes as arguments."""
    if not (isinstance(one, Call) and isinstance(other, Call) and same(one.func, other.func)):
        return False
    pairs = zip(one.args, other.args)
    return len(one.args) == len(other.args) and all(
        left.keyword == right.keyword and same(left.value, right.value) for left, right in pairs
    )


def registered(
    functions: tuple[Fn, ...],
    project: Project,
    places: Mapping[Fn, At] = MappingProxyType({}),
    reset: frozenset[str] = frozenset(),
) -> Iterator[Step]:
    """Callbacks of ``atexit`` and ``weakref.finalize`` that are surely registered and do something outside.

    For a function that is an exit callback itself, the program's exit code and the callbacks registered before it.
    ``places`` tells where the way leads through a function: what is registered behind that place comes too late.
    A callback that looks at a name that was ``reset`` has nothing to do any more.
    """
    modules = {fn.module.name: fn.module for fn in functions}
    near = {*modules, *(name for module in modules.values() for name in imported(module, project))}
    for registration in project.roles.registrations():
        fn, call = registration.fn, registration.site.call
        if registration.callback.role not in ("atexit", "finalizer") or is_test(fn):
            continue
        if any(reset & target.mentions for target in registration.targets):
            continue
        if registration.callback.role == "atexit" and functions[0] in registration.targets:
            yield fn.step(call.span, f"the exit code and the callbacks registered before `{text(call)}`")
        elif _comes_later(registration.site.at, places.get(fn)):
            continue
        elif _is_surely_run(fn, functions, near, project, places) and _callback_matters(registration, project):
            yield fn.step(call.span, f"`{text(call)}` in {fn.qualname}")


def _comes_later(at: At, place: At | None) -> bool:
    """Whether a statement stands behind the place in the same function, and no loop leads back to the place."""
    if place is None or any(True for _ in enclosing_loops(at)):
        return False
    here, there = getattr(at.stmt, "span", None), getattr(place.stmt, "span", None)
    return here is not None and there is not None and here.line > there.end_line


def _is_surely_run(
    fn: Fn, functions: tuple[Fn, ...], near: set[str], project: Project, places: Mapping[Fn, At]
) -> bool:
    """On the way to the place, called by a function on the way, or the body of a module that one of them imports."""
    if fn.is_module:
        return fn.module.name in near
    return fn in functions or any(
        caller.fn in functions and not _excludes(caller.site.at, places.get(caller.fn))
        for caller in project.calls.callers(fn)
    )


def _excludes(one: At, other: At | None) -> bool:
    """Whether the two stand in different branches of one ``if``, or the second behind one whose branch leaves with the first."""
    if other is not None and _leaves_before(one, other):
        return True
    parts = {
        id(at.outer.stmt): at.part for at in one.around() if at.outer is not None and isinstance(at.outer.stmt, If)
    }
    return other is not None and any(
        parts.get(id(at.outer.stmt), at.part) != at.part for at in other.around() if at.outer is not None
    )


def _leaves_before(one: At, other: At) -> bool:
    """``if is_child(): register(); return`` before the place."""
    within = {id(at.outer.stmt) for at in other.around() if at.outer is not None}
    return any(
        at.outer is not None
        and isinstance(at.outer.stmt, If)
        and id(at.outer.stmt) not in within
        and isinstance(at.block[-1], (Return, Raise))
        for at in one.around()
    )


def _callback_matters(registration: Registration, project: Project) -> bool:
    return not registration.targets or any(does_something(target, project) for target in registration.targets)


def live(
    at: At, functions: tuple[Fn, ...], project: Project, places: Mapping[Fn, At] = MappingProxyType({})
) -> Iterator[Step]:
    """Threads, pools and processes at work, and files with unwritten buffers, that these functions make.

    ``places`` tells where the way leads through a function: what has been joined or closed before that place is over.
    """
    makers = dict.fromkeys(functions)
    for fn in functions:
        makers.update(dict.fromkeys(_makers(fn, project)))
    for fn in makers:
        side = side_of(places.get(fn, at), fn, project) or "parent"
        for acquisition in project.resources.of_function(fn):
            if is_test(fn) or (side_of(acquisition.site.at, fn, project) or side) != side:
                continue  # what only a forked child makes is not its parent's to lose
            if _comes_later(acquisition.site.at, places.get(fn)):
                continue
            if _is_live(acquisition, places.get(fn, at), fn, project):
                yield _live_step(acquisition, project)


# asked again for each exit of a function
_MAKERS: Memo[dict[Fn, tuple[Fn, ...]]] = Memo()


def _makers(fn: Fn, project: Project) -> tuple[Fn, ...]:
    """The constructors of project classes that the function calls."""
    memo = _MAKERS.setdefault(project, {})
    if fn not in memo:
        memo[fn] = tuple(target.fn for site in fn.sites for target in _constructed(site, fn, project))
    return memo[fn]


def _constructed(site: Site, fn: Fn, project: Project) -> Iterator[Path]:
    if any(isinstance(value, Class) for value in project.evaluate.values(site.call.func, fn)):
        yield from (Path(target.fn, site, target.confidence) for target in project.calls.targets(site.call, fn))


def _is_live(acquisition: Acquisition, at: At, fn: Fn, project: Project) -> bool:
    model, track = acquisition.model, project.resources.track(acquisition)
    if model.loss == "none" and model.kind == "pool":
        return False  # of greenlets: they end with the process
    ends = [use.site.at for use in track.methods(*model.ends) if use.fn is fn]
    if track.entered or any(_is_over(end, at) or _ends_apart(acquisition.site.at, end, at) for end in ends):
        return False
    if model.kind in ("thread", "timer"):
        running = acquisition.daemon is False and project.resources.started(acquisition)
        return running and _works_outside(acquisition, project)
    if model.kind == "executor" and not track.has("submit", "map"):
        return False  # who lends it to a loop awaits each job
    if model.kind == "tempdir" and last_name(acquisition.call.func) == "mkdtemp":
        return project.resources.released(acquisition)  # one that nobody removes stays, whatever ends the program
    if model.kind in ("process", "executor", "pool", "tempdir"):
        return project.resources.started(acquisition)
    if model.kind != "file" or _is_used_up(acquisition):
        return False
    opener = next((name for name in project.calls.external(acquisition.call, fn) if name in OPENERS), None)
    return (
        opener is not None
        and writes(acquisition.call, OPENERS[opener])
        and not _is_unbuffered(acquisition.call, opener)
        and track.has("write", "writelines", "writerow", "writerows")
    )


def _is_used_up(acquisition: Acquisition) -> bool:
    """``open(path, "w").write(text)``: nobody holds it afterwards, and so it is closed at once."""
    return bool(acquisition.site.parents) and isinstance(acquisition.site.parents[0], Attr)


def _is_unbuffered(call: Call, opener: str) -> bool:
    """``open(path, "a", buffering=1)``: each line is with the system as soon as it is written."""
    given = argument(call, OPENERS[opener] + 1 if opener in ("builtins.open", "io.open") else 99, "buffering")
    return isinstance(given, Const) and given.value in (0, 1)


def _works_outside(acquisition: Acquisition, project: Project) -> bool:
    """Whether what a thread or timer does is seen outside of the process: a limit on this process is not.

    A thread in a loop without a queue behind it loses only what it has begun and not finished; any other its work.
    """
    bodies = project.resources.bodies(acquisition)
    reached = dict.fromkeys(fn for body in bodies for fn in project.protocol.reach(body))
    if acquisition.model.kind == "timer":
        return not bodies or any(does_something(fn, project) for fn in reached)
    loops = project.resources.loops(acquisition)
    queued = any(wait.model.wakes == "put" for loop in loops for wait in loop.waits)
    return not loops or queued or any(True for fn in reached for _ in held(fn, project))


def _is_over(release: At, at: At) -> bool:
    """Whether the release stands before the place, in its block or in one around it."""
    return any(release.stmt in place.before() for place in at.around())


def _ends_apart(start: At, end: At, at: At) -> bool:
    """Whether the release stands behind the start in its own block, and the place not between the two."""
    lines = first, here, last = line_of(start.stmt), line_of(at.stmt), line_of(end.stmt)
    return end.stmt in start.after() and 0 not in lines and not first <= here <= last


def _live_step(acquisition: Acquisition, project: Project) -> Step:
    fn, call = acquisition.fn, acquisition.call
    if acquisition.model.kind in ("thread", "timer", "process"):
        registration = next(iter(project.roles.at(acquisition.site, fn)), None)
        name = registration.targets[0].qualname if registration and registration.targets else text(call)
        return fn.step(call.span, f"{acquisition.model.kind} `{name}` started in {fn.qualname}")
    return fn.step(call.span, f"`{text(call)}` in {fn.qualname}")
