"""What is lost when the whole process ends at a place without unwinding: only what outlives the process counts.

The operating system closes sockets, releases locks and frees memory by itself. Lost are: buffers not yet written,
transactions not committed, files and folders not removed, callbacks not run, work of other threads cut off, child
processes left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.facts import Attr, Await, Call, Const, Expr, Name, Try, With
from shutdown_lint.findings import Confidence, Step
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.imports import program
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import Registration, is_test
from shutdown_lint.project.values import Class, Instance
from shutdown_lint.walk import At, Site, argument, sites, text

if TYPE_CHECKING:
    from shutdown_lint.project import Project

MAX_DEPTH = 6
MAX_FUNCTIONS = 40
MAX_STEPS = 8
# Roles whose functions run beside, or in the midst of, the code that registered them.
_BESIDE = frozenset({"thread", "timer", "pool-thread", "signal-handler", "loop-signal-callback", "loop-callback", "task"})

_OPENERS = {"builtins.open": 1, "io.open": 1, "gzip.open": 1, "bz2.open": 1, "lzma.open": 1, "codecs.open": 1, "pathlib.Path.open": 0,
            "os.fdopen": 1, "zipfile.ZipFile": 1, "tarfile.open": 1, "tempfile.NamedTemporaryFile": -1, "tempfile.TemporaryFile": -1}
_ENDED_BY_SYSTEM = frozenset({"os.close", "socket.socket.close", "socket.socket.shutdown", "threading.Lock.release", "threading.RLock.release",
                              "threading.Condition.release", "threading.Semaphore.release", "signal.signal", "signal.alarm",
                              "selectors.DefaultSelector.close", "sys.stdout.flush", "sys.stderr.flush", "builtins.print"})
# Calls that let the work of others end before the process does.
_WAITS = frozenset({"threading.Thread.join", "multiprocessing.Process.join", "multiprocessing.pool.Pool.join", "queue.Queue.join",
                    "concurrent.futures.ThreadPoolExecutor.shutdown", "concurrent.futures.ProcessPoolExecutor.shutdown"})
# Names of calls in a `finally` whose effect is seen outside of the process.
_OUTSIDE = re.compile(
    r"commit|rollback|flush|save|persist|write|dump|store|close|unlink|remove|rmtree|rename|delete|cleanup|clean_up|purge|publish|"
    r"shutdown|disconnect|deregister|unregister|unlock|release|restore|fsync|upload|sync$|logout|quit|notify|terminate|kill|nack$|^ack",
    re.IGNORECASE,
)
# Names of context managers (called with arguments or not) that stand for something outside of the process.
_OUTSIDE_CONTEXT = re.compile(
    r"open|lock_?file|file_?lock|pid_?file|temp|tmp|closing|connect|transaction|atomic|session|exit_?stack|pool|executor|popen|writer|"
    r"archive|zipfile|tarfile|lease|mount|raw_?mode|cbreak|alternate_?screen",
    re.IGNORECASE,
)


class Path(NamedTuple):
    """A function from which the place is reached, with the site of the call on the way to it (None: the place's own function)."""

    fn: Fn
    site: Site | None
    confidence: Confidence


def upwards(fn: Fn, project: Project) -> tuple[Path, ...]:
    """The function and those that lead to it, nearest first; each once. Callers in tests are left out."""
    found = [Path(fn, None, "proven")]
    seen = {fn}
    for path in found:
        for caller in project.calls.callers(path.fn) if len(found) < MAX_FUNCTIONS else ():
            if caller.fn not in seen and not is_test(caller.fn):
                seen.add(caller.fn)
                found.append(Path(caller.fn, caller.site, caller.confidence))
    return tuple(found)


def at_stake(at: At, fn: Fn, project: Project) -> tuple[Step, ...]:
    """What a hard end of the process at this place loses, as steps; innermost first, at most ``MAX_STEPS``."""
    paths = upwards(fn, project)
    found = list(around(at, fn, project))
    for path in paths[1:]:
        if path.site is not None:
            found += around(path.site.at, path.fn, project)
    starters = tuple(_starters(paths, project))
    for registration in starters:
        found += around(registration.site.at, registration.fn, project)
        found += held(registration.fn, project)
    functions = tuple(dict.fromkeys((*(path.fn for path in paths), *(r.fn for r in starters))))
    found += registered(functions, project)
    found += live(at, functions, project)
    return tuple(dict.fromkeys(found))[:MAX_STEPS]


def _starters(paths: tuple[Path, ...], project: Project) -> Iterator[Registration]:
    """Where the threads, handlers and callbacks were registered in which the place runs beside (or within) other code."""
    ours = {path.fn for path in paths}
    for registration in project.roles.registrations():
        if registration.callback.role in _BESIDE and ours & set(registration.targets) and not is_test(registration.fn):
            yield registration


def around(at: At, fn: Fn, project: Project) -> Iterator[Step]:
    """The ``with`` and ``finally`` around the place in its own function that do something outside of the process."""
    for place in at.around():
        if place.outer is None or place.part == "final":
            continue
        yield from _of_statement(place.outer, fn, project)


def _of_statement(at: At, fn: Fn, project: Project) -> Iterator[Step]:
    stmt = at.stmt
    if isinstance(stmt, Try) and stmt.final:
        site = next((site for site in sites(stmt.final) if reaches_outside(site, fn, project)), None)
        if site is not None:
            yield fn.step(site.call.span, f"`finally: {text(site.call)}` in {fn.qualname}")
    elif isinstance(stmt, With):
        for item in stmt.items:
            if context_matters(item.context, fn, project):
                yield project.cleanup.with_step(item, stmt, fn)


def held(fn: Fn, project: Project) -> Iterator[Step]:
    """The same for every ``with`` and ``finally`` that the function holds anywhere."""
    for at in fn.statements:
        if isinstance(at.stmt, (Try, With)):
            yield from _of_statement(at, fn, project)


def reaches_outside(site: Site, fn: Fn, project: Project, depth: int = 0) -> bool:
    """Whether a cleanup call does what the operating system would not do by itself; followed two calls deep."""
    names = project.calls.external(site.call, fn)
    if names:
        return any(name in _WAITS or (_OUTSIDE.search(name.rpartition(".")[2]) and name not in _ENDED_BY_SYSTEM) for name in names)
    targets = [target.fn for target in project.calls.targets(site.call, fn) if target.fn is not fn]
    if targets:
        return depth <= 2 and any(reaches_outside(inner, target, project, depth + 1) for target in targets for inner in target.sites)
    if isinstance(site.call.func, Attr) and project.cleanup.is_harmless(site.call.func.value, fn):
        return False
    return bool(_OUTSIDE.search(_last(site.call.func)))


def _does_something(fn: Fn, project: Project) -> bool:
    return any(reaches_outside(site, fn, project) for site in fn.sites)


def context_matters(context: Expr, fn: Fn, project: Project) -> bool:
    """Whether leaving the context manager unfinished is seen outside of the process."""
    inner = context.value if isinstance(context, Await) else context
    if project.cleanup.is_harmless(inner, fn) and not _OUTSIDE_CONTEXT.search(text(inner)):
        return False
    if isinstance(inner, Call):
        opener = next((name for name in project.calls.external(inner, fn) if name in _OPENERS), None)
        if opener is not None:
            return writes(inner, _OPENERS[opener])
        targets = project.calls.targets(inner, fn)
        generators = [t.fn for t in targets if t.fn.decorator_names & {"contextmanager", "asynccontextmanager"}]
        if generators:
            return any(_generator_cleans(generator, project) for generator in generators)
    for value in project.evaluate.values(inner, fn):
        if isinstance(value, Instance):
            return _exit_matters(value.cls, project) if isinstance(value.cls, Cls) else _external_matters(value.cls, inner, project)
    if isinstance(inner, Call):
        if isinstance(inner.func, Attr) and inner.func.name == "open":
            return writes(inner, 0) or writes(inner, 1)
        return bool(_OUTSIDE_CONTEXT.search(_last(inner.func)))
    return False


def writes(call: Call, position: int) -> bool:
    """Whether an opening call opens for writing: a constant mode with ``w``, ``a``, ``x`` or ``+``."""
    if position < 0:
        return True
    mode = argument(call, position, "mode")
    return isinstance(mode, Const) and isinstance(mode.value, str) and bool(set("wax+") & set(mode.value)) and len(mode.value) < 5


def _external_matters(name: str, context: Expr, project: Project) -> bool:
    model = project.models.resource(name)
    if model is not None and model.kind in ("file", "tempdir", "executor", "pool", "process", "child", "server", "session", "connection"):
        return True
    return bool(_OUTSIDE_CONTEXT.search(name.rpartition(".")[2]) or _OUTSIDE_CONTEXT.search(text(context)))


def _generator_cleans(fn: Fn, project: Project) -> bool:
    """Whether a ``@contextmanager`` function does something outside in a ``finally`` or ``with`` of its own."""
    return any(True for _ in held(fn, project))


def _exit_matters(cls: Cls, project: Project) -> bool:
    for name in ("__exit__", "__aexit__"):
        method = project.classes.method(cls, name)
        if method is not None:
            return _does_something(method, project)
    # the exit method is inherited from a class that we do not see
    return bool(project.classes.external_bases(cls)) and bool(_OUTSIDE_CONTEXT.search(cls.name))


def registered(functions: tuple[Fn, ...], project: Project) -> Iterator[Step]:
    """Callbacks of ``atexit`` and ``weakref.finalize`` in the program of these functions that do something outside."""
    seeds = (role.seed for fn in functions for role in project.roles.of(fn))
    modules = program([fn.module.name for fn in (*functions, *seeds)], project)
    for registration in project.roles.registrations():
        if registration.callback.role not in ("atexit", "finalizer") or registration.fn.module.name not in modules:
            continue
        if is_test(registration.fn) or not _surely_registered(registration.fn, functions, project):
            continue
        if not registration.targets or any(_does_something(target, project) for target in registration.targets):
            call = registration.site.call
            yield registration.fn.step(call.span, f"`{text(call)}` in {registration.fn.qualname}")


def _surely_registered(fn: Fn, functions: tuple[Fn, ...], project: Project) -> bool:
    return fn.is_module or fn in functions or project.roles.role(fn, "main") is not None


def live(at: At, functions: tuple[Fn, ...], project: Project) -> Iterator[Step]:
    """Threads, pools and processes at work and files with unwritten buffers that these functions, or what they construct, hold."""
    makers = dict.fromkeys(functions)
    for fn in functions:
        makers.update(dict.fromkeys(target.fn for site in fn.sites for target in _constructed(site, fn, project)))
    for fn in makers:
        for acquisition in project.resources.of_function(fn):
            if not is_test(fn) and _is_live(acquisition, at, fn, project):
                yield _live_step(acquisition, project)


def _constructed(site: Site, fn: Fn, project: Project) -> Iterator[Path]:
    if any(isinstance(value, Class) for value in project.evaluate.values(site.call.func, fn)):
        yield from (Path(target.fn, site, target.confidence) for target in project.calls.targets(site.call, fn))


def _is_live(acquisition: Acquisition, at: At, fn: Fn, project: Project) -> bool:
    model, track = acquisition.model, project.resources.track(acquisition)
    if track.entered or any(use.fn is fn and use.site.at.stmt in at.before() for use in track.methods(*model.release)):
        return False
    if model.kind in ("thread", "timer"):
        return acquisition.daemon is False and project.resources.started(acquisition)
    if model.kind in ("process", "executor", "pool", "tempdir"):
        return project.resources.started(acquisition)
    if model.kind != "file":
        return False
    opener = next((name for name in project.calls.external(acquisition.call, fn) if name in _OPENERS), None)
    return opener is not None and writes(acquisition.call, _OPENERS[opener]) and track.has("write", "writelines", "writerow", "writerows")


def _live_step(acquisition: Acquisition, project: Project) -> Step:
    fn, call = acquisition.fn, acquisition.call
    if acquisition.model.kind in ("thread", "timer", "process"):
        registration = next(iter(project.roles.at(acquisition.site, fn)), None)
        name = registration.targets[0].qualname if registration and registration.targets else text(call)
        return fn.step(call.span, f"{acquisition.model.kind} `{name}` started in {fn.qualname}")
    return fn.step(call.span, f"`{text(call)}` in {fn.qualname}")


def _last(func: Expr) -> str:
    return func.name if isinstance(func, Attr) else func.id if isinstance(func, Name) else ""
