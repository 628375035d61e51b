"""A wait with a limit followed by the same wait without one.

## What it does
Reports ``t.join(timeout)`` followed in the same function by ``t.join()`` on the same object, when nothing between them
asks ``is_alive()`` or ends it.

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
Silent when the object is killed or terminated between the two, as in ``terminate → wait(limit) → kill → wait``.

## References
- [Thread.join](https://docs.python.org/3/library/threading.html#threading.Thread.join)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, Expr, ModuleFacts, Name, Try, While
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Wait
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._stops import method_name, receiver, same_receiver
from shutdown_lint.project.scopes import Element
from shutdown_lint.walk import enclosing_loops, same, subexprs, text

RULE = Rule(
    code="SHD414",
    name="timeout-defeated",
    summary="a wait with a limit is followed by the same wait without one",
    tier="D",
    severity="warning",
    triggers=(".join(", ".wait("),
    origin=("G13",),
)
_ENDS = ("kill", "terminate", "cancel", "set", "send_signal", "is_alive", "stop", "killpg", "put", "close", "clear", "start", "poll")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at the waits of every function in order."""
    for fn in project.functions(module):
        if not fn.mentions & {"join", "wait"}:
            continue
        waits = [wait for site in fn.sites if (wait := project.protocol.wait(site, fn)) is not None]
        for first in waits:
            if first.bounded and first.site.call.args:
                for second in waits:
                    if not second.bounded and _defeats(first, second, fn):
                        yield _finding(module, fn, first, second)


def _defeats(first: Wait, second: Wait, fn: Fn) -> bool:
    if first.model.call != second.model.call or not (same_receiver(first.site, second.site) or _same_elements(first, second, fn)):
        return False
    start, end = first.site.call.span.line, second.site.call.span.line
    if start >= end or _branches(first, second) or _until_it_ends(first):
        return False
    return not any(start <= site.call.span.line <= end and method_name(site.call) in _ENDS for site in fn.sites)


def _same_elements(first: Wait, second: Wait, fn: Fn) -> bool:
    """Two loops over the same container, whatever their variables are called."""
    left, right = _container(first, fn), _container(second, fn)
    return left is not None and same(left, right)


def _container(wait: Wait, fn: Fn) -> Expr | None:
    name = receiver(wait.site.call)
    bindings = fn.bindings.get(name.id, ()) if isinstance(name, Name) else ()
    return next((b.iter for b in bindings if isinstance(b, Element)), None)


def _until_it_ends(first: Wait) -> bool:
    """``while t.is_alive(): t.join(0.5)``."""
    loops = (loop.stmt for loop in enclosing_loops(first.site.at))
    return any(isinstance(e, Attr) and e.name == "is_alive" for loop in loops if isinstance(loop, While) for e in subexprs(loop.test))


def _branches(first: Wait, second: Wait) -> bool:
    """Whether the two stand in different branches of one statement."""
    ours = {id(place.outer.stmt): place.part for place in first.site.at.around() if place.outer is not None}
    return any(
        place.outer is not None
        and not isinstance(place.outer.stmt, Try)
        and ours.get(id(place.outer.stmt), place.part) != place.part
        for place in second.site.at.around()
    )


def _finding(module: ModuleFacts, fn: Fn, first: Wait, second: Wait) -> Finding:
    return RULE.finding(
        module,
        second.site.call.span,
        f"`{text(second.site.call)}` in `{fn.qualname}` waits without limit and voids the limit of `{text(first.site.call)}` before it",
        trace=(fn.step(first.site.call.span, "waits with a limit"), fn.step(second.site.call.span, "waits again, without one")),
        help="ask `is_alive()` after the timed wait and give up, escalate, or report",
    )
