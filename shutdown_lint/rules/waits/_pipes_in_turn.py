"""Two pipes of a child of which one is read to its end before the other is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Break, Call, Continue, Expr, For, If, Op, Raise, Return, Span
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.tracks import Use
from shutdown_lint.rules.waits._children import place_of
from shutdown_lint.rules.waits._stops import acquisitions_of
from shutdown_lint.walk import At, argument, has_star, last_name, same, subexprs, walk

_OTHER = {"stdout": "stderr", "stderr": "stdout"}
_TO_THE_END = frozenset({"read", "readlines"})
_LEAVES = (Return, Raise, Continue, Break)
_STATES = frozenset({"poll", "returncode", "status", "is_running"})


class InTurn(NamedTuple):
    """A read to the end of one pipe, the expression that reads, and the pipe that fills up meanwhile."""

    read: Attr
    whole: Expr
    span: Span
    other: str
    child: Acquisition


def in_turn(fn: Fn, project: Project) -> InTurn | None:
    """The first read to the end of a pipe while nothing reads the child's other one."""
    if not fn.mentions & _OTHER.keys():
        return None
    for pipe, whole, span in _reads(fn):
        made = acquisitions_of(pipe.value, fn, project)
        if made and all(a.model.kind == "child" and _has_both(a.call) for a in made):
            other = _OTHER[pipe.name]
            if _is_left(pipe, span.line, other, made, fn, project):
                return InTurn(pipe, whole, span, other, made[0])
    return None


def _reads(fn: Fn) -> Iterator[tuple[Attr, Expr, Span]]:
    """``child.stdout.read()``, ``for line in child.stdout``; not what a ``gather`` awaits beside others."""
    for site in fn.sites:
        func = site.call.func
        if isinstance(func, Attr) and func.name in _TO_THE_END and not site.call.args and _is_pipe(func.value):
            if _has_ended(site.at) or _has_ended_before(site.at, func.value):
                continue
            if site.awaited or not any(isinstance(parent, Call) and _is_task(parent) for parent in site.parents):
                assert isinstance(func.value, Attr)
                yield func.value, site.call, site.call.span
    for at in fn.statements:
        if isinstance(at.stmt, For) and isinstance(at.stmt.iter, Attr) and _is_pipe(at.stmt.iter):
            line = at.stmt.span.line
            yield at.stmt.iter, at.stmt.iter, at.stmt.span._replace(end_line=line, end_col=at.stmt.span.col + 3)


def _has_ended(at: At) -> bool:
    """``if child.poll() is not None: child.stderr.read()``: what has ended fills no pipe."""
    return any(
        place.outer is not None
        and place.part == "body"
        and isinstance(place.outer.stmt, If)
        and isinstance(place.outer.stmt.test, Op)
        and place.outer.stmt.test.op == "is-not"
        and {last_name(getattr(part, "func", part)) for part in subexprs(place.outer.stmt.test)}
        & {"poll", "returncode"}
        for place in at.around()
    )


def _has_ended_before(at: At, pipe: Expr) -> bool:
    """``if child.poll() is None: return`` before the place, alone or under a test of its own: who comes on has a child that ended."""
    child = pipe.value if isinstance(pipe, Attr) else None
    branches = (inner.stmt for place in at.around() for inner in walk(place.before()) if isinstance(inner.stmt, If))
    return child is not None and any(
        isinstance(stmt.body[-1], _LEAVES) and any(_asks_after(part, child) for part in subexprs(stmt.test))
        for stmt in branches
    )


def _asks_after(part: Expr, child: Expr) -> bool:
    asked = part.func if isinstance(part, Call) else part
    return isinstance(asked, Attr) and asked.name in _STATES and same(asked.value, child)


def _is_task(call: Call) -> bool:
    return getattr(call.func, "name", getattr(call.func, "id", "")) in (
        "gather",
        "create_task",
        "ensure_future",
        "wait",
    )


def _is_pipe(expr: Expr) -> bool:
    return isinstance(expr, Attr) and expr.name in _OTHER


def _has_both(call: Call) -> bool:
    return not has_star(call) and all(_named(argument(call, 99, stream)) == "PIPE" for stream in _OTHER)


def _named(expr: Expr | None) -> str:
    return getattr(expr, "name", getattr(expr, "id", ""))


def _is_left(pipe: Attr, line: int, other: str, made: list[Acquisition], fn: Fn, project: Project) -> bool:
    """Whether nobody else can be reading the other pipe: it is used only behind the read, in the same function."""
    place = place_of(pipe.value, fn, project)
    if place is None:
        return False
    tracks = [project.resources.place_track(place), *(project.resources.track(a) for a in made)]
    if any(track.escaped or track.has("communicate") for track in tracks):
        return False
    if any(use.fn is not fn for track in tracks for use in track.methods("wait")):
        return False  # who made it has waited for its end before
    return not any(use.name == other and not _is_behind(use, line, fn) for track in tracks for use in track.uses)


def _is_behind(use: Use, line: int, fn: Fn) -> bool:
    span = getattr(use.site.at.stmt, "span", None)
    return use.fn is fn and span is not None and span.line > line
