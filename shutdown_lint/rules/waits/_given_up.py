"""Children that are killed because a wait for them failed, and forgotten right behind that."""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Const, Expr, For, Name, Try, While
from shutdown_lint.project import Fn
from shutdown_lint.project.endings import catches
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.tracks import Track
from shutdown_lint.walk import At, Site, last_name, line_of, same, sites

_REAPS = ("wait", "communicate", "poll", "returncode", "pid")


def gives_up(kill: Site, made: Acquisition, found: tuple[Track, ...], fn: Fn) -> bool:
    """``except TimeoutExpired: child.kill()``, where nothing behind it waits: the wait in the ``try`` is the one that failed.

    The child must be out of reach from there on: a name of the function itself, or an attribute that is set to None.
    """
    what = kill.call.func.value if isinstance(kill.call.func, Attr) else None
    failed = _failed_try(kill.at)
    if (
        failed is None
        or kill.call.args
        or _ends_program(kill.at)
        or any(track.entered for track in found)
        or not _is_made_anew(kill.at, made, fn)
    ):
        return False
    reaps = [use for track in found for use in track.uses if use.name in _REAPS]
    if not any(use.fn is fn and _stands_in(use.site.at, failed) for use in reaps):
        return False
    if any(use.fn is fn and line_of(use.site.at.stmt) > line_of(kill.at.stmt) for use in reaps):
        return False
    if isinstance(what, Name):
        return made.fn is fn and all(use.fn is fn for use in reaps) and not any(track.escapes for track in found)
    return isinstance(what, Attr) and _is_forgotten(what, kill.at, fn)


def _failed_try(at: At) -> Try | None:
    """The ``try`` of the clause that the place stands in."""
    for place in at.around():
        if place.part == "handler" and place.outer is not None and isinstance(place.outer.stmt, Try):
            return place.outer.stmt
    return None


def _ends_program(at: At) -> bool:
    """Whether the clause is for Ctrl-C, or leaves by an exit: the system reaps what the program leaves behind."""
    clause = next(place.handler for place in at.around() if place.handler is not None)
    return catches(clause.types, "KeyboardInterrupt") or any(
        last_name(site.call.func) in ("exit", "_exit", "abort") for site in sites(clause.body)
    )


def _stands_in(at: At, stmt: Try) -> bool:
    return any(p.part == "body" and p.outer is not None and p.outer.stmt is stmt for p in at.around())


def _is_made_anew(kill: At, made: Acquisition, fn: Fn) -> bool:
    """Whether no loop leads from the kill back to a wait for the same child."""
    loops = [place.stmt for place in kill.around() if isinstance(place.stmt, (For, While))]
    if not loops:
        return True
    return made.fn is fn and any(place.stmt is loops[0] for place in made.site.at.around())


def _is_forgotten(what: Expr, kill: At, fn: Fn) -> bool:
    """Whether the attribute is set to None behind the kill, on the way that leads on from there."""
    return any(
        isinstance(at.stmt, Assign)
        and isinstance(at.stmt.value, Const)
        and at.stmt.value.value is None
        and any(same(target, what) for target in at.stmt.targets)
        for at in _behind(kill, fn)
    )


def _behind(kill: At, fn: Fn) -> Iterator[At]:
    blocks = {id(place.block): place.position for place in kill.around()}
    finals = {id(p.outer.stmt.final) for p in kill.around() if p.outer is not None and isinstance(p.outer.stmt, Try)}
    for at in fn.statements:
        if id(at.block) in finals or (id(at.block) in blocks and at.position > blocks[id(at.block)]):
            yield at
