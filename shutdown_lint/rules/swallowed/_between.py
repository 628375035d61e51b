"""What stands between an acquisition and its release: whether any of it can raise past the release."""

from __future__ import annotations

from shutdown_lint.facts import Attr, Call, For, Handler, If, Name, Return, Seq, Stmt, Try, While, With
from shutdown_lint.rules.swallowed._catching import last_name, leaves, raises
from shutdown_lint.walk import At, sites, sites_at, walk

NAMES = frozenset({"close", "stop", "shutdown", "terminate", "aclose", "disconnect", "release", "quit", "server_close"})
WAITS = frozenset({"wait", "sleep", "serve_forever", "Event", "Future", "create_future", "pause"})
# What sets, starts, asks or logs, and fails only where the program is broken.
_CALM = frozenset(
    {
        *(
            "acquire",
            "is_alive",
            "is_set",
            "done",
            "cancelled",
            "empty",
            "qsize",
            "start",
            "submit",
            "apply_async",
            "map_async",
            "starmap_async",
            "put",
            "put_nowait",
            "append",
            "add",
            "set",
            "clear",
            "setdefault",
        ),
        *("len", "str", "int", "isinstance", "format", "join", "time", "monotonic"),
        *("range", "zip", "enumerate", "reversed", "list", "tuple", "dict", "items", "keys", "values", "hasattr"),
        *("print", "debug", "info", "warning", "error", "exception", "critical"),
    }
)


def can_raise(between: tuple[Stmt, ...]) -> bool:
    """Whether the statements between acquisition and release do work: an await, or a call that is more than a setter."""
    work = [at for at in walk(between) if not _is_caught(at) and not _leaves_without(at)]
    if any(isinstance(at.stmt, With) and at.stmt.is_async for at in work):
        return True
    return any(not is_trivial(site.call) or site.awaited for at in work for site in sites_at(at))


def _is_caught(at: At) -> bool:
    """In a ``try`` that takes all that its work raises: of a mere wait, nothing but cancellation and Ctrl-C."""
    for place in at.around():
        outer = place.outer.stmt if place.outer is not None and place.part == "body" else None
        if isinstance(outer, Try) and not any(_goes_past(handler, place) for handler in outer.handlers):
            waits = all(last_name(site.call) in WAITS for site in sites(outer.body))
            if _take_all(outer.handlers, waits):
                return True
    return False


def _goes_past(handler: Handler, at: At) -> bool:
    """Whether the clause raises or leaves the statements that are looked at: the ``break`` of a loop among them does not."""
    if raises(handler.body) or not leaves(handler.body):
        return raises(handler.body)
    in_loop = any(isinstance(place.outer.stmt, (For, While)) for place in at.around() if place.outer)
    return not in_loop or any(isinstance(inner.stmt, Return) for inner in walk(handler.body))


def _leaves_without(at: At) -> bool:
    """In a branch that returns before the release is reached: that path does without it, whatever is raised there."""
    return any(
        isinstance(place.outer.stmt, If) and isinstance(place.block[-1], Return) for place in at.around() if place.outer
    )


def _take_all(handlers: tuple[Handler, ...], waits: bool) -> bool:
    caught = {name for handler in handlers for name in _caught(handler)}
    if "BaseException" in caught or {"Exception", "CancelledError"} <= caught:
        return True
    return waits and bool(caught & {"CancelledError", "KeyboardInterrupt"})


def _caught(handler: Handler) -> set[str]:
    if handler.types is None:
        return {"BaseException"}
    parts = handler.types.items if isinstance(handler.types, Seq) else (handler.types,)
    return {part.name if isinstance(part, Attr) else part.id for part in parts if isinstance(part, (Attr, Name))}


def is_trivial(call: Call) -> bool:
    """Whether the call does no work that may fail."""
    last = call.func.name if isinstance(call.func, Attr) else call.func.id if isinstance(call.func, Name) else ""
    return last in NAMES or last in _CALM
