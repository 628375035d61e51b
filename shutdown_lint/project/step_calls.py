"""The steps of an expression: what a call waits for, stops, releases, tells, or runs of the project's own code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from shutdown_lint.facts import Arg, Attr, Await, Call, Comp, Expr, Name, Span, Stmt
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.limits import seconds
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.settled import settled
from shutdown_lint.project.step import Kind, Step, at_span
from shutdown_lint.project.step_ends import Ends
from shutdown_lint.project.values import Coroutine, Instance
from shutdown_lint.walk import Site, argument, children, last_name, text

if TYPE_CHECKING:
    from shutdown_lint.project import Project

_GROUPS = ("asyncio.gather",)
# What runs the coroutine that it gets before it comes back; here and not in the models: it is how calls nest.
_RUNNERS = ("asyncio.run", "asyncio.AbstractEventLoop.run_until_complete", "asyncio.Runner.run", "asyncio.shield")
_LIMITS = {"asyncio.wait_for": 1, "asyncio.timeout": 0, "trio.fail_after": 0, "trio.move_on_after": 0, "anyio.fail_after": 0,
           "anyio.move_on_after": 0, "async_timeout.timeout": 0}  # fmt: skip
_THREADED = {"asyncio.to_thread": 0, "asyncio.AbstractEventLoop.run_in_executor": 1}
_LATER = frozenset(
    {"create_task", "ensure_future", "call_soon", "call_soon_threadsafe", "call_later", "submit", "start_soon"}
)
_ENDS = ("sys.exit", "os._exit", "builtins.exit", "builtins.quit")
_STOPS = frozenset({"stop", "shutdown", "terminate", "close", "cancel", "kill", "request_stop", "signal_stop"})


class Calls:
    """Reads the steps of the calls of one function; ``inside`` gives those of a function that is called."""

    def __init__(self, fn: Fn, project: Project, inside: Callable[[Fn], tuple[Step, ...]]) -> None:
        self._fn, self._project, self._inside = fn, project, inside
        self._ends = Ends(fn, project)
        self._sites: dict[int, Site] = {}

    def expression(self, expr: Expr, stmt: Stmt) -> Iterator[Step]:
        """The steps of evaluating the expression, in the order of evaluation."""
        if isinstance(expr, Call):
            yield from self._call(expr, stmt, awaited=False)
        elif isinstance(expr, Await) and isinstance(expr.value, Call):
            yield from self._call(expr.value, stmt, awaited=True)
        elif isinstance(expr, Await) and isinstance(expr.value, (Name, Attr)):
            if self._is_task(expr.value):
                yield self._step("wait", text(expr), expr.span, limit=None, bounded=False)
        else:
            for child in children(expr):
                yield from self.expression(child, stmt)

    def _is_task(self, expr: Expr) -> bool:
        """A task, or a container of tasks."""
        values = self._project.evaluate.values(expr, self._fn)
        found = (*values, *self._project.evaluate.elements(values))
        models = self._project.models
        return any(
            isinstance(value, Instance)
            and isinstance(value.cls, str)
            and (model := models.resource(value.cls)) is not None
            and model.kind == "task"
            for value in found
        )

    def _call(self, call: Call, stmt: Stmt, awaited: bool) -> Iterator[Step]:
        last = last_name(call.func)
        names = self._project.calls.external(call, self._fn)
        if any(name in _GROUPS for name in names):
            yield from self._group(call, stmt)
            return
        if "asyncio.wait_for" in names and call.args:
            inner = tuple(self._awaited(call.args[0].value, stmt, call.span))
            seen = not self._is_foreign(call.args[0].value)
            yield (
                self._step(
                    "limit",
                    text(call),
                    call.span,
                    steps=inner,
                    limit=self.limit(call),
                    bounded=seen,
                    site=self.site(call),
                    given=argument(call, 1, "timeout"),
                )
                if inner
                else self._step("wait", text(call), call.span, limit=self.limit(call))
            )
            return
        if any(name in _RUNNERS for name in names) and call.args:
            yield from self._awaited(call.args[0].value, stmt, call.span)
            return
        for child in children(call):
            if not (last in _LATER and isinstance(child, Call)):  # the coroutine of a new task does not run here
                yield from self.expression(child, stmt)
        yield from self._itself(call, last, names, awaited)

    def _is_foreign(self, expr: Expr) -> bool:
        """Whether it is a coroutine of a library: how long it lasts is not known."""
        return isinstance(expr, Call) and not self._project.calls.targets(expr, self._fn)

    def _awaited(self, expr: Expr, stmt: Stmt, span: Span) -> Iterator[Step]:
        """What awaiting the expression does; ``span`` is that of the call which awaits it."""
        if isinstance(expr, Call):
            yield from self._call(expr, stmt, awaited=True)
        elif isinstance(expr, (Name, Attr)) and self._is_task(expr):
            yield self._step("wait", text(expr), span, limit=None, bounded=False)
        else:
            yield from self.expression(expr, stmt)

    def _gathered(self, arg: Arg, stmt: Stmt, span: Span) -> Iterator[Step]:
        """One argument of a group: ``*tasks`` are waited for until the last of them has ended."""
        expr = arg.value
        if not arg.star:
            yield from self._awaited(expr, stmt, span)
        elif isinstance(expr, Comp):
            for element in expr.elements:
                yield from self._awaited(element, stmt, span)
        elif not self._makes_coroutines(expr):
            yield self._step("wait", f"*{text(expr)}", span, limit=None, bounded=False)

    def _makes_coroutines(self, expr: Expr) -> bool:
        """Whether the elements are coroutines that the project's own functions make: they have steps of their own."""
        values = self._project.evaluate.values(expr, self._fn)
        return any(isinstance(value, Coroutine) for value in self._project.evaluate.elements(values))

    def _group(self, call: Call, stmt: Stmt) -> Iterator[Step]:
        inner = tuple(
            self._step("branch", text(arg.value), call.span, steps=steps)
            for arg in call.args
            if (steps := tuple(self._gathered(arg, stmt, call.span)))
        )
        if inner:
            yield self._step("group", text(call), call.span, steps=inner)

    def _itself(self, call: Call, last: str, names: tuple[str, ...], awaited: bool) -> Iterator[Step]:
        if any(name in _ENDS for name in names):
            yield self._step("exit", text(call), call.span)
            return
        if "asyncio.wait" in names:
            given = argument(call, 99, "timeout")
            limit = seconds(given, self._fn, self._project)
            yield self._step(
                "wait", text(call), call.span, limit=limit, bounded=given is not None, site=self.site(call), given=given
            )
            return
        threaded = next((_THREADED[name] for name in names if name in _THREADED), None)
        if threaded is not None:
            given = call.args[threaded].value if len(call.args) > threaded else None
            for target in self._project.calls.callables(given, self._fn):
                yield from self.called(target, text(call), call.span, None)
            if given is not None:
                yield from self._ends.elsewhere(given, call._replace(args=call.args[threaded + 1 :]), self.site(call))
            return
        site = self.site(call)
        wait = self._project.protocol.wait(site, self._fn) if site is not None else None
        if wait is not None:
            yield from self._ends.wait(wait)
            return
        targets = self._project.calls.targets(call, self._fn)
        if targets:
            sure = _is_super(call)  # an override of the method does not run by `super()`
            found = (target.fn for target in targets if target.confidence == "proven" or not sure)
            inner = tuple(self._targets(tuple(dict.fromkeys(found)), call, site, awaited))
            yield from inner or self._told(call, last, names, site)
            return
        yield from self._ends.told(call, last, names, site)

    def _told(self, call: Call, last: str, names: tuple[str, ...], site: Site | None) -> Iterator[Step]:
        """A call of the project's own that does nothing but tell: ``worker.stop()`` sets a flag."""
        if last in _STOPS and isinstance(call.func, Attr):
            yield self._step("stop", text(call), call.span, site=site)
        elif names:
            yield from self._ends.told(call, last, names, site)

    def _targets(self, targets: tuple[Fn, ...], call: Call, site: Site | None, awaited: bool) -> Iterator[Step]:
        run = [
            t
            for t in targets
            if not t.facts.is_generator
            and t.name != "__init__"
            and (not t.facts.is_async or awaited)
            and (not is_test(t) or is_test(self._fn))
        ]
        if len(run) == 1:
            yield from self.called(run[0], text(call), call.span, site)
        elif run:
            arms = [(target, tuple(self.called(target, target.qualname, call.span, site))) for target in run]
            inner = [self._step("branch", target.qualname, call.span, steps=steps) for target, steps in arms if steps]
            if inner and len(inner) < len(arms):
                inner.append(self._step("branch", "any other", call.span))
            if inner:
                yield self._step("choice", text(call), call.span, steps=tuple(inner))

    def called(self, target: Fn, label: str, span: Span, site: Site | None) -> Iterator[Step]:
        inner = self._inside(target)
        if site is not None:
            inner = settled(inner, target, site.call, self._fn, self._project)
        if inner:
            yield self._step("call", label, span, steps=inner, site=site)

    # --- limits --------------------------------------------------------------------------------------------------------

    def limiter(self, context: Expr) -> Call | None:
        inner = context.value if isinstance(context, Await) else context
        names = self._project.calls.external(inner, self._fn) if isinstance(inner, Call) else ()
        return inner if isinstance(inner, Call) and any(name in _LIMITS for name in names) else None

    def limit(self, call: Call) -> float | None:
        name = next((n for n in self._project.calls.external(call, self._fn) if n in _LIMITS), "")
        given = argument(call, _LIMITS.get(name, 99), "timeout" if name == "asyncio.wait_for" else "delay")
        return seconds(given, self._fn, self._project)

    # --- making ------------------------------------------------------------------------------------------------------------

    def _step(self, kind: Kind, label: str, span: Span, **more: Any) -> Step:
        return at_span(kind, label, span, self._fn, **more)

    def site(self, call: Call) -> Site | None:
        """Where the call stands."""
        if not self._sites:
            self._sites = {id(site.expr): site for site in self._fn.sites}
        return self._sites.get(id(call))


def _is_super(call: Call) -> bool:
    """``super().stop()``."""
    made = call.func.value if isinstance(call.func, Attr) else None
    return isinstance(made, Call) and isinstance(made.func, Name) and made.func.id == "super"
