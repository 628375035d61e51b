"""A loop tests a stop flag that nobody sets, or a stop sets a flag that nobody reads.

## What it does
Reports a loop without any other way out that tests an event or flag to which no code of the project ever gives the value that ends
the loop, and a stop method that sets a flag or event which nothing reads, while the worker of the same object goes on. A function
that lacks the ``global`` to set the flag, or that sets one of another name, is named.

## Why it matters
The stop has no effect. The worker goes on with what its owner has closed meanwhile, and a thread that is no daemon keeps the exit
waiting for good.

## Example
```python
import threading


class Poller:
    def __init__(self):
        self._stopped = threading.Event()
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stopped.wait(5):
            print("poll")

    def halt(self):
        self._stop = True
```

## Use instead
```python
import threading


class Poller:
    def __init__(self):
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stopped.wait(5):
            print("poll")

    def halt(self):
        self._stopped.set()
```

## Precision
Tier D where the flag is private, or of a program's own module; a public one may be set or read from outside, and a loop that has
another way out may not need its flag: tier S. Only flags and events count to which nothing but constants and new events are ever
assigned, by a name that speaks of stopping or running. A flag that anything of its name may set, by an attribute of any object,
by ``setattr``, or by handing the event on, is left alone.

## References
- [threading.Event](https://docs.python.org/3/library/threading.html#event-objects)
- [The global statement](https://docs.python.org/3/reference/simple_stmts.html#the-global-statement)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import NO_SPAN, Assign, ModuleFacts, Return, Span, While
from shutdown_lint.findings import Finding, Step
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.protocol import Loop
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.signals import handlings
from shutdown_lint.project.tracks import Attribute, Place
from shutdown_lint.rules._texts import STOPS
from shutdown_lint.rules._told import is_flag, stop_value, untold
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._flags import by_name, is_public, is_set, readers, set_by, written
from shutdown_lint.rules.waits._own_memory import Unseen, unseen
from shutdown_lint.rules.waits._stops import STOP_NAME, is_stop
from shutdown_lint.walk import Site, walk

_NAMES = r"stop|runn|_*run\b|_run\b|keep|alive|shut|exit|quit|terminat|kill|halt|abort|closing|close\b|activ|interrupt|cancel|finish|done|leave|end\b"
# a line that tests
_TESTS = rf"re:\n[ \t]*(?:while|if|elif)\b[^\n]*(?i:{_NAMES})"
RULE = Rule(
    code="SHD412",
    name="stop-flag-dead",
    summary="a loop tests a stop flag that nobody sets, or a stop sets a flag that nobody reads",
    tier="D",
    severity="error",
    triggers=(
        rf"while & re:\n[ \t]*(?:while|if|elif)\b[^\n]*\.\w*(?i:{_NAMES})",
        f"while & global & {_TESTS}",
        rf"while & re:\n\w*(?i:{_NAMES})\w*\s*(?::[^=\n]*)?= & {_TESTS}",
        rf"while & re:\n(?:from|import)\b[^\n]*(?i:{_NAMES}) & {_TESTS}",
        *(f"Thread & = True & {stop}" for stop in STOPS),
        *(f"Thread & .set() & {stop}" for stop in STOPS),
        *(f"Process & {word} & {stop}" for word in ("= True", "= False", ".set()") for stop in STOPS),
    ),
    origin=("G13",),
)
_WORDS = re.compile(
    r"stop|running|^_*run$|keep|alive|shut|exit|quit|terminat|kill|halt|abort|clos(e|ing)|active|interrupt|cancel|finish|done|leave|end$",
    re.IGNORECASE,
)
_NEVER = 10**9
_WORKERS = ("thread", "process", "task")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at the loops of every function, and at the flags that stop functions set."""
    for fn in project.functions(module):
        if is_test(fn):
            continue
        for loop in project.protocol.loops(fn) if any(isinstance(at.stmt, While) for at in fn.statements) else ():
            yield from _unset(module, loop, project)
        if is_stop(fn, project):
            yield from _unread(module, fn, project)
            for found in unseen(fn, project):
                yield _set_apart(module, fn, found, project)


# --- a flag that nobody sets -----------------------------------------------------------------------------------------


def _unset(module: ModuleFacts, loop: Loop, project: Project) -> Iterator[Finding]:
    place = _dead_flag(loop, project)
    if place is None or not isinstance(loop.at.stmt, While) or _meant_by_handler(place, project):
        return
    stop, span = stop_value(loop, place.name), loop.at.stmt.span
    sure = not _other_way_out(loop, project) and not is_public(place, project)
    flag = written(place, project)
    instead = tuple(_set_instead(loop, place, project))
    yield RULE.finding(
        module,
        span._replace(end_line=span.line, end_col=span.col + 5),
        f"the loop in `{loop.fn.qualname}` tests `{flag}`, which nobody {_VERB[stop]}"
        + (": nothing ends it" if sure else ""),
        tier="D" if sure else "S",
        severity="error" if sure else "info",
        confidence="proven" if sure else "likely",
        trace=(loop.step(f"the loop in `{loop.fn.qualname}` tests `{flag}`"), *instead),
        help=f"{_DO[stop]} `{flag}` where the worker is stopped"
        + (", or test what is set there" if instead else ", or drop the test"),
    )


_VERB = {True: "sets", False: "clears", None: "changes"}
_DO = {True: "set", False: "clear", None: "change"}


def _dead_flag(loop: Loop, project: Project) -> Place | None:
    """The flag on which the loop hangs, where every flag that it tests is one that nobody sets."""
    if not loop.tests or not all(_may_be_flag(place, loop) and is_flag(project, place) for place in loop.tests):
        return None
    if not any(_WORDS.search(place.name) for place in loop.tests):
        return None
    for place in loop.tests:
        if is_set(place, stop_value(loop, place.name), project) or by_name(place, project):
            return None
    return loop.tests[0]


def _may_be_flag(place: Place, loop: Loop) -> bool:
    """An attribute or a global: what a function keeps for itself is no stop flag."""
    return isinstance(place, Attribute) or place.fn.is_module


def _other_way_out(loop: Loop, project: Project) -> bool:
    """Whether the loop is left by anything else than its flag: a jump, an exception that is not caught in it, an exit."""
    body = loop.at.stmt.body if isinstance(loop.at.stmt, While) else ()
    jumps = [at for at in walk(body) if type(at.stmt).__name__ in ("Break", "Return", "Raise")]
    if jumps or loop.fn.facts.is_generator or loop.fn.facts.is_async:
        return True
    return any(
        type(at.stmt).__name__ == "Raise"
        for site in loop.fn.sites
        for target in project.calls.targets(site.call, loop.fn)
        for reached in project.protocol.reach(target.fn)
        for at in reached.statements
    )


def _meant_by_handler(place: Place, project: Project) -> bool:
    """Whether a signal handler sets a local of that name: the handler is at fault (SHD306)."""
    return not isinstance(place, Attribute) and any(
        place.name in target.bindings for found in handlings(project) for target in found.targets
    )


def _set_instead(loop: Loop, place: Place, project: Project) -> Iterator[Step]:
    """What a stop sets instead: a local for want of ``global``, or a flag of another name that nobody reads."""
    if not isinstance(place, Attribute):
        for fn in project.functions(loop.fn.module):
            if fn is not place.fn and project.evaluate.binding_scope(place.name, fn) is fn and not fn.is_module:
                sites = [site for site in fn.names(place.name) if isinstance(site.at.stmt, Assign)]
                if sites and not any(param.name == place.name for param in fn.facts.params):
                    stmt = sites[0].at.stmt
                    yield fn.step(stmt.span, f"`{fn.qualname}` sets a local `{place.name}`: `global` is missing")  # type: ignore[union-attr]  # an assignment
        return
    for method in project.classes.methods(place.cls).values():
        if STOP_NAME.match(method.name):
            for other, site in set_by(method, project):
                if other != place and next(readers(other, project), None) is None:
                    yield method.step(
                        _span(site), f"`{method.qualname}` sets `{written(other, project)}`, which nobody reads"
                    )


# --- a flag that nobody reads ----------------------------------------------------------------------------------------


def _unread(module: ModuleFacts, fn: Fn, project: Project) -> Iterator[Finding]:
    for place, site in set_by(fn, project):
        if (
            not _WORDS.search(place.name)
            or next(readers(place, project), None) is not None
            or by_name(place, project)
            or (project.classes.enclosing(fn) is not None and not isinstance(place, Attribute))
        ):
            continue
        goes_on = _worker_that_goes_on(fn, project)
        if goes_on is None or any(_dead_flag(loop, project) for loop in goes_on[1]):
            continue  # nothing is told nothing; or the loop's own flag is reported
        sure = not is_public(place, project)
        worker, loops = goes_on
        yield RULE.finding(
            module,
            _span(site),
            f"`{fn.qualname}` sets `{written(place, project)}`, which nobody reads: the loop in `{loops[0].fn.qualname}` goes on",
            tier="D" if sure else "S",
            severity="error" if sure else "info",
            confidence="proven" if sure else "likely",
            trace=(
                worker.fn.step(worker.call.span, f"{worker.model.kind} made in `{worker.fn.qualname}`"),
                loops[0].step(f"the loop in `{loops[0].fn.qualname}` does not look at it"),
            ),
            help=f"test `{written(place, project)}` in the loop",
        )


def _set_apart(module: ModuleFacts, fn: Fn, found: Unseen, project: Project) -> Finding:
    flag, loop = written(found.place, project), found.loop
    return RULE.finding(
        module,
        _span(found.site),
        f"`{fn.qualname}` sets `{flag}` in its own process only: the child has a copy of it, and the loop in `{loop.fn.qualname}` goes on",
        tier="D" if found.sure else "S",
        severity="error" if found.sure else "info",
        confidence="proven" if found.sure else "likely",
        trace=(loop.step("the loop in the child tests its own copy"),),
        help="use a `multiprocessing.Event` that is handed to the child",
    )


def _worker_that_goes_on(fn: Fn, project: Project) -> tuple[Acquisition, tuple[Loop, ...]] | None:
    """A worker of the same object (or module) whose loop the stop function does not end in any other way."""
    cls = project.classes.enclosing(fn)
    for made in _workers(fn, cls, project):
        track = project.resources.track(made)
        if track.has("terminate", "kill", "cancel", "send_signal", "close") or track.escaped:
            continue
        found = untold(project, project.resources.bodies(made), (fn,), _NEVER)
        if found is not None and not _returns_early(found.loop):
            return made, (found.loop,)
    return None


def _workers(fn: Fn, cls: Cls | None, project: Project) -> Iterator[Acquisition]:
    for made in project.resources.acquisitions(fn.module, *_WORKERS):
        here = project.classes.enclosing(made.fn)
        if (cls is None and here is None) or (
            cls is not None and here is not None and here in project.classes.family(cls)
        ):
            yield made


def _returns_early(loop: Loop) -> bool:
    return any(isinstance(at.stmt, Return) for at in walk(getattr(loop.at.stmt, "body", ())))


def _span(site: Site) -> Span:
    return getattr(site.at.stmt, "span", NO_SPAN)
