"""Servers that are told to stop and keep their socket: the end of the loop is not the end of the server."""

from __future__ import annotations

from shutdown_lint.facts import Const
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.tracks import Track, Use


def half_ended(acquisition: Acquisition, track: Track, stops: tuple[Fn, ...], project: Project) -> Use | None:
    """The stop, on the way of a stop method, of a server that nobody releases; None for one that is dropped by then.

    What is dropped is closed by the collector. A subclass may release itself in a method that the loop calls.
    """
    model = acquisition.model
    if model.kind != "server" or not model.stop or set(model.stop) & set(model.release):
        return None
    if track.escaped or track.entered or project.resources.released(acquisition):
        return None
    methods = project.classes.methods(acquisition.cls).values() if acquisition.cls is not None else ()
    if any(method.mentions & set(model.release) for method in methods):
        return None
    reached = {fn for stop in stops for fn in project.protocol.reach(stop)}
    told = [use for use in track.methods(*model.stop) if use.fn in reached]
    if not told or any(use.kind == "delete" for use in track.uses) or _is_dropped(track, project):
        return None
    return told[0]


def _is_dropped(track: Track, project: Project) -> bool:
    """Whether a method that is no constructor sets the attribute to ``None``."""
    writes = (write for place in track.attribute_places() for write in project.classes.writes(place.cls, place.name))
    return any(
        isinstance(write.value, Const) and not write.fn.is_module and write.fn.name != "__init__" for write in writes
    )
