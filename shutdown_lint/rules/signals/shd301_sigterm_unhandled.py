"""A service that nothing but a signal ends, with cleanup to lose, and nothing in the program handles SIGTERM.

## What it does
Looks at each entry point of the project (console scripts, commands, the `__main__` part of a module) from which a loop, a
server or a worker is reached that runs until it is stopped. Where neither the program nor a framework that it runs does
anything about SIGTERM, the cleanup that would be lost is named: the `with` and `finally` blocks around that place and
around the calls that lead to it, the steps behind it, `atexit` callbacks, temporary folders, child processes, and what
worker threads hold.

## Why it matters
SIGTERM is how Docker, Kubernetes, systemd and every other supervisor ask a process to stop. Python does not handle it: the
process ends at once, as if by SIGKILL, and no `finally`, `with`, `atexit` callback or buffer gets its turn.

## Example
```python
import sqlite3
import time


def serve():
    db = sqlite3.connect("jobs.db")
    try:
        while True:
            db.execute("update jobs set seen = seen + 1")
            time.sleep(5)
    finally:
        db.commit()


if __name__ == "__main__":
    serve()
```

## Use instead
```python
import signal
import sqlite3
import sys
import time


def serve():
    db = sqlite3.connect("jobs.db")
    try:
        while True:
            db.execute("update jobs set seen = seen + 1")
            time.sleep(5)
    finally:
        db.commit()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(143))
    serve()
```

## Fix safety
Unsafe: the cleanup then runs on SIGTERM, and may wait. Offered where the file has the program's `if __name__ == "__main__":`, nothing
on the way catches SystemExit, and the program has no thread, pool or child that would keep it from ending.

## Precision
Silent in libraries, tests and interactive programs, for programs that end by themselves or run on Windows only, and wherever
SIGTERM is named other than to send it. What stands behind an endless loop, or behind the `__main__` part of a module, is no
cleanup, and neither is a folder that nobody removes: 5 of 7 findings in 500 unseen packages were of these kinds. Strict, too,
where all that is lost stands behind a server or another call that serves for ever, or is a child or a folder. Where SIGINT or
KeyboardInterrupt is handled, SHD302 speaks instead. Without a named loss only the strict tier speaks. What the system closes
by itself is no loss: sockets, and the pooled connections of a client that says no good-bye.

## References
- [signal](https://docs.python.org/3/library/signal.html)
- [Kubernetes: termination of Pods](https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination)
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from shutdown_lint.facts import ModuleFacts, Span
from shutdown_lint.findings import Finding, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.handled import handles
from shutdown_lint.project.programs import Stay, entries, span_of, stay
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.signals._installing import handler_fix
from shutdown_lint.rules.signals._interrupts import interrupts
from shutdown_lint.rules.signals._losses import (
    is_example,
    is_for_windows,
    is_interactive,
    is_sure,
    is_told_elsewhere,
    lost,
    modules_of,
    told,
)

RULE = Rule(
    code="SHD301",
    name="sigterm-unhandled",
    summary="a long-running program with cleanup to lose that does not handle SIGTERM",
    tier="D",
    severity="warning",
    fix="unsafe",
    triggers=(
        "__main__",
        "@starts",
        "@scripts",
        "def handle(",
    ),
    origin=("G1", "G6", "G12"),
)

_NOTHING = "nothing is known to be lost"
_SEES_TO_IT = re.compile(
    r"(set_?up|install|register|capture|handle|catch|init|trap|forward|enable)\w*(interrupt|signal|sigterm)|(interrupt|signal)_?handl",
    re.IGNORECASE,
)
HELP = "handle SIGTERM in the main thread: a handler that raises `SystemExit` unwinds as Ctrl-C does, one that sets a flag ends the loop"


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The entry points of the module."""
    for entry in entries(project):
        if entry.module is module:
            found = stay(entry, project)
            if found is not None and not _is_told_inside(found, project) and not _is_handled(found, project):
                yield _finding(found, project)


def _is_handled(found: Stay, project: Project) -> bool:
    modules = modules_of(found, project)
    if is_for_windows(found.entry.module, project):
        return True
    if handles("SIGTERM", modules, project) or is_told_elsewhere(found, project) or is_interactive(found, project):
        return True
    return _is_left_to_library(found, project) or any(True for _ in interrupts(found, project))


def _is_left_to_library(found: Stay, project: Project) -> bool:
    """Whether another package is asked by name to see to it on the way: ``with capture_interrupts():``, ``setup_signal_handlers()``."""
    return any(
        _SEES_TO_IT.search(name.rpartition(".")[2]) and name.partition(".")[0] not in sys.stdlib_module_names
        for frame in found.frames
        for site in frame.fn.sites
        for name in project.calls.external(site.call, frame.fn)
    )


def _is_told_inside(found: Stay, project: Project) -> bool:
    """Whether the program is that of an entry point further in, which is reported in its own place."""
    known = set(entries(project))
    return any(frame.fn in known for frame in found.frames[1:])


def _finding(found: Stay, project: Project) -> Finding:
    entry, losses = found.entry, lost(found, project)
    name = f"`{_name(found)}`"
    if not losses:
        message = f"{name} stays in {found.what} until it is stopped, and nothing handles SIGTERM: it is killed in the midst of its work"
        return RULE.finding(
            entry.module,
            _anchor(found),
            message,
            tier="S",
            severity="info",
            trace=found.steps(),
            help=HELP,
            fix=_NOTHING,
        )
    message = (
        f"{name} stays in {found.what} until it is stopped, and nothing handles SIGTERM: {told(losses, found, project)}"
    )
    tier: Tier | None = "S" if is_example(entry) or not is_sure(found, project) else None
    return RULE.finding(
        entry.module,
        _anchor(found),
        message,
        tier=tier,
        lost=losses,
        trace=found.steps(),
        help=HELP,
        fix=handler_fix(found, project, RULE.code),
    )


def _name(found: Stay) -> str:
    first = _first(found)
    return first.qualname if not first.is_module else first.module.name


def _first(found: Stay) -> Fn:
    return found.frames[0].fn


def _anchor(found: Stay) -> Span:
    """The name of the entry function; for a module, the statement that runs the program."""
    first = found.frames[0]
    return span_of(first.at) if first.fn.is_module else first.fn.facts.span
