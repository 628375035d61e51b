"""A wait with a limit followed by the same wait without one.

## What it does
Reports ``t.join(timeout)`` (or a timed ``wait()``, ``result()``) followed in the same function by the same wait without a limit on
the same object, or by a call of a method that does so, when nothing between them asks ``is_alive()`` or ends it. The handler that
catches the end of the limit is looked at as well. Where the limit of a thread's join is the caller's, nothing between them helps:
a thread cannot be killed. A function that takes a ``timeout``, never looks at it and waits without limit is reported too.

## Why it matters
The limit is void: the second wait blocks for as long as the work lasts, and the caller's timeout is a promise that is not kept.

## Example
```python
import threading


class Pump:
    def start(self, work):
        self._thread = threading.Thread(target=work)
        self._thread.start()

    def stop(self):
        self._thread.join(5)
        print("waited")
        self._thread.join()
```

## Use instead
```python
import threading


class Pump:
    def start(self, work):
        self._thread = threading.Thread(target=work)
        self._thread.start()

    def stop(self):
        self._thread.join(5)
        if self._thread.is_alive():
            print("the pump did not end")
```

## Precision
Silent when the object is killed, terminated, cancelled or told to end between the two (by whatever function gets the signal), as
in ``terminate → wait(limit) → kill → wait``, when the two stand in different branches, when the timed wait is repeated in a loop
around ``is_alive()``, and when the first wait only asks whether it has ended (a limit of 0, a ``raise`` or ``return`` behind it,
or one after which it is decided whether to wait on).

## References
- [Thread.join](https://docs.python.org/3/library/threading.html#threading.Thread.join)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Call, Const, Expr, If, ModuleFacts, Name, Raise, Return, Try, While
from shutdown_lint.findings import Finding, Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.limits import seconds
from shutdown_lint.project.protocol import Wait
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.scopes import Element
from shutdown_lint.project.tracks import Attribute
from shutdown_lint.rules._texts import JOIN_WITH_LIMIT
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._children import place_of
from shutdown_lint.rules.waits._stops import method_name, receiver, same_receiver
from shutdown_lint.rules.waits._unused_limits import WAIT_NAME, Unused, is_callers_limit, is_reaping, unused
from shutdown_lint.walk import At, Site, argument, enclosing_loops, same, subexprs, text, walk

RULE = Rule(
    code="SHD414",
    name="timeout-defeated",
    summary="a wait with a limit is followed by the same wait without one, or a limit is taken and not kept",
    tier="D",
    severity="warning",
    triggers=(
        JOIN_WITH_LIMIT,
        r"re:\.(?:wait|result)\(\s*[^)\s#]",
        r"re:def \w*(?:join|wait|stop|close|shutdown|terminate)\w*\((?s:.{0,400}?)timeout",
    ),
    origin=("G13",),
)
_ENDS = frozenset({
    "kill", "terminate", "cancel", "set", "send_signal", "is_alive", "stop", "killpg", "put", "close", "clear", "start", "poll",
    "shutdown", "notify", "notify_all", "put_nowait", "done",
})  # fmt: skip
_ASKS = ("is_alive", "done", "poll", "returncode", "is_set")
_REPLACES = frozenset({"start", "cancel", "kill", "killpg", "terminate"})
_FATAL = frozenset({"SIGKILL", "SIGTERM", "SIGINT"})
_GONE = frozenset({"ProcessLookupError", "ChildProcessError"})


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at the waits of every function in order."""
    for fn in project.functions(module):
        if is_test(fn):
            continue
        if WAIT_NAME.search(fn.name) and (found := unused(fn, project)) is not None:
            yield _not_kept(module, fn, found)
        if not fn.mentions & {"join", "wait", "result"}:
            continue
        waits = [wait for site in fn.sites if (wait := project.protocol.wait(site, fn)) is not None]
        for first in waits:
            if first.bounded and first.site.call.args and not _until_it_ends(first) and not _is_probe(first, project):
                yield from _defeated(module, project, first, waits)


def _defeated(module: ModuleFacts, project: Project, first: Wait, waits: list[Wait]) -> Iterator[Finding]:
    fn = first.fn
    for second in waits:
        if second.bounded or not _is_same(first, second) or _is_decided(first.site, second.site.at):
            continue
        whole = first.model.wakes == "thread" and is_callers_limit(first) and not is_reaping(second.site.at)
        if _goes_on_to(first.site, second.site, fn, project, _REPLACES if whole else _ENDS):
            yield _finding(module, first, second.site, ())
    place = place_of(receiver(first.site.call), fn, project)
    for site in fn.sites:
        inner = (
            _inner_wait(first, site, place, project)
            if isinstance(place, Attribute) and _goes_on_to(first.site, site, fn, project)
            else None
        )
        if inner is not None:
            yield _finding(
                module,
                first,
                site,
                (inner.fn.step(inner.site.call.span, f"`{inner.fn.qualname}` waits without a limit"),),
            )


def _is_same(first: Wait, second: Wait) -> bool:
    """The same wait on the same expression, or on the elements of the same container."""
    if first.model.call != second.model.call:
        return False
    left, right = _container(first), _container(second)
    return same_receiver(first.site, second.site) if left is None else same(left, right)


def _container(wait: Wait) -> Expr | None:
    name = receiver(wait.site.call)
    bindings = wait.fn.bindings.get(name.id, ()) if isinstance(name, Name) else ()
    return next((b.iter for b in bindings if isinstance(b, Element)), None)


def _goes_on_to(first: Site, second: Site, fn: Fn, project: Project, ends: frozenset[str] = _ENDS) -> bool:
    """Whether the second call follows the first, and nothing between them ends, asks about or replaces the object."""
    start, end = first.call.span.line, second.call.span.line
    if start >= end or _excludes(first.at, second.at) or _child_is_gone(second.at) or _leaves(first.at, second.at):
        return False
    between = [site for site in fn.sites if start <= site.call.span.line <= end]
    name = receiver(first.call)
    if any(
        method_name(site.call) in ends or _sends_signal(site.call) or _is_ended_in(site, name, fn, project)
        for site in between
    ):
        return False
    return not any(
        isinstance(at.stmt, Assign) and start < at.stmt.span.line < end and any(same(t, name) for t in at.stmt.targets)
        for at in fn.statements
    )


def _sends_signal(call: Call) -> bool:
    """``kill_group(child.pid, signal.SIGKILL)``, ``self._kill_tree(child)``: a function of the project's own ends it."""
    return "kill" in method_name(call) or any(
        getattr(part, "name", getattr(part, "id", "")) in _FATAL for arg in call.args for part in subexprs(arg.value)
    )


def _is_ended_in(site: Site, name: Expr | None, fn: Fn, project: Project) -> bool:
    """Whether a function that gets the object ends it: ``_terminate_process(child)``; one that is not seen may do so."""
    if not any(same(arg.value, name) for arg in site.call.args):
        return False
    targets = [target.fn for target in project.calls.targets(site.call, fn)]
    if not targets:
        return not project.calls.external(site.call, fn)
    return any(_ENDS & inner.mentions for target in targets for inner in project.protocol.reach(target))


def _excludes(first: At, second: At) -> bool:
    """Whether the two stand in different branches of one statement; a handler goes on from its ``try``."""
    ours = {id(place.outer.stmt): place.part for place in first.around() if place.outer is not None}
    return any(
        place.outer is not None
        and not isinstance(place.outer.stmt, Try)
        and ours.get(id(place.outer.stmt), place.part) != place.part
        for place in second.around()
    )


def _is_decided(first: Site, second: At) -> bool:
    """``if not ready.wait(10): if not started: raise …; ready.wait()``: after the limit it is asked whether to wait on."""
    return any(
        place.outer is not None
        and isinstance(place.outer.stmt, If)
        and place.outer.stmt is first.at.stmt
        and any(
            isinstance(stmt, If) and any(isinstance(inner.stmt, (Raise, Return)) for inner in walk(stmt.body))
            for stmt in place.before()
        )
        for place in second.around()
    )


def _leaves(first: At, second: At) -> bool:
    """Whether a block around the first wait, but not around the second, ends with a ``return`` or a ``raise``."""
    theirs = {id(place.block) for place in second.around()}
    return any(
        id(place.block) not in theirs and isinstance(place.block[-1], (Return, Raise)) and not _may_raise_out(place)
        for place in first.around()
    )


def _may_raise_out(place: At) -> bool:
    """In the body of a ``try``, whose handlers go on when the limit is reached."""
    return any(
        isinstance(outer.outer.stmt, Try) and outer.part == "body"
        for outer in place.around()
        if outer.outer is not None
    )


def _child_is_gone(second: At) -> bool:
    """``except ProcessLookupError: child.wait()``: there is nothing left to wait for."""
    caught = [place.handler.types for place in second.around() if place.handler is not None and place.part == "handler"]
    return any(
        types is not None and all(text(part).rpartition(".")[2] in _GONE for part in getattr(types, "items", (types,)))
        for types in caught
    )


def _until_it_ends(first: Wait) -> bool:
    """``while t.is_alive(): t.join(0.5)``, ``while not future.done(): …``; ``while not done.wait(10):``, whose limit is a period."""
    if isinstance(first.site.at.stmt, While):
        return True
    tests = [loop.stmt.test for loop in enclosing_loops(first.site.at) if isinstance(loop.stmt, While)]
    return any(isinstance(part, Attr) and part.name in _ASKS for test in tests for part in subexprs(test))


def _is_probe(first: Wait, project: Project) -> bool:
    """``try: child.wait(1); raise Failed() except TimeoutExpired: …``, ``wait(0)``: only whether it ends at once is asked."""
    model = first.model
    limit = argument(first.site.call, model.position if model.position >= 0 else 99, model.timeout or "\0")
    if seconds(limit, first.fn, project) == 0 or _asks_only(first.site.call):
        return True
    return first.site.at.part == "body" and any(isinstance(stmt, (Raise, Return)) for stmt in first.site.at.after())


def _asks_only(call: Call) -> bool:
    """``lock.acquire(False)``, ``lock.acquire(blocking=False)``."""
    blocks = argument(call, 0, "blocking") if method_name(call) == "acquire" else None
    return isinstance(blocks, Const) and blocks.value is False


def _inner_wait(first: Wait, site: Site, place: Attribute, project: Project) -> Wait | None:
    """The wait without a limit that the called project function does on the same attribute."""
    for target in project.calls.targets(site.call, first.fn):
        if target.fn is first.fn or _ENDS & target.fn.mentions - {"set"}:
            continue
        for inner in target.fn.sites:
            wait = project.protocol.wait(inner, target.fn)
            if wait is not None and not wait.bounded and wait.model.call == first.model.call:
                other = place_of(receiver(inner.call), target.fn, project)
                if (
                    isinstance(other, Attribute)
                    and other.name == place.name
                    and other.cls in project.classes.family(place.cls)
                ):
                    return wait
    return None


def _not_kept(module: ModuleFacts, fn: Fn, found: Unused) -> Finding:
    return RULE.finding(
        module,
        found.site.call.span,
        f"`{text(found.site.call)}` waits without limit although `{fn.qualname}` takes `{found.limit}`, which it never looks at",
        trace=(fn.step(found.site.call.span, f"`{fn.qualname}` waits"), *found.steps),
        help=f"hand `{found.limit}` to the wait",
    )


def _finding(module: ModuleFacts, first: Wait, second: Site, inner: tuple[Step, ...]) -> Finding:
    fn = first.fn
    return RULE.finding(
        module,
        second.call.span,
        f"`{text(second.call)}` in `{fn.qualname}` waits without limit and voids the limit of `{text(first.site.call)}` before it",
        trace=(
            fn.step(first.site.call.span, "waits with a limit"),
            fn.step(second.call.span, "waits again, without one"),
            *inner,
        ),
        help="ask whether it has ended after the timed wait, and give up, escalate, or report",
    )
