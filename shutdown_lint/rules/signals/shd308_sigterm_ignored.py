"""A service ignores SIGTERM for good: whoever stops it waits for the whole grace period and kills it.

## What it does
Reports `SIG_IGN` for SIGTERM in the main program before it enters the loop, server or wait in which it stays.

## Why it matters
SIGTERM is how Docker, Kubernetes, systemd and every other supervisor ask a process to stop. A process that ignores it is killed by
SIGKILL ten to ninety seconds later, without any cleanup.

## Example
```python
import signal
import time


def main():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
```

## Use instead
```python
import signal
import sys
import time


def main():
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(143))
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
```

## Precision
Silent where SIGTERM has any other handler in the program, in handlers, cleanup and child processes, for other signals, and in
programs that end by themselves. Preview: code that ignores SIGTERM for good is rare, and nearly always means a moment.

## References
- [signal.SIG_IGN](https://docs.python.org/3/library/signal.html#signal.SIG_IGN)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import ModuleFacts, Try
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.imports import program
from shutdown_lint.project.programs import Stay, entries, span_of, stay
from shutdown_lint.project.resources import STOP_METHODS
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.signals import Handling, handlings, ignores
from shutdown_lint.rules.base import Rule
from shutdown_lint.walk import text

RULE = Rule(
    code="SHD308",
    name="sigterm-ignored",
    summary="a service ignores SIGTERM for good",
    tier="P",
    severity="warning",
    triggers=("SIG_IGN",),
    origin=("G1",),
)

HELP = "handle SIGTERM: raise `SystemExit`, or set a flag that ends the loop"


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The places of the module at which SIGTERM is ignored."""
    for handling in handlings(project):
        if handling.fn.module is not module or not _is_ignored(handling, project):
            continue
        found = next(_stays(handling, project), None)
        if found is not None:
            signal = text(handling.site.call)
            message = (
                f"`{signal}` ignores SIGTERM for good, and the program stays in {found.what}: only SIGKILL ends it"
            )
            yield RULE.finding(module, handling.site.call.span, message, trace=found.steps(), help=HELP)


def _is_ignored(handling: Handling, project: Project) -> bool:
    if "SIGTERM" not in handling.signals or is_test(handling.fn) or not ignores(handling, project):
        return False
    return not _is_passing(handling) and project.roles.only(handling.fn, "main") and not _is_handled(handling, project)


def _is_passing(handling: Handling) -> bool:
    """Whether it is ignored while something is cleaned up, or in a function that stops something."""
    if handling.fn.name in STOP_METHODS:
        return True
    return any(
        place.handler is not None or place.part == "final" or (place.outer and isinstance(place.outer.stmt, Try))
        for place in handling.site.at.around()
    )


def _is_handled(handling: Handling, project: Project) -> bool:
    """Whether the program ever does something else about SIGTERM."""
    modules = program([handling.fn.module.name], project)
    return any(
        other is not handling
        and ("SIGTERM" in other.signals or not other.signals)
        and (other.fn.module.name in modules or handling.fn.module.name in program([other.fn.module.name], project))
        for other in handlings(project)
    )


def _stays(handling: Handling, project: Project) -> Iterator[Stay]:
    """Where the programs stay that have ignored the signal on their way there."""
    for entry in entries(project):
        found = stay(entry, project)
        if found is not None and any(
            _comes_before(handling, frame.fn, span_of(frame.at).line, project) for frame in found.frames
        ):
            yield found


def _comes_before(handling: Handling, fn: Fn, line: int, project: Project) -> bool:
    """Whether the function ignores it, itself or by a call, before the line."""
    if handling.fn is fn:
        return handling.site.call.span.line < line
    return any(caller.fn is fn and caller.site.call.span.line < line for caller in project.calls.callers(handling.fn))
