"""How a program takes Ctrl-C: the handlers of SIGINT and the ``except KeyboardInterrupt`` around the place where it stays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Handler, ModuleFacts, Span, Try
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.programs import Frame, Stay
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.signals import handlings, is_restored
from shutdown_lint.rules.signals._losses import is_interrupt, modules_of


class Interrupt(NamedTuple):
    """One place that takes Ctrl-C, in words: an ``except`` clause, or the installation of a handler."""

    fn: Fn
    span: Span
    what: str
    clause: Handler | None = None


def interrupts(stay: Stay, project: Project) -> Iterator[Interrupt]:
    """The places at which the program takes Ctrl-C: installed handlers first, then the clauses, innermost first."""
    known = {module.name for module in modules_of(stay, project)}
    for handling in handlings(project):
        if "SIGINT" in handling.signals and handling.targets and handling.fn.module.name in known:
            if not is_test(handling.fn) and not is_restored(handling, project) and not _is_childs(handling.fn, project):
                yield Interrupt(handling.fn, handling.site.call.span, "the handler of SIGINT")
    for frame in reversed(stay.frames):
        yield from _clauses(frame)


def may_take(module: ModuleFacts, project: Project) -> bool:
    """A cheap look before programs are followed: whether such a place stands in the module at all."""
    clauses = (
        handler
        for fn in project.functions(module)
        for at in fn.statements
        if isinstance(at.stmt, Try)
        for handler in at.stmt.handlers
    )
    return any(map(is_interrupt, clauses)) or any(
        handling.fn.module is module and "SIGINT" in handling.signals for handling in handlings(project)
    )


def _is_childs(fn: Fn, project: Project) -> bool:
    return project.roles.role(fn, "process", "pool-process") is not None


def _clauses(frame: Frame) -> Iterator[Interrupt]:
    for place in frame.at.around():
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, Try) and place.part == "body":
            for handler in outer.handlers:
                if is_interrupt(handler):
                    yield Interrupt(frame.fn, handler.span, "`except KeyboardInterrupt`", handler)
