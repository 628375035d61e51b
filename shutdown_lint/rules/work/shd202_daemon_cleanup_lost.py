"""A daemon thread is killed in the midst of work that reaches outside the process.

## What it does
Reports a daemon thread or daemon process that is never joined, whose target (or what it calls) writes files in ``with``,
holds a transaction, a lock file or a temporary folder, or cleans up in ``finally``. Each such cleanup is named.

## Why it matters
Daemon threads are stopped wherever they are when the interpreter ends: no ``finally`` runs, no ``with`` is left, no buffer
is flushed. What was half-written stays half-written.

## Example
```python
import threading


class Spool:
    def start(self):
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self):
        while True:
            with open("spool.log", "a") as out:
                out.write(self.next_line())
```

## Use instead
```python
import threading


class Spool:
    def __init__(self):
        self._stop = threading.Event()

    def start(self):
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self):
        while not self._stop.wait(1.0):
            with open("spool.log", "a") as out:
                out.write(self.next_line())

    def close(self):
        self._stop.set()
        self._thread.join(10)
```

## Fix safety
Unsafe: the stop then waits for the thread. Offered where an object of this file keeps the thread and has a stop method that the
thread does not call itself, and where the loop tests a flag or event of that object and waits for nothing else without limit.

## Precision
Only cleanup that reaches outside the process counts: files opened for writing, transactions, temporary files, lock files,
connections. Silent when the thread is joined anywhere, handed over, or polled with ``is_alive``, when its starter waits for an event that it
sets at its end, and for a file that is
written under another name and moved to its own when it is whole, also by a helper, or flushed after each piece: 7 of 16 findings
in unseen packages were of these kinds. What the thread is started with decides which branches it comes to.

## References
- [Thread objects, note on daemon threads](https://docs.python.org/3/library/threading.html#thread-objects)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, ModuleFacts, Name
from shutdown_lint.findings import Finding, Step
from shutdown_lint.project import Project
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.tracks import Track
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._common import acquired, label
from shutdown_lint.rules.work._durable import worker_cleanup
from shutdown_lint.rules.work._stopping import join_fix

RULE = Rule(
    code="SHD202",
    name="daemon-cleanup-lost",
    summary="a daemon thread is killed in the midst of cleanup that reaches outside the process",
    tier="D",
    severity="error",
    fix="unsafe",
    triggers=("daemon", "setDaemon"),
    origin=("G9",),
)


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every daemon that the module starts."""
    for acquisition, track in acquired(project, project.functions(module), "thread", "process"):
        if acquisition.daemon is not True or acquisition.model.name not in (
            "threading.Thread",
            "multiprocessing.Process",
        ):
            continue
        if project.resources.released(acquisition) or track.escaped or track.has("is_alive", "terminate"):
            continue
        lost = worker_cleanup(acquisition, project) if not _tells_its_end(acquisition, project) else ()
        if lost:
            yield _finding(module, project, acquisition, track, lost)


def _tells_its_end(acquisition: Acquisition, project: Project) -> bool:
    """Whether who starts the thread waits for the event that it sets in its ``finally``, as for a join."""
    starter = acquisition.fn
    told = {
        site.call.func.value.id
        for body in project.resources.bodies(acquisition)
        if body.parent is starter and "set" in body.mentions
        for site in body.sites
        if isinstance(site.call.func, Attr) and site.call.func.name == "set" and isinstance(site.call.func.value, Name)
        if any(place.part == "final" for place in site.at.around())
    }
    return any(
        isinstance(site.call.func, Attr)
        and site.call.func.name in ("wait", "is_set")
        and isinstance(site.call.func.value, Name)
        and site.call.func.value.id in told
        and site.call.span.line > acquisition.call.span.line
        for site in (starter.sites if told else ())
    )


def _finding(
    module: ModuleFacts, project: Project, acquisition: Acquisition, track: Track, lost: tuple[Step, ...]
) -> Finding:
    kind = "thread" if acquisition.model.kind == "thread" else "process"
    target = project.resources.bodies(acquisition)[0]
    return RULE.finding(
        module,
        acquisition.call.span,
        f"daemon {kind} `{label(acquisition, track)}` is killed at exit in the midst of {lost[0].text}",
        lost=lost,
        trace=(
            acquisition.fn.step(acquisition.call.span, f"started in `{acquisition.fn.qualname}`, never joined"),
            target.step(target.facts.span, f"runs `{target.qualname}` until the interpreter kills it"),
        ),
        help="keep the thread, tell its loop to end, and join it with a limit where its owner ends",
        fix=join_fix(module, acquisition, track, project, RULE.code),
    )
