"""What of the way to the exit surely comes one after the other, for the rules that add up how long it may last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from shutdown_lint.facts import Attr, Name, Subscript
from shutdown_lint.project import Project
from shutdown_lint.project.costs import Cost
from shutdown_lint.project.forks import side_of
from shutdown_lint.project.step import Step
from shutdown_lint.rules.waits._stops import STOP_NAME
from shutdown_lint.walk import last_name, root_name, text

Seen: TypeAlias = "set[tuple[str, int, int, str, float | None]]"


def of_work(spent: Cost) -> float:
    """The seconds in loops with a deadline elsewhere than in what stops something: the program's own work, as a rule."""
    return sum(
        limit * times
        for step, limit, times in spent.counted
        if step.text.startswith("while ") and not STOP_NAME.match(step.fn.name)
    )


def firm(found: Iterable[Step], project: Project, seen: Seen, chosen: bool = False, owner: str = "") -> Iterator[Step]:
    """The steps that surely may come one after the other.

    Left out are what a forked child does, pauses that stand in one of several branches (retries, and what another
    configuration does), what a wrapper of many functions may call, and waits of an object that was waited for before: what is stopped is not stopped again.
    """
    for step in found:
        if chosen and step.site is not None and last_name(step.site.call.func) == "sleep":
            continue
        if step.site is not None and side_of(step.site.at, step.fn, project) == "child":
            continue
        if step.kind == "choice" and _is_unknown(step):
            continue
        if step.waits:
            key = (step.file, step.line, step.column, "" if _is_of_all(step) else owner, step.limit)
            if key in seen:
                continue
            seen.add(key)
        inner_owner, inner_chosen = _owner(step, owner), chosen or step.kind == "choice"
        if step.kind == "branch" and _leaves(step):  # what stands in it comes to no later step
            inner = tuple(firm(step.steps, project, set(seen), inner_chosen, inner_owner))
        else:
            inner = tuple(firm(step.steps, project, seen, inner_chosen, inner_owner))
        yield step._replace(steps=inner)


def _is_of_all(wait: Step) -> bool:
    """Whether the object is that of the module, whoever calls: ``app.writer.join(3)``."""
    func = wait.site.call.func if wait.site is not None else None
    name = root_name(func.value) if isinstance(func, Attr) else None
    params = {param.name for param in wait.fn.facts.params}
    return name is not None and name not in params and name not in wait.fn.bindings


def _leaves(branch: Step) -> bool:
    """Whether the way goes out of the function here: what a function that it calls leaves is only that one."""
    return any(step.kind in ("leave", "exit") or (step.kind != "call" and _leaves(step)) for step in branch.steps)


def _is_unknown(choice: Step) -> bool:
    """Whether it is the call of whatever function a wrapper was given: any of those that are decorated by it."""
    called = {inner.site.call.span for branch in choice.steps for inner in branch.steps if inner.site is not None}
    names = {branch.text.rpartition(".")[2] for branch in choice.steps if branch.steps}
    here = (choice.line, choice.column)
    return len(names) > 1 and all((span.line, span.col) == here for span in called)


def _owner(step: Step, outer: str) -> str:
    """The object that a call is about, if it is another one than ``outer``: ``self.consumer.stop()``, ``end(consumer)``."""
    call = step.site.call if step.kind == "call" and step.site is not None else None
    if call is None:
        return outer
    of = call.func.value if isinstance(call.func, Attr) else None
    if of is not None and (not isinstance(of, Name) or of.id not in ("self", "cls")):
        return text(of) if isinstance(of, (Attr, Subscript, Name)) else outer
    return outer or ", ".join(text(arg.value) for arg in call.args)
