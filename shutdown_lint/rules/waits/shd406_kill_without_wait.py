"""``kill()`` and nobody waits: the child stays a zombie.

## What it does
Reports a ``subprocess.Popen`` that is killed or terminated and never waited for on any alias.

## Why it matters
A dead child stays in the process table until its parent waits. A service that restarts its children fills it; and without
the wait nobody knows that the child is really gone.

## Example
```python
import subprocess


def probe(command):
    child = subprocess.Popen(command)
    print(child.args)
    child.kill()
```

## Use instead
```python
import subprocess


def probe(command):
    child = subprocess.Popen(command)
    print(child.args)
    child.kill()
    child.wait()
```

## Precision
The receiver's type comes from its constructor. Silent when it leaves what the analysis sees.

## References
- [Popen.kill](https://docs.python.org/3/library/subprocess.html#subprocess.Popen.kill)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.findings import Finding
from shutdown_lint.project import Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.rules.base import Rule
from shutdown_lint.walk import text

RULE = Rule(
    code="SHD406",
    name="kill-without-wait",
    summary="a child is killed and nobody waits for it",
    tier="D",
    severity="warning",
    triggers=("kill(", "terminate("),
    origin=("G14",),
)


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every child of the project that is ended in this module."""
    for acquisition in project.resources.everywhere("child"):
        if is_test(acquisition.fn) or project.resources.released(acquisition):
            continue
        track = project.resources.track(acquisition)
        if track.escaped or track.entered or track.has("returncode", "pid"):
            continue
        kill = next(iter(track.methods("kill", "terminate")), None)
        if kill is None or kill.fn.module is not module:
            continue
        where = acquisition.fn.step(acquisition.call.span, f"child started in `{acquisition.fn.qualname}`")
        yield RULE.finding(
            module,
            kill.site.call.span,
            f"`{text(kill.site.call)}` in `{kill.fn.qualname}` ends a child that nobody waits for: it stays a zombie",
            trace=(where, kill.fn.step(kill.site.call.span, f"ended in `{kill.fn.qualname}`")),
            help="call `wait()` after it",
        )
