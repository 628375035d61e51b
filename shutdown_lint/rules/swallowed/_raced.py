"""Tasks that a coroutine starts and waits for together: when the wait ends before them, they go on.

``asyncio.wait`` cancels none of them when it is cancelled; ``asyncio.gather`` none of the others when one of them raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Assign, Attr, Body, Call, Comp, Expr, Name, Return, Seq, Try
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.endings import catches
from shutdown_lint.project.scopes import Value
from shutdown_lint.rules.swallowed._pairs import TASKS, is_main
from shutdown_lint.walk import Site, last_name, sites, text

_LOOKS = frozenset(
    {"wait", "gather", "set", "list", "tuple", "len", "isinstance", "print", "debug", "info", "warning", "exception"}
)


class Raced(NamedTuple):
    """The ``wait``, the cancel that is skipped, and what the tasks are called."""

    wait: Call
    cancel: Call
    what: str


def raced(fn: Fn, project: Project) -> Iterator[Raced]:
    """``done, pending = await asyncio.wait({first, second})`` … ``for task in pending: task.cancel()``."""
    if (
        not fn.facts.is_async
        or not {"wait", "cancel"} <= fn.mentions
        or not fn.mentions & {"create_task", "ensure_future"}
    ):
        return
    for site in fn.sites:
        if last_name(site.call.func) != "wait" or not site.awaited or not site.call.args:
            continue
        if not project.calls.is_call_to(site.call, fn, "asyncio.wait") or _is_guarded(site):
            continue
        tasks = site.call.args[0].value
        cancel = _cancelled_behind(site, fn)
        if cancel is not None and _are_own(tasks, fn, project) and not is_main(fn, project):
            yield Raced(site.call, cancel, _names(tasks, fn, project))
            return


class Abandoned(NamedTuple):
    """The ``gather``, and what the tasks are called that go on when another one raises."""

    gather: Call
    what: str


def abandoned(fn: Fn, project: Project) -> Iterator[Abandoned]:
    """``task = asyncio.create_task(self.read())`` … ``await asyncio.gather(self.write(), task)``, with nobody to cancel it."""
    if not fn.facts.is_async or "gather" not in fn.mentions or not fn.mentions & {"create_task", "ensure_future"}:
        return
    for site in fn.sites:
        if last_name(site.call.func) != "gather" or not site.awaited:
            continue
        given = [arg.value for arg in site.call.args if arg.keyword is None and not arg.star]
        tasks = [item for item in given if isinstance(item, Name) and _is_own(item, fn, project)]
        collected = any(arg.keyword == "return_exceptions" for arg in site.call.args)
        if not tasks or collected or len(given) < 2 or is_main(fn, project) or _cancels_in_any_case(site):
            continue
        if project.calls.is_call_to(site.call, fn, "asyncio.gather"):
            yield Abandoned(site.call, ", ".join(f"`{task.id}`" for task in tasks))


def _cancels_in_any_case(site: Site) -> bool:
    """Whether a ``finally``, or a clause for whatever is raised, cancels something around the place."""
    for place in site.at.around():
        outer = place.outer.stmt if place.outer is not None and place.part == "body" else None
        if isinstance(outer, Try):
            wide = (h for h in outer.handlers if catches(h.types, "Exception", "BaseException"))
            if _cancels(outer.final) or any(_cancels(handler.body) for handler in wide):
                return True
    return False


def _is_guarded(site: Site) -> bool:
    """Whether a ``finally`` or a clause around the wait cancels something."""
    for place in site.at.around():
        outer = place.outer.stmt if place.outer is not None and place.part == "body" else None
        if isinstance(outer, Try) and (_cancels(outer.final) or any(_cancels(h.body) for h in outer.handlers)):
            return True
    return False


def _cancels(body: Body) -> bool:
    return any("cancel" in last_name(site.call.func) for site in sites(body))


def _cancelled_behind(wait: Site, fn: Fn) -> Call | None:
    """The first ``cancel()`` behind the wait in the function, of whatever is left."""
    line = wait.call.span.line
    found = (site.call for site in fn.sites if last_name(site.call.func) == "cancel" and site.call.span.line > line)
    return next((call for call in found if isinstance(call.func, Attr)), None)


def _are_own(tasks: Expr, fn: Fn, project: Project) -> bool:
    """Whether some of them are started here, and known to nobody else."""
    return any(_is_own(item, fn, project) for item in _items(tasks, fn))


def _items(tasks: Expr, fn: Fn) -> tuple[Expr, ...]:
    if isinstance(tasks, Name) and not _escapes(tasks.id, fn):
        bound = fn.given(tasks.id)
        if len(bound) == 1 and isinstance(bound[0], Value):
            tasks = bound[0].expr
    if isinstance(tasks, Seq):
        return tasks.items
    return tasks.elements if isinstance(tasks, Comp) else ()


def _is_own(item: Expr, fn: Fn, project: Project) -> bool:
    if isinstance(item, Name):
        bound = fn.given(item.id)
        if len(bound) != 1 or not isinstance(bound[0], Value) or _escapes(item.id, fn):
            return False
        item = bound[0].expr
    return isinstance(item, Call) and project.calls.is_call_to(item, fn, *TASKS)


def _escapes(name: str, fn: Fn) -> bool:
    """Whether the name is returned, stored in an attribute, or handed to anything but the wait and what looks at it."""
    for site in fn.names(name):
        if isinstance(site.at.stmt, Return) and all(isinstance(parent, Seq) for parent in site.parents):
            return True
        if isinstance(site.at.stmt, Assign) and any(isinstance(target, Attr) for target in site.at.stmt.targets):
            return True
        call = next((p for p in site.parents if isinstance(p, Call)), None)
        attribute = site.parents[0] if site.parents else None
        if call is not None and not isinstance(attribute, Attr) and last_name(call.func) not in _LOOKS:
            return True
    return False


def _names(tasks: Expr, fn: Fn, project: Project) -> str:
    items = tasks.items if isinstance(tasks, Seq) else ()
    found = [item.id for item in items if isinstance(item, Name) and _is_own(item, fn, project)]
    return ", ".join(f"`{name}`" for name in found) or f"`{text(tasks)}`"
