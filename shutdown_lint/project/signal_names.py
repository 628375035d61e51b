"""Which signals an expression names: ``signal.SIGTERM``, ``15``, ``getattr(signal, name)``, the variable of a loop over any of them."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from shutdown_lint.facts import Assign, Attr, Call, Expr, Name, Seq, Star, Subscript
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.values import Constant, External, Instance, Value, Values
from shutdown_lint.walk import Site, argument, loop_over

if TYPE_CHECKING:
    from shutdown_lint.project import Project

_BY_NUMBER = {int(number): number.name for number in signal.Signals}
_NAME = re.compile(r"SIG[A-Z][A-Z0-9]*$")


def signals_at(expr: Expr | None, site: Site, fn: Fn, project: Project) -> tuple[str, ...]:
    """The same as ``signals_of``, where the call stands: a name has the values of the nearest loop or assignment around."""
    return _signals(expr, lambda part: _at(part, site, fn, project), fn, project)


def signals_of(expr: Expr | None, fn: Fn, project: Project) -> tuple[str, ...]:
    """The names of the signals that an expression may be: ``signal.SIGTERM``, ``15``, ``getattr(signal, "SIGTERM")``."""
    return _signals(expr, lambda part: project.evaluate.values(part, fn), fn, project)


def _signals(expr: Expr | None, values: Callable[[Expr | None], Values], fn: Fn, project: Project) -> tuple[str, ...]:
    if isinstance(expr, Call) and project.calls.is_call_to(expr, fn, "builtins.getattr"):
        return _named(values(argument(expr, 1, "name")))
    return tuple(dict.fromkeys(name for name in map(_name, values(expr)) if name))


def _at(expr: Expr | None, site: Site, fn: Fn, project: Project) -> Values:
    loop = loop_over(expr.id, site) if isinstance(expr, Name) else None
    if loop is None:
        return project.evaluate.values(expr, fn)
    return tuple(_keys(loop, fn, project)) or project.evaluate.elements(project.evaluate.values(loop, fn))


def _named(values: Values) -> tuple[str, ...]:
    """The names of signals among the strings."""
    found = (value.value for value in values if isinstance(value, Constant))
    return tuple(dict.fromkeys(name for name in found if isinstance(name, str) and _NAME.match(name)))


def _name(value: Value) -> str | None:
    if isinstance(value, Constant) and type(value.value) is int:
        return _BY_NUMBER.get(value.value)
    if isinstance(value, External) and value.name.startswith("signal."):
        last = value.name.rpartition(".")[2]
        return last if _NAME.match(last) else None
    return None


# --- keys of dictionaries --------------------------------------------------------------------------------------------


def _keys(expr: Expr, fn: Fn, project: Project) -> Iterator[Value]:
    """The keys over which a loop over a dictionary runs: those of its displays, and those that are set later."""
    if isinstance(expr, Call) and isinstance(expr.func, Attr) and expr.func.name == "keys":
        expr = expr.func.value
    for display, scope in _displays(expr, fn, project):
        if isinstance(display, Seq) and display.kind == "dict" and not any(isinstance(i, Star) for i in display.items):
            for key in display.items[::2]:
                yield from project.evaluate.values(key, scope)
    if isinstance(expr, Attr):
        yield from _set_later(expr, fn, project)


def _displays(expr: Expr, fn: Fn, project: Project) -> Iterator[tuple[Expr | None, Fn]]:
    if isinstance(expr, Seq):
        yield expr, fn
    elif isinstance(expr, Name):
        scope = project.evaluate.binding_scope(expr.id, fn)
        for binding in scope.bindings.get(expr.id, ()) if scope is not None else ():
            yield getattr(binding, "expr", None), scope or fn
    elif isinstance(expr, Attr):
        for owner in _owners(expr, fn, project):
            for write in project.classes.writes(owner, expr.name):
                yield write.value, write.fn


def _owners(expr: Attr, fn: Fn, project: Project) -> Iterator[Cls]:
    for value in project.evaluate.values(expr.value, fn):
        if isinstance(value, Instance) and isinstance(value.cls, Cls):
            yield value.cls


def _set_later(expr: Attr, fn: Fn, project: Project) -> Iterator[Value]:
    """``self.actions[signal.SIGHUP] = …`` in a method of the class."""
    for owner in _owners(expr, fn, project):
        for method in project.classes.functions_in(owner):
            for at in method.statements if expr.name in method.mentions else ():
                for target in at.stmt.targets if isinstance(at.stmt, Assign) else ():
                    if isinstance(target, Subscript) and getattr(target.value, "name", "") == expr.name:
                        yield from project.evaluate.values(target.key, method)
