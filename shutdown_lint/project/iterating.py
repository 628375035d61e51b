"""What a ``for`` loop runs for each of its rounds: ``__next__`` of the project's own iterator, or a generator of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shutdown_lint.facts import Call, For
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.values import Instance

if TYPE_CHECKING:
    from shutdown_lint.project import Project

_NEXT = ("__next__", "__anext__")
_ITERS = ("__iter__", "__aiter__")


def rounds(loop: For, fn: Fn, project: Project) -> tuple[Fn, ...]:
    """The functions of the project that give the loop its next item; of an iterator of unknown class, those of its subclasses too."""
    return tuple(dict.fromkeys(_rounds(loop, fn, project)))


def _rounds(loop: For, fn: Fn, project: Project) -> Iterator[Fn]:
    if isinstance(loop.iter, Call):
        targets = project.calls.targets(loop.iter, fn)
        yield from (target.fn for target in targets if target.fn.facts.is_generator)
    for value in project.evaluate.values(loop.iter, fn):
        if isinstance(value, Instance) and isinstance(value.cls, Cls):
            yield from _of_class(value.cls, project)


def _of_class(cls: Cls, project: Project) -> Iterator[Fn]:
    for name in (*_NEXT, *_ITERS):
        method = project.classes.method(cls, name)
        if method is not None and (name in _NEXT or method.facts.is_generator):
            yield method
