"""What a function makes and keeps to itself."""

from __future__ import annotations

from shutdown_lint.facts import Name
from shutdown_lint.project import Project
from shutdown_lint.project.composites import UNKNOWN
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.tracks import Local, Track
from shutdown_lint.walk import subexprs


def stays(track: Track) -> bool:
    """Whether it rests in names of functions alone."""
    return bool(track.places) and all(isinstance(place, Local) and not place.fn.is_module for place in track.places)


def is_left_open(acquisition: Acquisition, track: Track, project: Project) -> bool:
    """Whether a function that comes to its end makes it, and drops it or keeps it to itself."""
    # a descriptor that nobody looks at takes the place of one that was closed before: 0, 1 or 2
    dropped = acquisition.site.dropped and acquisition.model.kind != "fd"
    if not (dropped or stays(track)) or acquisition.fn.is_module:
        return False
    if any(use.name == "os.dup2" for use in track.uses):
        return False  # the process goes on with it as a stream of its own
    return not project.protocol.worker_loops(acquisition.fn) and not acquisition.fn.facts.is_generator


# what comes back when the object's work is over, or keeps the function until the program ends
_RUN = ("run", "run_forever", "serve_forever", "mainloop", "main_loop", "join", "wait", "serve", "loop", "main", "idle")

_STARTS = ("start", "open", "connect", "launch", "begin")


def is_left_running(acquisition: Acquisition, track: Track, project: Project) -> bool:
    """Whether a function makes and starts an object of the project, and comes back without ending it."""
    fn, model = acquisition.fn, acquisition.model
    if not model.kind.startswith("composite-") or model.kind == UNKNOWN or model.loss != "real" or not stays(track):
        return False
    if fn.is_module or fn.facts.is_generator or project.roles.only(fn, "main") or project.protocol.worker_loops(fn):
        return False
    if track.has(*_RUN) or not track.has(*_STARTS):
        return False
    return all(isinstance(place, Local) and place.fn is fn for place in track.places)


def calls_its_maker(acquisition: Acquisition, track: Track) -> bool:
    """``timer = PeriodicCallback(self.poll, 1000)``, kept in a local: it calls the object for ever, which cannot stop it."""
    fn = acquisition.fn
    if fn.cls is None or fn.self_name is None or acquisition.model.kind not in ("scheduler", "observer"):
        return False
    given = (part for arg in acquisition.call.args for part in subexprs(arg.value))
    if not any(isinstance(part, Name) and part.id == fn.self_name for part in given) or track.has(*_RUN):
        return False
    return all(isinstance(place, Local) and place.fn is fn for place in track.places)


def left_context(acquisition: Acquisition, track: Track) -> bool:
    """Whether a generator-based context manager keeps it to itself: whoever leaves the ``with`` leaves it behind."""
    fn = acquisition.fn
    if not (fn.facts.is_generator and fn.decorator_names & {"contextmanager", "asynccontextmanager"}):
        return False
    return bool(track.places) and all(isinstance(place, Local) and place.fn is fn for place in track.places)
