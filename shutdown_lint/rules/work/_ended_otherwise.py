"""How a resource comes to its end without the release that its model names, and which stop methods need not see to it."""

from __future__ import annotations

import re

from shutdown_lint.facts import Attr, Call, Name, Return, Try
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.composites import UNKNOWN
from shutdown_lint.project.resources import STOP_METHODS, Acquisition
from shutdown_lint.project.tracks import Attribute, Track, Use
from shutdown_lint.walk import line_of, subexprs

_CLOSED_BY_SYSTEM = ("fd", "socket", "queue", "selector", "session", "connection")
# what the collector closes when it takes the owner: a destructor needs not say so
_CLOSED_WITH_OWNER = ("socket", "selector")
ENDS = re.compile(
    r"_?(kill|stop|term|terminate|close|shutdown|end|cancel|join|destroy|quit|disconnect|release|cleanup)(_|$)"
)


def is_taken_back(acquisition: Acquisition, stops: tuple[Fn, ...], project: Project) -> bool:
    """Whether the process ends with its owner: the system closes what is left open by then.

    So it is where a stop method is the last step of a child process, which closes its own.
    """
    if acquisition.model.kind not in _CLOSED_BY_SYSTEM:
        return False
    in_child = all(project.roles.only(stop, "process", "pool-process") for stop in stops)
    return in_child or ends_the_process(stops, project)


def is_sent_on(acquisition: Acquisition, track: Track, project: Project) -> bool:
    """Whether the name of a folder is put into a queue: who takes it from there has it now."""
    if acquisition.model.kind != "tempdir":
        return False
    queues = {place.name for place in track.attribute_places() if place.contains}
    return any(
        isinstance(site.call.func, Attr)
        and site.call.func.name in ("put", "put_nowait", "send")
        and name in {part.name for part in subexprs(site.call.func.value) if isinstance(part, Attr)}
        for name in queues
        for fn in project.calls.mentioning(name)
        for site in fn.sites
    )


def wakes_on_signals(acquisition: Acquisition) -> bool:
    """Whether it is made for ``signal.set_wakeup_fd``, and so lasts as long as the process gets signals."""
    return acquisition.model.kind in ("fd", "socket") and "set_wakeup_fd" in acquisition.fn.mentions


def ends_the_process(stops: tuple[Fn, ...], project: Project) -> bool:
    """Whether one of the stop methods exits."""
    return any(
        project.calls.is_call_to(site.call, fn, *project.models.exits)
        for stop in stops
        for fn in project.protocol.reach(stop)
        for site in fn.sites
    )


def is_of_child(acquisition: Acquisition, stops: tuple[Fn, ...], project: Project) -> bool:
    """Whether it lives in a child process, where the stop method, which ends that process, has no part."""
    kinds = ("process", "pool-process")
    return project.roles.only(acquisition.fn, *kinds) and not any(project.roles.only(stop, *kinds) for stop in stops)


def is_ended_by_hand(track: Track) -> bool:
    """``del self.server``, or the end of its parts: ``self.server.dispatcher.shutdown()``."""
    return any(use.kind == "delete" or (use.kind == "read" and _ends_part(use)) for use in track.uses)


def _ends_part(use: Use) -> bool:
    """Whether what is read of the object is told to end: ``object.name.close()``."""
    called = use.site.parents[:2]
    return (
        len(called) == 2
        and isinstance(called[0], Attr)
        and bool(ENDS.match(called[0].name))
        and isinstance(called[1], Call)
        and called[1].func is called[0]
    )


def is_no_end(stop: Fn, acquisition: Acquisition, project: Project) -> bool:
    """Whether it cannot be asked of the stop method: a coroutine cannot close the loop that runs it, a destructor not end all."""
    if acquisition.model.kind == UNKNOWN:
        return stop.name == "__del__" or stop.name not in STOP_METHODS or _is_of_subclass(stop, acquisition, project)
    if acquisition.model.kind in _CLOSED_WITH_OWNER and stop.name == "__del__":
        return True
    private = stop.name.startswith("_") and not stop.name.startswith("__")  # most likely a step in the loop itself
    return acquisition.model.kind == "loop" and (stop.facts.is_async or private)


def goes_with_its_loop(acquisition: Acquisition, track: Track, project: Project) -> bool:
    """Whether who starts it then runs the very loop that calls it: ``self.poll.start(30)``, ``reactor.run()``.

    When that comes back the loop has ended, and what only turns in it, too.
    """
    turns = any(r.callback.role == "loop-callback" for r in project.roles.at(acquisition.site, acquisition.fn))
    starts = track.methods(*acquisition.model.start) if turns else ()
    return any(
        wait.model.forever and line_of(wait.site.at.stmt) > line_of(start.site.at.stmt)
        for start in starts
        for wait in project.protocol.waits(start.fn)
    )


def _is_told(acquisition: Acquisition, track: Track) -> bool:
    """Whether anything stops the loop, or a ``finally`` or clause shows that its function means to come to its end."""
    return track.has("stop") or any(use.site.at.after() for use in track.methods("run_forever"))


def is_handed_out(place: Attribute, project: Project) -> bool:
    """Whether users get it (``return self._report``), to work with it for as long as they like."""
    return any(
        isinstance(at.stmt, Return) and fn.own_attribute(at.stmt.value) == place.name
        for fn in place.cls.methods.values()
        if place.name in fn.mentions and not fn.name.startswith("_")
        for at in fn.statements
    )


def _is_of_subclass(stop: Fn, acquisition: Acquisition, project: Project) -> bool:
    """Whether only a subclass has the stop method: it ends what the subclass adds to a base that needs no end."""
    maker = project.classes.enclosing(acquisition.fn)
    return maker is not None and stop.cls not in project.classes.mro(maker)


def is_current(acquisition: Acquisition, track: Track, project: Project) -> bool:
    """Whether the loop is made where there is none yet, or may be closed as the current one: ``get_event_loop().close()``."""
    if acquisition.model.kind != "loop":
        return False
    if track.has("run_forever") and not track.attribute_places() and not _is_told(acquisition, track):
        return True  # it turns as long as the program runs
    if any(
        isinstance(place.outer.stmt, Try) and place.part != "body"
        for place in acquisition.site.at.around()
        if place.outer
    ):
        return True
    if any(
        isinstance(write.value, (Attr, Call, Name)) and write.value is not acquisition.call
        for place in track.attribute_places()
        for write in project.classes.writes(place.cls, place.name)
    ):
        return True
    asked = project.calls.mentioning("get_event_loop") if track.has("asyncio.set_event_loop") else ()
    return any("close" in fn.mentions for fn in asked)


def is_ended_wholly(acquisition: Acquisition, track: Track) -> bool:
    """Whether the project's own class has another end than the one that is missed: ``window.destroy()`` for ``close()``."""
    return acquisition.model.kind.startswith("composite") and track.has(
        "destroy", "kill", "quit", "dispose", "cleanup", "finish"
    )


def touches(stops: tuple[Fn, ...], acquisition: Acquisition, track: Track, project: Project) -> bool:
    """Whether a stop method does something with it, which may end it in a way that the model does not know.

    What the methods of a class of the project do is known; one that ends by its name may do so in a way that is not.
    """
    if acquisition.model.kind.startswith("composite"):
        ends = [use for use in track.uses if use.kind == "method" and ENDS.match(use.name)]
        return any(use.fn in project.protocol.reach(stop) for use in ends for stop in stops)
    reached = {fn for stop in stops for fn in project.protocol.reach(stop)}
    return any(use.fn in reached and not _only_uses(use, acquisition, project) for use in track.uses)


def _only_uses(use: Use, acquisition: Acquisition, project: Project) -> bool:
    """Whether the use surely ends nothing: ``os.write(fd, …)``, ``loop.call_soon_threadsafe(loop.stop)``."""
    if acquisition.model.kind == "loop":
        return True
    borrowed = use.kind == "method" and "." in use.name and use.name in project.models.handled
    return borrowed or (use.kind == "test" and acquisition.model.kind == "fd")
