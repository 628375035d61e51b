"""What was made of each file, kept for as long as the file stays as it is."""

from __future__ import annotations

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.intake import Outcome, Task, take_in
from shutdown_lint.project.modules import ModuleEntry


class Memory:
    """The facts of files that are lowered on demand, and what a project derives from one module alone."""

    def __init__(self) -> None:
        self._outcomes: dict[str, tuple[Task, Outcome]] = {}
        self._entries: dict[str, ModuleEntry] = {}

    def take_in(self, task: Task) -> Outcome:
        """As ``intake.take_in``."""
        held = self._outcomes.get(task.file.absolute)
        if held is None or held[0] != task:
            held = self._outcomes[task.file.absolute] = (task, take_in(task))
        return held[1]

    def entry(self, facts: ModuleFacts) -> ModuleEntry:
        """The entry of these very facts."""
        held = self._entries.get(facts.path)
        if held is None or held.facts is not facts:
            held = self._entries[facts.path] = ModuleEntry(facts)
        return held
