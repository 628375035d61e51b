"""A child that runs in a shell is terminated: the shell dies, and the program in it lives on.

## What it does
Reports `terminate()`, `kill()` and `send_signal()` of a child made with `shell=True` (or by `asyncio.create_subprocess_shell`)
that has no process group of its own, where nothing signals a group.

## Why it matters
The signal goes to the shell alone. What it runs becomes an orphan that keeps its ports, files and memory, and holds the pipes
open: a `communicate()` behind the kill waits for it.

## Example
```python
import subprocess


class Tunnel:
    def __init__(self, command):
        self._child = subprocess.Popen(command, shell=True)

    def close(self):
        self._child.kill()
        self._child.wait()
```

## Use instead
```python
import os
import signal
import subprocess


class Tunnel:
    def __init__(self, command):
        self._child = subprocess.Popen(command, shell=True, start_new_session=True)

    def close(self):
        os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
```

## Precision
Strict, because some shells replace themselves by a single simple command. Silent where the command starts with `exec`, where
the child gets a session or group (also by `preexec_fn` or `creationflags`), and where the module has another way to reach the
children (`killpg`, `taskkill`, psutil's `children`).

## References
- [subprocess: start_new_session](https://docs.python.org/3/library/subprocess.html#subprocess.Popen)
- [os.killpg](https://docs.python.org/3/library/os.html#os.killpg)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Const, Expr, ModuleFacts, Seq
from shutdown_lint.findings import Finding
from shutdown_lint.project import Project
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.tracks import Use
from shutdown_lint.rules.base import Rule
from shutdown_lint.walk import argument, has_star, text

RULE = Rule(
    code="SHD315",
    name="group-not-signalled",
    summary="a child in a shell is terminated without its group",
    tier="S",
    severity="warning",
    triggers=("shell=True", "create_subprocess_shell"),
    origin=("G14",),
)

HELP = "start it with `start_new_session=True` and signal the group by `os.killpg(child.pid, …)`, or run the program without a shell"
_ENDS = ("terminate", "kill", "send_signal")
_GROUPS = frozenset({"killpg", "children", "setsid", "setpgrp", "setpgid", "pkill"})


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The children that the module runs in a shell."""
    if any(_GROUPS & fn.mentions for fn in project.functions(module)):
        return
    for child in project.resources.acquisitions(module, "child"):
        if is_test(child.fn) or not _in_shell(child) or _has_group(child):
            continue
        ask = next((use for use in project.resources.track(child).uses if _is_end(use)), None)
        if ask is not None:
            yield _finding(child, ask)


def _is_end(use: Use) -> bool:
    return use.kind == "method" and use.name in _ENDS and not _GROUPS & use.fn.mentions and not is_test(use.fn)


def _in_shell(child: Acquisition) -> bool:
    if text(child.call.func).endswith("create_subprocess_shell"):
        return not _execs(child.call.args[0].value if child.call.args else None)
    given = argument(child.call, 8, "shell")
    return isinstance(given, Const) and given.value is True and not _execs(argument(child.call, 0, "args"))


def _execs(command: Expr | None) -> bool:
    """``"exec …"``: the shell becomes the program; a list of words with a shell is another mistake."""
    if isinstance(command, Seq):
        return command.kind in ("list", "tuple")
    return isinstance(command, Const) and str(command.value).lstrip().startswith(("exec ", "taskkill", "start "))


def _has_group(child: Acquisition) -> bool:
    names = ("start_new_session", "process_group", "preexec_fn", "creationflags")
    return has_star(child.call) or any(argument(child.call, 99, name) is not None for name in names)


def _finding(child: Acquisition, ask: Use) -> Finding:
    message = f"`{text(ask.site.call)}` ends only the shell of `{text(child.call.func)}`: what runs in it goes on as an orphan"
    trace = (
        child.fn.step(child.call.span, "started in a shell, in the group of this process"),
        ask.fn.step(ask.site.call.span, "the signal goes to the shell alone"),
    )
    # at the child: this is where the mend begins
    return RULE.finding(child.fn.module, child.call.span, message, trace=trace, help=HELP)
