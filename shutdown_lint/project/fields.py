"""Fields of classes that a factory fills in each instance: ``selector: BaseSelector = field(default_factory=DefaultSelector)``.

What the factory makes is made by nobody's own code, and rests in the attribute from the start.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.facts import Assign, Call, Expr, Lambda, Name
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.values import External
from shutdown_lint.walk import At, Site, argument, last_name

if TYPE_CHECKING:
    from shutdown_lint.project import Project


class MadeField(NamedTuple):
    """A field of a class; ``site`` is the call that declares it, ``factory`` what is called for each instance."""

    cls: Cls
    name: str
    site: Site
    factory: Expr


class Fields:
    """Finds the fields that are made by factories; remembers them by module."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._lasts = frozenset(name.rpartition(".")[2] for name in project.models.fields)
        self._by_module: dict[str, tuple[MadeField, ...]] = {}

    def declared_in(self, fn: Fn) -> tuple[MadeField, ...]:
        """The fields of the classes that are defined right in the function or module body."""
        found = self._by_module.get(fn.module.name)
        if found is None:
            found = self._by_module[fn.module.name] = tuple(self._find(fn))
        return tuple(field for field in found if field.cls.scope is fn) if found else ()

    def filled_by(self, fn: Fn) -> MadeField | None:
        """The field whose factory is this lambda."""
        if not fn.facts.is_lambda or fn.parent is None:
            return None
        made = (field for field in self.declared_in(fn.parent) if isinstance(field.factory, Lambda))
        return next((field for field in made if field.factory.function == fn.facts.number), None)  # type: ignore[union-attr]  # narrowed above

    def factory(self, call: Call, fn: Fn) -> Expr | None:
        """What such a call has make the attribute: ``attr.ib(default=attr.Factory(Queue))`` → ``Queue``; None: nothing."""
        if last_name(call.func) not in self._lasts:
            return None
        for value in self._project.evaluate.values(call.func, fn):
            row = self._project.models.fields.get(value.name) if isinstance(value, External) else None
            if row is not None:
                default = argument(call, -1, row.default) if row.default else None
                inner = self.factory(default, fn) if isinstance(default, Call) else None
                return inner or argument(call, row.position, row.factory)
        return None

    def _find(self, fn: Fn) -> Iterator[MadeField]:
        for cls in self._project.modules.of(fn.module).classes:
            body = cls.facts.body
            for position, stmt in enumerate(body):
                if isinstance(stmt, Assign) and isinstance(stmt.value, Call) and isinstance(stmt.targets[0], Name):
                    factory = self.factory(stmt.value, cls.scope)
                    if factory is not None:
                        site = Site(stmt.value, At(stmt, body, position, "", None, None), ())
                        yield MadeField(cls, stmt.targets[0].id, site, factory)
