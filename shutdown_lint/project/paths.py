"""Shutdown paths: what runs, in which order and for how long at most, from a signal or the end of a program to its exit.

A path begins at a trigger (a handled signal, or the end of a program without one), and goes on through what the handler
does, what it sets off where the program stays (the loop that tests the handler's flag ends; a raised exit unwinds the
``finally`` and ``with`` around it), and the callbacks of ``atexit``. Its steps are those of ``steps``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from shutdown_lint.facts import NO_SPAN, Attr, For, Name, Try, While, With
from shutdown_lint.findings import Step as Place
from shutdown_lint.project import endings, programs, steps
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.imports import program
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.signals import Handling, handlings
from shutdown_lint.project.steps import Step
from shutdown_lint.walk import own_exprs, subexprs, text

if TYPE_CHECKING:
    from shutdown_lint.project import Project
    from shutdown_lint.project.programs import Frame, Stay

SIGNALS = ("SIGTERM", "SIGINT")
MAX_CALLERS = 8


class Part(NamedTuple):
    """One stretch of a path: why it runs, and its steps."""

    why: str
    steps: tuple[Step, ...]


class Path(NamedTuple):
    """What happens after one trigger.

    ``trigger`` is ``SIGTERM``, ``SIGINT`` or ``end``; ``origin`` where the handler is installed (or the program
    begins), ``handling`` the installation. ``entry`` is the program, where one is known. ``complete`` says whether the way
    from the handler to the end of the program was found; without it the path holds only what was seen of it.
    """

    trigger: str
    origin: Place
    handling: Handling | None
    entry: Fn | None
    parts: tuple[Part, ...]
    complete: bool

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, in order."""
        return tuple(step for part in self.parts for step in part.steps)

    @property
    def cost(self) -> Cost:
        """How long the whole path may last."""
        return reduce(_plus, (cost(part.steps) for part in self.parts), NO_COST)


class Cost(NamedTuple):
    """How long steps may last: the sum of the limits that are known, the waits that make it up, and those without a number.

    ``counted`` are (wait, its limit, how often); ``endless`` have no limit, ``open`` a limit or number of rounds that only
    shows at run time.
    """

    seconds: float
    counted: tuple[tuple[Step, float, int], ...]
    endless: tuple[Step, ...]
    open: tuple[Step, ...]


NO_COST = Cost(0.0, (), (), ())
_MEMO: WeakKeyDictionary[Project, tuple[Path, ...]] = WeakKeyDictionary()


def paths(project: Project) -> tuple[Path, ...]:
    """Every path of the project: from each handled signal, and for programs that handle none from their end."""
    if project not in _MEMO:
        found = [path for handling in handlings(project) for path in from_signal(handling, project)]
        handled = {path.entry for path in found}
        found += [from_end(entry, project) for entry in programs.entries(project) if entry not in handled]
        _MEMO[project] = tuple(found)
    return _MEMO[project]


# --- triggers --------------------------------------------------------------------------------------------------------


def from_signal(handling: Handling, project: Project) -> Iterator[Path]:
    """The paths that begin with one installed handler, one for each signal and function."""
    for signal in handling.signals:
        if signal in SIGNALS:
            yield from (_of_handler(signal, handling, target, project) for target in handling.targets)
            if not handling.targets and isinstance(handling.handler, Attr) and handling.handler.name == "set":
                yield _of_handler(signal, handling, None, project)


def _of_handler(signal: str, handling: Handling, handler: Fn | None, project: Project) -> Path:
    """The path of one handler; None stands for the ``set`` of an event."""
    found = steps.of_function(handler, project) if handler is not None else ()
    parts = [Part(f"`{handler.qualname if handler else text(handling.handler)}` handles {signal}", found)]
    entry = _entry_of(handling, project)
    stay = (programs.stay(entry, project) if entry is not None else None) or _near(handling, project)
    complete = False
    if stay is not None and handler is not None and _leaves(handler, project):
        parts += _unwound(stay, project)
        complete = entry is not None
    elif stay is not None and _tells(handler, handling, stay, project):
        parts += _continued(stay, project)
        complete = entry is not None
    parts += _at_exit(entry, project) if complete else ()
    origin = handling.fn.step(handling.site.call.span, f"`{text(handling.site.call)}` in `{handling.fn.qualname}`")
    return Path(signal, origin, handling, entry, _kept(parts), complete)


def from_end(entry: Fn, project: Project) -> Path:
    """The end of a program that handles no signal: Ctrl-C where it stays, else its last line."""
    stay = programs.stay(entry, project)
    parts = [*(_unwound(stay, project) if stay is not None else ()), *_at_exit(entry, project)]
    span = entry.facts.span if not entry.is_module else NO_SPAN
    return Path("end", entry.step(span, f"program `{entry.qualname}`"), None, entry, _kept(parts), stay is not None)


def _kept(parts: Iterable[Part]) -> tuple[Part, ...]:
    return tuple(part for part in parts if part.steps)


def _entry_of(handling: Handling, project: Project) -> Fn | None:
    """The program that installs the handler: on its way to where it stays, or in what it calls on that way."""
    for entry in programs.entries(project):
        stay = programs.stay(entry, project)
        for frame in stay.frames if stay is not None else ():
            if handling.fn in project.protocol.reach(frame.fn):
                return entry
    role = project.roles.role(handling.fn, "main")
    return role.seed if role is not None else None


def _near(handling: Handling, project: Project) -> Stay | None:
    """Where the function that installs the handler stays, or one that calls it; for a program whose entry is not seen."""
    found = [handling.fn]
    for fn in found:
        stay = programs.stay(fn, project)
        if stay is not None or len(found) > MAX_CALLERS:
            return stay
        found += [
            caller.fn for caller in project.calls.callers(fn) if caller.fn not in found and not is_test(caller.fn)
        ]
    return None


def _leaves(handler: Fn, project: Project) -> bool:
    """Whether the handler raises or exits: nothing of it goes on in the interrupted code."""
    found = endings.of_function(handler, project)
    return bool(found) and not endings.comes_back(found) and all(end.kind in ("exit", "raise") for end in found)


def _tells(handler: Fn | None, handling: Handling, stay: Stay, project: Project) -> bool:
    """Whether the handler ends what the program stays in: sets the loop's flag, the awaited event, or shuts the server down."""
    last = stay.frames[-1]
    places = [p for loop in project.protocol.loops(last.fn) if loop.at.stmt is last.at.stmt for p in loop.tests]
    for expr in own_exprs(last.at.stmt):
        for part in subexprs(expr):
            places += project.protocol.places_read(part, last.fn) if isinstance(part, (Name, Attr)) else ()
    if handler is not None:
        return project.protocol.tells(handler, places)
    given = handling.handler.value if isinstance(handling.handler, Attr) else handling.handler
    return any(place in places for place in project.protocol.places_read(given, handling.fn))


# --- the way from the stay to the end --------------------------------------------------------------------------------


def _continued(stay: Stay, project: Project) -> Iterator[Part]:
    """What follows when the stay comes to its end, in its function and in those that called it."""
    for frame in reversed(stay.frames):
        found = tuple(_after(frame, project))
        yield Part(f"`{frame.fn.qualname}` goes on", found)


def _after(frame: Frame, project: Project) -> Iterator[Step]:
    for place in frame.at.around():
        if place is frame.at and isinstance(place.stmt, (While, For)):
            yield from steps.of_block(place.stmt.orelse, frame.fn, project)
        yield from steps.of_block(place.after(), frame.fn, project)
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, With):
            yield from steps.leaving(outer, frame.fn, project)
        elif isinstance(outer, Try) and place.part != "final":
            yield from steps.of_block(outer.orelse if place.part == "body" else (), frame.fn, project)
            yield from steps.of_block(outer.final, frame.fn, project)


def _unwound(stay: Stay, project: Project) -> Iterator[Part]:
    """What an exit that is raised in the stay runs on its way out; one that is caught goes on behind the ``try``."""
    for number, frame in enumerate(reversed(stay.frames)):
        found, caught = _unwinding(frame, project)
        yield Part(f"the exit leaves `{frame.fn.qualname}`", found)
        if caught:
            for below in stay.frames[: len(stay.frames) - number - 1][::-1]:
                yield Part(f"`{below.fn.qualname}` goes on", tuple(_after(below, project)))
            return


def _unwinding(frame: Frame, project: Project) -> tuple[tuple[Step, ...], bool]:
    found: list[Step] = []
    caught = False
    for place in frame.at.around():
        if caught:
            found += steps.of_block(place.after(), frame.fn, project)
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, With):
            found += steps.leaving(outer, frame.fn, project)
        elif isinstance(outer, Try) and place.part != "final":
            for handler in outer.handlers if place.part == "body" and not caught else ():
                if endings.catches(handler.types, "SystemExit", "KeyboardInterrupt"):
                    found += steps.of_block(handler.body, frame.fn, project)
                    caught = endings.comes_back(endings.of_block(handler.body, frame.fn, project))
                    break
            found += steps.of_block(outer.final, frame.fn, project)
    return tuple(found), caught


def _at_exit(entry: Fn | None, project: Project) -> Iterator[Part]:
    """The callbacks of ``atexit`` in the program's modules, the last one registered first (in the order of the code)."""
    modules = program([entry.module.name], project) if entry is not None else frozenset()
    found = [
        given
        for given in project.roles.registrations()
        if given.callback.role == "atexit" and given.fn.module.name in modules
    ]
    for given in reversed(found):
        for target in given.targets:
            yield Part(f"atexit runs `{target.qualname}`", steps.of_function(target, project))


# --- cost ------------------------------------------------------------------------------------------------------------


def cost(found: Iterable[Step]) -> Cost:
    """How long the steps may last one after the other; an exit request ends them."""
    total = NO_COST
    for step in found:
        total = _plus(total, _cost(step))
        if step.kind == "exit":
            break
    return total


def _cost(step: Step) -> Cost:
    if step.kind in ("choice", "group"):
        costs = [_cost(branch) for branch in step.steps]
        longest = max(costs, key=lambda found: found.seconds)
        return longest._replace(endless=tuple(wait for found in costs for wait in found.endless))
    inner = cost(step.steps)
    if step.kind == "loop":
        times = 1 if step.times is None else step.times
        opened = (step,) if step.times is None and inner.counted else ()
        return Cost(
            inner.seconds * times,
            tuple((wait, limit, rounds * times) for wait, limit, rounds in inner.counted),
            inner.endless,
            (*inner.open, *opened),
        )
    if step.kind == "limit":
        if step.limit is None:
            return inner._replace(open=(*inner.open, step))
        if inner.endless or inner.seconds > step.limit:
            return Cost(step.limit, ((step, step.limit, 1),), (), inner.open)
        return inner
    if step.kind != "wait" or step.limit == 0:
        return inner
    if step.limit is not None:
        return Cost(step.limit, ((step, step.limit, 1),), (), ())
    return Cost(0.0, (), (), (step,)) if step.bounded else Cost(0.0, (), (step,), ())


def _plus(left: Cost, right: Cost) -> Cost:
    return Cost(
        left.seconds + right.seconds,
        (*left.counted, *right.counted),
        (*left.endless, *right.endless),
        (*left.open, *right.open),
    )
