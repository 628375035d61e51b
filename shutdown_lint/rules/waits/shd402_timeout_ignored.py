"""A timed join whose outcome nobody looks at before the thread is forgotten.

## What it does
Reports ``t.join(timeout)`` followed, in the same function, by forgetting the thread (``self.t = None``), when nothing asks
``is_alive()``.

## Why it matters
``join`` returns None whether the thread ended or not. The program goes on as if it had: what the thread still uses is freed
under it, and nobody holds it any more.

## Example
```python
import threading


class Poller:
    def start(self, work):
        self._thread = threading.Thread(target=work)
        self._thread.start()

    def stop(self):
        self._thread.join(5)
        self._thread = None
```

## Use instead
```python
import threading


class Poller:
    def start(self, work):
        self._thread = threading.Thread(target=work)
        self._thread.start()

    def stop(self):
        self._thread.join(5)
        if self._thread.is_alive():
            raise RuntimeError("the poller did not end")
        self._thread = None
```

## Precision
Only threads by type; silent when ``is_alive`` is asked anywhere in the function.

## References
- [Thread.join](https://docs.python.org/3/library/threading.html#threading.Thread.join)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Const, Expr, ModuleFacts
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Wait
from shutdown_lint.project.roles import is_test
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._stops import receiver
from shutdown_lint.walk import At, same, text, what_runs_after

RULE = Rule(
    code="SHD402",
    name="timeout-ignored",
    summary="a timed join whose outcome nobody looks at before the thread is forgotten",
    tier="D",
    severity="warning",
    triggers=(".join(",),
    origin=("G13",),
)


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every timed join of a thread or process."""
    for fn in project.functions(module):
        if "join" not in fn.mentions or "is_alive" in fn.mentions or "isAlive" in fn.mentions or is_test(fn):
            continue
        for site in fn.sites:
            wait = project.protocol.wait(site, fn) if getattr(site.call.func, "name", "") == "join" else None
            if wait is not None and wait.bounded and wait.model.wakes in ("thread", "process") and site.call.args:
                forgotten = _forgotten(site.at, receiver(site.call))
                if forgotten is not None and not _asked_in_callees(fn, project):
                    yield _finding(module, fn, wait, forgotten)


def _forgotten(at: At, thread: Expr | None) -> Assign | None:
    for stmt in what_runs_after(at):
        if isinstance(stmt, Assign) and isinstance(stmt.value, Const) and stmt.value.value is None and any(same(t, thread) for t in stmt.targets):
            return stmt
    return None


def _asked_in_callees(fn: Fn, project: Project) -> bool:
    return any("is_alive" in other.mentions or "exitcode" in other.mentions for other in project.protocol.reach(fn))


def _finding(module: ModuleFacts, fn: Fn, wait: Wait, forgotten: Assign) -> Finding:
    what = text(receiver(wait.site.call))
    kind = "thread" if wait.model.wakes == "thread" else "process"
    return RULE.finding(
        module,
        wait.site.call.span,
        f"`{text(wait.site.call)}` in `{fn.qualname}` may return while the {kind} still runs, and `{what}` is forgotten all the same",
        trace=(fn.step(wait.site.call.span, "the limit passes unseen"), fn.step(forgotten.span, f"`{what}` is set to None")),
        help=f"ask `{what}.is_alive()` after the join, and act on it",
    )
