"""What a callback keeps alive."""

from __future__ import annotations

from shutdown_lint.facts import Attr, Call, Expr, Lambda, Name
from shutdown_lint.project import Fn, Project
from shutdown_lint.walk import last_name, subexprs


def holds(given: Expr, owner: Name, fn: Fn, project: Project) -> bool:
    """Whether the callback holds the owner: ``owner.close``, ``partial(owner.close, …)``, a lambda or nested function that mentions it."""
    if isinstance(given, Attr):
        return isinstance(given.value, Name) and given.value.id == owner.id
    if isinstance(given, Call):
        return last_name(given.func) == "partial" and any(
            isinstance(expr, Name) and expr.id == owner.id for arg in given.args for expr in subexprs(arg.value)
        )
    if isinstance(given, (Lambda, Name)):
        return any(
            target.parent is fn and owner.id in target.mentions and owner.id not in target.bindings
            for target in project.calls.callables(given, fn)
        )
    return False
