"""An executor that nobody shuts down.

## What it does
Reports a ``ThreadPoolExecutor`` or ``ProcessPoolExecutor`` that is neither used in ``with`` nor shut down on any alias,
and does not leave what the analysis sees.

## Why it matters
The interpreter waits at exit for every job that is still queued, without limit; the workers of a process pool outlive a
killed parent. An executor per object leaks its threads with each object.

## Example
```python
from concurrent.futures import ThreadPoolExecutor


class Uploader:
    def __init__(self):
        self._pool = ThreadPoolExecutor(4)

    def upload(self, path):
        self._pool.submit(print, path)

    def close(self):
        print("closed")
```

## Use instead
```python
from concurrent.futures import ThreadPoolExecutor


class Uploader:
    def __init__(self):
        self._pool = ThreadPoolExecutor(4)

    def upload(self, path):
        self._pool.submit(print, path)

    def close(self):
        self._pool.shutdown(cancel_futures=True)
```

## Fix safety
Unsafe: the stop method then waits for the jobs that run, and drops those that have not begun; a `with` block waits for all of
them. Offered where an object of this file keeps the executor and has a stop method, or where it does not leave its function.

## Precision
Silent once the executor is returned, handed to unknown code or set as a loop's default executor, and where the functions
that use it wait for all its jobs, or take all that comes of its `map`; and for one that nobody gives a job. Module-level pools
speak at tier S.

## References
- [Executor.shutdown](https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Executor.shutdown)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Break, Call, Comp, Const, Expr, For, ModuleFacts, Name, Return, Span
from shutdown_lint.findings import Finding, Fix
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.resources import STOP_METHODS, Acquisition
from shutdown_lint.project.tracks import Attribute, Local, Track
from shutdown_lint.project.values import Instance
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._common import acquired, class_level, label, module_level, owner, stop_method, stop_step
from shutdown_lint.rules.work._stopping import shutdown_fix
from shutdown_lint.walk import Site, argument, last_name, walk

RULE = Rule(
    code="SHD204",
    name="executor-not-shut-down",
    summary="an executor is neither used in `with` nor shut down by its owner",
    tier="D",
    severity="warning",
    fix="unsafe",
    triggers=("PoolExecutor",),
    origin=("G11",),
)
_TAKERS = frozenset({"list", "tuple", "set", "dict", "sorted", "sum", "max", "min", "frozenset", "deque", "Counter"})
_WAITS = ("concurrent.futures.wait", "concurrent.futures.as_completed")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every executor that the module makes."""
    for acquisition, track in acquired(project, project.functions(module), "executor"):
        if project.resources.released(acquisition) or track.escaped or track.entered:
            continue
        held = owner(project, track)
        if _is_waited_for(track, held, project):
            continue
        readers = "" if module_level(track) or track.has("submit", "map") else _readers(held, project)
        if readers == "none":
            continue  # it starts no thread before the first job
        stop = stop_method(project, held[0], acquisition.fn) if held else None
        what = f"`{label(acquisition, track)}`"
        where = f"; `{stop.qualname}` forgets it" if stop else ""
        yield RULE.finding(
            module,
            acquisition.call.span,
            f"executor {what} is never shut down: the exit waits for every queued job{where}",
            tier="S" if readers == "unknown" or _is_global(acquisition, track, project) else "D",
            trace=(stop_step(stop),) if stop else (),
            help=f"call `{label(acquisition, track)}.shutdown(cancel_futures=True)` where its owner ends, or use `with`",
            fix=_fix(module, acquisition, track, project),
        )


def _is_global(acquisition: Acquisition, track: Track, project: Project) -> bool:
    return module_level(track) or acquisition.fn.is_module or class_level(acquisition, project)


def _readers(held: tuple[Cls, Attribute] | None, project: Project) -> str:
    """Who reads the attribute that holds it, and may give it jobs in a way that is not seen: "none", "unknown", "known"."""
    if held is None:
        return "none"
    found = "none"
    for fn in project.calls.mentioning(held[1].name):
        for site in (site for site in fn.attributes(held[1].name) if not _is_written(site)):
            of = _is_of(site, fn, held[0], project)
            if of:
                return "known"
            found = "unknown" if of is None else found
    return found


def _is_of(site: Site, fn: Fn, cls: Cls, project: Project) -> bool | None:
    """Whether the attribute is that of an instance of the class; None where the object is not known."""
    receiver = site.expr.value if isinstance(site.expr, Attr) else None
    if isinstance(receiver, Name) and receiver.id == fn.self_name and fn.cls is not None:
        return fn.cls in project.classes.family(cls)
    known = [v.cls for v in project.evaluate.values(receiver, fn) if isinstance(v, Instance)] if receiver else []
    return any(c in project.classes.family(cls) for c in known if isinstance(c, Cls)) if known else None


def _is_written(site: Site) -> bool:
    return isinstance(site.at.stmt, Assign) and any(target is site.expr for target in site.at.stmt.targets)


def _is_waited_for(track: Track, held: tuple[Cls, Attribute] | None, project: Project) -> bool:
    """Whether each function that gives it jobs waits behind the last of them for all: none is left when it ends.

    Who takes all that comes of ``map`` has waited for its jobs, and the collector ends the threads with the executor, or
    with its owner if that has no stop method.
    """
    jobs = track.methods("submit", "map")
    if module_level(track) or not jobs:
        return False
    kept = held is not None and any(name in project.classes.methods(held[0]) for name in STOP_METHODS)
    if not kept and all(job.name == "map" and _takes_all(job.site) for job in jobs):
        return True
    return all(
        _waits_behind(fn, max(job.site.call.span for job in jobs if job.fn is fn), project)
        for fn in {job.fn for job in jobs}
    )


def _takes_all(site: Site) -> bool:
    """``list(pool.map(f, xs))``, ``[one for one in pool.map(f, xs)]``, and a loop without a way out of it."""
    around = site.parents[0] if site.parents else None
    if isinstance(around, Call):
        return isinstance(around.func, Name) and around.func.id in _TAKERS
    if isinstance(around, Comp):
        return around.kind != "generator" and any(clause.iter is site.expr for clause in around.clauses)
    stmt = site.at.stmt
    return isinstance(stmt, For) and stmt.iter is site.expr and not _is_left(stmt)


def _is_left(loop: For) -> bool:
    return any(isinstance(at.stmt, (Break, Return)) for at in walk(loop.body))


def _waits_behind(fn: Fn, last: Span, project: Project) -> bool:
    return any(
        (site.call.span.end_line, site.call.span.end_col) > (last.end_line, last.end_col)
        and (
            (project.calls.is_call_to(site.call, fn, *_WAITS) and _is_unlimited(argument(site.call, 1, "timeout")))
            or (last_name(site.call.func) == "result" and not site.call.args)
        )
        for site in fn.sites
    )


def _is_unlimited(limit: Expr | None) -> bool:
    return limit is None or (isinstance(limit, Const) and limit.value is None)


def _fix(module: ModuleFacts, acquisition: Acquisition, track: Track, project: Project) -> Fix | str:
    if track.attribute_places():
        return shutdown_fix(module, track, project)
    if acquisition.fn.is_module or acquisition.fn.facts.is_async:
        return "it is made at the top of the file, or in a coroutine that `with` would block"
    if len(track.places) != 1 or not isinstance(track.places[0], Local) or track.places[0].fn is not acquisition.fn:
        return "more than one name holds it"
    return Fix("unsafe", "leave it by `with`", "shd204")
