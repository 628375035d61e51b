"""Signal handlers that answer the first signal only: what they do last is lost when a step before it raises.

``signal.signal(SIGTERM, force)`` or ``if stopping: force(); stopping = True`` comes first, so that a second signal does something
else. Whatever raises between that and the stop itself takes the only chance of an orderly stop.
"""

from __future__ import annotations

from shutdown_lint.facts import Assign, Attr, Call, Const, Expr, ExprStmt, If, Name, Stmt
from shutdown_lint.project import Fn, Project
from shutdown_lint.rules.signals._context import Reached
from shutdown_lint.rules.signals._inert import inert, is_log_call, is_logging
from shutdown_lint.walk import At, same, sites, subexprs, walk

_STOPS = frozenset({"SIGTERM", "SIGINT"})
_ENDS = ("sys.exit", "os._exit", "builtins.exit", "builtins.quit")


def lost_stop(at: At, reached: Reached, project: Project) -> Call | None:
    """The first step behind the place that does something, if the next signal will not run the handler to that step again."""
    handler, signals = reached.handler, reached.handling.signals
    if at.outer is not None or (signals and not _STOPS & set(signals)):
        return None
    if not any(_gives_up(stmt, handler, project) for stmt in at.before()):
        return None
    for stmt in at.after():
        if not isinstance(stmt, ExprStmt):
            return None
        call = stmt.value if isinstance(stmt.value, Call) else None
        if call is not None and _ends(call, handler, project):
            return None  # a handler that raises ends the program as well
        if call is not None and not _is_output(call, handler, project):
            return call
    return None


def _ends(call: Call, fn: Fn, project: Project) -> bool:
    """``sys.exit(1)``, or a function of the project that comes to it."""
    if project.calls.is_call_to(call, fn, *_ENDS):
        return True
    return any(
        project.calls.is_call_to(site.call, target.fn, *_ENDS)
        for target in project.calls.targets(call, fn)
        for site in target.fn.sites
    )


def _gives_up(stmt: Stmt, handler: Fn, project: Project) -> bool:
    """Whether the statement puts another handler in place, or sets what the handler asks for at its beginning."""
    for site in sites((stmt,)):
        targets = (target.fn for target in project.calls.targets(site.call, handler))
        installers = [handler, *(fn for target in targets for fn in project.protocol.reach(target))]
        for fn in installers if isinstance(stmt, ExprStmt) else ():
            own = (s.call for s in fn.sites if fn is not handler or s.call is site.call)
            if any(project.calls.is_call_to(call, fn, "signal.signal") for call in own):
                return True
    return isinstance(stmt, Assign) and _is_true(stmt.value) and any(_asked(target, handler) for target in stmt.targets)


def _is_true(value: Expr | None) -> bool:
    return isinstance(value, Const) and value.value is True


def _asked(target: Expr, handler: Fn) -> bool:
    """``if self.stopping: …; return`` at the top of the handler."""
    if not isinstance(target, (Name, Attr)):
        return False
    tests = (at.stmt.test for at in walk(handler.facts.body) if at.outer is None and isinstance(at.stmt, If))
    return any(same(part, target) for test in tests for part in subexprs(test))


def _is_output(call: Call, handler: Fn, project: Project) -> bool:
    names = project.calls.external(call, handler)
    if names:
        return all(name == "builtins.print" or is_logging(name) for name in names)
    targets = project.calls.targets(call, handler)
    return is_log_call(call) if not targets else all(inert(target.fn, project) for target in targets)
