"""Whether what a call passes keeps it from a place in the function that it calls."""

from __future__ import annotations

from shutdown_lint.facts import Call, Const, If
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.settled import by_names, given, truth
from shutdown_lint.walk import At


def is_ruled_out(at: At, fn: Fn, call: Call, project: Project) -> bool:
    """Whether the constant that the call gives (or leaves at its default) for a parameter keeps it from the place.

    ``def close(fatal=False): if fatal: sys.exit(1)`` does not exit when it is called as ``close()``.
    """

    def known(name: str) -> Const | None:
        value = given(name, fn, call, project)
        return value if isinstance(value, Const) else None

    for place in at.around():
        outer = place.outer.stmt if place.outer else None
        if isinstance(outer, If) and place.part in ("body", "orelse"):
            holds = truth(outer.test, by_names(known))
            if holds is not None and holds != (place.part == "body"):
                return True
    return False
