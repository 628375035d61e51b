"""Callbacks that others have registered for the end, called one after the other: the first that raises skips the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Call, Expr, If, Name
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.failing import shielded
from shutdown_lint.project.scopes import Element, Value
from shutdown_lint.walk import Site, enclosing_loops, last_name, same, subexprs

_END = re.compile(
    r"(?:^|_)(?:clean_?ups?|at_?exit|exit|finali[sz]ers?|tear_?downs?|shut_?down|stop|close|closing|dispose|undo|rollback)(?:_|$)|"
    r"unconfigure"
)
_ADDS = frozenset({"append", "appendleft", "add", "insert"})
_TAKES = frozenset({"pop", "popleft"})
_COPIES = frozenset({"reversed", "list", "tuple", "copy", "sorted"})


class CalledBack(NamedTuple):
    """The call of one, the attribute that holds them, and who puts them there."""

    call: Call
    held: Attr
    adds: Fn


def called_back(fn: Fn, project: Project) -> Iterator[CalledBack]:
    """``for callback in self._cleanups: callback()``, ``while self._cleanups: self._cleanups.pop()()``."""
    if fn.cls is None or fn.self_name is None or not _END.search(fn.name):
        return
    for site in fn.sites:
        if next(enclosing_loops(site.at), None) is None or not site.dropped or shielded(site.at):
            continue
        if _is_for_success(site, fn):
            continue
        held = _held(site, fn)
        adds = _adds(held, fn, project) if held is not None else None
        if held is not None and adds is not None:
            yield CalledBack(site.call, held, adds)
            return


def _is_for_success(site: Site, fn: Fn) -> bool:
    """``if exc_type is None:`` in an ``__exit__``: what an error of the block skips on purpose is no cleanup."""
    if fn.name not in ("__exit__", "__aexit__"):
        return False
    params = {param.name for param in fn.facts.params} - {fn.self_name}
    tests = (
        place.outer.stmt.test
        for place in site.at.around()
        if place.outer is not None and isinstance(place.outer.stmt, If)
    )
    return any(isinstance(part, Name) and part.id in params for test in tests for part in subexprs(test))


def _held(site: Site, fn: Fn) -> Attr | None:
    """The attribute of the instance whose element is called."""
    func = site.call.func
    if isinstance(func, Call):  # `self._cleanups.pop()()`
        return _popped(func, fn)
    bindings = fn.given(func.id) if isinstance(func, Name) else ()
    binding = bindings[0] if len(bindings) == 1 else None
    if isinstance(binding, Value):
        return _popped(binding.expr, fn)
    return _own(_copied(binding.iter), fn) if isinstance(binding, Element) else None


def _popped(expr: Expr, fn: Fn) -> Attr | None:
    if isinstance(expr, Call) and isinstance(expr.func, Attr) and expr.func.name in _TAKES:
        return _own(expr.func.value, fn)
    return None


def _copied(expr: Expr) -> Expr:
    while isinstance(expr, Call) and last_name(expr.func) in _COPIES:
        inner = expr.args[0].value if expr.args else expr.func.value if isinstance(expr.func, Attr) else None
        if inner is None:
            return expr
        expr = inner
    return expr


def _own(expr: Expr, fn: Fn) -> Attr | None:
    return expr if isinstance(expr, Attr) and fn.own_attribute(expr) is not None else None


def _adds(held: Attr, fn: Fn, project: Project) -> Fn | None:
    """A public method of the class that puts one of its parameters there: what is called is code of others."""
    assert fn.cls is not None
    for member in project.classes.family(fn.cls):
        for method in member.methods.values():
            if method.name.startswith("_") or held.name not in method.mentions or method.self_name is None:
                continue
            params = {param.name for param in method.facts.params}
            for site in method.sites:
                func = site.call.func
                given = [arg.value for arg in site.call.args]
                if (
                    isinstance(func, Attr)
                    and func.name in _ADDS
                    and same(func.value, Attr(Name(method.self_name), held.name))
                ):
                    if any(isinstance(value, Name) and value.id in params for value in given):
                        return method
    return None
