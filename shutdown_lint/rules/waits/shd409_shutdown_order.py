"""A resource is closed before the work that uses it has ended.

## What it does
Reports, where something is stopped, a file, database connection, executor, session or temporary folder that is closed before the
thread, job or task that uses it is joined, awaited or shut down a few lines later, across the methods that the stop calls; and a
``with`` that closes it while the work is joined only behind the block.

With a [budget](../map.md#the-budget) in the configuration, also a component that is ended before one of a lower priority number.

## Why it matters
The work is still at it: its next use fails, what it was about to write is lost, and it dies of an exception that hides the reason.

## Example
```python
import queue
import threading


class Journal:
    def __init__(self, path):
        self._file = open(path, "a")
        self._lines = queue.Queue()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def _write(self):
        while (line := self._lines.get()) is not None:
            self._file.write(line)

    def close(self):
        self._lines.put(None)
        self._file.close()
        self._thread.join()
```

## Use instead
```python
import queue
import threading


class Journal:
    def __init__(self, path):
        self._file = open(path, "a")
        self._lines = queue.Queue()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def _write(self):
        while (line := self._lines.get()) is not None:
            self._file.write(line)

    def close(self):
        self._lines.put(None)
        self._thread.join()
        self._file.close()
```

## Precision
Only where the resource and the work are known by their types, the work is seen to use the very object, and the model says that a use
after the release fails; so a socket, whose close is a usual way to wake the reader, is never meant. Tier S where the work catches
what the use raises, or where another instance's work may be meant. Silent when the work was cancelled or waited for before, and where
what the use raises ends its loop: there the close is how the work is told.

## References
- [Executor.shutdown](https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Executor.shutdown)
- [io.IOBase.close](https://docs.python.org/3/library/io.html#io.IOBase.close)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from shutdown_lint.facts import Break, Call, Const, ModuleFacts, Return, Span, Try, With
from shutdown_lint.findings import Finding
from shutdown_lint.project import Cls, Fn, Project, steps
from shutdown_lint.project.budget import of_components
from shutdown_lint.project.leaves import is_past
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.step import Step, leaves
from shutdown_lint.project.tracks import Local, Track, Use
from shutdown_lint.rules._texts import WAITS_FOR_WORK
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._stops import acquisitions_of, is_stop, receiver
from shutdown_lint.rules.waits._work import WORDS, WaitFor, Work, about_self, waits_for_work
from shutdown_lint.walk import argument, enclosing_loops, last_name, text, walk

RULE = Rule(
    code="SHD409",
    name="shutdown-order",
    summary="a resource is closed before the work that uses it has ended",
    tier="D",
    severity="warning",
    triggers=WAITS_FOR_WORK,
    origin=("G13",),
)
_CATCHES = frozenset(
    {"Exception", "BaseException", "ValueError", "RuntimeError", "OSError", "IOError", "Error", "ProgrammingError"}
)


Leaf: TypeAlias = "tuple[Step, tuple[Step, ...]]"
# By what is waited for (the body that runs, who made it): the places in order, by number of the step
_Waits: TypeAlias = "dict[tuple[Fn, Fn], list[tuple[int, WaitFor, Work]]]"


class Early(NamedTuple):
    """A release and the later wait for the work that uses what was released."""

    release: Leaf
    resource: Acquisition
    wait: WaitFor
    waiter: Fn
    work: Work
    use: Use


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at the order of steps in every function that stops things, or waits behind a ``with``."""
    for fn in project.functions(module):
        if is_test(fn) or fn.is_module or not _may_be(fn, project):
            continue
        found = list(leaves(steps.of_function(fn, project)))
        last = max((number for number, (step, _) in enumerate(found) if step.kind == "wait"), default=0)
        closed = {number: made for number, leaf in enumerate(found[:last]) if (made := _released(leaf[0], project))}
        waits = _by_work(found, project) if closed else {}
        ends = _Ends(found, waits)
        for number, resources in closed.items() if waits else ():
            early = _early(found, waits, ends, number, resources, project)
            if early is not None:
                yield _finding(module, early, fn, project)
        if project.budget.components:
            yield from _out_of_order(module, fn, project)


def _by_work(found: list[Leaf], project: Project) -> _Waits:
    waits: _Waits = {}
    for number, (step, _) in enumerate(found):
        for wait in _waits(step, project):
            for work in wait.works:
                waits.setdefault((work.body, work.maker), []).append((number, wait, work))
    return waits


def _out_of_order(module: ModuleFacts, fn: Fn, project: Project) -> Iterator[Finding]:
    """What the function ends before something that the declared budget ends first."""
    found = [
        (step, component, inside)
        for step, component, inside in of_components(steps.of_function(fn, project), project)
        if component.priority
    ]
    for number, (step, component, inside) in enumerate(found):
        later = next(
            (
                (other, ahead)
                for other, ahead, around in found[number + 1 :]
                if ahead.priority < component.priority and not _apart((step, inside), (other, around), project)
            ),
            None,
        )
        if later is not None and step.fn is fn and step.site is not None:
            other, ahead = later
            yield RULE.finding(
                module,
                step.site.call.span,
                f"`{step.text}` comes before `{other.text}`: the budget ends `{ahead.name}` (priority {ahead.priority}) before "
                f"`{component.name}` (priority {component.priority})",
                trace=(
                    other.fn.step(
                        Span(other.line, other.column, other.line, other.column), f"`{ahead.name}` ends here"
                    ),
                ),
                help=f"end `{ahead.name}` first, or change the priorities in `[tool.shutdown-lint.budget]`",
            )


def _may_be(fn: Fn, project: Project) -> bool:
    return is_stop(fn, project) or (bool(fn.mentions & WORDS) and _leaves_resource(fn, project))


def _leaves_resource(fn: Fn, project: Project) -> bool:
    """Whether a ``with`` of the function closes something whose use fails after that."""
    withs = [at.stmt for at in fn.statements if isinstance(at.stmt, With)]
    contexts = {id(item.context) for stmt in withs for item in stmt.items}
    return bool(withs) and any(
        made.model.closed and id(made.call) in contexts for made in project.resources.of_function(fn)
    )


def _early(
    found: list[Leaf],
    waits: _Waits,
    ends: _Ends,
    number: int,
    resources: list[Acquisition],
    project: Project,
) -> Early | None:
    """The first wait behind the release for work that uses the object."""
    first: Early | None = None
    place = len(found)
    for places in waits.values():
        work = places[0][2]
        if places[-1][0] <= number or places[0][0] >= place:
            continue
        behind = next(_behind(found, places, ends, number, project), None)
        if behind is None or behind[0] >= place:
            continue
        for resource in resources:
            use = _use(resource, work, project)
            if use is not None and not _is_ended_by(use):
                place = behind[0]
                first = Early(found[number], resource, behind[1], found[place][0].fn, behind[2], use)
                break
    return first


def _behind(
    found: list[Leaf], places: list[tuple[int, WaitFor, Work]], ends: _Ends, number: int, project: Project
) -> Iterator[tuple[int, WaitFor, Work]]:
    """The waits for the work that come behind the release on some way, unless it was waited for or cancelled before."""
    released = found[number][0]
    for later, wait, work in places:
        # the same call on another way: `shutdown()` both releases an executor and waits for its jobs
        if later <= number or (wait.span.line, wait.span.col) == (released.line, released.column):
            continue
        if not ends.had(work, wait, number) and not _apart(found[number], found[later], project):
            yield later, wait, work


class _Ends:
    """Where work is waited for or cancelled, by the number of the step: asked for each release of a long path."""

    def __init__(self, found: list[Leaf], waits: _Waits) -> None:
        self._waited: dict[Fn, int] = {}
        self._cancelled: dict[str, int] = {}
        for (body, _), places in waits.items():
            self._waited[body] = min(places[0][0], self._waited.get(body, places[0][0]))
        for number, (step, _) in enumerate(found) if waits else ():
            if step.site is not None and last_name(step.site.call.func) == "cancel":
                self._cancelled.setdefault(text(receiver(step.site.call)), number)

    def had(self, work: Work, wait: WaitFor, number: int) -> bool:
        """Whether the task was cancelled, or the same work waited for, before the step."""
        if self._waited.get(work.body, number) < number:
            return True
        subject = text(wait.subject) if work.kind == "task" and wait.subject is not None else ""
        return bool(subject) and self._cancelled.get(subject, number) < number


def _released(step: Step, project: Project) -> list[Acquisition]:
    """What the step releases, where a use after that fails; an executor's shutdown counts as a release too."""
    if step.site is None or step.kind not in ("release", "wait") or _gives_up(step.site.call):
        return []
    if step.text.startswith("end of"):
        made = [a for a in project.resources.of_function(step.fn) if a.call is step.site.call]
    else:
        last = getattr(step.site.call.func, "name", "")
        found = acquisitions_of(receiver(step.site.call), step.fn, project)
        made = [a for a in found if last in a.model.release]
    return [a for a in made if a.model.closed]


def _gives_up(call: Call) -> bool:
    """``executor.shutdown(cancel_futures=True)``: the work is given up; a job that can submit no more is part of that."""
    given = argument(call, 1, "cancel_futures")
    return last_name(call.func) == "shutdown" and isinstance(given, Const) and given.value is True


def _apart(left: Leaf, right: Leaf, project: Project) -> bool:
    """Whether the two are never both run, or stand in one function that is looked at by itself, or run at the same time."""
    if is_past(left[1], right[1]):
        return True
    for ours, theirs in zip(left[1], right[1]):
        if ours is theirs:
            if ours.kind == "group" or (ours.kind == "call" and _may_be(ours.steps[0].fn, project)):
                return True
        else:
            return ours.kind == "branch" and theirs.kind == "branch"
    return False


def _waits(step: Step, project: Project) -> Iterator[WaitFor]:
    for wait in waits_for_work(step.fn, project) if step.kind == "wait" else ():
        if (wait.span.line, wait.span.col) == (step.line, step.column):
            yield wait


def _use(resource: Acquisition, work: Work, project: Project) -> Use | None:
    """Where the work uses the object; a use whose failure it does not catch before one that it does."""
    if resource.fn in (reached := project.protocol.reach(work.body)):
        return None  # the work makes an object of its own
    tracks = [project.resources.track(resource), *_given_to(resource, work, project)]
    ends = (*resource.model.release, *resource.model.stop)
    found = [
        use
        for track in tracks
        for use in track.uses
        if use.fn in reached and use.kind == "method" and use.name not in ends
    ]
    return min(found, key=_is_caught, default=None)


def _given_to(resource: Acquisition, work: Work, project: Project) -> Iterator[Track]:
    """What the work does with the parameter as which it gets the object."""
    for position, expr in enumerate(work.given):
        if any(a.call is resource.call for a in acquisitions_of(expr, work.maker, project)):
            params = work.body.facts.params[1 if work.body.is_method else 0 :]
            if position < len(params):
                yield project.resources.place_track(Local(work.body, params[position].name, False))


def _is_caught(use: Use) -> bool:
    """Whether the place stands in a ``try`` that catches what a use after the release raises."""
    for place in use.site.at.around():
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, Try) and place.part == "body":
            for handler in outer.handlers:
                types = getattr(handler.types, "items", (handler.types,))
                if handler.types is None or any(getattr(t, "id", getattr(t, "name", "")) in _CATCHES for t in types):
                    return True
    return False


def _is_ended_by(use: Use) -> bool:
    """Whether the release is what ends the work: what the use then raises leaves its loop."""
    for place in use.site.at.around():
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, Try) and place.part == "body" and next(enclosing_loops(place), None) is not None:
            if any(isinstance(inner.stmt, (Break, Return)) for h in outer.handlers for inner in walk(h.body)):
                return True
    return False


def _is_proven(early: Early, project: Project) -> bool:
    if _is_caught(early.use) or early.wait.bounded or _is_one_of_many(early.resource, project):
        return False
    if isinstance(early.use.place, Local) and early.resource.fn is early.waiter and early.work.maker is early.waiter:
        return True
    owner = project.classes.enclosing(early.waiter)
    if owner is not None and _is_of_another(early.resource, owner, project):
        return False
    return (
        about_self(early.wait.subject, early.waiter, project)
        and owner is not None
        and early.work.owner is not None
        and project.classes.enclosing(early.work.owner) in project.classes.family(owner)
    )


def _is_of_another(resource: Acquisition, owner: Cls, project: Project) -> bool:
    """Whether a member's class makes it, of which there are several objects: each has one of its own."""
    maker = project.classes.enclosing(resource.fn)
    return (
        maker is not None and maker not in project.classes.family(owner) and len(project.calls.callers(resource.fn)) > 1
    )


def _is_one_of_many(resource: Acquisition, project: Project) -> bool:
    """Whether a helper that several call makes such objects: what is released need not be the one that is used."""
    return resource.fn.name != "__init__" and len(project.calls.callers(resource.fn)) > 1


def _finding(module: ModuleFacts, early: Early, fn: Fn, project: Project) -> Finding:
    (release, _), wait, use = early.release, early.wait, early.use
    sure = _is_proven(early, project)
    what = release.text if release.text.startswith("end of") else f"`{release.text}`"
    return RULE.finding(
        module,
        _anchor(early, module, fn),
        f"{what} in `{release.fn.qualname}` comes before `{wait.text}`: the {early.work.kind} `{early.work.body.qualname}` still "
        f"uses it and {early.resource.model.closed}",
        tier="D" if sure else "S",
        confidence="proven" if sure else "likely",
        lost=(use.fn.step(use.site.call.span, f"`{text(use.site.call)}` in {use.fn.qualname}"),),
        trace=(
            early.work.started,
            release.fn.step(
                Span(release.line, release.column, release.line, release.column), f"`{release.fn.qualname}` closes it"
            ),
            early.waiter.step(wait.span, f"`{early.waiter.qualname}` waits for the {early.work.kind} only now"),
        ),
        help=f"end the {early.work.kind} and wait for it first, then close what it uses",
    )


def _anchor(early: Early, module: ModuleFacts, fn: Fn) -> Span:
    """The release, or where the stop function calls into the file that holds it."""
    step, inside = early.release
    for place in (*inside, step):
        if (
            place.site is not None
            and place.fn.module is module
            and (place is step or place.steps[0].fn.module is not module)
        ):
            return place.site.call.span
    return fn.facts.span
