"""Calls that release something, by name; for rules in which the name alone is only one part of the proof."""

from __future__ import annotations

from shutdown_lint.facts import Attr, Body, Call
from shutdown_lint.walk import sites

RELEASES = frozenset(
    {
        "close",
        "aclose",
        "stop",
        "shutdown",
        "terminate",
        "disconnect",
        "release",
        "cleanup",
        "clean_up",
        "dispose",
        "quit",
        "abort",
        "wait_closed",
        "cancel",
        "kill",
        "close_connection",
        "async_close",
        "async_stop",
        "unlink",
        "teardown",
        "rollback",
        "detach",
    }
)


def release_calls(body: Body) -> tuple[Call, ...]:
    """The calls of the body that release a receiver: ``x.close()``."""
    return tuple(
        site.call for site in sites(body) if isinstance(site.call.func, Attr) and site.call.func.name in RELEASES
    )
