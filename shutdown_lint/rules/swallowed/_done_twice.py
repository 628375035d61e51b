"""Context managers that end their work in ``except Exception`` and again in ``else``, in the place of a ``finally``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Body, Call, Handler, Name, Raise, Try, Yield
from shutdown_lint.project import Fn, Project
from shutdown_lint.rules.swallowed._catching import STOPPING, caught, tries
from shutdown_lint.rules.swallowed._steps import is_release_name
from shutdown_lint.walk import exprs, last_name, same, sites, subexprs

_MANAGERS = frozenset({"contextmanager", "asynccontextmanager"})


class Twice(NamedTuple):
    """The clause, and the call in it that the ``else`` repeats."""

    handler: Handler
    call: Call


def done_twice(fn: Fn, project: Project) -> Iterator[Twice]:
    """``try: yield`` … ``except Exception: stop(); raise`` … ``else: stop()``."""
    if not fn.decorator_names & _MANAGERS:
        return
    for _, stmt in tries(fn):
        if not stmt.orelse or not _yields(stmt.body) or any(caught(h, fn, project) & STOPPING for h in stmt.handlers):
            continue
        for handler in stmt.handlers:
            call = _repeated(handler, stmt) if "Exception" in caught(handler, fn, project) else None
            if call is not None and handler.body and isinstance(handler.body[-1], Raise):
                yield Twice(handler, call)


def _yields(body: Body) -> bool:
    return any(isinstance(part, Yield) for root in exprs(body) for part in subexprs(root))


def _repeated(handler: Handler, stmt: Try) -> Call | None:
    """A call that ends something, of the clause and of the ``else`` alike, and not of the ``finally``."""
    for site in sites(handler.body):
        func = site.call.func
        if (isinstance(func, (Attr, Name)) and is_release_name(last_name(func))) or "shutdown" in last_name(func):
            # in a clause of the `else` it is the answer to another error, and not what ends the block in any case
            twice = any(
                same(other.call.func, func)
                for other in sites(stmt.orelse)
                if all(place.part != "handler" for place in other.at.around())
            )
            if twice and not any(same(other.call.func, func) for other in sites(stmt.final)):
                return site.call
    return None
