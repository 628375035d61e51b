"""Handlers that others take the place of before the program has come to its work."""

from __future__ import annotations

from shutdown_lint.project import Project
from shutdown_lint.project.handled import takes_signals
from shutdown_lint.project.signals import Handling, handlings


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
