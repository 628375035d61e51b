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
    names = [p.name for p in fn.facts.params if p.kind in ("positional-only", "positional")]
    position = names.index(param.name) - int(fn.is_method) if param.name in names else -1
    found = 0
    for holder, site in _sites(fn, project):
        shape = _SHAPES[last_name(site.call.func)]
        target = argument(site.call, shape.position, shape.keyword)
        if not isinstance(target, (Name, Attr)) or last_name(target) != fn.name:
            continue
        given = _given(site.call, shape, position, param.name)
        if given is None or not _is(target, fn, holder, project):
            continue
        found += 1
        if found > MAX_SITES:
            return
        yield given, holder


def _sites(fn: Fn, project: Project) -> Iterator[tuple[Fn, Site]]:
    """The calls that may hand the function over: they name it."""
    for holder in project.calls.mentioning(fn.name) if not (fn.facts.is_lambda or fn.is_module) else ():
        if not holder.mentions.isdisjoint(_SHAPES):
            yield from ((holder, site) for site in holder.sites if last_name(site.call.func) in _SHAPES)


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
