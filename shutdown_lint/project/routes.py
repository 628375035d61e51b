"""The route from the place where a program rests to its end: what runs in which function, from the innermost outwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from shutdown_lint.facts import Assign, Attr, Call, Expr, For, If, Raise, Return, Seq, Span, Subscript, Try, While, With
from shutdown_lint.project import endings, steps
from shutdown_lint.project.answers import answers, leaves_with
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.leaves import without
from shutdown_lint.project.programs import Frame
from shutdown_lint.project.step import ELSE, FAILS, Step
from shutdown_lint.project.stops import EXIT, Handler, Leaves, Stop, same_place
from shutdown_lint.project.tracks import Place
from shutdown_lint.walk import last_name, sites_at, text

if TYPE_CHECKING:
    from shutdown_lint.project import Project

INTERRUPT = ("KeyboardInterrupt", "BaseException")
_TASKS = frozenset({"create_task", "ensure_future", "run_coroutine_threadsafe"})


class Part(NamedTuple):
    """One stretch of a path: why it runs, and its steps.

    ``current`` marks what was under way when the signal came: the round of a loop that has to end first; ``at_exit`` a callback
    of ``atexit``.
    """

    why: str
    steps: tuple[Step, ...]
    current: bool = False
    at_exit: bool = False


# --- the handler -----------------------------------------------------------------------------------------------------


def tells(stop: Stop, handler: Handler, project: Project) -> tuple[Step, ...]:
    """The statements of the handler, and of what it calls, that write a flag at which the program looks, or raise."""
    found: list[Step] = []
    if handler.fn is not None and stop.how == "raised":
        for fn in (handler.fn, *(fn for fn in handler.reach if fn is not handler.fn)):
            raised = [at.stmt for at in fn.statements if isinstance(at.stmt, Raise) and at.stmt.exc is not None]
            found += [_told("raise", text(stmt.exc), stmt.span, fn) for stmt in raised if _names(stmt, stop.exceptions)]
            if found:
                break
    for fn in handler.reach:
        for at in fn.statements:
            if isinstance(at.stmt, Assign) and any(
                same_place(place, test)
                for target in at.stmt.targets
                for place in _targets(target, fn, project)
                for test in stop.tests
            ):
                span = at.stmt.span
                said = " = ".join(text(part) for part in (*at.stmt.targets, at.stmt.value) if part is not None)
                found.append(_told("tell", said, span, fn))
    return tuple(found)


def _names(stmt: Raise, exceptions: tuple[str, ...]) -> bool:
    made = stmt.exc.func if isinstance(stmt.exc, Call) else stmt.exc
    return last_name(made) in exceptions


def _told(kind: Literal["tell", "raise"], said: str, span: Span, fn: Fn) -> Step:
    return Step(kind, said, fn.path, span.line, span.col, 0.0, True, None, (), fn, None)


def _targets(target: Expr, fn: Fn, project: Project) -> Iterator[Place]:
    if isinstance(target, Seq):
        for item in target.items:
            yield from _targets(item, fn, project)
    else:
        yield from project.protocol.places_read(target.value if isinstance(target, Subscript) else target, fn)


def in_order(found: Sequence[Step], told: Sequence[Step]) -> tuple[Step, ...]:
    """The steps of a handler with those that tell, in the order of the code; what stands in other functions comes last."""
    fn = found[0].fn if found else told[0].fn if told else None
    here = [step for step in (*found, *told) if step.fn is fn]
    return (*sorted(here, key=lambda step: (step.line, step.column)), *(step for step in told if step.fn is not fn))


def started(handler: Handler, project: Project) -> Iterator[Part]:
    """What the tasks do that the handler starts: it comes back, and they do the work."""
    for site in handler.fn.sites if handler.fn is not None else ():
        given = site.call.args[0].value if site.call.args else None
        if last_name(site.call.func) in _TASKS and isinstance(given, Call) and handler.fn is not None:
            for target in project.calls.targets(given, handler.fn):
                yield Part(
                    f"`{target.fn.qualname}` runs as a task that the handler starts",
                    steps.of_function(target.fn, project),
                )


# --- the end ---------------------------------------------------------------------------------------------------------


def ending(stop: Stop, project: Project) -> Iterator[Part]:
    """What follows on the handler: the round that is under way, then each function from the innermost to the entry."""
    frames = stop.rest.frames
    yield from _round(stop, project)
    if stop.leaves == "raise":
        what = "cancellation" if stop.how == "cancelled" else "exit" if stop.exceptions == EXIT else "exception"
        yield from unwound(frames, stop.exceptions or ("Exception", "BaseException"), project, what)
    else:
        yield from continued(frames, stop.leaves, project)


def continued(frames: Sequence[Frame], leaves: Leaves, project: Project) -> Iterator[Part]:
    """What runs when the innermost frame's statement is over, from its function outwards to the entry."""
    answered: bool | None = None
    for number in range(len(frames), 0, -1):
        frame = frames[number - 1]
        if number < len(frames) and (isinstance(frame.at.stmt, Return) or leaves_with(frame, answered, project)):
            leaves = "return"
        found = _after(frame, leaves, project)
        answered = answers(frame, answered, project)
        yield Part(f"`{frame.fn.qualname}` goes on", found)
        if any(step.kind == "exit" for step in found) or (number < len(frames) and _is_exit(frame, project)):
            yield from unwound(frames[: number - 1], EXIT, project)
            return
        leaves = "next"


def _is_exit(frame: Frame, project: Project) -> bool:
    """``sys.exit(main())``: what comes back from the call ends the program."""
    return any(project.calls.is_call_to(site.call, frame.fn, *endings.SOFT_EXITS) for site in sites_at(frame.at))


def _after(frame: Frame, leaves: Leaves, project: Project) -> tuple[Step, ...]:
    """What runs behind the place in its function; with a ``return`` only the cleanup around it."""
    found: list[Step] = []
    cleanup: list[Step] = []
    for place in frame.at.around():
        if leaves == "next":
            if place is frame.at and isinstance(place.stmt, (While, For)):
                found += steps.of_block(place.stmt.orelse, frame.fn, project)
            found += steps.of_block(place.after(), frame.fn, project)
            if {end.kind for end in endings.of_block(place.after(), frame.fn, project)} == {"return"}:
                leaves = "return"
        outer = place.outer.stmt if place.outer is not None else None
        ended: tuple[Step, ...] = ()
        if isinstance(outer, With):
            ended = steps.leaving(outer, frame.fn, project)
        elif isinstance(outer, Try) and place.part != "final":
            if place.part == "body" and leaves == "next":
                found += steps.of_block(outer.orelse, frame.fn, project)
            ended = steps.of_block(outer.final, frame.fn, project)
        found += ended
        cleanup += ended
    # a way out of one of the blocks skips those around it, and no cleanup
    return without(found) if cleanup else without(found, "break", "continue")


def unwound(
    frames: Sequence[Frame], exceptions: tuple[str, ...], project: Project, what: str = "exit"
) -> Iterator[Part]:
    """What an exception that is raised in the innermost frame runs on its way out; one that is caught goes on behind the ``try``."""
    for number in range(len(frames), 0, -1):
        frame = frames[number - 1]
        found, caught = _unwinding(frame, exceptions, project)
        yield Part(f"the {what} leaves `{frame.fn.qualname}`", found)
        if caught:
            yield from continued(frames[: number - 1], "next", project)
            return


def _unwinding(frame: Frame, exceptions: tuple[str, ...], project: Project) -> tuple[tuple[Step, ...], bool]:
    found: list[Step] = []
    caught, leaving = False, ""  # how the handler that caught it leaves its block, where it surely does
    for place in frame.at.around():
        if caught and not leaving:
            found += steps.of_block(place.after(), frame.fn, project)
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, With):
            found += steps.leaving(outer, frame.fn, project)
        elif isinstance(outer, Try) and place.part != "final":
            for handler in outer.handlers if place.part == "body" and not caught else ():
                if endings.catches(handler.types, *exceptions):
                    found += steps.of_block(handler.body, frame.fn, project)
                    kinds = {end.kind for end in endings.of_block(handler.body, frame.fn, project)}
                    caught = bool(kinds & {"next", "return", "break", "continue"})
                    leaving = next(iter(kinds)) if len(kinds) == 1 and "next" not in kinds else ""
                    break
            found += steps.of_block(outer.final, frame.fn, project)
        elif isinstance(outer, (While, For)) and leaving in ("break", "continue"):
            leaving = ""
    return without(found), caught


# --- the round that is under way -------------------------------------------------------------------------------------


def _round(stop: Stop, project: Project) -> Iterator[Part]:
    """The loop's round: its waits have to end before the flag is looked at; what the flag sets off is in it."""
    loop = stop.rest.loop
    if loop is None or not isinstance(loop.at.stmt, (While, For)) or stop.how in ("raised", "cancelled"):
        return
    stmt, name = loop.at.stmt, loop.fn.qualname
    if stop.how == "children":
        found = steps.of_block((stmt,), loop.fn, project)
        yield Part(f"the loop in `{name}` goes on until the children have ended", found)
        return
    found = tuple(_needed(steps.of_block((stmt,), loop.fn, project), stop, project))
    inner = found[0].steps if found and found[0].kind == "loop" else found
    why = "ends its round" if stop.how == "loop" else "sees it in its round"
    yield Part(f"the loop in `{name}` {why}", inner, stop.how == "loop")


def _needed(found: Sequence[Step], stop: Stop, project: Project) -> Iterator[Step]:
    """The waits among the steps, and all that stands under a condition on what the handler tells.

    A wait for the very thing that the handler sets is over at once. What would run if the round failed is left out.
    """
    for step in found:
        if step.kind == "choice" and step.text == FAILS:
            yield from _needed([s for b in step.steps if b.text == ELSE for s in b.steps], stop, project)
        elif step.steps:
            if step.kind == "choice" and _is_test(step, stop, project):
                yield step
                continue
            inner = tuple(_needed(step.steps, stop, project))
            if any(below.steps or below.kind != "branch" for below in inner):
                yield step._replace(steps=inner)
        elif step.kind == "branch" or (step.kind == "wait" and not _is_told(step, stop, project)):
            yield step


def _is_test(choice: Step, stop: Stop, project: Project) -> bool:
    for at in choice.fn.statements:
        if isinstance(at.stmt, If) and (at.stmt.span.line, at.stmt.span.col) == (choice.line, choice.column):
            return _reads(at.stmt.test, choice.fn, stop, project)
    return False


def _is_told(wait: Step, stop: Stop, project: Project) -> bool:
    func = wait.site.call.func if wait.site is not None else None
    return isinstance(func, Attr) and _reads(func.value, wait.fn, stop, project)


def _reads(expr: Expr, fn: Fn, stop: Stop, project: Project) -> bool:
    return any(same_place(place, test) for place in project.protocol.places_read(expr, fn) for test in stop.tests)
