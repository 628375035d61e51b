"""A multiprocessing pool that is never closed, or left while its jobs run: the jobs are killed.

## What it does
Reports a `multiprocessing.Pool` (or `ThreadPool`) that is neither terminated nor joined nor used in `with`, and inside of
`with Pool()` the asynchronous jobs whose result is dropped or fetched only behind the block.

## Why it matters
Leaving the `with` block, and the exit of the interpreter, call `terminate()`: the workers are killed in the midst of their
jobs, without a `finally`. A result that is fetched after that never comes: `get()` hangs. A pool that is left to the
garbage collector may hang the exit.

## Example
```python
import multiprocessing


def convert(paths, to_png):
    with multiprocessing.Pool() as pool:
        for path in paths:
            pool.apply_async(to_png, (path,))
```

## Use instead
```python
import multiprocessing


def convert(paths, to_png):
    with multiprocessing.Pool() as pool:
        pool.map(to_png, paths)
```

## Precision
Silent where the pool is closed and joined in the block, where it is returned or handed over, and where results are kept in
a place that the analysis does not see to its end. Tier S for pools that live as long as
the program: those held by a module, and those of a class without a stop method that run no job in the background.

## References
- [Process pools](https://docs.python.org/3/library/multiprocessing.html#module-multiprocessing.pool)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import ModuleFacts, With
from shutdown_lint.findings import Finding
from shutdown_lint.project import Project
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.tracks import Track, Use
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._common import acquired, class_level, label, module_level, owner, stop_method, stop_step
from shutdown_lint.walk import At, argument, text

RULE = Rule(
    code="SHD205",
    name="pool-not-closed",
    summary="a multiprocessing pool is never closed and joined, or left while its jobs run",
    tier="D",
    severity="warning",
    triggers=(r"re:Pool(?!Executor)\w*\(|Pool as",),
    origin=("G11",),
)
_ASYNC = ("apply_async", "map_async", "starmap_async")
_COLLECTS = ("get", "wait")
_FINISHES = ("close", "join")
_HELP = "collect the results inside the block, or call `close()` and then `join()` there"


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every pool that the module makes."""
    for acquisition, track in acquired(project, project.functions(module), "pool"):
        if acquisition.model.name != "multiprocessing.pool.Pool":  # what other pools hold, and lose, differs
            continue
        if track.entered:
            yield from _left_early(module, acquisition, track, project)
        elif not project.resources.released(acquisition) and not track.escaped and _is_at_stake(track, project):
            yield _never_closed(module, acquisition, track, project)


def _is_at_stake(track: Track, project: Project) -> bool:
    """A closed pool ends by itself when its jobs are done: only what nobody waits for is at stake."""
    return not track.has("close") or not all(_is_collected(job, project) for job in track.methods(*_ASYNC))


def _never_closed(module: ModuleFacts, acquisition: Acquisition, track: Track, project: Project) -> Finding:
    held = owner(project, track)
    shared = _is_global(acquisition, track) or class_level(acquisition, project)
    stop = stop_method(project, held[0], acquisition.fn) if held and not shared else None
    jobs = [job for job in track.methods(*_ASYNC) if not _is_collected(job, project)]
    name = label(acquisition, track)
    loses = "jobs that still run are killed at exit" if jobs else "its workers stay until the interpreter ends"
    closed = "closed but never joined" if track.has("close") else "never closed"
    forgets = f"; `{stop.qualname}` forgets it" if stop else ""
    return RULE.finding(
        module,
        acquisition.call.span,
        f"pool `{name}` is {closed}: {loses}{forgets}",
        tier="S" if shared or not (jobs or stop or held is None) else "D",
        lost=[job.fn.step(job.site.call.span, f"`{text(job.site.call)}` in {job.fn.qualname}") for job in jobs],
        trace=(stop_step(stop),) if stop else (),
        help=f"use `with`, or call `{name}.close()` and `{name}.join()` where its owner ends",
    )


def _is_collected(job: Use, project: Project) -> bool:
    """Whether the function that queues the job fetches its result, and so waits for it."""
    if job.site.dropped:
        return False
    result = project.resources.track_site(job.site, job.fn)
    return any(use.fn is job.fn and not use.site.call.args for use in result.methods("get"))


def _is_global(acquisition: Acquisition, track: Track) -> bool:
    return module_level(track) or acquisition.fn.is_module


def _left_early(module: ModuleFacts, acquisition: Acquisition, track: Track, project: Project) -> Iterator[Finding]:
    """Jobs started in a `with` whose end terminates them."""
    blocks = [use.site.at for use in track.uses if use.kind == "with" and isinstance(use.site.at.stmt, With)]
    for block in blocks:
        if any(_is_in(use.site.at, block) for use in track.methods(*_FINISHES)) or track.escaped:
            continue
        for job in track.methods(*_ASYNC):
            if _is_in(job.site.at, block):
                yield from _job(module, job, block, project)


def _job(module: ModuleFacts, job: Use, block: At, project: Project) -> Iterator[Finding]:
    call = job.site.call
    if job.site.dropped and _is_endless(job, project):  # to kill it is how it ends
        return
    if job.site.dropped:
        message = f"`{text(call)}` is killed when the `with` block ends: nobody collects its result there"
        lost = (job.fn.step(call.span, f"`{text(call)}` in {job.fn.qualname}"),)
        yield RULE.finding(module, call.span, message, lost=lost, help=_HELP)
        return
    result = project.resources.track_site(job.site, job.fn)
    fetched = result.methods(*_COLLECTS)
    if not fetched or result.escaped or any(use.fn is not job.fn or _is_in(use.site.at, block) for use in result.uses):
        return
    late = fetched[0]
    yield RULE.finding(
        module,
        late.site.call.span,
        f"`{text(late.site.call)}` comes after the `with` block that terminated its pool: a job that was not done by then is lost, and the wait for it never ends",
        severity="error",
        lost=(job.fn.step(call.span, f"`{text(call)}` in {job.fn.qualname}"),),
        trace=(job.fn.step(block.stmt.span, "the end of this block terminates the pool"),),  # type: ignore[union-attr]  # a with statement
        help=_HELP,
    )


def _is_endless(job: Use, project: Project) -> bool:
    given = argument(job.site.call, 0, "func")
    targets = project.calls.callables(given, job.fn)
    return any(not loop.leaves for target in targets for loop in project.protocol.worker_loops(target))


def _is_in(at: At, block: At) -> bool:
    return any(place.outer is not None and place.outer.stmt is block.stmt for place in at.around())
