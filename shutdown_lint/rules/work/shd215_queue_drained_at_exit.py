"""An executor that is shut down without `cancel_futures=True`: the stop lasts as long as its queue.

## What it does
Reports `executor.shutdown()` in a method that ends its owner, in a `finally` or in an exit callback, and
the end of a `with` block around an endless loop that submits jobs, where the queued jobs are not cancelled.

## Why it matters
`shutdown(wait=True)`, which `with` calls too, runs every job that is still queued. A service that took in a thousand jobs before
SIGTERM works them all off before it ends, or is killed in the midst of one when the grace period is over.

## Example
```python
from concurrent.futures import ThreadPoolExecutor


class Mailer:
    def __init__(self, send):
        self._send = send
        self._pool = ThreadPoolExecutor(2)

    def post(self, message):
        self._pool.submit(self._send, message)

    def close(self):
        self._pool.shutdown()
```

## Use instead
```python
from concurrent.futures import ThreadPoolExecutor


class Mailer:
    def __init__(self, send):
        self._send = send
        self._pool = ThreadPoolExecutor(2)

    def post(self, message):
        self._pool.submit(self._send, message)

    def close(self):
        self._pool.shutdown(cancel_futures=True)
```

## Fix safety
Unsafe: the queued jobs are dropped. Offered for `shutdown()` only, not for a `with` block.

## Precision
Whether the queued jobs may be dropped is for the author to say, hence the strict tier. Tier D where others queue calls of their
own without a bound, the function promises an end (`stop`, `shutdown`; not `close` or `__exit__`) and the author said neither `wait`
nor `cancel_futures`. A preview where the author wrote `wait=True`, waits for the jobs before, or where a `with` block ends: of 11
read in 56 packages, 8 were there to work the queue off. Silent for jobs over known items in a `with` block, for executors that are
handed over, where the results are waited for at once, where futures are cancelled by hand, and for projects that run on Python 3.8
(which lacks `cancel_futures`).

## References
- [Executor.shutdown](https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Executor.shutdown)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Attr, Call, Const, ModuleFacts, Name
from shutdown_lint.findings import Finding, Fix, Step, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.resources import STOP_METHODS, Acquisition
from shutdown_lint.project.tracks import Track, Use
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._stops import is_firm
from shutdown_lint.rules.work._common import acquired, label
from shutdown_lint.walk import Site, argument, enclosing_loops, has_star, last_name, sites, text

RULE = Rule(
    code="SHD215",
    name="queue-drained-at-exit",
    summary="an executor is left without `cancel_futures=True`: the stop lasts as long as its queue",
    tier="D",
    severity="info",
    fix="unsafe",
    triggers=("PoolExecutor",),
    origin=("G13",),
)
# What bounds the number of jobs that may wait.
_HELD_BACK = frozenset({"acquire", "Semaphore", "BoundedSemaphore", "qsize", "_work_queue"})
_WAITS = re.compile(r"wait|as_completed|drain|flush", re.IGNORECASE)
_FIX = Fix("unsafe", "drop the jobs that have not begun, by `cancel_futures=True`", "shd215")
_EXIT_ROLES = frozenset({"atexit", "thread-atexit", "signal-handler", "loop-signal-callback", "finalizer", "del"})


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every executor that the module makes."""
    if project.target_version < (3, 9):
        return
    for acquisition, track in acquired(project, project.functions(module), "executor"):
        jobs = [use for use in track.methods("submit") if not _is_fetched(use.site)]
        if not jobs or track.escaped:
            continue
        yield from _shut_down(acquisition, track, jobs, project)
        yield from _left(acquisition, track, jobs, project)


def _is_fetched(site: Site) -> bool:
    """`pool.submit(…).result()`: the queue never grows."""
    parents = site.parents
    return len(parents) > 1 and isinstance(parents[0], Attr) and isinstance(parents[1], Call)


def _shut_down(acquisition: Acquisition, track: Track, jobs: list[Use], project: Project) -> Iterator[Finding]:
    """A shutdown on the way out that waits for jobs which other functions have queued."""
    for use in track.methods("shutdown"):
        queued = [job for job in jobs if job.fn is not use.fn]
        if queued and _drains(use.site.call) and "cancel" not in use.fn.mentions and _is_stop(use, project):
            surely = _is_unsaid(use, project) and any(_is_open(job, project) for job in queued)
            meant = bool(use.site.call.args) or _has_waited(use.site)
            tier: Tier = "D" if surely and not meant else "P" if meant else "S"
            yield _finding(use.fn, use.site.call, acquisition, track, queued[0], tier)


def _has_waited(site: Site) -> bool:
    """Whether a wait for the jobs stands before the shutdown: the queue is meant to be worked off."""
    earlier = (inner for place in site.at.around() for inner in sites(place.before()))
    return any(_WAITS.search(last_name(inner.call.func)) for inner in earlier)


def _is_unsaid(use: Use, project: Project) -> bool:
    """``shutdown()`` in a function that promises an end: nothing shows that somebody thought of the queue."""
    return not use.site.call.args and not use.fn.name.startswith("__") and is_firm(use.fn, project)


def _is_open(job: Use, project: Project) -> bool:
    """Whether a public function queues the calls that its callers hand to it, and nothing holds them back."""
    if job.fn.name.startswith("_") or _HELD_BACK & job.fn.mentions:
        return False
    handed = {param.name for param in job.fn.facts.params} - {job.fn.self_name}
    work, *given = (arg.value for arg in job.site.call.args) if job.site.call.args else (None,)
    if isinstance(work, Name) and work.id in handed:
        return True
    for target in project.calls.callables(work, job.fn):
        called = {site.call.func.id for site in target.sites if isinstance(site.call.func, Name)}
        if any(
            isinstance(expr, Name) and expr.id in handed and param.name in called
            for expr, param in zip(given, target.facts.params)
        ):
            return True
    return False


def _drains(call: Call) -> bool:
    wait = argument(call, 0, "wait")
    if isinstance(wait, Const) and wait.value is False:
        return False
    return argument(call, 99, "cancel_futures") is None and not has_star(call)


def _is_stop(use: Use, project: Project) -> bool:
    """In a method that ends its owner, a `finally`, or an exit callback."""
    if use.fn.name in STOP_METHODS or any(place.part == "final" for place in use.site.at.around()):
        return True
    return bool(project.roles.kinds(use.fn) & _EXIT_ROLES)


def _left(acquisition: Acquisition, track: Track, jobs: list[Use], project: Project) -> Iterator[Finding]:
    """The `with` block around a loop that takes in jobs until the program is told to stop."""
    if track.has("shutdown"):
        return
    for use in track.uses:
        for job in jobs if use.kind == "with" else ():
            if job.fn is use.fn and "cancel" not in job.fn.mentions and _in_endless_loop(job, use, project):
                yield _finding(use.fn, acquisition.call, acquisition, track, job, "P")
                return


def _in_endless_loop(job: Use, block: Use, project: Project) -> bool:
    """Whether the job is queued by a loop without a known end, inside of the block."""
    endless = {id(loop.at.stmt) for loop in project.protocol.loops(job.fn)}
    for loop in enclosing_loops(job.site.at):
        if id(loop.stmt) in endless:
            return any(place.outer is not None and place.outer.stmt is block.site.at.stmt for place in loop.around())
    return False


def _finding(fn: Fn, call: Call, acquisition: Acquisition, track: Track, job: Use, tier: Tier = "S") -> Finding:
    name = label(acquisition, track)
    queued = Step(
        job.fn.path, job.site.call.span.line, job.site.call.span.col, f"`{text(job.site.call)}` fills the queue"
    )
    how = (
        "runs every job that is still queued"
        if call is not acquisition.call
        else "runs, at the end of its `with` block, every job that is still queued"
    )
    return RULE.finding(
        fn.module,
        call.span,
        f"`{text(call)}` {how}: the stop lasts as long as the queue of `{name}`",
        tier=tier,
        trace=(queued,),
        help=f"call `{name}.shutdown(cancel_futures=True)` if the queued jobs may be dropped, else limit the queue",
        fix=_FIX if call is not acquisition.call else "the executor is left by `with`",
    )
