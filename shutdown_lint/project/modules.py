"""The module table: handles of every function and class, and what a dotted module name stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeAlias, Union

from shutdown_lint.facts import ImportName, ModuleFacts
from shutdown_lint.lazily import lazily
from shutdown_lint.project.handles import Cls, Fn

Definition: TypeAlias = Union[Fn, Cls]


class Loader(Protocol):
    """Gives the facts of files that were not lowered at first (the prefilter skipped them)."""

    def has(self, name: str) -> bool:
        """Whether the project has a file, or a folder with files, for this dotted module name. Cheap: reads nothing."""

    def module(self, name: str) -> ModuleFacts | None:
        """The module with this dotted name, if the project has such a file."""

    def mentioning(self, word: str) -> Iterable[ModuleFacts]:
        """Skipped files whose text contains the word; bounded."""

    def deriving(self, name: str) -> Iterable[ModuleFacts]:
        """Skipped files with a class that has one of this name as a base; bounded."""


class NoLoader:
    """A loader for a project whose modules are all given."""

    def has(self, name: str) -> bool:
        """Nothing more to load."""
        return False

    def module(self, name: str) -> ModuleFacts | None:
        """Nothing more to load."""
        return None

    def mentioning(self, word: str) -> Iterable[ModuleFacts]:
        """Nothing more to load."""
        return ()

    def deriving(self, name: str) -> Iterable[ModuleFacts]:
        """Nothing more to load."""
        return ()


class ModuleEntry:
    """The handles of one module; ``definitions[n]`` are the functions and classes defined directly in function ``n``."""

    def __init__(self, facts: ModuleFacts) -> None:
        self.facts = facts
        self.functions: list[Fn] = []
        self.classes: list[Cls] = []
        self.definitions: dict[int, dict[str, list[Definition]]] = {}
        self._build()

    @property
    def body(self) -> Fn:
        """The module's own body."""
        return self.functions[0]

    @lazily
    def aliases(self) -> dict[str, str]:
        """Local name → imported name, for each ``from m import name as local`` of the module body."""
        imports = (b for bindings in self.body.bindings.values() for b in bindings if isinstance(b, ImportName))
        return {b.local: b.name for b in imports if b.name is not None and b.local != b.name}

    @lazily
    def writers(self) -> dict[str, list[Fn]]:
        """Name → the functions that declare it ``global``."""
        found: dict[str, list[Fn]] = {}
        for fn in self.functions:
            for name, kind in fn.declared.items():
                if kind == "global":
                    found.setdefault(name, []).append(fn)
        return found

    @lazily
    def imports(self) -> tuple[str, ...]:
        """The dotted names of all that the module imports (a name imported from a module may be a module)."""
        names = (name for fn in self.functions for at in fn.statements for name in getattr(at.stmt, "names", ()))
        found: dict[str, None] = {}
        for name in names:
            if isinstance(name, ImportName):
                base = absolute(self.facts, name)
                found[base] = None
                if name.name not in (None, "*"):
                    found[taken(self.facts, name) or f"{base}.{name.name}"] = None
        return tuple(found)

    @lazily
    def runs(self) -> tuple[str, ...]:
        """The same with the packages around each: importing ``a.b.c`` runs ``a.b`` and ``a`` too."""
        names = (name.rsplit(".", n)[0] if n else name for name in self.imports for n in range(name.count(".") + 1))
        return tuple(dict.fromkeys(names))

    def _build(self) -> None:
        # A definition has a higher number than the function or class around it, so what it needs is there already.
        owners = {cls.number: cls for cls in self.facts.classes}
        handles: dict[int, Cls] = {}
        for function in self.facts.functions:
            if function.cls >= 0 and function.cls not in handles:
                handles[function.cls] = Cls(
                    self.facts, owners[function.cls], self.functions[owners[function.cls].parent]
                )
            cls = handles.get(function.cls)
            fn = Fn(self.facts, function, self.functions[function.parent] if function.parent >= 0 else None, cls)
            self.functions.append(fn)
            if cls is not None:
                cls.methods[fn.name] = fn
            elif not function.is_lambda and function.parent >= 0:
                self._define(function.parent, fn.name, fn)
        for facts in self.facts.classes:
            handle = handles.get(facts.number) or Cls(self.facts, facts, self.functions[facts.parent])
            self.classes.append(handle)
            if "." not in facts.qualname.rpartition("<locals>.")[2]:
                self._define(facts.parent, facts.name, handle)

    def _define(self, scope: int, name: str, definition: Definition) -> None:
        self.definitions.setdefault(scope, {}).setdefault(name, []).append(definition)

    def defined(self, scope: int, name: str) -> list[Definition]:
        """The functions and classes with this name defined directly in function number ``scope``."""
        return self.definitions.get(scope, {}).get(name, [])


class ModuleTable:
    """All modules of the project by dotted name; loads skipped ones when they are asked for.

    ``all`` are those that are loaded, in the order in which they came; it only grows. ``entry_of`` makes the entry of a
    module; one that was made for another table will do, since an entry is about its module alone.
    """

    def __init__(
        self,
        modules: Iterable[ModuleFacts],
        loader: Loader,
        entry_of: Callable[[ModuleFacts], ModuleEntry] = ModuleEntry,
    ) -> None:
        self._loader, self._entry_of = loader, entry_of
        self._entries: dict[str, ModuleEntry] = {}
        self._missing: set[str] = set()
        for facts in modules:
            self._entries.setdefault(facts.name, entry_of(facts))
        self.all = list(self._entries.values())
        self._numbers = {name: number for number, name in enumerate(self._entries)}
        self._packages = {
            ".".join(parts[:n]) for name in self._entries for parts in [name.split(".")] for n in range(1, len(parts))
        }

    def __iter__(self) -> Iterator[ModuleEntry]:
        return iter(tuple(self.all))

    def loaded(self, name: str) -> ModuleEntry | None:
        """The module with this name, if it is in the table already."""
        return self._entries.get(name)

    def ordered(self, names: Iterable[str]) -> list[ModuleEntry]:
        """The modules with these names that are in the table, in its order."""
        numbers = [self._numbers[name] for name in names if name in self._numbers]
        return [self.all[number] for number in sorted(numbers)]

    def entry(self, name: str) -> ModuleEntry | None:
        """The module with this name, lowered now if it was skipped."""
        found = self._entries.get(name)
        if found is not None or name in self._missing or not name:
            return found
        facts = self._loader.module(name)
        if facts is None:
            self._missing.add(name)
            return None
        return self.add(facts)

    def owns(self, name: str) -> bool:
        """Whether the name is a module of the project, or a package above one."""
        return name in self._entries or name in self._packages or self._loader.has(name)

    def add(self, facts: ModuleFacts) -> ModuleEntry:
        """Put a module that was lowered late into the table."""
        if facts.name not in self._entries:
            self._entries[facts.name] = self._entry_of(facts)
            self._numbers[facts.name] = len(self.all)
            self.all.append(self._entries[facts.name])
        return self._entries[facts.name]

    def of(self, facts: ModuleFacts) -> ModuleEntry:
        """The entry of these facts."""
        entry = self._entries.get(facts.name)
        return entry if entry is not None and entry.facts is facts else self._entry_of(facts)

    def loaded_mentioning(self, word: str) -> None:
        """Bring in the skipped files that mention the word."""
        for facts in self._loader.mentioning(word):
            self.add(facts)

    def loaded_deriving(self, name: str) -> None:
        """Bring in the skipped files with a class that has one of this name as a base."""
        for facts in self._loader.deriving(name):
            self.add(facts)


def absolute(module: ModuleFacts, name: ImportName) -> str:
    """The absolute dotted name of the module that an import names (Language Reference 5.7: package relative imports)."""
    if not name.level:
        return elsewhere(module, name) or _without_namespace(module, name.module)
    package = module.name.split(".") if module.is_package else module.name.split(".")[:-1]
    base = package[: len(package) - (name.level - 1)] if name.level > 1 else package
    return ".".join([*base, *([name.module] if name.module else [])])


def elsewhere(module: ModuleFacts, name: ImportName) -> str:
    """The dotted name under which the project knows what an import names, if its own root tells otherwise; else empty."""
    if not module.elsewhere or name.level:
        return ""
    for pair in module.elsewhere.split("/"):
        seen, _, known = pair.partition("=")
        if name.module == seen or name.module.startswith(f"{seen}."):
            return known + name.module[len(seen) :]
    return ""


def taken(module: ModuleFacts, name: ImportName) -> str:
    """The module that is imported by ``from folder import package``, where the project knows it otherwise; else empty."""
    if not module.elsewhere or name.level or name.name is None:
        return ""
    mark = f"/{name.module}.{name.name}="
    return f"/{module.elsewhere}".partition(mark)[2].partition("/")[0]


def _without_namespace(module: ModuleFacts, name: str) -> str:
    """The name without the namespace packages (PEP 420) that lie around the importing module's own package.

    A module ``sdk.trace`` in ``opentelemetry/sdk/trace.py`` calls its package ``opentelemetry.sdk``: the folder around
    it, which has no ``__init__.py``, may as well be a mere folder of sources, so that modules are named without it.
    """
    own = module.name.split(".")
    parts = name.split(".")
    if own[0] not in parts[1:]:
        return name
    outer = parts[: parts.index(own[0], 1)]
    folders = module.path.replace("\\", "/").split("/")[: -len(own) - module.is_package]
    return ".".join(parts[len(outer) :]) if folders[-len(outer) :] == outer else name
