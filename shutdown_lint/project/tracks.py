"""Places and tracks: where an object rests, and what became of it.

``Local`` and ``Attribute`` are the places; a ``Track`` is what ``places.Tracker`` has recorded of one object.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias, Union

from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.walk import Site


class Local(NamedTuple):
    """A name of a function (or module); ``contains``: it holds a container of the objects."""

    fn: Fn
    name: str
    contains: bool


class Attribute(NamedTuple):
    """An attribute of the instances of a class (and its family)."""

    cls: Cls
    name: str
    contains: bool


Place: TypeAlias = Union[Local, Attribute]


class Use(NamedTuple):
    """Something done with the object: ``kind`` is ``method`` (``name`` was called; a dotted one is a function that the
    object was handed to), ``read`` (attribute ``name`` was read,
    not called), ``write`` (attribute ``name`` was set), ``with``, ``await``, ``test``, ``delete``."""

    kind: str
    name: str
    site: Site
    fn: Fn
    place: Place | None


class Track(NamedTuple):
    """What became of one object."""

    places: tuple[Place, ...]
    uses: tuple[Use, ...]
    escapes: tuple[str, ...]
    truncated: bool

    def methods(self, *names: str) -> tuple[Use, ...]:
        """The calls of the methods named on any alias."""
        return tuple(use for use in self.uses if use.kind == "method" and use.name in names)

    def has(self, *names: str) -> bool:
        """Whether one of the methods is called, or handed over uncalled (``atexit.register(t.join)``), anywhere."""
        return any(use.name in names and use.kind in ("method", "read") for use in self.uses)

    @property
    def entered(self) -> bool:
        """Whether the object is the context of a ``with``."""
        return any(use.kind == "with" for use in self.uses)

    @property
    def escaped(self) -> bool:
        """Whether it left what we can see."""
        return bool(self.escapes) or self.truncated

    def attribute_places(self) -> tuple[Attribute, ...]:
        """The attributes in which it rests."""
        return tuple(place for place in self.places if isinstance(place, Attribute))
