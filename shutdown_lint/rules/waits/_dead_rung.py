"""SHD401 on the ladder of an end with its rungs in the wrong order: ``join()`` without limit before the ``kill()``."""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Call, Expr, If, Name
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.swallowed._catching import statement_call
from shutdown_lint.walk import At, Site, dotted, same, sites, subexprs, text

_WAITS = frozenset({"join", "wait"})
_ALIVE = frozenset({"is_alive", "poll", "returncode", "exitcode"})
_KILLS = frozenset({"kill", "terminate", "killpg", "send_signal"})


def check(rule: Rule, fn: Fn) -> Iterator[Finding]:
    """``child.join()``, then ``if child.is_alive(): child.kill()`` in the same block: who waits for ever never comes there."""
    if not fn.mentions & _WAITS or not fn.mentions & _ALIVE or not fn.mentions & _KILLS:
        return
    for at in fn.statements:
        wait = statement_call(at.stmt)
        if wait is None or wait.args or not isinstance(wait.func, Attr) or wait.func.name not in _WAITS:
            continue
        kill = _kill_behind(at, wait.func.value) if dotted(wait.func.value) else None
        if kill is not None:
            yield _finding(rule, fn, wait, kill.call)


def _kill_behind(at: At, child: Expr) -> Site | None:
    for stmt in at.after():
        if isinstance(stmt, Assign) and any(same(target, child) for target in stmt.targets):
            return None
        if isinstance(stmt, If) and _asks_if_alive(stmt.test, child):
            return next((site for site in sites(stmt.body) if _kills(site.call, child)), None)
    return None


def _asks_if_alive(test: Expr, child: Expr) -> bool:
    return any(isinstance(part, Attr) and part.name in _ALIVE and same(part.value, child) for part in subexprs(test))


def _kills(call: Call, child: Expr) -> bool:
    """``child.kill()``, ``os.kill(child.pid, SIGKILL)``."""
    func = call.func
    name = func.name if isinstance(func, Attr) else func.id if isinstance(func, Name) else ""
    if name not in _KILLS:
        return False
    if isinstance(func, Attr) and same(func.value, child):
        return True
    parts = [part for arg in call.args[:1] for part in subexprs(arg.value)]
    return any(isinstance(part, Attr) and part.name == "pid" and same(part.value, child) for part in parts)


def _finding(rule: Rule, fn: Fn, wait: Call, kill: Call) -> Finding:
    return rule.finding(
        fn.module,
        wait.span,
        f"`{text(wait)}` in `{fn.qualname}` waits without limit: a child that does not end is waited for for ever, and `{text(kill)}` behind it never runs",
        tier="D",
        lost=(fn.step(kill.span, f"`{text(kill)}`"),),
        trace=(fn.step(wait.span, "this comes back only when the child has ended"),),
        help="give the wait a limit, so that the kill behind it is for a child that has not ended by then",
    )
