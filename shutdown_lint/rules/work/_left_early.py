"""What a function starts and hands on in the end, but leaves running where it gives up before: ``raise``, ``return None``."""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import (
    Assign,
    Attr,
    Await,
    Body,
    Call,
    Const,
    Expr,
    For,
    If,
    Match,
    Name,
    Raise,
    Return,
    Stmt,
    Try,
    While,
    With,
)
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.places import Track
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.scopes import Value
from shutdown_lint.walk import At, Site, exprs, subexprs, walk

# what looks at a thing that goes on, although a model counts it among its ends
_LOOKS = frozenset({"poll"})


def left_early(acquisition: Acquisition, track: Track, project: Project) -> At | None:
    """The way out of the function by which it leaves behind what it has started, unlike by the others.

    Only a name that is bound once is followed, and only a ``raise`` or an empty ``return`` that no clause here catches,
    that depends on nothing which the thing itself has told, and before which nobody ends it or is handed it.
    """
    fn, name = acquisition.fn, local_name(acquisition)
    if name is None or track.entered or fn.is_module or fn.facts.is_generator or _is_shared(name, fn, project):
        return None
    start = _start(acquisition, track)
    if start is None or not _is_handed_on(name, acquisition, fn):
        return None
    spoken = {name, *_told_by(name, fn)}
    ends = frozenset({*acquisition.model.ends, *acquisition.model.stop}) - _LOOKS
    for at in fn.statements:
        if isinstance(at.stmt, (Raise, Return)) and _is_empty(at.stmt, spoken):
            top = _behind(at, start)
            if (
                top is not None
                and not _is_guarded(at, top, spoken)
                and not _is_dealt_with(at, top, start, name, ends, fn)
            ):
                return at
    return None


def local_name(acquisition: Acquisition) -> str | None:
    """The local that alone is given what is made, and nothing else ever."""
    stmt = acquisition.site.at.stmt
    if not isinstance(stmt, Assign) or len(stmt.targets) != 1 or not isinstance(stmt.targets[0], Name):
        return None
    value = stmt.value.value if isinstance(stmt.value, Await) else stmt.value
    name = stmt.targets[0].id
    return name if value is acquisition.call and len(acquisition.fn.bindings.get(name, ())) == 1 else None


def _is_shared(name: str, fn: Fn, project: Project) -> bool:
    """Whether a function inside of this one, or one of all functions, knows it by its name."""
    inner = (other for other in project.functions(fn.module) if other.parent is fn)
    return name in fn.declared or any(name in other.mentions for other in inner)


def _start(acquisition: Acquisition, track: Track) -> At | None:
    """The statement from which on it goes on by itself."""
    if not acquisition.model.start:
        return acquisition.site.at
    starts = [use.site.at for use in track.methods(*acquisition.model.start) if use.fn is acquisition.fn]
    return starts[0] if len(starts) == 1 else None


def _is_handed_on(name: str, acquisition: Acquisition, fn: Fn) -> bool:
    """Whether the function gives it to its caller, keeps it in an object or ends it, where all goes well."""
    ends = acquisition.model.ends
    for site in fn.names(name):
        stmt, parent = site.at.stmt, site.parents[0] if site.parents else None
        if isinstance(stmt, Return) and not isinstance(parent, Attr):
            return True
        if parent is None and isinstance(stmt, Assign) and any(isinstance(target, Attr) for target in stmt.targets):
            return True
        if isinstance(parent, Attr) and parent.name in ends and parent.name not in _LOOKS:
            return True
    return False


def _told_by(name: str, fn: Fn) -> Iterator[str]:
    """The names that hold what the thing itself has told: its output, its state."""
    for other, bindings in fn.bindings.items():
        for binding in bindings:
            expr = binding.expr if isinstance(binding, Value) else getattr(binding, "iter", None)
            if other != name and expr is not None and _mentions(expr, {name}):
                yield other


def _mentions(expr: Expr, names: set[str]) -> bool:
    return any(isinstance(part, Name) and part.id in names for part in subexprs(expr))


def _is_empty(stmt: Raise | Return, spoken: set[str]) -> bool:
    """Whether it hands on nothing: a ``return`` of a constant, an error that does not know the thing."""
    if isinstance(stmt, Return):
        return stmt.value is None or isinstance(stmt.value, Const)
    return all(expr is None or not _mentions(expr, spoken) for expr in (stmt.exc, stmt.cause))


def _behind(at: At, start: At) -> At | None:
    """The place around the way out that stands behind the start in its block: the start has been passed for sure."""
    return next((p for p in at.around() if p.block is start.block and p.position > start.position), None)


def _is_guarded(at: At, top: At, spoken: set[str]) -> bool:
    """Whether what the thing has told decides, or a ``finally`` or a clause on the way deals with it."""
    inside = True
    for place in at.around():
        stmt = place.outer.stmt if place.outer is not None else None
        inside = inside and place is not top
        if isinstance(stmt, Try) and place.part != "final":
            caught = place.part == "body" and bool(stmt.handlers) and isinstance(at.stmt, Raise)
            if (caught and inside) or any(_says(block, spoken) for block in _clauses(stmt, caught)):
                return True
        if isinstance(stmt, With) and any(_mentions(item.context, spoken) for item in stmt.items):
            return True
        if inside and stmt is not None and any(_mentions(expr, spoken) for expr in _deciding(stmt)):
            return True
    return False


def _clauses(stmt: Try, caught: bool) -> Iterator[Body]:
    yield stmt.final
    for handler in stmt.handlers if caught else ():
        yield handler.body


def _says(block: Body, spoken: set[str]) -> bool:
    return any(_mentions(expr, spoken) for expr in exprs(block))


def _deciding(stmt: Stmt) -> Iterator[Expr]:
    if isinstance(stmt, (If, While)):
        yield stmt.test
    elif isinstance(stmt, For):
        yield stmt.iter
    elif isinstance(stmt, Match):
        yield stmt.subject


def _is_dealt_with(at: At, top: At, start: At, name: str, ends: frozenset[str], fn: Fn) -> bool:
    """Whether on the way, from the start on, it may be ended, may have ended, or may be handed to somebody."""
    passed = {id(inner.stmt) for inner in walk(tuple(_passed(at, top, start)))}
    return any(_deals(site, ends) for site in fn.names(name) if id(site.at.stmt) in passed)


def _passed(at: At, top: At, start: At) -> Iterator[Stmt]:
    for place in at.around():
        if place is top:
            yield from place.block[start.position + 1 : place.position]
            return
        yield from place.before()
        if place.part in ("handler", "orelse", "final") and place.outer is not None:
            yield from getattr(place.outer.stmt, "body", ())


def _deals(site: Site, ends: frozenset[str]) -> bool:
    stmt, parent = site.at.stmt, site.parents[0] if site.parents else None
    if isinstance(stmt, While):
        return True  # it goes on until the thing has ended, or has said something
    if isinstance(parent, Attr):
        called = len(site.parents) > 1 and isinstance(site.parents[1], Call) and site.parents[1].func is parent
        return parent.name in ends or not (called or isinstance(stmt, (If, For, Assign)))
    return not isinstance(stmt, (If, Return))
