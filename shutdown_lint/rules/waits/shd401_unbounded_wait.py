"""A wait without limit on the way out, for something that nobody told to end.

## What it does
Reports, in functions that run at shutdown (``close``, ``stop``, ``shutdown``, ``__exit__``, atexit callbacks, …): a join of
a thread, process or task whose loop nobody tells to end, a wait for a child that was never asked to end, for an event that nobody
sets, and a polling loop without a deadline. A ``finally`` and a handler of ``KeyboardInterrupt`` count as well, and so does a
function that a stop function calls. So is a sentinel that is put into a queue with a size, which may be full; and, anywhere, a wait
for a child before the ``if child.is_alive(): child.kill()`` that is meant for one which does not end.

## Why it matters
The exit hangs until SIGKILL, and everything after the wait is lost.

## Example
```python
import subprocess


class Tunnel:
    def start(self):
        self._ssh = subprocess.Popen(["ssh", "-N", "host"])

    def stop(self):
        self._ssh.wait()
```

## Use instead
```python
import subprocess


class Tunnel:
    def start(self):
        self._ssh = subprocess.Popen(["ssh", "-N", "host"])

    def stop(self):
        self._ssh.terminate()
        try:
            self._ssh.wait(10)
        except subprocess.TimeoutExpired:
            self._ssh.kill()
            self._ssh.wait()
```

## Precision
Silent when a stop event, flag, sentinel, close or signal reaches the other side anywhere before, when its work is finite,
and when a limit is passed, even a variable one, or when the caller chose to have none. Tier D only where the other side's loop
surely goes on, or a thread works off the queue over the network; waits for a job, for any other queue, for an event that
somebody sets, or for room in a queue with a worker of its own are tier S, unless the function's name promises to wait (`drain`,
`flush`, `wait_closed`) or it asks something to end just before. Polling loops are tier S where the name promises to wait until
the work is done, where they ask something else (`while motor.is_moving():`) than what this code counts or started, and where a
helper waits for a start (`while not self.socket:`); preview
where the caller asks to wait, by a flag (`if wait:`) or by the function's name (`wait_closed`). Of seven in unseen packages none
was worth a change, and six were of these sorts.

## References
- [Thread.join](https://docs.python.org/3/library/threading.html#threading.Thread.join)
- [Popen.wait](https://docs.python.org/3/library/subprocess.html#subprocess.Popen.wait)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, Await, Call, Const, Expr, ModuleFacts, Name, While
from shutdown_lint.findings import Finding, Step
from shutdown_lint.models import is_standard
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Wait
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.rules._texts import AWAITED_NAME, ENDLESS, JOIN, STOPS
from shutdown_lint.rules._told import Untold, untold
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits import _dead_rung, _events, _full
from shutdown_lint.rules.waits._polls import (
    asks_others,
    awaits_a_start,
    chosen,
    cleared_in_finally,
    is_limited,
    limited,
    over_already,
    polls,
    retried_for_ever,
)
from shutdown_lint.rules.waits._stops import (
    WayOut,
    acquisitions_of,
    asked_to_end,
    in_final,
    is_firm,
    is_patient,
    is_stop,
    may_be_on_way_out,
    receiver,
    way_out,
)
from shutdown_lint.walk import At, Site, last_name, own_exprs, subexprs, text

RULE = Rule(
    code="SHD401",
    name="unbounded-wait",
    summary="a wait without limit on the way out, for something that nobody told to end",
    tier="D",
    severity="warning",
    triggers=(
        "@waits",
        ENDLESS,
        ".communicate(",
        r"futures & .wait(",
        r"kill & re:\.(?:join|wait)\(\) & re:\bif\b[^\n]*\.(?:is_alive|poll|returncode|exitcode)\b",
        f"is_alive & {JOIN}",
        f"async def & {AWAITED_NAME}",
        r"while & re:while\b(?s:.{0,1000}?)sleep",
        r"while & sleep as",
        *(f".put( & {stop}" for stop in STOPS),
    ),
    origin=("G13",),
)
_TYPE_TESTS = ("isinstance", "hasattr", "callable")
_KINDS = {"thread": "thread", "timer": "thread", "process": "process", "task": "task"}
_WORDS = frozenset({"join", "wait", "communicate", "result", "put", "exception"})


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at the waits, awaited tasks and polling loops of every function that may run at shutdown."""
    words = _WORDS | project.models.library_waits
    for fn in project.functions(module):
        yield from _dead_rung.check(RULE, fn)
        for site in fn.sites if fn.mentions & words else ():
            if (
                isinstance(site.call.func, Attr)
                and site.call.func.name in words
                and may_be_on_way_out(fn, site.at, project)
            ):
                yield from _wait(module, project, site, fn)
            if last_name(site.call.func) == "put" and (full := _full.check(RULE, site, fn, project)) is not None:
                yield full
        for at in fn.statements:
            if isinstance(at.stmt, While) and may_be_on_way_out(fn, at, project):
                yield from _polling(module, project, fn, at)
            for task in _awaited(at) if fn.facts.is_async and (is_stop(fn, project) or in_final(at)) else ():
                yield from _task(module, project, fn, at, task)


def _wait(module: ModuleFacts, project: Project, site: Site, fn: Fn) -> Iterator[Finding]:
    wait = None if isinstance(receiver(site.call), Const) else project.protocol.wait(site, fn)
    if wait is None or (wait.bounded and not retried_for_ever(site)) or is_limited(site):
        return
    if isinstance(site.call.func, Attr) and site.call.func.name not in _WORDS and is_standard(wait.model.call):
        return  # an executor's shutdown is another rule's
    wanted = wait.model.wakes in ("thread", "process", "child")
    found = acquisitions_of(receiver(site.call), fn, project) if wanted else []
    out = way_out(fn, site.at, project) if found or not wanted else None
    if out is None or limited(fn, site.at, project):
        return
    if wait.model.wakes == "child":
        yield from _child(module, project, wait, found, out)
    elif wanted:
        yield from _worker(module, project, fn, site.call, found, out)
    else:
        yield from _events.check(RULE, module, project, wait, out)


def _worker(
    module: ModuleFacts, project: Project, fn: Fn, expr: Expr, found: list[Acquisition], out: WayOut
) -> Iterator[Finding]:
    """A join of threads or processes, or an awaited task: every one that it may be must be untold."""
    if not found or any(a.model.kind not in _KINDS for a in found) or any(_ended(project, a) for a in found):
        return
    line = expr.span.line if isinstance(expr, (Call, Await)) else 0
    reasons = [untold(project, project.resources.bodies(a), (fn, out.stop), line) for a in found]
    if reasons[0] is not None and all(reasons):
        yield _finding(module, fn, expr, found[0], reasons[0], out)


def _ended(project: Project, acquisition: Acquisition) -> bool:
    """Whether a process or task is ended by itself, or may be by code that we do not see."""
    track = project.resources.track(acquisition)
    if acquisition.model.kind == "thread":
        return track.has("cancel", "stop", "terminate", "kill") and acquisition.cls is None
    return track.has("terminate", "kill", "cancel", "send_signal", "close", "pid", "stdin") or track.escaped


def _finding(module: ModuleFacts, fn: Fn, expr: Expr, worker: Acquisition, reason: Untold, out: WayOut) -> Finding:
    loop, kind = reason.loop, _KINDS[worker.model.kind]
    span = expr.span if isinstance(expr, (Call, Await)) else fn.facts.span
    return RULE.finding(
        module,
        span,
        f"`{text(expr)}` in `{fn.qualname}` waits without limit for a {kind} whose loop in `{loop.fn.qualname}` {reason.why}",
        trace=(
            worker.fn.step(worker.call.span, f"{kind} started in `{worker.fn.qualname}`"),
            _loop_step(reason),
            *out.steps,
            fn.step(span, f"`{fn.qualname}` waits for it"),
        ),
        help=_HELP[kind],
    )


_HELP = {
    "thread": "set a `threading.Event` that the loop tests before the join, and give the join a limit",
    "process": "set a `multiprocessing.Event` that the loop tests, or `terminate()`, then join with a limit",
    "task": "`cancel()` the task before it is awaited",
}


def _loop_step(reason: Untold) -> Step:
    span = reason.loop.at.stmt.span  # type: ignore[union-attr]  # a loop is a statement with a span
    return reason.loop.fn.step(span, f"its loop in `{reason.loop.fn.qualname}` {reason.why}")


def _child(
    module: ModuleFacts, project: Project, wait: Wait, found: list[Acquisition], out: WayOut
) -> Iterator[Finding]:
    """A wait for a child that another function started and nobody asked to end."""
    fn, call = wait.fn, wait.site.call
    for child in found[:1]:
        track = project.resources.track(child)
        if (
            len(found) > 1
            or child.fn is fn
            or is_patient(out.stop)
            or asked_to_end(track)
            or track.escaped
            or track.has("stdout", "stderr")
            or _closes_before(wait)
        ):
            return
        yield RULE.finding(
            module,
            call.span,
            f"`{text(call)}` in `{fn.qualname}` waits without limit for a child that nobody asked to end",
            tier="D" if is_firm(out.stop, project) else "S",
            trace=(
                child.fn.step(child.call.span, f"child started in `{child.fn.qualname}`"),
                *out.steps,
                fn.step(call.span, f"`{fn.qualname}` waits for it"),
            ),
            help="`terminate()` it first, wait with a limit, then `kill()` it and wait",
        )


def _closes_before(wait: Wait) -> bool:
    """Whether the function closes something first: a socket or pipe at the end of which the child ends."""
    line = wait.site.call.span.line
    return any(last_name(s.call.func) in ("close", "shutdown") and s.call.span.line < line for s in wait.fn.sites)


def _awaited(at: At) -> Iterator[Await]:
    """``await self._task``: an await of something that was made before."""
    for root in own_exprs(at.stmt):
        yield from (part for part in subexprs(root) if isinstance(part, Await) and isinstance(part.value, (Name, Attr)))


def _task(module: ModuleFacts, project: Project, fn: Fn, at: At, task: Await) -> Iterator[Finding]:
    found = acquisitions_of(task.value, fn, project)
    if found and all(a.model.kind == "task" and a.fn is not fn for a in found) and not limited(fn, at, project):
        out = way_out(fn, at, project)
        if out is not None:
            yield from _worker(module, project, fn, task, found, out)


def _polling(module: ModuleFacts, project: Project, fn: Fn, at: At) -> Iterator[Finding]:
    polled = polls(at, fn, project)
    out = way_out(fn, at, project) if polled is not None else None
    if polled is None or out is None or not isinstance(at.stmt, While) or limited(fn, at, project):
        return
    if over_already(polled, at, fn, project):
        return
    yield RULE.finding(
        module,
        at.stmt.span._replace(end_line=at.stmt.span.line, end_col=at.stmt.span.col + 5),
        f"`{fn.qualname}` polls `{_condition(polled, fn)}` without a deadline: one that never ends hangs the exit",
        tier="P" if chosen(at, fn) else "S" if _is_weak(polled, fn, out, project) else "D",
        trace=(*out.steps, fn.step(at.stmt.span, f"`{fn.qualname}` polls")),
        help="give the loop a deadline, and report or end what is left then",
    )


def _is_weak(polled: Expr, fn: Fn, out: WayOut, project: Project) -> bool:
    """Whether the polled flag falls with the worker, others end what is polled, or the caller wants the work done.

    A helper may wait for a start first.
    """
    return (
        is_patient(out.stop)
        or asks_others(polled, fn)
        or (out.stop is not fn and awaits_a_start(polled))
        or cleared_in_finally(polled, fn, project)
    )


def _condition(test: Expr, fn: Fn) -> str:
    """The telling part of the loop's condition: of ``wait and thread.is_alive()`` not the caller's flag."""
    flags = {
        param.name
        for param in fn.facts.params
        if isinstance(param.default, Const) and isinstance(param.default.value, bool)
    }
    parts = [
        part
        for part in subexprs(test)
        if (isinstance(part, (Attr, Call)) and last_name(getattr(part, "func", None)) not in _TYPE_TESTS)
        or (isinstance(part, Name) and part.id not in ("len", "any", "all", *_TYPE_TESTS, *flags))
    ]
    return text(parts[0]) if parts and not isinstance(test, Const) else "a condition"
