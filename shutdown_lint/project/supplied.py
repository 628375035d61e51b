"""Objects that come from outside: a caller hands them in, so that their methods are somebody else's code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from shutdown_lint.facts import Assign, Attr, Await, Call, Comp, Expr, Name, Op, Param, Subscript
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.scopes import Binding, Element, Value
from shutdown_lint.project.values import Instance
from shutdown_lint.walk import argument, subexprs

if TYPE_CHECKING:
    from shutdown_lint.project import Project

MAX_HOPS = 4
# What happened, is about to, or has to be made: ``startedConnecting(connector)``, ``connection_made(transport)``, ``on_open(ws)``.
_HOOKS = re.compile(r"^on(_|[A-Z])|(ed|ing|made|done|lost|Made|Done|Lost)$|ed[A-Z_]\w*$|ing[A-Z_]\w*$")
_NO_BASES = frozenset({"object", "ABC", "Generic", "Protocol"})

_ADDERS = frozenset({"append", "add", "insert", "appendleft", "setdefault", "extend", "update"})


def is_supplied(expr: Expr, fn: Fn, project: Project, hops: int = 0) -> bool:
    """Whether the object was handed in by a caller: a parameter, an attribute or a container that holds one."""
    if hops > MAX_HOPS:
        return False
    if isinstance(expr, (Call, Subscript, Await)):
        inner = expr.args[0].value if isinstance(expr, Call) and isinstance(expr.func, Name) and expr.args else None
        inner = inner or (expr.func if isinstance(expr, Call) else expr.value)
        if isinstance(inner, Attr) and isinstance(expr, Call):  # xs.values(), xs.pop()
            inner = inner.value
        return is_supplied(inner, fn, project, hops + 1)
    if isinstance(expr, Name):
        return _name_supplied(expr.id, fn, project, hops)
    if isinstance(expr, Op) and expr.op in ("or", "if"):
        return any(is_supplied(operand, fn, project, hops) for operand in expr.operands)
    if isinstance(expr, Comp):  # {x.key: x for x in xs or []}
        held = {name for element in expr.elements[-1:] for name in _names(element)}
        return any(
            held & set(_names(clause.target)) and is_supplied(clause.iter, fn, project, hops) for clause in expr.clauses
        )
    if isinstance(expr, Attr):
        return any(
            _field_supplied(value, expr.name, project, hops)
            for value in project.evaluate.values(expr.value, fn)
            if isinstance(value, Instance)
        )
    return False


def _field_supplied(value: Instance, name: str, project: Project, hops: int) -> bool:
    """An attribute of an object: handed to its constructor under that name, or set by its class from what a caller gives."""
    given = argument(value.call, 99, name) if value.call is not None else None
    if given is not None and value.fn is not None and is_supplied(given, value.fn, project, hops + 1):
        return True
    return isinstance(value.cls, Cls) and _attribute_supplied(value.cls, name, project, hops)


def _name_supplied(name: str, fn: Fn, project: Project, hops: int) -> bool:
    scope = project.evaluate.binding_scope(name, fn)
    bindings = scope.bindings.get(name, ()) if scope is not None else ()
    if scope is None or not bindings:
        return False
    return any(_binding_supplied(binding, scope, project, hops) for binding in bindings)


def _binding_supplied(binding: Binding, scope: Fn, project: Project, hops: int) -> bool:
    if isinstance(binding, Param):
        if scope.parent is not None and not scope.parent.is_module and scope.cls is None:
            return False  # of a nested function: its callers stand beside it
        return not (scope.is_method and scope.facts.params[0] is binding) and (hops == 0 or _is_public(scope))
    if isinstance(binding, Element):
        return is_supplied(binding.iter, scope, project, hops + 1)
    return isinstance(binding, Value) and is_supplied(binding.expr, scope, project, hops + 1)


def _attribute_supplied(cls: Cls, name: str, project: Project, hops: int) -> bool:
    """An attribute that a public method sets from its parameter, or a list to which one appends it."""
    for write in project.classes.writes(cls, name):
        if write.value is None and write.fn is cls.scope and "dataclass" in _decorators(cls):
            return True
        if (
            write.fn is not cls.scope
            and _is_public(write.fn)
            and not _is_hook(write.fn, cls, project)
            and isinstance(write.value, (Name, Call, Subscript, Comp))
        ):
            if is_supplied(write.value, write.fn, project, hops + 1):
                return True
    return any(
        not _is_hook(member_fn, cls, project) and _adds(member_fn, name, project, hops)
        for c in project.classes.family(cls)
        for member_fn in c.methods.values()
    )


def _is_hook(fn: Fn, cls: Cls, project: Project) -> bool:
    """Whether a library calls the method, by its name and for lack of anybody else: what it hands over is the library's own."""
    bases = (base for base in project.classes.external_bases(cls) if base.rpartition(".")[2] not in _NO_BASES)
    return bool(_HOOKS.search(fn.name)) and any(True for _ in bases) and not project.calls.callers(fn)


def _adds(fn: Fn, name: str, project: Project, hops: int) -> bool:
    """``self.name.append(parameter)`` or ``self.name[key] = parameter`` in a public method."""
    if name not in fn.mentions or not _is_public(fn):
        return False
    return any(is_supplied(value, fn, project, hops + 1) for value in added(fn, name))


def added(fn: Fn, name: str) -> Iterator[Expr]:
    """What the function puts into the container in an attribute of this name."""
    for site in fn.attributes(name):
        stmt, parents = site.at.stmt, site.parents
        if (
            len(parents) >= 2
            and isinstance(parents[0], Attr)
            and parents[0].name in _ADDERS
            and isinstance(parents[1], Call)
        ):
            yield from (arg.value for arg in parents[1].args[-1:])
        if isinstance(stmt, Assign) and stmt.value is not None and parents and isinstance(parents[0], Subscript):
            if any(parents[0] is target for target in stmt.targets):
                yield stmt.value


def _names(expr: Expr) -> Iterator[str]:
    return (part.id for part in subexprs(expr) if isinstance(part, Name))


def _is_public(fn: Fn) -> bool:
    return not fn.name.startswith("_") or fn.name in ("__init__", "__call__")


def _decorators(cls: Cls) -> frozenset[str]:
    return frozenset(last_part(d.func if isinstance(d, Call) else d) for d in cls.facts.decorators)


def last_part(expr: Expr | None) -> str:
    """The last name of what the expression calls, takes or is."""
    while isinstance(expr, (Call, Subscript)):
        expr = expr.func if isinstance(expr, Call) else expr.value
    return expr.name if isinstance(expr, Attr) else expr.id if isinstance(expr, Name) else ""
