"""What is still there when a program's own code has ended: threads and children that nobody has waited for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from shutdown_lint.project.courses import course
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.routes import Part
from shutdown_lint.project.step import Step
from shutdown_lint.walk import argument, text

if TYPE_CHECKING:
    from shutdown_lint.project import Project

# threading: non-daemonic threads are joined at exit; multiprocessing: so are non-daemonic children, the others are ended
_THREADS = "the interpreter waits for threads that are no daemons"
_KILLED = "the interpreter ends daemon threads where they are"
_CHILDREN = "multiprocessing waits for children that are no daemons"


def threads(entry: Fn, project: Project) -> Iterator[Part]:
    """What the interpreter does with the threads that are left, before the callbacks of ``atexit``."""
    left = [a for a in _left(entry, project) if a.model.kind == "thread"]
    yield Part(_THREADS, tuple(_step("wait", a) for a in left if not a.daemon))


def killed(entry: Fn, project: Project) -> Iterator[Part]:
    """The daemon threads that are left: they are ended behind the callbacks of ``atexit``."""
    left = [a for a in _left(entry, project) if a.model.kind == "thread"]
    yield Part(_KILLED, tuple(_step("lost", a) for a in left if a.daemon))


def children(entry: Fn, project: Project) -> Iterator[Part]:
    """What multiprocessing does with the children that are left, in a callback of ``atexit``."""
    left = [a for a in _left(entry, project) if a.model.kind == "process"]
    yield Part(_CHILDREN, tuple(_step("wait", a) for a in left if not a.daemon))


def _left(entry: Fn, project: Project) -> Iterator[Acquisition]:
    """What the program starts, and no code ever waits for or stops."""
    for fn in course(entry, project).calls:
        for acquisition in project.resources.of_function(fn):
            resources = project.resources
            if (
                acquisition.model.kind in ("thread", "process")
                and resources.started(acquisition)
                and not resources.released(acquisition)
            ):
                yield acquisition


def _step(kind: Literal["wait", "lost"], acquisition: Acquisition) -> Step:
    call, fn = acquisition.call, acquisition.fn
    target = argument(call, 1, "target")
    said = f"{text(target)} in {text(call.func)}" if target is not None else text(call)
    limit = None if kind == "wait" else 0.0
    return Step(
        kind, said, fn.path, call.span.line, call.span.col, limit, kind != "wait", None, (), fn, acquisition.site
    )  # fmt: skip
