"""The class table: bases, subclasses, methods, and what instances hold in their attributes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.facts import Assign, Attr, Expr, Name, Seq
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.values import NOTHING, Class, Constant, Container, External, Function, Instance, Values
from shutdown_lint.walk import At

if TYPE_CHECKING:
    from shutdown_lint.project import Project


class AttributeWrite(NamedTuple):
    """``self.name = value`` in a method; ``item`` as in ``scopes.Value``."""

    fn: Fn
    at: At
    value: Expr | None
    item: int
    annotation: Expr | None


class ClassTable:
    """Questions about the classes of a project; every answer is remembered."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._bases: dict[Cls, tuple[Cls | str, ...]] = {}
        self._mro: dict[Cls, tuple[Cls | str, ...]] = {}
        self._below: dict[Cls, tuple[Cls, ...]] = {}
        self._indexed = 0  # modules whose classes are in `_below`
        self._looked_for: set[str] = set()
        self._writes: dict[Cls, dict[str, list[AttributeWrite]]] = {}
        self._attributes: dict[tuple[Cls, str], Values] = {}

    def bases(self, cls: Cls) -> tuple[Cls | str, ...]:
        """The direct bases: project classes, or dotted names of external ones."""
        if cls not in self._bases:
            self._bases[cls] = ()
            values = (v for base in cls.facts.bases for v in self._project.evaluate.values(base, cls.scope))
            found = (v.cls if isinstance(v, Class) else v.name for v in values if isinstance(v, (Class, External)))
            self._bases[cls] = tuple(base for base in dict.fromkeys(found) if base is not cls)
        return self._bases[cls]

    def mro(self, cls: Cls) -> tuple[Cls | str, ...]:
        """The class and all its bases, nearest first (depth first, last occurrence kept, as in simple hierarchies)."""
        if cls not in self._mro:
            self._mro[cls] = (cls,)
            order: list[Cls | str] = [cls]
            for base in self.bases(cls):
                order += self.mro(base) if isinstance(base, Cls) else (base,)
            self._mro[cls] = tuple(reversed(dict.fromkeys(reversed(order))))
        return self._mro[cls]

    def external_bases(self, cls: Cls) -> tuple[str, ...]:
        """The dotted names of all external classes above it."""
        return tuple(base for base in self.mro(cls) if isinstance(base, str))

    def unknown_base(self, cls: Cls) -> bool:
        """Whether some base could not be resolved, so that methods may exist that we do not see."""
        return any(len(self.bases(c)) < len(c.facts.bases) for c in self.mro(cls) if isinstance(c, Cls))

    def subclasses(self, cls: Cls) -> tuple[Cls, ...]:
        """All project classes below it."""
        self._look_for(cls.name)
        known = 0
        while known < len(below := self._below.get(cls, ())):
            for other in below[known:]:
                self._look_for(other.name)
            known = len(below)
        return below

    def _look_for(self, name: str) -> None:
        """Take in the classes of the modules that are loaded, and of those with a class below one of this name."""
        if name not in self._looked_for:
            self._looked_for.add(name)
            self._project.modules.loaded_deriving(name)
        modules = self._project.modules.all
        while self._indexed < len(modules):
            self._indexed += 1
            for other in modules[self._indexed - 1].classes:
                for base in self.mro(other)[1:]:
                    if isinstance(base, Cls):
                        self._below[base] = (*self._below.get(base, ()), other)

    def family(self, cls: Cls) -> tuple[Cls, ...]:
        """The class, its project bases and its subclasses: those that share ``self``."""
        above = tuple(base for base in self.mro(cls) if isinstance(base, Cls))
        return tuple(dict.fromkeys((*above, *self.subclasses(cls))))

    def method(self, cls: Cls, name: str) -> Fn | None:
        """The method that ``instance.name()`` runs, from the class or a project base."""
        return next((c.methods[name] for c in self.mro(cls) if isinstance(c, Cls) and name in c.methods), None)

    def methods(self, cls: Cls) -> dict[str, Fn]:
        """All methods that an instance has, inherited project ones included."""
        found: dict[str, Fn] = {}
        for c in reversed(self.mro(cls)):
            if isinstance(c, Cls):
                found.update(c.methods)
        return found

    def super_method(self, cls: Cls, name: str) -> Fn | None:
        """The project method that ``super().name()`` in ``cls`` runs."""
        return next((c.methods[name] for c in self.mro(cls)[1:] if isinstance(c, Cls) and name in c.methods), None)

    def super_attribute(self, cls: Cls, name: str) -> Values:
        """What ``super().name`` is."""
        method = self.super_method(cls, name)
        if method is not None:
            return (Function(method, bound=True),)
        return tuple(External(f"{base}.{name}") for base in self.external_bases(cls)[:1])

    def attribute(self, cls: Cls, name: str, *, bound: bool) -> Values:
        """What ``instance.name`` (or, unbound, ``Class.name``) may be: method, property value, attribute."""
        method = self.method(cls, name)
        if method is not None:
            if method.decorator_names & {"property", "cached_property"}:
                return self._project.evaluate.returned(method)
            return (Function(method, bound),)
        found = self.stored(cls, name)
        if not found:
            nested = self._nested(cls, name)
            if nested is not None:
                return (Class(nested),)
            # set by the class itself, to something unknown: not what a base calls by that name
            if self.writes(cls, name):
                return NOTHING
            return tuple(External(f"{base}.{name}") for base in self.external_bases(cls)[:1])
        return found

    def _nested(self, cls: Cls, name: str) -> Cls | None:
        entry = self._project.modules.of(cls.module)
        qualname = f"{cls.facts.qualname}.{name}"
        return next((c for c in entry.classes if c.facts.qualname == qualname), None)

    def stored(self, cls: Cls, name: str) -> Values:
        """The values assigned to ``self.name`` in the class's family, and in the class bodies."""
        key = (cls, name)
        if key not in self._attributes:
            self._attributes[key] = NOTHING
            found, whole = self._project.evaluate.completed(lambda: self._all_written(cls, name))
            if not whole:
                del self._attributes[key]
                return found
            self._attributes[key] = found
        return self._attributes[key]

    def _all_written(self, cls: Cls, name: str) -> Values:
        writes = self._narrowed(cls, name) or self.writes(cls, name)
        found = dict.fromkeys(value for write in writes for value in self._written(write))
        # `self.x = None` says that there may be nothing, not what it is otherwise
        return tuple(value for value in found if value != Constant(None)) or tuple(found)

    def _narrowed(self, cls: Cls, name: str) -> list[AttributeWrite]:
        """The assignments of the class and those below it, where its body declares anew what a base keeps in the attribute."""
        own = self._own_writes(cls).get(name, ())
        declared = [w for w in own if w.fn is cls.scope and w.annotation is not None and w.value is None]
        if not declared or next(iter(self._written(declared[0])), None) is None:
            return []
        below = [member for member in self.subclasses(cls) if member is not cls]
        return [*own, *(w for member in below for w in self._own_writes(member).get(name, ()))]

    def _written(self, write: AttributeWrite) -> Iterable:  # type: ignore[type-arg]  # values and containers alike
        evaluate = self._project.evaluate
        if write.annotation is not None:
            yield from evaluate.annotated(write.annotation, write.fn)
        values = evaluate.values(write.value, write.fn)
        if write.item < 0:
            yield from values
        elif isinstance(write.value, Seq) and write.item < len(write.value.items):
            yield from evaluate.values(write.value.items[write.item], write.fn)
        else:
            yield from (
                v.elements[write.item] for v in values if isinstance(v, Container) and write.item < len(v.elements)
            )

    def writes(self, cls: Cls, name: str) -> list[AttributeWrite]:
        """Every assignment to the attribute in the family's methods and class bodies."""
        return [write for member in self.family(cls) for write in self._own_writes(member).get(name, ())]

    def _own_writes(self, cls: Cls) -> dict[str, list[AttributeWrite]]:
        if cls not in self._writes:
            found: dict[str, list[AttributeWrite]] = {}
            for name, write in (*self._in_body(cls), *self._in_methods(cls)):
                found.setdefault(name, []).append(write)
            self._writes[cls] = found
        return self._writes[cls]

    def _in_body(self, cls: Cls) -> Iterator[tuple[str, AttributeWrite]]:
        from shutdown_lint.walk import walk

        for at in walk(cls.facts.body):
            if isinstance(at.stmt, Assign):
                for target in at.stmt.targets:
                    if isinstance(target, Name):
                        yield target.id, AttributeWrite(cls.scope, at, at.stmt.value, -1, at.stmt.annotation)

    def _in_methods(self, cls: Cls) -> Iterator[tuple[str, AttributeWrite]]:
        for fn in self.functions_in(cls):
            for at in fn.statements:
                if isinstance(at.stmt, Assign):
                    for target in at.stmt.targets:
                        yield from self._targets(target, at, at.stmt, fn, -1)

    def _targets(self, target: Expr, at: At, stmt: Assign, fn: Fn, item: int) -> Iterator[tuple[str, AttributeWrite]]:
        if isinstance(target, Seq):
            for position, element in enumerate(target.items):
                yield from self._targets(element, at, stmt, fn, position)
        elif isinstance(target, Attr) and isinstance(target.value, Name) and target.value.id == self.self_name(fn):
            yield target.name, AttributeWrite(fn, at, stmt.value, item, stmt.annotation)

    def functions_in(self, cls: Cls) -> list[Fn]:
        """The methods of the class itself and the functions nested in them."""
        entry = self._project.modules.of(cls.module)
        return [fn for fn in entry.functions if fn.cls is cls or self.enclosing(fn) is cls]

    def enclosing(self, fn: Fn) -> Cls | None:
        """The class whose ``self`` the function sees: its own, or that of the method around it."""
        scope: Fn | None = fn
        while scope is not None:
            if scope.cls is not None:
                return scope.cls
            scope = scope.parent
        return None

    def self_name(self, fn: Fn) -> str | None:
        """The name by which the function (or the method around it) calls the instance; classmethods write class attributes."""
        scope: Fn | None = fn
        while scope is not None:
            if scope.cls is not None:
                return scope.facts.params[0].name if scope.is_method else None
            scope = scope.parent
        return None

    def is_a(self, cls: Cls | str, *names: str) -> bool:
        """Whether the class is, or derives from, one of the external classes named."""
        wanted = {self._project.models.canonical(name) for name in names}
        chain = self.mro(cls) if isinstance(cls, Cls) else (cls,)
        return any(self._project.models.canonical(base) in wanted for base in chain if isinstance(base, str))

    def is_process(self, cls: Cls) -> bool:
        """Whether it derives from a ``Process``, of whichever context of multiprocessing or its likes."""
        return any(base.endswith(".Process") for base in self.external_bases(cls))

    def instances(self, values: Values) -> Iterator[Cls]:
        """The project classes among the values' types."""
        return (v.cls for v in values if isinstance(v, Instance) and isinstance(v.cls, Cls))
