"""Containers of containers: ``for group in self.groups.values(): for member in group: member.close()``."""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, Expr, For, Name
from shutdown_lint.project import Fn
from shutdown_lint.walk import At, enclosing_loops, sites, subexprs


def ends_each_of_each(stops: tuple[Fn, ...], name: str, release: tuple[str, ...]) -> bool:
    """Whether a stop method releases what stands in the containers that the attribute holds."""
    return any(
        _is_released(at, release)
        for stop in stops
        if name in stop.mentions
        for at in stop.statements
        if isinstance(at.stmt, For) and any(_holds(at.stmt.iter, outer, name, stop) for outer in _outer(at))
    )


def _outer(at: At) -> Iterator[For]:
    for loop in enclosing_loops(at):
        if isinstance(loop.stmt, For) and loop.stmt is not at.stmt:
            yield loop.stmt


def _holds(inner: Expr, outer: For, name: str, stop: Fn) -> bool:
    """Whether the outer loop goes over the attribute, and the inner one over what that gives."""
    of_member = any(stop.own_attribute(part) == name for part in subexprs(outer.iter) if isinstance(part, Attr))
    given = {part.id for part in subexprs(outer.target) if isinstance(part, Name)}
    return of_member and any(isinstance(part, Name) and part.id in given for part in subexprs(inner))


def _is_released(at: At, release: tuple[str, ...]) -> bool:
    body = at.stmt.body if isinstance(at.stmt, For) else ()
    taken = (
        {part.id for part in subexprs(at.stmt.target) if isinstance(part, Name)} if isinstance(at.stmt, For) else set()
    )
    funcs = (site.call.func for site in sites(body))
    return any(
        isinstance(func, Attr) and func.name in release and isinstance(func.value, Name) and func.value.id in taken
        for func in funcs
    )
