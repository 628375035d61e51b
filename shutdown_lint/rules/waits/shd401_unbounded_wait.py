"""A wait without limit on the way out, for something that nobody told to end.

## What it does
Reports, in functions that run at shutdown (``close``, ``stop``, ``shutdown``, ``__exit__``, atexit callbacks, …): a join of
a thread whose loop nobody tells to end, a wait for a child that was never asked to end, and a polling loop without a deadline.

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
and when a limit is passed, even a variable one.

## References
- [Thread.join](https://docs.python.org/3/library/threading.html#threading.Thread.join)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Attr, Call, Const, Expr, If, ModuleFacts, Name, While
from shutdown_lint.findings import Finding, Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Wait
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._stops import (
    acquisitions_of, asked_to_end, is_known_test, method_name, receiver, stop_functions, told_by_someone, worker_loops,
)
from shutdown_lint.walk import At, enclosing_with, own_exprs, sites, subexprs, text, walk

RULE = Rule(
    code="SHD401",
    name="unbounded-wait",
    summary="a wait without limit on the way out, for something that nobody told to end",
    tier="D",
    severity="warning",
    triggers=(".join(", ".wait(", ".communicate(", "sleep("),
    origin=("G13",),
)
_DEADLINE = re.compile(r"time|deadline|elapsed|until|tries|retr|attempt|count|remaining|limit|max|expire|left|budget", re.IGNORECASE)


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at the waits and polling loops of every function that runs at shutdown."""
    for fn in stop_functions(project, project.functions(module)):
        for site in fn.sites:
            wait = project.protocol.wait(site, fn)
            if wait is not None and not wait.bounded:
                yield from _wait(module, project, fn, wait)
        for at in fn.statements:
            if _polls_for_ever(at, fn, project):
                yield _polling(module, fn, at)


def _wait(module: ModuleFacts, project: Project, fn: Fn, wait: Wait) -> Iterator[Finding]:
    found = acquisitions_of(receiver(wait.site.call), fn, project)
    if len(found) != 1:
        return
    if wait.model.wakes == "thread":
        yield from _thread(module, project, fn, wait, found[0])
    elif wait.model.wakes in ("child", "process"):
        yield from _child(module, project, fn, wait, found[0])


def _thread(module: ModuleFacts, project: Project, fn: Fn, wait: Wait, thread: Acquisition) -> Iterator[Finding]:
    for loop in worker_loops(thread, project):
        if loop.leaves and (not is_known_test(loop) or told_by_someone(project, loop)):
            continue
        span = loop.at.stmt.span  # type: ignore[union-attr]  # a loop is a statement with a span
        why = "has no way out" if not loop.leaves else "tests what nobody sets"
        yield _finding(
            module, fn, wait.site.call,
            f"`{text(wait.site.call)}` in `{fn.qualname}` waits without limit for a thread whose loop in `{loop.fn.qualname}` {why}",
            (
                thread.fn.step(thread.call.span, f"thread started in `{thread.fn.qualname}`"),
                loop.fn.step(span, f"its loop in `{loop.fn.qualname}` {why}"),
                fn.step(wait.site.call.span, f"`{fn.qualname}` waits for it"),
            ),
            "set a `threading.Event` that the loop tests before the join, and give the join a limit",
        )
        return


def _child(module: ModuleFacts, project: Project, fn: Fn, wait: Wait, child: Acquisition) -> Iterator[Finding]:
    track = project.resources.track(child)
    if child.fn is fn or asked_to_end(track) or track.escaped or child.model.kind == "pool":
        return
    if child.model.kind == "process":
        loops = worker_loops(child, project)
        if not loops or any(loop.leaves and (not loop.tests or told_by_someone(project, loop)) for loop in loops):
            return
    yield _finding(
        module, fn, wait.site.call,
        f"`{text(wait.site.call)}` in `{fn.qualname}` waits without limit for a child that nobody asked to end",
        (
            child.fn.step(child.call.span, f"child started in `{child.fn.qualname}`"),
            fn.step(wait.site.call.span, f"`{fn.qualname}` waits for it"),
        ),
        "`terminate()` it first, wait with a limit, then `kill()` it and wait",
    )


def _polls_for_ever(at: At, fn: Fn, project: Project) -> bool:
    """``while self.connections: sleep(0.1)``: a loop of nothing but a sleep, without a deadline or another way out."""
    stmt = at.stmt
    if not isinstance(stmt, While) or isinstance(stmt.test, Const) or len(stmt.body) > 2:
        return False
    calls = [site.call for site in sites(stmt.body)]
    if not any(method_name(call) == "sleep" for call in calls) or any(_DEADLINE.search(name) for name in _names(stmt)):
        return False
    if any(isinstance(inner.stmt, If) for inner in walk(stmt.body)) or any(method_name(c) not in ("sleep", *_LOGS) for c in calls):
        return False
    return not any(_DEADLINE.search(text(item.context)) for outer in enclosing_with(at) for item in outer.stmt.items)  # type: ignore[union-attr]  # a with has items


_LOGS = ("debug", "info", "warning", "error", "print", "log", "msg")


def _names(stmt: While) -> Iterator[str]:
    """Every identifier of the loop, module names of the sleep aside."""
    for root in (stmt.test, *(expr for at in walk(stmt.body) for expr in own_exprs(at.stmt))):
        for expr in subexprs(root):
            if isinstance(expr, Call) and method_name(expr) == "sleep":
                continue
            if isinstance(expr, Name) and expr.id != "time":
                yield expr.id
            elif isinstance(expr, Attr) and expr.name != "sleep":
                yield expr.name


def _polling(module: ModuleFacts, fn: Fn, at: At) -> Finding:
    assert isinstance(at.stmt, While)
    what = _condition(at.stmt.test)
    return RULE.finding(
        module,
        at.stmt.span._replace(end_line=at.stmt.span.line, end_col=at.stmt.span.col + 5),
        f"`{fn.qualname}` polls `{what}` without a deadline: one that never ends hangs the exit",
        trace=(fn.step(at.stmt.span, f"`{fn.qualname}` runs at shutdown"),),
        help="compare with a deadline from `time.monotonic()`, and go on when it has passed",
    )


def _condition(test: Expr) -> str:
    for expr in subexprs(test):
        if isinstance(expr, (Attr, Name, Call)):
            return text(expr)
    return "…"


def _finding(module: ModuleFacts, fn: Fn, call: Call, message: str, trace: tuple[Step, ...], help_text: str) -> Finding:
    return RULE.finding(module, call.span, message, trace=trace, help=help_text)
