"""The exception that stops the program derives from ``Exception``: any ``except Exception`` swallows it.

## What it does
Reports ``raise X`` in a handler of SIGTERM, SIGINT, SIGHUP or SIGQUIT, where ``X`` derives from ``Exception``, and names
an ``except Exception`` of the program that takes it for an ordinary error.

## Why it matters
The handler raises wherever the main thread happens to be. Inside the work there is an ``except Exception`` that logs and
goes on, as there should be: it eats the request to stop, and the program runs until SIGKILL.

## Example
```python
import signal
import time


class Shutdown(Exception):
    pass


def on_term(signum, frame):
    raise Shutdown


def main(jobs):
    signal.signal(signal.SIGTERM, on_term)
    while True:
        try:
            jobs.run_next()
        except Exception as exc:
            print("job failed", exc)
        time.sleep(1)
```

## Use instead
```python
import signal
import time


class Shutdown(SystemExit):
    pass


def on_term(signum, frame):
    raise Shutdown


def main(jobs):
    signal.signal(signal.SIGTERM, on_term)
    while True:
        try:
            jobs.run_next()
        except Exception as exc:
            print("job failed", exc)
        time.sleep(1)
```

## Fix safety
Unsafe: an `except Exception` that was meant to catch the exception no longer does. Offered where its class stands in the same file.

## Precision
By default only where such a clause stands in the module of the handler, or in a module that imports it, and goes on;
strict where no clause is found. Timers (SIGALRM) and user signals count only where the exception is named for the shutdown, and
a time limit by its name (``SoftTimeout``) on SIGHUP or SIGQUIT is one of a job, which may catch it.

## References
- [Handlers and exceptions](https://docs.python.org/3/library/signal.html#handlers-and-exceptions)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Const, Expr, Handler, If, ModuleFacts, Name, Op, Raise, Return, Try
from shutdown_lint.findings import Finding, Fix, Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.handles import Cls
from shutdown_lint.project.imports import imported
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.signals import Handling, handlings
from shutdown_lint.project.values import Class, External, Instance
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.swallowed._catching import caught, raises, shielded_by_sibling, tries
from shutdown_lint.walk import At, sites, text, walk

RULE = Rule(
    code="SHD511",
    name="stop-exception-catchable",
    summary="the exception that a signal handler raises to stop the program derives from Exception",
    tier="D",
    severity="warning",
    fix="unsafe",
    triggers=(
        "signal.signal & raise",
        r"signal & raise & re:SIG[A-Z]",
    ),
    origin=("G4", "G12"),
)
MAX_CLIMB = 2
_STOPS = frozenset({"SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"})
# What says so by its name stops the program on whatever signal it is raised: `ShutDownImminent`, of an alarm behind SIGTERM.
_SAYS_SO = re.compile(r"Shut_?[Dd]own|Terminat|Graceful|Exit(?!Code)|Quit|StopRequest|StopProgram|KillSignal")
# What a parent tells its worker about one job, which may catch it; SIGTERM and SIGINT are for the program all the same.
_TIME_LIMIT = re.compile(r"Time_?[Oo]ut|Time_?[Ll]imit|Deadline")
_FOR_PROGRAM = frozenset({"SIGTERM", "SIGINT"})
_ERRORS = frozenset({
    "Exception", "RuntimeError", "ValueError", "OSError", "IOError", "TimeoutError", "InterruptedError", "StopIteration", "ConnectionError",
})  # fmt: skip


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at what the handlers raise; a finding stands at the ``raise``."""
    if not _raises_anything(module):
        return
    seen: set[int] = set()
    for handling in handlings(project):
        if handling.via != "signal" or is_test(handling.fn):
            continue
        for handler in handling.targets:
            if handler.module is module and id(handler) not in seen:
                seen.add(id(handler))
                yield from _of_handler(module, handler, handling, project)


def _raises_anything(module: ModuleFacts) -> bool:
    return any(isinstance(at.stmt, Raise) for fn in module.functions for at in walk(fn.body))


def _of_handler(module: ModuleFacts, handler: Fn, handling: Handling, project: Project) -> Iterator[Finding]:
    for at in handler.statements:
        if isinstance(at.stmt, Raise) and at.stmt.exc is not None and not _is_for_calls(at, handler):
            name = _catchable(at.stmt.exc, handler, project)
            if name is not None and _stops_program(name, handling):
                clause = _swallowing(name, handler, _work(handling, project), project)
                fix = _fix(at.stmt.exc, handler, project)
                derives = _derives(at.stmt.exc, handler, project)
                yield _finding(module, at.stmt, name, handler, handling, clause, derives, fix)
                return


def _stops_program(name: str, handling: Handling) -> bool:
    """Whether it is raised to stop the program, as its signals or its name say."""
    stops = _STOPS & set(handling.signals)
    if _TIME_LIMIT.search(name) and not stops & _FOR_PROGRAM:
        return False
    return bool(stops) or _SAYS_SO.search(name) is not None


def _is_for_calls(at: At, handler: Fn) -> bool:
    """Whether it is raised only where the function is called otherwise: ``if signum is not None: return`` stands before it."""
    params = {param.name for param in handler.facts.params}
    for place in at.around():
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, If) and place.part in ("body", "orelse"):
            if _asks_none(outer.test, params, "is" if place.part == "body" else "is-not"):
                return True
        for stmt in place.before():
            leaves = isinstance(stmt, If) and isinstance(stmt.body[-1:] and stmt.body[-1], (Return, Raise))
            if leaves and isinstance(stmt, If) and _asks_none(stmt.test, params, "is-not"):
                return True
    return False


def _asks_none(test: Expr, params: set[str], op: str) -> bool:
    if not (isinstance(test, Op) and test.op == op and len(test.operands) == 2):
        return False
    name, other = test.operands
    return isinstance(name, Name) and name.id in params and isinstance(other, Const) and other.value is None


def _catchable(exc: Expr, fn: Fn, project: Project) -> str | None:
    """The name of the class that is raised, where it is known to derive from ``Exception``."""
    for value in project.evaluate.values(exc, fn):
        if not isinstance(value, (Class, Instance, External)):
            continue
        cls = value.name if isinstance(value, External) else value.cls
        bases = project.classes.mro(cls) if isinstance(cls, Cls) else (cls,)
        if any(
            isinstance(base, str) and base.rpartition(".")[2] in _ERRORS and base.startswith("builtins.")
            for base in bases
        ):
            return cls.name if isinstance(cls, Cls) else cls.rpartition(".")[2]
    return None


def _fix(exc: Expr, handler: Fn, project: Project) -> Fix | str:
    """Another base for the class, where it stands in the same file."""
    values = project.evaluate.values(exc, handler)
    classes = {value.cls for value in values if isinstance(value, (Class, Instance)) and isinstance(value.cls, Cls)}
    if len(classes) != 1 or len(values) != 1:
        return "the exception is not a class of the project"
    (cls,) = classes
    if cls.module is not handler.module:
        return "the class of the exception stands in another file"
    place = (("line", str(cls.facts.span.line)), ("column", str(cls.facts.span.col)))
    return Fix("unsafe", f"derive `{cls.name}` from BaseException", "shd511", place)


def _derives(exc: Expr, handler: Fn, project: Project) -> tuple[Step, ...]:
    """Where the project says what the exception is."""
    classes = {
        value.cls
        for value in project.evaluate.values(exc, handler)
        if isinstance(value, (Class, Instance)) and isinstance(value.cls, Cls)
    }
    return tuple(cls.scope.step(cls.facts.span, f"`{cls.name}` derives from Exception") for cls in classes)


def _work(handling: Handling, project: Project) -> frozenset[Fn] | None:
    """What may be at work when the signal comes: what is run behind the handler's installation; None for anything."""
    if project.roles.role(handling.fn, "signal-handler") is not None:
        return None  # one handler installs the next: the work is that of who installed the first
    work, front = set(project.protocol.reach(handling.fn)), [handling.fn]
    for _ in range(MAX_CLIMB):
        callers = [caller for fn in front for caller in project.calls.callers(fn)]
        for caller in callers:
            behind = [s for s in caller.fn.sites if s.call.span.line >= caller.site.call.span.line]
            later = {t.fn for site in behind for t in project.calls.targets(site.call, caller.fn)}
            work |= {caller.fn, *(fn for target in later for fn in project.protocol.reach(target))}
        front = [caller.fn for caller in callers]
    return None if any(fn.is_module for fn in (handling.fn, *work)) else frozenset(work)


def _swallowing(name: str, handler: Fn, work: frozenset[Fn] | None, project: Project) -> Step | None:
    """An ``except Exception`` that goes on, in the work, in the handler's module or one that uses it."""
    for entry in project.modules:
        if entry.facts is not handler.module and not _imports(entry.facts, handler.module, project):
            continue
        for fn in entry.functions:
            if fn is handler or is_test(fn) or (work is not None and fn not in work):
                continue
            for _, stmt in tries(fn):
                found = _eats(stmt, name, fn, project)
                if found is not None:
                    return fn.step(
                        found.span,
                        f"`except {text(found.types) if found.types else ''}` in {fn.qualname} takes `{name}` for an error",
                    )
    return None


def _imports(module: ModuleFacts, other: ModuleFacts, project: Project) -> bool:
    return other.name in imported(module, project)


def _eats(stmt: Try, name: str, fn: Fn, project: Project) -> Handler | None:
    for handler in stmt.handlers:
        types = caught(handler, fn, project)
        if name in types:
            return None
        if "BaseException" in types:
            return None  # it takes whatever the exception derives from
        if "Exception" in types:
            eats = not raises(handler.body) and any(True for _ in sites(stmt.body))
            return handler if eats and not shielded_by_sibling(stmt, handler, fn, project) else None
    return None


def _finding(
    module: ModuleFacts,
    stmt: Raise,
    name: str,
    handler: Fn,
    handling: Handling,
    clause: Step | None,
    derives: tuple[Step, ...],
    fix: Fix | str,
) -> Finding:
    signal = next(iter(sorted(_STOPS & set(handling.signals) or set(handling.signals))), "a signal")
    first = handling.fn.step(handling.site.call.span, f"`{handler.qualname}` handles {signal}")
    return RULE.finding(
        module,
        stmt.span,
        f"`{name}`, raised on {signal} to stop the program, derives from Exception: an `except Exception` in the work swallows the request",
        tier="D" if clause is not None else "S",
        confidence="proven" if clause is not None else "likely",
        trace=(*derives, first) if clause is None else (*derives, first, clause),
        lost=() if clause is None else (clause._replace(text=f"the request to stop, in {clause.text}"),),
        help=f"derive `{name}` from SystemExit or BaseException"
        if name not in _ERRORS
        else "raise SystemExit, by `sys.exit(128 + signum)`",
        fix=fix,
    )
