"""What the body of a ``try`` does: whether it waits, works, or only releases, so that a request to stop is likely to arrive in it or not."""

from __future__ import annotations

from shutdown_lint.facts import Attr, Await, Call, Expr, ExprStmt, For, Name, Stmt, Try, While
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.failing import QUIET_NAMES, talks_to_server
from shutdown_lint.project.supplied import is_supplied
from shutdown_lint.rules.swallowed._catching import awaits, last_name
from shutdown_lint.rules.swallowed._releases import RELEASES
from shutdown_lint.walk import sites, walk

_QUICK = frozenset(
    {
        "loads",
        "raw_decode",
        "extract_tb",
        "format_exc",
        "format_exception",
        "print_exc",
        "dumps",
        "parse",
        "fromisoformat",
        "fromtimestamp",
        "strptime",
        "group",
        "match",
        "search",
        "sub",
        "findall",
        "round",
        "setattr",
        "delattr",
        "__setattr__",
        "__delattr__",
        "ord",
        "chr",
        "abs",
        "divmod",
        "bytes",
        "bytearray",
        "pack",
        "unpack",
        "unpack_from",
        "from_bytes",
        "to_bytes",
        "addstr",
        "addnstr",
        "insstr",
        "addch",
        "insch",
        "hline",
        "vline",
        "chgat",
        "clrtoeol",
        "erase",
    }
)


_OF_ANSWERS = frozenset({"json", "raise_for_status"})


def is_work(call: Call) -> bool:
    """Not a conversion, a look-up or a line for the log, which are over before an interrupt can come."""
    return last_name(call) not in QUIET_NAMES | _QUICK | _OF_ANSWERS


def may_last(stmt: Try, fn: Fn, project: Project) -> bool:
    """Whether the ``try`` waits, or runs code that others supply: an interrupt is likely to arrive in it."""
    return may_wait(stmt, fn, project) or any(is_supplied(_run_by(site.call), fn, project) for site in sites(stmt.body))


def may_wait(stmt: Try, fn: Fn, project: Project) -> bool:
    """Whether something in the ``try`` waits, or talks to a server; what is asked of an answer that is there does not."""
    return any(
        project.protocol.wait(site, fn) is not None
        or any(talks_to_server(name, project) for name in project.calls.external(site.call, fn))
        or any(project.protocol.waits(target.fn) for target in project.calls.targets(site.call, fn))
        for site in sites(stmt.body)
        if last_name(site.call) not in _OF_ANSWERS
    )


def works(stmt: Try, fn: Fn, project: Project) -> bool:
    """Whether the ``try`` runs a loop, or a function of the project that does: work that lasts."""
    if any(isinstance(at.stmt, (While, For)) for at in walk(stmt.body)):
        return True
    targets = (target.fn for site in sites(stmt.body) for target in project.calls.targets(site.call, fn))
    return any(isinstance(at.stmt, (While, For)) for target in targets for at in target.statements)


def awaits_a_task(stmt: Try) -> bool:
    """``try: await task`` or ``await self.task``, and nothing else."""
    first = stmt.body[0] if len(stmt.body) == 1 else None
    value = first.value if isinstance(first, ExprStmt) else None
    return isinstance(value, Await) and isinstance(value.value, (Name, Attr))


def _run_by(call: Call) -> Expr:
    """Whose code the call runs: ``next(items)`` that of the iterator."""
    return call.args[0].value if isinstance(call.func, Name) and call.func.id == "next" and call.args else call.func


def asks_for_results(stmt: Try) -> bool:
    """``task.result()`` of what has ended: the exception is the task's own."""
    return all(last_name(site.call) in ("result", "exception", "get_result") for site in sites(stmt.body)) and any(
        True for _ in sites(stmt.body)
    )


def waits(stmt: Stmt) -> bool:
    return awaits((stmt,)) or any(isinstance(inner.stmt, (While, For)) for inner in walk((stmt,)))


def is_release(stmt: Stmt) -> bool:
    call = stmt.value if isinstance(stmt, ExprStmt) else None
    call = call.value if isinstance(call, Await) else call
    return isinstance(call, Call) and last_name(call) in RELEASES


def releases_only(stmt: Try) -> bool:
    """A release of one member after the other must go through, whatever one of them raises."""
    calls = [last_name(site.call) for site in sites(stmt.body)]
    return bool(calls) and all(name in RELEASES or name in ("remove", "unregister", "join", "pop") for name in calls)
