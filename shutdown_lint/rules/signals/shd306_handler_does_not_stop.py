"""A handler for SIGTERM or SIGINT that does not end anything: the program ignores the request to stop.

## What it does
Reports handlers of SIGTERM and SIGINT that surely neither exit, raise, call anything that could stop something, nor write a
place that the program reads: they only log, do nothing, or set a flag that nobody looks at (often because `global` is
missing, so that the assignment makes a local).

## Why it matters
With a handler installed, the default (ending the process) is gone. The service goes on until the supervisor loses patience
and sends SIGKILL; then all cleanup is lost, after a wait of 10 to 90 seconds at each deployment.

## Example
```python
import signal
import time

running = True


def on_term(signum, frame):
    running = False


signal.signal(signal.SIGTERM, on_term)
while running:
    time.sleep(0.2)
```

## Use instead
```python
import signal
import time

running = True


def on_term(signum, frame):
    global running
    running = False


signal.signal(signal.SIGTERM, on_term)
while running:
    time.sleep(0.2)
```

## Precision
Silent where the program waits for the signal itself (`signal.pause`, `sigwait`, `set_wakeup_fd`), where the handler
is put back later or is installed by what stops the program, for SIGINT alone where the program talks with a person,
where a handler of SIGINT says by its name that it ignores or stands beside the start of children, which Ctrl-C
reaches too, or one that is empty has a text beside it that says so, in child processes (whose parent decides), where
it calls anything unknown or sets an attribute of an object that a library may read (`server.should_exit = True`), and
in tests.

## References
- [signal.signal](https://docs.python.org/3/library/signal.html#signal.signal)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Const, ModuleFacts, Return
from shutdown_lint.findings import Finding, Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.imports import program
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.signals import Handling, handlings, is_restored
from shutdown_lint.rules._texts import SIGNALS
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.signals._callables import coroutine_of
from shutdown_lint.rules.signals._inert import Flag, inert, writes
from shutdown_lint.rules.signals._losses import talks
from shutdown_lint.rules.waits._stops import way_out
from shutdown_lint.walk import At, sites

RULE = Rule(
    code="SHD306",
    name="handler-does-not-stop",
    summary="a SIGTERM or SIGINT handler that stops nothing",
    tier="D",
    severity="error",
    triggers=SIGNALS,
    origin=("G12",),
)

HELP = "raise `SystemExit`, or set a flag that the main loop tests"
_STOPPING = ("SIGTERM", "SIGINT")
# With these, the arrival of the signal itself is what the program acts on; the handler need not do anything.
_LISTENERS = (
    "signal.pause",
    "signal.sigwait",
    "signal.sigwaitinfo",
    "signal.sigtimedwait",
    "signal.set_wakeup_fd",
    "signal.siginterrupt",
)
_CHILD = re.compile(r"(child|sub)_?process|process(es)?$|_worker$|^worker_|Process(es)?$|child")
_IGNORES = re.compile(r"ignor|no_?op|suppress|swallow|do_?nothing", re.IGNORECASE)
_SAYS = re.compile(
    r"\b(ignor|disabl|mask|block|suppress)\w*\b.*\bsig|\bsig\w*\b.*\b(ignor|disabl|mask|block|suppress)", re.IGNORECASE
)
_CHILDREN = ("process", "pool-process")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The handlers that the module installs; each function once."""
    seen: set[Fn] = set()
    for handling in handlings(project):
        if handling.fn.module is not module or not _is_candidate(handling, project):
            continue
        target = handling.targets[0]
        if target not in seen and inert(target, project) and not _is_meant(handling, project):
            seen.add(target)
            yield _finding(handling, target)


def _is_candidate(handling: Handling, project: Project) -> bool:
    signals = [name for name in handling.signals if name in _STOPPING]
    if not signals or len(handling.targets) != 1 or is_test(handling.fn):
        return False
    if handling.targets[0].facts.is_async or coroutine_of(handling.handler, handling.fn, project) is not None:
        return False  # SHD311 tells why it does nothing
    if signals == ["SIGINT"] and talks(project.protocol.reach(handling.fn), project):
        return False  # a person at a prompt has another way to end it
    if signals == ["SIGINT"] and _IGNORES.search(handling.targets[0].name):
        return (
            False  # as if by SIG_IGN: Ctrl-C goes to the whole group, and another process or SIGTERM tells when to end
        )
    if signals == ["SIGINT"] and _starts_children(handling.fn, project):
        return False  # Ctrl-C ends these as well, and the wait for them with them
    if way_out(handling.fn, handling.site.at, project) is not None:
        return False  # the program is ending already: a second request has nothing left to start
    if _is_empty(handling.targets[0]) and (_is_of_child(handling.fn, project) or _is_said(handling.site.at)):
        return False  # nothing at all on purpose: the parent tells it when to end, or the program says that it does not listen
    return not project.roles.role(handling.fn, *_CHILDREN) and not is_restored(handling, project)


def _starts_children(fn: Fn, project: Project) -> bool:
    return any(made.model.kind in ("process", "child", "pool") for made in project.resources.of_function(fn))


def _is_empty(target: Fn) -> bool:
    """``pass``, ``return None``, ``lambda: None``."""
    return all(isinstance(stmt, Return) and isinstance(stmt.value, (Const, type(None))) for stmt in target.facts.body)


def _is_said(at: At) -> bool:
    """``log("SIGINT and SIGTERM are disabled")`` right behind the installation, or before it."""
    near = (*at.before()[-2:], *at.after()[:3])
    texts = (arg.value for site in sites(near) for arg in site.call.args)
    return any(
        isinstance(said, Const) and isinstance(said.value, str) and _SAYS.search(said.value) is not None
        for said in texts
    )


def _is_of_child(fn: Fn, project: Project) -> bool:
    """By the base or name of its class, or the name of its function or module: a context of multiprocessing may start it in ways that are not seen."""
    cls = project.classes.enclosing(fn)
    names = (fn.name, fn.module.name.rpartition(".")[2], *((cls.name,) if cls is not None else ()))
    return any(map(_CHILD.search, names)) or (cls is not None and project.classes.is_process(cls))


def _is_meant(handling: Handling, project: Project) -> bool:
    modules = program([handling.fn.module.name], project)
    for name in _LISTENERS:
        last = name.rpartition(".")[2]
        if any(
            fn.module.name in modules and project.calls.is_call_to(site.call, fn, name)
            for fn, site in project.calls.calls_named(last)
        ):
            return True
    return _is_replaced(handling, project)


def _is_replaced(handling: Handling, project: Project) -> bool:
    """Whether another handler for the same signal is installed later in the same function (a second phase of the program)."""
    return any(
        other is not handling
        and other.fn is handling.fn
        and set(other.signals) & set(handling.signals)
        and other.site.call.span.line > handling.site.call.span.line
        for other in handlings(project)
    )


def _finding(handling: Handling, target: Fn) -> Finding:
    signal = next(name for name in handling.signals if name in _STOPPING)
    name = "this lambda" if target.facts.is_lambda else f"`{target.qualname}`"
    flag = next(iter(writes(target)), None)
    message = f"{name} handles {signal} but {_why(flag)}: the program goes on until it is killed"
    trace = (Step(target.path, target.facts.span.line, target.facts.span.col, f"{name} is the handler"),)
    return RULE.finding(handling.fn.module, handling.site.call.span, message, trace=trace, help=_help(flag))


def _why(flag: Flag | None) -> str:
    if flag is None:
        return "neither exits nor sets anything that the program looks at"
    return (
        f"only sets a local `{flag.text}` of its own"
        if flag.is_local
        else f"only sets `{flag.text}`, which nothing reads"
    )


def _help(flag: Flag | None) -> str:
    if flag is None:
        return HELP
    return (
        f"declare `{flag.name}` as `global` (or `nonlocal`) in the handler"
        if flag.is_local
        else f"test `{flag.text}` in the main loop"
    )
