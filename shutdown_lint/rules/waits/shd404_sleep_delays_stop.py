"""A worker sleeps in a loop that tests a stop flag, and its stopper joins it.

## What it does
Reports ``time.sleep(n)`` with n of 2 seconds or more, or of a length that the user sets, in the loop of a thread (or at the top of
a function that the loop calls) that tests a stop event or flag which somebody sets, when the thread is joined. An event that
the worker is handed is followed to those who set it.

## Why it matters
The stop waits until the sleep is over; with several workers the sleeps add up past the grace period.

## Example
```python
import threading
import time


class Poller:
    def __init__(self):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            print("poll")
            time.sleep(30)

    def close(self):
        self._stop.set()
        self._thread.join()
```

## Use instead
```python
import threading


class Poller:
    def __init__(self):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            print("poll")
            self._stop.wait(30)

    def close(self):
        self._stop.set()
        self._thread.join()
```

## Fix safety
Safe where the loop's condition is `not event.is_set()` of a `threading.Event` and the sleep is the last thing in its body:
`event.wait(n)` lasts as long, and ends when the event is set. Unsafe elsewhere in the body: what follows the sleep then runs
once more, at once.

## Precision
Tier D only where the thread is joined (a join under ``if not thread.daemon`` is none for a daemon); retry back-off in
``except`` clauses, computed pauses, pauses whose defaults are shorter, and loops without a stop flag (or with one that only the worker
itself sets) are silent.

## References
- [Event.wait](https://docs.python.org/3/library/threading.html#threading.Event.wait)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, Call, Const, Expr, If, ModuleFacts, Name, Op, While
from shutdown_lint.findings import Finding, Fix, Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Loop, Wait
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.tracks import Place
from shutdown_lint.project.values import Constant, Instance
from shutdown_lint.rules._told import is_unshared
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._woken import flag_from_outside
from shutdown_lint.rules.waits._work import given_to
from shutdown_lint.walk import At, argument, dotted, last_name, subexprs, text

RULE = Rule(
    code="SHD404",
    name="sleep-delays-stop",
    summary="a worker sleeps in a loop that tests a stop flag, so that its stopper waits",
    tier="D",
    severity="warning",
    fix="safe",
    triggers=(r"re:time\w*\.sleep\b", r"sleep & re:import[^\n]*\bsleep\b"),
    origin=("G2",),
)
LONG = 2.0
MAX_DEPTH = 3
# calls that take a default, and where
_OPTIONS = {"get": 1, "pop": 1, "getattr": 2}


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at the loops of every worker of the project whose sleep stands in this module."""
    here = {fn for fn in project.functions(module) if "sleep" in _called(fn, project) and not is_test(fn)}
    seen: set[int] = set()
    for loop, joined in _loops(module, project) if here else ():
        for wait in _long_sleeps(loop, here, project):
            flag = flag_from_outside(project, loop) if id(wait.site.call) not in seen else None
            if flag is not None and project.roles.role(loop.fn, "process") and is_unshared(project, flag):
                continue  # the child never sees it: SHD412
            if flag is not None:
                seen.add(id(wait.site.call))
                yield _finding(module, loop, wait, flag, joined, _fix(loop, wait, project))


def _called(fn: Fn, project: Project) -> frozenset[str]:
    """``{"sleep"}`` where the function sleeps, under whatever name it was imported."""
    sleeps = any(project.calls.is_call_to(site.call, fn, "time.sleep") for site in fn.sites)
    return frozenset({"sleep"}) if sleeps else frozenset()


def _loops(module: ModuleFacts, project: Project) -> Iterator[tuple[Loop, Step | None]]:
    """The loops of threads and child processes, with the place where the worker is joined."""
    for acquisition in project.resources.everywhere("thread", "process"):
        if acquisition.model.kind == "process" and project.resources.track(acquisition).has("terminate", "kill"):
            continue  # nothing waits until the sleep is over
        for loop in project.resources.loops(acquisition):
            yield loop, _joined(acquisition, project)
    for cls in project.modules.of(
        module
    ).classes:  # who makes instances of a Thread subclass may stand outside of the project
        if "run" in cls.methods and project.classes.is_a(cls, "threading.Thread"):
            for loop in project.protocol.loops(cls.methods["run"]):
                yield loop, _joins_itself(cls.methods["run"])


def _joined(acquisition: Acquisition, project: Project) -> Step | None:
    joins = [
        use
        for use in project.resources.track(acquisition).methods("join")
        if acquisition.daemon is False or not _asks_for_daemon(use.site.at)
    ]
    if joins:
        return joins[0].fn.step(joins[0].site.call.span, f"`{joins[0].fn.qualname}` waits for it")
    run = project.classes.method(acquisition.cls, "run") if acquisition.cls is not None else None
    return _joins_itself(run) if run is not None else None


def _asks_for_daemon(at: At) -> bool:
    """Whether the place stands under ``if not thread.daemon``: daemons are not waited for there."""
    tests = (place.stmt.test for place in at.around() if isinstance(place.stmt, If))
    return any(isinstance(part, Attr) and part.name == "daemon" for test in tests for part in subexprs(test))


def _joins_itself(run: Fn) -> Step | None:
    """``self.join()`` in a method of the Thread subclass."""
    assert run.cls is not None
    for method in run.cls.methods.values():
        for site in method.sites:
            func = site.call.func
            if (
                isinstance(func, Attr)
                and func.name == "join"
                and isinstance(func.value, Name)
                and func.value.id == method.self_name
            ):
                return method.step(site.call.span, f"`{method.qualname}` waits for it")
    return None


def _long_sleeps(loop: Loop, here: set[Fn], project: Project) -> Iterator[Wait]:
    for wait in loop.waits:
        if wait.fn not in here or wait.model.call != "time.sleep" or not wait.site.call.args:
            continue
        at = wait.site.at
        plain = (
            at.outer is None if wait.fn is not loop.fn else not any(place.part == "handler" for place in at.around())
        )
        if plain and _is_long(wait.site.call.args[0].value, wait.fn, project):
            yield wait


def _is_long(given: Expr, fn: Fn, project: Project, depth: int = 0) -> bool:
    """Two seconds or more; or a number that the user sets (a parameter, perhaps kept in an attribute)."""
    numbers = [v.value for v in project.evaluate.values(given, fn) if isinstance(v, Constant)]
    known = [n for n in numbers if isinstance(n, (int, float)) and not isinstance(n, bool)]
    if known:
        return max(known) >= LONG or _is_given_longer(given, fn, project)
    if isinstance(given, Name) and depth < MAX_DEPTH:
        handed = [_is_long(expr, maker, project, depth + 1) for expr, maker in given_to(given.id, fn, project)]
        if handed:
            return any(handed)
    if isinstance(given, Attr):
        cls = project.classes.enclosing(fn)
        writes = project.classes.writes(cls, given.name) if cls else []
        return bool(writes) and all(_is_set_by_user(w.value, w.fn) for w in writes)
    return isinstance(given, Name) and _is_param(given, fn)


def _is_set_by_user(value: Expr | None, fn: Fn) -> bool:
    """A parameter; an option whose default is long: ``options.get("interval", 15)``, ``getattr(conf, "interval", 15)``."""
    if isinstance(value, Name):
        return _is_param(value, fn)
    if not isinstance(value, Call) or last_name(value.func) not in _OPTIONS:
        return False
    default = argument(value, _OPTIONS[last_name(value.func)], "default")
    number = default.value if isinstance(default, Const) else None
    return isinstance(number, (int, float)) and not isinstance(number, bool) and number >= LONG


def _is_given_longer(given: Expr, fn: Fn, project: Project) -> bool:
    """Whether a caller gives a long time for a parameter, perhaps kept in an attribute, whose default is short."""
    cls = project.classes.enclosing(fn)
    writes = project.classes.writes(cls, given.name) if isinstance(given, Attr) and cls else []
    sources = [(w.value, w.fn) for w in writes] or [(given, fn)]
    for name, holder in sources:
        if not isinstance(name, Name) or not _is_param(name, holder):
            continue
        names = [param.name for param in holder.facts.params]
        for caller in project.calls.callers(holder):
            arg = argument(caller.site.call, names.index(name.id) - int(holder.is_method), name.id)
            values = project.evaluate.values(arg, caller.fn) if arg is not None else ()
            if any(isinstance(v, Constant) and isinstance(v.value, (int, float)) and v.value >= LONG for v in values):
                return True
    return False


def _is_param(name: Name, fn: Fn) -> bool:
    return any(param.name == name.id for param in fn.facts.params)


def _finding(module: ModuleFacts, loop: Loop, wait: Wait, flag: Place, joined: Step | None, fix: Fix | str) -> Finding:
    span, given = wait.site.call.span, text(wait.site.call.args[0].value)
    effect = "delays the stop" if joined else "keeps the thread alive behind the stop"
    return RULE.finding(
        module,
        span,
        f"`{text(wait.site.call)}` in `{wait.fn.qualname}` {effect}: `{flag.name}` is seen only when the sleep is over",
        tier="D" if joined else "S",
        trace=(
            loop.step(f"the loop in `{loop.fn.qualname}` tests `{flag.name}`"),
            wait.fn.step(span, f"`{wait.fn.qualname}` sleeps in it"),
            *((joined,) if joined else ()),
        ),
        help=f"wait on an event instead: `event.wait({given})` ends at once when it is set",
        fix=fix,
    )


def _fix(loop: Loop, wait: Wait, project: Project) -> Fix | str:
    """Wait on the event that the loop's condition tests, where it is known to be a ``threading.Event``."""
    if wait.fn is not loop.fn:
        return "the sleep is in a function that the loop calls"
    event = _tested(loop)
    made = project.evaluate.values(event, loop.fn)
    if not made or not all(isinstance(value, Instance) and value.cls == "threading.Event" for value in made):
        return "the loop's condition is not that of a `threading.Event`"
    name, is_last = dotted(event) or "", not any(True for _ in _behind(loop, wait))
    return Fix(
        "safe" if is_last else "unsafe",
        f"wait on `{name}`, which ends when it is set",
        "shd404",
        (("event", name), ("last", "yes" if is_last else "")),
    )


def _tested(loop: Loop) -> Expr | None:
    """``event`` of ``while not event.is_set()``."""
    test = loop.at.stmt.test if isinstance(loop.at.stmt, While) else None
    asked = test.operands[0] if isinstance(test, Op) and test.op == "not" else None
    if isinstance(asked, Call) and isinstance(asked.func, Attr) and asked.func.name in ("is_set", "isSet"):
        return asked.func.value
    return None


def _behind(loop: Loop, wait: Wait) -> Iterator[object]:
    """What the loop's body may still do behind the sleep; places may end at the body."""
    for place in wait.site.at.around():
        yield from place.after()
        if place.outer is None or place.outer.stmt is loop.at.stmt:
            return
        if not isinstance(place.outer.stmt, If):
            yield place.outer.stmt
