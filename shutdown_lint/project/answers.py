"""What functions answer on the way out of a program: ``code = command(args)`` / ``if code is not None: return code``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shutdown_lint.facts import Assign, Call, Const, Expr, If, Name, Op, Return, Stmt, Walrus
from shutdown_lint.project import endings
from shutdown_lint.project.programs import Frame
from shutdown_lint.walk import unawaited, walk

if TYPE_CHECKING:
    from shutdown_lint.project import Project


def answers(frame: Frame, inner: bool | None, project: Project) -> bool | None:
    """Whether the function gives back something (not None) behind the place; None where that is not known.

    ``inner`` says the same of the call that the place makes.
    """
    stmt = frame.at.stmt
    if isinstance(stmt, Return):
        return _is_something(stmt.value, inner, "")
    if leaves_with(frame, inner, project):
        return True
    behind = [at.stmt for place in frame.at.around() for at in walk(place.after())]
    found = {_is_something(end.value, inner, _name(stmt)) for end in behind if isinstance(end, Return)}
    return next(iter(found)) if len(found) == 1 and _surely_returns(frame, project) else None


def leaves_with(frame: Frame, inner: bool | None, project: Project) -> bool:
    """Whether the call's answer, which is not None, surely ends the function by the test right behind it."""
    stmt = frame.at.stmt
    if not inner:
        return False
    after = frame.at.after()
    test = stmt if isinstance(stmt, If) else after[0] if after else None
    tested = _not_none(test.test) if isinstance(test, If) else None
    asks = isinstance(tested, Walrus) if test is stmt else isinstance(tested, Name) and tested.id == _name(stmt)
    return (
        asks
        and isinstance(test, If)
        and {end.kind for end in endings.of_block(test.body, frame.fn, project)} == {"return"}
    )


def _not_none(test: Expr) -> Expr | None:
    """What is tested by ``… is not None``."""
    if not isinstance(test, Op) or test.op != "is-not":
        return None
    tested, none = test.operands
    return tested if isinstance(none, Const) and none.value is None else None


def _name(stmt: Stmt) -> str:
    """The name that the answer of a call is given."""
    if isinstance(stmt, Assign) and len(stmt.targets) == 1 and isinstance(unawaited(stmt.value), Call):
        target = stmt.targets[0]
        return target.id if isinstance(target, Name) else ""
    return ""


def _is_something(value: Expr | None, inner: bool | None, name: str) -> bool | None:
    if isinstance(value, Const):
        return value.value is not None
    if isinstance(unawaited(value), Call) or (isinstance(value, Name) and value.id == name):
        return inner
    return None


def _surely_returns(frame: Frame, project: Project) -> bool:
    return any(
        {end.kind for end in endings.of_block(place.after(), frame.fn, project)} == {"return"}
        for place in frame.at.around()
    )
