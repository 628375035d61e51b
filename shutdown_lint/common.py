"""What the analysis of all files of a run hangs on besides them: settings, and what each project says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from shutdown_lint.analysis import Context, Program
from shutdown_lint.cache import key_of
from shutdown_lint.corpus import Contents
from shutdown_lint.findings import Step
from shutdown_lint.lazily import lazily
from shutdown_lint.packaging import Script, scripts, windows
from shutdown_lint.prefilter import Prefilters
from shutdown_lint.rules import registry
from shutdown_lint.settings import Settings
from shutdown_lint.source import SourceFile
from shutdown_lint.source.discover import absolute
from shutdown_lint.source.names import shown, working_folder

if TYPE_CHECKING:
    from shutdown_lint.lowered import Store


class Declared:
    """What a project says of itself: its console scripts, that it runs on Windows, and its top-level packages."""

    def __init__(self, root: str) -> None:
        self.scripts: tuple[Script, ...] = scripts(root)
        self.windows = _windows(root)
        self.own: set[str] = set()

    @lazily
    def key(self) -> tuple[object, ...]:
        """All of it."""
        return self.scripts, self.windows, sorted(self.own)

    @property
    def functions(self) -> tuple[str, ...]:
        """The names of functions that console scripts run."""
        names = (target.partition(":")[2].strip().partition(".")[0] for _, target in self.scripts)
        return tuple(filter(None, dict.fromkeys(names)))


class Common:
    """What all parts of a run have in common; found out once, the context only if anything is to be analysed.

    ``files`` are the Python files of the run, ``enabled`` maps codes of rules to tiers; ``store`` opens what is known of
    contents.
    """

    def __init__(
        self,
        files: Iterable[SourceFile],
        contents: Contents,
        settings: Settings,
        enabled: dict[str, str],
        store: Callable[[], Store | None] = lambda: None,
    ) -> None:
        self._contents, self._settings, self._enabled, self._store = contents, settings, enabled, store
        self._declared: dict[str, Declared] = {}
        top = absolute(settings.root)
        for file in files:
            declared = self._declared.get(file.root)
            if declared is None:
                declared = self._declared[file.root] = Declared(file.root or top)
            declared.own.add(file.name.partition(".")[0])
        if top not in self._declared:
            self._of_a_workspace(top)

    def _of_a_workspace(self, top: str) -> None:
        """A root without code speaks for the projects below it."""
        above = Declared(top)
        for declared in self._declared.values():
            declared.scripts = tuple(sorted({*declared.scripts, *above.scripts}))

    @property
    def key(self) -> str:
        """What every result depends on."""
        settings = self._settings
        return key_of(sorted(self._enabled.items()), settings.models, settings.budget, settings.target_version)

    def keys(self, files: Iterable[SourceFile]) -> list[tuple[object, ...]]:
        """What results about the files depend on besides: what their projects say of themselves."""
        return [(root, *self._declared[root].key) for root in dict.fromkeys(file.root for file in files)]

    @lazily
    def context(self) -> Context:
        """What an analysis is given."""
        from shutdown_lint.lowered import Memory
        from shutdown_lint.models import with_users

        models, enabled, settings = with_users(self._settings.models), self._enabled, self._settings
        on_python = {code: tiers for code, tiers in enabled.items() if code not in registry.on_deployment()}
        prefilters, store, here = Prefilters(on_python, models), self._store(), working_folder()
        programs = {}
        for root, declared in self._declared.items():
            prefilter, about = prefilters.of(declared.functions, declared.own)
            place = "" if len(self._declared) < 2 or not root else shown(f"{root}/", here)
            memory = Memory(store, key_of(self.key, about))
            programs[root] = Program(prefilter, memory, declared.scripts, declared.windows, place)
        return Context(
            enabled,
            programs,
            models,
            settings.target_version,
            self._contents,
            settings.budget,
            store,
            Memory(store).taken_in,
        )


def _windows(root: str) -> Step | None:
    found = windows(root)
    return found and Step(
        shown(absolute(found.path), working_folder()), found.line, 1, f"declares `{found.classifier}`"
    )
