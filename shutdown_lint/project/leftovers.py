"""What is still there when a program's own code has ended: threads and children that nobody has waited for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from shutdown_lint.facts import Name
from shutdown_lint.lazily import lazily
from shutdown_lint.project.courses import course
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.routes import Part
from shutdown_lint.project.step import Step, at_span
from shutdown_lint.project.waited import waited
from shutdown_lint.walk import argument, text

if TYPE_CHECKING:
    from shutdown_lint.project import Project

# threading: non-daemonic threads are joined at exit; multiprocessing: so are non-daemonic children, the others are ended
_THREADS = "the interpreter waits for threads that are no daemons"
_KILLED = "the interpreter ends daemon threads where they are"
_CHILDREN = "multiprocessing waits for children that are no daemons"
_TERMINATED = "multiprocessing ends daemon children by SIGTERM"
_PERHAPS = "where nothing has waited for it"


class Leftovers:
    """What a program leaves to the interpreter, when the steps of a path have run."""

    def __init__(self, entry: Fn, done: Sequence[Step], project: Project) -> None:
        self._entry, self._done, self._project = entry, tuple(done), project

    def threads(self) -> Iterator[Part]:
        """What the interpreter does with the threads that are left, before the callbacks of ``atexit``."""
        yield Part(_THREADS, tuple(self._steps("thread", daemon=False)))

    def killed(self) -> Iterator[Part]:
        """The daemon threads that are left: they are ended behind the callbacks of ``atexit``."""
        yield Part(_KILLED, tuple(self._steps("thread", daemon=True)))

    def children(self) -> Iterator[Part]:
        """What multiprocessing does with the children that are left, in a callback of ``atexit``."""
        yield Part(_TERMINATED, tuple(self._steps("process", daemon=True)))
        yield Part(_CHILDREN, tuple(self._steps("process", daemon=False)))

    def _steps(self, kind: str, *, daemon: bool) -> Iterator[Step]:
        for acquisition, perhaps in self._left:
            if acquisition.model.kind == kind and bool(acquisition.daemon) == daemon:
                step = _step("lost" if daemon else "wait", acquisition, self._project)
                yield step._replace(kind="maybe", text=_PERHAPS, limit=0.0, steps=(step,)) if perhaps else step

    @lazily
    def _left(self) -> tuple[tuple[Acquisition, bool], ...]:
        """What the program starts and nothing waits for; True beside daemons that the path waits for only on some ways.

        Of others it is the same who waits for them, the path or the interpreter.
        """
        resources = self._project.resources
        found: list[tuple[Acquisition, bool]] = []
        for fn in course(self._entry, self._project).calls:
            for acquisition in resources.of_function(fn):
                if acquisition.model.kind in ("thread", "process") and resources.started(acquisition):
                    if not resources.released(acquisition):
                        found.append((acquisition, False))
                    elif acquisition.daemon and waited(acquisition, self._done, self._project) == "perhaps":
                        found.append((acquisition, True))
        return tuple(found)


def _step(kind: Literal["wait", "lost"], acquisition: Acquisition, project: Project) -> Step:
    call, fn = acquisition.call, acquisition.fn
    target = argument(call, 1, "target")
    bodies = project.resources.bodies(acquisition)
    # a factory's parameter says nothing: what its callers hand over does
    named = isinstance(target, Name) and any(target.id == param.name for param in fn.facts.params)
    name = bodies[0].qualname if named and len(bodies) == 1 else text(target)
    said = f"{name} in {text(call.func)}" if target is not None else text(call)
    limit = None if kind == "wait" else 0.0
    return at_span(kind, said, call.span, fn, limit=limit, bounded=kind != "wait", site=acquisition.site)
