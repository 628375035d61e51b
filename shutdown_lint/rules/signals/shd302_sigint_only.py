"""The program shuts down in order on Ctrl-C, but the supervisor sends SIGTERM.

## What it does
Reports the `except KeyboardInterrupt` clause, or the SIGINT handler, of a long-running program in which nothing handles
SIGTERM, where cleanup is at stake; the finding names what is lost.

## Why it matters
Someone has thought about the end of the program, and tested it at a terminal. In production nobody presses Ctrl-C: Docker,
Kubernetes and systemd send SIGTERM, for which the process is killed at once and none of that cleanup runs.

## Example
```python
import os
import time


def work():
    with open("worker.pid", "w") as pid_file:
        pid_file.write(str(os.getpid()))
    while True:
        time.sleep(1)


if __name__ == "__main__":
    try:
        work()
    except KeyboardInterrupt:
        os.unlink("worker.pid")
```

## Use instead
```python
import os
import signal
import sys
import time


def work():
    with open("worker.pid", "w") as pid_file:
        pid_file.write(str(os.getpid()))
    while True:
        time.sleep(1)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(143))
    try:
        work()
    except KeyboardInterrupt:
        print("interrupted")
    finally:
        os.unlink("worker.pid")
```

## Fix safety
Unsafe: SIGTERM raises KeyboardInterrupt, and the cleanup then runs, and may wait. Offered where the file has the program's
`if __name__ == "__main__":` and the `except` clause, and the program has no thread, pool or child that would keep it from
ending.

## Precision
A wrapper that ignores SIGINT while it waits for its child must say nothing of SIGTERM, nor what it calls or is called by.
Where only a framework knows where the program stays, the file must register an exit callback beside its handler of SIGINT.
Silent in interactive programs (`input`, curses, prompts), where nothing is lost (strict tier only), and wherever SIGTERM is
named other than to send it.

## References
- [signal.SIGINT](https://docs.python.org/3/library/signal.html#signal.SIGINT)
- [docker stop](https://docs.docker.com/reference/cli/docker/container/stop/)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.findings import Finding, Fix, Step, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.handled import handles
from shutdown_lint.project.programs import Stay, entries, stay
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.signals import handlings, is_restored
from shutdown_lint.project.stakes import registered
from shutdown_lint.rules._texts import SIGNALS
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.signals._installing import handler_fix
from shutdown_lint.rules.signals._interrupts import Interrupt, interrupts, may_take
from shutdown_lint.rules.signals._losses import (
    is_example,
    is_for_windows,
    is_interactive,
    is_told_elsewhere,
    lost,
    modules_named,
    modules_of,
    speaks_of_signals,
    talks,
    told,
)
from shutdown_lint.rules.signals._wrapping import Wrapper, wrappers
from shutdown_lint.walk import text

RULE = Rule(
    code="SHD302",
    name="sigint-only",
    summary="shutdown is wired to SIGINT or KeyboardInterrupt only",
    tier="D",
    severity="warning",
    fix="unsafe",
    triggers=(
        "KeyboardInterrupt",
        *SIGNALS,
    ),
    origin=("G1",),
)

HELP = "let SIGTERM end the program in the same way: `signal.signal(signal.SIGTERM, …)` with a handler that raises, and the cleanup in `finally`"


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The places of the module that take Ctrl-C for a program; each once."""
    seen: set[tuple[int, int]] = set()
    for wrapper in wrappers(module, project):
        yield _dies_alone(module, wrapper)
    for entry in entries(project) if may_take(module, project) else ():
        found = stay(entry, project)
        if found is None:
            yield from _without_a_stay(module, entry, seen, project)
        place = next(interrupts(found, project), None) if found is not None else None
        if found is None or place is None or place.fn.module is not module or (place.span.line, place.span.col) in seen:
            continue
        seen.add((place.span.line, place.span.col))
        if not _is_handled(found, project) and not is_for_windows(module, project):
            yield _finding(found, place, project)


def _without_a_stay(module: ModuleFacts, entry: Fn, seen: set[tuple[int, int]], project: Project) -> Iterator[Finding]:
    """A program of which only a framework knows where it stays: it installs a handler of SIGINT, and beside it an exit callback."""
    if entry.module is not module:
        return
    for handling in handlings(project):
        fn, span = handling.fn, handling.site.call.span
        if fn.module is not module or "SIGINT" not in handling.signals or not handling.targets:
            continue
        if is_test(fn) or is_restored(handling, project) or (span.line, span.col) in seen:
            continue
        losses = tuple(registered((fn,), project))
        known = modules_named((module.name,), project) if losses else []
        if not losses or speaks_of_signals(fn, project) or talks(project.functions(module), project):
            continue
        if not handles("SIGTERM", known, project):
            seen.add((span.line, span.col))
            what = Interrupt(fn, span, "SIGINT has a handler here and SIGTERM has none")
            trace = (fn.step(span, f"`{fn.qualname}` takes SIGINT only"),)
            more = f" and {len(losses) - 1} more" if len(losses) > 1 else ""
            yield _at(what, f"{what.what}: on SIGTERM {losses[0].text}{more} never runs", losses, trace)


def _dies_alone(module: ModuleFacts, wrapper: Wrapper) -> Finding:
    fn, child, wait = wrapper.ignored.fn, wrapper.child, text(wrapper.wait.call)
    started = child.fn.step(child.call.span, f"child `{text(child.call)}`")
    return RULE.finding(
        module,
        wrapper.ignored.site.call.span,
        f"`{fn.qualname}` leaves Ctrl-C to the child that it waits for in `{wait}`; on SIGTERM it dies alone, and the child goes on",
        lost=(started,),
        trace=(started, fn.step(wrapper.wait.call.span, f"`{fn.qualname}` waits for it")),
        help="pass SIGTERM on: `signal.signal(signal.SIGTERM, lambda signum, frame: child.terminate())`",
    )


def _is_handled(found: Stay, project: Project) -> bool:
    return (
        handles("SIGTERM", modules_of(found, project), project)
        or is_told_elsewhere(found, project)
        or is_interactive(found, project)
    )


def _finding(found: Stay, place: Interrupt, project: Project) -> Finding:
    losses = lost(found, project, place.clause)
    trace, module = found.steps(), place.fn.module
    if not losses:
        message = f"{place.what} is all that ends this program: SIGTERM kills it in the midst of its work"
        return RULE.finding(
            module,
            place.span,
            message,
            tier="S",
            severity="info",
            trace=trace,
            help=HELP,
            fix="nothing is known to be lost",
        )
    message = f"{place.what} ends this program in order, but on SIGTERM {told(losses, found, project)}"
    return _at(place, message, losses, trace, _fix(found, place, project))


def _at(
    place: Interrupt, message: str, losses: tuple[Step, ...], trace: tuple[Step, ...], fix: Fix | str | None = None
) -> Finding:
    tier: Tier | None = "S" if is_example(place.fn) else None
    return RULE.finding(place.fn.module, place.span, message, tier=tier, lost=losses, trace=trace, help=HELP, fix=fix)


def _fix(found: Stay, place: Interrupt, project: Project) -> Fix | str:
    if found.entry.module is not place.fn.module:
        return "the program begins in another file"
    if "except" not in place.what:
        return "SIGINT has a handler of its own"
    return handler_fix(found, project, RULE.code)
