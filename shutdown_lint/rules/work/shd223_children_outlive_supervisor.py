"""A supervising loop that ends when it is told, and leaves the children that it watches.

## What it does
Reports a child process that a loop starts and watches (``poll``, ``is_alive``, ``join`` inside of the loop), when the loop has a way
out and nothing behind it, or anywhere else, stops or waits for the children.

## Why it matters
The supervisor obeys its stop and returns. Its children live on without anybody who watches them: orphans that hold ports and locks
against the next start, or, with ``multiprocessing``, an exit that waits for them without limit.

## Example
```python
import subprocess


class Supervisor:
    def __init__(self, command):
        self._command = command
        self._running = True

    def stop(self):
        self._running = False

    def run(self):
        child = subprocess.Popen(self._command)
        while self._running:
            if child.poll() is not None:
                child = subprocess.Popen(self._command)
```

## Use instead
```python
import subprocess


class Supervisor:
    def __init__(self, command):
        self._command = command
        self._running = True

    def stop(self):
        self._running = False

    def run(self):
        child = subprocess.Popen(self._command)
        while self._running:
            if child.poll() is not None:
                child = subprocess.Popen(self._command)
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
```

## Precision
Silent for children that the loop awaits without limit, that are handed on or whose pid or input is used (other than to log it), for
loops that run until their children have ended, and where anybody sets, puts into or closes an event, queue or pipe that the child
was given or tests. A child that is ended only to make room for the next one is not stopped by that. Daemonic processes are
reported: `multiprocessing` ends them by SIGTERM at the exit, in the midst of their work, and then waits without limit. No finding in
28 packages at the time of writing.

## References
- [subprocess.Popen](https://docs.python.org/3/library/subprocess.html#subprocess.Popen.poll)
- [multiprocessing.Process.daemon](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Process.daemon)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.findings import Finding
from shutdown_lint.project import Project
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.tracks import Use
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._common import acquired, label
from shutdown_lint.rules.work._supervising import Supervision, is_logged, is_renewal, is_told_itself, supervision

RULE = Rule(
    code="SHD223",
    name="children-outlive-supervisor",
    summary="a supervising loop returns and leaves the children that it started",
    tier="D",
    severity="warning",
    triggers=("Popen", "Process"),
    origin=("G9", "G14"),
)
_BY_GROUP = frozenset({"killpg", "active_children"})
_LEFT = {"process": "the exit waits for it without limit", "child": "it lives on without a parent"}


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every child that the module starts and watches; several that rest in one place are one."""
    seen: set[tuple[int, str]] = set()
    for acquisition, track in acquired(project, project.functions(module), "process", "child"):
        if track.escaped or track.entered:
            continue
        uses = [u for u in track.uses if u.kind in ("method", "read") and not is_renewal(u, acquisition, project)]
        uses = [use for use in uses if not is_logged(use)]
        if any(_ends(use, acquisition, project) for use in uses):
            continue
        found = supervision(uses, acquisition, track, project)
        if found is None or _by_group(found, project) or is_told_itself(acquisition, project):
            continue
        name = label(acquisition, track)
        if (id(found.loop.at.stmt), name) not in seen:
            seen.add((id(found.loop.at.stmt), name))
            yield _finding(module, acquisition, name, found)


def _ends(use: Use, acquisition: Acquisition, project: Project) -> bool:
    """A stop, the pid for someone else to signal, its input, or a wait without limit, which comes back when it has ended."""
    if use.name in ("pid", "stdin") or use.name in acquisition.model.stop:
        return True
    wait = project.protocol.wait(use.site, use.fn) if use.kind == "method" else None
    return wait is not None and not wait.bounded


def _by_group(found: Supervision, project: Project) -> bool:
    """Whether the supervisor, or who calls it, ends its children by another handle: their group, or a list of all of them."""
    near = {found.loop.fn, *(caller.fn for caller in project.calls.callers(found.loop.fn))}
    return any(_BY_GROUP & fn.mentions for caller in near for fn in project.protocol.reach(caller))


def _finding(module: ModuleFacts, acquisition: Acquisition, name: str, found: Supervision) -> Finding:
    ends = acquisition.model.stop[0] if acquisition.model.stop else "terminate"
    loop, watch = found.loop, found.watch
    daemon = acquisition.model.kind == "process" and acquisition.daemon is True
    left = (
        "`multiprocessing` sends it SIGTERM at the exit, whatever it is doing, and waits without limit"
        if daemon
        else _LEFT[acquisition.model.kind]
    )
    return RULE.finding(
        module,
        acquisition.call.span,
        f"`{loop.fn.qualname}` returns when it is told to stop and leaves child `{name}`, which nothing stops: {left}",
        trace=(
            loop.step(f"the loop in `{loop.fn.qualname}` ends when it is told"),
            watch.fn.step(watch.site.at.stmt.span, f"`{watch.name}` looks at the child inside of the loop only"),  # type: ignore[union-attr]  # a statement with an expression
            *((loop.fn.step(found.way_out, "here it leaves the loop, and the children"),) if found.way_out else ()),
        ),
        help=f"behind the loop, `{ends}()` the children, wait for them with a limit, then kill",
    )
