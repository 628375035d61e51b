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
Tier S. Silent for daemon processes, for children that the loop awaits without limit, that are handed on or whose pid is read, and
for loops that run until their children have ended.

## References
- [subprocess.Popen](https://docs.python.org/3/library/subprocess.html#subprocess.Popen.poll)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import For, ModuleFacts, While
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.places import Attribute, Place, Track, Use
from shutdown_lint.project.protocol import Loop
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.rules._told import told_flag
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._common import acquired, label
from shutdown_lint.walk import At, enclosing_loops, own_exprs, sites, subexprs

RULE = Rule(
    code="SHD223",
    name="children-outlive-supervisor",
    summary="a supervising loop returns and leaves the children that it started",
    tier="S",
    severity="warning",
    triggers=("Popen", "Process"),
    origin=("G9", "G14"),
)
_WATCHES = frozenset({"poll", "is_alive", "join", "wait", "exitcode", "returncode"})


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every child that the module starts and watches."""
    for acquisition, track in acquired(project, project.functions(module), "process", "child"):
        if acquisition.daemon is True or track.escaped or track.entered or track.has(*acquisition.model.stop):
            continue
        uses = [use for use in track.uses if use.kind in ("method", "read")]
        watches = [use for use in uses if use.name in _WATCHES]
        if not watches or any(use.name == "pid" or _is_endless_wait(use, project) for use in uses):
            continue
        loop = _supervisor(watches, acquisition, project)
        if loop is not None and not _until_children_end(loop, track):
            yield _finding(module, acquisition, track, loop, watches[0])


def _is_endless_wait(use: Use, project: Project) -> bool:
    """A wait without limit comes back when the child has ended: the loop leaves none behind."""
    wait = project.protocol.wait(use.site, use.fn) if use.kind == "method" else None
    return wait is not None and not wait.bounded


def _supervisor(watches: list[Use], acquisition: Acquisition, project: Project) -> Loop | None:
    """The one loop in which all the watching is done, if it is told to stop."""
    for fn in _runners(watches[0].fn, project):
        for loop in project.protocol.loops(fn):
            if (
                loop.leaves
                and _starts(loop, acquisition, project)
                and all(_is_in(use, loop, project) for use in watches)
            ):
                if not is_test(fn) and told_flag(project, loop) is not None:
                    return loop
    return None


def _runners(fn: Fn, project: Project) -> tuple[Fn, ...]:
    """The function that watches, and those that call it."""
    return (fn, *dict.fromkeys(caller.fn for caller in project.calls.callers(fn)))


def _starts(loop: Loop, acquisition: Acquisition, project: Project) -> bool:
    """Whether the loop's function, or what it calls, starts the children."""
    return acquisition.fn in project.protocol.reach(loop.fn)


def _is_in(use: Use, loop: Loop, project: Project) -> bool:
    if use.fn is loop.fn:
        return any(at.stmt is loop.at.stmt for at in enclosing_loops(use.site.at)) or _is_test(use.site.at, loop)
    stmt = loop.at.stmt
    inside = sites(stmt.body) if isinstance(stmt, (While, For)) else ()
    called = {t.fn for site in inside for t in project.calls.targets(site.call, loop.fn)}
    outside = {caller.fn for caller in project.calls.callers(use.fn)} - {loop.fn}
    return use.fn in called and not outside


def _is_test(at: At, loop: Loop) -> bool:
    return at.stmt is loop.at.stmt


def _until_children_end(loop: Loop, track: Track) -> bool:
    """``while self.children:`` and ``while child.poll() is None:`` run until there is nobody left."""
    names = {place.name for place in track.places}
    return any(
        getattr(expr, "name", getattr(expr, "id", None)) in names
        for root in own_exprs(loop.at.stmt)
        for expr in subexprs(root)
    ) or any(_is_held(place, track.places) for place in loop.tests)


def _is_held(place: Place, places: tuple[Place, ...]) -> bool:
    return any(
        place.name == other.name and isinstance(place, Attribute) is isinstance(other, Attribute) for other in places
    )


def _finding(module: ModuleFacts, acquisition: Acquisition, track: Track, loop: Loop, watch: Use) -> Finding:
    name, ends = label(acquisition, track), acquisition.model.stop[0] if acquisition.model.stop else "terminate"
    return RULE.finding(
        module,
        acquisition.call.span,
        f"`{loop.fn.qualname}` returns when it is told to stop and leaves child `{name}`: nothing stops it or waits for it",
        trace=(
            loop.step(f"the loop in `{loop.fn.qualname}` ends when it is told"),
            watch.fn.step(watch.site.at.stmt.span, f"`{watch.name}` looks at the child inside of the loop only"),  # type: ignore[union-attr]  # a statement with an expression
        ),
        help=f"behind the loop, `{ends}()` the children, wait for them with a limit, then kill",
    )
