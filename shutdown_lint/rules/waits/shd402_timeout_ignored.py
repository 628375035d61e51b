"""A timed join whose outcome nobody looks at before the thread is forgotten.

## What it does
Reports ``t.join(timeout)`` followed, in the same function, by forgetting the thread (``self.t = None``, the list of threads
cleared) or by closing what it uses, when nothing asks ``is_alive()``.

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
Only threads and processes by type; silent when ``is_alive`` or ``exitcode`` is asked anywhere in the function or in what it calls,
and for processes that were sent SIGKILL before.
A file, database connection or temporary folder that the thread uses is tier D; anything else that is closed under it (a socket is
often closed on purpose, to wake the thread) is tier S, and so are a limit that only code outside of the project may give, and a
thread that was told before and waits for nothing as long as the join does, or a daemon that is merely forgotten where no start
of another one takes back what it was told, and any that is merely forgotten in a callback of the exit.

## References
- [Thread.join](https://docs.python.org/3/library/threading.html#threading.Thread.join)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Assign, Attr, Call, Const, Expr, ExprStmt, For, If, ModuleFacts, Name, Seq, Stmt, While
from shutdown_lint.findings import Finding, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Wait
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.values import Constant
from shutdown_lint.rules._texts import JOIN_WITH_LIMIT
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._in_time import ends_in_time, ends_later
from shutdown_lint.rules.waits._stops import AT_EXIT, acquisitions_of, receiver
from shutdown_lint.walk import At, argument, enclosing_loops, last_name, same, text, what_runs_after

RULE = Rule(
    code="SHD402",
    name="timeout-ignored",
    summary="a timed join whose outcome nobody looks at before the thread is forgotten, or what it uses is closed",
    tier="D",
    severity="warning",
    triggers=(JOIN_WITH_LIMIT,),
    origin=("G13",),
)
_FORGOTTEN = ("is set to None", "is emptied")
_FRAGILE = frozenset({"file", "connection", "tempdir"})
_ASKS = frozenset({"is_alive", "isAlive", "exitcode"})


class Consequence(NamedTuple):
    """What follows as if the thread had ended: the statement, what it is done to, and what is done."""

    stmt: Stmt
    what: str
    done: str
    tier: Tier


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every timed join of a thread or process."""
    for fn in project.functions(module):
        if "join" not in fn.mentions or is_test(fn):
            continue
        for site in fn.sites:
            wait = project.protocol.wait(site, fn) if getattr(site.call.func, "name", "") == "join" else None
            if (
                wait is not None
                and wait.bounded
                and wait.model.wakes in ("thread", "process")
                and site.call.args
                and site.dropped
            ):
                consequence = _consequence(wait, project)
                if consequence is not None and not _asks(fn, project):
                    weak = _is_none(wait, project) or ends_in_time(wait, project)
                    forgotten = consequence.done in _FORGOTTEN
                    weak = weak or (forgotten and (_is_at_exit(fn, project) or ends_later(wait, project)))
                    yield _finding(module, wait, consequence, "S" if weak else consequence.tier)


def _is_at_exit(fn: Fn, project: Project) -> bool:
    """Whether it is a callback of the exit: behind it the program needs the thread no more, and starts no other."""
    return any(role.kind in AT_EXIT for role in project.roles.seeds().get(fn, ()))


def _asks(fn: Fn, project: Project) -> bool:
    return any(_ASKS & other.mentions for other in project.protocol.reach(fn))


def _consequence(wait: Wait, project: Project) -> Consequence | None:
    waited = receiver(wait.site.call)
    container = _container(waited, wait.site.at)
    if wait.model.wakes == "process" and _is_killed(waited, container, wait):
        return None  # nothing survives SIGKILL: the join only reaps
    if _has_served(waited, wait, project):
        return None
    used: frozenset[str] | None = None
    for stmt in what_runs_after(wait.site.at):
        if _forgets(stmt, waited):
            return Consequence(stmt, text(waited), "is set to None", "D")
        if container is not None and _empties(stmt, container):
            return Consequence(stmt, text(container), "is emptied", "D")
        freed = _closed(stmt)
        if freed is not None:
            if same(freed, waited):
                return Consequence(stmt, text(freed), "is closed", "D")
            used = _used(waited, wait.fn, project) if used is None else used
            tier = _frees(freed, wait.fn, used, project)
            if tier is not None:
                return Consequence(stmt, text(freed), "is closed", tier)
    return None


def _has_served(waited: Expr | None, wait: Wait, project: Project) -> bool:
    """Whether the thread serves until ``shutdown()``, which has come back: that waits until the serving has ended."""
    line = wait.site.call.span.line
    told = any(last_name(s.call.func) == "shutdown" and s.call.span.line < line for s in wait.fn.sites)
    found = acquisitions_of(waited, wait.fn, project) if told else []
    return bool(found) and all(last_name(argument(a.call, 1, "target")) == "serve_forever" for a in found)


def _container(member: Expr | None, at: At) -> Expr | None:
    """What the loop around the place goes through, where the expression is its variable."""
    return next(
        (
            loop.stmt.iter
            for loop in enclosing_loops(at)
            if isinstance(loop.stmt, For) and member is not None and same(loop.stmt.target, member)
        ),
        None,
    )


def _is_killed(waited: Expr | None, container: Expr | None, wait: Wait) -> bool:
    """Whether each process was killed before: the same one, or in a loop over the same container."""
    for site in wait.fn.sites:
        if getattr(site.call.func, "name", "") != "kill" or site.call.span.line >= wait.site.call.span.line:
            continue
        killed = receiver(site.call)
        through = _container(killed, site.at)
        if not _is_sure(site.at, wait.site.at):
            continue
        if container is not None and through is not None and same(through, container):
            return True
        if container is None and killed is not None and waited is not None and same(killed, waited):
            return True
    return False


def _is_sure(kill: At, join: At) -> bool:
    """Whether no branch stands around the kill that does not stand around the join as well."""
    shared = {id(place.stmt) for place in join.around()}
    return all(id(place.stmt) in shared for place in kill.around() if isinstance(place.stmt, (If, While)))


def _forgets(stmt: Stmt, waited: Expr | None) -> bool:
    return (
        isinstance(stmt, Assign)
        and isinstance(stmt.value, Const)
        and stmt.value.value is None
        and any(same(t, waited) for t in stmt.targets)
    )


def _empties(stmt: Stmt, container: Expr) -> bool:
    """``threads.clear()``, ``threads = []``, ``threads[:] = []``."""
    if isinstance(stmt, Assign):
        return (
            isinstance(stmt.value, Seq)
            and not stmt.value.items
            and any(same(target, container) for target in stmt.targets)
        )
    call = stmt.value if isinstance(stmt, ExprStmt) else None
    return (
        isinstance(call, Call)
        and isinstance(call.func, Attr)
        and call.func.name == "clear"
        and same(call.func.value, container)
    )


def _closed(stmt: Stmt) -> Expr | None:
    call = stmt.value if isinstance(stmt, ExprStmt) else None
    return (
        call.func.value
        if isinstance(call, Call) and isinstance(call.func, Attr) and call.func.name in ("close", "cleanup")
        else None
    )


def _used(waited: Expr | None, fn: Fn, project: Project) -> frozenset[str]:
    """The names in what the thread runs, callees included."""
    targets = (target for a in acquisitions_of(waited, fn, project) for target in project.resources.bodies(a))
    return frozenset(name for target in targets for body in project.protocol.reach(target) for name in body.mentions)


def _frees(freed: Expr, fn: Fn, used: frozenset[str], project: Project) -> Tier | None:
    """The tier at which closing this matters: the thread uses it, under the same name or under that of another place that holds it."""
    found = acquisitions_of(freed, fn, project)
    names = {place.name for a in found for place in project.resources.track(a).attribute_places()} | {
        freed.name if isinstance(freed, Attr) else ""
    }
    if not names & used:
        return None
    return "D" if found and all(a.model.kind in _FRAGILE for a in found) else "S"


def _is_none(wait: Wait, project: Project) -> bool:
    """Whether the limit is a parameter for which None is all that the project gives."""
    limit = wait.site.call.args[0].value
    values = project.evaluate.values(limit, wait.fn) if isinstance(limit, Name) else ()
    return bool(values) and all(isinstance(value, Constant) and value.value is None for value in values)


def _finding(module: ModuleFacts, wait: Wait, found: Consequence, tier: Tier) -> Finding:
    kind, fn = ("thread" if wait.model.wakes == "thread" else "process"), wait.fn
    return RULE.finding(
        module,
        wait.site.call.span,
        f"`{text(wait.site.call)}` in `{fn.qualname}` may return while the {kind} still runs, and `{found.what}` {found.done} all the same",
        tier=tier,
        trace=(
            fn.step(wait.site.call.span, "the limit passes unseen"),
            fn.step(found.stmt.span, f"`{found.what}` {found.done}"),  # type: ignore[union-attr]  # an assignment or a call
        ),
        help=f"ask `{text(receiver(wait.site.call))}.is_alive()` after the join, and act on it",
    )
