"""A step of a shutdown: the data, and the walk over its leaves.

A ``Step`` is a wait, a stop, a release, a call of a project function with the steps inside it, a loop, a choice between
branches, a group of things that go on at the same time, a limit around other steps, or a leave: what stands behind that does
not run on this way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, TypeAlias

from shutdown_lint.facts import Expr, Name, Span
from shutdown_lint.project.handles import Fn
from shutdown_lint.walk import Site

Kind: TypeAlias = Literal[
    "call", "wait", "stop", "release", "tell", "raise", "exit", "loop", "choice", "branch", "group", "limit",
    "leave",  # `return`, `raise`, `break` or `continue`, as `text` says
    "lost",  # what nobody waits for, at the end of the program
    "maybe", "part",  # a choice with one branch, and one of a group, as the map shows them
]  # fmt: skip

FAILS, ELSE = "if it fails", "otherwise"  # how the branches of a ``try`` are called


class Step(NamedTuple):
    """One step.

    ``limit`` is how many seconds it lasts at most: 0 where it does not wait; None where that is not known. ``bounded`` tells
    the two cases of None apart: a wait without any limit (False), and one whose limit is only known at run time (True). A limit
    that is not ``bounded`` is around something that may last until it is over.
    ``steps`` are the inner steps of a call, loop, branch, group, limit, or the branches of a choice. ``times`` is how
    often a loop runs its steps, None where that is not known. ``fn`` and ``site`` say where the code is, for further questions.
    Waits of one ``deadline`` (its name with that of the function) share the limit: together they last no longer. ``param`` is the
    parameter of ``fn`` that is the limit, if it is one.
    """

    kind: Kind
    text: str
    file: str
    line: int
    column: int
    limit: float | None
    bounded: bool
    times: int | None
    steps: tuple[Step, ...]
    fn: Fn
    site: Site | None
    deadline: str = ""
    param: str = ""

    @property
    def waits(self) -> bool:
        """Whether it is a wait itself."""
        return self.kind == "wait"


def leaves(steps: Iterable[Step], inside: tuple[Step, ...] = ()) -> Iterator[tuple[Step, tuple[Step, ...]]]:
    """The steps without inner ones, in order, each with the steps around it, outermost first; ways out and empty branches are none."""
    for step in steps:
        if step.steps:
            yield from leaves(step.steps, (*inside, step))
        elif step.kind not in ("branch", "leave"):
            yield step, inside


def at_span(
    kind: Kind,
    text: str,
    span: Span,
    fn: Fn,
    *,
    steps: tuple[Step, ...] = (),
    limit: float | None = 0.0,
    bounded: bool = True,
    times: int | None = None,
    site: Site | None = None,
    given: Expr | None = None,
) -> Step:
    """A step at a place in a function's file; ``given`` is the expression that limits it."""
    names = (param.name for param in fn.facts.params)
    param = given.id if isinstance(given, Name) and given.id in names else ""
    return Step(kind, text, fn.path, span.line, span.col, limit, bounded, times, steps, fn, site, "", param)
