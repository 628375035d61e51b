"""Which modules belong to one program: those that its start modules import, directly or through others."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.project.memo import Memo

if TYPE_CHECKING:
    from shutdown_lint.project import Project

MAX_MODULES = 300


def imported(module: ModuleFacts, project: Project) -> Iterator[str]:
    """The dotted names of all that the module imports (a name imported from a module may be a module)."""
    yield from project.modules.of(module).imports


_PROGRAMS: Memo[dict[tuple[str, ...], tuple[int, frozenset[str]]]] = Memo()


def program(starts: Iterable[str], project: Project) -> frozenset[str]:
    """The loaded modules of the project that belong to the program of the start modules; bounded."""
    memo, key = _PROGRAMS.setdefault(project, {}), tuple(starts)
    count, found = memo.get(key, (0, frozenset()))
    if count != len(project.modules.all):  # more modules may have been loaded since
        found = _program(key, project)
        memo[key] = len(project.modules.all), found
    return found


def _program(starts: tuple[str, ...], project: Project) -> frozenset[str]:
    modules = project.modules
    queue = deque(entry for entry in map(modules.loaded, dict.fromkeys(starts)) if entry is not None)
    seen = {entry.facts.name for entry in queue}
    while queue and len(seen) < MAX_MODULES:
        for name in queue.popleft().runs:
            entry = None if name in seen else modules.loaded(name)
            if entry is not None:
                seen.add(name)
                queue.append(entry)
    return frozenset(seen)
