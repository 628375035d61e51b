"""A process that aborts or kills itself by SIGKILL cannot clean up.

## What it does
Reports `os.abort()` and SIGKILL sent to the own process or process group (`os.kill(os.getpid(), SIGKILL)`,
`os.killpg(0, SIGKILL)`, `signal.raise_signal(SIGKILL)`) where cleanup of the program is at stake, and names it. Without
a named loss only the strict tier speaks.

## Why it matters
SIGKILL cannot be caught and `abort` runs no Python code: no `finally`, no `with`, no exit callback, no flush. The
parent sees a crash (-9 or -6, perhaps a core file) where the program meant an exit.

## Example
```python
import os
import signal


def store(rows: list[str]) -> None:
    with open("rows.txt", "w") as out:
        for row in rows:
            if not row:
                os.kill(os.getpid(), signal.SIGKILL)
            out.write(row)


if __name__ == "__main__":
    store(["a", ""])
```

## Use instead
```python
import sys


def store(rows: list[str]) -> None:
    with open("rows.txt", "w") as out:
        for row in rows:
            if not row:
                sys.exit("empty row")
            out.write(row)


if __name__ == "__main__":
    store(["a", ""])
```

## Fix safety
Unsafe: `sys.exit` with the code that shells show for the signal; the cleanup then runs, and may fail or wait. Offered under the
conditions of SHD101, for the process alone.

## Precision
Silent for the POSIX idiom (restore `SIG_DFL`, send the same signal again), for other processes and groups, in forked
children and in tests.

## References
- [os.kill](https://docs.python.org/3/library/os.html#os.kill)
- [os.abort](https://docs.python.org/3/library/os.html#os.abort)
- [signal(7)](https://man7.org/linux/man-pages/man7/signal.7.html)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shutdown_lint.facts import Call, Const, Expr, ModuleFacts, Name
from shutdown_lint.findings import Finding, Fix
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.scopes import Value
from shutdown_lint.project.values import Constant, External, Instance
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.exits._hard import finding, is_right, obstacle
from shutdown_lint.walk import Site, argument

RULE = Rule(
    code="SHD103",
    name="self-kill",
    summary="a process that ends itself by SIGKILL or abort",
    tier="D",
    severity="error",
    fix="unsafe",
    triggers=(
        "os.abort",
        r"abort & re:import[^\n]*\babort\b",
        "SIGKILL & kill",
        "raise_signal",
        "os.kill",
        r"kill & re:import[^\n]*\bkill",
        "psutil & kill",
    ),
    origin=("G5", "G10"),
)

HELP = "leave by `sys.exit`; to show a signal to the parent, restore its `SIG_DFL` and raise it again"
_KILLS = ("os.kill", "os.killpg", "signal.raise_signal")
_OWN_PID = ("os.getpid",)
_OWN_GROUP = ("os.getpgrp", "os.getpgid")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The calls of the module by which it kills its own process."""
    for fn in project.functions(module):
        for site in fn.sites:
            action = _action(site.call, fn, project)
            if action is not None and not is_right(site, fn, project):
                yield finding(RULE, site, fn, project, action, HELP, _fix(action, site, fn, project))


def _fix(action: str, site: Site, fn: Fn, project: Project) -> Fix | str:
    if "group" in action:
        return "the other processes of the group would live on"
    code = "134" if action.startswith("aborts") else "137"  # 128 and SIGABRT, or SIGKILL, as shells show it
    found = obstacle(site, fn, project)
    return found or Fix("unsafe", f"exit with code {code}", "shd103", (("code", code),))


def _action(call: Call, fn: Fn, project: Project) -> str | None:
    if project.calls.is_call_to(call, fn, "os.abort"):
        return "aborts the process"
    if project.calls.is_call_to(call, fn, "signal.raise_signal"):
        return "kills the process itself" if _is_sigkill(argument(call, 0, "signalnum"), fn, project) else None
    if project.calls.is_call_to(call, fn, "psutil.Process.kill") and _is_own_process(call, fn, project):
        return "kills the process itself"
    if project.calls.is_call_to(call, fn, "os.kill") and _is_zero(argument(call, 0, "pid"), fn, project):
        return "kills the own process group" if _is_sigkill(argument(call, 1, "signal"), fn, project) else None
    if project.calls.is_call_to(call, fn, "os.kill") and _is_own(argument(call, 0, "pid"), fn, project, _OWN_PID):
        return "kills the process itself" if _is_sigkill(argument(call, 1, "signal"), fn, project) else None
    if project.calls.is_call_to(call, fn, "os.killpg") and _is_own_group(argument(call, 0, "pgid"), fn, project):
        return "kills the own process group" if _is_sigkill(argument(call, 1, "signal"), fn, project) else None
    return None


def _is_sigkill(number: Expr | None, fn: Fn, project: Project) -> bool:
    values = project.evaluate.values(number, fn)
    return bool(values) and all(
        (isinstance(value, External) and value.name in ("signal.SIGKILL", "signal.Signals.SIGKILL"))
        or (isinstance(value, Constant) and value.value == 9)
        for value in values
    )


def _is_own(pid: Expr | None, fn: Fn, project: Project, names: tuple[str, ...]) -> bool:
    """Whether the expression is the own pid: the call, or a name that is bound to nothing else."""
    return _is_only(
        pid, fn, project, lambda expr, at: isinstance(expr, Call) and project.calls.is_call_to(expr, at, *names)
    )


def _is_zero(number: Expr | None, fn: Fn, project: Project) -> bool:
    """``0``, or a name for it. An attribute that starts as 0 and gets a child's pid later is no own pid."""
    return _is_only(number, fn, project, lambda expr, _: isinstance(expr, Const) and expr.value == 0)


def _is_only(expr: Expr | None, fn: Fn, project: Project, test: Callable[[Expr, Fn], bool]) -> bool:
    """Whether the test holds for the expression, or for all that its name is ever bound to."""
    if expr is None or not isinstance(expr, Name):
        return expr is not None and test(expr, fn)
    scope = project.evaluate.binding_scope(expr.id, fn)
    bindings = scope.bindings.get(expr.id, ()) if scope is not None else ()
    return bool(bindings) and all(
        isinstance(b, Value) and b.expr is not None and scope is not None and test(b.expr, scope) for b in bindings
    )


def _is_own_process(call: Call, fn: Fn, project: Project) -> bool:
    """``psutil.Process().kill()``: without a pid, or with the own one."""
    for value in project.evaluate.values(getattr(call.func, "value", None), fn):
        if isinstance(value, Instance) and value.call is not None and value.fn is not None:
            return not value.call.args or _is_own(argument(value.call, 0, "pid"), value.fn, project, _OWN_PID)
    return False


def _is_own_group(group: Expr | None, fn: Fn, project: Project) -> bool:
    if _is_zero(group, fn, project):
        return True
    if isinstance(group, Call) and project.calls.is_call_to(group, fn, "os.getpgid"):
        inner = argument(group, 0, "pid")
        return _is_zero(inner, fn, project) or _is_own(inner, fn, project, _OWN_PID)
    return _is_own(group, fn, project, _OWN_GROUP[:1])
