"""Instances of the project's own classes that somebody has to end, for lack of anybody who does."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Expr, ModuleFacts, Name
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.composites import UNKNOWN
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.tracks import Track
from shutdown_lint.project.values import Class
from shutdown_lint.rules._ruled_out import is_ruled_out
from shutdown_lint.rules.work._ended_otherwise import ENDS
from shutdown_lint.rules.work._made_with import given_members, makers
from shutdown_lint.walk import same, text

_REGISTERS = re.compile(r"regist(er|ry)", re.IGNORECASE)
# what comes back when the object has come to its end
_RUNS = ("run", "run_forever", "serve_forever", "mainloop", "main_loop")


def composites(module: ModuleFacts, project: Project) -> Iterator[tuple[Acquisition, Track]]:
    """Instances of project classes that hold a resource: the owner's stop method has to call theirs."""
    for fn in project.functions(module):
        for acquisition in project.composites.of_function(fn) if not is_test(fn) else ():
            if project.resources.started(acquisition) and not project.resources.released(acquisition):
                track = project.resources.track(acquisition)
                if (
                    _ends_at_exit(acquisition, project)
                    or _is_single(acquisition, project)
                    or _signs_up(acquisition, project)
                ):
                    continue
                if _ends_with_another(acquisition, project) or _is_made_without(acquisition, project):
                    continue
                if acquisition.model.kind == UNKNOWN and track.has(*_RUNS):
                    continue  # it ends itself when it comes back
                if not track.escaped and not track.entered and not _is_adopted(track, project):
                    yield acquisition, track


def _is_made_without(acquisition: Acquisition, project: Project) -> bool:
    """Whether the constructor makes nothing that must be ended by what it is given: ``Cache()`` of ``if folder: self.tmp = …``."""
    made = project.classes.method(acquisition.cls, "__init__") if acquisition.cls is not None else None
    if made is None or acquisition.model.kind == UNKNOWN or acquisition.model.start:
        return False
    held = [a for a in project.resources.of_function(made) if acquisition.model.kind.endswith(f"-{a.model.kind}")]
    return bool(held) and all(is_ruled_out(a.site.at, made, acquisition.call, project) for a in held)


def _ends_at_exit(acquisition: Acquisition, project: Project) -> bool:
    """Whether its class registers one of its own methods with ``atexit``."""
    methods = set(project.classes.methods(acquisition.cls).values()) if acquisition.cls is not None else set()
    return any(
        registration.callback.role in ("atexit", "finalizer") and methods & set(registration.targets)
        for registration in project.roles.registrations()
    )


def _is_single(acquisition: Acquisition, project: Project) -> bool:
    """Whether its constructor makes it known to all as the one of its class: ``Tracer.instance = self``."""
    made = project.classes.method(acquisition.cls, "__init__") if acquisition.cls is not None else None
    return made is not None and any(
        isinstance(at.stmt, Assign)
        and isinstance(at.stmt.value, Name)
        and at.stmt.value.id == made.self_name
        and any(_is_shared(target, made, project) for target in at.stmt.targets)
        for at in made.statements
    )


def _signs_up(acquisition: Acquisition, project: Project) -> bool:
    """Whether its constructor, or that of a base, enters it in a register, whose keeper ends all: ``_registry.register(self)``."""
    bases = project.classes.mro(acquisition.cls) if acquisition.cls is not None else ()
    made = (base.methods["__init__"] for base in bases if isinstance(base, Cls) and "__init__" in base.methods)
    return any(
        fn.is_self(arg.value) and bool(_REGISTERS.search(text(site.call.func)))
        for fn in made
        for site in fn.sites
        for arg in site.call.args
    )


def _is_shared(target: Expr, fn: Fn, project: Project) -> bool:
    """An attribute of a class, or a name of the module."""
    if isinstance(target, Name):
        return target.id in fn.declared
    return isinstance(target, Attr) and any(
        isinstance(value, Class) for value in project.evaluate.values(target.value, fn)
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
    return is_made_with_what_ends(acquisition, project)


def is_made_with_what_ends(acquisition: Acquisition, project: Project) -> bool:
    """Whether a method of its owner ends what it is made with: ``self._writer = StreamWriter(self._transport)``."""
    given = given_members(acquisition) | makers(acquisition, project)
    cls = project.classes.enclosing(acquisition.fn)
    methods = project.classes.methods(cls).values() if cls is not None and given else ()
    return any(
        isinstance(site.call.func, Attr) and ENDS.match(site.call.func.name) and text(site.call.func.value) in given
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
