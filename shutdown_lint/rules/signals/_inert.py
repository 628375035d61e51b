"""Whether a signal handler does anything at all: no exit, no state that is read, no call that could stop something."""

from __future__ import annotations

from typing import NamedTuple

from shutdown_lint.facts import (
    Assert,
    Assign,
    Attr,
    Await,
    Call,
    ClassDef,
    Const,
    Delete,
    Expr,
    FunctionDef,
    Match,
    Name,
    Raise,
    Seq,
    Stmt,
    Yield,
)
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.values import External, Instance
from shutdown_lint.walk import At, Site, own_exprs, sites_at, subexprs, text

MAX_DEPTH = 3
_TALK = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log"})
# Calls that change nothing that a program could notice and stop by.
_INERT = frozenset(
    {
        "builtins.print",
        "builtins.str",
        "builtins.repr",
        "builtins.int",
        "builtins.len",
        "builtins.isinstance",
        "builtins.getattr",
        "builtins.hasattr",
        "builtins.format",
        "builtins.dict",
        "builtins.list",
        "builtins.tuple",
        "builtins.id",
        "builtins.type",
        "builtins.vars",
        "builtins.super",
        "time.time",
        "time.monotonic",
        "time.strftime",
        "time.sleep",
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "os.getpid",
        "os.getppid",
        "signal.Signals",
        "signal.strsignal",
        "threading.current_thread",
        "threading.enumerate",
        "sys.stdout.write",
        "sys.stderr.write",
        "sys.stdout.flush",
        "sys.stderr.flush",
        "traceback.print_stack",
        "traceback.format_stack",
        "traceback.print_exc",
        "logging.getLogger",
        "signal.getsignal",
        "socket.gethostname",
        "inspect.currentframe",
    }
)


class Flag(NamedTuple):
    """A name or attribute that a function assigns, as written, and whether it is a local of that function alone."""

    text: str
    name: str
    is_local: bool


def inert(fn: Fn, project: Project, depth: int = 0) -> bool:
    """Whether the function surely has no effect but output, and assignments to names of its own that nobody else sees."""
    return all(_is_inert(at, fn, project, depth) for at in fn.statements)


def _is_inert(at: At, fn: Fn, project: Project, depth: int) -> bool:
    stmt = at.stmt
    if isinstance(stmt, (Raise, Delete, FunctionDef, ClassDef, Match, Assert)):
        return False
    if any(isinstance(expr, (Await, Yield)) for root in own_exprs(stmt) for expr in subexprs(root)):
        return False
    if isinstance(stmt, Assign) and not all(
        is_own(target, fn) or _is_unread(target, fn, project) for target in stmt.targets
    ):
        return False
    return all(_is_inert_call(site, fn, project, depth) for site in sites_at(at))


def is_own(target: Expr, fn: Fn) -> bool:
    """Whether an assignment to the target binds a local of the function."""
    if isinstance(target, Seq):
        return all(is_own(item, fn) for item in target.items)
    return isinstance(target, Name) and target.id not in fn.declared


def _is_inert_call(site: Site, fn: Fn, project: Project, depth: int) -> bool:
    names = project.calls.external(site.call, fn)
    if names:
        return all(name in _INERT or is_logging(name) for name in names)
    targets = project.calls.targets(site.call, fn)
    if targets:
        return depth < MAX_DEPTH and all(
            target.fn is not fn and inert(target.fn, project, depth + 1) for target in targets
        )
    return is_log_call(site.call) or _is_of_text(site.call)


def _is_of_text(call: Call) -> bool:
    """A method of a string that stands in the code: ``"got {}".format(signum)``, ``", ".join(names)``."""
    made = call.func.value if isinstance(call.func, Attr) else None
    return isinstance(made, Const) and isinstance(made.value, str)


def is_logging(name: str) -> bool:
    """``logging.info`` or a method of a logger."""
    return name.startswith("logging.") and name.rpartition(".")[2] in _TALK


def is_log_call(call: Call) -> bool:
    """A call that logs by the looks of it, where the logger's type is unknown: ``self.log.info(…)``, ``logger.warning(…)``."""
    func = call.func
    return isinstance(func, Attr) and func.name in _TALK and "log" in text(func.value).lower()


def writes(fn: Fn) -> tuple[Flag, ...]:
    """The names and attributes that the function assigns."""
    found = []
    for at in fn.statements:
        for target in at.stmt.targets if isinstance(at.stmt, Assign) else ():
            if isinstance(target, Name):
                found.append(Flag(target.id, target.id, target.id not in fn.declared))
            elif isinstance(target, Attr):
                found.append(Flag(text(target), target.name, False))
    return tuple(found)


def _is_unread(target: Expr, fn: Fn, project: Project) -> bool:
    """Whether nothing in the project ever reads a global or attribute of this name."""
    if isinstance(target, Attr):
        if _is_of_library(target.value, fn, project):
            return False
        return not _is_read(target.name, project, attribute=True)
    return isinstance(target, Name) and not _is_read(target.id, project, attribute=False)


def _is_of_library(receiver: Expr, fn: Fn, project: Project) -> bool:
    """Whether the object may be one of a library's, which reads its attributes itself: ``server.should_exit = True``."""
    if isinstance(receiver, Name) and receiver.id == fn.self_name:
        return False
    values = project.evaluate.values(receiver, fn)
    return not values or any(
        isinstance(value, External) or (isinstance(value, Instance) and isinstance(value.cls, str)) for value in values
    )


def _is_read(name: str, project: Project, *, attribute: bool) -> bool:
    """Whether some function mentions the name otherwise than to assign it; ``"name"`` in a string (getattr) counts."""
    return any(
        not _is_target(site)
        for fn in project.calls.mentioning(name)
        for site in (*fn.attributes(name), *fn.names(name))
    )


def _is_target(site: Site) -> bool:
    """Whether the place is what an assignment binds."""
    stmt: Stmt = site.at.stmt
    return isinstance(stmt, Assign) and stmt.op == "=" and any(site.expr is target for target in stmt.targets)
