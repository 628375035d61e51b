"""The project: questions about the whole program, answered on demand and remembered.

``Project`` is a facade; each question has a module of its own:

==================  =====================================================================
``modules``         module table, handles of functions (``Fn``) and classes (``Cls``)
``evaluate``        what an expression may evaluate to (``values``)
``classes``         bases, subclasses, methods, attributes
``fields``          attributes that a factory makes for each instance
``calls``           what a call runs, who calls a function
``handings``        which calls hand a function to what runs it later
``models``          what libraries do (data)
``roles``           who runs a function: main, thread, signal handler, task, …
``resources``       what is started, where it rests, what is done with it
``composites``      classes of the project that hold resources
``protocol``        how a worker's loop can be told to stop
``cleanup``         which cleanup is at stake at a place
``locks``           which lock is held at a place, which ones a piece of work takes
``handled``           whether a program does something about a signal
``budget``            which steps end which component of the declared budget
``steps``           waits, stops and releases of a function as an ordered tree
``paths``           what runs from a signal, or the end of a program, to its exit
==================  =====================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.findings import Step
from shutdown_lint.lazily import lazily
from shutdown_lint.models import Models, builtin_models
from shutdown_lint.project.calls import CallGraph
from shutdown_lint.project.classes import ClassTable
from shutdown_lint.project.cleanup import Cleanup
from shutdown_lint.project.composites import Composites
from shutdown_lint.project.evaluate import Evaluator
from shutdown_lint.project.fields import Fields
from shutdown_lint.project.handing import Handings
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.memo import Memos
from shutdown_lint.project.modules import Loader, ModuleEntry, ModuleTable, NoLoader
from shutdown_lint.project.protocol import Protocol
from shutdown_lint.project.resources import Resources
from shutdown_lint.project.roles import Roles
from shutdown_lint.settings import Budget

__all__ = ["Cls", "Fn", "Loader", "Project"]


class Project:
    """All modules of one project and what can be asked about them.

    ``modules`` are the facts of the files that passed the prefilter, ``loader`` finds the others when they are needed,
    ``scripts`` are console scripts ``(name, "package.module:function")``, ``windows`` tells of folders, as paths of modules
    begin, where they say that they run on Windows, ``target_version`` is the oldest Python that it runs on, ``entry_of``
    as for ``ModuleTable``.
    """

    def __init__(
        self,
        modules: Iterable[ModuleFacts],
        *,
        loader: Loader | None = None,
        scripts: tuple[tuple[str, str], ...] = (),
        windows: Sequence[tuple[str, Step | None]] = (),
        target_version: tuple[int, int] = (3, 10),
        models: Models | None = None,
        entry_of: Callable[[ModuleFacts], ModuleEntry] = ModuleEntry,
        budget: Budget | None = None,
    ) -> None:
        self.loader = loader or NoLoader()
        self.memos: Memos = {}
        self.modules = ModuleTable(modules, self.loader, entry_of)
        self.scripts, self.target_version = scripts, target_version
        self._windows = sorted(windows, key=lambda pair: len(pair[0]), reverse=True)
        self.models = models or builtin_models()
        self.budget = budget or Budget()
        self.evaluate = Evaluator(self)
        self.classes = ClassTable(self)
        self.fields = Fields(self)
        self.calls = CallGraph(self)
        self.handings = Handings(self)

    @lazily
    def roles(self) -> Roles:
        """Who runs a function."""
        return Roles(self)

    @lazily
    def resources(self) -> Resources:
        """What is started and where it rests."""
        return Resources(self)

    @lazily
    def composites(self) -> Composites:
        """Which classes of the project hold resources."""
        return Composites(self)

    @lazily
    def protocol(self) -> Protocol:
        """How workers are told to stop."""
        return Protocol(self)

    @lazily
    def cleanup(self) -> Cleanup:
        """Which cleanup is at stake."""
        return Cleanup(self)

    def owns(self, module: str) -> bool:
        """Whether the dotted module name belongs to the project (or is a package above one of its modules)."""
        return self.modules.owns(module)

    def windows(self, module: ModuleFacts) -> Step | None:
        """Where the module's project says that it runs on Windows."""
        return next((step for folder, step in self._windows if module.path.startswith(folder)), None)

    def functions(self, module: ModuleFacts) -> list[Fn]:
        """The handles of a module's functions, the module body first."""
        return self.modules.of(module).functions

    def body(self, module: ModuleFacts) -> Fn:
        """The module body."""
        return self.modules.of(module).body

    def dissolve(self) -> None:
        """Let go of everything, also of what was made with ``entry_of``; nothing may be asked any more.

        Handles, memos and the parts of a project refer to each other: one heap of cycles, which would lie until the collector
        has looked at all of it.
        """
        for entry in self.modules:
            for handle in (*entry.functions, *entry.classes, entry):
                vars(handle).clear()
        for part in (*vars(self).values(), self):
            if type(part).__module__.startswith(__name__):
                vars(part).clear()
