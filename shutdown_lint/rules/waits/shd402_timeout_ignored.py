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

from shutdown_lint.facts import Assign, Attr, Call, Const, Expr, ExprStmt, ModuleFacts, Stmt
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Wait
from shutdown_lint.project.roles import is_test
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._stops import acquisitions_of, receiver, worker_targets
from shutdown_lint.walk import same, text, what_runs_after

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
        if "join" not in fn.mentions or is_test(fn) or _asks(fn, project):
            continue
        for site in fn.sites:
            wait = project.protocol.wait(site, fn) if getattr(site.call.func, "name", "") == "join" else None
            if wait is not None and wait.bounded and wait.model.wakes in ("thread", "process") and site.call.args:
                consequence = _consequence(wait, fn, project)
                if consequence is not None:
                    yield _finding(module, fn, wait, *consequence)


def _asks(fn: Fn, project: Project) -> bool:
    return any({"is_alive", "isAlive", "exitcode"} & other.mentions for other in project.protocol.reach(fn))


def _consequence(wait: Wait, fn: Fn, project: Project) -> tuple[Stmt, str, str] | None:
    """What follows as if the thread had ended: the statement, what it is done to, and what is done."""
    waited = receiver(wait.site.call)
    used = frozenset(name for body in _bodies(waited, fn, project) for name in body.mentions)
    for stmt in what_runs_after(wait.site.at):
        if isinstance(stmt, Assign) and isinstance(stmt.value, Const) and stmt.value.value is None and any(same(t, waited) for t in stmt.targets):
            return stmt, text(waited), "is set to None"
        call = stmt.value if isinstance(stmt, ExprStmt) else None
        if isinstance(call, Call) and isinstance(call.func, Attr) and call.func.name == "close":
            freed = call.func.value
            if same(freed, waited) or (isinstance(freed, Attr) and freed.name in used):
                return stmt, text(freed), "is closed"
    return None


def _bodies(waited: Expr | None, fn: Fn, project: Project) -> list[Fn]:
    """What the thread runs, callees included."""
    found = (target for a in acquisitions_of(waited, fn, project) for target in worker_targets(a, project))
    return [body for target in found for body in project.protocol.reach(target)]


def _finding(module: ModuleFacts, fn: Fn, wait: Wait, stmt: Stmt, what: str, done: str) -> Finding:
    kind = "thread" if wait.model.wakes == "thread" else "process"
    waited = text(receiver(wait.site.call))
    return RULE.finding(
        module,
        wait.site.call.span,
        f"`{text(wait.site.call)}` in `{fn.qualname}` may return while the {kind} still runs, and `{what}` {done} all the same",
        trace=(
            fn.step(wait.site.call.span, "the limit passes unseen"),
            fn.step(stmt.span, f"`{what}` {done}"),  # type: ignore[union-attr]  # an assignment or a call
        ),
        help=f"ask `{waited}.is_alive()` after the join, and act on it",
    )
