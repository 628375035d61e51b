"""A destructor or weak reference callback that hands its cleanup to an event loop.

## What it does
Reports ``create_task``, ``ensure_future``, ``call_soon``, ``call_soon_threadsafe``, ``run_coroutine_threadsafe`` and
``run_until_complete`` in ``__del__``, in a ``weakref`` callback or finalizer, or in what they call.

## Why it matters
Objects that live until the end are collected when the loop is closed: the call raises RuntimeError in a destructor, where
nobody sees it, and the cleanup never runs. Before that, the collector may run in any thread, where no loop is running.

## Example
```python
import asyncio


class Connection:
    def __init__(self, loop, writer):
        self._loop = loop
        self._writer = writer

    async def aclose(self):
        self._writer.close()
        await self._writer.wait_closed()

    def __del__(self):
        asyncio.run_coroutine_threadsafe(self.aclose(), self._loop)
```

## Use instead
```python
import warnings


class Connection:
    def __init__(self, writer):
        self._writer = writer

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc_info):
        await self.aclose()

    async def aclose(self):
        self._writer.close()
        await self._writer.wait_closed()

    def __del__(self):
        if not self._writer.is_closing():
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self)
```

## Precision
A preview where the loop is one that a thread of the same module runs, and where the destructor looks whether the loop
runs or is closed, catches the RuntimeError, or makes a loop of its own: then nothing is raised, and of 6 read in 5
packages, 5 had a loop that would run.

## References
- [object.\\_\\_del\\_\\_](https://docs.python.org/3/reference/datamodel.html#object.__del__)
- [asyncio.run_coroutine_threadsafe](https://docs.python.org/3/library/asyncio-task.html#asyncio.run_coroutine_threadsafe)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Call, ModuleFacts, Try, With, WithItem
from shutdown_lint.findings import Finding, Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.rules.base import Rule
from shutdown_lint.walk import Site, last_name, text

RULE = Rule(
    code="SHD219",
    name="async-cleanup-in-del",
    summary="a destructor or weakref callback schedules work on an event loop",
    tier="D",
    severity="warning",
    triggers=(
        "def __del__",
        r"weakref & re:\b(?:ref|finalize|WeakMethod|proxy)\b\s*(?:\(|as\b)",
    ),
    origin=("G3",),
)
MAX_DEPTH = 2
_LOOP_ONLY = frozenset({"call_soon", "call_soon_threadsafe", "run_coroutine_threadsafe", "run_until_complete"})
_FROM_OTHER_THREADS = frozenset({"call_soon_threadsafe", "run_coroutine_threadsafe"})
_WORDS = _LOOP_ONLY | {"create_task", "ensure_future"}
_TASKS = ("asyncio.create_task", "asyncio.ensure_future", "asyncio.AbstractEventLoop.create_task")
_LOOPS = frozenset({"loop", "_loop", "event_loop", "_event_loop", "get_event_loop", "get_running_loop"})
_LOOKS = frozenset({"is_running", "is_closed", "new_event_loop", "get_running_loop", "is_finalizing"})
_STREAMS = ("asyncio.StreamWriter", "asyncio.BaseTransport")
_ENDS_STREAM = frozenset({"close", "abort"})
_FINALIZERS = ("weakref.finalize", "weakref.ref", "weakref.proxy")
_WHERE = {"weakref-callback": "a weakref callback", "finalizer": "a weakref finalizer"}


class _Start(NamedTuple):
    """A function that the collector runs."""

    fn: Fn
    what: str


class _Scheduled(NamedTuple):
    """A call that hands work to a loop; ``first`` is the call in the starting function by which it is reached."""

    site: Site
    fn: Fn
    first: Site
    guarded: bool


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at what the collector runs: destructors, and the callbacks that the module registers."""
    for start in _starts(module, project):
        found = next(_scheduled(start.fn, project, None, _is_guarded_function(start.fn), 0), None)
        if found is not None:
            yield _finding(module, start, found, project)


def _starts(module: ModuleFacts, project: Project) -> Iterator[_Start]:
    for fn in project.functions(module):
        if fn.name == "__del__" and fn.cls is not None and not is_test(fn):
            yield _Start(fn, f"`{fn.qualname}`")
        if fn.mentions & {"weakref", "finalize", "ref", "proxy"} and not is_test(fn):
            for site in fn.sites:
                if last_name(site.call.func) in ("finalize", "ref", "proxy"):
                    for registration in project.roles.at(site, fn):
                        where = _WHERE.get(registration.callback.role)
                        targets = (target for target in registration.targets if target.module is module)
                        yield from (_Start(t, f"`{t.qualname}`, {where},") for t in targets if where)


def _scheduled(fn: Fn, project: Project, first: Site | None, guarded: bool, depth: int) -> Iterator[_Scheduled]:
    for site in fn.sites:
        guard = guarded or _is_caught(site)
        named = last_name(site.call.func)
        if (named in _WORDS and _is_scheduling(site.call, fn, project)) or _closes_stream(site.call, fn, project):
            yield _Scheduled(site, fn, first or site, guard)
        elif depth < MAX_DEPTH and _runs_here(site):
            for target in project.calls.targets(site.call, fn):
                if target.confidence == "proven" and target.fn is not fn and not target.fn.facts.is_async:
                    inner = guard or _is_guarded_function(target.fn)
                    yield from _scheduled(target.fn, project, first or site, inner, depth + 1)


def _runs_here(site: Site) -> bool:
    return not isinstance(site.call.func, Call)


def _is_scheduling(call: Call, fn: Fn, project: Project) -> bool:
    if last_name(call.func) in _LOOP_ONLY:
        return not project.calls.targets(call, fn)
    known = project.calls.external(call, fn)
    if known:
        return any(name in _TASKS for name in known)
    if project.calls.targets(call, fn) or not isinstance(call.func, Attr):
        return False
    receiver = call.func.value
    return last_name(receiver.func if isinstance(receiver, Call) else receiver) in _LOOPS


def _closes_stream(call: Call, fn: Fn, project: Project) -> bool:
    """``self._writer.close()``: the transport below asks its loop to call what ends the connection."""
    if not isinstance(call.func, Attr) or call.func.name not in _ENDS_STREAM:
        return False
    model = project.resources.model_of(call.func.value, fn)
    return model is not None and model.name in _STREAMS


def _is_guarded_function(fn: Fn) -> bool:
    """Whether the function looks at the state of the loop, or makes a loop of its own."""
    return bool(fn.mentions & _LOOKS)


def _is_caught(site: Site) -> bool:
    """Inside of a ``try`` with a handler, or of ``suppress``: an exception there is foreseen."""
    return any(
        place.part == "body"
        and place.outer is not None
        and (
            (isinstance(place.outer.stmt, Try) and bool(place.outer.stmt.handlers))
            or (isinstance(place.outer.stmt, With) and any(map(_suppresses, place.outer.stmt.items)))
        )
        for place in site.at.around()
    )


def _suppresses(item: WithItem) -> bool:
    return isinstance(item.context, Call) and last_name(item.context.func) == "suppress"


def _runs_beside(found: _Scheduled, project: Project) -> bool:
    """Whether the loop is one that a thread of the same module runs: it still does when the collector is called at exit."""
    if last_name(found.site.call.func) not in _FROM_OTHER_THREADS:
        return False
    words = frozenset[str]().union(*(fn.mentions for fn in project.functions(found.fn.module)))
    return "Thread" in words and bool(words & {"run_forever", "run_until_complete"})


def _finding(module: ModuleFacts, start: _Start, found: _Scheduled, project: Project) -> Finding:
    given = found.site.call.args[0].value if found.site.call.args else None
    what = f"`{text(given)}`" if given is not None and text(given) != "…" else "its cleanup"
    does = f"hands {what} to an event loop by"
    if last_name(found.site.call.func) in _ENDS_STREAM:
        what, does = "the end of the connection", "closes a stream by"
    call = found.site.call
    path: tuple[Step, ...] = ()
    if found.fn is not start.fn:
        path = (
            start.fn.step(found.first.call.span, f"`{start.fn.qualname}` calls `{text(found.first.call)}`"),
            found.fn.step(call.span, f"`{found.fn.qualname}` hands it to the loop"),
        )
    return RULE.finding(
        module,
        found.first.call.span,
        f"{start.what} {does} `{text(call.func)}`: at exit the loop is closed and it never runs",
        tier="P" if found.guarded or _runs_beside(found, project) else "D",
        lost=(found.fn.step(call.span, f"{what}, for every object that lives until the program ends"),),
        trace=path,
        help="close the object in an `async with` or from its owner's `close()`; a destructor can warn, and release what needs no loop",
    )
