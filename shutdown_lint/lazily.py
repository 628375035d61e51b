"""Attributes that are computed when they are first read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

Value = TypeVar("Value")


class lazily(Generic[Value]):  # noqa: N801  # a decorator, as functools.cached_property
    """``functools.cached_property`` without the lock that it takes before Python 3.12, which is most of its cost.

    The value replaces this descriptor in the instance's ``__dict__``, so that later reads do not come here.
    """

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        self._compute, self.__doc__, self._name = compute, compute.__doc__, compute.__name__

    @overload
    def __get__(self, instance: None, owner: type) -> lazily[Value]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...
    def __get__(self, instance: object | None, owner: type) -> lazily[Value] | Value:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._compute(instance)
        return value
