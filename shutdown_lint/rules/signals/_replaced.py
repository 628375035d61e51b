"""Handlers that no signal comes to: others take their place, or they are for loops that have no signal handlers."""

from __future__ import annotations

from shutdown_lint.facts import Try
from shutdown_lint.project import Project
from shutdown_lint.project.handled import takes_signals
from shutdown_lint.project.platforms import is_for_windows
from shutdown_lint.project.signals import Handling, handlings
from shutdown_lint.walk import At, last_name, sites


def is_replaced(handling: Handling, project: Project) -> bool:
    """Whether the function goes on to give the signal to the event loop, or to a server that handles it itself.

    ``signal.signal(SIGHUP, on_hup)`` and then ``loop.add_signal_handler(SIGHUP, on_hup)``, or ``uvicorn.run(app)``.
    """
    line = handling.site.call.span.line
    for other in handlings(project):
        behind = other.fn is handling.fn and other.site.call.span.line > line
        if behind and other.via == "loop" and set(other.signals) >= set(handling.signals):
            return True
    return {"SIGTERM", "SIGINT"} >= set(handling.signals) and any(
        site.call.span.line > line and takes_signals(called, site.call, project)
        for site in handling.fn.sites
        for called in project.calls.external(site.call, handling.fn)
    )


def is_for_loops_without(at: At) -> bool:
    """Whether the place runs only where loops have no signal handlers: there, every signal wakes the loop by itself."""
    if is_for_windows(at):
        return True
    for place in at.around():
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, Try) and place.part == "handler":
            if any(last_name(site.call.func) == "add_signal_handler" for site in sites(outer.body)):
                return True
    return False
