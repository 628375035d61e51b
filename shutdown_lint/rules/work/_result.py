"""The result of a child that is looked at, where nothing has ever asked for it."""

from __future__ import annotations

from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.tracks import Track, Use


def never_set(acquisition: Acquisition, track: Track) -> Use | None:
    """The first read of ``child.returncode`` that gives None for ever.

    Only ``poll()``, ``wait()`` and what calls them set it, which each signal that is sent does too; the event loop
    learns by itself that a child of its own has ended.
    """
    if acquisition.model.name != "subprocess.Popen" or acquisition.cls is not None:
        return None
    if track.escaped or track.entered or track.has("kill", "terminate", "send_signal", "pid"):
        return None
    return next((use for use in track.uses if use.name == "returncode" and use.kind == "read"), None)
