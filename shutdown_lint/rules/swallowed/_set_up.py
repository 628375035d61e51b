"""What a function makes, sets up and returns: where the setting up fails or is cancelled, nobody has it who could release it.

``conn = await loop.create_connection(…)`` … ``await conn.wait_established()`` … ``return conn``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Assign, Attr, Await, Call, Expr, Name, Seq, Stmt, Try, With
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.handles import Cls
from shutdown_lint.project.scopes import Value
from shutdown_lint.project.values import Instance
from shutdown_lint.walk import At, Site, exprs, last_name, sites_at, subexprs, unawaited

_KINDS = frozenset({"socket", "session", "connection"})
_CONNECTS = re.compile(r"(?:create|open)_(?:unix_)?connection|(?:async_)?connect(?:_\w+)?")
# What talks to the other side, or asks the system for something that it may refuse.
_STEPS = frozenset({"connect", "bind", "login", "authenticate", "handshake", "do_handshake", "sendall", "starttls"})
_AWAITED = re.compile(
    r"wait|connect|login|auth|handshake|start|open|init|set_?up|ready|negotiate|hello|ping|send|recv|receive|read|subscribe"
)


class SetUp(NamedTuple):
    """The call that makes what is called ``name``, and the ``step`` on it that may fail."""

    name: str
    made: Call
    step: Call


def set_up(fn: Fn, project: Project) -> Iterator[SetUp]:
    """The first step of each that nothing guards."""
    if fn.is_module or fn.facts.is_generator:
        return
    said: set[str] = set()
    for at in fn.statements:
        held = _made(at.stmt)
        if held is None or held[0] in said or not _is_returned(held[0], fn):
            continue
        step = _step(at, held[0], fn, project)
        if step is not None and _all_made(held[0], fn, project):  # last: it has to know what the call makes
            said.add(held[0])
            yield SetUp(held[0], held[1], step.call)


def _is_returned(name: str, fn: Fn) -> bool:
    return any(_gives(value, name) for value in fn.returns)


def _all_made(name: str, fn: Fn, project: Project) -> bool:
    """Whether all that the name is bound to is made here, one way or another: ``if tunnel: … else: …``."""
    bindings = fn.given(name)
    for binding in bindings:
        made = _made(binding.at.stmt) if isinstance(binding, Value) else None
        if made is None or not isinstance(binding, Value) or not _is_worth_it(*made, binding.at.stmt, fn, project):
            return False
    return bool(bindings)


def _made(stmt: Stmt) -> tuple[str, Call] | None:
    """``conn = connect()``, and the protocol in ``_, conn = await loop.create_connection(…)``."""
    if not isinstance(stmt, Assign) or len(stmt.targets) != 1:
        return None
    value = unawaited(stmt.value)
    target = stmt.targets[0]
    if (
        isinstance(target, Seq)
        and len(target.items) == 2
        and last_name(getattr(value, "func", None)).startswith("create_")
    ):
        target = target.items[1]
    return (target.id, value) if isinstance(target, Name) and isinstance(value, Call) else None


def _is_worth_it(name: str, made: Call, stmt: Stmt, fn: Fn, project: Project) -> bool:
    values = project.evaluate.values(Name(name), fn)
    if project.resources.kinds_of(Name(name), fn) & _KINDS:
        return True
    classes = [value.cls for value in values if isinstance(value, Instance)]
    if _runs_already(name, fn, project):
        return True
    if any(isinstance(cls, str) or not project.resources.stop_methods(cls) for cls in classes):
        return False
    return isinstance(getattr(stmt, "value", None), Await) and bool(_CONNECTS.fullmatch(last_name(made.func)))


def _runs_already(name: str, fn: Fn, project: Project) -> bool:
    """Whether the constructor makes what its class's stop method ends: there is something to end before any step."""
    classes = [v.cls for v in project.evaluate.values(Name(name), fn) if isinstance(v, Instance)]
    models = [project.composites.model(cls) for cls in classes if isinstance(cls, Cls)]
    return any(model is not None and not model.start and model.loss == "real" for model in models)


def _step(made: At, name: str, fn: Fn, project: Project) -> Site | None:
    """The first step behind the making, where nothing else is done with the thing before."""
    for site in fn.names(name):
        if not _is_behind(site.at, made):
            continue
        parent = site.parents[0] if site.parents else None
        if not isinstance(parent, Attr):
            return None  # returned, or known to somebody else by now
        call = site.parents[1] if len(site.parents) > 1 else None
        if isinstance(call, Call) and call.func is parent:
            found = next((other for other in sites_at(site.at) if other.call is call), None)
            if found is not None and (
                _may_fail(found, parent.name) or (found.awaited and _runs_already(name, fn, project))
            ):
                return None if _is_guarded(found.at, name) else found
    return None


def _is_behind(at: At, made: At) -> bool:
    """Whether it runs behind the making in any case: in the block of that, or of a statement around that."""
    return any(
        place.block is start.block and place.position > start.position
        for start in made.around()
        for place in at.around()
    )


def _gives(value: Expr | None, name: str) -> bool:
    items = value.items if isinstance(value, Seq) else (value,)
    return any(isinstance(item, Name) and item.id == name for item in items)


def _may_fail(site: Site, method: str) -> bool:
    return bool(_AWAITED.search(method)) if site.awaited else method in _STEPS


def _is_guarded(at: At, name: str) -> bool:
    """Whether a clause, a ``finally`` or a ``with`` around the step knows the thing."""
    for place in at.around():
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, Try):
            blocks = (outer.final, *(handler.body for handler in outer.handlers))
            if any(_names(expr, name) for block in blocks for expr in exprs(block)):
                return True
        if isinstance(outer, With) and any(_names(item.context, name) for item in outer.items):
            return True
    return False


def _names(expr: Expr, name: str) -> bool:
    return any(isinstance(part, Name) and part.id == name for part in subexprs(expr))
