"""Whether a shutdown path surely waits for a thread or process: not where a parameter of the stop, or a way out, may decide against it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from shutdown_lint.facts import Attr, Call, Expr, If, Name
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.step import Step, leaves
from shutdown_lint.walk import last_name, subexprs

if TYPE_CHECKING:
    from shutdown_lint.project import Project

# ``perhaps``: only on some ways through the steps; ``unseen``: no step of theirs waits for it
Answer: TypeAlias = Literal["surely", "perhaps", "unseen"]


def waited(acquisition: Acquisition, found: Sequence[Step], project: Project) -> Answer:
    """Whether the steps wait for what was made there; waits that stand on no alias of it do not count."""
    ends = acquisition.model.ends
    uses = project.resources.track(acquisition).uses
    waits = {id(use.site.expr): use.site.call for use in uses if use.kind == "method" and use.name in ends}
    seen = [
        waits[id(step.site.expr)] for step, _ in leaves(found) if step.site is not None and id(step.site.expr) in waits
    ]
    if not seen:
        return "unseen"
    names = frozenset(last_name(call.func.value) for call in seen if isinstance(call.func, Attr))
    return "surely" if _Ways(frozenset(map(id, seen)), names, acquisition.fn, project).surely(found) else "perhaps"


class _Ways:
    """Looks for the waits on every way; ``names`` are those of what is waited for, ``maker`` the function that makes it."""

    def __init__(self, waits: frozenset[int], names: frozenset[str], maker: Fn, project: Project) -> None:
        self._waits, self._names, self._project = waits, names, project
        self._maker = project.classes.enclosing(maker)

    def surely(self, found: Iterable[Step]) -> bool:
        """Whether each way through the steps comes to one of the waits; a loop makes a round, what fails fails behind it."""
        for step in found:
            if self._does(step):
                return True
            if step.kind == "leave" or (step.kind == "choice" and _asks_parameter(step) and _leaves_somewhere(step)):
                return False
        return False

    def _does(self, step: Step) -> bool:
        if step.site is not None and id(step.site.expr) in self._waits:
            return True
        if step.kind != "choice":
            return self.surely(step.steps)
        branches = [self.surely(branch.steps) for branch in step.steps]
        own = self._of_maker(step)
        if own is not None:
            return own
        test = _test(step)
        chosen = test is not None and _asks_parameter(step) and not self._guards(test)
        return all(branches) if chosen else any(branches)

    def _of_maker(self, choice: Step) -> bool | None:
        """Of a method that several classes have: what that of the maker's own class does; None for any other choice."""
        targets = {
            branch.steps[0].steps[0].fn: branch for branch in choice.steps if branch.steps and branch.steps[0].steps
        }
        named = {target: branch for target, branch in targets.items() if branch.text == target.qualname}
        if self._maker is None or not named:
            return None
        own = self._project.classes.method(self._maker, next(iter(named)).name)
        if own in named:
            return self.surely(named[own].steps)
        above = {cls for target in named if target.cls is not None for cls in self._project.classes.mro(target.cls)}
        return False if own is not None and own.cls in above else None

    def _guards(self, test: Expr) -> bool:
        """``if self._thread is not None``: it asks whether there is something to wait for."""
        return any(last_name(expr) in self._names for expr in subexprs(test) if isinstance(expr, (Name, Attr, Call)))


def _test(choice: Step) -> Expr | None:
    for at in choice.fn.statements:
        if isinstance(at.stmt, If) and (at.stmt.span.line, at.stmt.span.col) == (choice.line, choice.column):
            return at.stmt.test
    return None


def _asks_parameter(choice: Step) -> bool:
    """Whether the caller decides: the test reads a parameter, as in ``if graceful``."""
    test, own = _test(choice), choice.fn.self_name
    params = {param.name for param in choice.fn.facts.params if param.name != own}
    return test is not None and any(isinstance(expr, Name) and expr.id in params for expr in subexprs(test))


def _leaves_somewhere(choice: Step) -> bool:
    return any(branch.steps and branch.steps[-1].kind == "leave" for branch in choice.steps)
