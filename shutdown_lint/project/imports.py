"""Which modules belong to one program: those that its start modules import, directly or through others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from shutdown_lint.facts import ModuleFacts

if TYPE_CHECKING:
    from shutdown_lint.project import Project

MAX_MODULES = 300


def imported(module: ModuleFacts, project: Project) -> Iterator[str]:
    """The dotted names of all that the module imports (a name imported from a module may be a module)."""
    yield from project.modules.of(module).imports


def program(starts: Iterable[str], project: Project) -> frozenset[str]:
    """The loaded modules of the project that belong to the program of the start modules; bounded."""
    loaded = {entry.facts.name: entry.facts for entry in project.modules}
    queue = [name for name in dict.fromkeys(starts) if name in loaded]
    seen = set(queue)
    while queue and len(seen) < MAX_MODULES:
        for found in project.modules.of(loaded[queue.pop(0)]).runs:
            if found in loaded and found not in seen:
                seen.add(found)
                queue.append(found)
    return frozenset(seen)
