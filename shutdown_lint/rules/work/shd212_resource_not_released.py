"""A server, session, pool or the like that its owner starts and never releases.

## What it does
Reports a modelled resource that rests in an attribute of a class which has a stop method, when no method of the class, its
bases, subclasses or users releases it; and pools, servers, schedulers and consumers in a local that never leaves its function.

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
The type comes from a model of the library; an object that is returned, handed to unknown code, read by name, or released
on any alias anywhere in the project is silent.

## References
- [Models of resources](https://docs.python.org/3/glossary.html#term-context-manager)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.findings import Finding, Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.places import Attribute, Local, Track
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._common import acquired, label, owner, stop_method, stop_step
from shutdown_lint.walk import text

RULE = Rule(
    code="SHD212",
    name="resource-not-released",
    summary="a resource that its owner starts and never releases",
    tier="D",
    severity="warning",
    triggers=(
        "@resources",
        "socket.",
        "Selector",
        "Pool(",
        "Manager(",
        "multiprocessing & Queue(",
        "QueueListener",
        "TemporaryDirectory",
        "Session(",
        "httpx",
        "sqlite3",
        "shelve",
        "Observer",
        "Scheduler",
        "new_event_loop",
        "start_server",
        "HTTPServer",
        "TCPServer",
        "make_server",
        "mmap",
        "KafkaProducer",
        "KafkaConsumer",
        "zmq",
        "paramiko",
        "grpc",
    ),
    origin=("G13",),
)
_OWNED = (
    "server",
    "socket",
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
_LOCAL = ("server", "pool", "scheduler", "observer", "consumer", "producer", "worker")
# what these hold is lost, or what they started goes on, when the function comes back; the others often serve until the
# program ends, and are meant to
_LOST_LOCALLY = ("pool", "producer")
_OF_OTHER_RULES = ("threading.Thread",)


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every modelled resource that the module starts."""
    for acquisition, track in acquired(project, project.functions(module), *_OWNED):
        if acquisition.model.name in _OF_OTHER_RULES or acquisition.model.loss == "none":
            continue
        if (
            project.resources.released(acquisition)
            or _given_away(acquisition, track)
            or track.entered
            or _stopped(acquisition, track)
        ):
            continue
        held = owner(project, track)
        if held is not None:
            stop = stop_method(project, held[0])
            if stop is not None and not _read_elsewhere(track, held[1]):
                touched = _touches(stop, track, project)
                if not touched or acquisition.model.loss == "real":
                    yield _finding(module, acquisition, track, stop, touched=touched)
        elif acquisition.model.kind in _LOCAL and _stays(acquisition, track):
            yield _finding(module, acquisition, track, None, touched=acquisition.model.kind not in _LOST_LOCALLY)


def _given_away(acquisition: Acquisition, track: Track) -> bool:
    """Whether someone else may own it now. A queue is handed to workers to be shared, and stays with who made it."""
    if acquisition.model.kind == "queue" and not track.truncated:
        return any(not why.startswith("handed to") for why in track.escapes)
    return track.escaped


def _stopped(acquisition: Acquisition, track: Track) -> bool:
    """A stop that is not the release still shows that somebody cares; which of the two is missing is another question."""
    return track.has(*acquisition.model.stop) if acquisition.model.stop else False


def _read_elsewhere(track: Track, place: Attribute) -> bool:
    """A bare read outside of a call may hand it on in ways that are not followed."""
    return any(use.kind == "delete" for use in track.uses)


def _touches(stop: Fn, track: Track, project: Project) -> bool:
    """Whether the stop method does something with it, which may end it in a way that the model does not know."""
    reached = project.protocol.reach(stop)
    return any(use.fn in reached for use in track.uses)


def _stays(acquisition: Acquisition, track: Track) -> bool:
    return bool(track.places) and all(isinstance(p, Local) and not p.fn.is_module for p in track.places)


def _finding(module: ModuleFacts, acquisition: Acquisition, track: Track, stop: Fn | None, *, touched: bool) -> Finding:
    name, model = label(acquisition, track), acquisition.model
    article = "an" if model.name[0] in "aeiou" else "a"
    forgets = f"`{stop.qualname}` never releases it" if stop else f"`{acquisition.fn.qualname}` never releases it"
    return RULE.finding(
        module,
        acquisition.call.span,
        f"`{name}` is {article} {model.name} and {forgets}{f': {model.loses}' if model.loses else ''}",
        tier="S" if touched or model.loss == "untidy" else None,
        lost=(acquisition.fn.step(acquisition.call.span, f"`{text(acquisition.call)}` → `{model.release[0]}()`"),),
        trace=(_stop_step(stop, touched),) if stop else (),
        help=f"call `{name}.{model.release[0]}()` in `{(stop or acquisition.fn).qualname}`",
    )


def _stop_step(stop: Fn, touched: bool) -> Step:
    if not touched:
        return stop_step(stop)
    return stop.step(stop.facts.span, f"`{stop.qualname}` ends its owner, and uses it without a release")
