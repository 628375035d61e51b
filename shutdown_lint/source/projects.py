"""Which project a folder belongs to: what ``shutdown-lint .`` in that project alone would take for its root.

A repository may hold many projects, each with modules of its own named ``utils`` or ``config``. A project begins at a folder
that says so (``pyproject.toml`` and the like). Below a root that says nothing of itself it also begins at the first folder
whose name no import can spell, or, if there are no modules in the root either, at the first one with a package in it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from typing import TypeAlias

_Ask: TypeAlias = Callable[[str], bool]

MARKS = ("pyproject.toml", "setup.py", "setup.cfg", "shutdown-lint.toml", ".shutdown-lint.toml", ".git")
# tests lie beside what they test
_BESIDE = frozenset({"test", "tests"})


class Projects:
    """The projects below a root; remembers the folders.

    ``holding`` are the folders that hold packages, ``loose`` those with other modules, ``src`` the names of folders with a
    project's sources.
    """

    def __init__(
        self, root: str, src: Iterable[str], holding: Collection[str], loose: Collection[str], is_package: _Ask
    ) -> None:
        self._root, self._is_package = root, is_package
        self._src = [os.path.normpath(os.path.join(root, folder)) for folder in src]
        self._holding, self._marked = holding, _is_marked(root)
        # one project: there is code where that of one project lies
        self._one = root in loose or any(place in holding or place in loose for place in self._src if place != root)
        self._found: dict[str, str] = {root: root}

    def of(self, folder: str) -> str:
        """The root of the project that the folder belongs to."""
        found = self._found.get(folder)
        if found is None:
            found = self._found[folder] = self._look(folder)
        return found

    def _look(self, folder: str) -> str:
        if not folder.startswith(os.path.join(self._root, "")):
            return self._root
        if not self._is_package(folder) and _is_marked(folder):
            return folder
        above = self.of(os.path.dirname(folder))
        return folder if above == self._root and self._begins(folder) else above

    def _begins(self, folder: str) -> bool:
        """Whether a project begins here, where no folder says that it is one."""
        if self._marked or folder in self._src:
            return False
        name = os.path.basename(folder)
        return not name.isidentifier() or (not self._one and folder in self._holding and name not in _BESIDE)


def _is_marked(folder: str) -> bool:
    return any(os.path.exists(os.path.join(folder, mark)) for mark in MARKS)
