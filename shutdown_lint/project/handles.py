"""Handles: one object for each function and class of the project, compared by identity.

Facts are plain tuples, so hashing one would hash the whole body below it. A handle is cheap to hash, and it is the
place where what is derived from one function alone is kept: its statements, calls, local bindings. All of it is
computed when first asked for.
"""

from __future__ import annotations

from shutdown_lint.facts import Attr, Call, Class, Expr, Function, ModuleFacts, Name, Return, Span
from shutdown_lint.findings import Step
from shutdown_lint.lazily import lazily
from shutdown_lint.project.scopes import Binding, Typed, bindings_of, declared
from shutdown_lint.walk import At, Site, Survey, mentioning, occurrences, survey, walk


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

    @lazily
    def decorator_names(self) -> frozenset[str]:
        """The last part of each decorator: ``{"property", "contextmanager"}``."""
        return frozenset(name for name in map(_last_name, self.facts.decorators) if name)

    @property
    def self_name(self) -> str | None:
        """The name of the instance parameter of a method; a nested function sees its method's by closure."""
        return self.facts.params[0].name if self.is_method and "classmethod" not in self.decorator_names else None

    def is_self(self, expr: Expr | None) -> bool:
        """Whether the expression is the instance: ``self``."""
        return self.self_name is not None and isinstance(expr, Name) and expr.id == self.self_name

    def own_attribute(self, expr: Expr | None) -> str | None:
        """The name of the attribute, where the expression is one of the instance: ``self.name``."""
        if self.self_name is None or not (isinstance(expr, Attr) and isinstance(expr.value, Name)):
            return None
        return expr.name if expr.value.id == self.self_name else None

    @lazily
    def statements(self) -> tuple[At, ...]:
        """Every statement, nested blocks included, definitions not entered."""
        return tuple(walk(self.facts.body))

    @lazily
    def sites(self) -> tuple[Site, ...]:
        """Every call written in this function."""
        return self._survey.sites

    @lazily
    def bindings(self) -> dict[str, tuple[Binding, ...]]:
        """What each local name is bound to, in order."""
        return bindings_of(self.facts, self.statements, self._survey.binders)

    def given(self, name: str) -> tuple[Binding, ...]:
        """What the local name is given: its bindings, but for a type that is only declared (``conn: Conn = connect()``)."""
        bindings = self.bindings.get(name, ())
        if len(bindings) < 2:
            return bindings
        return tuple(binding for binding in bindings if not isinstance(binding, Typed)) or bindings

    @lazily
    def declared(self) -> dict[str, str]:
        """Names declared ``global`` or ``nonlocal``: name → kind."""
        return declared(self.statements)

    @lazily
    def mentions(self) -> frozenset[str]:
        """Every identifier and attribute name that is read or written here."""
        return self._survey.mentions

    @property
    def strings(self) -> frozenset[str]:
        """Every (short) string literal in an expression."""
        return self._survey.strings

    @lazily
    def _survey(self) -> Survey:
        """What one walk over all expressions finds."""
        return survey(self.statements)

    @lazily
    def _mentioning(self) -> dict[str, list[At]]:
        return mentioning(self.statements)

    @lazily
    def _occurrences(self) -> dict[str, tuple[Site, ...]]:
        """By name, as far as they were asked for: few names are, and those again and again."""
        return {}

    def names(self, name: str) -> list[Site]:
        """Every place where the bare name stands."""
        return [site for site in self._standing(name) if isinstance(site.expr, Name)]

    def attributes(self, name: str) -> list[Site]:
        """Every place where ``….name`` stands."""
        return [site for site in self._standing(name) if isinstance(site.expr, Attr)]

    def _standing(self, name: str) -> tuple[Site, ...]:
        if name not in self.mentions:
            return ()
        found = self._occurrences.get(name)
        if found is None:
            found = tuple([site for at in self._mentioning.get(name, ()) for site in occurrences(name, at)])
            self._occurrences[name] = found
        return found

    @lazily
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

    @lazily
    def bindings(self) -> dict[str, tuple[Binding, ...]]:
        """What the class body binds."""
        places = tuple(walk(self.facts.body))
        return bindings_of(None, places, survey(places).binders)


def _last_name(expr: Expr) -> str | None:
    if isinstance(expr, Call):
        expr = expr.func
    if isinstance(expr, Attr):
        return expr.name
    return expr.id if isinstance(expr, Name) else None
