"""A non-daemon thread that nobody joins.

## What it does
Reports a started non-daemon ``threading.Thread`` that is never joined on any alias: as an error when its loop has no way
out, as a warning when its owner has a stop method that neither joins it nor tells its loop to end; else at tier S.

## Why it matters
The interpreter waits at exit for every non-daemon thread, without limit: a loop that nobody ends hangs the exit until
SIGKILL. A finite one works on while ``main`` already cleans up, and its exception is lost.

## Example
```python
import threading
import time


def report():
    while True:
        time.sleep(60)


def start():
    threading.Thread(target=report).start()
```

## Use instead
```python
import threading

stop = threading.Event()


def report():
    while not stop.wait(60):
        print("report")


def start():
    thread = threading.Thread(target=report)
    thread.start()
    return thread


def shutdown(thread):
    stop.set()
    thread.join(10)
```

## Fix safety
Unsafe: the stop then waits for the thread. Offered where an object of this file keeps the thread and has a stop method that the
thread does not call itself, and where the loop tests a flag or event of that object and waits for nothing else without limit.

## Precision
Silent when the thread is joined through a list, an alias, another method, base class or module, when it is returned or
handed over, when its daemon flag is not known, and for threads that were started to end something else
(``Thread(target=server.shutdown)``), and for daemons' threads, which take after their makers. An endless loop is at tier S where
``daemon=False`` is written out: the thread is the program then.

## References
- [Thread objects](https://docs.python.org/3/library/threading.html#thread-objects)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Call, ModuleFacts, Name, Return, While
from shutdown_lint.findings import Finding, Fix
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Loop
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.tracks import Place, Track
from shutdown_lint.rules._texts import THREAD
from shutdown_lint.rules._told import CLOSERS
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._common import (
    acquired,
    ends_by_error,
    inherits_daemon,
    keyword,
    label,
    names,
    owner,
    stop_method,
    stop_step,
)
from shutdown_lint.rules.work._stopping import join_fix
from shutdown_lint.walk import argument, enclosing_loops, sites, subexprs

RULE = Rule(
    code="SHD201",
    name="thread-not-joined",
    summary="a started non-daemon thread is never joined",
    tier="D",
    severity="warning",
    fix="unsafe",
    triggers=(THREAD,),
    origin=("G9", "G11"),
)

_TAKES = frozenset({"pop", "popleft", "popitem"})


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every non-daemon thread that the module starts."""
    for acquisition, track in acquired(project, project.functions(module), "thread"):
        if acquisition.model.name != "threading.Thread" or acquisition.daemon is not False:
            continue
        if project.resources.released(acquisition) or track.escaped or track.has("is_alive"):
            continue
        if inherits_daemon(acquisition, track, project):
            continue
        yield from _judge(module, project, acquisition, track)


def _judge(module: ModuleFacts, project: Project, acquisition: Acquisition, track: Track) -> Iterator[Finding]:
    targets = project.resources.bodies(acquisition)
    all_loops = (loop for t in targets for loop in project.protocol.worker_loops(t))
    endless = next((loop for loop in all_loops if not loop.leaves and not ends_by_error(loop, targets, project)), None)
    if endless is not None:
        yield _hangs(module, acquisition, track, endless)
        return
    held = owner(project, track)
    stop = stop_method(project, held[0], acquisition.fn) if held else None
    loops = [loop for t in targets for loop in project.protocol.worker_loops(t) if not _is_worklist(loop)]
    told = stop is not None and any(
        project.protocol.tells(stop, (*loop.tests, *_passed(acquisition, project))) for loop in loops if loop.tests
    )
    if stop is not None and loops and not told:
        known = all(loop.tests and not _ends_with_work(loop) and not _asks_another(loop, project) for loop in loops)
        if known and not _told_by_anyone(project, loops, targets) and not _tells_each(stop, loops, project):
            fix = join_fix(module, acquisition, track, project, RULE.code)
            yield _forgotten(module, acquisition, track, stop, loops[0], fix)
            return
    if names(argument(acquisition.call, 1, "target")) in CLOSERS:
        return  # it was started to end something that must not wait for itself: `Thread(target=server.shutdown)`
    yield RULE.finding(
        module,
        acquisition.call.span,
        f"thread `{label(acquisition, track)}` is never joined: the exit waits for it, and its exception and result are lost",
        tier="S",
        severity="info",
        help="keep the thread and join it, with a limit, where its owner ends",
        fix=join_fix(module, acquisition, track, project, RULE.code),
    )


def _tells_each(stop: Fn, loops: list[Loop], project: Project) -> bool:
    """``for worker in self.pool: worker.stop = True``, where what the list holds is not known."""
    tested = {place.name for loop in loops for place in loop.tests}
    return any(
        isinstance(target, Attr)
        and target.name in tested
        and isinstance(target.value, Name)
        and target.value.id != fn.self_name
        and any(enclosing_loops(at))
        for fn in project.protocol.reach(stop)
        if tested & fn.mentions
        for at in fn.statements
        if isinstance(at.stmt, Assign)
        for target in at.stmt.targets
    )


def _passed(acquisition: Acquisition, project: Project) -> Iterator[Place]:
    """What the thread is handed, by which its loop may be told: ``Thread(target=f, args=(self.stop_event, self.queue))``."""
    given = getattr(argument(acquisition.call, 99, "args"), "items", ())
    for value in given:
        yield from project.protocol.places_read(value, acquisition.fn)


def _is_worklist(loop: Loop) -> bool:
    """``while stack: … stack.pop()``: a list of its own that the loop works off, of which nobody else knows."""
    stmt = loop.at.stmt
    name = stmt.test.id if isinstance(stmt, While) and isinstance(stmt.test, Name) else ""
    if not name or name not in loop.fn.bindings or name in {param.name for param in loop.fn.facts.params}:
        return False
    calls = (site.call.func for site in sites(stmt.body)) if isinstance(stmt, While) else ()
    return any(isinstance(func, Attr) and func.name in _TAKES and names(func.value) == name for func in calls)


def _ends_with_work(loop: Loop) -> bool:
    """``while not task.done()``: the loop ends with what it waits for, and what ends that is another question."""
    stmt = loop.at.stmt
    return isinstance(stmt, While) and any(
        isinstance(part, Call) and names(part.func) == "done" for part in subexprs(stmt.test)
    )


def _asks_another(loop: Loop, project: Project) -> bool:
    """``while not self.controller.has_ended()``, of a controller that was handed in and is not known: who has it may end it."""
    stmt, cls = loop.at.stmt, project.classes.enclosing(loop.fn)
    for call in subexprs(stmt.test) if isinstance(stmt, While) and cls is not None else ():
        of = call.func.value if isinstance(call, Call) and isinstance(call.func, Attr) else None
        if not isinstance(call, Call) or not isinstance(of, Attr) or project.calls.targets(call, loop.fn):
            continue
        writes = project.classes.writes(cls, of.name) if cls is not None else []
        if any(names(write.value) in {param.name for param in write.fn.facts.params} for write in writes):
            return True
    return False


def _told_by_anyone(project: Project, loops: list[Loop], targets: tuple[Fn, ...]) -> bool:
    """Whether some method of the loops' owner, other than the worker and the constructor, tells them to end."""
    workers = {fn for target in targets for fn in project.protocol.reach(target)}
    for loop in loops:
        owner_class = project.classes.enclosing(loop.fn)
        methods = project.classes.methods(owner_class).values() if owner_class else ()
        if any(
            fn not in workers and fn.name != "__init__" and project.protocol.tells(fn, loop.tests) for fn in methods
        ):
            return True
    return any(_is_told_behind_test(loop, workers, project) for loop in loops)


def _is_told_behind_test(loop: Loop, workers: set[Fn], project: Project) -> bool:
    """``while not self.server.has_ended()``: whether a method of the server writes what ``has_ended`` reads."""
    stmt = loop.at.stmt
    calls = [part for part in subexprs(stmt.test) if isinstance(part, Call)] if isinstance(stmt, While) else []
    for asked in (target.fn for call in calls for target in project.calls.targets(call, loop.fn)):
        returned = [at.stmt.value for at in asked.statements if isinstance(at.stmt, Return) and at.stmt.value]
        read = [place for value in returned for place in project.protocol.places_read(value, asked)]
        methods = project.classes.methods(asked.cls).values() if asked.cls is not None and read else ()
        others = (fn for fn in methods if fn not in workers and fn.name != "__init__")
        if any(project.protocol.tells(fn, read) for fn in others):
            return True
    return False


def _hangs(module: ModuleFacts, acquisition: Acquisition, track: Track, loop: Loop) -> Finding:
    # written out, the default says that the thread is there to keep the program alive
    meant = keyword(acquisition.call, "daemon") is not None
    return RULE.finding(
        module,
        acquisition.call.span,
        f"thread `{label(acquisition, track)}` is no daemon and its loop in `{loop.fn.qualname}` has no way out: the exit hangs until the process is killed",
        tier="S" if meant else None,
        severity="error",
        trace=(
            acquisition.fn.step(acquisition.call.span, f"started in `{acquisition.fn.qualname}`, never joined"),
            loop.step(f"endless loop in `{loop.fn.qualname}`"),
        ),
        help="let the loop test a `threading.Event`, set it where the program ends, then join the thread",
        fix="its loop has no way out",
    )


def _forgotten(
    module: ModuleFacts, acquisition: Acquisition, track: Track, stop: Fn, loop: Loop, fix: Fix | str
) -> Finding:
    return RULE.finding(
        module,
        acquisition.call.span,
        f"`{stop.qualname}` neither tells thread `{label(acquisition, track)}` to end nor joins it: the exit waits for it without limit",
        trace=(loop.step(f"its loop in `{loop.fn.qualname}`"), stop_step(stop)),
        help=f"in `{stop.qualname}`, set what the loop tests and join the thread with a limit",
        fix=fix,
    )
