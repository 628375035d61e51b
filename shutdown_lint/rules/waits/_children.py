"""Children by the place that holds them: what is done with them there, whoever made them."""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, Call, Expr, Name, Op, Seq
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.tracks import Local, Place, Track, Use
from shutdown_lint.rules.waits._stops import acquisitions_of
from shutdown_lint.walk import last_name

_KILLS = ("os.kill", "os.killpg")
_TELLS = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "print", "format", "str"}
)
_FATAL = ("SIGKILL", "SIGTERM", "SIGINT", "SIGQUIT")


def place_of(expr: Expr | None, fn: Fn, project: Project) -> Place | None:
    """The attribute or name that the expression is."""
    if isinstance(expr, Attr):
        return next(iter(project.protocol.places_read(expr, fn)), None)
    if isinstance(expr, Name):
        scope = project.evaluate.binding_scope(expr.id, fn)
        return Local(scope, expr.id, False) if scope is not None else None
    return None


def tracks(expr: Expr | None, fn: Fn, project: Project) -> tuple[Acquisition, tuple[Track, ...]] | None:
    """The one child that the expression stands for, and its tracks: from its maker, and in the place that the expression is.

    A factory's child leaves by its ``return``; what callers do with it is seen in their own places. None where the child is
    unknown, or leaves what we see in another way.
    """
    found = acquisitions_of(expr, fn, project)
    place = place_of(expr, fn, project)
    if len(found) != 1 or found[0].model.kind not in ("child", "process") or place is None:
        return None
    made, here = project.resources.track(found[0]), project.resources.place_track(place)
    if made.truncated or here.escaped or any(not why.startswith("returned by") for why in made.escapes):
        return None
    return found[0], (made, here)


def uses(found: tuple[Track, ...]) -> Iterator[Use]:
    """All that is done with the child."""
    return (use for track in found for use in track.uses)


def fatal_signal(use: Use, project: Project) -> Call | None:
    """``os.kill(child.pid, SIGKILL)``, ``os.killpg(os.getpgid(child.pid), …)`` for a read of ``child.pid``."""
    for parent in use.site.parents:
        if isinstance(parent, Call) and project.calls.is_call_to(parent, use.fn, *_KILLS):
            signal = parent.args[1].value if len(parent.args) > 1 else None
            return parent if getattr(signal, "name", getattr(signal, "id", "")) in _FATAL else None
    return None


def is_told(use: Use) -> bool:
    """Whether what is read only becomes part of a message: ``log.info("child %s", child.pid)``, ``f"{child.pid}"``."""
    parents = [parent for parent in use.site.parents if not isinstance(parent, Attr)]
    first = parents[0] if parents else None
    if isinstance(first, Seq) and first.kind == "fstring":
        return True
    if isinstance(first, Seq) and len(parents) > 1:
        first = parents[1]  # the operands of `"%s: %s" % (name, pid)`
    if isinstance(first, Op):
        return first.op == "?"  # `%`, among others
    return isinstance(first, Call) and last_name(first.func) in _TELLS
