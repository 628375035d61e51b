"""Objects that work in one method and tidy up behind it: an exception or a cancellation in the work skips the tidying."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Call, For, Stmt, Try, While
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.endings import catches
from shutdown_lint.rules.swallowed._catching import statement_call
from shutdown_lint.walk import At, enclosing_finally, enclosing_with, last_name, sites, walk

_WORKS = re.compile(r"^_*(async_)?(run|main|serve|work|loop|execute|process|listen|consume|start_and_\w+)(_\w+)?$")
_ENDS = re.compile(
    r"^_*(async_)?(clean_?up|close|stop|shut_?down|tear_?down|dispose|finalize|disconnect|release|terminate)(_\w+)?$"
)
# Waits that last, in which most interrupts and cancellations arrive.
_LASTS = frozenset(
    {
        "wait",
        "join",
        "serve_forever",
        "run_forever",
        "gather",
        "sleep",
        "get",
        "recv",
        "accept",
        "run",
        "start_consuming",
    }
)


class OwnEnd(NamedTuple):
    """The step that tidies up, and the work before it."""

    end: Call
    work: Stmt


def own_ends(fn: Fn, project: Project) -> Iterator[OwnEnd]:
    """``await self._work(); await self._cleanup()`` in ``run``, without a ``finally``.

    Only of coroutines, which may be cancelled in any await; threads see no Ctrl-C, and handlers of signals take it elsewhere.
    """
    if (
        not fn.facts.is_async
        or not fn.is_method
        or not _WORKS.match(fn.name)
        or fn.self_name is None
        or not any(map(_ENDS.match, fn.mentions))
    ):
        return
    for at in fn.statements:
        call = statement_call(at.stmt)
        if call is None or not _is_own(call, fn) or at.outer is not None or not _ENDS.match(last_name(call.func)):
            continue
        work = next((stmt for stmt in at.before() if _is_work(stmt)), None)
        if work is None or _is_ended_elsewhere(call, fn, project) or _takes_all(work):
            continue
        if next(enclosing_finally(at), None) is None and next(enclosing_with(at), None) is None:
            yield OwnEnd(call, work)
            return


def _is_own(call: Call, fn: Fn) -> bool:
    return fn.own_attribute(call.func) is not None


def _is_work(stmt: Stmt) -> bool:
    """A loop that may last, or (in a coroutine) something of its own that is awaited."""
    if isinstance(stmt, While) or (isinstance(stmt, For) and stmt.is_async):
        return any(True for _ in sites(stmt.body))
    lasting = (site for site in sites((stmt,)) if last_name(site.call.func).strip("_") in _LASTS)
    return any(site.awaited for site in lasting)


def _takes_all(work: Stmt) -> bool:
    """Whether clauses take what the work raises; those for `Exception` let the cancellation pass."""
    if isinstance(work, (While, For)):
        inner = [stmt for stmt in work.body if any(True for _ in sites((stmt,)))]
        return bool(inner) and all(_is_caught(stmt) for stmt in inner)
    return any(_is_caught(at.stmt) for at in walk((work,)))


def _is_caught(stmt: Stmt) -> bool:
    return isinstance(stmt, Try) and any(
        catches(handler.types, "BaseException", "CancelledError") for handler in stmt.handlers
    )


def _is_ended_elsewhere(end: Call, fn: Fn, project: Project) -> bool:
    """Whether the same step stands in a ``finally``, in a clause, or in what leaves a ``with``, anywhere in the class or at its users."""
    name = last_name(end.func)
    for other, site in project.calls.calls_named(name):
        if site.call is end:
            continue
        if other is fn or other.name in ("__exit__", "__aexit__", "__del__") or _is_guarded(site.at):
            return True
    return any(_is_guarded(caller.site.at) or _is_tried(caller.site.at) for caller in project.calls.callers(fn))


def _is_guarded(at: At) -> bool:
    return any(place.part in ("final", "handler") for place in at.around())


def _is_tried(at: At) -> bool:
    return any(
        place.outer is not None and isinstance(place.outer.stmt, Try) and place.part == "body" for place in at.around()
    )
