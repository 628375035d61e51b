"""Coroutines without an end that are handed to the loop of another thread, and of which nobody keeps the future."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Call
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Loop
from shutdown_lint.rules.work._common import ends_by_error
from shutdown_lint.walk import Site, last_name

_CALL = "run_coroutine_threadsafe"


class HandedOver(NamedTuple):
    """The call, the coroutine function that it hands over, and the loop of it that has no way out."""

    site: Site
    body: Fn
    loop: Loop


def handed_over(fn: Fn, project: Project) -> Iterator[HandedOver]:
    """The calls of the function that hand endless work over and drop the future: nothing can cancel it."""
    if _CALL not in fn.mentions:
        return
    for site in fn.sites:
        given = site.call.args[0].value if site.call.args else None
        if last_name(site.call.func) == _CALL and site.dropped and isinstance(given, Call):
            for target in project.calls.targets(given, fn):
                loops = project.protocol.worker_loops(target.fn) if target.fn.facts.is_async else ()
                endless = next(
                    (loop for loop in loops if not loop.leaves and not ends_by_error(loop, (target.fn,), project)), None
                )
                if endless is not None:
                    yield HandedOver(site, target.fn, endless)
                    break
