"""What a function starts and hands on in the end, but leaves running where it gives up before: ``raise``, ``return None``.

So does a constructor that raises: nobody has the object then whose attribute holds what was started.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import (
    Assign,
    Attr,
    Body,
    Call,
    Const,
    Expr,
    ExprStmt,
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
from shutdown_lint.project.endings import of_function
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.scopes import Value
from shutdown_lint.project.tracks import Track
from shutdown_lint.walk import At, Site, exprs, last_name, own_exprs, sites_at, subexprs, text, unawaited, walk

# what looks at a thing that goes on, although a model counts it among its ends
_LOOKS = frozenset({"poll"})
# functions by whose name one waits until a thing can be used
_READY = re.compile(r"wait|ready|until|probe|health|handshake|(^|_)ping", re.IGNORECASE)
# methods by whose name a thing may be ended in a way that its model does not know
_ENDS = re.compile(
    r"^_*(un|de|dis|end|send_signal)|stop|close|kill|cancel|shut|quit|exit|term|abort|clean", re.IGNORECASE
)
# who raises in these has no object that somebody could end: its `__exit__` is not called either
_MAKERS = frozenset({"__init__", "__enter__", "__aenter__"})


class _Thing(NamedTuple):
    """The name or ``self.name`` that holds it, and those of what it has told: its output, its state."""

    held: Name | Attr
    told: tuple[Expr, ...]

    def is_in(self, expr: Expr) -> bool:
        """Whether the expression knows of it."""
        return any(part == self.held or part in self.told for part in subexprs(expr))

    def uses(self, fn: Fn) -> list[Site]:
        """Where the function names it."""
        if isinstance(self.held, Name):
            return fn.names(self.held.id)
        return [site for site in fn.attributes(self.held.name) if site.expr == self.held]


def left_early(acquisition: Acquisition, track: Track, project: Project) -> At | None:
    """The way out of the function by which it leaves behind what it has started, unlike by the others.

    Only what is bound once is followed, and only a ``raise`` or an empty ``return`` that no clause here catches, that
    depends on nothing which the thing itself has told, and before which nobody ends it or is handed it.
    """
    fn, held = acquisition.fn, _held(acquisition)
    if held is None or track.entered or fn.is_module or fn.facts.is_generator or _is_shared(held, fn, project):
        return None
    start = _start(acquisition, track)
    thing = _Thing(held, tuple(_told_by(held, fn)))
    if start is None or not (isinstance(held, Attr) or _is_handed_on(thing, acquisition, fn)):
        return None
    ends = frozenset({*acquisition.model.ends, *acquisition.model.stop}) - _LOOKS
    for at in fn.statements:
        if _is_way_out(at, thing, acquisition, project) and _is_empty(at.stmt, thing):
            top = _behind(at, start)
            if top is not None and not _is_guarded(at, top, thing):
                if not _is_dealt_with(at, top, start, thing, ends, fn, project):
                    return at
    return None


def manner(way_out: At) -> str:
    """How the function leaves there, to stand behind its name."""
    if isinstance(way_out.stmt, (Raise, Return)):
        return f"{'raises' if isinstance(way_out.stmt, Raise) else 'returns'} here"
    return "gives up here when the wait is in vain"


def _is_way_out(at: At, thing: _Thing, acquisition: Acquisition, project: Project) -> bool:
    """A ``raise``, a ``return`` (of no constructor), or a wait that is known to raise when it is in vain."""
    fn, stmt = acquisition.fn, at.stmt
    if isinstance(stmt, Raise):
        return True
    if isinstance(thing.held, Attr):
        return False
    if isinstance(stmt, Return):
        return stmt.value is None or isinstance(stmt.value, Const)
    if not isinstance(stmt, (ExprStmt, Assign)) or not _is_handed_on(thing, acquisition, fn, ended=False):
        return False
    return any(_waits_in_vain(site, fn, project) for site in sites_at(at))


def _waits_in_vain(site: Site, fn: Fn, project: Project) -> bool:
    """``wait_until_ready()``, whose body raises, and ``await asyncio.wait_for(…)``."""
    if site.awaited and last_name(site.call.func) == "wait_for":
        return project.calls.is_call_to(site.call, fn, "asyncio.wait_for")
    if not _READY.search(last_name(site.call.func)):
        return False
    targets = project.calls.targets(site.call, fn)
    if len(targets) != 1 or (targets[0].fn.facts.is_async and not site.awaited) or targets[0].fn.facts.is_generator:
        return False
    return any(ending.kind == "raise" for ending in of_function(targets[0].fn, project))


def held_name(acquisition: Acquisition) -> str:
    """How the source calls it."""
    return text(_held(acquisition))


def _held(acquisition: Acquisition) -> Name | Attr | None:
    """The local, or the attribute of an object that is being made, that alone is given what is made, and nothing else."""
    stmt, fn = acquisition.site.at.stmt, acquisition.fn
    if not isinstance(stmt, Assign) or len(stmt.targets) != 1:
        return None
    value = unawaited(stmt.value)
    target = stmt.targets[0]
    if value is not acquisition.call:
        return None
    if isinstance(target, Name):
        return target if len(fn.given(target.id)) == 1 else None
    if isinstance(target, Attr) and fn.own_attribute(target) is not None:
        return target if fn.name in _MAKERS else None
    return None


def _is_shared(held: Name | Attr, fn: Fn, project: Project) -> bool:
    """Whether a function inside of this one, or one of all functions, knows it by its name."""
    name = held.id if isinstance(held, Name) else held.name
    inner = (other for other in project.functions(fn.module) if other.parent is fn)
    return name in fn.declared or any(name in other.mentions for other in inner)


def _start(acquisition: Acquisition, track: Track) -> At | None:
    """The statement from which on it goes on by itself."""
    if not acquisition.model.start:
        return acquisition.site.at
    starts = [use.site.at for use in track.methods(*acquisition.model.start) if use.fn is acquisition.fn]
    return starts[0] if len(starts) == 1 else None


def _is_handed_on(thing: _Thing, acquisition: Acquisition, fn: Fn, *, ended: bool = True) -> bool:
    """Whether the function gives it to its caller, keeps it in an object or (``ended``) ends it, where all goes well."""
    ends = acquisition.model.ends if ended else ()
    for site in thing.uses(fn):
        stmt, parent = site.at.stmt, site.parents[0] if site.parents else None
        if isinstance(stmt, Return) and not isinstance(parent, Attr):
            return True
        if parent is None and isinstance(stmt, Assign) and any(isinstance(target, Attr) for target in stmt.targets):
            return True
        if isinstance(parent, Attr) and parent.name in ends and parent.name not in _LOOKS:
            return True
    return False


def _told_by(held: Name | Attr, fn: Fn) -> Iterator[Expr]:
    """The names and attributes that hold what the thing itself has told."""
    thing = _Thing(held, ())
    for other, bindings in fn.bindings.items():
        for binding in bindings:
            expr = binding.expr if isinstance(binding, Value) else getattr(binding, "iter", None)
            if expr is not None and thing.is_in(expr):
                yield Name(other)
    for at in fn.statements:
        if isinstance(at.stmt, Assign) and at.stmt.value is not None and thing.is_in(at.stmt.value):
            yield from (target for target in at.stmt.targets if isinstance(target, Attr))


def _is_empty(stmt: Stmt, thing: _Thing) -> bool:
    """Whether it hands on nothing: a ``return`` of a constant, an error that does not know the thing."""
    if isinstance(stmt, Return):
        return stmt.value is None or isinstance(stmt.value, Const)
    return not any(thing.is_in(expr) for expr in own_exprs(stmt))


def _behind(at: At, start: At) -> At | None:
    """The place around the way out that stands behind the start in its block: the start has been passed for sure."""
    return next((p for p in at.around() if p.block is start.block and p.position > start.position), None)


def _is_guarded(at: At, top: At, thing: _Thing) -> bool:
    """Whether what the thing has told decides, or a ``finally`` or a clause on the way deals with it."""
    inside = True
    for place in at.around():
        stmt = place.outer.stmt if place.outer is not None else None
        inside = inside and place is not top
        if isinstance(stmt, Try) and place.part != "final":
            caught = place.part == "body" and bool(stmt.handlers) and not isinstance(at.stmt, Return)
            if (caught and (inside or isinstance(thing.held, Attr))) or any(
                _may_end(b, thing) for b in _clauses(stmt, caught)
            ):
                return True
        if isinstance(stmt, With) and any(thing.is_in(item.context) for item in stmt.items):
            return True
        if inside and stmt is not None and any(thing.is_in(expr) for expr in _deciding(stmt)):
            return True
    return False


def _clauses(stmt: Try, caught: bool) -> Iterator[Body]:
    yield stmt.final
    for handler in stmt.handlers if caught else ():
        yield handler.body


def _may_end(block: Body, thing: _Thing) -> bool:
    """Whether the clause may end it: it names it, or asks its owner for something."""
    owner = thing.held.value if isinstance(thing.held, Attr) else None
    return any(
        thing.is_in(expr) or (owner is not None and any(part == owner for part in subexprs(expr)))
        for expr in exprs(block)
    )


def _deciding(stmt: Stmt) -> Iterator[Expr]:
    if isinstance(stmt, (If, While)):
        yield stmt.test
    elif isinstance(stmt, For):
        yield stmt.iter
    elif isinstance(stmt, Match):
        yield stmt.subject


def _is_dealt_with(at: At, top: At, start: At, thing: _Thing, ends: frozenset[str], fn: Fn, project: Project) -> bool:
    """Whether on the way, from the start on, it may be ended, may have ended, or may be handed to somebody."""
    passed = {id(inner.stmt) for inner in walk(tuple(_passed(at, top, start)))}
    if any(_deals(site, ends) for site in thing.uses(fn) if id(site.at.stmt) in passed):
        return True
    if not isinstance(thing.held, Attr):
        return False
    return any(
        _is_given_owner(site, thing.held, fn, project)
        for site in fn.sites
        if id(site.at.stmt) in passed or site.at is at
    )


def _is_given_owner(site: Site, held: Attr, fn: Fn, project: Project) -> bool:
    """Whether the call gets the owner as an argument, or is of a method of the owner that may deal with the thing."""
    if any(arg.value == held.value for arg in site.call.args):
        return True
    func = site.call.func
    if not (isinstance(func, Attr) and (func.value == held.value or isinstance(func.value, Call))):
        return False
    targets = project.calls.targets(site.call, fn)
    return not targets or any(
        held.name in reached.mentions for target in targets for reached in project.protocol.reach(target.fn)
    )


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
        may_end = parent.name in ends or bool(_ENDS.search(parent.name))
        return may_end or not (called or isinstance(stmt, (If, For, Assign)))
    return not isinstance(stmt, (If, Return))
