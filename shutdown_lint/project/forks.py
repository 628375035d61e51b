"""Which process runs a place after ``os.fork()``: the parent, the child, or both.

A branch on the result of the fork tells (``pid == 0``, ``not pid``, ``pid > 0``, ``os.fork() == 0``, …), and so does an
earlier branch that one of the two does not leave (``if pid: return pid``: the child goes on).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, TypeAlias

from shutdown_lint.facts import Assign, Attr, Body, Call, Const, Expr, If, Match, Name, Op, Stmt, Subscript, Try, Walrus
from shutdown_lint.project.endings import Assume, known, of_block
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.memo import Memo
from shutdown_lint.project.scopes import Value
from shutdown_lint.walk import At, Site, same

if TYPE_CHECKING:
    from shutdown_lint.project import Project

Side: TypeAlias = Literal["child", "parent"]

FORKS = ("os.fork", "os.forkpty", "pty.fork")
MAX_DEPTH = 4
MAX_NESTED = 8  # tests within tests, and names for them
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def opposite(side: Side) -> Side:
    """The other process."""
    return "parent" if side == "child" else "child"


# asked again for each exit of a function
_SITES: Memo[dict[Fn, tuple[Site, ...]]] = Memo()


def fork_sites(fn: Fn, project: Project) -> Iterator[Site]:
    """The calls in ``fn`` that fork this process, themselves or by a helper that returns what the fork gave."""
    memo = _SITES.setdefault(project, {})
    if fn not in memo:
        memo[fn] = tuple(site for site in fn.sites if _gives_fork(site.call, fn, project, 0))
    return iter(memo[fn])


def forks(fn: Fn, project: Project) -> bool:
    """Whether the function forks, itself or by a helper that returns what the fork gave."""
    return any(True for _ in fork_sites(fn, project))


def _gives_fork(expr: Expr, fn: Fn, project: Project, depth: int) -> bool:
    """Whether the value is the result of a fork."""
    if depth > MAX_DEPTH:
        return False
    if isinstance(expr, Walrus):
        expr = expr.value
    if isinstance(expr, Call):
        if project.calls.is_call_to(expr, fn, *FORKS):
            return True
        targets = project.calls.targets(expr, fn)
        return len(targets) == 1 and any(
            _gives_fork(value, targets[0].fn, project, depth + 2) for value in targets[0].fn.returns
        )
    if isinstance(expr, Subscript):
        return _gives_fork(expr.value, fn, project, depth + 1)
    if isinstance(expr, Name):
        bindings = (b for b in fn.bindings.get(expr.id, ()) if isinstance(b, Value))
        return any(b.item in (-1, 0) and _gives_fork(b.expr, fn, project, depth + 1) for b in bindings)
    return isinstance(expr, Attr) and any(_gives_fork(value, fn, project, depth + 1) for value in _stored(expr, fn))


def _stored(expr: Attr, fn: Fn) -> Iterator[Expr]:
    """What this function assigns to the attribute: ``self.pid = os.fork()``."""
    for at in fn.statements:
        for target in getattr(at.stmt, "targets", ()):
            value = getattr(at.stmt, "value", None)
            if value is not None and same(target, expr):
                yield value


def test_side(test: Expr, fn: Fn, project: Project, depth: int = 0) -> tuple[Side | None, Side | None]:
    """Which process takes the branch where the test holds, and which the other (None: either may)."""
    if depth > MAX_NESTED:
        return None, None  # a name may be bound by means of itself: `go_on = go_on and not failed`
    if isinstance(test, Op) and test.op == "not":
        return test_side(test.operands[0], fn, project, depth + 1)[::-1]
    if isinstance(test, Op) and test.op == "and":
        operands = (test_side(operand, fn, project, depth + 1) for operand in test.operands)
        sides = [side for side, _ in operands if side is not None]
        return (sides[0] if sides else None), None
    if isinstance(test, Op) and len(test.operands) == 2:
        return _compared(test, fn, project)
    if isinstance(test, Name):
        noted = [b.expr for b in fn.bindings.get(test.id, ()) if isinstance(b, Value)]
        if len(noted) == 1 and isinstance(noted[0], Op):
            return test_side(noted[0], fn, project, depth + 1)  # in_child = os.fork() == 0
    return ("parent", "child") if _gives_fork(test, fn, project, 0) else (None, None)


def _compared(test: Op, fn: Fn, project: Project) -> tuple[Side | None, Side | None]:
    (left, right), op = test.operands, test.op
    if isinstance(left, Const):
        left, right, op = right, left, _FLIPPED.get(op, op)
    if not isinstance(right, Const) or not _gives_fork(left, fn, project, 0):
        return None, None
    if (op in ("==", "is", "<=") and right.value == 0) or (op == "<" and right.value == 1):
        return "child", "parent"
    if (op in ("!=", "is-not", ">") and right.value == 0) or (op == ">=" and right.value == 1):
        return "parent", "child"
    return None, None


def side_of(at: At, fn: Fn, project: Project) -> Side | None:
    """Which process runs the place, by the branches around it and before it in its own function."""
    if not forks(fn, project):
        return None
    for place in at.around():
        outer = place.outer
        if outer is not None and isinstance(outer.stmt, If) and place.part in ("body", "orelse"):
            side = test_side(outer.stmt.test, fn, project)[place.part == "orelse"]
            if side is not None:
                return side
        if outer is not None and isinstance(outer.stmt, Match) and _gives_fork(outer.stmt.subject, fn, project, 0):
            return "child"  # the patterns are not kept: a case of a fork is not held against anyone
        for stmt in _flat(place.before()):
            side = _left_behind(stmt, fn, project)
            if side is not None:
                return side
    return None


def _flat(block: Body) -> Iterator[Stmt]:
    """The statements, and those in the bodies of ``try`` (the usual dress of a fork)."""
    for stmt in block:
        yield stmt
        if isinstance(stmt, Try):
            yield from stmt.body


def assuming(side: Side, fn: Fn, project: Project) -> Assume:
    """What tests on the fork's result are known to be in this process."""

    other = opposite(side)

    def value(test: Expr) -> bool | None:
        if_true, if_false = test_side(test, fn, project)
        if if_true == other:
            return False
        return True if if_false == other else known(test)

    return value


def _left_behind(stmt: Stmt, fn: Fn, project: Project) -> Side | None:
    """The process that goes on behind an ``if`` on the fork whose other side does not."""
    if not isinstance(stmt, If):
        return None
    for side, block in zip(test_side(stmt.test, fn, project), (stmt.body, stmt.orelse), strict=True):
        if side is not None and not any(
            e.kind == "next" for e in of_block(block, fn, project, assuming(side, fn, project))
        ):
            return opposite(side)
    return None


def in_child(fn: Fn, project: Project, depth: int = 0, seen: frozenset[Fn] = frozenset()) -> bool:
    """Whether every known call of the function stands in a forked child."""
    callers = [caller for caller in project.calls.callers(fn) if caller.fn not in seen] if depth < MAX_DEPTH else []
    return bool(callers) and all(
        side_of(caller.site.at, caller.fn, project) == "child" or in_child(caller.fn, project, depth + 1, seen | {fn})
        for caller in callers
    )


def reset_by_child(fn: Fn, project: Project) -> frozenset[str]:
    """The module's names that the child of a fork binds anew: ``CHILDREN = {}`` leaves its exit callback nothing to do."""
    shared = fn.declared
    return frozenset(
        target.id
        for at in (fn.statements if shared else ())
        if isinstance(at.stmt, Assign) and side_of(at, fn, project) == "child"
        for target in at.stmt.targets
        if isinstance(target, Name) and target.id in shared
    )
