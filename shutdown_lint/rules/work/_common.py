"""What the rules on work left behind share: who owns a resource, what its worker runs, how a finding names it."""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Call, Const, Expr, Handler, Name, Return, Seq, Try
from shutdown_lint.findings import Step
from shutdown_lint.project import Cls, Fn, Project, factories
from shutdown_lint.project.platforms import is_for_older_python
from shutdown_lint.project.protocol import Loop
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.tracks import Attribute, Local, Track
from shutdown_lint.project.values import Class
from shutdown_lint.rules.work._counterparts import counterparts
from shutdown_lint.walk import At, argument, text

# what ends any loop, foreseen or not; a thread never sees the last two
_UNFORESEEN = frozenset({"Exception", "BaseException", "KeyboardInterrupt", "SystemExit"})

_EXITS = ("__exit__", "__aexit__")


def acquired(project: Project, fns: list[Fn], *kinds: str) -> Iterator[tuple[Acquisition, Track]]:
    """The started resources of the kinds that these functions make, test code aside, with their tracks."""
    for fn in fns:
        if is_test(fn):
            continue
        for acquisition in factories.of_function(fn, project):
            if acquisition.model.kind in kinds and not is_for_older_python(acquisition.site.at, project.target_version):
                track = project.resources.track(acquisition)
                if project.resources.started(acquisition):
                    yield acquisition, track


def label(acquisition: Acquisition, track: Track) -> str:
    """How the source calls it: the attribute or name that holds it, else its constructor call."""
    # of several names (`pid, fd = pty.fork()`) the one by which a function was handed the object is the object's
    used = [use.place for use in track.uses if "." in use.name and use.place is not None]
    for place in (*used, *track.places):
        if isinstance(place, Attribute):
            return f"self.{place.name}"
    for place in track.places:
        if isinstance(place, Local):
            return place.name
    return text(acquisition.call.func)


def owner(project: Project, track: Track) -> tuple[Cls, Attribute] | None:
    """The class in whose attribute the object rests; none for what a module global holds too, which all share."""
    for place in track.attribute_places() if not module_level(track) else ():
        return place.cls, place
    return None


def stop_method(project: Project, cls: Cls, maker: Fn | None = None) -> Fn | None:
    """The method by which the class is asked to end, the most telling name first; one with a body."""
    return next(stop_methods(project, cls, maker), None)


def stop_methods(project: Project, cls: Cls, maker: Fn | None = None) -> Iterator[Fn]:
    """The methods with a body by which the class, or a subclass, is asked to end, the most telling name first.

    A destructor counts only where there is no other. One without a body says that there is nothing to end, and is asked
    for that only in the very class whose method ``maker`` makes the resource: elsewhere it is there to be overridden.
    A class without any is asked to end by what undoes the method that made the resource.
    """
    own = project.classes.enclosing(maker) if maker is not None else None
    members = (cls, *project.classes.subclasses(cls))
    found = [fn for member in members for fn in project.resources.stop_methods(member)]
    if not found and maker is not None:
        found = list(counterparts(project, cls, maker))
    found = [fn for fn in dict.fromkeys(found) if (fn.facts.body or _ends_nothing(fn, own)) and not _abstract(fn)]
    found = [fn for fn in found if not _ends_a_stage(fn, project)]
    yield from [fn for fn in found if fn.name != "__del__"] or found


def _ends_a_stage(fn: Fn, project: Project) -> bool:
    """``with sync("network"):`` of an object that returns itself when it is called: it is left many times, and goes on."""
    called = project.classes.method(fn.cls, "__call__") if fn.cls is not None and fn.name in _EXITS else None
    return called is not None and any(
        isinstance(at.stmt, Return) and called.is_self(at.stmt.value) for at in called.statements
    )


def _ends_nothing(fn: Fn, own: Cls | None) -> bool:
    """Whether the class says by an empty method that it has nothing to end; a hook (``on_shutdown``) is for others to fill."""
    return fn.cls is own and not fn.name.startswith("on_")


def _abstract(fn: Fn) -> bool:
    return "NotImplementedError" in fn.mentions or "abstractmethod" in fn.decorator_names


def inherits_daemon(acquisition: Acquisition, track: Track, project: Project) -> bool:
    """Whether nothing is said of the thread's daemon flag, and only threads that are daemons make it: it is one too."""
    said = keyword(acquisition.call, "daemon") is not None or acquisition.cls is not None
    if said or any(use.name in ("daemon", "setDaemon") for use in track.uses):
        return False
    if not project.roles.only(acquisition.fn, "thread", "timer"):
        return False
    seeds = {role.seed for role in project.roles.of(acquisition.fn)}
    makers = [
        other
        for other in project.resources.everywhere("thread", "timer")
        if other.site is not acquisition.site and seeds & set(project.resources.bodies(other))
    ]
    return bool(makers) and all(maker.daemon is True for maker in makers)


def ends_by_error(loop: Loop, targets: tuple[Fn, ...], project: Project) -> bool:
    """Whether an error is foreseen that leaves the loop: ``except OSError`` around it, for a socket that was closed.

    Or around the call by which the worker (``targets``) comes to the loop: ``try: self.run() … except Interrupted``.
    """
    if _foresees_error(loop.at):
        return True
    return any(
        _foresees_error(site.at) and any(target.fn is loop.fn for target in project.calls.targets(site.call, fn))
        for worker in targets
        for fn in project.protocol.reach(worker)
        if loop.fn.name in fn.mentions
        for site in fn.sites
    )


def _foresees_error(at: At) -> bool:
    return any(
        _is_specific(handler)
        for place in at.around()
        if place.part == "body" and place.outer is not None and isinstance(place.outer.stmt, Try)
        for handler in place.outer.stmt.handlers
    )


def _is_specific(handler: Handler) -> bool:
    parts = handler.types.items if isinstance(handler.types, Seq) else (handler.types,)
    return any(part is not None and names(part) not in _UNFORESEEN for part in parts)


def stop_step(fn: Fn) -> Step:
    """A step that points at the end of the stop method, where the release is missing."""
    last = next((at.stmt for at in reversed(fn.statements) if hasattr(at.stmt, "span")), None)
    span = getattr(last, "span", fn.facts.span)
    return fn.step(span, f"`{fn.qualname}` has come to its end and never touched it")


def keyword(call: Call, name: str) -> Expr | None:
    """A keyword argument."""
    return argument(call, 99, name)


def is_true(expr: Expr | None) -> bool:
    """A literal ``True``."""
    return isinstance(expr, Const) and expr.value is True


def names(expr: Expr | None) -> str:
    """The last name of an expression."""
    return expr.name if isinstance(expr, Attr) else expr.id if isinstance(expr, Name) else ""


def class_level(acquisition: Acquisition, project: Project) -> bool:
    """Whether it is put into an attribute of a class, where all instances share it until the program ends."""
    fn, stmt = acquisition.fn, acquisition.site.at.stmt
    targets = list(stmt.targets) if isinstance(stmt, Assign) else []
    names = {target.id for target in targets if isinstance(target, Name)}  # `worker = Worker()` … `Cls.worker = worker`
    later = (at.stmt for at in fn.statements if names and not fn.is_module)
    targets += [
        target
        for other in later
        if isinstance(other, Assign) and isinstance(other.value, Name) and other.value.id in names
        for target in other.targets
    ]
    return any(
        isinstance(target, Attr)
        and any(isinstance(value, Class) for value in project.evaluate.values(target.value, fn))
        for target in targets
    )


def module_level(track: Track) -> bool:
    """Whether a module global holds it."""
    return any(isinstance(place, Local) and place.fn.is_module for place in track.places)
