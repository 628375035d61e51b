"""What an ``except`` clause catches, and what its body does with it."""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import (
    Attr,
    Await,
    Body,
    Break,
    Call,
    Continue,
    Expr,
    ExprStmt,
    Handler,
    Name,
    Raise,
    Return,
    Seq,
    Stmt,
    Try,
    While,
    With,
)
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.values import Class, Container, External
from shutdown_lint.walk import At, own_exprs, same, sites, subexprs, unawaited, walk

STOPPING = frozenset({"BaseException", "KeyboardInterrupt", "SystemExit", "CancelledError"})
_ENDS_PROCESS = frozenset(
    {"exit", "_exit", "abort", "quit", "execv", "execve", "reraise", "raise_from", "raise_", "throw", "fail", "skip"}
)
_FORWARDS = frozenset(
    {
        "set_exception",
        "put",
        "put_nowait",
        "send",
        "append",
        "exc_info",
        "print_exception",
        "exception_handler",
        "call_exception_handler",
    }
)


def caught(handler: Handler, fn: Fn, project: Project) -> frozenset[str]:
    """The last names of the exception types that the clause names; a bare ``except`` catches ``BaseException``."""
    if handler.types is None:
        return frozenset({"BaseException"})
    parts = handler.types.items if isinstance(handler.types, Seq) else (handler.types,)
    return frozenset(name for part in parts for name in _names(part, fn, project))


def _names(part: Expr, fn: Fn, project: Project) -> Iterator[str]:
    found = False
    for value in _types(part, fn, project):
        if isinstance(value, External):
            found = True
            yield value.name.rpartition(".")[2]
        elif isinstance(value, Class):
            found = True
            yield value.cls.name
    if not found and isinstance(part, (Attr, Name)):
        yield part.name if isinstance(part, Attr) else part.id


def _types(part: Expr, fn: Fn, project: Project) -> Iterator[object]:
    """What a part of the clause stands for; a tuple with a name (``FATAL = (KeyboardInterrupt, SystemExit)``) is opened."""
    for value in project.evaluate.values(part, fn):
        yield from value.elements if isinstance(value, Container) else (value,)


def tries(fn: Fn) -> Iterator[tuple[At, Try]]:
    """Every ``try`` of the function that has handlers."""
    for at in fn.statements:
        if isinstance(at.stmt, Try) and at.stmt.handlers:
            yield at, at.stmt


def shielded_by_sibling(stmt: Try, handler: Handler, fn: Fn, project: Project) -> bool:
    """Whether an earlier clause of the same ``try`` already lets the stopping exceptions through (or deals with them)."""
    for other in stmt.handlers:
        if other is handler:
            return False
        if caught(other, fn, project) & STOPPING or (_is_bare_raise(other) and _is_unknown(other, fn, project)):
            return True
    return False


def _is_bare_raise(handler: Handler) -> bool:
    return len(handler.body) == 1 and isinstance(handler.body[0], Raise) and handler.body[0].exc is None


def _is_unknown(handler: Handler, fn: Fn, project: Project) -> bool:
    """Whether the clause names its types by something that may stand for several: ``except self.fatal: raise``."""
    parts = handler.types.items if isinstance(handler.types, Seq) else (handler.types,)
    return any(part is None or not _is_type(part, fn, project) for part in parts)


def _is_type(part: Expr, fn: Fn, project: Project) -> bool:
    """Whether the project says which types these are; of a constant that is imported from elsewhere nobody can tell."""
    last = part.name if isinstance(part, Attr) else part.id if isinstance(part, Name) else ""
    if isinstance(part, Name) and any(param.name == part.id for param in fn.facts.params):
        return False
    values = project.evaluate.values(part, fn)
    return any(
        isinstance(value, (Class, Container)) or (isinstance(value, External) and not last.isupper())
        for value in values
    )


def raises(body: Body) -> bool:
    """Whether some path of the body raises, or ends the process."""
    return any(isinstance(at.stmt, Raise) for at in walk(body)) or any(
        _last(site.call) in _ENDS_PROCESS for site in sites(body)
    )


def leaves(body: Body) -> bool:
    """Whether the body's last statement leaves the surrounding loop or function."""
    return any(isinstance(at.stmt, (Break, Return)) for at in walk(body))


def leaves_behind(at: At, loop: At) -> bool:
    """Whether the loop is left behind the ``try`` at this place in any case, before its next round."""
    for place in at.around():
        if place.stmt is loop.stmt:
            return False
        if any(isinstance(stmt, (Break, Return, Raise)) for stmt in place.after()):
            return True
    return False


def empties(loop: Stmt) -> bool:
    """``while self.threads: self.threads.pop().join()``: the loop goes on only until the container is empty."""
    return isinstance(loop, While) and any(
        isinstance(site.call.func, Attr)
        and site.call.func.name in ("pop", "popleft", "popitem")
        and same(site.call.func.value, loop.test)
        for site in sites(loop.body)
    )


def forwards(handler: Handler, fn: Fn) -> bool:
    """Whether the exception is kept for someone else: stored, handed on, set on a future."""
    if any(_last(site.call) in _FORWARDS or _last(site.call).endswith("exc_info") for site in sites(handler.body)):
        return True
    if handler.name is None:
        return False
    for at in walk(handler.body):
        for root in own_exprs(at.stmt):
            if any(isinstance(e, Name) and e.id == handler.name for e in subexprs(root)) and not _only_logs(
                root, handler.name
            ):
                return True
    return False


def _only_logs(root: Expr, name: str) -> bool:
    """``log.error("…", exc)``: mentioned, not kept."""
    call = root.value if isinstance(root, Await) else root
    return isinstance(call, Call) and _last(call) in (
        "debug",
        "info",
        "warning",
        "warn",
        "error",
        "exception",
        "critical",
        "log",
        "print",
        "msg",
        "write",
        "fatal",
    )


def awaits(body: Body) -> bool:
    """Whether something is awaited in the body (nested definitions aside)."""
    for at in walk(body):
        if isinstance(at.stmt, With) and at.stmt.is_async:
            return True
        if getattr(at.stmt, "is_async", False):
            return True
        for root in own_exprs(at.stmt):
            if any(isinstance(e, Await) for e in subexprs(root)):
                return True
    return False


def goes_on(at: At) -> bool:
    """Whether anything runs after the statement in its function: a loop around it, or statements behind it."""
    from shutdown_lint.walk import enclosing_loops, what_runs_after

    if next(enclosing_loops(at), None) is not None:
        return True
    return any(not isinstance(stmt, (Return, Continue, Break)) or _value(stmt) for stmt in what_runs_after(at))


def _value(stmt: Stmt) -> bool:
    return isinstance(stmt, Return) and stmt.value is not None and isinstance(stmt.value, (Call, Await))


_CANCELS = frozenset({"cancel", "_cancel", "cancel_scope", "uncancel", "cancelled", "cancelling"})


def cancels(fn: Fn, project: Project) -> bool:
    """Whether the function (or the method around it) cancels something itself: the ``t.cancel(); await t`` idiom."""
    return any(_cancels(site.call, fn, project) for site in fn.sites if "cancel" in _last(site.call))


def _cancels(call: Call, fn: Fn, project: Project) -> bool:
    """Not where the project's own function of the name cancels no task, but an order or a job of some service."""
    targets = project.calls.targets(call, fn) if _last(call) not in _CANCELS else ()
    return not targets or any(
        _last(site.call) in _CANCELS
        for target in targets
        for reached in project.protocol.reach(target.fn)
        for site in reached.sites
    )


def _last(call: Call) -> str:
    func = call.func
    return func.name if isinstance(func, Attr) else func.id if isinstance(func, Name) else ""


def last_name(call: Call) -> str:
    """The last part of the callee: ``close`` for ``self.db.close()``."""
    return _last(call)


def statement_call(stmt: Stmt) -> Call | None:
    """The call that a statement consists of, awaited or not, its result dropped."""
    if not isinstance(stmt, ExprStmt):
        return None
    value = unawaited(stmt.value)
    return value if isinstance(value, Call) else None


def suppressed(context: Expr, fn: Fn, project: Project) -> frozenset[str]:
    """The last names of the exception types that a ``contextlib.suppress(…)`` swallows; none for other context managers."""
    if not (isinstance(context, Call) and _last(context) == "suppress"):
        return frozenset()
    if not project.calls.is_call_to(context, fn, "contextlib.suppress"):
        return frozenset()
    return frozenset(name for arg in context.args for name in _names(arg.value, fn, project))
