"""The task that ``create_task`` returns is thrown away.

## What it does
Reports ``asyncio.create_task(...)``, ``asyncio.ensure_future(...)`` and ``loop.create_task(...)`` whose result is dropped,
and calls that drop the task which a function of the same file makes and hands out; and an ``asyncio.wait`` that ends with the
first of several tasks, made in the call itself, when nothing is done about those that are pending.

## Why it matters
The event loop keeps only a weak reference: the task may be collected in the midst of its work. When the loop ends it is
cancelled unseen, its exception is lost, and nobody can wait for it at shutdown.

## Example
```python
import asyncio


async def handle(message, store):
    asyncio.create_task(store.save(message))
```

## Use instead
```python
import asyncio

_background_tasks = set()


async def handle(message, store):
    task = asyncio.create_task(store.save(message))
    _background_tasks.add(task)
    task.add_done_callback(_background_tasks.discard)
```

## Fix safety
Safe: the task is kept in a set of the module until it is done; nothing else changes. What is still running when the loop
ends is cancelled as before.

## Precision
Silent for ``TaskGroup``, nurseries and wrappers that keep the task themselves: the receiver must be asyncio or an event loop. A future of
``run_coroutine_threadsafe`` that is dropped is strict, and reported where the coroutine has no end.
Of tasks made in an ``asyncio.wait`` those that do more than wait are strict: they may be meant to go on. In 350 unseen packages three
were found, two of them right and the third one of these.

## References
- [asyncio.create_task, Important](https://docs.python.org/3/library/asyncio-task.html#asyncio.create_task)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Call, Comp, ExprStmt, ModuleFacts, Name, Return, With
from shutdown_lint.findings import Confidence, Finding, Fix
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.swallowed._catching import awaits
from shutdown_lint.rules.work._common import names
from shutdown_lint.rules.work._handed_over import HandedOver, handed_over
from shutdown_lint.rules.work._raced_inline import Losers, losers
from shutdown_lint.walk import At, Site, dotted, enclosing_loops, sites, text, what_runs_after

RULE = Rule(
    code="SHD208",
    name="task-not-kept",
    summary="the result of create_task or ensure_future is dropped",
    tier="D",
    severity="warning",
    triggers=("create_task", "ensure_future", "run_coroutine_threadsafe"),
    fix="safe",
    origin=("G9",),
)
_NAMES = frozenset({"create_task", "ensure_future"})
_RUNS = frozenset({"run_forever", "run_until_complete"})
_CALLS = ("asyncio.create_task", "asyncio.ensure_future", "asyncio.AbstractEventLoop.create_task")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every call that makes a task and drops it."""
    makers = _makers(module, project)
    called = {maker.name for maker in makers}
    for fn in project.functions(module):
        if is_test(fn) or fn.facts.is_lambda:
            continue
        yield from (_unstoppable(module, found, fn) for found in handed_over(fn, project))
        yield from (_lost_race(module, race, fn) for race in losers(fn, project))
        for site in fn.sites:
            if names(site.call.func) in _NAMES and (_dropped(site) or _only_named(site, fn, project)):
                confidence = _makes_task(site.call, fn, project)
                if confidence is not None:
                    yield _finding(module, site, fn, confidence)
            elif names(site.call.func) in called and site.dropped and not site.awaited:
                targets = {target.fn for target in project.calls.targets(site.call, fn)}
                if targets and targets <= makers:
                    yield _through(module, site, fn, targets)


def _makers(module: ModuleFacts, project: Project) -> set[Fn]:
    """The functions of the module that make a task, keep nothing of it, and hand it to their caller."""
    return {fn for fn in project.functions(module) if _NAMES & fn.mentions and _hands_out(fn, project)}


def _hands_out(fn: Fn, project: Project) -> bool:
    if fn.facts.is_lambda or fn.facts.is_async or fn.facts.is_generator or fn.decorator_names - {"staticmethod"}:
        return False
    returned = [at.stmt.value for at in fn.statements if isinstance(at.stmt, Return)]
    return bool(returned) and all(
        isinstance(value, Call) and names(value.func) in _NAMES and _makes_task(value, fn, project) == "proven"
        for value in returned
    )


def _dropped(site: Site) -> bool:
    if site.dropped and not site.awaited:
        return True
    stmt = site.at.stmt
    if len(site.parents) == 1 and isinstance(site.parents[0], Comp) and isinstance(stmt, ExprStmt):
        return True  # a comprehension written for its effect
    return (
        not site.parents
        and isinstance(stmt, Assign)
        and all(isinstance(t, Name) and t.id == "_" for t in stmt.targets)
        and _is_left_at_once(site.at)
    )


def _only_named(site: Site, fn: Fn, project: Project) -> bool:
    """Whether the task has a name that is used for nothing but done callbacks, which do not hold it.

    A name without any use holds the task until the function is left, or until a loop binds it again.
    """
    stmt = site.at.stmt
    if site.parents or fn.is_module or not isinstance(stmt, Assign) or len(stmt.targets) != 1:
        return False
    target = stmt.targets[0]
    if not isinstance(target, Name) or target.id in fn.declared:
        return False
    inner = [f for f in project.functions(fn.module) if f is not fn and target.id in f.mentions]
    if any(project.evaluate.binding_scope(target.id, f) is fn for f in inner):
        return False
    uses = [use for use in fn.names(target.id) if not _is_target(use)]
    return all(_adds_callback(use) for use in uses) and (bool(uses) or _is_left_at_once(site.at))


def _is_left_at_once(at: At) -> bool:
    if next(enclosing_loops(at), None) is not None:
        return True
    if any(isinstance(place.stmt, With) for place in at.around()):
        return False
    behind = tuple(what_runs_after(at))
    return not awaits(behind) and not any(names(inner.call.func) in _RUNS for inner in sites(behind))


def _is_target(use: Site) -> bool:
    stmt = use.at.stmt
    return not use.parents and isinstance(stmt, Assign) and any(target is use.expr for target in stmt.targets)


def _adds_callback(use: Site) -> bool:
    attribute = use.parents[0] if use.parents else None
    return isinstance(attribute, Attr) and attribute.name == "add_done_callback" and len(use.parents) == 2


def _held(site: Site, fn: Fn) -> str:
    """By what the task is held that does not keep it."""
    target = site.at.stmt.targets[0]  # type: ignore[union-attr]  # an assignment to one name
    if any(not _is_target(use) for use in fn.names(names(target))):
        return "held by nothing but its done callback, which does not keep it"
    return f"held by nothing but `{names(target)}`, which nobody uses"


def _makes_task(call: Call, fn: Fn, project: Project) -> Confidence | None:
    known = project.calls.external(call, fn)
    if known:
        return "proven" if any(name in _CALLS for name in known) else None
    if project.calls.targets(call, fn) or not isinstance(call.func, Attr):
        return None
    receiver = names(call.func.value.func) if isinstance(call.func.value, Call) else names(call.func.value)
    return "likely" if receiver.endswith("loop") else None


def _finding(module: ModuleFacts, site: Site, fn: Fn, confidence: Confidence) -> Finding:
    given = site.call.args[0].value if site.call.args else None
    held = "dropped" if _dropped(site) else _held(site, fn)
    fixable = site.dropped and dotted(site.call.func) is not None and confidence == "proven"
    return RULE.finding(
        module,
        site.call.span,
        f"task `{text(given)}` is started in `{fn.qualname}` and {held}: it may vanish half-way, and is cancelled unseen when the loop ends",
        confidence=confidence,
        help="keep it in a set until it is done, use `asyncio.TaskGroup`, or await it",
        fix=Fix("safe", "keep the task until it is done", "shd208") if fixable else _unfixed(confidence),
    )


def _through(module: ModuleFacts, site: Site, fn: Fn, makers: set[Fn]) -> Finding:
    maker = min(makers, key=lambda found: found.facts.span)
    return RULE.finding(
        module,
        site.call.span,
        f"`{text(site.call)}` makes a task that `{fn.qualname}` drops, and `{maker.qualname}` keeps no hold of it: "
        "it may vanish half-way, and is cancelled unseen when the loop ends",
        trace=(maker.step(maker.facts.span, f"`{maker.qualname}` hands the task to its caller"),),
        help=f"keep the task in a set until it is done, here or for all callers in `{maker.qualname}`",
        fix="the task is made in another function",
    )


def _unstoppable(module: ModuleFacts, found: HandedOver, fn: Fn) -> Finding:
    return RULE.finding(
        module,
        found.site.call.span,
        f"`{found.body.qualname}` has no end, and `{fn.qualname}` drops the future of it: nothing can cancel it before its loop stops, nor see that it failed",
        tier="S",
        trace=(found.loop.step(f"endless loop in `{found.loop.fn.qualname}`"),),
        help="keep the future, cancel it where the owner ends, and wait for it",
        fix="the future belongs to another thread",
    )


def _lost_race(module: ModuleFacts, race: Losers, fn: Fn) -> Finding:
    given = text(race.task.args[0].value) if race.task.args else "…"
    more = ", and each round makes more of them" if race.again else ""
    return RULE.finding(
        module,
        race.wait.span,
        f"`asyncio.wait` in `{fn.qualname}` comes back when one of its tasks is done, and nobody knows the others{more}: "
        "they go on, and hang about until the loop ends",
        tier=None if race.idle else "S",
        trace=(fn.step(race.task.span, f"`{given}` may be the one that goes on"),),
        help="keep what is pending and cancel it: `done, pending = await asyncio.wait(…)`",
        fix="the tasks have no names",
    )


def _unfixed(confidence: Confidence) -> str:
    return "it is not a statement of its own" if confidence == "proven" else "the call is only likely to make a task"
