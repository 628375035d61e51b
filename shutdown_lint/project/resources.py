"""Resources: what the program starts, where it rests, whether its owner ends it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.facts import Assign, Attr, Call, Const, Expr, ModuleFacts, Name, Op, Raise
from shutdown_lint.models import Resource
from shutdown_lint.project.fields import MadeField
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.places import Tracker
from shutdown_lint.project.scopes import Value
from shutdown_lint.project.tracks import Attribute, Local, Track, Use
from shutdown_lint.project.values import Class, Coroutine, External, Instance
from shutdown_lint.walk import At, Site, argument, last_name, walk

if TYPE_CHECKING:
    from shutdown_lint.project import Project
    from shutdown_lint.project.protocol import Loop

# Names of methods by which an object is asked to end; a class that has one is expected to end what it started.
STOP_METHODS = (
    "close",
    "stop",
    "shutdown",
    "terminate",
    "join",
    "__exit__",
    "__aexit__",
    "aclose",
    "__del__",
    "disconnect",
    "quit",
    "cleanup",
    "clean_up",
    "teardown",
    "tear_down",
    "tearDown",
    "dispose",
    "finish",
    "finalize",
    "destroy",
    "end",
    "kill",
    "exit",
    "stop_all",
    "shutdown_all",
    "close_all",
    "on_stop",
    "on_shutdown",
    "stop_server",
    "server_close",
    "deinit",
    "async_stop",
    "async_close",
    "stopService",
    "stop_service",
    "halt",
    "unload",
    "release",
)

# What leaves a `with`, called by the hand of an owner that is a context manager itself.
_EXITS = ("__exit__", "__aexit__")
# Names that say as well that a work is complete: such a method ends its object where it ends something, or tells somebody to.
_AMBIGUOUS = frozenset({"finish", "finalize", "end"})
_TELLING = frozenset({*STOP_METHODS, "cancel", "set", "put", "put_nowait", "notify", "notify_all", "flush", "clear"})
_HOW = frozenset(
    {
        "timeout",
        "wait",
        "block",
        "force",
        "graceful",
        "signum",
        "signal",
        "sig",
        "frame",
        "reason",
        "code",
        "exc",
        "error",
    }
)

# Who is told to go, where a method (``disconnect(receiver=None)``) ends one of many that its object knows.
_OTHERS = frozenset(
    {
        "receiver",
        "sender",
        "slot",
        "callback",
        "handler",
        "listener",
        "client",
        "peer",
        "func",
        "observer",
        "subscriber",
    }
)


class Acquisition(NamedTuple):
    """One place that makes a resource.

    ``model`` is the type's model; ``cls`` the project subclass that is constructed, if it is one. ``daemon`` is True or
    False where the constructor (or a later ``t.daemon = …``) says so, None where it is unknown.
    """

    model: Resource
    site: Site
    fn: Fn
    cls: Cls | None
    daemon: bool | None

    @property
    def call(self) -> Call:
        """The constructor or factory call."""
        return self.site.call


class Resources:
    """Finds resources and follows them; every track is remembered."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._tracks: dict[tuple[int, Fn], Track] = {}
        self._lasts: frozenset[str] | None = None
        self._aliased: dict[str, frozenset[str]] = {}
        self._by_fn: dict[Fn, tuple[Acquisition, ...]] = {}
        self._everywhere: dict[tuple[str, ...], tuple[Acquisition, ...]] = {}

    def acquisitions(self, module: ModuleFacts, *kinds: str) -> Iterator[Acquisition]:
        """The resources of the kinds named (all, if none) that the module's code makes."""
        for fn in self._project.functions(module):
            for found in self.of_function(fn):
                if not kinds or found.model.kind in kinds:
                    yield found

    def bodies(self, acquisition: Acquisition) -> tuple[Fn, ...]:
        """The functions that a thread, timer, process or task runs: its ``target``, a subclass's ``run``, the coroutine."""
        if acquisition.cls is not None:
            run = self._project.classes.method(acquisition.cls, "run")
            if run is not None:
                return (run,)
        if acquisition.model.kind == "task":
            return self._coroutines(acquisition)
        for registration in self._project.roles.at(acquisition.site, acquisition.fn):
            return registration.targets
        return ()

    def _coroutines(self, acquisition: Acquisition) -> tuple[Fn, ...]:
        """The coroutine functions that a task runs; a coroutine may come from a name or a parameter."""
        given = acquisition.call.args[0].value if acquisition.call.args else None
        if isinstance(given, Call):
            return self._project.calls.callables(given.func, acquisition.fn)
        values = self._project.evaluate.values(given, acquisition.fn)
        return tuple(dict.fromkeys(value.fn for value in values if isinstance(value, Coroutine)))

    def loops(self, acquisition: Acquisition) -> tuple[Loop, ...]:
        """The unbounded loops of what it runs."""
        return tuple(loop for body in self.bodies(acquisition) for loop in self._project.protocol.worker_loops(body))

    def everywhere(self, *kinds: str) -> tuple[Acquisition, ...]:
        """The resources of the kinds named that the loaded project makes."""
        if kinds not in self._everywhere:
            self._everywhere[kinds] = tuple(
                a for entry in self._project.modules for a in self.acquisitions(entry.facts, *kinds)
            )
        return self._everywhere[kinds]

    def of_function(self, fn: Fn) -> tuple[Acquisition, ...]:
        """The resources that the function makes."""
        if fn not in self._by_fn:
            plausible = self._plausible(fn) if fn.sites else ()
            found = [a for site in plausible for a in self._at(site, fn)]
            fields = self._project.fields.declared_in(fn)
            self._by_fn[fn] = (*found, *self._in_fields(fields, fn)) if fields else tuple(found)
        return self._by_fn[fn]

    def _in_fields(self, fields: tuple[MadeField, ...], fn: Fn) -> Iterator[Acquisition]:
        """What factories make in the fields of the classes that are defined here."""
        for field in fields:
            for value in self._project.evaluate.values(field.factory, fn):
                model, cls = self._model(value)
                if model is not None:
                    yield Acquisition(model, field.site, fn, cls, self._daemon(field.site, fn, model, cls))

    def _at(self, site: Site, fn: Fn) -> Iterator[Acquisition]:
        for value in self._project.evaluate.values(site.call.func, fn):
            model, cls = self._model(value)
            if model is not None:
                yield Acquisition(model, site, fn, cls, self._daemon(site, fn, model, cls))
                return

    def _plausible(self, fn: Fn) -> list[Site]:
        """A cheap look at the callees' names, before anything is evaluated; libraries that nobody imports do not count."""
        if self._lasts is None:
            used, models = self._project.calls.imports_package, self._project.models
            known = (*models.acquire, *(name for name, means in models.aliases.items() if means in models.acquire))
            names = (name.rpartition(".")[2] for name in known if used(name))
            lasts = frozenset(names) | self._class_names()
            self._lasts = lasts | frozenset(self._other_names(lasts))
        lasts, aliases = self._lasts, self._aliases(fn)
        return [site for site in fn.sites if (last := last_name(site.call.func)) in lasts or last in aliases]

    def _aliases(self, fn: Fn) -> frozenset[str]:
        known = self._aliased.get(fn.module.name)
        if known is None:
            aliases, lasts = self._project.modules.of(fn.module).aliases, self._lasts or ()
            known = frozenset([local for local, name in aliases.items() if name in lasts])
            self._aliased[fn.module.name] = known
        return known

    def _class_names(self) -> frozenset[str]:
        """Project classes below a modelled type."""
        classes = (cls for entry in self._project.modules for cls in entry.classes)
        return frozenset(cls.name for cls in classes if self.class_model(cls) is not None)

    def _other_names(self, lasts: frozenset[str]) -> Iterator[str]:
        """What classes and functions call one of the types by: ``server_class = HTTPServer``, ``def __init__(self, kind=Thread)``.

        So do ``self.server_class = HTTPServer`` and ``kind = Thread if light else Process``.
        """
        for entry in self._project.modules:
            for cls in entry.classes:
                yield from _named_so(walk(cls.facts.body), lasts)
            for fn in entry.functions:
                yield from _named_so(fn.statements, lasts)
                for param in fn.facts.params:
                    if param.default is not None and last_name(param.default) in lasts:
                        yield param.name

    def _model(self, value: object) -> tuple[Resource | None, Cls | None]:
        if isinstance(value, External):
            return self._project.models.acquire.get(self._project.models.canonical(value.name)), None
        if isinstance(value, Class):
            return self.class_model(value.cls), value.cls
        return None, None

    def class_model(self, cls: Cls) -> Resource | None:
        """The model of a project class that derives from a modelled type."""
        for base in self._project.classes.external_bases(cls):
            model = self._project.models.acquire.get(self._project.models.canonical(base))
            if model is not None:
                return model
        return None

    def model_of(self, expr: Expr | None, fn: Fn) -> Resource | None:
        """The model of the object that an expression evaluates to, by its type."""
        for value in self._project.evaluate.values(expr, fn):
            if isinstance(value, Instance):
                found = (
                    self._project.models.resource(value.cls)
                    if isinstance(value.cls, str)
                    else self.class_model(value.cls)
                )
                if found is not None:
                    return found
        return None

    def kinds_of(self, expr: Expr | None, fn: Fn) -> frozenset[str]:
        """The kinds of the libraries' own objects that an expression may evaluate to."""
        return frozenset(
            model.kind
            for value in self._project.evaluate.values(expr, fn)
            if isinstance(value, Instance) and isinstance(value.cls, str)
            if (model := self._project.models.resource(value.cls)) is not None
        )

    # --- tracks --------------------------------------------------------------------------------------------------------

    def track(self, acquisition: Acquisition) -> Track:
        """Where the resource goes and what is done with it."""
        return self.track_site(acquisition.site, acquisition.fn, acquisition.model.item)

    def track_site(self, site: Site, fn: Fn, item: int = -1) -> Track:
        """The same for the value of any expression."""
        key = (id(site.expr), fn)
        if key not in self._tracks:
            self._tracks[key] = self._of_field(site, fn) or Tracker(self._project).run(site, fn, item)
        return self._tracks[key]

    def _of_field(self, site: Site, fn: Fn) -> Track | None:
        """The track of what the factory of a field makes, which rests in the attribute from the start."""
        for field in self._project.fields.declared_in(fn) if not site.parents else ():
            if field.site.expr is site.expr:
                return self.place_track(Attribute(field.cls, field.name, False))
        return None

    def place_track(self, place: Local | Attribute) -> Track:
        """What is done with whatever rests in a place."""
        tracker = Tracker(self._project)
        tracker._place(place, 0)
        return Track(tuple(tracker._places), tuple(tracker._uses), tuple(tracker._escapes), tracker._truncated)

    def started(self, acquisition: Acquisition) -> bool:
        """Whether it is ever started (making it starts it, where the model has no start method)."""
        starts = acquisition.model.start
        return not starts or self.track(acquisition).has(*starts) or self._starts_itself(acquisition)

    def _starts_itself(self, acquisition: Acquisition) -> bool:
        """``self.start()`` in the subclass's constructor."""
        if acquisition.cls is None:
            return False
        init = self._project.classes.method(acquisition.cls, "__init__")
        return init is not None and any(getattr(s.call.func, "name", "") in acquisition.model.start for s in init.sites)

    def released(self, acquisition: Acquisition) -> bool:
        """Whether a release, or a ``with``, is seen on any alias, or the subclass releases itself.

        A release that only makes room for the next one (``self.x.close(); self.x = X()``) ends no lifetime, and one that
        takes back a start that has failed (``except OSError: self.x.close(); raise``) not that of the start that has not.
        """
        track = self.track(acquisition)
        if track.entered and acquisition.model.context_manager:
            return True
        names = {*acquisition.model.ends, *(_EXITS if acquisition.model.context_manager else ())}
        ends = (u for u in track.uses if u.name in names and u.kind in ("method", "read"))
        if any(not (self._is_renewal(use) or _takes_back(use, acquisition)) for use in ends) or self._released_by_maker(
            acquisition
        ):
            return True
        if self._released_by_name(acquisition):
            return True
        return acquisition.cls is not None and self._releases_itself(acquisition)

    def _released_by_maker(self, acquisition: Acquisition) -> bool:
        """Whether the object whose method made it is, or may be, told to release all that it made."""
        if not acquisition.model.maker_release or not isinstance(acquisition.call.func, Attr):
            return False
        for made in self.made_by(acquisition.call.func.value, acquisition.fn):
            track = self.track_site(*made)
            return track.escaped or track.has(*acquisition.model.maker_release)
        return True

    def _released_by_name(self, acquisition: Acquisition) -> bool:
        """Whether what was put on another object (``job.timer = Timer(…)``) is released where nobody sees whose it is."""
        fn, stmt = acquisition.fn, acquisition.site.at.stmt
        targets = stmt.targets if isinstance(stmt, Assign) and stmt.value is acquisition.site.expr else ()
        others = {t.name for t in targets if isinstance(t, Attr) and last_name(t.value) != fn.self_name}
        return bool(others) and any(
            isinstance(site.call.func, Attr)
            and isinstance(held := site.call.func.value, Attr)
            and held.name in others
            and not self._project.evaluate.values(held.value, user)
            for end in acquisition.model.ends
            for user, site in self._project.calls.calls_named(end)
        )

    def made_by(self, expr: Expr, fn: Fn) -> Iterator[tuple[Site, Fn]]:
        """The constructor call that alone fills a local name; nothing for what comes from elsewhere."""
        bindings = fn.given(expr.id) if isinstance(expr, Name) else ()
        if len(bindings) == 1 and isinstance(bindings[0], Value) and isinstance(bindings[0].expr, Call):
            yield from ((site, fn) for site in fn.sites if site.expr is bindings[0].expr)

    def _is_renewal(self, use: Use) -> bool:
        """Whether the attribute gets a new object right where the old one is released; a stop method has the last word."""
        if not isinstance(use.place, Attribute) or use.fn.name in STOP_METHODS:
            return False
        after = use.site.at.after()
        return any(
            write.fn is use.fn and isinstance(write.value, Call) and any(stmt is write.at.stmt for stmt in after)
            for write in self._project.classes.writes(use.place.cls, use.place.name)
        )

    def _releases_itself(self, acquisition: Acquisition) -> bool:
        """A project subclass whose own method (called on the object somewhere) releases it: ``def stop(self): …; self.join()``."""
        assert acquisition.cls is not None
        track = self.track(acquisition)
        called = {use.name for use in track.uses if use.kind in ("method", "read")} | (
            {"__exit__", "__aexit__"} if track.entered else set()
        )
        for name, fn in self._project.classes.methods(acquisition.cls).items():
            if name in called and _calls_on_self(fn, acquisition.model.release):
                return True
        return False

    def _daemon(self, site: Site, fn: Fn, model: Resource, cls: Cls | None) -> bool | None:
        if model.daemon != "keyword":
            return model.daemon == "always"
        given = argument(site.call, 99, "daemon")
        if given is None and cls is not None:
            given = self._class_daemon(cls)
        if given is not None:
            return given.value if isinstance(given, Const) and isinstance(given.value, bool) else None
        written = [
            u
            for u in self.track_site(site, fn).uses
            if (u.kind == "write" and u.name == "daemon") or u.name == "setDaemon"
        ]
        return _written_daemon(written[-1]) if written else False

    def _class_daemon(self, cls: Cls) -> Expr | None:
        """What a Thread subclass says of itself: ``super().__init__(daemon=True)``, ``self.daemon = True``, ``daemon = True``."""
        for write in self._project.classes.writes(cls, "daemon"):
            return write.value
        for member in self._project.classes.mro(cls):
            init = member.methods.get("__init__") if isinstance(member, Cls) else None
            for site in init.sites if init else ():
                name = getattr(site.call.func, "name", "")
                if name in ("__init__", "setDaemon"):
                    given = argument(site.call, 0 if name == "setDaemon" else 99, "daemon")
                    if given is not None:
                        return given
        return None

    # --- owners --------------------------------------------------------------------------------------------------------

    def owner_classes(self, track: Track) -> tuple[Cls, ...]:
        """The classes in whose attributes the object rests."""
        return tuple(dict.fromkeys(place.cls for place in track.attribute_places()))

    def stop_methods(self, cls: Cls) -> tuple[Fn, ...]:
        """The methods by which instances of the class are asked to end, own and inherited (project) ones."""
        methods = self._project.classes.methods(cls)
        return tuple(methods[name] for name in STOP_METHODS if name in methods and _ends_instance(methods[name]))


def _named_so(places: Iterable[At], lasts: frozenset[str]) -> Iterator[str]:
    """The names that are given to one of the types, itself and not an instance of it."""
    for at in places:
        if isinstance(at.stmt, Assign) and isinstance(at.stmt.value, (Name, Attr, Op)):
            value = at.stmt.value
            parts = value.operands if isinstance(value, Op) and value.op in ("if", "or") else (value,)
            if any(isinstance(part, (Name, Attr)) and last_name(part) in lasts for part in parts):
                yield from map(last_name, at.stmt.targets)


def _takes_back(use: Use, acquisition: Acquisition) -> bool:
    """Whether the function that made it releases it in a clause that raises: there is no owner then who would have to."""
    if use.fn is not acquisition.fn or not isinstance(use.place, Attribute):
        return False
    clause = next((place.handler for place in use.site.at.around() if place.part == "handler"), None)
    return clause is not None and bool(clause.body) and isinstance(clause.body[-1], Raise)


def _ends_instance(fn: Fn) -> bool:
    """Whether the method ends the instance itself: ``disconnect(self, client)`` ends something that it is told.

    How to end (a limit, whether to wait, which signal) may be asked for, but not who else may go.
    """
    if fn.name.startswith("__"):
        return True
    if fn.name in _AMBIGUOUS and not any(last_name(site.call.func) in _TELLING for site in fn.sites):
        return False
    if any(param.name in _OTHERS for param in fn.facts.params):
        return False
    return asks_only_how(fn)


def asks_only_how(fn: Fn, *known: str) -> bool:
    """Whether the method needs to be told nothing but how to end, and what goes by the ``known`` names."""
    needed = [p.name for p in fn.facts.params[1:] if p.default is None and not p.kind.startswith("*")]
    return all(name in _HOW or name in known for name in needed)


def _calls_on_self(fn: Fn, names: tuple[str, ...]) -> bool:
    """``self.join()``, ``Thread.join(self)`` or ``super().join()`` in a method."""
    attributes = (
        site.call.func for site in fn.sites if isinstance(site.call.func, Attr) and site.call.func.name in names
    )
    return any(
        isinstance(func.value, Call) or (isinstance(func.value, Name) and func.value.id in (fn.self_name, "Thread"))
        for func in attributes
    )


def _written_daemon(use: Use) -> bool | None:
    value = getattr(use.site.at.stmt, "value", None)
    if use.name == "setDaemon":
        value = use.site.call.args[0].value if use.site.call.args else None
    return value.value if isinstance(value, Const) and isinstance(value.value, bool) else None
