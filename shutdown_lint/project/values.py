"""Abstract values: what an expression may evaluate to."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias, Union

from shutdown_lint.facts import Call
from shutdown_lint.project.handles import Cls, Fn


class Module(NamedTuple):
    """A module of the project."""

    name: str


class External(NamedTuple):
    """Something outside the project by its dotted name: ``threading.Thread``, ``signal.SIGTERM``, ``builtins.exit``."""

    name: str


class Function(NamedTuple):
    """A function of the project; ``bound`` for a method with its receiver (the receiver's class)."""

    fn: Fn
    bound: bool = False


class Class(NamedTuple):
    """A class of the project."""

    cls: Cls


class Instance(NamedTuple):
    """An object: of a project class, or of an external one by dotted name.

    ``call`` is the constructor (or factory) call and ``fn`` the function that holds it, where known.
    """

    cls: Cls | str
    call: Call | None = None
    fn: Fn | None = None

    def __hash__(self) -> int:
        # the facts of a call may be a deep tree; its identity tells calls apart as well
        return hash((self.cls, id(self.call)))


class Partial(NamedTuple):
    """``functools.partial(func, …)``; ``func`` is the value inside."""

    func: Value
    call: Call
    fn: Fn

    def __hash__(self) -> int:
        return hash((self.func, id(self.call)))


class Coroutine(NamedTuple):
    """The result of calling a coroutine function of the project."""

    fn: Fn


class Constant(NamedTuple):
    """A literal."""

    value: str | int | float | bool | None


class Container(NamedTuple):
    """A list, tuple, set, dict or iterator of the elements."""

    elements: tuple[Value, ...]


class Super(NamedTuple):
    """``super()`` in a method of the class."""

    cls: Cls


Value: TypeAlias = Union[Module, External, Function, Class, Instance, Partial, Coroutine, Constant, Container, Super]
Values: TypeAlias = tuple[Value, ...]
NOTHING: Values = ()
