"""Locks, queues and waits in a signal handler: the handler interrupts the very code that it waits for.

## What it does
Reports in handlers of `signal.signal`, and in what they call: taking a `Lock` or `Semaphore` and using a `queue.Queue` that
the main thread uses too, joining threads or processes and waiting for children, requests or sleeping without a short limit.
Setting an `Event` on which the main thread waits, and writing to logs or to `print`, is reported in the strict tier.

## Why it matters
Python runs the handler in the main thread, between two instructions of whatever runs there, and that code goes on only
after the handler is done. If it holds the lock (or the lock inside of the queue), the handler waits for ever, and so does
the program that was asked to stop. A wait in the handler keeps the main thread from all else as long as it lasts; a signal
that comes meanwhile runs its handler inside of this one.
Log and file writes that meet themselves raise RuntimeError ("reentrant call").

## Example
```python
import signal
import sys
import threading

LOCK = threading.Lock()
STATE = {}


def update(key, value):
    with LOCK:
        STATE[key] = value


def on_term(signum, frame):
    with LOCK:
        STATE.clear()
    sys.exit(143)


signal.signal(signal.SIGTERM, on_term)
update("started", True)
```

## Use instead
```python
import signal
import sys
import threading

LOCK = threading.Lock()
STATE = {}


def update(key, value):
    with LOCK:
        STATE[key] = value


def on_term(signum, frame):
    sys.exit(143)


signal.signal(signal.SIGTERM, on_term)
try:
    update("started", True)
finally:
    with LOCK:
        STATE.clear()
```

## Precision
Silent for `RLock` and `SimpleQueue`, for locks and queues that only other threads use, for `SIGCHLD` handlers that reap, for
the wait after a kill, and for callbacks of `loop.add_signal_handler`, which run in the loop. Tier S: output of the level
`debug`, a question to the user, handlers that surely end the program, pauses, commands and waits for threads and children in
handlers of SIGTERM, SIGINT and SIGQUIT (of eight such in unseen packages seven were meant so), but for threads that want a lock
which the main thread takes too and for what the second signal does; and handlers of a main thread that only waits for them.

## References
- [Execution of Python signal handlers](https://docs.python.org/3/library/signal.html#execution-of-python-signal-handlers)
- [Reentrancy of io](https://docs.python.org/3/library/io.html#reentrancy)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Const, Expr, ModuleFacts, Span, With
from shutdown_lint.findings import Finding, Severity, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.platforms import is_for_windows
from shutdown_lint.project.protocol import Wait
from shutdown_lint.project.values import Instance
from shutdown_lint.rules._texts import SIGNALS
from shutdown_lint.rules._told import latched
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.signals._context import Reached, in_signal_context, other_users
from shutdown_lint.rules.signals._given_up import lost_stop
from shutdown_lint.rules.signals._idle import is_way_out, never_returns, only_waits_behind
from shutdown_lint.rules.signals._inert import is_log_call, is_logging
from shutdown_lint.rules.signals._killed import behind_a_kill, follows_kill
from shutdown_lint.rules.waits._stops import acquisitions_of, receiver
from shutdown_lint.walk import Site, argument, last_name, text

RULE = Rule(
    code="SHD305",
    name="unsafe-in-handler",
    summary="locks, queues and waits in a signal handler",
    tier="D",
    severity="error",
    triggers=(
        *SIGNALS,
        *(
            rf"{named} & re:\bwith\b|\.(?:acquire|put|get|wait|join|release|put_nowait|get_nowait|run|call|system|urlopen|input)\("
            for named in ("signum", "sig_num", "signal_handler")
        ),
    ),
    origin=("G12",),
)

HELP = "in the handler only set an attribute, write to a pipe or raise; do the work where the main thread comes back to"
_LOCKS = frozenset(
    {
        "threading.Lock",
        "threading.Semaphore",
        "threading.BoundedSemaphore",
        "multiprocessing.Lock",
        "multiprocessing.Semaphore",
        "multiprocessing.BoundedSemaphore",
        "multiprocessing.synchronize.Lock",
        "multiprocessing.synchronize.Semaphore",
    }
)
_QUEUES = frozenset(
    {"queue.Queue", "queue.LifoQueue", "queue.PriorityQueue", "multiprocessing.Queue", "multiprocessing.JoinableQueue"}
)
_QUEUE_METHODS = ("put", "put_nowait", "get", "get_nowait", "qsize", "empty", "full", "task_done", "join")
_SIDES = (("put", "put_nowait"), ("get", "get_nowait"))
_LOCK_METHODS = ("acquire", "release", "with")
_EVENTS = frozenset({"threading.Event", "multiprocessing.Event", "multiprocessing.synchronize.Event"})
# Calls that wait for something outside of the program, and the keyword of their limit.
_OUTSIDE = {
    "subprocess.run": "timeout",
    "subprocess.call": "timeout",
    "subprocess.check_call": "timeout",
    "subprocess.check_output": "timeout",
    "os.system": "",
    "urllib.request.urlopen": "timeout",
    "requests.get": "timeout",
    "requests.post": "timeout",
    "requests.put": "timeout",
    "requests.delete": "timeout",
    "requests.request": "timeout",
    "httpx.get": "timeout",
    "httpx.post": "timeout",
    "builtins.input": "",
}
_REAPS = ("os.wait", "os.waitpid", "os.wait3", "os.wait4")
_COMMANDS = ("subprocess.", "os.system")
_HELD = _LOCKS | {"threading.RLock", "threading.Condition"}
# Work that ends by itself or has been told, as a rule.
_WORK = ("child", "thread", "process", "job")
# Waits that other rules know but that end at once, or are no waits of the main thread.
_NO_WAITS = frozenset(
    {"asyncio.sleep", "asyncio.Event.wait", "asyncio.Queue.get", "asyncio.Queue.join", "signal.pause"}
)
_SHORT = 1.0


class _Hazard(NamedTuple):
    """What is unsafe at a place: ``why`` completes the message."""

    span: Span
    text: str
    why: str
    tier: Tier
    severity: Severity = "error"


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The places of the module that are unsafe in the handlers that reach them."""
    for reached in in_signal_context(project):
        if reached.fn.module is not module:
            continue
        hazards = {hazard.span: hazard for hazard in _hazards(reached, project)}
        if hazards and only_waits_behind(reached.handling, project):
            hazards = {span: hazard._replace(tier="S") for span, hazard in hazards.items()}
        for hazard in (*hazards.values(), *_output(reached, project)):
            handler = (
                "a signal handler"
                if reached.handler.facts.is_lambda
                else f"the signal handler `{reached.handler.qualname}`"
            )
            message = f"`{hazard.text}` in {handler} {hazard.why}"
            severity: Severity = hazard.severity if hazard.tier == "D" else "info"
            yield RULE.finding(
                module, hazard.span, message, tier=hazard.tier, severity=severity, trace=reached.steps, help=HELP
            )


def _hazards(reached: Reached, project: Project) -> Iterator[_Hazard]:
    for at in reached.fn.statements:
        for item in at.stmt.items if isinstance(at.stmt, With) else ():
            if _type(item.context, reached, project) in _LOCKS:
                yield from _shared(
                    item.context, item.span, f"with {text(item.context)}", _LOCK_METHODS, reached, project
                )
    for site in reached.fn.sites:
        if not is_for_windows(site.at):
            yield from _at_call(site, reached, project)


def _at_call(site: Site, reached: Reached, project: Project) -> Iterator[_Hazard]:
    func = site.call.func
    kind = _type(func.value, reached, project) if isinstance(func, Attr) else None
    if isinstance(func, Attr) and kind in _LOCKS and func.name == "acquire" and not _is_try(site):
        yield from _shared(func.value, site.call.span, text(site.call), _LOCK_METHODS, reached, project)
    elif isinstance(func, Attr) and kind in _LOCKS and func.name == "release" and str(kind).endswith("Semaphore"):
        yield from _shared(func.value, site.call.span, text(site.call), ("acquire", "with"), reached, project)
    elif isinstance(func, Attr) and kind in _QUEUES and func.name in _QUEUE_METHODS:
        yield from _shared(
            func.value, site.call.span, text(site.call), _same_lock(func.name, str(kind)), reached, project
        )
    elif isinstance(func, Attr) and kind in _EVENTS and func.name == "set":
        yield from _event(site, func.value, str(kind), reached, project)
    else:
        yield from _waiting(site, reached, project)


def _type(receiver: Expr, reached: Reached, project: Project) -> str | None:
    """The external type of an object, where it has only one."""
    types = {value.cls for value in project.evaluate.values(receiver, reached.fn) if isinstance(value, Instance)}
    kind = next(iter(types)) if len(types) == 1 else None
    return project.models.canonical(kind) if isinstance(kind, str) else None


def _is_try(site: Site) -> bool:
    """``acquire(False)``, ``acquire(blocking=False)``, ``acquire(timeout=1)``."""
    given = argument(site.call, 0, "blocking")
    return (isinstance(given, Const) and given.value is False) or argument(site.call, 1, "timeout") is not None


def _shared(
    receiver: Expr, span: Span, what: str, methods: tuple[str, ...], reached: Reached, project: Project
) -> Iterator[_Hazard]:
    users = list(other_users(receiver, reached, project, *methods))
    if users:
        user = next((found for found in users if not _is_over(found[0], reached, project)), users[0])
        line = user[1].at.stmt.span.line  # type: ignore[union-attr]  # a statement with an expression has a span
        where = f"`{user[0].qualname}` (line {line})" if not user[0].is_module else f"line {line}"
        yield _Hazard(
            span,
            what,
            f"deadlocks when the signal interrupts {where}, which uses `{text(receiver)}` in the main thread",
            "D",
        )


def _is_over(user: Fn, reached: Reached, project: Project) -> bool:
    """Whether the function is called right before the handler is installed: ``super().__enter__(); signal.signal(…)``."""
    installer, line = reached.handling.fn, reached.handling.site.call.span.line
    before = (site for site in installer.sites if user.name in installer.mentions and site.call.span.line < line)
    return any(target.fn is user for site in before for target in project.calls.targets(site.call, installer))


def _same_lock(method: str, kind: str) -> tuple[str, ...]:
    """The methods of a queue that take the lock of this one; a queue between processes has one for each of its sides."""
    if not kind.startswith("multiprocessing"):
        return _QUEUE_METHODS
    return next((side for side in _SIDES if method in side), (method,))


def _event(site: Site, receiver: Expr, kind: str, reached: Reached, project: Project) -> Iterator[_Hazard]:
    if any(True for _ in other_users(receiver, reached, project, "wait")):
        why = "can deadlock when the signal comes while the main thread is inside of `wait` on the same event"
        yield _Hazard(site.call.span, text(site.call), why, "D" if kind.startswith("multiprocessing") else "S")


def _waiting(site: Site, reached: Reached, project: Project) -> Iterator[_Hazard]:
    call, names = site.call, project.calls.external(site.call, reached.fn)
    outside = next((name for name in names if name in _OUTSIDE), None)
    if outside is not None:
        limited = bool(_OUTSIDE[outside]) and argument(call, 99, _OUTSIDE[outside]) is not None
        limited = limited or outside == "builtins.input" or never_returns(reached, project)
        limited = limited or (outside.startswith(_COMMANDS) and is_way_out(reached, project))
        yield _Hazard(
            call.span,
            text(call),
            "blocks: until it is done, the main thread, which the handler interrupts, cannot go on",
            "S" if limited else "D",
        )
        return
    wait = project.protocol.wait(site, reached.fn)
    if (
        wait is None
        or wait.model.call in _NO_WAITS
        or _is_told_not_to(site)
        or _is_reaping(site, names, reached)
        or follows_kill(site)
        or (wait.model.wakes == "set" and _is_open_latch(site, reached, project))
        or (wait.model.wakes == "child" and behind_a_kill(site, reached, project))
    ):
        return
    if wait.model.call == "time.sleep":
        given = argument(call, 0, "secs")
        short = isinstance(given, Const) and isinstance(given.value, (int, float)) and given.value < _SHORT
        yield _Hazard(
            call.span,
            text(call),
            "stops the main thread, which the handler interrupts, for as long",
            "S" if short or is_way_out(reached, project) else "D",
        )
    else:
        why = "waits: until it is over, the main thread, which the handler interrupts, cannot go on"
        ends = wait.model.wakes in _WORK and is_way_out(reached, project) and not _shares_lock(wait, reached, project)
        yield _Hazard(call.span, text(call), why, "S" if wait.bounded or ends else "D")


def _shares_lock(wait: Wait, reached: Reached, project: Project) -> bool:
    """Whether the work that is waited for takes a lock which the interrupted main thread may hold."""
    bodies = (
        body
        for made in acquisitions_of(receiver(wait.site.call), reached.fn, project)
        for body in project.resources.bodies(made)
    )
    for fn in dict.fromkeys(inner for body in bodies for inner in project.protocol.reach(body)):
        there = reached._replace(fn=fn)
        for at in fn.statements:
            for item in at.stmt.items if isinstance(at.stmt, With) else ():
                if _type(item.context, there, project) in _HELD:
                    if next(other_users(item.context, there, project, *_LOCK_METHODS), None) is not None:
                        return True
    return False


def _is_open_latch(site: Site, reached: Reached, project: Project) -> bool:
    """A wait until a thread has begun, which goes through ever after."""
    receiver = site.call.func.value if isinstance(site.call.func, Attr) else None
    places = project.protocol.places_read(receiver, reached.fn) if receiver is not None else ()
    setters = [fn for place in places for fn in latched(project, place)]
    return bool(setters) and all(project.roles.role(fn, "main") is None for fn in setters)


def _is_told_not_to(site: Site) -> bool:
    """``shutdown(False)``, ``acquire(blocking=False)``."""
    return any(isinstance(arg.value, Const) and arg.value.value is False for arg in site.call.args)


def _is_reaping(site: Site, names: tuple[str, ...], reached: Reached) -> bool:
    """``os.waitpid(-1, os.WNOHANG)``, or any reaping in a handler of SIGCHLD."""
    if not any(name in _REAPS for name in names):
        return False
    return "SIGCHLD" in reached.handling.signals or "WNOHANG" in " ".join(text(arg.value) for arg in site.call.args)


def _output(reached: Reached, project: Project) -> Iterator[_Hazard]:
    """The first output of the handler, or the first call in it of a function that writes output."""
    if reached.fn is not reached.handler:
        return
    for site in reached.fn.sites:
        targets = project.calls.targets(site.call, reached.fn)
        if _writes(site, reached.fn, project) or any(
            _writes(s, t.fn, project) for t in targets[:1] if not t.fn.facts.is_async for s in t.fn.sites
        ):
            why = "raises RuntimeError (reentrant call) when the signal interrupts output to the same stream"
            stop, weak = lost_stop(site.at, reached, project), True
            if stop is not None:
                weak = last_name(site.call.func) == "debug"
                why += f": `{text(stop.func)}` behind it never runs, and the next signal will not run it either"
            yield _Hazard(site.call.span, text(site.call.func), why, "S" if weak else "D", "warning")
            return


def _writes(site: Site, fn: Fn, project: Project) -> bool:
    names = project.calls.external(site.call, fn)
    if names:
        return any(name == "builtins.print" or is_logging(name) for name in names)
    return not project.calls.targets(site.call, fn) and is_log_call(site.call)
