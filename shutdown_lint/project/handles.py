"""Handles: one object for each function and class of the project, compared by identity.

Facts are plain tuples, so hashing one would hash the whole body below it. A handle is cheap to hash, and it is the
place where what is derived from one function alone is kept: its statements, calls, local bindings. All of it is
computed when first asked for.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from shutdown_lint.facts import Attr, Call, Class, Expr, Function, ModuleFacts, Name, Return, Span
from shutdown_lint.findings import Step
from shutdown_lint.project.scopes import Binding, bindings_of, declared
from shutdown_lint.walk import At, Site, children, own_exprs, sites, subexprs, walk

if TYPE_CHECKING:
    from collections.abc import Iterator


class Fn:
    """A function, method, lambda or module body of the project."""

    def __init__(self, module: ModuleFacts, facts: Function, parent: Fn | None, cls: Cls | None) -> None:
        self.module, self.facts, self.parent, self.cls = module, facts, parent, cls

    def __repr__(self) -> str:
        return f"<Fn {self.module.name}:{self.facts.qualname}>"

    @property
    def name(self) -> str:
        """The bare name; ``<lambda>`` or ``<module>``."""
        return self.facts.name

    @property
    def qualname(self) -> str:
        """The name within the module, as ``__qualname__``."""
        return self.facts.qualname

    @property
    def path(self) -> str:
        """The file."""
        return self.module.path

    @property
    def is_module(self) -> bool:
        """Whether this is a module's body."""
        return self.facts.parent < 0

    @property
    def is_method(self) -> bool:
        """Whether the first parameter is the instance (or the class)."""
        return self.cls is not None and "staticmethod" not in self.decorator_names and bool(self.facts.params)

    @cached_property
    def decorator_names(self) -> frozenset[str]:
        """The last part of each decorator: ``{"property", "contextmanager"}``."""
        return frozenset(name for name in map(_last_name, self.facts.decorators) if name)

    @property
    def self_name(self) -> str | None:
        """The name of the instance parameter of a method; a nested function sees its method's by closure."""
        return self.facts.params[0].name if self.is_method and "classmethod" not in self.decorator_names else None

    @cached_property
    def statements(self) -> tuple[At, ...]:
        """Every statement, nested blocks included, definitions not entered."""
        return tuple(walk(self.facts.body))

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """Every call written in this function."""
        return tuple(sites(self.facts.body))

    @cached_property
    def bindings(self) -> dict[str, tuple[Binding, ...]]:
        """What each local name is bound to, in order."""
        return bindings_of(self.facts, self.statements)

    @cached_property
    def declared(self) -> dict[str, str]:
        """Names declared ``global`` or ``nonlocal``: name → kind."""
        return declared(self.statements)

    @cached_property
    def mentions(self) -> frozenset[str]:
        """Every identifier and attribute name that is read or written here."""
        found: set[str] = set()
        for at in self.statements:
            for root in own_exprs(at.stmt):
                for expr in subexprs(root):
                    kind = type(expr)
                    if kind is Name:
                        found.add(expr.id)  # type: ignore[union-attr]
                    elif kind is Attr:
                        found.add(expr.name)  # type: ignore[union-attr]
        return frozenset(found)

    @cached_property
    def _occurrences(self) -> dict[str, list[Site]]:
        found: dict[str, list[Site]] = {}
        for at in self.statements:
            for root in own_exprs(at.stmt):
                for site in _occurrences(root, at, ()):
                    key = site.expr.id if isinstance(site.expr, Name) else site.expr.name  # type: ignore[union-attr]  # names and attributes only
                    found.setdefault(key, []).append(site)
        return found

    def names(self, name: str) -> list[Site]:
        """Every place where the bare name stands."""
        return [site for site in self._occurrences.get(name, ()) if isinstance(site.expr, Name)]

    def attributes(self, name: str) -> list[Site]:
        """Every place where ``….name`` stands."""
        return [site for site in self._occurrences.get(name, ()) if isinstance(site.expr, Attr)]

    @cached_property
    def returns(self) -> tuple[Expr, ...]:
        """The values returned."""
        return tuple(
            at.stmt.value for at in self.statements if isinstance(at.stmt, Return) and at.stmt.value is not None
        )

    def step(self, span: Span, text: str) -> Step:
        """A step of a finding at a place in this function's file."""
        return Step(self.module.path, span.line, span.col, text)


class Cls:
    """A class of the project."""

    def __init__(self, module: ModuleFacts, facts: Class, scope: Fn) -> None:
        self.module, self.facts, self.scope = module, facts, scope
        self.methods: dict[str, Fn] = {}

    def __repr__(self) -> str:
        return f"<Cls {self.module.name}:{self.facts.qualname}>"

    @property
    def name(self) -> str:
        """The bare name."""
        return self.facts.name

    @property
    def dotted(self) -> str:
        """Module and qualified name."""
        return f"{self.module.name}.{self.facts.qualname}"

    @cached_property
    def bindings(self) -> dict[str, tuple[Binding, ...]]:
        """What the class body binds."""
        return bindings_of(None, tuple(walk(self.facts.body)))


def _last_name(expr: Expr) -> str | None:
    if isinstance(expr, Call):
        expr = expr.func
    if isinstance(expr, Attr):
        return expr.name
    return expr.id if isinstance(expr, Name) else None


def _occurrences(expr: Expr, at: At, parents: tuple[Expr, ...]) -> Iterator[Site]:
    if isinstance(expr, (Name, Attr)):
        yield Site(expr, at, parents)
    below = children(expr)
    if below:
        inner = (expr, *parents)
        for child in below:
            yield from _occurrences(child, at, inner)
