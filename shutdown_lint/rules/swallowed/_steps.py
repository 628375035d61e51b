"""The steps of a cleanup: its release calls in order, and which of them one raising step skips."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import (
    Assign,
    Attr,
    Await,
    Body,
    Call,
    Comp,
    Expr,
    ExprStmt,
    For,
    Name,
    Raise,
    Return,
    Try,
    While,
)
from shutdown_lint.project import Fn
from shutdown_lint.rules.swallowed._releases import RELEASES
from shutdown_lint.walk import At, root_name, same, text, walk

_PREFIXED = re.compile(
    r"^_?(async_)?(close|stop|shutdown|shut_down|disconnect|teardown|cleanup|clean_up|terminate|kill|unregister|release)(_\w+)?$|^\w+_(close|stop|shutdown|cleanup|disconnect)$"
)
_MORE = frozenset(
    {
        "logout",
        "log_out",
        "commit",
        "deregister",
        "unregister",
        "unsubscribe",
        "leave",
        "flush",
        "shutdown_asyncgens",
        "join",
        "server_close",
    }
)
_LIMITS = frozenset({"wait_for", "shield", "move_on_after"})


class Release(NamedTuple):
    """One release in a cleanup: the call, where it stands, whether it is awaited, and the loop that repeats it, if any."""

    call: Call
    at: At
    awaited: bool
    loop: At | None

    @property
    def receiver(self) -> Expr:
        """What is released."""
        assert isinstance(self.call.func, Attr)
        return self.call.func.value

    @property
    def name(self) -> str:
        """The method."""
        assert isinstance(self.call.func, Attr)
        return self.call.func.name

    @property
    def whom(self) -> str:
        """What is released, in words: the receiver, or the helper method of ``self``."""
        return text(self.receiver)


def is_release_name(name: str) -> bool:
    """Whether a method of this name ends something."""
    return name in RELEASES or name in _MORE or bool(_PREFIXED.match(name))


def releases(fn: Fn) -> tuple[Release, ...]:
    """The releases of the function that are statements of their own, in source order."""
    return tuple(release for at in fn.statements for release in _releases_at(at))


def _releases_at(at: At) -> Iterator[Release]:
    value = at.stmt.value if isinstance(at.stmt, (ExprStmt, Assign, Return)) else None
    repeated = _repeating(at)
    if isinstance(value, Comp) and value.kind in ("list", "set"):
        value, repeated = value.elements[-1], at
    call, awaited = released(value)
    if call is not None:
        yield Release(call, at, awaited, repeated)


def released(value: Expr | None) -> tuple[Call | None, bool]:
    """The release call that an expression consists of, and whether it is awaited; a limit around it is looked through."""
    awaited = isinstance(value, Await)
    call = value.value if isinstance(value, Await) else value
    while isinstance(call, Call) and _last(call) in _LIMITS and call.args:
        call = call.args[0].value
    if isinstance(call, Call) and isinstance(call.func, Attr) and is_release_name(call.func.name):
        return call, awaited
    return None, False


def _repeating(at: At) -> At | None:
    """The loop around the statement that goes from one member to the next: ``for``, or ``while`` that takes one after the other."""
    for place in at.around():
        outer = place.outer
        if outer is not None and place.part == "body" and isinstance(outer.stmt, (For, While)):
            return outer
    return None


def member_of(release: Release) -> Expr | None:
    """The container whose members the loop releases, when the receiver is (part of) the loop's variable."""
    loop = release.loop.stmt if release.loop is not None else None
    root = root_name(release.receiver)
    if isinstance(loop, For):
        return loop.iter if root is not None and root in _names(loop.target) else None
    if isinstance(loop, (ExprStmt, Assign, Return)) and isinstance(loop.value, Comp):
        clause = loop.value.clauses[0]
        return clause.iter if root is not None and root in _names(clause.target) else None
    return None


def _names(target: Expr) -> frozenset[str]:
    items = getattr(target, "items", (target,))
    return frozenset(item.id for item in items if isinstance(item, Name))


def skipped_by(release: Release, candidates: tuple[Release, ...]) -> tuple[Release, ...]:
    """The later releases that do not run when this one raises: those after it, outwards until something catches."""
    passed: set[int] = set()
    for place in release.at.around():
        rest = _until_left((place.stmt, *place.after()))
        passed.update(id(inner.stmt) for inner in walk(rest[1:]))
        if isinstance(rest[-1], (Return, Raise)):
            break
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, Try) and place.part == "body":
            passed.update(id(inner.stmt) for inner in walk(outer.orelse))
            if outer.handlers:
                break
    return tuple(
        other for other in candidates if id(other.at.stmt) in passed and not _in_exception_path(other, release)
    )


def _until_left(block: Body) -> Body:
    """The statements up to one that surely leaves the block."""
    for position, stmt in enumerate(block):
        if isinstance(stmt, (Return, Raise)):
            return block[: position + 1]
    return block


def _in_exception_path(other: Release, release: Release) -> bool:
    """Whether the later release stands in a ``finally`` or handler of a ``try`` that is also around the first one."""
    around = {
        id(place.outer.stmt) for place in release.at.around() if place.outer is not None and place.part != "final"
    }
    return any(
        place.part in ("final", "handler") and place.outer is not None and id(place.outer.stmt) in around
        for place in other.at.around()
    )


def different(left: Release, right: Release) -> bool:
    """Whether two releases concern different things: other receivers, or other helpers of the same object."""
    if not same(left.receiver, right.receiver):
        return True
    return isinstance(left.receiver, Name) and left.receiver.id == "self" and left.name != right.name


def _last(call: Call) -> str:
    func = call.func
    return func.name if isinstance(func, Attr) else func.id if isinstance(func, Name) else ""
