"""A server, session, pool or the like that its owner starts and never releases.

## What it does
Reports a modelled resource that rests in an attribute of a class which has a stop method, when no method of the class, its
bases, subclasses or users releases it; and pools, servers, schedulers and consumers in a local that never leaves its function.
Also, strict, what a function starts and hands on in the end, where it gives up before that (a ``raise``, an empty ``return``).
And a server whose loop a stop method ends while nobody closes its socket; and the child's end of a
pipe that its parent keeps, when it counts on the end of the other. And a member of the same class (or with the same
base) as another one, of which the stop method ends only that; and a member that the start method starts
(`self.db.open()`) and no stop method ends. And a member that the other of two ways to end an object forgets (`stop` ends the
mixer, `cancel` all but the mixer), elements that are put aside in a container where the stop method does not look, a timer in a
local that calls its object on and on, and what a class opens by a method of its base and never closes, as its sisters do.
And a context that a class enters by hand (``await self._client.__aenter__()``) and nobody leaves, whatever it is.
Strict: an object of the project with a worker of its own that a function
makes, starts and leaves behind.

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

from shutdown_lint.facts import Assign, Attr, ModuleFacts
from shutdown_lint.findings import Finding, Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.composites import UNKNOWN
from shutdown_lint.project.resources import STOP_METHODS, Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.tracks import Attribute, Track
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._common import acquired, class_level, label, owner, stop_methods, stop_step
from shutdown_lint.rules.work._composed import composites, is_made_with_what_ends
from shutdown_lint.rules.work._counterparts import ENDS_MEMBERS
from shutdown_lint.rules.work._ended_otherwise import (
    ends_the_process,
    goes_with_its_loop,
    is_current,
    is_ended_by_hand,
    is_ended_wholly,
    is_handed_out,
    is_no_end,
    is_of_child,
    is_sent_on,
    is_taken_back,
    touches,
    wakes_on_signals,
)
from shutdown_lint.rules.work._forgotten_members import forgotten
from shutdown_lint.rules.work._half_ended import half_ended
from shutdown_lint.rules.work._left_early import held_name, left_early, manner
from shutdown_lint.rules.work._left_to_read import left_to_read
from shutdown_lint.rules.work._locals import calls_its_maker, is_left_open, is_left_running, left_context, stays
from shutdown_lint.rules.work._nested import ends_each_of_each
from shutdown_lint.rules.work._pipe_ends import Kept, kept_ends
from shutdown_lint.rules.work._siblings import does_something
from shutdown_lint.walk import At, argument, text

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
        r"re:self\._*(?:open|start|connect|attach|install|acquire|setup|launch|activate)_\w+\(",
        ".__aenter__()",
        ".__enter__()",
        "multiprocessing & Queue(",
        "multiprocessing & Pipe(",
        "new_event_loop",
        "start_server",
        "make_server",
        r"re:socket\.(?:socket|create|fromfd)",
        r"re:os\.(?:open|pipe|memfd)",
        "pty.",
        "eventfd",
        rf"re:def (?:{'|'.join((*STOP_METHODS, *ENDS_MEMBERS))})\(",
        r"re:\n[ \t]+\w+ = (?:\w+\.)*_*[A-Z]\w*\( & re:\.(?:start|open|connect|launch|begin)\(",
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
# what goes on by itself when the function that started it has given up, and what the collector ends at some time
_GOES_ON = ("process", "server", "worker", "scheduler", "observer")
_CONNECTED = ("session", "connection", "consumer", "producer", "socket")
MAX_SHOWN = 3  # stop methods in a path
_LOCAL = ("loop", "server", "pool", "scheduler", "observer", "consumer", "producer", "worker")
# what a context manager may leave running or connected
_LEFT = (*_LOCAL, "session", "connection")
# what these hold is lost, or what they started goes on, when the function comes back; the others often serve until the
# program ends, and are meant to
_LOST_LOCALLY = ("pool", "producer")
_SENDS = re.compile(r"(publish|send|produce|put|write|add|push|emit|log)(_|$)")
# a step of the end, rather than the end: without a body it waits to be filled, and says little
_STUB = re.compile(r"(clean_?up|tear_?down|deinit|finali[sz]e|unload|release)")
_OF_OTHER_RULES = ("threading.Thread", "multiprocessing.pool.Pool")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every modelled resource that the module starts, and at the project's own classes that hold one."""
    seen: set[Attribute] = set()  # an attribute that is filled in several places is one hazard
    for acquisition, track in (*_modelled(module, project), *composites(module, project)):
        held = owner(project, track)
        if held is not None and held[1] not in seen:
            seen.add(held[1])
            stops = tuple(
                stop
                for stop in stop_methods(project, held[0], acquisition.fn)
                if not is_no_end(stop, acquisition, project)
            )
            if acquisition.model.kind == UNKNOWN and is_handed_out(held[1], project):
                continue
            if class_level(acquisition, project) or is_of_child(acquisition, stops, project):
                continue  # all instances share it, or none of them can reach it
            if wakes_on_signals(acquisition) or is_sent_on(acquisition, track, project):
                continue
            if ends_each_of_each(stops, held[1].name, acquisition.model.release):
                continue
            if stops and not is_ended_by_hand(track) and not is_taken_back(acquisition, stops, project):
                touched = touches(stops, acquisition, track, project)
                if touched and is_ended_wholly(acquisition, track):
                    continue
                if not touched or acquisition.model.loss == "real":
                    yield _finding(module, acquisition, track, stops, touched=touched)
        elif held is None and acquisition.model.kind in _LEFT and left_context(acquisition, track):
            yield _finding(module, acquisition, track, (), touched=False)
        elif held is None and calls_its_maker(acquisition, track) and (stops := _own_stops(acquisition, project)):
            yield _finding(module, acquisition, track, stops, touched=False)
        elif (
            held is None
            and acquisition.model.kind in _LOCAL
            and stays(track)
            and not _sends_nothing(acquisition, track)
        ):
            yield _finding(module, acquisition, track, (), touched=not _is_lost_locally(acquisition, project))
        elif held is None and is_left_running(acquisition, track, project):
            yield _left_running(module, acquisition, track)
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
    yield from forgotten(RULE, module, seen, project)


def _own_stops(acquisition: Acquisition, project: Project) -> tuple[Fn, ...]:
    """The methods by which the object that made it is asked to end, where they end something."""
    cls = acquisition.fn.cls
    stops = stop_methods(project, cls, acquisition.fn) if cls is not None else iter(())
    found = tuple(stop for stop in stops if does_something(stop))
    if any(acquisition.fn in project.protocol.reach(stop) for stop in found):
        return ()  # a step of the end itself, which looks on until all is done
    return found


def _left_running(module: ModuleFacts, acquisition: Acquisition, track: Track) -> Finding:
    name, model = label(acquisition, track), acquisition.model
    return RULE.finding(
        module,
        acquisition.call.span,
        f"`{acquisition.fn.qualname}` starts `{name}` and leaves it behind: {model.loses}",
        tier="S",
        confidence="likely",
        lost=(acquisition.fn.step(acquisition.call.span, f"`{text(acquisition.call)}` → `{model.ending(name)}`"),),
        help=f"call `{model.ending(name)}` in `finally`",
    )


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
            or is_current(acquisition, track, project)
            or goes_with_its_loop(acquisition, track, project)
            or is_made_with_what_ends(acquisition, project)
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
        and not _runs_in_child(use.fn, project)
        for use in track.methods("put", "put_nowait")
    )


def _runs_in_child(fn: Fn, project: Project) -> bool:
    """Whether only child processes run it: by themselves, or as the coroutine that they hand to a loop of theirs."""
    kinds = ("process", "pool-process")
    if project.roles.only(fn, *kinds) or not fn.facts.is_async:
        return project.roles.only(fn, *kinds)
    callers = project.calls.callers(fn)
    return bool(callers) and all(project.roles.only(caller.fn, *kinds) for caller in callers)


def _goes_with_another(acquisition: Acquisition, project: Project) -> bool:
    """Whether the folder is made inside of one (``dir=self._base``) that somebody removes, with all that is in it."""
    inside = argument(acquisition.call, 2, "dir")
    ends = {name for model in project.models.resources.values() if model.kind == "tempdir" for name in model.ends}
    return inside is not None and any(
        use.kind == "with" or (use.kind == "method" and use.name in ends)
        for place in project.protocol.places_read(inside, acquisition.fn)
        for use in project.resources.place_track(place).uses
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
    stub = bool(stops) and all(_STUB.match(stop.name) and not stop.facts.body for stop in stops)
    return RULE.finding(
        module,
        acquisition.call.span,
        f"`{name}` is {article} {model.title} and {forgets}{f': {model.loses}' if model.loses else ''}",
        tier="P"
        if meant
        else "S"
        if touched or stub or model.loss == "untidy" or model.kind == "file" or left_to_read(acquisition, name)
        else None,
        lost=(acquisition.fn.step(acquisition.call.span, f"`{text(acquisition.call)}` → `{model.ending(name)}`"),),
        trace=tuple(_stop_step(stop, touched) for stop in stops[:MAX_SHOWN]),
        help=f"call `{model.ending(name)}` in {named[-1]}",
    )


def _kept(module: ModuleFacts, acquisition: Acquisition, track: Track, project: Project) -> Iterator[Finding]:
    """A server whose loop is ended, and which keeps its socket."""
    held = owner(project, track)
    stops = tuple(stop_methods(project, held[0], acquisition.fn)) if held is not None else ()
    use = half_ended(acquisition, track, stops, project) if stops else None
    if use is None or class_level(acquisition, project) or ends_the_process(stops, project):
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


def _stop_step(stop: Fn, touched: bool) -> Step:
    if not touched:
        return stop_step(stop)
    return stop.step(stop.facts.span, f"`{stop.qualname}` ends its owner, and uses it without a release")
