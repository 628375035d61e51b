"""Arguments that travel beside their function: ``Thread(target=work, args=(jobs, stop))``, ``pool.submit(work, jobs)``.

Who runs the function later calls it with them, and so they bind its parameters as those of a plain call do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.facts import Attr, Call, Const, Expr, Name, Param, Seq
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.values import Function
from shutdown_lint.walk import Site, argument, last_name

if TYPE_CHECKING:
    from shutdown_lint.project import Project

MAX_SITES = 8


class _Shape(NamedTuple):
    """Where a call takes the function, and its arguments: as one tuple (``args`` at a position), or those that follow."""

    position: int
    keyword: str
    args: int = -1


# Calling conventions of the standard library, by the last name; what is found counts only for the very function.
_SHAPES = {
    "Thread": _Shape(1, "target", 3),
    "Process": _Shape(1, "target", 3),
    "Timer": _Shape(1, "function", 2),
    "start_new_thread": _Shape(0, "function", 1),
    "submit": _Shape(0, "fn"),
    "to_thread": _Shape(0, "func"),
    "run_in_executor": _Shape(1, "func"),
    "call_soon_threadsafe": _Shape(0, "callback"),
    "call_soon": _Shape(0, "callback"),
    "call_later": _Shape(1, "callback"),
}


def handed(fn: Fn, param: Param, project: Project) -> Iterator[tuple[Expr, Fn]]:
    """What the parameter gets where the function is handed to what runs it later, and the function that says so."""
    if fn.facts.is_lambda or fn.is_module:
        return
    names = [p.name for p in fn.facts.params if p.kind in ("positional-only", "positional")]
    position = names.index(param.name) - int(fn.is_method) if param.name in names else -1
    found = 0
    for handing in project.handings.of(fn.name):
        given = _given(handing.site.call, handing.shape, position, param.name)
        if given is None or not _is(handing.target, fn, handing.holder, project):
            continue
        found += 1
        if found > MAX_SITES:
            return
        yield given, handing.holder


class Handing(NamedTuple):
    """A call that hands a function over: in which function it stands, and the expression that names what is handed."""

    holder: Fn
    site: Site
    shape: _Shape
    target: Expr


class Handings:
    """Every call of the project that hands a named function over, by that name; asked for each parameter of a function."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._done = dict.fromkeys(_SHAPES, 0)
        self._by_name: dict[str, list[Handing]] = {}

    def of(self, name: str) -> list[Handing]:
        """Those of functions that are called so; skipped files that mention the name are read now."""
        self._project.calls.mentioning(name)
        for called, shape in _SHAPES.items():
            sites = self._project.calls.seen_named(called)
            for holder, site in sites[self._done[called] :]:
                target = argument(site.call, shape.position, shape.keyword)
                if isinstance(target, (Name, Attr)):
                    self._by_name.setdefault(last_name(target), []).append(Handing(holder, site, shape, target))
            self._done[called] = len(sites)
        return self._by_name.get(name, [])


def _is(target: Expr, fn: Fn, holder: Fn, project: Project) -> bool:
    """Whether the expression stands for the function (or for the method that it overrides)."""
    return any(isinstance(value, Function) and value.fn is fn for value in project.evaluate.values(target, holder))


def _given(call: Call, shape: _Shape, position: int, name: str) -> Expr | None:
    if shape.args < 0:
        return argument(call, shape.position + 1 + position, name) if position >= 0 else argument(call, 99, name)
    named = argument(call, shape.args + 1, "kwargs")
    if isinstance(named, Seq) and named.kind == "dict":
        for key, value in zip(named.items[::2], named.items[1::2]):
            if isinstance(key, Const) and key.value == name:
                return value
    args = argument(call, shape.args, "args")
    if isinstance(args, Seq) and args.kind in ("tuple", "list") and 0 <= position < len(args.items):
        return args.items[position]
    return None
