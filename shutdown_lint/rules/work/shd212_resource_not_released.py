"""A server, session, pool or the like that its owner starts and never releases.

## What it does
Reports a modelled resource that rests in an attribute of a class which has a stop method, when no method of the class, its
bases, subclasses or users releases it; and pools, servers, schedulers and consumers in a local that never leaves its function.
Also, strict, what a function starts and hands on in the end, where it gives up before that (a ``raise``, an empty ``return``).
And a server whose loop a stop method ends while nobody closes its socket; and the child's end of a
pipe that its parent keeps, when it counts on the end of the other.

## Why it matters
``close()`` is called and returns, and the socket still listens, the worker processes still run, the temp folder is still
there. This is the most frequent real shutdown bug: a member that its owner's ``close()`` forgets.

## Example
```python
import selectors


class Reactor:
    def __init__(self):
        self._selector = selectors.DefaultSelector()

    def poll(self):
        return self._selector.select(1.0)

    def close(self):
        print("closed")
```

## Use instead
```python
import selectors


class Reactor:
    def __init__(self):
        self._selector = selectors.DefaultSelector()

    def poll(self):
        return self._selector.select(1.0)

    def close(self):
        self._selector.close()
```

## Precision
The type comes from a model of the library; an object that is returned, handed to unknown code, read by name, or
released on any alias anywhere in the project is silent; so is what a module global or a class shares, what only a
child process makes, a folder inside of one that is removed, a queue that only a child fills, and a server whose parts
are ended one by one. A member with a destructor of its own is strict. An event loop that stops is not closed by that;
one that stands in for a loop that may be there already, that comes from outside, or whose owner ends in a coroutine
is silent. A class of the project whose stop method ends something of its own is a resource for who makes it, but for
one that works with something that its owner ends (a context, a connection), and strict for one that only wraps what
it is given: one finding in about 60 releases, a published bug. A server, scheduler, consumer or worker in a local is
a preview: most serve until the program ends, and are meant to; that of a generator-based context manager is not. A
socket or descriptor that a function opens for itself and never closes is strict, and so is a file in an attribute:
what is left of them is closed by the collector. What is left behind where a start fails is strict: of 4 read in 140 releases
none was more than minor.

## References
- [Models of resources](https://docs.python.org/3/glossary.html#term-context-manager)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Call, ModuleFacts, Name, Return, Try
from shutdown_lint.findings import Finding, Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.composites import UNKNOWN
from shutdown_lint.project.places import Attribute, Track, Use
from shutdown_lint.project.resources import STOP_METHODS, Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._common import acquired, class_level, label, owner, stop_methods, stop_step
from shutdown_lint.rules.work._dropped import Dropped, dropped
from shutdown_lint.rules.work._half_ended import half_ended
from shutdown_lint.rules.work._left_early import held_name, left_early, manner
from shutdown_lint.rules.work._locals import is_left_open, left_context, stays
from shutdown_lint.rules.work._made_with import given_members
from shutdown_lint.rules.work._pipe_ends import Kept, kept_ends
from shutdown_lint.walk import At, argument, same, text

# a name that may come from a library by way of a module of the project
_MADE = (
    "Selector",
    "Observer",
    "Scheduler",
    "Session",
    "Pool",
    "Manager",
    "HTTPServer",
    "TCPServer",
    "QueueListener",
    "TemporaryDirectory",
    "KafkaProducer",
    "KafkaConsumer",
)
RULE = Rule(
    code="SHD212",
    name="resource-not-released",
    summary="a resource that its owner starts and never releases",
    tier="D",
    severity="warning",
    triggers=(
        "@resources",
        *(rf"re:{name}\(" for name in _MADE),
        "multiprocessing & Queue(",
        "multiprocessing & Pipe(",
        "new_event_loop",
        "start_server",
        "make_server",
        r"re:socket\.(?:socket|create|fromfd)",
        r"re:os\.(?:open|pipe|memfd)",
        "pty.",
        "eventfd",
        r"re:def (?:close|aclose|stop|shutdown|quit|terminate|disconnect|cleanup|__exit__|__aexit__)\(",
    ),
    origin=("G13",),
)
_OWNED = (
    "server",
    "socket",
    "fd",
    "selector",
    "pool",
    "queue",
    "loop",
    "session",
    "connection",
    "tempdir",
    "scheduler",
    "observer",
    "consumer",
    "producer",
    "worker",
    "thread",
)
_CLOSED_BY_SYSTEM = ("fd", "socket", "queue", "selector", "session", "connection")
# what the collector closes when it takes the owner: a destructor needs not say so
_CLOSED_WITH_OWNER = ("socket", "selector")
# what goes on by itself when the function that started it has given up, and what the collector ends at some time
_GOES_ON = ("process", "server", "worker", "scheduler", "observer")
_CONNECTED = ("session", "connection", "consumer", "producer", "socket")
MAX_SHOWN = 3  # stop methods in a path
# what comes back when the object has come to its end
_RUNS = ("run", "run_forever", "serve_forever", "mainloop", "main_loop")
_LOCAL = ("loop", "server", "pool", "scheduler", "observer", "consumer", "producer", "worker")
# what a context manager may leave running or connected
_LEFT = (*_LOCAL, "session", "connection")
# what these hold is lost, or what they started goes on, when the function comes back; the others often serve until the
# program ends, and are meant to
_LOST_LOCALLY = ("pool", "producer")
_ENDS = re.compile(
    r"_?(kill|stop|term|terminate|close|shutdown|end|cancel|join|destroy|quit|disconnect|release|cleanup)(_|$)"
)
_SENDS = re.compile(r"(publish|send|produce|put|write|add|push|emit|log)(_|$)")
_OF_OTHER_RULES = ("threading.Thread", "multiprocessing.pool.Pool")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every modelled resource that the module starts, and at the project's own classes that hold one."""
    seen: set[Attribute] = set()  # an attribute that is filled in several places is one hazard
    for acquisition, track in (*_modelled(module, project), *_composites(module, project)):
        held = owner(project, track)
        if held is not None and held[1] not in seen:
            seen.add(held[1])
            stops = tuple(
                stop
                for stop in stop_methods(project, held[0], acquisition.fn)
                if not _is_no_end(stop, acquisition, project)
            )
            if acquisition.model.kind == UNKNOWN and _is_handed_out(held[1], project):
                continue
            if class_level(acquisition, project) or _is_of_child(acquisition, stops, project):
                continue  # all instances share it, or none of them can reach it
            if stops and not _is_ended_by_hand(track) and not _is_taken_back(acquisition, stops, project):
                touched = _touches(stops, acquisition, track, project)
                if touched and _is_ended_wholly(acquisition, track):
                    continue
                if not touched or acquisition.model.loss == "real":
                    yield _finding(module, acquisition, track, stops, touched=touched)
        elif held is None and acquisition.model.kind in _LEFT and left_context(acquisition, track):
            yield _finding(module, acquisition, track, (), touched=False)
        elif (
            held is None
            and acquisition.model.kind in _LOCAL
            and stays(track)
            and not _sends_nothing(acquisition, track)
        ):
            yield _finding(module, acquisition, track, (), touched=not _is_lost_locally(acquisition, project))
        elif held is None and acquisition.model.kind in ("socket", "fd") and is_left_open(acquisition, track, project):
            yield _unclosed(module, acquisition, track)
    for acquisition, track in acquired(project, project.functions(module), "server"):
        yield from _kept(module, acquisition, track, project)
    for acquisition, track in acquired(project, project.functions(module), *_GOES_ON, *_CONNECTED):
        way_out = left_early(acquisition, track, project) if acquisition.model.loss == "real" else None
        if way_out is not None:
            yield _left_early(module, acquisition, way_out)
    for fn in project.functions(module):
        yield from (_both_ends(module, kept, fn) for kept in (kept_ends(fn, project) if not is_test(fn) else ()))
    for cls in project.modules.of(module).classes:
        for found in dropped(cls, project):
            yield _forgotten(module, found)


def _sends_nothing(acquisition: Acquisition, track: Track) -> bool:
    """Whether a local producer is made for its administration only: nothing is in its buffer that could be lost."""
    return (
        acquisition.model.kind == "producer"
        and not track.escaped
        and not any(use.kind == "method" and _SENDS.match(use.name) for use in track.uses)
    )


def _is_lost_locally(acquisition: Acquisition, project: Project) -> bool:
    """Whether what a local holds goes on when the function comes back, or is left behind by each thread that runs it."""
    if acquisition.model.kind == "loop":
        return project.roles.only(acquisition.fn, "thread", "timer", "pool-thread")
    return acquisition.model.kind in _LOST_LOCALLY


def _modelled(module: ModuleFacts, project: Project) -> Iterator[tuple[Acquisition, Track]]:
    for acquisition, track in (*acquired(project, project.functions(module), *_OWNED), *_files(module, project)):
        if acquisition.model.name in _OF_OTHER_RULES or acquisition.model.loss == "none":
            continue
        if not (
            (acquisition.model.kind == "queue" and not _has_feeder(track, project))
            or (acquisition.model.kind == "tempdir" and _goes_with_another(acquisition, project))
            or project.resources.released(acquisition)
            or _given_away(acquisition, track)
            or track.entered
            or _stopped(acquisition, track)
            or _is_current(acquisition, track, project)
        ):
            yield acquisition, track


def _files(module: ModuleFacts, project: Project) -> Iterator[tuple[Acquisition, Track]]:
    """The files that objects keep: most others are read or written where they are opened."""
    makers = {
        name.rpartition(".")[2] for m in project.models.resources.values() if m.kind == "file" for name in m.makers
    }
    for fn in project.functions(module):
        if fn.mentions.isdisjoint(makers) or is_test(fn):
            continue
        for acquisition in project.resources.of_function(fn):
            stmt = acquisition.site.at.stmt
            if acquisition.model.kind == "file" and isinstance(stmt, Assign):
                if any(isinstance(target, Attr) for target in stmt.targets):
                    yield acquisition, project.resources.track(acquisition)


def _has_feeder(track: Track, project: Project) -> bool:
    """Whether the owner itself puts into the queue, in its own process: only then it has a thread that must be told to end."""
    return any(
        isinstance(use.place, Attribute)
        and project.classes.enclosing(use.fn) in project.classes.family(use.place.cls)
        and not project.roles.only(use.fn, "process", "pool-process")
        for use in track.methods("put", "put_nowait")
    )


def _goes_with_another(acquisition: Acquisition, project: Project) -> bool:
    """Whether the folder is made inside of one (``dir=self._base``) that somebody removes, with all that is in it."""
    inside = argument(acquisition.call, 2, "dir")
    ends = {name for model in project.models.resources.values() if model.kind == "tempdir" for name in model.ends}
    return inside is not None and any(
        use.kind == "with" or (use.kind == "method" and use.name in ends)
        for place in project.protocol.places_read(inside, acquisition.fn)
        for use in project.resources.place_track(place).uses
    )


def _composites(module: ModuleFacts, project: Project) -> Iterator[tuple[Acquisition, Track]]:
    """Instances of project classes that hold a resource: the owner's stop method has to call theirs."""
    for fn in project.functions(module):
        for acquisition in project.composites.of_function(fn) if not is_test(fn) else ():
            if project.resources.started(acquisition) and not project.resources.released(acquisition):
                track = project.resources.track(acquisition)
                if _ends_at_exit(acquisition, project) or _ends_with_another(acquisition, project):
                    continue
                if acquisition.model.kind == UNKNOWN and track.has(*_RUNS):
                    continue  # it ends itself when it comes back
                if not track.escaped and not track.entered and not _is_adopted(track, project):
                    yield acquisition, track


def _ends_at_exit(acquisition: Acquisition, project: Project) -> bool:
    """Whether its class registers one of its own methods with ``atexit``."""
    methods = set(project.classes.methods(acquisition.cls).values()) if acquisition.cls is not None else set()
    return any(
        registration.callback.role in ("atexit", "finalizer") and methods & set(registration.targets)
        for registration in project.roles.registrations()
    )


def _ends_with_another(acquisition: Acquisition, project: Project) -> bool:
    """Whether it works with something of its owner that the owner ends, or with the owner: ``Client(context=self.context)``."""
    if acquisition.model.kind == UNKNOWN and any(
        isinstance(arg.value, Name) and arg.value.id == project.classes.self_name(acquisition.fn)
        for arg in acquisition.call.args
    ):
        return True
    if acquisition.model.kind == UNKNOWN and _is_made_with_keeper(acquisition):
        return True
    given = given_members(acquisition)
    cls = project.classes.enclosing(acquisition.fn)
    methods = project.classes.methods(cls).values() if cls is not None and given else ()
    return any(
        isinstance(site.call.func, Attr) and _ENDS.match(site.call.func.name) and text(site.call.func.value) in given
        for method in methods
        for site in method.sites
    )


def _is_made_with_keeper(acquisition: Acquisition) -> bool:
    """``bus.reloader = Reloader(bus)``: it knows who keeps it, and may have asked to be told of its end."""
    stmt = acquisition.site.at.stmt
    keepers = [target.value for target in stmt.targets if isinstance(target, Attr)] if isinstance(stmt, Assign) else []
    return any(same(arg.value, keeper) for arg in acquisition.call.args for keeper in keepers)


def _is_adopted(track: Track, project: Project) -> bool:
    """Whether a method of the member is given its owner (``child.setServiceParent(self)``), whose library base may end it."""
    for use in track.uses:
        cls = project.classes.enclosing(use.fn)
        if use.kind != "method" or cls is None or not project.classes.external_bases(cls):
            continue
        if any(
            isinstance(arg.value, Name) and arg.value.id == project.classes.self_name(use.fn)
            for arg in use.site.call.args
        ):
            return True
    return False


def _is_taken_back(acquisition: Acquisition, stops: tuple[Fn, ...], project: Project) -> bool:
    """Whether the process ends with its owner: the system closes what is left open by then."""
    return acquisition.model.kind in _CLOSED_BY_SYSTEM and _ends_the_process(stops, project)


def _ends_the_process(stops: tuple[Fn, ...], project: Project) -> bool:
    return any(
        project.calls.is_call_to(site.call, fn, *project.models.exits)
        for stop in stops
        for fn in project.protocol.reach(stop)
        for site in fn.sites
    )


def _given_away(acquisition: Acquisition, track: Track) -> bool:
    """Whether someone else may own it now. A queue is handed to workers to be shared, and stays with who made it."""
    if acquisition.model.kind == "queue" and not track.truncated:
        return any(not why.startswith("handed to") for why in track.escapes)
    return track.escaped


def _stopped(acquisition: Acquisition, track: Track) -> bool:
    """A stop that is not the release still shows that somebody cares; which of the two is missing is another question.

    An event loop that stops is only at the end of its turn: it keeps its descriptors until it is closed.
    """
    if acquisition.model.kind == "loop" and track.attribute_places():
        return False
    return track.has(*acquisition.model.stop) if acquisition.model.stop else False


def _is_of_child(acquisition: Acquisition, stops: tuple[Fn, ...], project: Project) -> bool:
    """Whether it lives in a child process, where the stop method, which ends that process, has no part."""
    kinds = ("process", "pool-process")
    return project.roles.only(acquisition.fn, *kinds) and not any(project.roles.only(stop, *kinds) for stop in stops)


def _is_ended_by_hand(track: Track) -> bool:
    """``del self.server``, or the end of its parts: ``self.server.dispatcher.shutdown()``."""
    return any(use.kind == "delete" or (use.kind == "read" and _ends_part(use)) for use in track.uses)


def _ends_part(use: Use) -> bool:
    """Whether what is read of the object is told to end: ``object.name.close()``."""
    called = use.site.parents[:2]
    return (
        len(called) == 2
        and isinstance(called[0], Attr)
        and bool(_ENDS.match(called[0].name))
        and isinstance(called[1], Call)
        and called[1].func is called[0]
    )


def _is_no_end(stop: Fn, acquisition: Acquisition, project: Project) -> bool:
    """Whether it cannot be asked of the stop method: a coroutine cannot close the loop that runs it, a destructor not end all."""
    if acquisition.model.kind == UNKNOWN:
        return stop.name == "__del__" or stop.name not in STOP_METHODS or _is_of_subclass(stop, acquisition, project)
    if acquisition.model.kind in _CLOSED_WITH_OWNER and stop.name == "__del__":
        return True
    private = stop.name.startswith("_") and not stop.name.startswith("__")  # most likely a step in the loop itself
    return acquisition.model.kind == "loop" and (stop.facts.is_async or private)


def _is_told(acquisition: Acquisition, track: Track) -> bool:
    """Whether anything stops the loop, or a ``finally`` or clause shows that its function means to come to its end."""
    return track.has("stop") or any(use.site.at.after() for use in track.methods("run_forever"))


def _is_handed_out(place: Attribute, project: Project) -> bool:
    """Whether users get it (``return self._report``), to work with it for as long as they like."""
    return any(
        isinstance(at.stmt, Return)
        and isinstance(at.stmt.value, Attr)
        and at.stmt.value.name == place.name
        and isinstance(at.stmt.value.value, Name)
        and at.stmt.value.value.id == fn.self_name
        for fn in place.cls.methods.values()
        if place.name in fn.mentions and not fn.name.startswith("_")
        for at in fn.statements
    )


def _is_of_subclass(stop: Fn, acquisition: Acquisition, project: Project) -> bool:
    """Whether only a subclass has the stop method: it ends what the subclass adds to a base that needs no end."""
    maker = project.classes.enclosing(acquisition.fn)
    return maker is not None and stop.cls not in project.classes.mro(maker)


def _is_current(acquisition: Acquisition, track: Track, project: Project) -> bool:
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


def _is_ended_wholly(acquisition: Acquisition, track: Track) -> bool:
    """Whether the project's own class has another end than the one that is missed: ``window.destroy()`` for ``close()``."""
    return acquisition.model.kind.startswith("composite") and track.has(
        "destroy", "kill", "quit", "dispose", "cleanup", "finish"
    )


def _touches(stops: tuple[Fn, ...], acquisition: Acquisition, track: Track, project: Project) -> bool:
    """Whether a stop method does something with it, which may end it in a way that the model does not know.

    What the methods of a class of the project do is known; one that ends by its name may do so in a way that is not.
    """
    if acquisition.model.kind.startswith("composite"):
        ends = [use for use in track.uses if use.kind == "method" and _ENDS.match(use.name)]
        return any(use.fn in project.protocol.reach(stop) for use in ends for stop in stops)
    reached = {fn for stop in stops for fn in project.protocol.reach(stop)}
    return any(use.fn in reached and not _only_uses(use, acquisition, project) for use in track.uses)


def _only_uses(use: Use, acquisition: Acquisition, project: Project) -> bool:
    """Whether the use surely ends nothing: ``os.write(fd, …)``, ``loop.call_soon_threadsafe(loop.stop)``."""
    if acquisition.model.kind == "loop":
        return True
    borrowed = use.kind == "method" and "." in use.name and use.name in project.models.handled
    return borrowed or (use.kind == "test" and acquisition.model.kind == "fd")


def _unclosed(module: ModuleFacts, acquisition: Acquisition, track: Track) -> Finding:
    model, name = acquisition.model, label(acquisition, track)
    until = "the process ends" if model.kind == "fd" else "the garbage collector comes by"
    return RULE.finding(
        module,
        acquisition.call.span,
        f"`{name}` is a {model.title} that `{acquisition.fn.qualname}` opens for itself and never closes: it stays open until {until}",
        tier="S",
        severity="info",
        help=f"use `with`, or call `{model.ending(name)}` in `finally`",
    )


def _finding(
    module: ModuleFacts, acquisition: Acquisition, track: Track, stops: tuple[Fn, ...], *, touched: bool
) -> Finding:
    name, model = label(acquisition, track), acquisition.model
    article = "an" if model.title[0] in "aeiouAEIO" else "a"
    spoken = [stop for stop in stops if not stop.name.startswith("__")] or list(stops) or [acquisition.fn]
    named = [f"`{fn.qualname}`" for fn in spoken]
    forgets = f"{named[0]} never releases it" if len(named) == 1 else f"neither {named[0]} nor {named[1]} releases it"
    meant = not stops and touched
    return RULE.finding(
        module,
        acquisition.call.span,
        f"`{name}` is {article} {model.title} and {forgets}{f': {model.loses}' if model.loses else ''}",
        tier="P" if meant else "S" if touched or model.loss == "untidy" or model.kind == "file" else None,
        lost=(acquisition.fn.step(acquisition.call.span, f"`{text(acquisition.call)}` → `{model.ending(name)}`"),),
        trace=tuple(_stop_step(stop, touched) for stop in stops[:MAX_SHOWN]),
        help=f"call `{model.ending(name)}` in {named[-1]}",
    )


def _kept(module: ModuleFacts, acquisition: Acquisition, track: Track, project: Project) -> Iterator[Finding]:
    """A server whose loop is ended, and which keeps its socket."""
    held = owner(project, track)
    stops = tuple(stop_methods(project, held[0], acquisition.fn)) if held is not None else ()
    use = half_ended(acquisition, track, stops, project) if stops else None
    if use is None or class_level(acquisition, project) or _ends_the_process(stops, project):
        return
    name, model = label(acquisition, track), acquisition.model
    yield RULE.finding(
        module,
        acquisition.call.span,
        f"`{text(use.site.call)}` only ends the loop of `{name}`: {model.loses}, and connections wait in it for ever",
        lost=(acquisition.fn.step(acquisition.call.span, f"`{text(acquisition.call)}` → `{model.ending(name)}`"),),
        trace=(use.fn.step(use.site.call.span, f"`{use.fn.qualname}` stops it, and does not release it"),),
        help=f"call `{model.ending(name)}` behind it",
    )


def _both_ends(module: ModuleFacts, kept: Kept, fn: Fn) -> Finding:
    return RULE.finding(
        module,
        kept.made.call.span,
        f"`{kept.name}` is the child's end of the pipe, and stays open here too: `{text(kept.reader.site.call)}` never ends when the child has died",
        trace=(
            fn.step(kept.started.call.span, "the child has an end of its own"),
            kept.reader.fn.step(kept.reader.site.call.span, f"`{kept.reader.fn.qualname}` counts on EOFError"),
        ),
        help=f"call `{kept.name}.close()` behind the start of the child",
    )


def _left_early(module: ModuleFacts, acquisition: Acquisition, way_out: At) -> Finding:
    name, model = held_name(acquisition), acquisition.model
    goes_on = "goes on" if model.kind in _GOES_ON else "stays open"
    return RULE.finding(
        module,
        getattr(way_out.stmt, "span", acquisition.call.span),
        f"`{acquisition.fn.qualname}` {manner(way_out)} and leaves `{name}` behind, which {goes_on}: nobody knows it any more",
        tier="S",
        lost=(acquisition.fn.step(acquisition.call.span, f"`{text(acquisition.call)}` → `{model.ending(name)}`"),),
        help=f"before that, call `{model.ending(name)}`",
    )


def _forgotten(module: ModuleFacts, found: Dropped) -> Finding:
    release = text(found.releasing.call.func).rpartition(".")[2]
    span = getattr(found.at.stmt, "span", found.method.facts.span)
    return RULE.finding(
        module,
        span,
        f"`{found.method.qualname}` forgets what `self.{found.name}` holds without `{release}()`: it stays open",
        lost=(
            found.releaser.step(
                found.releasing.call.span, f"`{text(found.releasing.call)}`, as `{found.releaser.qualname}` does"
            ),
        ),
        help=f"call `{release}()` on each element of `self.{found.name}` before it is emptied",
    )


def _stop_step(stop: Fn, touched: bool) -> Step:
    if not touched:
        return stop_step(stop)
    return stop.step(stop.facts.span, f"`{stop.qualname}` ends its owner, and uses it without a release")
