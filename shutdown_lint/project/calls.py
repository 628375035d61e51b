"""The call graph: what a call runs, who calls a function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.facts import Attr, Call, Expr, Import, Lambda, Name, Param
from shutdown_lint.findings import Confidence
from shutdown_lint.project.handing import handed
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.modules import ModuleEntry, absolute
from shutdown_lint.project.values import NOTHING, Class, External, Function, Instance, Partial, Value, Values
from shutdown_lint.walk import Site, argument, last_name

if TYPE_CHECKING:
    from shutdown_lint.project import Project

MAX_ARGUMENT_SITES = 8


class Target(NamedTuple):
    """A function that a call may run; ``likely`` where a subclass may override what was found."""

    fn: Fn
    confidence: Confidence


class Caller(NamedTuple):
    """A call of a function: where, and how sure."""

    fn: Fn
    site: Site
    confidence: Confidence


class _Resolved:
    """The calls with one name by what they run; the first ``done`` of them are resolved."""

    def __init__(self) -> None:
        self.done = 0
        self.callers: dict[Fn, list[Caller]] = {}


class _Within:
    """The calls with one name by the class around them; the first ``done`` of them are sorted in."""

    def __init__(self) -> None:
        self.done = 0
        self.sites: dict[Cls, list[tuple[Fn, Site]]] = {}


class CallGraph:
    """Resolves calls of one project, both ways; demand-driven and remembered."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._by_name: dict[str, list[tuple[Fn, Site]]] = {}
        self._mentioning: dict[str, list[Fn]] = {}
        self._methods: dict[str, list[Fn]] = {}
        self._indexed = 0
        self._resolved: dict[str, _Resolved] = {}
        self._within: dict[str, _Within] = {}
        self._callers: dict[Fn, tuple[Caller, ...]] = {}
        self._targets: dict[tuple[int, Fn], tuple[Target, ...]] = {}
        self._external: dict[tuple[int, Fn], tuple[str, ...]] = {}
        self._loaded: set[str] = set()
        self._packages = {"builtins"}
        self._open: set[Fn] = set()

    def targets(self, call: Call, fn: Fn) -> tuple[Target, ...]:
        """The project functions that the call, written in ``fn``, may run. A class runs its ``__init__``."""
        key = (id(call), fn)
        if key not in self._targets:
            self._targets[key] = ()
            found = (t for value in self._project.evaluate.values(call.func, fn) for t in self.runs(value))
            if _is_super(call.func):  # the base's own: an override is not what it runs
                found = (t for t in found if t.confidence == "proven")
            self._targets[key] = tuple(dict.fromkeys(found))
        return self._targets[key]

    def runs(self, value: Value) -> Iterator[Target]:
        """The functions that calling the value runs."""
        if isinstance(value, Function):
            yield Target(value.fn, "proven")
            if value.bound and value.fn.cls is not None:
                for cls in self._project.classes.subclasses(value.fn.cls):
                    if value.fn.name in cls.methods:
                        yield Target(cls.methods[value.fn.name], "likely")
        elif isinstance(value, Partial):
            yield from self.runs(value.func)
        elif isinstance(value, Class):
            init = self._project.classes.method(value.cls, "__init__")
            if init is not None:
                yield Target(init, "proven")
        elif isinstance(value, Instance) and isinstance(value.cls, Cls):
            method = self._project.classes.method(value.cls, "__call__")
            if method is not None:
                yield Target(method, "proven")

    def external(self, call: Call, fn: Fn) -> tuple[str, ...]:
        """The dotted names of external functions that the call may run: ``("os._exit",)``, ``("threading.Thread.join",)``."""
        key = (id(call), fn)
        known = self._external.get(key)
        if known is None:
            names = (v.name for v in self._project.evaluate.values(call.func, fn) if isinstance(v, External))
            known = self._external[key] = tuple(dict.fromkeys(map(self._project.models.canonical, names)))
        return known

    def is_call_to(self, call: Call, fn: Fn, *names: str) -> bool:
        """Whether the call may run one of the external functions named; cheap where the last name does not match."""
        if isinstance(call.func, Attr):
            last = call.func.name
            for name in names:
                if name.endswith(last):
                    break
            else:
                return False
        found = self.external(call, fn)
        return bool(found) and not set(names).isdisjoint(found)

    def callers(self, fn: Fn) -> tuple[Caller, ...]:
        """Every call in the project that may run ``fn``; skipped files that mention it are read now."""
        if fn not in self._callers:
            self._callers[fn] = ()
            found = [c for name in self._called_as(fn) for c in self._matching(name, fn)]
            self._callers[fn] = tuple({(id(c.site.expr), c.fn): c for c in found}.values())
        return self._callers[fn]

    def _called_as(self, fn: Fn) -> Iterable[str]:
        if fn.name == "__init__" and fn.cls is not None:
            return (fn.cls.name, "super", *(cls.name for cls in self._project.classes.subclasses(fn.cls)))
        return () if fn.facts.is_lambda or fn.is_module else (fn.name,)

    def _matching(self, name: str, fn: Fn) -> list[Caller]:
        wanted = "__init__" if name == "super" else name
        found, sites = self._resolved.setdefault(wanted, _Resolved()), self.calls_named(wanted)
        # a question that is asked while one of the calls is resolved goes on with the next
        while found.done < len(sites):
            caller, site = sites[found.done]
            found.done += 1
            for target in self.targets(site.call, caller):
                found.callers.setdefault(target.fn, []).append(Caller(caller, site, target.confidence))
        return found.callers.get(fn, [])

    def calls_named(self, name: str) -> list[tuple[Fn, Site]]:
        """Every call whose callee's last name is ``name`` (imports under another name are found by their alias too)."""
        self._load(name)
        return self._by_name.get(name, [])

    def named_within(self, name: str, family: Iterable[Cls]) -> list[tuple[Fn, Site]]:
        """Those of ``calls_named`` that stand in the methods of some classes."""
        sites, within = self.calls_named(name), self._within.setdefault(name, _Within())
        for fn, site in sites[within.done :]:
            owner = self._project.classes.enclosing(fn)
            if owner is not None:
                within.sites.setdefault(owner, []).append((fn, site))
        within.done = len(sites)
        return [found for cls in family for found in within.sites.get(cls, ())]

    def seen_named(self, name: str) -> list[tuple[Fn, Site]]:
        """The same in the modules that are loaded already: no file is read for the name's sake."""
        self._update()
        return self._by_name.get(name, [])

    def imports_package(self, name: str) -> bool:
        """Whether a loaded module imports (from) the top-level package of the dotted name."""
        self._update()
        return name.partition(".")[0] in self._packages

    def methods_named(self, name: str) -> list[Fn]:
        """The methods of that name in the loaded modules, of whatever class."""
        self._update()
        return self._methods.get(name, [])

    def mentioning(self, name: str) -> list[Fn]:
        """The functions in which the identifier or attribute name stands."""
        self._load(name)
        return self._mentioning.get(name, [])

    def _load(self, name: str) -> None:
        if name not in self._loaded:
            self._loaded.add(name)
            self._project.modules.loaded_mentioning(name)
        self._update()

    def _update(self) -> None:
        while self._indexed < len(self._project.modules.all):
            self._indexed += 1
            self._index(self._project.modules.all[self._indexed - 1])

    def _index(self, entry: ModuleEntry) -> None:
        aliases = entry.aliases
        for fn in entry.functions:
            self._packages.update(_packages(fn))
            if fn.cls is not None:
                self._methods.setdefault(fn.name, []).append(fn)
            for name in fn.mentions:
                self._mentioning.setdefault(name, []).append(fn)
            for site in fn.sites:
                last = last_name(site.call.func)
                self._by_name.setdefault(last, []).append((fn, site))
                if last in aliases:
                    self._by_name.setdefault(aliases[last], []).append((fn, site))

    def argument_values(self, fn: Fn, param: Param) -> Values:
        """What the project's calls pass for a parameter; nothing where there are too many of them."""
        if fn in self._open or fn.facts.is_lambda:
            return NOTHING
        self._open.add(fn)
        try:
            callers = self.callers(fn)
            if len(callers) > MAX_ARGUMENT_SITES:
                return NOTHING
            given = [(self.passed(c.site.call, fn, param), c.fn) for c in callers]
            given += handed(fn, param, self._project)
            found = (v for expr, holder in given for v in self._project.evaluate.values(expr, holder))
            return tuple(dict.fromkeys(found))
        finally:
            self._open.discard(fn)

    def passed(self, call: Call, fn: Fn, param: Param) -> Expr | None:
        """The argument of ``call`` that binds ``param`` of ``fn``."""
        names = [p.name for p in fn.facts.params if p.kind in ("positional-only", "positional")]
        position = names.index(param.name) if param.name in names else -1
        if fn.is_method and not _through_class(call, fn):
            position -= 1
        return argument(call, position if position >= 0 else 99, param.name)

    def param_of(self, call: Call, arg: int, fn: Fn) -> Param | None:
        """The parameter of ``fn`` that the call's argument number ``arg`` (0-based) binds."""
        given = call.args[arg]
        for param in fn.facts.params:
            if given.keyword == param.name and param.kind != "positional-only":
                return param
        if given.keyword is not None or any(a.star for a in call.args[: arg + 1]):
            return None
        positional = [p for p in fn.facts.params if p.kind in ("positional-only", "positional")]
        offset = 1 if fn.is_method and not _through_class(call, fn) else 0
        return positional[arg + offset] if arg + offset < len(positional) else None

    def callables(self, expr: Expr | None, fn: Fn) -> tuple[Fn, ...]:
        """The project functions that a function-valued expression (name, method, partial, lambda) stands for."""
        if expr is None:
            return ()
        if isinstance(expr, Lambda):
            return (self._project.modules.of(fn.module).functions[expr.function],)
        return tuple(dict.fromkeys(t.fn for v in self._project.evaluate.values(expr, fn) for t in self.runs(v)))


def _is_super(func: Expr) -> bool:
    """``super().method``."""
    root = func.value if isinstance(func, Attr) else None
    return isinstance(root, Call) and isinstance(root.func, Name) and root.func.id == "super"


def _packages(fn: Fn) -> Iterator[str]:
    """The top-level packages that the function (or module body) imports."""
    for at in fn.statements:
        if type(at.stmt) is Import:
            for name in at.stmt.names:
                yield absolute(fn.module, name).partition(".")[0]


def _through_class(call: Call, fn: Fn) -> bool:
    """``Base.__init__(self, …)``, ``module.Base.__init__(self, …)``: the object is the first argument."""
    receiver = call.func.value if isinstance(call.func, Attr) else None
    if fn.cls is None or not isinstance(receiver, (Name, Attr)):
        return False
    name, first = last_name(receiver), call.args[0].value if call.args else None
    return name == fn.cls.name or (name[:1].isupper() and isinstance(first, Name) and first.id == "self")
