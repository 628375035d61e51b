"""Pools that have nothing left to do: of one thread, whose last job was awaited."""

from __future__ import annotations

from shutdown_lint.facts import Const
from shutdown_lint.project import Project
from shutdown_lint.project.protocol import Wait
from shutdown_lint.project.values import Instance
from shutdown_lint.rules.waits._stops import method_name, receiver
from shutdown_lint.walk import argument, same


def has_done_its_last(wait: Wait, project: Project) -> bool:
    """``await loop.run_in_executor(pool, f)`` before, of a pool of one thread: what was submitted earlier is done as well."""
    pool, fn = receiver(wait.site.call), wait.fn
    made = [value.call for value in project.evaluate.values(pool, fn) if isinstance(value, Instance)]
    sizes = [argument(call, 0, "max_workers") for call in made if call is not None]
    return (
        bool(sizes)
        and all(isinstance(size, Const) and size.value == 1 for size in sizes)
        and any(
            site.awaited
            and method_name(site.call) == "run_in_executor"
            and site.call.span.line < wait.site.call.span.line
            and bool(site.call.args)
            and same(site.call.args[0].value, pool)
            for site in fn.sites
        )
    )
