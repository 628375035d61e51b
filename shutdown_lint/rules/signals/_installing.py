"""The fix that installs a handler of SIGTERM at the start of a program, and what stands against it."""

from __future__ import annotations

from shutdown_lint.findings import Fix
from shutdown_lint.project import Project
from shutdown_lint.project.endings import catches
from shutdown_lint.project.programs import Stay
from shutdown_lint.rules._exitable import holds_up
from shutdown_lint.rules.signals._losses import modules_of
from shutdown_lint.rules.swallowed._catching import raises, tries


def handler_fix(found: Stay, project: Project, code: str) -> Fix | str:
    """A line in the program's ``if __name__ == "__main__":``, where the exit that it asks for gets through."""
    entry = found.entry
    guard = project.roles.main_guard(entry) if entry.is_module else None
    if guard is None:
        return 'the program has no `if __name__ == "__main__":` in this file'
    against = (_swallowed(found, project) if code == "SHD301" else "") or holds_up(project)
    if against:
        return against
    place = (("line", str(guard.span.line)), ("column", str(guard.span.col)))
    return Fix("unsafe", "handle SIGTERM from the start of the program on", code.lower(), place)


def _swallowed(found: Stay, project: Project) -> str:
    """A clause of the program that catches SystemExit and does not raise; whether the main thread gets there is not asked."""
    for module in modules_of(found, project):
        for fn in project.functions(module):
            for _, stmt in tries(fn):
                for clause in stmt.handlers:
                    if catches(clause.types, "SystemExit", "BaseException") and not raises(clause.body):
                        return f"an `except` clause in `{fn.qualname}` catches SystemExit"
    return ""
