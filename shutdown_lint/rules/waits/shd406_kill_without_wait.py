"""``kill()`` and nobody waits: the child stays a zombie.

## What it does
Reports a ``subprocess.Popen`` (or asyncio child) that is killed or terminated, by method or by ``os.kill`` with its ``pid``,
and never waited for on any alias; and one that is killed because a wait for it failed (``except TimeoutExpired``), and is
forgotten right behind that.

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

## Fix safety
Safe for `kill()` on a `subprocess.Popen`: `wait()` behind it returns as soon as the child is gone. Unsafe for `terminate()`:
the wait has a limit of 5 seconds, and `kill()` behind it.

## Precision
The receiver's type comes from its constructor. Silent when the child is polled, waited for, communicated with, used as a
context manager, or leaves what the analysis sees, and where the process ends right behind it (in callbacks of the exit, at the end
of the program's first function): nothing is left to reap it for. Behind a failed wait
the child must be a local, or its attribute be set to None; clauses for Ctrl-C and those that exit are silent.

## References
- [Popen.kill](https://docs.python.org/3/library/subprocess.html#subprocess.Popen.kill)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Attr, Call, ModuleFacts
from shutdown_lint.findings import Finding, Fix
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.afterwards import is_last_of_script, program_ends_after
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.tracks import Track
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._children import fatal_signal, is_told, tracks, uses
from shutdown_lint.rules.waits._given_up import gives_up
from shutdown_lint.rules.waits._stops import AT_EXIT
from shutdown_lint.walk import Site, subexprs, text

RULE = Rule(
    code="SHD406",
    name="kill-without-wait",
    summary="a child is killed and nobody waits for it",
    tier="D",
    severity="warning",
    fix="safe",
    triggers=("kill(", "terminate(", "killpg("),
    origin=("G14",),
)
_REAPS = ("wait", "communicate", "poll", "returncode")
_ENDS = ("kill", "terminate")
_EXITS = re.compile(r"_*(on|at|before)_?(app_?|program_?)?(exit|quit)$", re.IGNORECASE)  # callbacks of toolkits
_BY_NUMBER = ("os.kill", "os.killpg")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every call that ends a child."""
    seen: set[int] = set()
    for fn in project.functions(module):
        for site in fn.sites if fn.mentions & {"kill", "terminate", "killpg"} else ():
            found = None if is_test(fn) else _killed(site, fn, project)
            if found is not None and id(found[0].call) not in seen and not _is_last(site, fn, project):
                if not _reaped(found[1], project) or gives_up(site, found[0], found[1], fn):
                    seen.add(id(found[0].call))
                    yield _finding(module, fn, site.call, found[0])


def _killed(site: Site, fn: Fn, project: Project) -> tuple[Acquisition, tuple[Track, ...]] | None:
    """The child that the call ends."""
    func = site.call.func
    if not isinstance(func, Attr) or func.name not in (*_ENDS, "killpg"):
        return None
    pid = next(
        (
            part
            for arg in site.call.args[:1]
            for part in subexprs(arg.value)
            if isinstance(part, Attr) and part.name == "pid"
        ),
        None,
    )
    if pid is not None and not project.calls.is_call_to(site.call, fn, *_BY_NUMBER):
        return None  # a function of its own: who knows how it kills
    found = tracks(pid.value if pid is not None else func.value, fn, project)
    if found is None or found[0].model.kind != "child" or found[0].model.name.startswith("asyncio."):
        return None  # the loop reaps its children by itself
    return found


def _reaped(found: tuple[Track, ...], project: Project) -> bool:
    """Whether anybody waits, or uses the child's number for something else than a kill."""
    if any(track.entered or track.has(*_REAPS) for track in found):
        return True
    numbers = (use for use in uses(found) if use.name == "pid" and not is_told(use))
    return any(fatal_signal(use, project) is None for use in numbers)


def _is_last(site: Site, fn: Fn, project: Project) -> bool:
    """Whether the process ends right behind it: init takes over what is left, and no zombie stays."""
    ends = program_ends_after(site.at, fn, project) or is_last_of_script(site.at, fn, project)
    return ends or bool(_EXITS.match(fn.name)) or _at_exit(fn, project)


def _at_exit(fn: Fn, project: Project) -> bool:
    """Whether the function runs when the program ends, and nobody else calls it."""
    seeds = project.roles.seeds().get(fn, ())
    return any(role.kind in AT_EXIT for role in seeds) and not any(
        caller.fn.name != "__del__" for caller in project.calls.callers(fn)
    )


def _finding(module: ModuleFacts, fn: Fn, call: Call, child: Acquisition) -> Finding:
    return RULE.finding(
        module,
        call.span,
        f"`{text(call)}` in `{fn.qualname}` ends a child that nobody waits for: it stays a zombie",
        trace=(
            child.fn.step(child.call.span, f"child started in `{child.fn.qualname}`"),
            fn.step(call.span, f"ended in `{fn.qualname}`"),
        ),
        help="call `wait()` after it",
        fix=_fix(call, child),
    )


def _fix(call: Call, child: Acquisition) -> Fix | str:
    if child.model.name != "subprocess.Popen" or not isinstance(call.func, Attr) or call.func.name not in _ENDS:
        return "the child is not a `subprocess.Popen` that is ended by its own method"
    if call.func.name == "kill":
        return Fix("safe", "wait for the child after the `kill()`", "shd406")
    return Fix("unsafe", "wait for the child, and kill it when that takes too long", "shd406")
