"""Shutdown under a framework that handles the signals: what it waits for, the ends of lifespans, and what follows on its call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shutdown_lint.facts import Const
from shutdown_lint.project import steps
from shutdown_lint.project.courses import Rest, course
from shutdown_lint.project.handled import takes_signals
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.imports import program
from shutdown_lint.project.limits import seconds
from shutdown_lint.project.routes import Part, continued
from shutdown_lint.project.step import Step
from shutdown_lint.walk import Site, argument, text

if TYPE_CHECKING:
    from shutdown_lint.project import Project


def serving(entry: Fn, project: Project) -> tuple[Rest, str] | None:
    """Where the program is run by a framework that handles signals, and the name of the call."""
    for rest in course(entry, project).rests:
        if rest.wait is not None:
            call, fn = rest.wait.site.call, rest.wait.fn
            for name in project.calls.external(call, fn):
                if takes_signals(name, call, project):
                    return rest, name
    return None


def parts(rest: Rest, name: str, signal: str, entry: Fn, project: Project) -> Iterator[Part]:
    """What runs after the signal: the framework's own wait, the ends of the lifespans, then the functions around the call."""
    assert rest.wait is not None
    site, fn = rest.wait.site, rest.wait.fn
    yield Part(f"`{name}` handles {signal}", (_drained(site, fn, name, project),))
    for lifespan in _lifespans(site, entry, project):
        yield Part(f"the lifespan `{lifespan.qualname}` ends", steps.behind_yield(lifespan, project))
    yield from continued(rest.frames, "next", project)


def _drained(site: Site, fn: Fn, name: str, project: Project) -> Step:
    """The end of the requests and tasks that are under way, within the limit that the framework is given."""
    known = project.models.programs.get(name.partition(".")[0])
    option = known.grace.lstrip("-").replace("-", "_") if known is not None else ""
    given = argument(site.call, 99, option) if option else None
    limit = seconds(given, fn, project) if given is not None else None
    if limit is None and known is not None and known.default:
        limit = float(known.default)
    span = site.call.span
    return Step(
        "wait", text(site.call), fn.path, span.line, span.col, limit, given is not None or not option, None, (), fn, site
    )  # fmt: skip


def _lifespans(site: Site, entry: Fn, project: Project) -> Iterator[Fn]:
    """The context managers that are handed to an application of the program, or of the one that the call names."""
    named = [
        arg.value.value for arg in site.call.args if isinstance(arg.value, Const) and isinstance(arg.value.value, str)
    ]
    starts = [entry.module.name, *(name.partition(":")[0] for name in named if ":" in name)]
    for start in starts:
        project.modules.entry(start)  # an application that is only named is not imported by the program
    modules = program(starts, project)
    found = [
        target
        for registration in project.roles.registrations()
        if registration.callback.role == "framework" and registration.fn.module.name in modules
        for target in registration.targets
        if target.facts.is_generator
    ]
    yield from dict.fromkeys(found)
