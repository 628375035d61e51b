"""A task that its owner keeps, and that no stop path cancels and awaits.

## What it does
Reports an asyncio task kept in an attribute of a class which has a stop method, when nothing cancels or awaits it on any
alias: at the default tier where the task's loop surely goes on after the stop, else at tier S. At tier S also a task with
cleanup of its own that is cancelled and never awaited, and one that ``__aenter__`` starts and waits for: cancelled in that wait,
it leaves the task, since ``__aexit__`` is not called.

## Why it matters
``close()`` returns, and the task still runs: it uses what was just closed, keeps the owner alive, and is cut off unseen when
the loop ends. A cancelled task that nobody awaits has not even begun its cleanup when ``close()`` returns.

## Example
```python
import asyncio


class Heartbeat:
    def __init__(self, channel):
        self._channel = channel

    async def start(self):
        self._task = asyncio.create_task(self._beat())

    async def _beat(self):
        while True:
            await asyncio.sleep(30)
            print("beat")

    async def close(self):
        await self._channel.close()
```

## Use instead
```python
import asyncio
import contextlib


class Heartbeat:
    def __init__(self, channel):
        self._channel = channel

    async def start(self):
        self._task = asyncio.create_task(self._beat())

    async def _beat(self):
        while True:
            await asyncio.sleep(30)
            print("beat")

    async def close(self):
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._channel.close()
```

## Precision
Silent where the task is handed to anything (``gather``, ``wait``, a task group), where its result is asked for, where a
stop method looks at it, where the stop touches what the task's loop looks at, and where the task is made by the stop itself.

## References
- [Task cancellation](https://docs.python.org/3/library/asyncio-task.html#task-cancellation)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, ModuleFacts, Span
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.tracks import Attribute, Track, Use
from shutdown_lint.rules._told import Untold, untold
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._async_cleanup import async_cleanup
from shutdown_lint.rules.work._common import acquired, label, owner, stop_methods, stop_step
from shutdown_lint.rules.work._entered_late import EnteredLate, entered_late
from shutdown_lint.walk import Site, enclosing_loops, text

RULE = Rule(
    code="SHD209",
    name="task-not-finished",
    summary="a kept task that no stop path cancels and awaits",
    tier="D",
    severity="warning",
    triggers=("create_task", "ensure_future"),
    origin=("G9",),
)
_NEVER = 10**9  # a line behind every function's end: all that a stop method does counts
_TELLS = frozenset({"set", "set_result", "set_exception"})
_OUTCOMES = ("result", "exception", "done", "__await__")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every task that the module keeps in an attribute."""
    seen: set[Span] = set()  # tasks of several makers that one place cancels
    for fn in project.functions(module):
        yield from (_entered_late(module, fn, late) for late in entered_late(fn, project) if not is_test(fn))
    for acquisition, track in acquired(project, project.functions(module), "task"):
        held = owner(project, track)
        if held is None or track.escaped or any(use.kind == "await" for use in track.uses):
            continue
        stops = tuple(fn for fn in stop_methods(project, held[0], acquisition.fn) if fn.name != "__del__")
        if not stops or _is_made_by(acquisition, stops, project):
            continue
        cancels = [use for use in track.uses if use.name == "cancel" and use.kind in ("method", "read")]
        if cancels:
            for finding in _not_awaited(module, acquisition, track, cancels, project):
                if finding.span not in seen:
                    seen.add(finding.span)
                    yield finding
        elif not track.has(*_OUTCOMES) and not _looked_at(track, stops, project):
            yield from _forgotten(module, acquisition, track, stops, project)


def _entered_late(module: ModuleFacts, fn: Fn, late: EnteredLate) -> Finding:
    return RULE.finding(
        module,
        late.wait.span,
        f"when `{fn.qualname}` is cancelled in `{text(late.wait)}`, task `{text(late.kept)}` goes on: "
        "`__aexit__` is not called where `__aenter__` has not come back",
        tier="S",
        trace=(fn.step(late.task.span, "the task is started here"),),
        help=f"cancel `{text(late.kept)}` in an `except BaseException` around the wait, and raise again",
    )


def _is_made_by(acquisition: Acquisition, stops: tuple[Fn, ...], project: Project) -> bool:
    """Whether a stop method starts the task, or is what it runs: then it belongs to the shutdown."""
    bodies = project.resources.bodies(acquisition)
    reached = {fn for stop in stops for fn in project.protocol.reach(stop)}
    return acquisition.fn in reached or any(body in stops for body in bodies)


def _looked_at(track: Track, stops: tuple[Fn, ...], project: Project) -> bool:
    """Whether a stop method, or what it calls, reads an attribute in which the task rests."""
    names = {place.name for place in track.attribute_places()}
    return any(
        not _is_rebound(site.expr, site.at.stmt) and not _is_emptied(site)
        for stop in stops
        for fn in project.protocol.reach(stop)
        for name in names & fn.mentions
        for site in fn.attributes(name)
    )


def _is_emptied(site: Site) -> bool:
    """``self._tasks.clear()``, which forgets the tasks and ends none."""
    return bool(site.parents) and isinstance(site.parents[0], Attr) and site.parents[0].name == "clear"


def _is_rebound(expr: object, stmt: object) -> bool:
    return isinstance(stmt, Assign) and any(target is expr for target in stmt.targets)


# --- forgotten -------------------------------------------------------------------------------------------------------------


def _forgotten(
    module: ModuleFacts, acquisition: Acquisition, track: Track, stops: tuple[Fn, ...], project: Project
) -> Iterator[Finding]:
    bodies = project.resources.bodies(acquisition)
    loop = untold(project, bodies, stops, _NEVER)
    name = label(acquisition, track)
    if loop is not None:
        yield _goes_on(module, acquisition, track, stops, loop)
    elif (
        bodies
        and all(project.protocol.ending(body) in ("finite", "unknown") for body in bodies)
        and not any(_tells_its_end(body) for body in bodies)
    ):
        yield RULE.finding(
            module,
            acquisition.call.span,
            f"`{stops[0].qualname}` neither awaits nor cancels task `{name}`: its work may be cut off, and its exception is lost",
            tier="S",
            severity="info",
            confidence="likely",
            trace=(stop_step(stops[0]),),
            help=f"await `{name}`, with a limit, in `{stops[0].qualname}`",
        )


def _tells_its_end(body: Fn) -> bool:
    """Whether the task sets an event or a future in ``finally``: who waits for that waits for the task."""
    return any(
        getattr(site.call.func, "name", "") in _TELLS and any(place.part == "final" for place in site.at.around())
        for site in body.sites
    )


def _goes_on(
    module: ModuleFacts, acquisition: Acquisition, track: Track, stops: tuple[Fn, ...], found: Untold
) -> Finding:
    stop, loop, name = stops[0], found.loop, label(acquisition, track)
    plural = "the tasks in " if any(place.contains for place in track.attribute_places()) else ""
    return RULE.finding(
        module,
        acquisition.call.span,
        f"`{stop.qualname}` neither cancels nor awaits {plural or 'task '}`{name}`: the loop in `{loop.fn.qualname}` {found.why} and runs on",
        lost=(
            loop.step(f"the end of the loop in `{loop.fn.qualname}`: it is cut off unseen when the event loop ends"),
        ),
        trace=(
            acquisition.fn.step(acquisition.call.span, f"started in `{acquisition.fn.qualname}`"),
            *map(stop_step, stops[:2]),
        ),
        help=f"in `{stop.qualname}`, `cancel()` what is in `{name}` and await it"
        if plural
        else f"in `{stop.qualname}`, call `{name}.cancel()` and await `{name}`",
    )


# --- cancelled, never awaited ----------------------------------------------------------------------------------------------


def _not_awaited(
    module: ModuleFacts, acquisition: Acquisition, track: Track, cancels: list[Use], project: Project
) -> Iterator[Finding]:
    """A stop method that could await cancels and goes on, while the task still has cleanup before it."""
    stop = next((use for use in cancels if use.fn.facts.is_async and _is_kept(use, track)), None)
    if stop is None or track.has(*_OUTCOMES):
        return
    lost = tuple(step for body in project.resources.bodies(acquisition) for step in async_cleanup(body, project))
    if lost:
        name = label(acquisition, track)
        yield RULE.finding(
            module,
            stop.site.call.span,
            f"`{name}` is cancelled and never awaited: {lost[0].text} has not run when `{stop.fn.qualname}` returns",
            tier="S",
            lost=lost[:3],
            trace=(acquisition.fn.step(acquisition.call.span, f"started in `{acquisition.fn.qualname}`"),),
            help=f"await `{name}` after `cancel()`, and swallow its CancelledError there",
        )


def _is_kept(use: Use, track: Track) -> bool:
    """Whether the task rests in an attribute: it is called there, or by the variable of a loop over what is in it."""
    held = track.attribute_places()
    if use.kind != "method" or not held:
        return False
    return isinstance(use.place, Attribute) or (
        all(place.contains for place in held) and next(enclosing_loops(use.site.at), None) is not None
    )
