"""A worker tests a stop flag, but waits without limit for something else.

## What it does
Reports, in the loop of a thread that tests a stop event or flag which somebody sets, a wait without limit (``get()``, ``recv()``,
``accept()``, ``Condition.wait()``, a child's ``wait()``) that whoever sets the flag does not end: no sentinel is put, no socket
closed, nothing notified, no child killed; the wait for an event which is set by the stop, but cleared between the test of the
flag and the wait; and a loop that tries to connect until it goes well, and does not look at the flag meanwhile.

## Why it matters
The flag is set, and the worker does not see it before something else happens to wake it. A join without limit, or the end of the
interpreter, waits for as long.

## Example
```python
import queue
import threading


class Mailer:
    def __init__(self):
        self._stop = threading.Event()
        self._outbox = queue.Queue()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            print("mail", self._outbox.get())

    def close(self):
        self._stop.set()
        self._thread.join()
```

## Use instead
```python
import queue
import threading


class Mailer:
    def __init__(self):
        self._stop = threading.Event()
        self._outbox = queue.Queue()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            mail = self._outbox.get()
            if mail is not None:
                print("mail", mail)

    def close(self):
        self._stop.set()
        self._outbox.put(None)
        self._thread.join()
```

## Precision
Tier D where the thread is joined without limit on the way out, or is no daemon, so that the exit waits for it; else tier S. Silent
when a sentinel is put, the object is closed, gets a timeout, or is notified by the function that sets the flag, by any function
that stops things, or by a reader that ends because the stop closes its stream; and where only the worker itself sets the flag. An
event that is cleared too late is strict, unless work stands between the test and the clear, so that it can last.

## References
- [Queue.get](https://docs.python.org/3/library/queue.html#queue.Queue.get)
- [socket timeouts](https://docs.python.org/3/library/socket.html#notes-on-socket-timeouts)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shutdown_lint.facts import Attr, Call, ModuleFacts
from shutdown_lint.findings import Finding, Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Loop, Wait
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.tracks import Place, Use
from shutdown_lint.rules._told import is_unshared
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._lost_wake import Lost, lost_wake
from shutdown_lint.rules.waits._polls import is_limited
from shutdown_lint.rules.waits._retries import Retry, retries, tries
from shutdown_lint.rules.waits._stops import is_stop, receiver, way_out
from shutdown_lint.rules.waits._woken import flag_from_outside, handed_tracks, tellers, waited_name, woken
from shutdown_lint.walk import Site, own_exprs, same, subexprs, text

RULE = Rule(
    code="SHD408",
    name="blind-worker-wait",
    summary="a worker tests a stop flag, but waits without limit for something that the stop does not wake",
    tier="D",
    severity="warning",
    triggers=(
        r"re:\.get\(\s*(?:[)#]|True|block|timeout)",
        r"re:Queue\( & .get(",
        ".recv",
        ".accept(",
        r"re:\.wait\(\s*(?:[)#-]|None|timeout)",
        "wait_for(",
        ".communicate(",
        r"re:while\b(?s:.{0,1000}?)sleep & except & connect",
    ),
    origin=("G13",),
)
_WAKES = frozenset({"put", "peer", "close", "notify", "set", "child"})
_WORKERS = ("thread", "process")
_PEERS = ("peer", "close")
_READY = frozenset({"select", "poll", "Poller", "selector", "Again", "BlockingIOError"})
_WORDS = frozenset(
    {"get", "recv", "recvfrom", "accept", "wait", "recv_multipart", "recv_json", "recv_string", "recv_pyobj"}
)


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at the waits in this module inside the loops of every thread and child process of the project."""
    here = {fn for fn in project.functions(module) if fn.mentions & _WORDS and not is_test(fn)}
    seen: set[int] = set()
    asleep = (fn for fn in project.functions(module) if "sleep" in fn.mentions and not is_test(fn))
    trying = {fn: found for fn in asleep if (found := tries(fn))}
    for acquisition in project.resources.everywhere(*_WORKERS) if trying else ():
        for retry in retries(acquisition, trying, project):
            if id(retry.at.stmt) not in seen:
                seen.add(id(retry.at.stmt))
                yield _tries_again(module, project, acquisition, retry)
    for acquisition in project.resources.everywhere(*_WORKERS) if here else ():
        if acquisition.model.kind == "process" and project.resources.track(acquisition).has("terminate", "kill", "pid"):
            continue  # whoever stops it does not count on the flag alone
        for loop in project.resources.loops(acquisition):
            waits = [wait for wait in loop.waits if wait.fn in here and _is_blind(wait, loop, project)]
            flag = flag_from_outside(project, loop) if waits else None
            if flag is not None and acquisition.model.kind == "process" and is_unshared(project, flag):
                continue  # the child never sees it: SHD412
            for wait in waits:
                if flag is None or id(wait.site.call) in seen:
                    continue
                if not woken(project, wait, loop, flag):
                    seen.add(id(wait.site.call))
                    yield _finding(module, project, acquisition, loop, wait, flag)
                    continue
                lost = lost_wake(wait, loop, flag, project)
                if lost is not None:
                    seen.add(id(wait.site.call))
                    yield _thrown_away(module, project, acquisition, loop, wait, flag, lost)


def _is_blind(wait: Wait, loop: Loop, project: Project) -> bool:
    """A wait without limit on an attribute or global, which is not one of the flags itself.

    What the worker calls to stop something is no wait for work.
    """
    if wait.fn is not loop.fn and is_stop(wait.fn, project):
        return False
    if (
        wait.bounded
        or wait.model.wakes not in _WAKES
        or wait.model.call.startswith("asyncio.")
        or is_limited(wait.site)
    ):
        return False
    if any(place.part == "handler" for place in wait.site.at.around()) or _is_filled(wait.site):
        return False
    if wait.model.wakes == "put" and _takes_back(wait):
        return False
    if wait.model.wakes in _PEERS and (_READY & loop.fn.mentions or _READY & wait.fn.mentions):
        return False  # it asks first whether there is something to read
    name = waited_name(receiver(wait.site.call), wait.fn)
    if name is None:
        return bool(handed_tracks(wait, project))
    return all(name != place.name for place in loop.tests)


def _takes_back(wait: Wait) -> bool:
    """``self._busy.put(1)`` before the work, ``self._busy.get()`` behind it: what the worker has put in itself is there."""
    behind = {id(stmt) for place in wait.site.at.around() for stmt in place.before()}
    return any(
        isinstance(site.call.func, Attr)
        and site.call.func.name in ("put", "put_nowait")
        and id(site.at.stmt) in behind
        and same(site.call.func.value, receiver(wait.site.call))
        for site in wait.fn.sites
    )


def _is_filled(site: Site) -> bool:
    """Whether something was seen to be in the queue: ``while not q.empty(): q.get()``, ``[q.get() for _ in range(q.qsize())]``."""
    tests = [getattr(place.outer.stmt, "test", None) for place in site.at.around() if place.outer is not None]
    tests += [getattr(place.outer.stmt, "iter", None) for place in site.at.around() if place.outer is not None]
    return any(
        isinstance(part, Call)
        and isinstance(part.func, Attr)
        and part.func.name in ("empty", "qsize")
        and same(part.func.value, receiver(site.call))
        for root in (*tests, *own_exprs(site.at.stmt))
        if root is not None
        for part in subexprs(root)
    )


def _finding(
    module: ModuleFacts, project: Project, thread: Acquisition, loop: Loop, wait: Wait, flag: Place
) -> Finding:
    join = _endless_join(thread, project, {fn for fn, _ in tellers(project, loop, flag)})
    hangs = join is not None or thread.daemon is False
    who = (
        f", and `{join.fn.qualname}` joins it without limit" if join else ", and the exit waits for it" if hangs else ""
    )
    return RULE.finding(
        module,
        wait.site.call.span,
        f"`{text(wait.site.call)}` in `{wait.fn.qualname}` hides `{flag.name}` from the {thread.model.kind}: nothing that sets the flag wakes it{who}",
        tier="D" if hangs else "S",
        trace=(
            loop.step(f"the loop in `{loop.fn.qualname}` tests `{flag.name}`"),
            *_setters(project, loop, flag),
            *_joined(join, thread),
        ),
        help=_HELP[wait.model.wakes],
    )


def _tries_again(module: ModuleFacts, project: Project, thread: Acquisition, retry: Retry) -> Finding:
    join = _endless_join(thread, project, {fn for fn, _ in tellers(project, retry.loop, retry.flag)})
    hangs = join is not None or thread.daemon is False
    who = (
        f", and `{join.fn.qualname}` joins it without limit" if join else ", and the exit waits for it" if hangs else ""
    )
    span = retry.at.stmt.span  # type: ignore[union-attr]  # a loop has a span
    return RULE.finding(
        module,
        span._replace(end_line=span.line, end_col=span.col + 5),
        f"`{retry.fn.qualname}` tries `{text(retry.tried)}` until it goes well, without a look at `{retry.flag.name}`: "
        f"while the peer is gone, the {thread.model.kind} does not stop{who}",
        tier="D" if hangs else "S",
        trace=(
            retry.loop.step(f"the loop in `{retry.loop.fn.qualname}` tests `{retry.flag.name}`"),
            *_setters(project, retry.loop, retry.flag),
            *_joined(join, thread),
        ),
        help=f"test `{retry.flag.name}` in this loop too, and wait for it instead of sleeping",
    )


def _thrown_away(
    module: ModuleFacts, project: Project, thread: Acquisition, loop: Loop, wait: Wait, flag: Place, lost: Lost
) -> Finding:
    hangs = thread.daemon is False or _endless_join(thread, project) is not None
    what = text(receiver(wait.site.call))
    return RULE.finding(
        module,
        wait.site.call.span,
        f"`{text(wait.site.call)}` in `{wait.fn.qualname}` may sleep over a stop: `{what}` is cleared behind the test of `{flag.name}`, "
        "and with it the wake-up of whoever set both in between",
        tier="D" if hangs and lost.wide else "S",
        confidence="likely",
        trace=(
            loop.step(f"the loop in `{loop.fn.qualname}` tests `{flag.name}`"),
            *_setters(project, loop, flag),
            wait.fn.step(lost.clear.call.span, "the wake-up is thrown away here"),
        ),
        help=f"clear `{what}` right behind the wait, before `{flag.name}` is tested",
    )


_HELP = {
    "put": "wait with a limit (`get(timeout=…)`), or put a sentinel into the queue where the flag is set",
    "peer": "give the socket a timeout, or shut it down and close it where the flag is set",
    "close": "give the socket a timeout, or shut it down and close it where the flag is set",
    "notify": "notify the condition where the flag is set, or wait with a limit",
    "set": "set this event as well where the flag is set, or wait with a limit",
    "child": "terminate the child where the flag is set, or wait with a limit",
}


def _setters(project: Project, loop: Loop, flag: Place) -> tuple[Step, ...]:
    found = tellers(project, loop, flag)[:1]
    return tuple(fn.step(site.at.stmt.span, f"`{fn.qualname}` sets it") for fn, site in found)  # type: ignore[union-attr]  # an assignment or a call


def _joined(join: Use | None, worker: Acquisition) -> tuple[Step, ...]:
    if join is None:
        return ()
    return (join.fn.step(join.site.call.span, f"`{join.fn.qualname}` waits for the {worker.model.kind}"),)


def _endless_join(thread: Acquisition, project: Project, setters: Iterable[Fn] = ()) -> Use | None:
    """A join of the worker without limit, on the way out."""
    for use in project.resources.track(thread).methods("join"):
        wait = project.protocol.wait(use.site, use.fn)
        if wait is not None and not wait.bounded and (use.fn in setters or _is_final(use.fn, use, project)):
            return use  # who sets the flag and joins stops it, whatever the name
    return None


def _is_final(fn: Fn, use: Use, project: Project) -> bool:
    return way_out(fn, use.site.at, project) is not None
