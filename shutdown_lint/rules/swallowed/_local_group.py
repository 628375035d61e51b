"""Several things that a function makes, works with and ends one by one: an exception in the work leaves all of them.

``workers = [Process(…) for …]`` … ``run(workers)`` … ``for worker in workers: worker.terminate()``, without a ``finally``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Assign, Attr, Call, Comp, Const, Expr, For, Name, Seq, Stmt, Subscript
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.scopes import Value
from shutdown_lint.rules.swallowed._between import NAMES, can_raise
from shutdown_lint.rules.swallowed._catching import statement_call
from shutdown_lint.rules.swallowed._local_release import ends_process, is_guarded, is_released_elsewhere, worth
from shutdown_lint.walk import At, Site, last_name, sites

_COPIES = frozenset({"list", "tuple", "reversed", "sorted", "set"})
_LOOKS = _COPIES | {"len", "enumerate", "zip", "any", "all", "sum", "print", "range", "iter", "next", "min", "max"}


class Group(NamedTuple):
    """The release of each element, and what holds them."""

    end: Call
    held: str


def groups(fn: Fn, project: Project) -> Iterator[Group]:
    """The first loop of the function for each container that ends what is in it."""
    if fn.is_module or not NAMES & fn.mentions:
        return
    said: set[str] = set()
    for at in fn.statements:
        found = _loop(at.stmt)
        if found is None or found[1] in said or is_guarded(at) or ends_process(at):
            continue
        end, held = found
        made = _made(held, fn)
        if made is None or made.block is not at.block or is_released_elsewhere(held, at, fn) or _escapes(held, fn):
            continue
        filled = max((p for p, stmt in enumerate(at.block[: at.position]) if _fills(stmt, held)), default=made.position)
        between = at.block[filled + 1 : at.position]
        if not can_raise(between) or not isinstance(end.func, Attr):
            continue
        if worth(end.func, last_name(end.func.value), between, fn, project) == "proven":
            said.add(held)
            yield Group(end, held)


def _loop(stmt: Stmt) -> tuple[Call, str] | None:
    """``for worker in workers: worker.terminate()``."""
    if not isinstance(stmt, For) or stmt.is_async or not isinstance(stmt.target, Name) or not stmt.body:
        return None
    held, call = _without_copy(stmt.iter), statement_call(stmt.body[0])
    if not isinstance(held, Name) or call is None or not isinstance(call.func, Attr) or call.func.name not in NAMES:
        return None
    receiver = call.func.value
    return (call, held.id) if isinstance(receiver, Name) and receiver.id == stmt.target.id else None


def _without_copy(expr: Expr) -> Expr:
    """``workers`` in ``list(workers)``, ``workers.values()``."""
    if isinstance(expr, Call) and last_name(expr.func) in _COPIES and len(expr.args) == 1:
        return _without_copy(expr.args[0].value)
    if isinstance(expr, Call) and isinstance(expr.func, Attr) and expr.func.name in ("values", "copy"):
        return expr.func.value
    return expr


def _made(held: str, fn: Fn) -> At | None:
    """Where the one container of that name is made."""
    given = fn.given(held)
    value = given[0] if len(given) == 1 else None
    if not isinstance(value, Value):
        return None
    expr = value.expr
    empty = isinstance(expr, Call) and last_name(expr.func) in ("list", "dict", "set", "deque") and not expr.args
    return value.at if isinstance(expr, (Seq, Comp)) or empty or type(expr).__name__ == "Mapping" else None


def _fills(stmt: Stmt, held: str) -> bool:
    """Whether elements are put into it: ``workers.append(worker)``, ``workers[name] = worker``."""
    if isinstance(stmt, Assign) and any(
        isinstance(t, Subscript) and isinstance(t.value, Name) and t.value.id == held for t in stmt.targets
    ):
        return True
    return any(
        isinstance(site.call.func, Attr)
        and site.call.func.name in ("append", "add", "appendleft", "start", "setdefault")
        for site in sites((stmt,))
    )


def _escapes(held: str, fn: Fn) -> bool:
    """Whether somebody else may know what is in it: it is returned, stored, or an argument."""
    return any(_is_given(site) for site in fn.names(held))


def _is_given(site: Site) -> bool:
    parent = site.parents[0] if site.parents else None
    if parent is None:
        stmt = site.at.stmt
        return not isinstance(stmt, For) and not any(site.expr is t for t in getattr(stmt, "targets", ()))
    if isinstance(parent, Call):
        return last_name(parent.func) not in _LOOKS
    return not isinstance(parent, (Attr, Subscript, Comp, Const)) and type(parent).__name__ != "Op"
