"""What is remembered about a project outside of it, kept where it goes when the project goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from shutdown_lint.project import Project

Value = TypeVar("Value")


class Memo(Generic[Value]):
    """One value a project, as in a ``weakref.WeakKeyDictionary``, but held by the project itself.

    The values refer to functions and through them to whole modules. Such a dictionary lets go of them only while the
    collector clears the project, so that they outlive that collection, and all those before which they were frozen.
    """

    def get(self, project: Project) -> Value | None:
        """The value, if there is one."""
        return project.memos.get(self)

    def setdefault(self, project: Project, value: Value) -> Value:
        """The value; the given one from now on where there is none."""
        found: Value = project.memos.setdefault(self, value)
        return found

    def __contains__(self, project: Project) -> bool:
        return self in project.memos

    def __getitem__(self, project: Project) -> Value:
        found: Value = project.memos[self]
        return found

    def __setitem__(self, project: Project, value: Value) -> None:
        project.memos[self] = value


Memos = dict[Memo[Any], Any]
