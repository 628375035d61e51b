"""`os._exit` ends the process at once: what this program still had to clean up is lost.

## What it does
Reports calls of `os._exit` where cleanup of the same process is at stake: `with` and `finally` blocks around the call
or around the calls that lead to it, callbacks registered with `atexit` or `weakref.finalize`, live threads, pools and
processes, temporary folders, files with unwritten buffers. The finding names each of them with its place. Where nothing
is proven to be lost, or where the call looks meant (a watchdog, a child's own end), only the preview speaks.

## Why it matters
`os._exit` does not unwind the stack and does not finalize the interpreter: buffers are thrown away, lock files and
temporary folders stay, transactions are not committed, other threads are cut off in the midst of a write.

## Example
```python
import os
import sys


def export(rows: list[str]) -> None:
    with open("export.csv", "w") as out:
        for row in rows:
            if not row:
                os._exit(2)
            out.write(row + "\\n")


if __name__ == "__main__":
    export(sys.argv[1:])
```

## Use instead
```python
import sys


def export(rows: list[str]) -> None:
    with open("export.csv", "w") as out:
        for row in rows:
            if not row:
                sys.exit(2)
            out.write(row + "\\n")


if __name__ == "__main__":
    export(sys.argv[1:])
```

## Fix safety
Unsafe: the cleanup then runs, and may fail or wait. Offered where only the main thread of a program gets there, nothing around it
catches SystemExit, and the program has no thread, pool or child that would keep it from ending.

## Precision
Silent in forked children (there `os._exit` is right), for the parents of a double fork, after a failed `exec` and in
tests. A thread in a loop is a loss where it has a file or queue in hand, a timer where its function is seen outside of the
process. A preview where the name of the function, or of an option around the call, says that nothing is to be cleaned up.
Strict where all that is lost are threads, thread pools, timers and processes: of 7 such calls in some 180 applications none left work undone.
Without a named loss, or where it looks meant, one of 8 calls in 24 packages deserved a word: a preview.

## References
- [os._exit](https://docs.python.org/3/library/os.html#os._exit)
- [sys.exit](https://docs.python.org/3/library/sys.html#sys.exit)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.findings import Finding, Fix
from shutdown_lint.project import Project
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.exits._hard import finding, has_signalled_itself, is_right, obstacle, registered_finding
from shutdown_lint.rules.exits._requests import registrations_of

RULE = Rule(
    code="SHD101",
    name="exit-skips-cleanup",
    summary="`os._exit` where cleanup of the process is at stake",
    tier="D",
    severity="error",
    fix="unsafe",
    triggers=(r"_exit & re:_exit\b",),
    origin=("G5", "G8"),
)

_FIX = Fix("unsafe", "call `sys.exit`, which unwinds the stack", "shd101")
HELP = "call `sys.exit` or raise, so that the stack unwinds; in a thread, tell the main thread to do it"


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The hard exits of the module."""
    for fn in project.functions(module):
        for site in fn.sites:
            if not project.calls.is_call_to(site.call, fn, "os._exit") or is_right(site, fn, project):
                continue
            if not has_signalled_itself(site, fn, project):
                fix = obstacle(site, fn, project) or _FIX
                yield finding(
                    RULE, site, fn, project, "ends the process without unwinding", HELP, fix, unsure="P", beside="S"
                )
    for registration, _ in registrations_of(module, project, ("os._exit",), "atexit"):
        yield registered_finding(RULE, registration, HELP)
