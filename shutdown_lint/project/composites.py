"""Composite resources: classes of the project whose instances hold a resource and have a method that releases it.

Who makes a ``Server`` whose ``close()`` closes its socket owns that socket, and has to call ``close()``: for the owner
such an instance is a resource like those that the models name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.facts import Attr, Const, Expr, Name
from shutdown_lint.models import Resource
from shutdown_lint.project.classes import AttributeWrite
from shutdown_lint.project.ended_members import with_helpers
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.resources import STOP_METHODS, Acquisition
from shutdown_lint.project.scopes import Value
from shutdown_lint.project.values import Class
from shutdown_lint.walk import Site, last_name

if TYPE_CHECKING:
    from shutdown_lint.project import Project

_CONSTRUCTORS = frozenset({"__init__", "__post_init__", "__new__", "__attrs_post_init__"})
# What a garbage collector or the end of the process takes back without loss makes no composite.
_HELD = frozenset(
    {
        "thread",
        "timer",
        "process",
        "child",
        "executor",
        "pool",
        "server",
        "socket",
        "selector",
        "session",
        "scheduler",
        "observer",
        "consumer",
        "tempdir",
    }
)


_FILE_NAME = re.compile(r"_*(file|fp|fh|f|fileobj|file_?obj|file_?handle|in_?file|out_?file)$")
UNKNOWN = "composite-unknown"  # the kind of a class of which only it knows what it ends
_STARTS = frozenset({"start", "open", "connect", "begin", "launch"})
_ENDINGS = frozenset({"close", "aclose", "stop", "shutdown", "disconnect", "terminate", "quit", "async_close"})
_ENDS = frozenset(
    {"close", "aclose", "stop", "shutdown", "disconnect", "terminate", "quit", "cancel", "join", "wait_closed"}
)


def _ended_members(fn: Fn) -> list[str]:
    """The attributes of its object that the method ends: ``await self._session.close()``."""
    return [
        name
        for site in fn.sites
        if isinstance(site.call.func, Attr)
        and site.call.func.name in _ENDS
        and (name := fn.own_attribute(site.call.func.value)) is not None
    ]


def _is_given(write: AttributeWrite) -> bool:
    """Whether what is stored is a parameter of its method."""
    return isinstance(write.value, Name) and any(param.name == write.value.id for param in write.fn.facts.params)


class Member(NamedTuple):
    """A resource inside of a composite: what it is, and the methods of the composite that release it."""

    acquisition: Acquisition
    releasing: tuple[str, ...]


class Composites:
    """Finds the classes that are composite resources, and who makes instances of them; every answer is remembered."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._models: dict[Cls, Resource | None] = {}
        self._names: frozenset[str] | None = None

    def of_function(self, fn: Fn) -> tuple[Acquisition, ...]:
        """The composite resources that the function makes."""
        called = (a for site in fn.sites if self._plausible(site) for a in self._at(site.call.func, site, fn))
        fields = self._project.fields.declared_in(fn)
        return (*called, *(a for field in fields for a in self._at(field.factory, field.site, fn)))

    def model(self, cls: Cls) -> Resource | None:
        """The class as a resource: its ``release`` are the methods that release what it holds."""
        if cls not in self._models:
            self._models[cls] = None  # a class that holds itself is no composite
            self._models[cls] = self._find(cls)
        return self._models[cls]

    def _plausible(self, site: Site) -> bool:
        if self._names is None:
            classes = (cls for entry in self._project.modules for cls in entry.classes)
            names = frozenset(cls.name for cls in classes if self._has_stop(cls))
            self._names = names | frozenset(self._other_names(names))
        return last_name(site.call.func) in self._names

    def _other_names(self, names: frozenset[str]) -> Iterator[str]:
        """Names of modules for one of the classes: ``Resolver = FastResolver if fast else PlainResolver``."""
        for entry in self._project.modules:
            for name, bindings in entry.body.bindings.items():
                given = (binding.expr for binding in bindings if isinstance(binding, Value))
                parts = (part for expr in given for part in (expr, *getattr(expr, "operands", ())))
                if any(isinstance(part, Name) and part.id in names for part in parts):
                    yield name

    def _has_stop(self, cls: Cls) -> bool:
        return any(
            name in member.methods
            for member in self._project.classes.mro(cls)
            if isinstance(member, Cls)
            for name in STOP_METHODS
        )

    def _at(self, made: Expr, site: Site, fn: Fn) -> tuple[Acquisition, ...]:
        """The instance that the call at the site makes of the class ``made``."""
        for value in self._project.evaluate.values(made, fn):
            model = self.model(value.cls) if isinstance(value, Class) else None
            if model is not None and isinstance(value, Class):
                return (Acquisition(model, site, fn, value.cls, None),)
        return ()

    def _find(self, cls: Cls) -> Resource | None:
        if self._project.resources.class_model(cls) is not None:
            return None
        members = [member for member in map(self._member, self._held(cls)) if member is not None]
        told = [] if members else self._told(cls)
        members = members or told
        if not members:
            return self._ending(cls)
        starts = [(member, start) for member in members if (start := self._start(cls, member)) is not None]
        if not starts:
            return None
        (first, start), members = starts[0], [member for member, _ in starts]
        model = first.acquisition.model
        released = tuple(dict.fromkeys(name for member in members for name in member.releasing))
        if released == ("__del__",):
            return None  # nobody else is meant to end it
        loses = f"its {model.title.rpartition('.')[2]} stays: {model.loses}"
        return self._resource(
            cls,
            f"composite-{model.kind}",
            released,
            start=start,
            loses="its daemon thread runs on, and keeps what it works with" if told else loses,
            # a destructor that releases it leaves the time to the collector, and no more
            loss="untidy" if "__del__" in released else model.loss,
        )

    def _resource(
        self, cls: Cls, kind: str, release: tuple[str, ...], *, loses: str, loss: str, start: tuple[str, ...] = ()
    ) -> Resource:
        """The class as the models would have it."""
        return Resource(
            name=cls.name,
            kind=kind,
            also=(),
            acquire=(),
            item=-1,
            start=start,
            stop=(),
            release=release,
            release_calls=(),
            maker_release=(),
            wait=(),
            context_manager=bool({"__exit__", "__aexit__"} & set(self._project.classes.methods(cls))),
            daemon="never",
            is_async=False,
            loses=loses,
            closed="",
            loss=loss,
            given_back=False,
            burdens=(),
            source="",
        )

    def _held(self, cls: Cls) -> list[Acquisition]:
        """The resources that methods of the class, and of its project bases, put into attributes."""
        members = (member for member in self._project.classes.mro(cls) if isinstance(member, Cls))
        found = (
            acquisition
            for member in members
            for fn in self._project.classes.functions_in(member)
            for acquisition in self._project.resources.of_function(fn)
        )
        return [a for a in found if a.model.kind in _HELD and a.daemon is not True and not self._is_shared(a)]

    def _is_shared(self, acquisition: Acquisition) -> bool:
        """Whether what made it came from outside, and may release it there."""
        func = acquisition.call.func
        if not acquisition.model.maker_release or not isinstance(func, Attr):
            return False
        return not any(True for _ in self._project.resources.made_by(func.value, acquisition.fn))

    def _ending(self, cls: Cls) -> Resource | None:
        """A class whose stop method ends something of its own of which nobody knows what it is, but that it is more than a file."""
        stops = [fn for fn in self._project.resources.stop_methods(cls) if fn.name in _ENDINGS and self._ended(fn)]
        if not stops:
            return None
        release = tuple(dict.fromkeys(stop.name for stop in stops))
        attributes = {name for stop in stops for name in self._ended(stop)}
        writes = [write for name in sorted(attributes) for write in self._project.classes.writes(cls, name)]
        filled = [write for write in writes if write.value is not None and not isinstance(write.value, Const)]
        if filled and all(map(self._is_file, filled)):
            return None
        if all(map(_FILE_NAME.match, attributes)):
            return None  # a file that it is given ends with its object too
        return self._resource(
            cls,
            UNKNOWN,
            release,
            start=self._filling(cls, filled),
            loses=f"what `{stops[0].qualname}` ends goes on",
            # who was given it all may not be the only one who knows it
            loss="untidy" if filled and all(map(_is_given, filled)) else "real",
        )

    def _ended(self, stop: Fn) -> list[str]:
        """The attributes of its object that the method ends, itself or by private methods: ``self._do_close()``."""
        return [name for fn in with_helpers(stop, self._project) for name in _ended_members(fn)]

    def _is_file(self, write: AttributeWrite) -> bool:
        """Whether it is an open file, which ends with its object, and nothing else is known to."""
        return any(
            made.call is write.value and made.model.kind == "file"
            for made in self._project.resources.of_function(write.fn)
        )

    def _filling(self, cls: Cls, filled: list[AttributeWrite]) -> tuple[str, ...]:
        """The methods without which there is nothing yet to end; empty where the constructor, or who calls the object, makes it."""
        makers = {write.fn for write in filled}
        methods = self._project.classes.methods(cls).items()
        made_by = [name for name, fn in methods if makers & set(self._project.protocol.reach(fn))]
        if any(name.startswith("__") and name.endswith("__") for name in made_by):
            return ()
        # who has a `start()` is ready for work before it: what other methods set going is for what has been started
        return tuple(name for name in made_by if name in _STARTS) or tuple(made_by)

    def _told(self, cls: Cls) -> list[Member]:
        """The daemon threads of the class whose loops its stop methods tell to end: nobody keeps them, and they run on untold."""
        stops = self._project.resources.stop_methods(cls)
        members = (member for member in self._project.classes.mro(cls) if isinstance(member, Cls)) if stops else ()
        found = []
        for fn in (fn for member in members for fn in self._project.classes.functions_in(member)):
            for made in self._project.resources.of_function(fn):
                tests = [loop.tests for loop in self._project.resources.loops(made)] if made.daemon is True else []
                if made.model.kind == "thread" and tests and all(tests):
                    names = (stop.name for stop in stops if all(self._project.protocol.tells(stop, t) for t in tests))
                    if told := tuple(names):
                        found.append(Member(made, told))
        return found

    def _member(self, acquisition: Acquisition) -> Member | None:
        track = self._project.resources.track(acquisition)
        ends = {
            use.fn
            for use in track.uses
            if use.name in acquisition.model.ends and use.kind in ("method", "read") and use.place is not None
        }
        places = track.attribute_places()
        if not places or not ends:
            return None
        stops = self._project.resources.stop_methods(places[0].cls)
        releasing = tuple(stop.name for stop in stops if ends & set(self._project.protocol.reach(stop)))
        return Member(acquisition, releasing) if releasing else None

    def _start(self, cls: Cls, member: Member) -> tuple[str, ...] | None:
        """The methods that make the member; empty where its constructor does; None where who makes it also releases it."""
        methods = self._project.classes.methods(cls)
        reached = {name: set(self._project.protocol.reach(method)) for name, method in methods.items()}
        made_by = tuple(name for name, fns in reached.items() if member.acquisition.fn in fns)
        if _CONSTRUCTORS & {member.acquisition.fn.name, *made_by}:
            return ()
        releasing = {methods[name] for name in member.releasing if name in methods}
        left = tuple(name for name in made_by if not reached[name] & releasing)
        return left or None
