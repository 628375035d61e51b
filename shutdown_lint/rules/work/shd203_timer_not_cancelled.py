"""A timer that nobody cancels holds up the exit until it has fired.

## What it does
Reports a started non-daemon `threading.Timer` of 2 seconds or more (or of a length that is not written there) that is never
cancelled nor joined, and, as an error, a timer whose function starts the next one without any condition.

## Why it matters
The interpreter waits at exit for every non-daemon timer, without limit, and then the function runs in a program whose main
thread has already cleaned up. A timer that starts itself again never lets the process end.

## Example
```python
import threading


def refresh(cache):
    cache.clear()
    threading.Timer(300, refresh, args=(cache,)).start()
```

## Use instead
```python
import threading


class Refresher:
    def __init__(self, cache):
        self._cache = cache
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop.wait(300):
            self._cache.clear()

    def close(self):
        self._stop.set()
        self._thread.join()
```

## Precision
Silent for daemon timers, for timers that are returned or handed over, for functions that end the process themselves (a kill
switch is meant to outlast the main thread), and for delays known to be shorter than 2 seconds. Tier S where a condition
guards the next start, and where the timer is there to end the work and no stop method forgets it.

## References
- [Timer objects](https://docs.python.org/3/library/threading.html#timer-objects)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Call, For, If, Match, ModuleFacts, While
from shutdown_lint.findings import Finding, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.tracks import Attribute, Track, Use
from shutdown_lint.project.values import Constant
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._common import acquired, inherits_daemon, label, names, owner, stop_method, stop_step
from shutdown_lint.walk import Site, argument, text

RULE = Rule(
    code="SHD203",
    name="timer-not-cancelled",
    summary="a non-daemon timer is never cancelled, or starts itself again for ever",
    tier="D",
    severity="warning",
    triggers=("Timer",),
    origin=("G9",),
)
LONG = 2.0
_CONDITIONAL = (If, While, For, Match)
_CLOSES = re.compile(r"_?(stop|close|shutdown|end|disconnect|quit|terminate|cancel|kill)(_|$)")
# Functions that end the process: the timer is a kill switch.
_ENDS = (
    "os._exit",
    "os.kill",
    "os.abort",
    "os.killpg",
    "signal.raise_signal",
    "signal.pthread_kill",
    "_thread.interrupt_main",
    "faulthandler.dump_traceback",
    "os.execv",
    "os.execl",
    "os.execvp",
)


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every timer that the module starts."""
    for acquisition, track in acquired(project, project.functions(module), "timer"):
        if acquisition.daemon is not False or track.escaped or track.has("is_alive"):
            continue
        if project.resources.released(acquisition) or _ends_process(acquisition, project):
            continue
        if not _is_started(acquisition, track, project):
            continue
        if inherits_daemon(acquisition, track, project):
            continue
        yield from _judge(module, acquisition, track, project)


def _is_started(acquisition: Acquisition, track: Track, project: Project) -> bool:
    """Whether this very timer is started, and not another one that a function puts in its place before it calls ``start``."""
    starts = track.methods("start")
    return not starts or not all(_is_of_another(use, acquisition, project) for use in starts)


def _is_of_another(start: Use, acquisition: Acquisition, project: Project) -> bool:
    place = start.place
    return isinstance(place, Attribute) and any(
        write.fn is start.fn
        and write.at.stmt is not acquisition.site.at.stmt
        and any(stmt is write.at.stmt for around in start.site.at.around() for stmt in around.before())
        for write in project.classes.writes(place.cls, place.name)
    )


def _ends_process(acquisition: Acquisition, project: Project) -> bool:
    """Whether the timer's function, or what it calls, ends the process."""
    call, fn = _made_by(acquisition, project)
    values = project.evaluate.values(argument(call, 1, "function"), fn)
    if any(getattr(value, "name", "") in _ENDS for value in values):
        return True
    reached = (fn for body in project.resources.bodies(acquisition) for fn in project.protocol.reach(body))
    return any(project.calls.is_call_to(site.call, fn, *_ENDS) for fn in reached for site in fn.sites)


def _judge(module: ModuleFacts, acquisition: Acquisition, track: Track, project: Project) -> Iterator[Finding]:
    bodies = project.resources.bodies(acquisition)
    if any(acquisition.fn in project.protocol.reach(body) for body in bodies):
        guarded = _is_guarded(acquisition.site, acquisition.fn)
        if not guarded:
            yield _again(module, acquisition, track, bodies[0])
        elif _is_long(acquisition, project):
            yield _waits(module, acquisition, track, project, "S")
    elif _is_long(acquisition, project):
        yield _waits(module, acquisition, track, project, "S" if _is_the_end(acquisition, track, project) else "D")


def _is_the_end(acquisition: Acquisition, track: Track, project: Project) -> bool:
    """Whether the timer is there to end what the program works with (``Timer(5, link.close)``), and no owner forgets it."""
    call, _ = _made_by(acquisition, project)
    held = owner(project, track)
    forgotten = held is not None and stop_method(project, held[0], acquisition.fn) is not None
    return bool(_CLOSES.match(names(argument(call, 1, "function")))) and not forgotten


def _is_guarded(site: Site, fn: Fn) -> bool:
    """Whether a condition, or a way out before it, may keep the next timer from being started."""
    if any(place.outer is not None and isinstance(place.outer.stmt, _CONDITIONAL) for place in site.at.around()):
        return True
    span = site.call.span
    return any(
        type(at.stmt).__name__ in ("Return", "Raise") and getattr(at.stmt, "span", span).line < span.line
        for at in fn.statements
    )


def _is_long(acquisition: Acquisition, project: Project) -> bool:
    """Two seconds or more, or a number that nobody can see here."""
    call, fn = _made_by(acquisition, project)
    given = argument(call, 0, "interval")
    if given is None:
        return False
    values = [v.value for v in project.evaluate.values(given, fn) if isinstance(v, Constant)]
    numbers = [n for n in values if isinstance(n, (int, float)) and not isinstance(n, bool)]
    return not numbers or max(numbers) >= LONG


def _made_by(acquisition: Acquisition, project: Project) -> tuple[Call, Fn]:
    """The call that sets interval and function: of a subclass, the one of its base's constructor."""
    init = project.classes.method(acquisition.cls, "__init__") if acquisition.cls is not None else None
    for site in init.sites if init is not None else ():
        if names(site.call.func) == "__init__" and init is not None:
            return site.call, init
    return acquisition.call, acquisition.fn


def _what(acquisition: Acquisition, track: Track) -> str:
    return f"timer `{label(acquisition, track)}`" if track.places else f"`{text(acquisition.call)}`"


def _again(module: ModuleFacts, acquisition: Acquisition, track: Track, body: Fn) -> Finding:
    fn = acquisition.fn
    return RULE.finding(
        module,
        acquisition.call.span,
        f"{_what(acquisition, track)} starts itself again for ever and nobody cancels it: the exit hangs until SIGKILL",
        severity="error",
        trace=(
            body.step(body.facts.span, f"the timer runs `{body.qualname}`"),
            fn.step(acquisition.call.span, f"`{fn.qualname}` starts the next one"),
        ),
        help="keep the timer and cancel it where its owner ends, or run a thread that waits on a `threading.Event` with a timeout",
    )


def _waits(module: ModuleFacts, acquisition: Acquisition, track: Track, project: Project, tier: Tier) -> Finding:
    held = owner(project, track)
    stop = stop_method(project, held[0], acquisition.fn) if held else None
    call, _ = _made_by(acquisition, project)
    given = text(argument(call, 0, "interval"))
    long = f"up to `{given}` seconds" if "…" not in given else "until it has fired"
    target = text(argument(call, 1, "function"))
    forgets = f"; `{stop.qualname}` forgets it" if stop else ""
    runs = f", then runs `{target}` in a program that has ended" if "…" not in target else ""
    return RULE.finding(
        module,
        acquisition.call.span,
        f"{_what(acquisition, track)} is never cancelled: the exit waits for it {long}{runs}{forgets}",
        tier=tier,
        trace=(stop_step(stop),) if stop else (),
        help="keep the timer and cancel it where its owner ends; if its function may be dropped at exit, make it a daemon",
    )
