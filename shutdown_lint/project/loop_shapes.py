"""Shapes of loops, read off their statements alone: what leaves them, counts, or runs until there is no more."""

from __future__ import annotations

from shutdown_lint.facts import (
    Assign,
    Body,
    Break,
    Call,
    Const,
    Expr,
    ExprStmt,
    For,
    Handler,
    Name,
    Op,
    Raise,
    Return,
    Seq,
    Stmt,
    Try,
    While,
)
from shutdown_lint.walk import At, enclosing_loops, last_name, parts_of, same, sites, subexprs, walk

_TAKES = frozenset({"get", "get_nowait", "pop", "popleft", "popitem", "next", "recv", "read"})
_DRY = frozenset({"Empty", "QueueEmpty", "StopIteration", "IndexError", "KeyError", "BlockingIOError"})


def sets(stmt: Stmt, names: set[str]) -> bool:
    """Whether the statement gives one of the locals a constant."""
    return (
        isinstance(stmt, Assign)
        and isinstance(stmt.value, Const)
        and any(isinstance(target, Name) and target.id in names for target in stmt.targets)
    )


def always(test: Expr) -> bool:
    return isinstance(test, Const) and bool(test.value)


def counts(stmt: While) -> bool:
    """``while n > 0`` with ``n -= 1`` in the body: bounded."""
    if not isinstance(stmt.test, Op) or stmt.test.op not in ("<", "<=", ">", ">=", "!="):
        return False
    names = {expr.id for expr in subexprs(stmt.test) if isinstance(expr, Name)}
    changed = {
        target.id
        for at in walk(stmt.body)
        if isinstance(at.stmt, Assign) and at.stmt.op in ("+=", "-=")
        for target in at.stmt.targets
        if isinstance(target, Name)
    }
    return bool(names & changed)


def leaves_loop(body: Body) -> bool:
    """Whether some path of the loop's body leaves the loop (``break`` of an inner loop does not)."""
    for stmt in body:
        if isinstance(stmt, (Break, Return, Raise)):
            return True
        if isinstance(stmt, ExprStmt) and _exits(stmt.value):
            return True
        for part, block, _ in parts_of(stmt):
            if isinstance(stmt, (While, For)) and part == "body":
                if any(isinstance(at.stmt, (Return, Raise)) for at in walk(block)):
                    return True
            elif leaves_loop(block) and not (
                isinstance(stmt, Try) and part == "body" and stmt.handlers and _only_raises(block)
            ):
                return True
    return False


def runs_dry(loop: At, body: Body) -> bool:
    """``try: while True: q.get_nowait() except Empty: pass``: the loop takes what there is, and an exception ends it."""
    takes, moves = any(last_name(site.call.func) in _TAKES for site in sites(body)), _moves_on(body)
    return (takes or moves) and any(
        any(last_name(kind) in _DRY or (moves and not _is_wide(kind)) for kind in _caught(handler))
        for place in loop.around()
        if place.part == "body" and place.outer is not None and isinstance(place.outer.stmt, Try)
        for handler in place.outer.stmt.handlers
    )


def _moves_on(body: Body) -> bool:
    """``position = self.copy_one(position)`` and nothing else: it goes through something until there is no more."""
    step = body[0] if len(body) == 1 else None
    made = step.value if isinstance(step, Assign) else None
    return (
        isinstance(step, Assign)
        and isinstance(made, Call)
        and isinstance(step.targets[0], Name)
        and any(same(arg.value, step.targets[0]) for arg in made.args)
    )


def _is_wide(kind: Expr | None) -> bool:
    """Whether the clause is for any error, or for who interrupts."""
    return kind is None or last_name(kind) in (
        "Exception",
        "BaseException",
        "KeyboardInterrupt",
        "SystemExit",
        "CancelledError",
    )


def _caught(handler: Handler) -> tuple[Expr | None, ...]:
    return handler.types.items if isinstance(handler.types, Seq) else (handler.types,)


def _exits(expr: Expr) -> bool:
    """``sys.exit()`` and the like."""
    return isinstance(expr, Call) and getattr(expr.func, "name", getattr(expr.func, "id", "")) in (
        "exit",
        "_exit",
        "abort",
        "quit",
        "exec",
        "execv",
        "execve",
    )


def _only_raises(block: Body) -> bool:
    """Inside a ``try`` with handlers a ``raise`` may be caught again."""
    return not any(isinstance(at.stmt, (Break, Return)) for at in walk(block))


def leaves_here(body: Body) -> bool:
    """Whether a path of the branch leaves the loop around it; the ``break`` of a loop inside the branch does not."""
    return any(
        isinstance(at.stmt, (Return, Raise)) or (isinstance(at.stmt, Break) and not any(enclosing_loops(at)))
        for at in walk(body)
    )
