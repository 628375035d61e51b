"""What a piece of code does that matters when the program ends: its waits, stops and releases as an ordered tree.

Everything else that the code does is left out, so that a function without any such step has none. The trees are made on demand,
once for each function, and end at recursion and at ``MAX_DEPTH`` calls. This is the reader of statements: ``step`` holds what a
step is, ``step_calls`` reads expressions, ``step_ends`` the calls that end one thing, ``leaves`` knows the ways out of blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from shutdown_lint.facts import (
    NO_SPAN,
    Body,
    Break,
    Call,
    Const,
    Continue,
    Expr,
    For,
    If,
    Match,
    Raise,
    Return,
    Seq,
    Span,
    Star,
    Stmt,
    Try,
    While,
    With,
    WithItem,
    Yield,
)
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.iterating import rounds
from shutdown_lint.project.leaves import bounded, is_real, pruned, surely, without
from shutdown_lint.project.limits import seconds, until
from shutdown_lint.project.memo import Memo
from shutdown_lint.project.platforms import on_posix
from shutdown_lint.project.settled import truth
from shutdown_lint.project.step import ELSE, FAILS, Kind, Step, at_span
from shutdown_lint.project.step_calls import Calls
from shutdown_lint.project.step_words import exceptions, short
from shutdown_lint.project.values import Instance
from shutdown_lint.walk import own_exprs, subexprs, text

if TYPE_CHECKING:
    from shutdown_lint.project import Project

MAX_DEPTH = 6
_MANAGERS = frozenset({"contextmanager", "asynccontextmanager"})
_ENTERED_WAITS = ("concurrent.futures.ThreadPoolExecutor", "concurrent.futures.ProcessPoolExecutor")
_WAYS_OUT: dict[type, str] = {Return: "return", Raise: "raise", Break: "break", Continue: "continue"}
_MEMO: Memo[dict[Fn, tuple[Step, ...]]] = Memo()


def of_function(fn: Fn, project: Project, depth: int = 0) -> tuple[Step, ...]:
    """The steps of the function's body, in order."""
    memo = _MEMO.setdefault(project, {})
    if fn not in memo:
        if depth > MAX_DEPTH:
            return ()
        memo[fn] = ()  # recursion ends here
        memo[fn] = bounded(of_block(fn.facts.body, fn, project, depth))
    return memo[fn]


def of_block(block: Body, fn: Fn, project: Project, depth: int = 0) -> tuple[Step, ...]:
    """The steps of some statements of the function; nothing of them stands behind a way out."""
    return pruned(_Reader(fn, project, depth).block(block))


def leaving(stmt: With, fn: Fn, project: Project, depth: int = 0) -> tuple[Step, ...]:
    """What leaving a ``with`` statement does: the last context manager first."""
    reader = _Reader(fn, project, depth)
    return tuple(step for item in reversed(stmt.items) for step in reader.left(item))


class _Reader:
    """Reads the statements of one function; ``depth`` is the number of calls above it."""

    def __init__(self, fn: Fn, project: Project, depth: int) -> None:
        self._fn, self._project, self._depth = fn, project, depth
        self._calls = Calls(fn, project, lambda called: of_function(called, project, depth + 1))

    def statement(self, stmt: Stmt) -> Iterator[Step]:
        if isinstance(stmt, If):
            yield from self._if(stmt)
        elif isinstance(stmt, Match):
            yield from self._own(stmt)
            cases = tuple(("case", case.body) for case in stmt.cases)
            rest = () if any(case.irrefutable for case in stmt.cases) else ((ELSE, ()),)
            yield from self._choice(stmt, f"match {text(stmt.subject)}", (*cases, *rest))
        elif isinstance(stmt, (While, For)):
            yield from self._loop(stmt)
        elif isinstance(stmt, Try):
            yield from self._try(stmt)
        elif isinstance(stmt, With):
            yield from self._with(stmt)
        else:
            yield from self._own(stmt)
            way = _WAYS_OUT.get(type(stmt))
            if way is not None:
                yield self._step("leave", way, _span(stmt))

    def _if(self, stmt: If) -> Iterator[Step]:
        yield from self._own(stmt)
        holds = truth(stmt.test, on_posix)
        if holds is not None:
            yield from self.block(stmt.body if holds else stmt.orelse)
        else:
            yield from self._choice(stmt, f"if {short(stmt.test)}", (("then", stmt.body), ("else", stmt.orelse)))

    def block(self, block: Body) -> tuple[Step, ...]:
        """The steps of a block, to the first statement that surely leaves it."""
        found: list[Step] = []
        for stmt in block:
            found += self.statement(stmt)
            if surely(found):
                break
        return tuple(found)

    def _own(self, stmt: Stmt) -> Iterator[Step]:
        for expr in own_exprs(stmt):
            yield from self._calls.expression(expr, stmt)

    def _choice(self, stmt: Stmt, label: str, arms: tuple[tuple[str, Body], ...]) -> Iterator[Step]:
        yield from self._branches(stmt, label, tuple((name, self.block(body)) for name, body in arms))

    def _branches(self, stmt: Stmt, label: str, arms: tuple[tuple[str, tuple[Step, ...]], ...]) -> Iterator[Step]:
        if any(steps for _, steps in arms):
            span = _span(stmt)
            inner = tuple(self._step("branch", name, span, steps=steps) for name, steps in arms)
            yield self._step("choice", label, span, steps=inner)
            if all(surely(steps) for _, steps in arms):
                yield self._step("leave", surely(arms[0][1]), span)

    def _loop(self, stmt: While | For) -> Iterator[Step]:
        if isinstance(stmt, For):
            yield from self._calls.expression(stmt.iter, stmt)
            label, times = f"for … in {short(stmt.iter)}", self._times(stmt.iter)
            inner = (*self._next(stmt), *self.block(stmt.body))
        else:
            label, times = f"while {short(stmt.test)}", None
            inner = (*self._calls.expression(stmt.test, stmt), *self.block(stmt.body))
        if inner:
            loop = self._step("loop", label, stmt.span, steps=inner, times=times)
            end = until(stmt.test, self._fn) if isinstance(stmt, While) else None
            limit = seconds(end.after, self._fn, self._project) if end is not None else None
            yield self._step("limit", label, stmt.span, steps=(loop,), limit=limit) if limit is not None else loop
        yield from self.block(stmt.orelse)

    def _next(self, stmt: For) -> Iterator[Step]:
        """What comes before the body in each round, where the project's own code gives the next item."""
        for target in rounds(stmt, self._fn, self._project):
            yield from self._calls.called(target, f"next of {short(stmt.iter)}", stmt.span, None)

    def _times(self, iterable: Expr) -> int | None:
        """How many rounds a ``for`` over a display or a constant ``range`` makes."""
        if isinstance(iterable, Seq) and not any(isinstance(item, Star) for item in iterable.items):
            return len(iterable.items)
        if isinstance(iterable, Call) and self._project.calls.is_call_to(iterable, self._fn, "builtins.range"):
            stop = iterable.args[0].value if len(iterable.args) == 1 else None
            return stop.value if isinstance(stop, Const) and isinstance(stop.value, int) else None
        return None

    def _try(self, stmt: Try) -> Iterator[Step]:
        """What fails may have got anywhere in the body: a way out of a branch there keeps no handler from running."""
        body, final = self.block(stmt.body), self.block(stmt.final)
        if not stmt.handlers and not any(map(is_real, final)):
            yield from body
            yield from () if surely(body) else final
            return
        way = surely(body)
        yield from without(body)
        arms = [(f"except {exceptions(handler.types)}", self.block(handler.body)) for handler in stmt.handlers]
        arms.append((ELSE, body[-1:] if way else self.block(stmt.orelse)))
        found = tuple(self._branches(stmt, FAILS, tuple(arms)))
        if any(map(is_real, final)):
            yield from without(found)
            yield from final
            if surely(found) and not surely(final):
                yield found[-1]
        else:
            yield from found

    def _with(self, stmt: With) -> Iterator[Step]:
        limit = next((found for item in stmt.items if (found := self._calls.limiter(item.context)) is not None), None)
        for item in stmt.items:
            yield from self._calls.expression(item.context, stmt)
        body = without(self.block(stmt.body), "raise")  # it may be suppressed
        behind = leaving(stmt, self._fn, self._project, self._depth)
        inner = (*without(body), *behind) if behind else body
        if limit is not None and inner:
            yield self._step("limit", text(limit), stmt.span, steps=inner, limit=self._calls.limit(limit))
        else:
            yield from inner
        if surely(body) and (behind or limit is not None):
            yield body[-1]

    def left(self, item: WithItem) -> Iterator[Step]:
        """What leaving one context manager does."""
        site = self._calls.site(item.context) if isinstance(item.context, Call) else None
        for target in self._project.calls.targets(item.context, self._fn) if isinstance(item.context, Call) else ():
            if target.fn.decorator_names & _MANAGERS:
                inner = behind_yield(target.fn, self._project, self._depth + 1)
                if inner:
                    yield self._step("call", f"end of `with {text(item.context)}`", item.span, steps=inner)
                return
        for value in self._project.evaluate.values(item.context, self._fn):
            if not isinstance(value, Instance):
                continue
            if isinstance(value.cls, Cls):
                for name in ("__exit__", "__aexit__"):
                    method = self._project.classes.method(value.cls, name)
                    if method is not None:
                        yield from self._calls.called(method, f"end of `with {text(item.context)}`", item.span, None)
                        return
                continue
            name = self._project.models.canonical(value.cls)
            model = self._project.models.resource(name)
            if name in _ENTERED_WAITS:
                yield self._step(
                    "wait", f"end of `with {text(item.context)}`", item.span, limit=None, bounded=False, site=site
                )
            elif model is not None and model.context_manager:
                yield self._step("release", f"end of `with {text(item.context)}`", item.span, site=site)
            return

    def _step(self, kind: Kind, label: str, span: Span, **more: Any) -> Step:
        return at_span(kind, label, span, self._fn, **more)


def behind_yield(fn: Fn, project: Project, depth: int = 0) -> tuple[Step, ...]:
    """What a function with ``@contextmanager`` does when its ``with`` block is left; behind the last ``yield``, others are guards."""
    reader = _Reader(fn, project, depth)
    yields = [
        at
        for at in fn.statements
        if any(isinstance(part, Yield) for root in own_exprs(at.stmt) for part in subexprs(root))
    ]
    found: list[Step] = []
    for place in yields[-1].around() if yields and depth <= MAX_DEPTH else ():
        found += reader.block(place.after())
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, With):
            found += leaving(outer, fn, project, depth)
        elif isinstance(outer, Try) and place.part != "final":
            found += (*reader.block(outer.orelse if place.part == "body" else ()), *reader.block(outer.final))
    return without(found)


def _span(stmt: Stmt) -> Span:
    return getattr(stmt, "span", NO_SPAN)
