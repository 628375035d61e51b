"""Shutdown paths: what runs, in which order and for how long at most, from a signal or the end of a program to its exit.

A path begins at a trigger (a handled signal, or the end of a program without one), and goes on through what the handler
does, what it sets off where the program stays (the loop that tests the handler's flag ends; a raised exit unwinds the
``finally`` and ``with`` around it), and the callbacks of ``atexit``. Its steps are those of ``steps``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.facts import NO_SPAN, Attr
from shutdown_lint.findings import Step as Place
from shutdown_lint.project import budget, frameworks, programs, routes, steps, stops
from shutdown_lint.project.costs import NO_COST, Cost, cost, plus
from shutdown_lint.project.courses import course
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.imports import program
from shutdown_lint.project.leftovers import Leftovers
from shutdown_lint.project.memo import Memo
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.routes import Part
from shutdown_lint.project.signals import Handling, handlings
from shutdown_lint.project.step import Step
from shutdown_lint.project.stops import Handler, Stop
from shutdown_lint.walk import text

if TYPE_CHECKING:
    from shutdown_lint.project import Project

SIGNALS = ("SIGTERM", "SIGINT")
MAX_CALLERS = 8


class Path(NamedTuple):
    """What happens after one trigger.

    ``trigger`` is ``SIGTERM``, ``SIGINT`` or ``end``; ``origin`` where the handler is installed (or the program
    begins), ``handling`` the installation. ``entry`` is the program, where one is known. ``complete`` says whether the way
    from the handler to the end of the program was found; without it the path holds only what was seen of it. ``again``: it is
    another handler that installs this one, for a second signal.
    """

    trigger: str
    origin: Place
    handling: Handling | None
    entry: Fn | None
    parts: tuple[Part, ...]
    complete: bool
    again: bool = False

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, in order."""
        return tuple(step for part in self.parts for step in part.steps)

    @property
    def cost(self) -> Cost:
        """How long the path may last from where the program has seen the signal."""
        return reduce(plus, (cost(part.steps) for part in self.parts if not part.current), NO_COST)

    @property
    def whole_cost(self) -> Cost:
        """The same, and the round of the loop that is under way when the signal comes."""
        return reduce(plus, (cost(part.steps) for part in self.parts), NO_COST)


_MEMO: Memo[tuple[Path, ...]] = Memo()


def paths(project: Project) -> tuple[Path, ...]:
    """Every path of the project: from each handled signal, and for programs that handle none from their end."""
    if project not in _MEMO:
        found = [path for handling in handlings(project) for path in from_signal(handling, project)]
        for entry in programs.entries(project):
            known = {path.trigger for path in found if path.entry is entry}
            found += [path for path in from_framework(entry, project) if path.trigger not in known]
        handled = {path.entry for path in found}
        found += [from_end(entry, project) for entry in programs.entries(project) if entry not in handled]
        _MEMO[project] = tuple(found)
    return _MEMO[project]


# --- triggers --------------------------------------------------------------------------------------------------------


def from_signal(handling: Handling, project: Project, wanted: tuple[str, ...] = SIGNALS) -> Iterator[Path]:
    """The paths that begin with one installed handler, one for each signal that is wanted, function and program."""
    if not set(handling.signals) & set(wanted):
        return
    first = _first(handling, project)
    owners = tuple(_owners(first, project)) or (None,)
    for signal in handling.signals:
        if signal in wanted:
            handlers: list[Fn | None] = list(handling.targets)
            if not handlers and isinstance(handling.handler, Attr) and handling.handler.name in stops.ENDS_WAIT:
                handlers = [None]
            for entry in owners:
                yield from (
                    _of_handler(signal, Handler(fn, handling, first, project), entry, project) for fn in handlers
                )


def _of_handler(signal: str, handler: Handler, entry: Fn | None, project: Project) -> Path:
    """The path of one handler in one program."""
    handling = handler.handling
    said = handler.fn.qualname if handler.fn is not None else text(handling.handler)
    found = steps.of_function(handler.fn, project) if handler.fn is not None else ()
    stop = _stop(handler, entry, project)
    told = routes.tells(stop, handler, project) if stop is not None else ()
    parts = [Part(f"`{said}` handles {signal}", routes.in_order(found, told)), *routes.started(handler, project)]
    parts += routes.ending(stop, project) if stop is not None else ()
    complete = stop is not None and entry is not None
    parts = list(_kept(part._replace(steps=budget.limited(part.steps, project)) for part in parts))
    if complete and entry is not None:
        parts += _at_exit(entry, parts, project)
    origin = handling.fn.step(handling.site.call.span, f"`{text(handling.site.call)}` in `{handling.fn.qualname}`")
    return Path(signal, origin, handling, entry, tuple(parts), complete, handler.installed is not handling)


def _first(handling: Handling, project: Project) -> Handling:
    """The handler that installs this one, for a second signal; itself where a program does."""
    return next(
        (other for other in handlings(project) if other is not handling and handling.fn in other.targets), handling
    )


def _stop(handler: Handler, entry: Fn | None, project: Project) -> Stop | None:
    if entry is not None:
        return stops.find(handler, course(entry, project), project)
    # the entry is not seen: what the installing function and those that call it go on to
    found = [handler.installed.fn]
    for fn in found:
        stop = stops.find(handler, course(fn, project), project)
        if stop is not None or len(found) > MAX_CALLERS:
            return stop
        callers = (caller.fn for caller in project.calls.callers(fn))
        found += [fn for fn in dict.fromkeys(callers) if fn not in found and not is_test(fn)]
    return None


def _owners(handling: Handling, project: Project) -> Iterator[Fn]:
    """The programs, and the bodies of child processes, that install the handler."""
    name = handling.fn.module.name
    for entry in (*programs.entries(project), *children(project)):
        if name in program([entry.module.name], project) and handling.fn in course(entry, project).calls:
            yield entry


def children(project: Project) -> tuple[Fn, ...]:
    """The functions that child processes run."""
    seeds = project.roles.seeds().items()
    return tuple(fn for fn, roles in seeds if not is_test(fn) and any(role.kind == "process" for role in roles))


def _is_child(entry: Fn, project: Project) -> bool:
    return entry in children(project)


def from_framework(entry: Fn, project: Project) -> Iterator[Path]:
    """The paths of a program that a framework runs, which handles the signals itself."""
    found = frameworks.serving(entry, project)
    if found is None:
        return
    rest, name = found
    frame = rest.frames[-1]
    origin = frame.fn.step(programs.span_of(frame.at), f"`{name}`, called in `{frame.fn.qualname}`")
    for signal in SIGNALS:
        parts = frameworks.parts(rest, name, signal, entry, project)
        kept = _kept(part._replace(steps=budget.limited(part.steps, project)) for part in parts)
        yield Path(signal, origin, None, entry, (*kept, *_at_exit(entry, kept, project)), True)


def from_end(entry: Fn, project: Project) -> Path:
    """The end of a program that handles no signal: Ctrl-C where it stays, else its last line."""
    found = course(entry, project)
    rest = stops.longest(found.rests, found, project)
    unwound = routes.unwound(rest.frames, routes.INTERRUPT, project) if rest is not None else ()
    kept = _kept(unwound)
    parts = [*kept, *_at_exit(entry, kept, project)]
    span = entry.facts.span if not entry.is_module else NO_SPAN
    return Path("end", entry.step(span, f"program `{entry.qualname}`"), None, entry, tuple(parts), rest is not None)


def _kept(parts: Iterable[Part]) -> tuple[Part, ...]:
    return tuple(part for part in parts if part.steps)


def _at_exit(entry: Fn, before: Iterable[Part], project: Project) -> Iterator[Part]:
    """What the interpreter does when the program's code has ended; a child process ends without callbacks of ``atexit``."""
    callbacks = () if _is_child(entry, project) else tuple(_callbacks(entry, project))
    done = [step for part in (*before, *callbacks) for step in part.steps]
    left = Leftovers(entry, done, project)
    yield from _kept(left.threads())
    yield from callbacks
    if not _is_child(entry, project):
        yield from _kept(left.children())
    yield from _kept(left.killed())


def _callbacks(entry: Fn, project: Project) -> Iterator[Part]:
    """The callbacks of ``atexit`` in the program's modules, the last one registered first (in the order of the code)."""
    modules = program([entry.module.name], project)
    found = [
        given
        for given in project.roles.registrations()
        if given.callback.role == "atexit" and given.fn.module.name in modules
    ]
    for given in reversed(found):
        for target in given.targets:
            yield Part(f"atexit runs `{target.qualname}`", steps.of_function(target, project), at_exit=True)
