"""How a process learns that it is the child of a fork: its own number is another one than was remembered, or a flag says so."""

from __future__ import annotations

from shutdown_lint.facts import Attr, Call, Const, Expr, If, Name, Op, Return, Subscript
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.forks import Side, side_of
from shutdown_lint.walk import Site, last_name, subexprs, unnegated, walk


def knows_a_fork(site: Site, fn: Fn) -> bool:
    """``if os.getpid() != self._pid:`` around the place, or ``if os.getpid() == self._pid: return`` before it."""
    for place in site.at.around():
        outer = place.outer.stmt if place.outer is not None and place.part == "body" else None
        if isinstance(outer, If) and _compares(outer.test, "!=", fn):
            return True
        if any(isinstance(stmt, If) and _leaves(stmt) and _compares(stmt.test, "==", fn) for stmt in place.before()):
            return True
    return False


def is_kept_apart(site: Site, fn: Fn, project: Project) -> bool:
    """``if not self.is_parent:`` around the place, where the two sides of a fork give the attribute different values."""
    for place in site.at.around():
        outer = place.outer.stmt if place.outer is not None and place.part == "body" else None
        flag, holds = unnegated(outer.test) if isinstance(outer, If) else (None, True)
        if isinstance(flag, Attr) and fn.cls is not None and _says_child(flag.name, holds, fn.cls, project):
            return True
    return False


def _says_child(name: str, value: bool, cls: Cls, project: Project) -> bool:
    """Whether only the child of a fork gives the attribute a value like that, beside a constructor."""
    sides: dict[bool, set[Side | None]] = {True: set(), False: set()}
    for write in project.classes.writes(cls, name):
        if not isinstance(write.value, Const):
            return False
        if write.fn.name != "__init__":
            sides[bool(write.value.value)].add(side_of(write.at, write.fn, project))
    return sides[value] == {"child"} and sides[not value] == {"parent"}


def _leaves(stmt: If) -> bool:
    return any(isinstance(inner.stmt, Return) for inner in walk(stmt.body))


def _compares(test: Expr, op: str, fn: Fn) -> bool:
    """Whether the number of the own process is compared with one that was kept."""
    return any(
        isinstance(part, Op)
        and part.op == op
        and any(_is_own(side, fn) for side in part.operands)
        and any(isinstance(side, (Attr, Subscript, Name)) and not _is_own(side, fn) for side in part.operands)
        for part in subexprs(test)
    )


def _is_own(expr: Expr, fn: Fn) -> bool:
    """``os.getpid()``, or a name for it."""
    if isinstance(expr, Name):
        made = (getattr(binding, "expr", None) for binding in fn.bindings.get(expr.id, ()))
        return any(isinstance(value, Call) and last_name(value.func) == "getpid" for value in made)
    return isinstance(expr, Call) and last_name(expr.func) == "getpid"
