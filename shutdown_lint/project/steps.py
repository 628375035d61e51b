"""What a piece of code does that matters when the program ends: its waits, stops and releases as an ordered tree.

A ``Step`` is a wait, a stop, a release, a call of a project function with the steps inside it, a loop, a choice between
branches, a group of things that go on at the same time, or a limit around other steps. Everything else that the code
does is left out, so that a function without any such step has none. The trees are made on demand, once for each
function, and end at recursion and at ``MAX_DEPTH`` calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from shutdown_lint.facts import (
    NO_SPAN,
    Arg,
    Attr,
    Await,
    Body,
    Call,
    Comp,
    Const,
    Expr,
    For,
    If,
    Match,
    Name,
    Op,
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
from shutdown_lint.project.limits import deadline, seconds, until
from shutdown_lint.project.memo import Memo
from shutdown_lint.project.settled import settled
from shutdown_lint.project.values import Coroutine, Instance
from shutdown_lint.walk import Site, argument, children, last_name, own_exprs, subexprs, text

if TYPE_CHECKING:
    from shutdown_lint.project import Project
    from shutdown_lint.project.protocol import Wait

Kind: TypeAlias = Literal[
    "call", "wait", "stop", "release", "tell", "raise", "exit", "loop", "choice", "branch", "group", "limit",
    "lost",  # what nobody waits for, at the end of the program
    "maybe", "part",  # a choice with one branch, and one of a group, as the map shows them
]  # fmt: skip

FAILS, ELSE = "if it fails", "otherwise"  # how the branches of a ``try`` are called
MAX_DEPTH = 6
MAX_TEXT = 40
_GROUPS = ("asyncio.gather",)
# What runs the coroutine that it gets before it comes back; here and not in the models: it is how calls nest.
_RUNNERS = ("asyncio.run", "asyncio.AbstractEventLoop.run_until_complete", "asyncio.Runner.run", "asyncio.shield")
_SENDERS = ("os.kill", "os.killpg", "signal.pidfd_send_signal")  # to another process
_RAISERS = ("signal.raise_signal",)
_LIMITS = {"asyncio.wait_for": 1, "asyncio.timeout": 0, "trio.fail_after": 0, "trio.move_on_after": 0, "anyio.fail_after": 0,
           "anyio.move_on_after": 0, "async_timeout.timeout": 0}  # fmt: skip
_THREADED = {"asyncio.to_thread": 0, "asyncio.AbstractEventLoop.run_in_executor": 1}
_LATER = frozenset(
    {"create_task", "ensure_future", "call_soon", "call_soon_threadsafe", "call_later", "submit", "start_soon"}
)
_EVENTS = ("threading.Event", "multiprocessing.Event", "asyncio.Event")
_ENDS = ("sys.exit", "os._exit", "builtins.exit", "builtins.quit")
# Names by which an object of unknown type is released; the step says no more than that the code does it.
_RELEASES = frozenset({
    "close", "aclose", "shutdown", "stop", "terminate", "disconnect", "wait_closed", "cleanup", "release", "cancel", "kill", "join",
})  # fmt: skip
_STOPS = frozenset({"stop", "shutdown", "terminate", "close", "cancel", "kill", "request_stop", "signal_stop"})
# Names by which one waits for an object of unknown type, where the result is dropped (that of `str.join` never is).
_WAITS = frozenset({"join", "wait"})
_MANAGERS = frozenset({"contextmanager", "asynccontextmanager"})
_ENTERED_WAITS = ("concurrent.futures.ThreadPoolExecutor", "concurrent.futures.ProcessPoolExecutor")


class Step(NamedTuple):
    """One step.

    ``limit`` is how many seconds it lasts at most: 0 where it does not wait; None where that is not known. ``bounded`` tells
    the two cases of None apart: a wait without any limit (False), and one whose limit is only known at run time (True). A limit
    that is not ``bounded`` is around something that may last until it is over.
    ``steps`` are the inner steps of a call, loop, branch, group, limit, or the branches of a choice. ``times`` is how
    often a loop runs its steps, None where that is not known. ``fn`` and ``site`` say where the code is, for further questions.
    Waits of one ``deadline`` (its name with that of the function) share the limit: together they last no longer.
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

    @property
    def waits(self) -> bool:
        """Whether it is a wait itself."""
        return self.kind == "wait"


def leaves(steps: Iterable[Step], inside: tuple[Step, ...] = ()) -> Iterator[tuple[Step, tuple[Step, ...]]]:
    """The steps without inner ones, in order, each with the steps around it, outermost first."""
    for step in steps:
        if step.steps:
            yield from leaves(step.steps, (*inside, step))
        else:
            yield step, inside


_MEMO: Memo[dict[Fn, tuple[Step, ...]]] = Memo()


def of_function(fn: Fn, project: Project, depth: int = 0) -> tuple[Step, ...]:
    """The steps of the function's body, in order."""
    memo = _MEMO.setdefault(project, {})
    if fn not in memo:
        if depth > MAX_DEPTH:
            return ()
        memo[fn] = ()  # recursion ends here
        memo[fn] = of_block(fn.facts.body, fn, project, depth)
    return memo[fn]


def of_block(block: Body, fn: Fn, project: Project, depth: int = 0) -> tuple[Step, ...]:
    """The steps of some statements of the function."""
    return tuple(step for stmt in block for step in _Reader(fn, project, depth).statement(stmt))


def leaving(stmt: With, fn: Fn, project: Project, depth: int = 0) -> tuple[Step, ...]:
    """What leaving a ``with`` statement does: the last context manager first."""
    reader = _Reader(fn, project, depth)
    return tuple(step for item in reversed(stmt.items) for step in reader.left(item))


class _Reader:
    """Reads the steps of one function; ``depth`` is the number of calls above it."""

    def __init__(self, fn: Fn, project: Project, depth: int) -> None:
        self._fn, self._project, self._depth = fn, project, depth
        self._sites: dict[int, Site] = {}

    # --- statements ----------------------------------------------------------------------------------------------------

    def statement(self, stmt: Stmt) -> Iterator[Step]:
        if isinstance(stmt, If):
            yield from self._own(stmt)
            yield from self._choice(stmt, f"if {_short(stmt.test)}", (("then", stmt.body), ("else", stmt.orelse)))
        elif isinstance(stmt, Match):
            yield from self._own(stmt)
            yield from self._choice(
                stmt, f"match {text(stmt.subject)}", tuple(("case", case.body) for case in stmt.cases)
            )
        elif isinstance(stmt, (While, For)):
            yield from self._loop(stmt)
        elif isinstance(stmt, Try):
            yield from self._try(stmt)
        elif isinstance(stmt, With):
            yield from self._with(stmt)
        else:
            yield from self._own(stmt)

    def block(self, block: Body) -> tuple[Step, ...]:
        return tuple(step for stmt in block for step in self.statement(stmt))

    def _own(self, stmt: Stmt) -> Iterator[Step]:
        for expr in own_exprs(stmt):
            yield from self.expression(expr, stmt)

    def _choice(self, stmt: Stmt, label: str, arms: tuple[tuple[str, Body], ...]) -> Iterator[Step]:
        branches = [(name, self.block(body)) for name, body in arms]
        if any(steps for _, steps in branches):
            span = _span(stmt)
            inner = tuple(self._step("branch", name, span, steps=steps) for name, steps in branches)
            yield self._step("choice", label, span, steps=inner)

    def _loop(self, stmt: While | For) -> Iterator[Step]:
        if isinstance(stmt, For):
            yield from self.expression(stmt.iter, stmt)
            label, times = f"for … in {_short(stmt.iter)}", self._times(stmt.iter)
            inner = self.block(stmt.body)
        else:
            label, times = f"while {_short(stmt.test)}", None
            inner = (*self.expression(stmt.test, stmt), *self.block(stmt.body))
        if inner:
            loop = self._step("loop", label, stmt.span, steps=inner, times=times)
            end = until(stmt.test, self._fn) if isinstance(stmt, While) else None
            limit = seconds(end.after, self._fn, self._project) if end is not None else None
            yield self._step("limit", label, stmt.span, steps=(loop,), limit=limit) if limit is not None else loop
        yield from self.block(stmt.orelse)

    def _times(self, iterable: Expr) -> int | None:
        """How many rounds a ``for`` over a display or a constant ``range`` makes."""
        if isinstance(iterable, Seq) and not any(isinstance(item, Star) for item in iterable.items):
            return len(iterable.items)
        if isinstance(iterable, Call) and self._project.calls.is_call_to(iterable, self._fn, "builtins.range"):
            stop = iterable.args[0].value if len(iterable.args) == 1 else None
            return stop.value if isinstance(stop, Const) and isinstance(stop.value, int) else None
        return None

    def _try(self, stmt: Try) -> Iterator[Step]:
        yield from self.block(stmt.body)
        arms = tuple((f"except {_types(handler.types)}", handler.body) for handler in stmt.handlers)
        if any(self.block(body) for _, body in arms):
            yield from self._choice(stmt, FAILS, (*arms, (ELSE, stmt.orelse)) if stmt.orelse else arms)
        else:
            yield from self.block(stmt.orelse)
        yield from self.block(stmt.final)

    def _with(self, stmt: With) -> Iterator[Step]:
        limit = next((found for item in stmt.items if (found := self._limit_of(item.context)) is not None), None)
        for item in stmt.items:
            yield from self.expression(item.context, stmt)
        inner = (*self.block(stmt.body), *leaving(stmt, self._fn, self._project, self._depth))
        if limit is not None and inner:
            yield self._step("limit", text(limit), stmt.span, steps=inner, limit=self._limit(limit))
        else:
            yield from inner

    def left(self, item: WithItem) -> Iterator[Step]:
        """What leaving one context manager does."""
        site = self._site(item.context) if isinstance(item.context, Call) else None
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
                        yield from self._called(method, f"end of `with {text(item.context)}`", item.span, None)
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

    # --- expressions ---------------------------------------------------------------------------------------------------

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
                    limit=self._limit(call),
                    bounded=seen,
                    site=self._site(call),
                )
                if inner
                else self._waited(call, self._limit(call))
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
                "wait", text(call), call.span, limit=limit, bounded=given is not None, site=self._site(call)
            )
            return
        threaded = next((_THREADED[name] for name in names if name in _THREADED), None)
        if threaded is not None:
            given = call.args[threaded].value if len(call.args) > threaded else None
            for target in self._project.calls.callables(given, self._fn):
                yield from self._called(target, text(call), call.span, None)
            return
        site = self._site(call)
        wait = self._project.protocol.wait(site, self._fn) if site is not None else None
        if wait is not None:
            yield from self._wait(wait)
            return
        targets = self._project.calls.targets(call, self._fn)
        if targets:
            sure = _is_super(call)  # an override of the method does not run by `super()`
            found = (target.fn for target in targets if target.confidence == "proven" or not sure)
            inner = tuple(self._targets(tuple(dict.fromkeys(found)), call, site, awaited))
            yield from inner or self._told(call, last, names, site)
            return
        yield from self._released(call, last, names, site)

    def _told(self, call: Call, last: str, names: tuple[str, ...], site: Site | None) -> Iterator[Step]:
        """A call of the project's own that does nothing but tell: ``worker.stop()`` sets a flag."""
        if last in _STOPS and isinstance(call.func, Attr):
            yield self._step("stop", text(call), call.span, site=site)
        elif names:
            yield from self._released(call, last, names, site)

    def _targets(self, targets: tuple[Fn, ...], call: Call, site: Site | None, awaited: bool) -> Iterator[Step]:
        run = [
            t
            for t in targets
            if not t.facts.is_generator and t.name != "__init__" and (not t.facts.is_async or awaited)
        ]
        if len(run) == 1:
            yield from self._called(run[0], text(call), call.span, site)
        elif run:
            arms = [(target, tuple(self._called(target, target.qualname, call.span, site))) for target in run]
            inner = [self._step("branch", target.qualname, call.span, steps=steps) for target, steps in arms if steps]
            if inner and len(inner) < len(arms):
                inner.append(self._step("branch", "any other", call.span))
            if inner:
                yield self._step("choice", text(call), call.span, steps=tuple(inner))

    def _called(self, target: Fn, label: str, span: Span, site: Site | None) -> Iterator[Step]:
        inner = of_function(target, self._project, self._depth + 1)
        if site is not None:
            inner = settled(inner, target, site.call, self._project)
        if inner:
            yield self._step("call", label, span, steps=inner, site=site)

    def _wait(self, wait: Wait) -> Iterator[Step]:
        call = wait.site.call
        if wait.model.call.endswith("Queue.put") and self._is_unbounded(call):
            return
        found = self._limited(call, self._given(wait), wait.bounded or wait.model.wakes == "time", wait.site)
        if self._is_sure_to_end(call):
            yield self._step("wait", text(call), call.span, site=wait.site)
        elif found.limit != 0.0 and not (wait.model.call == "os.waitpid" and _polls(call)):
            yield found

    def _is_unbounded(self, call: Call) -> bool:
        """Whether the queue surely was made without a size: ``put`` never waits."""
        queues = self._project.evaluate.values(call.func.value, self._fn) if isinstance(call.func, Attr) else ()
        made = [value.call for value in queues if isinstance(value, Instance)]
        return bool(made) and all(call is not None and not call.args for call in made)

    def _limited(self, call: Call, given: Expr | None, bounded: bool, site: Site | None) -> Step:
        """A wait with the limit that is given for it; a rest of the time until a deadline is at most that of the deadline."""
        until = deadline(given, self._fn)
        limit = seconds(until.after if until is not None else given, self._fn, self._project) if bounded else None
        found = self._step("wait", text(call), call.span, limit=limit, bounded=bounded, site=site)
        return found._replace(deadline=f"{self._fn.qualname}:{until.name}") if until is not None else found

    def _given(self, wait: Wait) -> Expr | None:
        """The expression that limits the wait."""
        call, model = wait.site.call, wait.model
        if model.wakes == "time":
            return argument(call, 0, "secs")
        if not wait.bounded:
            return None
        for keyword in ("block", "blocking", "wait"):
            given = argument(call, 0, keyword)
            if isinstance(given, Const) and given.value is False:
                return Const(0)
        return argument(call, model.position if model.position >= 0 else 99, model.timeout or "\0")

    def _is_sure_to_end(self, call: Call) -> bool:
        """A wait for a child of which the same function has written ``kill()`` in a line before."""
        receiver = call.func.value if isinstance(call.func, Attr) else None
        return receiver is not None and any(
            last_name(site.call.func) in ("kill", "killpg")
            and site.call.span.line < call.span.line
            and isinstance(site.call.func, Attr)
            and text(site.call.func.value) == text(receiver)
            for site in self._fn.sites
        )

    def _waited(self, call: Call, limit: float | None) -> Step:
        return self._step("wait", text(call), call.span, limit=limit, bounded=True)

    def _released(self, call: Call, last: str, names: tuple[str, ...], site: Site | None) -> Iterator[Step]:
        """A stop or a release, by the type of the receiver; by its name where the type is unknown."""
        if not isinstance(call.func, Attr):
            return
        if any(name in _SENDERS for name in names) and len(call.args) > 1 and not _is_zero(call.args[1].value):
            yield self._step("tell", text(call), call.span, site=site)
            return
        if any(name in _RAISERS for name in names):
            yield self._step("tell", text(call), call.span, site=site)
            return
        if last == "set" and any(name.rpartition(".")[0] in _EVENTS for name in names):
            yield self._step("tell", text(call), call.span, site=site)
            return
        model = self._project.resources.model_of(call.func.value, self._fn)
        known = model is not None and last in model.release
        if last in _WAITS and site is not None and site.dropped and (known or (model is None and not names)):
            given = call.args[0].value if call.args else None
            if self._is_sure_to_end(call):
                yield self._step("wait", text(call), call.span, site=site)
            else:
                yield self._limited(call, given, given is not None, site)
        elif model is not None and last in model.release:
            yield self._step("release", text(call), call.span, site=site)
        elif model is not None and last in model.stop:
            yield self._step("stop", text(call), call.span, site=site)
        elif model is None and last in _RELEASES and not names and not isinstance(call.func.value, Const):
            yield self._step("release", text(call), call.span, site=site)

    # --- limits --------------------------------------------------------------------------------------------------------

    def _limit_of(self, context: Expr) -> Call | None:
        inner = context.value if isinstance(context, Await) else context
        names = self._project.calls.external(inner, self._fn) if isinstance(inner, Call) else ()
        return inner if isinstance(inner, Call) and any(name in _LIMITS for name in names) else None

    def _limit(self, call: Call) -> float | None:
        name = next((n for n in self._project.calls.external(call, self._fn) if n in _LIMITS), "")
        given = argument(call, _LIMITS.get(name, 99), "timeout" if name == "asyncio.wait_for" else "delay")
        return seconds(given, self._fn, self._project)

    # --- making --------------------------------------------------------------------------------------------------------

    def _step(
        self,
        kind: Kind,
        label: str,
        span: Span,
        *,
        steps: tuple[Step, ...] = (),
        limit: float | None = 0.0,
        bounded: bool = True,
        times: int | None = None,
        site: Site | None = None,
    ) -> Step:
        fn = self._fn
        return Step(kind, label, fn.module.path, span.line, span.col, limit, bounded, times, steps, fn, site)

    def _site(self, call: Call) -> Site | None:
        if not self._sites:
            self._sites = {id(site.expr): site for site in self._fn.sites}
        return self._sites.get(id(call))


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
    return tuple(found)


def _is_super(call: Call) -> bool:
    """``super().stop()``."""
    made = call.func.value if isinstance(call.func, Attr) else None
    return isinstance(made, Call) and isinstance(made.func, Name) and made.func.id == "super"


def _polls(call: Call) -> bool:
    """``os.waitpid(pid, os.WNOHANG)``."""
    return len(call.args) > 1 and not _is_zero(call.args[1].value)


def _is_zero(expr: Expr) -> bool:
    return isinstance(expr, Const) and expr.value == 0


def _span(stmt: Stmt) -> Span:
    return getattr(stmt, "span", NO_SPAN)


def _short(expr: Expr) -> str:
    """A condition or iterable in a few words."""
    said = _condition(expr)
    return said if len(said) <= MAX_TEXT else f"{said[: MAX_TEXT - 1]}…"


def _condition(expr: Expr) -> str:
    if isinstance(expr, Op) and expr.op == "not":
        return f"not {_condition(expr.operands[0])}"
    if isinstance(expr, Op) and expr.op not in ("if", "?"):
        return f" {expr.op.replace('-', ' ').strip() or '-'} ".join(map(_condition, expr.operands))
    return "None" if isinstance(expr, Const) and expr.value is None else text(expr, MAX_TEXT)


def _types(types: Expr | None) -> str:
    if isinstance(types, Seq):
        return ", ".join(text(item) for item in types.items)
    return text(types) if types is not None else "anything"
