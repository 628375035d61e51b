"""What a stop method ends of its own object: its members, itself or by private methods of its class."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.facts import Attr, Call, Expr, Name
from shutdown_lint.project.handles import Fn
from shutdown_lint.walk import Site, last_name, loop_over

if TYPE_CHECKING:
    from shutdown_lint.project import Project

RELEASES = frozenset(
    {
        "close",
        "aclose",
        "stop",
        "shutdown",
        "cancel",
        "join",
        "terminate",
        "kill",
        "disconnect",
        "set",
        "unregister",
        "release",
        "server_close",
        "cleanup",
        "wait",
        "quit",
        "dispose",
    }
)
# `await self.cancel_task(self._reader)`: a helper whose name says that it ends what it is given
_ENDING_HELPER = re.compile(r"_*(?:cancel|stop|close|kill|terminate|shut_?down|join)(?:_\w+)?")
MAX_HELPERS = 2  # private methods of its class through which a stop method ends its members


class Ended(NamedTuple):
    """A call that ends the ``member``, or each element of it, and the method in which it stands."""

    call: Call
    member: str
    fn: Fn


def with_helpers(base: Fn, project: Project) -> list[Fn]:
    """The method and the private ones of its class that it calls on its object: ``await self._cancel_tasks()``."""
    found, new = [base], [base]
    for _ in range(MAX_HELPERS):
        names = [name for fn in new for s in fn.sites if (name := fn.own_attribute(s.call.func)) and name[0] == "_"]
        methods = (project.classes.method(base.cls, name) for name in names if base.cls is not None)
        new = list(dict.fromkeys(m for m in methods if m is not None and m not in found))
        found += new
    return found


def ended_in(fn: Fn) -> Iterator[Ended]:
    """``self._server.close()``, ``await self.cancel_task(self._reader)``, ``for task in self._tasks: task.cancel()``."""
    for site in fn.sites:
        call = site.call
        if (
            isinstance(call.func, Attr)
            and call.func.name in RELEASES
            and (name := member_of(call.func.value, site, fn))
        ):
            yield Ended(call, name, fn)
        elif len(call.args) == 1 and _ENDING_HELPER.fullmatch(last_name(call.func)):
            if name := member_of(call.args[0].value, site, fn):
                yield Ended(call, name, fn)


def member_of(receiver: Expr | None, site: Site, base: Fn) -> str | None:
    """The attribute of ``self`` that the receiver is, or over whose elements the loop around the call runs."""
    if isinstance(receiver, Name):
        receiver = _without_copy(loop_over(receiver.id, site))
        if isinstance(receiver, Name):  # `workers = self._workers.copy()`, made under a lock
            bindings = base.given(receiver.id)
            receiver = _without_copy(getattr(bindings[0], "expr", None)) if len(bindings) == 1 else None
    return base.own_attribute(receiver)


def _without_copy(expr: Expr | None) -> Expr | None:
    """``self.workers`` in ``list(self.workers)``, ``self.workers.values()`` and ``self.workers.copy()``."""
    if isinstance(expr, Call) and isinstance(expr.func, Name) and expr.func.id in ("list", "tuple") and expr.args:
        return _without_copy(expr.args[0].value)
    if isinstance(expr, Call) and isinstance(expr.func, Attr) and expr.func.name in ("values", "copy"):
        return expr.func.value
    return expr
