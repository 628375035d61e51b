"""One raising step of a cleanup skips all the steps after it.

## What it does
Reports a release in a stop method, or in a ``finally``, that can fail because it talks to a server, runs code that
others supply or waits with a limit that raises, when further releases follow it with nothing that catches what it raises: in a row, or as the members of a
loop. In coroutines also a loop that catches ``Exception`` of each member, supplied from outside, and so loses the rest when one of
them (or the stop itself) is cancelled, and the await of a task that was just cancelled (or that another method cancelled and left where it
was), or may have failed, with nothing around it that takes what it raises. What is said to the peer (`await writer.drain()`) counts as a
step, and so does the event that others wait for without limit. A `close()` that is reached by the very task which it cancels is reported too;
and callbacks that a public method takes from anybody, called in a loop at the end.

## Why it matters
Programs are stopped when something is wrong, and a good-bye to a server that is gone raises. The steps after it never
run: buffers are not flushed, threads go on, the other members stay open.

## Example
```python
class Bridge:
    async def stop(self):
        await self.mqtt_client.disconnect()
        await self.recorder.close()
```

## Use instead
```python
class Bridge:
    async def stop(self):
        try:
            await self.mqtt_client.disconnect()
        finally:
            await self.recorder.close()
```

## Precision
By default: awaited releases of a network object before the release of another object, and loops over members that are
supplied from outside, whose method is for others to implement, or that a network library makes; and waits that raise when their
limit is over (`Popen.wait(timeout)`, `asyncio.wait_for`), which is the very case that they were given a limit for. A method that is
for others to implement is judged by the project's own classes (of a protocol, by those that fit it), unless the project makes none
of them itself: then its users choose, and theirs may be any. Strict: the same in functions without ``async``, and awaited steps that
run code of others at most one call deep. Preview: awaited steps of which nothing is known (in unseen packages half of them could not
fail). By default 3 of 8 were right in unseen packages before closing a pooled client was known to say nothing, 9 of 12 since, and
36 of 38 in 700 more. Callbacks that an ``__exit__`` calls only where the block went well are no cleanup.
The await of a cancelled task is reported by default where its coroutine lets the cancellation out; strict where it takes it for its
end, which helps only a task that has run already, and where a task may have failed of a server or of code of others.
A task cancels itself only by calls on the same object, awaited on the spot, where nobody asks for `asyncio.current_task()`.
Silent where a ``try`` or ``suppress`` is around the step, where the step cannot raise (``Task.cancel``, ``Event.set``, what the project itself catches), for local
sockets, files and threads, and where the step after it is a base's method without a body.

## References
- [contextlib.AsyncExitStack](https://docs.python.org/3/library/contextlib.html#contextlib.AsyncExitStack)
- [The try statement](https://docs.python.org/3/reference/compound_stmts.html#the-try-statement)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Call, Expr, ModuleFacts, Name
from shutdown_lint.findings import Finding, Step, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.failing import Why, shielded, why
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.scopes import Value
from shutdown_lint.project.supplied import is_supplied
from shutdown_lint.rules._excluding import excludes
from shutdown_lint.rules._texts import ON_WAY_OUT, RELEASE
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.swallowed._awaited_cancelled import Raised, awaited_cancelled
from shutdown_lint.rules.swallowed._awaited_failed import Failed, awaited_failed
from shutdown_lint.rules.swallowed._called_back import CalledBack, called_back
from shutdown_lint.rules.swallowed._cancelled_members import Member, cancelled_members
from shutdown_lint.rules.swallowed._left_cancelled import LeftCancelled, left_cancelled
from shutdown_lint.rules.swallowed._own_task import OwnTask, own_tasks
from shutdown_lint.rules.swallowed._releases import RELEASES
from shutdown_lint.rules.swallowed._steps import Release, different, is_release_name, member_of, releases, skipped_by
from shutdown_lint.rules.swallowed._time_outs import timed_waits
from shutdown_lint.rules.swallowed._wakes import said, wakes
from shutdown_lint.rules.waits._stops import in_final, is_stop
from shutdown_lint.walk import subexprs, text

# one after the other of what an attribute holds
_EACH = (r"re:for \w+ in [^\n]*\bself\.", r"re:self\.\w+\.pop(?:left)?\(")

RULE = Rule(
    code="SHD505",
    name="cleanup-cut-short",
    summary="one raising step of a cleanup skips the steps after it",
    tier="D",
    severity="warning",
    triggers=(
        *(f"{way} & {RELEASE}" for way in ON_WAY_OUT),
        r"async def & __anext__( & re:except[^\n]*\bException\b",
        "async def & .cancel() & await",
        *(
            rf"re:def \w*(?:clean|exit|finali|tear_?down|shut|stop|clos|dispose|undo|rollback|unconfigure)\w*\( & {each}"
            for each in _EACH
        ),
    ),
    origin=("G4", "G13"),
)
# What says good-bye to a peer, before `close` of the same object gives back what is held here.
_GOOD_BYES = frozenset({"logout", "log_out", "disconnect", "commit", "deregister", "unsubscribe", "leave"})
_ENDS = frozenset({"close", "aclose", "stop", "shutdown"})
_MAX_HOPS = 1
# What workers and children of most kinds take without an error, also when they have ended.
_SURE = frozenset({"terminate", "kill", "cancel", "join"})


class Cut(NamedTuple):
    """A step that may raise, what it then skips, and the loop's container where it is done for each member."""

    release: Release
    lost: tuple[Release, ...]
    members: Expr | None
    why: Why
    tier: Tier


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Report one step of each cleanup: the surest, and of those the first."""
    for fn in project.functions(module):
        for found in called_back(fn, project) if not is_test(fn) else ():
            yield _called(module, fn, found)
        if fn.facts.is_lambda or fn.is_module or not any(map(_ends_something, fn.mentions)) or is_test(fn):
            continue
        cuts = tuple(_cuts(fn, project))
        if cuts:
            yield _finding(module, fn, min(cuts, key=lambda cut: "DSP".index(cut.tier)))
        for member in cancelled_members(fn, project) if not cuts else ():
            yield _cancelled(module, fn, member)
        for own in own_tasks(fn, project):
            yield _cancels_itself(module, fn, own)
        raised = next(awaited_cancelled(fn, project), None)
        if raised is not None:
            yield _raised(module, fn, raised)
        for left in left_cancelled(fn, project) if raised is None else ():
            yield _left(module, fn, left)
        failed = next(awaited_failed(fn, project), None) if raised is None else None
        if failed is not None:
            yield _failed(module, fn, failed)


def _ends_something(name: str) -> bool:
    return is_release_name(name) or name == "__anext__"


def _cuts(fn: Fn, project: Project) -> Iterator[Cut]:
    steps = releases(fn)
    stops = _stops(fn, project)
    timed = tuple(timed_waits(fn, project)) if stops or any(in_final(step.at) for step in steps) else ()
    timed += tuple(said(fn, project)) if stops and (steps or fn.mentions & {"set", "notify_all"}) else ()
    waits = {id(step.call): reason for step, reason in timed}
    named = {id(step.call) for step in steps}
    later = (*steps, *wakes(fn, project)) if stops else steps
    for step in (*steps, *(step for step, _ in timed if id(step.call) not in named)):
        if not (stops or in_final(step.at)) or shielded(step.at):
            continue
        lost = tuple(
            other
            for other in skipped_by(step, later)
            if _is_lost(step, other)
            and (stops or in_final(other.at))  # what stands behind a `finally` is the work, which an error skips anyway
            and not _is_empty_hook(other.call, fn, project)
            and not _is_made_later(other.call, step.call, fn)
            and not excludes(step.at, other.at)
        )
        members = member_of(step) if _ends_receiver(step) else None
        if not lost and members is None:
            continue
        reason = waits.get(id(step.call)) or why(step.call, fn, project, awaited=step.awaited)
        if members is not None and _is_of_another_loop(step, members, reason, fn, project):
            continue
        tier = _tier(step, lost, members, reason, fn)
        if tier and reason and reason.kind == "time" and any(shielded(c.site.at) for c in project.calls.callers(fn)):
            tier = "S"  # a caller is prepared, and may take the steps itself
        if reason is not None and tier is not None:
            yield Cut(step, lost, members, reason, tier)


def _is_of_another_loop(step: Release, members: Expr, reason: Why | None, fn: Fn, project: Project) -> bool:
    """Whether it is not the members of this loop that come from outside, but what an earlier one called by the same name."""
    receiver = step.call.func.value if isinstance(step.call.func, Attr) else None
    if reason is None or reason.kind != "supplied" or reason.steps or not isinstance(receiver, Name):
        return False
    again = len(fn.given(receiver.id)) > 1
    return again and not project.calls.targets(step.call, fn) and not is_supplied(members, fn, project)


def _stops(fn: Fn, project: Project) -> bool:
    """Whether the function runs at shutdown; one that empties caches or buffers, only where something that stops calls it."""
    if not fn.name.lstrip("_").startswith("flush"):
        return is_stop(fn, project)
    return any(is_stop(caller.fn, project) for caller in project.calls.callers(fn) if caller.fn.name != fn.name)


def _is_lost(step: Release, other: Release) -> bool:
    if step.name in ("wait", "communicate") and other.name in ("kill", "terminate"):
        return True  # the next rung of the ladder
    return different(step, other) or (step.name in _GOOD_BYES and other.name in _ENDS)


def _is_made_later(other: Call, step: Call, fn: Fn) -> bool:
    """Whether the later release is about something that is only made behind the step: where that raises, there is nothing yet."""
    names = {part.id for part in subexprs(other) if isinstance(part, Name)}
    return any(
        bindings and all(isinstance(b, Value) and b.at.stmt.span.line > step.span.line for b in bindings)  # type: ignore[union-attr]  # a statement that binds has a span
        for bindings in (fn.bindings.get(name, ()) for name in names)
    )


def _ends_receiver(step: Release) -> bool:
    """Whether the call ends the member itself: `stop()`, `stop_extension()`, not `close_file(index)` or `stop_at(time=now)`.

    ``signal.disconnect(slot)`` takes one listener off a list.
    """
    if step.name == "disconnect" and any(arg.keyword is None for arg in step.call.args):
        return False
    return step.name in RELEASES or step.name == "flush" or not step.call.args


def _is_empty_hook(call: Call, fn: Fn, project: Project) -> bool:
    """Whether this is ``super().close()`` of a base whose method has no body: nothing is lost with it."""
    if not isinstance(call.func, Attr):
        return False
    root = call.func.value
    if not (isinstance(root, Call) and isinstance(root.func, Name) and root.func.id == "super"):
        return False
    method = project.classes.super_method(fn.cls, call.func.name) if fn.cls is not None else None
    return method is not None and not method.facts.body


def _tier(step: Release, lost: tuple[Release, ...], members: Expr | None, reason: Why | None, fn: Fn) -> Tier | None:
    if reason is None:
        return None
    if reason.kind == "time":
        return "D" if lost else None
    if members is not None and reason.kind != "unknown" and not reason.steps and step.name not in _SURE:
        return "S" if reason.kind == "supplied" and not step.awaited else "D"
    if step.awaited:
        direct = reason.kind == "network" and len(reason.steps) <= _MAX_HOPS
        near = reason.kind != "unknown" and len(reason.steps) <= _MAX_HOPS
        return "D" if direct and lost else "S" if near else "P"
    return "S" if reason.kind == "network" and len(reason.steps) <= _MAX_HOPS else None


def _finding(module: ModuleFacts, fn: Fn, cut: Cut) -> Finding:
    step = cut.release
    call = ("await " if step.awaited else "") + text(step.call)
    return RULE.finding(
        module,
        step.call.span,
        f"when {'one ' if cut.members is not None else ''}`{call}` in `{fn.qualname}` raises, {_skipped(cut)} skipped",
        tier=cut.tier,
        confidence="proven" if cut.tier == "D" else "likely",
        lost=_lost(cut, fn),
        trace=(fn.step(step.call.span, f"this may raise: {cut.why.what}"), *cut.why.steps),
        help=_help(cut),
    )


def _called(module: ModuleFacts, fn: Fn, found: CalledBack) -> Finding:
    return RULE.finding(
        module,
        found.call.span,
        f"when one of `{text(found.held)}` raises in `{fn.qualname}`, the callbacks after it are skipped",
        lost=(fn.step(found.call.span, "the callbacks that follow"),),
        trace=(found.adds.step(found.adds.facts.span, f"`{found.adds.qualname}` takes any callback"),),
        help="catch what each callback raises inside the loop, or keep them in a `contextlib.ExitStack`",
    )


def _cancelled(module: ModuleFacts, fn: Fn, member: Member) -> Finding:
    call = f"await {text(member.call)}"
    return RULE.finding(
        module,
        member.call.span,
        f"when one `{call}` in `{fn.qualname}` is cancelled, the members after it are skipped: `except Exception` does not see CancelledError",
        tier=member.tier,
        confidence="likely",
        lost=(fn.step(member.call.span, f"`{text(member.call)}` of the members that follow"),),
        trace=(fn.step(member.call.span, "CancelledError passes by the clause and ends the loop"),),
        help="catch `BaseException` in the loop, end the other members too, and raise it behind the loop",
    )


def _cancels_itself(module: ModuleFacts, fn: Fn, own: OwnTask) -> Finding:
    cancel, first = text(own.cancel.call), own.lost[0]
    more = f" and {len(own.lost) - 1} more" if len(own.lost) > 1 else ""
    raised = own.raised.stmt.span  # type: ignore[union-attr]  # it holds an await
    return RULE.finding(
        module,
        own.cancel.call.span,
        f"`{cancel}` in `{fn.qualname}` cancels the task that runs it, where `{own.body.qualname}` comes there: "
        f"the next await raises CancelledError, and {first.text}{more} is skipped",
        lost=own.lost,
        trace=(own.made, *own.steps, fn.step(raised, "CancelledError is raised here")),
        help="do not cancel `asyncio.current_task()`, or let the task end by itself",
    )


def _raised(module: ModuleFacts, fn: Fn, raised: Raised) -> Finding:
    what, first = text(raised.what), raised.lost[0]
    more = f" and {len(raised.lost) - 1} more" if len(raised.lost) > 1 else ""
    when = "that raises" if raised.tier == "D" else "where it has not run yet, that raises"
    return RULE.finding(
        module,
        raised.span,
        f"`{fn.qualname}` awaits `{what}`, which it has just cancelled: {when} CancelledError, and {first.text}{more} is skipped",
        tier=raised.tier,
        confidence="proven" if raised.tier == "D" else "likely",
        lost=raised.lost,
        trace=(fn.step(raised.cancel, "cancelled here"), fn.step(raised.span, "CancelledError is raised here")),
        help="await it with `suppress(asyncio.CancelledError)`, or by `asyncio.gather(task, return_exceptions=True)`",
    )


def _left(module: ModuleFacts, fn: Fn, left: LeftCancelled) -> Finding:
    what, first = text(left.what), left.lost[0]
    more = f" and {len(left.lost) - 1} more" if len(left.lost) > 1 else ""
    return RULE.finding(
        module,
        left.span,
        f"where `{left.canceller.qualname}` has cancelled `{what}`, awaiting it in `{fn.qualname}` raises CancelledError, "
        f"and {first.text}{more} is skipped",
        tier=left.tier,
        lost=left.lost,
        trace=(
            left.canceller.step(left.cancel.span, "cancelled here, and left in the attribute"),
            fn.step(left.span, "CancelledError is raised here"),
        ),
        help="await it with `suppress(asyncio.CancelledError)`, or by `asyncio.gather(task, return_exceptions=True)`",
    )


def _failed(module: ModuleFacts, fn: Fn, failed: Failed) -> Finding:
    what, first = text(failed.what), failed.lost[0]
    return RULE.finding(
        module,
        failed.span,
        f"when `{failed.body.qualname}` has failed, `await {what}` in `{fn.qualname}` raises its error, and {first.text} is skipped",
        tier=failed.tier,
        confidence="likely",
        lost=failed.lost,
        trace=(failed.body.step(failed.body.facts.span, f"this may fail: {failed.why.what}"), *failed.why.steps),
        help="await it by `asyncio.gather(task, return_exceptions=True)`, or put the later steps into `finally`",
    )


def _skipped(cut: Cut) -> str:
    others = f"`{text(cut.lost[0].call)}`" if cut.lost else ""
    if len(cut.lost) > 1:
        others += f" and {len(cut.lost) - 1} more step{'s' if len(cut.lost) > 2 else ''}"
    if cut.members is None:
        return f"{others} {'are' if len(cut.lost) > 1 else 'is'}"
    return f"the members after it{' and ' + others if others else ''} are"


def _lost(cut: Cut, fn: Fn) -> Iterator[Step]:
    if cut.members is not None:
        yield fn.step(cut.release.call.span, f"`{text(cut.release.call)}` of the members that follow")
    for other in cut.lost:
        yield fn.step(other.call.span, f"`{text(other.call)}`")


def _help(cut: Cut) -> str:
    if cut.members is not None:
        return "catch what each member raises inside the loop, and raise or log it after the last one"
    return "put the later steps into `finally`, give each step a `try` of its own, or use an exit stack"
