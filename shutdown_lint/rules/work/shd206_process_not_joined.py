"""A child process that is started and never joined.

## What it does
Reports a ``multiprocessing.Process`` that is started, is no daemon, and is never joined on any alias.

## Why it matters
The child stays a zombie until its parent ends, and the parent's exit waits for it without limit: multiprocessing joins
every child that is left in an exit hook of its own.

## Example
```python
import multiprocessing


def launch(job):
    worker = multiprocessing.Process(target=job)
    worker.start()
    print("started", worker.name)
```

## Use instead
```python
import multiprocessing


def launch(job):
    worker = multiprocessing.Process(target=job)
    worker.start()
    print("started", worker.name)
    worker.join(timeout=30)
```

## Precision
Silent for daemon processes, for children that are waited for by ``sentinel``, ``exitcode`` or ``is_alive``, and for
those that leave what the analysis sees. Tier S for one that is killed: it is a zombie, and holds nothing up; and for a daemon
process that is terminated and not joined.

## References
- [Joining processes](https://docs.python.org/3/library/multiprocessing.html#all-start-methods)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.findings import Finding
from shutdown_lint.project import Project
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.tracks import Track
from shutdown_lint.rules._texts import PROCESS
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._common import acquired, label, owner, stop_method, stop_step
from shutdown_lint.rules.work._locals import left_context

RULE = Rule(
    code="SHD206",
    name="process-not-joined",
    summary="a multiprocessing.Process is started and never joined",
    tier="D",
    severity="warning",
    triggers=PROCESS,
    origin=("G11", "G14"),
)
_ENDED_BY = ("terminate", "kill", "join")
_WATCHED = ("sentinel", "exitcode", "is_alive", "pid", "ident")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every process that the module starts."""
    for acquisition, track in acquired(project, project.functions(module), "process"):
        if project.resources.released(acquisition) or track.escaped or acquisition.daemon is None:
            continue
        if acquisition.daemon and track.methods("terminate"):
            yield _only_terminated(module, acquisition, track)
            continue
        if acquisition.daemon and not (left_context(acquisition, track) and not track.has("terminate", "kill")):
            continue
        if track.has(*_WATCHED) or project.calls.calls_named("active_children"):
            continue
        if any(use.kind == "read" and use.name in _ENDED_BY for use in track.uses):
            continue  # `atexit.register(child.terminate)` runs before the exit waits for the child
        held = owner(project, track)
        stop = stop_method(project, held[0], acquisition.fn) if held else None
        ended = track.methods("kill") or track.methods("terminate")
        waits = "" if ended and ended[0].name == "kill" else ", and the exit waits for it without limit"
        how = f"{'killed' if ended[0].name == 'kill' else 'terminated'}" if ended else "started"
        if acquisition.daemon:
            yield _left_behind(module, acquisition, track)
            continue
        yield RULE.finding(
            module,
            acquisition.call.span,
            f"process `{label(acquisition, track)}` is {how} and never joined: it stays a zombie{waits}",
            tier="D" if waits else "S",
            trace=(ended[0].fn.step(ended[0].site.call.span, f"{how} here, and not waited for"),)
            if ended
            else (stop_step(stop),)
            if stop
            else (),
            help="join it where its owner ends, with a limit, and terminate it when the limit is over",
        )


def _only_terminated(module: ModuleFacts, acquisition: Acquisition, track: Track) -> Finding:
    ask = track.methods("terminate")[0]
    return RULE.finding(
        module,
        acquisition.call.span,
        f"process `{label(acquisition, track)}` is terminated and not joined: nobody knows when it ends, and it stays a zombie until the exit",
        tier="S",
        severity="info",
        trace=(ask.fn.step(ask.site.call.span, "terminated here, and not waited for"),),
        help="join it with a limit, and kill it when the limit is over",
    )


def _left_behind(module: ModuleFacts, acquisition: Acquisition, track: Track) -> Finding:
    fn = acquisition.fn
    return RULE.finding(
        module,
        acquisition.call.span,
        f"process `{label(acquisition, track)}` is started for `with {fn.name}(…)` and goes on when the block is left: only the exit of the program ends it",
        trace=(fn.step(fn.facts.span, f"`{fn.qualname}` does nothing about it behind its `yield`"),),
        help="behind the `yield`, in `finally`, terminate it and join it with a limit",
    )
