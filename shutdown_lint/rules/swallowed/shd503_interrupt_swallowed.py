"""``except KeyboardInterrupt`` inside a loop that goes on.

## What it does
Reports a clause for ``KeyboardInterrupt`` in a ``while`` loop whose body neither raises, leaves the loop, changes state,
nor calls anything that stops, when the loop does not read from a person.

## Why it matters
Ctrl-C only interrupts the current turn; the loop goes on and the program has to be killed.

## Example
```python
import time


def serve():
    while True:
        try:
            time.sleep(1)
        except KeyboardInterrupt:
            pass
```

## Use instead
```python
import time


def serve():
    while True:
        try:
            time.sleep(1)
        except KeyboardInterrupt:
            break
```

## Fix safety
Unsafe: Ctrl-C then ends the whole loop, where it may have been meant to end one step.

## Precision
Silent where the function has a handler for SIGINT, where the loop is left behind the clause anyway, and for prompts (``input``,
``readline``, ``cmdloop``, ``prompt``, a menu, or a function of the project that asks), second-press exits, clauses that set a
flag, and loops with a condition whose clause prints "KeyboardInterrupt", as shells do. Preview where the loop does not repeat its
work, but only takes up again what the interrupt broke off, or ends with a child that Ctrl-C reaches too: in the 5 that were read in
unseen packages, that was meant.
Silent in bodies that only threads run, where Ctrl-C raises nothing; strict where child processes run it, which leave it to their
parent (and which may be called by the parent as well); preview in coroutines, where Ctrl-C is a cancellation since Python 3.11.

## References
- [KeyboardInterrupt](https://docs.python.org/3/library/exceptions.html#KeyboardInterrupt)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import (
    Assign,
    Attr,
    Break,
    Call,
    Const,
    Continue,
    Handler,
    ModuleFacts,
    Raise,
    Return,
    Stmt,
    Try,
    While,
)
from shutdown_lint.findings import Finding, Fix, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.signals import handlings
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.signals._losses import talks
from shutdown_lint.rules.swallowed._catching import (
    caught,
    empties,
    forwards,
    last_name,
    leaves,
    leaves_behind,
    raises,
    tries,
)
from shutdown_lint.walk import At, enclosing_loops, last_name as last_part, same, sites, subexprs, walk

RULE = Rule(
    code="SHD503",
    name="interrupt-swallowed",
    summary="KeyboardInterrupt is caught inside a loop that goes on",
    tier="D",
    severity="warning",
    fix="unsafe",
    triggers=("KeyboardInterrupt & while",),
    origin=("G1",),
)
_PROMPTS = re.compile(
    r"input|readline|prompt|cmdloop|interact|getch|read_key|getpass|ask|confirm|wait_for_key|raw_input|menu|choose|choice",
    re.IGNORECASE,
)
_HARMLESS = frozenset(
    {"print", "debug", "info", "warning", "error", "write", "echo", "log", "exception", "msg", "flush"}
)

_THREADS = ("thread", "timer", "pool-thread")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every ``except KeyboardInterrupt`` directly in a loop."""
    for fn in project.functions(module):
        if _has_a_handler(fn, project):
            continue
        for at, stmt in tries(fn):
            loop = next(enclosing_loops(at), None)
            if any(place.part in ("handler", "final") for place in at.around()):
                continue  # a second interrupt, while the first one is dealt with, or one that a cleanup must outlive
            if loop is None or not isinstance(loop.stmt, While) or _asks_a_person(loop.stmt, fn, project):
                continue
            for handler in stmt.handlers:
                if "KeyboardInterrupt" in caught(handler, fn, project) and _swallows(stmt, handler, at, fn):
                    if leaves_behind(at, loop) and not _repeats(handler):
                        continue
                    if project.roles.only(fn, *_THREADS):  # Ctrl-C is raised in the main thread; asked last, of the few
                        continue
                    if not isinstance(loop.stmt.test, Const) and _shows(handler):
                        continue
                    yield RULE.finding(
                        module,
                        handler.span,
                        f"`{fn.qualname}` catches KeyboardInterrupt inside its loop and goes on: Ctrl-C does not end the program",
                        tier="P" if _only_repeats(loop.stmt) else _tier(loop.stmt, fn, project),
                        help="leave the loop with `break`, or catch it around the loop",
                        fix=Fix("unsafe", "end the loop by `break`", "shd503"),
                    )


def _tier(loop: While, fn: Fn, project: Project) -> Tier | None:
    """Strict where child processes run it: Ctrl-C goes to all of the terminal's, and their parent ends them.

    Preview where their loop has an end of its own, which the parent may bring about, and in coroutines: there Ctrl-C
    is a cancellation since Python 3.11.
    """
    if fn.facts.is_async:
        return "P"
    if not project.roles.kinds(fn) & {"process", "pool-process"}:
        return None
    return "S" if isinstance(loop.test, Const) and not leaves(loop.body) else "P"


def _has_a_handler(fn: Fn, project: Project) -> bool:
    """Whether the function installs a handler of its own for SIGINT: then Ctrl-C raises nothing here."""
    return any(
        handling.fn is fn and "SIGINT" in handling.signals and handling.targets
        for handling in (handlings(project) if "signal" in fn.mentions else ())
    )


def _repeats(handler: Handler) -> bool:
    return any(isinstance(inner.stmt, Continue) for inner in walk(handler.body))


def _swallows(stmt: Try, handler: Handler, at: At, fn: Fn) -> bool:
    if raises(handler.body) or leaves(handler.body) or forwards(handler, fn):
        return False
    if any(isinstance(inner.stmt, Assign) for inner in walk(handler.body)):
        return False
    return all(last_name(site.call) in _HARMLESS for site in sites(handler.body))


def _only_repeats(loop: While) -> bool:
    """Whether the loop is left when its body comes to its end, so that it only takes up again what the interrupt broke off."""
    return bool(loop.body) and (
        empties(loop)
        or _waits_for_the_end(loop)
        or any(isinstance(stmt, Try) and _leaves_with_child(stmt) for stmt in loop.body)
        or isinstance(loop.body[-1], (Break, Return, Raise))
        or _leaves_by_itself(loop.body[-1], len(loop.body))
    )


def _waits_for_the_end(loop: While) -> bool:
    """``while not task.done(): try: loop.run_until_complete(task) except KeyboardInterrupt: pass``: what the loop waits for ends it."""
    stmt = loop.body[0]
    waits = isinstance(stmt, Try) and len(loop.body) == 1 and len(stmt.body) == 1 and not isinstance(loop.test, Const)
    asked = [part.value for part in subexprs(loop.test) if isinstance(part, Attr)]
    given = [part for site in sites(loop.body) for arg in site.call.args for part in subexprs(arg.value)]
    return waits and any(same(thing, value) for thing in asked for value in given)


def _leaves_with_child(stmt: Try) -> bool:
    """``try: code = child.wait(10); break``, among other things: Ctrl-C goes to the child too, and its end ends the loop."""
    waits = any(last_name(site.call) in ("wait", "communicate", "join") for site in sites(stmt.body))
    return waits and isinstance([*stmt.body, *stmt.orelse][-1], (Break, Return))


def _leaves_by_itself(stmt: Stmt, length: int) -> bool:
    """``while True: try: return child.wait() except KeyboardInterrupt: pass``."""
    return length == 1 and isinstance(stmt, Try) and isinstance(([*stmt.body, *stmt.orelse])[-1], (Break, Return))


def _shows(handler: Handler) -> bool:
    """Whether the clause prints the name of the exception, as Python's own prompt does: the loop of a shell."""
    return any(
        isinstance(part, Const) and isinstance(part.value, str) and "KeyboardInterrupt" in part.value
        for site in sites(handler.body)
        for arg in site.call.args
        for part in subexprs(arg.value)
    )


def _reads_typed(call: Call) -> bool:
    """``sys.stdin.read()``."""
    func = call.func
    return isinstance(func, Attr) and func.name.startswith("read") and last_part(func.value) in ("stdin", "buffer")


def _asks_a_person(loop: While, fn: Fn, project: Project) -> bool:
    """Whether the loop, or what it calls on the spot, asks for input: the interrupt ends one answer."""
    if any(_PROMPTS.search(last_name(site.call)) or _reads_typed(site.call) for site in sites(loop.body)):
        return True
    called = (target.fn for site in sites(loop.body) for target in project.calls.targets(site.call, fn))
    return talks(called, project)
