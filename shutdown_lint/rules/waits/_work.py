"""Which work a place waits for: the bodies of the threads, jobs and tasks that a join, a shutdown or an await stands for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Await, Call, Comp, Const, Expr, Name, Seq, Span, Star, Subscript, With
from shutdown_lint.findings import Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.handing import handed
from shutdown_lint.project.roles import Registration
from shutdown_lint.project.values import Container, Instance, Values
from shutdown_lint.rules.waits._polls import is_limited
from shutdown_lint.rules.waits._stops import acquisitions_of, method_name, receiver
from shutdown_lint.walk import At, Site, argument, own_exprs, subexprs, text

MAX_DEPTH = 3
_SUBMITS = (".submit", ".map")
_FUTURE_WAITS = ("concurrent.futures.wait", "concurrent.futures.as_completed")
_GATHERS = ("asyncio.gather", "asyncio.wait")
_FREE = frozenset({"wait", "as_completed", "gather"})  # functions whose first argument is what is waited for
_KINDS = {"thread": "thread", "timer": "thread", "process": "process", "task": "task"}
WORDS = frozenset({"join", "shutdown", "result", "exception", "wait", "as_completed", "gather"})


class Work(NamedTuple):
    """A body that is waited for: what it is, where it was started; ``owner``: it was started on, or given, the same ``self``.

    ``given`` are the positional arguments that it gets, written in ``maker``; ``cancelled``: somebody cancels the task.
    """

    body: Fn
    kind: str
    started: Step
    owner: Fn | None
    given: tuple[Expr, ...]
    maker: Fn
    cancelled: bool


class WaitFor(NamedTuple):
    """A wait for work: where, in which words, whether it has a limit; ``subject`` stands for what is waited for."""

    at: At
    span: Span
    text: str
    subject: Expr | None
    works: tuple[Work, ...]
    bounded: bool


def waits_for_work(fn: Fn, project: Project) -> Iterator[WaitFor]:
    """Every wait of the function whose work is known."""
    for site in fn.sites if fn.mentions & WORDS else ():
        if method_name(site.call) in WORDS and not (
            isinstance(site.call.func, Attr) and isinstance(site.call.func.value, Const)
        ):
            yield from _at_call(site, fn, project)
    for at in fn.statements:
        if isinstance(at.stmt, With) and not at.stmt.is_async:
            yield from _left_with(at, at.stmt, fn, project)
        elif fn.facts.is_async:
            yield from _awaits(at, fn, project)


def _at_call(site: Site, fn: Fn, project: Project) -> Iterator[WaitFor]:
    call = site.call
    if project.calls.is_call_to(call, fn, *_GATHERS) and site.awaited:
        works = tuple(work for arg in call.args for work in _tasks(arg.value, fn, project))
        yield from _wait(site, works, argument(call, 99, "timeout") is not None or is_limited(site))
        return
    wait = project.protocol.wait(site, fn)
    if wait is None:
        return
    if wait.model.wakes in ("thread", "process"):
        yield from _wait(site, tuple(_joined(receiver(call), fn, project)), wait.bounded)
    elif wait.model.call.endswith(".shutdown") and not wait.bounded:
        executors = project.evaluate.values(receiver(call), fn)
        yield from _wait(site, tuple(_jobs_of(executors, project)), False)
    elif wait.model.wakes == "job":
        futures = argument(call, 0, "fs") if wait.model.call in _FUTURE_WAITS else receiver(call)
        yield from _wait(site, tuple(_job(project.evaluate.values(futures, fn), project)), wait.bounded)


def about_self(expr: Expr | None, fn: Fn, project: Project, depth: int = 0) -> bool:
    """Whether the expression is held by (or made for) the function's own instance: ``self._pool``, a local that came from it."""
    name = project.classes.self_name(fn)
    if isinstance(expr, Attr):
        return isinstance(expr.value, Name) and expr.value.id == name
    if isinstance(expr, (Await, Star, Subscript)):
        return about_self(expr.value, fn, project, depth)
    if isinstance(expr, Call):
        made = expr.func.value if isinstance(expr.func, Attr) else None
        return about_self(made, fn, project, depth) or any(
            about_self(arg.value, fn, project, depth) or (isinstance(arg.value, Name) and arg.value.id == name)
            for arg in expr.args
        )
    if isinstance(expr, Name) and depth < MAX_DEPTH:
        bindings = fn.bindings.get(expr.id, ())
        sources = [getattr(b, "expr", getattr(b, "iter", getattr(b, "context", None))) for b in bindings]
        return bool(sources) and all(about_self(source, fn, project, depth + 1) for source in sources)
    return isinstance(expr, (Seq, Comp)) and any(
        isinstance(part, Attr) and about_self(part, fn, project) for part in subexprs(expr)
    )


def _wait(site: Site, works: tuple[Work, ...], bounded: bool) -> Iterator[WaitFor]:
    if works:
        subject = receiver(site.call) if method_name(site.call) not in _FREE else site.call.args[0].value
        yield WaitFor(site.at, site.call.span, text(site.call), subject, works, bounded)


def _joined(expr: Expr | None, fn: Fn, project: Project) -> Iterator[Work]:
    for made in acquisitions_of(expr, fn, project):
        kind = _KINDS.get(made.model.kind)
        for body in project.resources.bodies(made) if kind else ():
            step = made.fn.step(made.call.span, f"{kind} made in `{made.fn.qualname}`")
            owner = made.fn if _is_on_self(made.call, made.fn, project) else None
            cancelled = kind == "task" and project.resources.track(made).has("cancel")
            yield Work(body, kind or "", step, owner, _given(made.call), made.fn, cancelled)


def _given(call: Call) -> tuple[Expr, ...]:
    """``Thread(target=f, args=(a, b))``, ``create_task(f(a, b))``, ``submit(f, a, b)``."""
    args = argument(call, 99, "args")
    if isinstance(args, Seq):
        return args.items
    first = call.args[0].value if call.args else None
    if isinstance(first, Call):
        return tuple(arg.value for arg in first.args if arg.keyword is None)
    return tuple(arg.value for arg in call.args[1:] if arg.keyword is None)


def given_to(name: str, fn: Fn, project: Project) -> Iterator[tuple[Expr, Fn]]:
    """What a worker's parameter gets by ``Thread(target=fn, args=(…))``, and the function that says so."""
    for param in fn.facts.params:
        if param.name == name:
            yield from handed(fn, param, project)


def _is_on_self(call: Call, fn: Fn, project: Project) -> bool:
    """Whether ``self``, or a method of it, is among the arguments."""
    name = project.classes.self_name(fn)
    return name is not None and any(
        isinstance(part, Name) and part.id == name for arg in call.args for part in subexprs(arg.value)
    )


# --- jobs ------------------------------------------------------------------------------------------------------------


def _made_by(values: Values) -> set[int]:
    found = [*values, *(element for value in values if isinstance(value, Container) for element in value.elements)]
    return {id(value.call) for value in found if isinstance(value, Instance) and value.call is not None}


def _jobs_of(executors: Values, project: Project) -> Iterator[Work]:
    """What is submitted to the executors, and the callbacks of its futures, which the same threads run."""
    wanted = _made_by(executors)
    submitted = set()
    for given in project.roles.registrations() if wanted else ():
        if given.callback.call.endswith(_SUBMITS) and wanted & _made_by(
            project.evaluate.values(receiver(given.site.call), given.fn)
        ):
            submitted.add(id(given.site.call))
            yield from _registered(given, "job", project)
    for given in project.roles.registrations() if submitted else ():
        if given.callback.role == "done-callback" and submitted & _made_by(
            project.evaluate.values(receiver(given.site.call), given.fn)
        ):
            yield from _registered(given, "callback of a job", project)


def _job(futures: Values, project: Project) -> Iterator[Work]:
    wanted = _made_by(futures)
    for given in project.roles.registrations() if wanted else ():
        if id(given.site.call) in wanted:
            yield from _registered(given, "job", project)


def _registered(given: Registration, kind: str, project: Project) -> Iterator[Work]:
    step = given.fn.step(given.site.call.span, f"`{text(given.site.call)}` in `{given.fn.qualname}`")
    owner = given.fn if _is_on_self(given.site.call, given.fn, project) else None
    process = given.callback.role in ("pool-process", "process")
    kind = "process" if process else kind
    yield from (Work(target, kind, step, owner, _given(given.site.call), given.fn, False) for target in given.targets)


def _left_with(at: At, stmt: With, fn: Fn, project: Project) -> Iterator[WaitFor]:
    """``with ThreadPoolExecutor() as pool:`` waits for the jobs when it is left."""
    for item in stmt.items:
        if isinstance(item.context, Call) and "Executor" in method_name(item.context):
            works = tuple(_jobs_of(project.evaluate.values(item.context, fn), project))
            if works:
                yield WaitFor(at, item.span, f"with {text(item.context)}", item.context, works, False)


# --- tasks -----------------------------------------------------------------------------------------------------------


def _awaits(at: At, fn: Fn, project: Project) -> Iterator[WaitFor]:
    """``await self._task``."""
    for root in own_exprs(at.stmt):
        for part in subexprs(root):
            if isinstance(part, Await) and isinstance(part.value, (Name, Attr)):
                works = tuple(_tasks(part.value, fn, project))
                if works:
                    yield WaitFor(at, part.span, text(part), part.value, works, False)


def _tasks(expr: Expr, fn: Fn, project: Project) -> Iterator[Work]:
    """The bodies of the tasks that the expression stands for."""
    parts: Iterable[Expr] = (
        (expr.value,) if isinstance(expr, Star) else expr.items if isinstance(expr, Seq) else (expr,)
    )
    for part in parts:
        yield from (work for work in _joined(part, fn, project) if work.kind == "task")
