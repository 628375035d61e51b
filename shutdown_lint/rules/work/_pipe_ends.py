"""Pipes of which a child has one end, and this process keeps that end too: the other end never comes to its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Assign, Attr, Call, Name, Seq, Try
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.tracks import Use
from shutdown_lint.walk import Site, last_name, subexprs

_PIPES = ("multiprocessing.Pipe", "multiprocessing.context.BaseContext.Pipe")
_READS = ("recv", "recv_bytes")


class Kept(NamedTuple):
    """The call that makes the pipe, the name of the end that is kept, the child that has it, and who waits for the end."""

    made: Site
    name: str
    started: Site
    reader: Use


def kept_ends(fn: Fn, project: Project) -> Iterator[Kept]:
    """The pipes of the function whose reader counts on their end (``except EOFError``), which never comes."""
    for site in fn.sites:
        if last_name(site.call.func) != "Pipe" or not project.calls.is_call_to(site.call, fn, *_PIPES):
            continue
        names = _names(site)
        for position, name in enumerate(names):
            started = _only_given_to_child(name, fn, project)
            reader = _counts_on_end(site, fn, 1 - position, project) if started is not None else None
            if started is not None and reader is not None:
                yield Kept(site, name, started, reader)


def _names(site: Site) -> tuple[str, ...]:
    """``reader, writer = Pipe()``: the names of the two ends."""
    stmt = site.at.stmt
    target = stmt.targets[0] if isinstance(stmt, Assign) and len(stmt.targets) == 1 and not site.parents else None
    items = target.items if isinstance(target, Seq) else ()
    return tuple(item.id for item in items if isinstance(item, Name)) if len(items) == 2 else ()


def _only_given_to_child(name: str, fn: Fn, project: Project) -> Site | None:
    """The call that makes the child, where nothing else is ever done with the end: no ``close()`` above all."""
    found = None
    for site in fn.names(name):
        if isinstance(site.at.stmt, Assign) and any(_binds(target, name) for target in site.at.stmt.targets):
            if not any(isinstance(parent, Call) for parent in site.parents):
                continue
        found = next((made for made in _children(fn, project) if any(p is made.expr for p in site.parents)), None)
        if found is None:
            return None
    return found


def _binds(target: object, name: str) -> bool:
    return isinstance(target, Seq) and any(isinstance(item, Name) and item.id == name for item in target.items)


def _children(fn: Fn, project: Project) -> Iterator[Site]:
    return (a.site for a in project.resources.of_function(fn) if a.model.kind == "process" and a.cls is None)


def _counts_on_end(site: Site, fn: Fn, item: int, project: Project) -> Use | None:
    """Where the other end is read without a limit, in a ``try`` with a clause for its end."""
    track = project.resources.track_site(site, fn, item)
    if track.has("poll"):
        return None
    for use in track.methods(*_READS):
        tries = (p.outer.stmt for p in use.site.at.around() if p.outer is not None and p.part == "body")
        if any(_foresees(stmt) for stmt in tries if isinstance(stmt, Try)):
            if not project.roles.only(use.fn, "process", "pool-process"):
                return use
    return None


def _foresees(stmt: Try) -> bool:
    return any(
        isinstance(part, (Name, Attr)) and last_name(part) == "EOFError"
        for handler in stmt.handlers
        if handler.types is not None
        for part in subexprs(handler.types)
    )
