"""Importing a library, or making one of its objects, replaces the program's signal handler and forgets it.

## What it does
Reports `signal.signal` in the body of a module that is no program, or in what a constructor runs, where the previous handler is
neither kept nor put back (strict tier). Reports by default a function that ignores SIGINT, SIGTERM or SIGHUP for good and comes back to a
public function of the library that does not put the handler back.

## Why it matters
There is one handler for each signal in a process. The program that uses the library has installed its own, which closes its
files and stops its workers: from now on it is not called, and nothing tells so.

## Example
```python
import signal
import sys


class Client:
    def __init__(self, host):
        self.host = host
        signal.signal(signal.SIGTERM, self._on_term)

    def _on_term(self, signum, frame):
        sys.exit(143)
```

## Use instead
```python
import signal
import sys


class Client:
    def __init__(self, host):
        self.host = host
        self._previous = signal.signal(signal.SIGTERM, self._on_term)

    def _on_term(self, signum, frame):
        if callable(self._previous):
            self._previous(signum, frame)
        sys.exit(143)
```

## Precision
Silent in programs (under a `__main__` test, in what it, a console script or a command reaches, in a class that is called an
application), in child processes and tests, and
where `signal.getsignal` is asked in the same class or function.

## References
- [signal.signal](https://docs.python.org/3/library/signal.html#signal.signal)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.findings import Finding, Step
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.calls import Caller
from shutdown_lint.project.endings import comes_back, of_block
from shutdown_lint.project.forks import in_child, side_of
from shutdown_lint.project.imports import imported
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.signals import Handling, handlings, is_restored
from shutdown_lint.rules._texts import SIGNALS
from shutdown_lint.rules.base import Rule
from shutdown_lint.walk import dotted, text

RULE = Rule(
    code="SHD312",
    name="handler-overwrites",
    summary="a library replaces the signal handler of the program that uses it",
    tier="D",
    severity="warning",
    triggers=SIGNALS,
    origin=("G12",),
)

HELP = (
    "keep what `signal.signal` returns and call it, or leave the handlers to the program and offer a method that stops"
)
_ENDING = frozenset({"SIGTERM", "SIGINT", "SIGHUP"})
MAX_CLIMB = 3
_PROGRAMS = frozenset(
    {"__main__", "main", "cli", "app", "manage", "setup", "conftest", "bin", "scripts", "commands", "management", "cmd"}
)
_PROGRAM_CLASS = re.compile(r"(App|Application|Command|CLI|Cli|Daemon)$")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The handlers that the module installs; the first in each function."""
    yield from _ignored_for_good(module, project)
    seen: set[Fn] = set()
    for handling in handlings(project):
        fn = handling.fn
        if fn.module is not module or fn in seen or not _forgets(handling, project):
            continue
        side_effect = _side_effect(fn, project)
        if side_effect is not None:
            seen.add(fn)
            signal = next(name for name in handling.signals if name in _ENDING)
            message = (
                f"{side_effect[0]} replaces the handler of {signal} that the program has installed, and forgets it"
            )
            span, steps = handling.site.call.span, side_effect[1]
            yield RULE.finding(module, span, message, tier="S", severity="info", trace=steps, help=HELP)


def _ignored_for_good(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """A function that ignores Ctrl-C or SIGTERM and comes back, called by a library's function that comes back too."""
    for handling in handlings(project):
        if handling.fn.module is not module or not _ignores(handling, project):
            continue
        caller = next((c for c in project.calls.callers(handling.fn) if _goes_back(c, project)), None)
        if caller is None:
            continue
        signal = next(name for name in handling.signals if name in _ENDING)
        call = handling.site.call
        yield RULE.finding(
            module,
            call.span,
            f"{signal} is ignored for good from here on: `{caller.fn.qualname}` goes back to a program that it no longer stops",
            trace=(
                handling.fn.step(
                    call.span, f"`{text(call)}` in `{handling.fn.qualname}`, with nothing that puts the handler back"
                ),
                caller.fn.step(
                    caller.site.call.span, f"`{caller.fn.qualname}` calls it, and returns to who uses the library"
                ),
            ),
            help="keep what `signal.signal` returns, and put it back in a `finally` when the function is through",
        )


def _ignores(handling: Handling, project: Project) -> bool:
    """Whether the call ignores a signal that ends programs, in a function that does nothing else about signals."""
    fn = handling.fn
    if handling.via != "signal" or not handling.site.dropped or fn.is_module or is_test(fn):
        return False
    if not _ENDING & set(handling.signals) or (dotted(handling.handler) or "").rpartition(".")[2] != "SIG_IGN":
        return False
    if project.roles.kinds(fn) - {"main", "framework"} or _keeps(fn, project):
        return False
    if not comes_back(of_block(handling.site.at.after(), fn, project)):
        return False  # it ignores Ctrl-C while it ends the program
    return sum(1 for site in fn.sites if project.calls.is_call_to(site.call, fn, "signal.signal")) == 1


def _goes_back(caller: Caller, project: Project) -> bool:
    """Whether a public function of the library makes the call, which nobody runs as a program and which restores nothing."""
    fn = caller.fn
    if (
        caller.confidence != "proven"
        or is_test(fn)
        or fn.is_module
        or fn.name.startswith("_")
        or _is_program(fn, project)
    ):
        return False
    if side_of(caller.site.at, fn, project) == "child" or in_child(fn, project):
        return False
    return not project.roles.of(fn) and "signal" not in fn.mentions


def _forgets(handling: Handling, project: Project) -> bool:
    """Whether a function of the project takes the place of a handler that nobody keeps."""
    if handling.via != "signal" or not handling.targets or not handling.site.dropped or is_test(handling.fn):
        return False
    if not _ENDING & set(handling.signals) or not project.calls.is_call_to(
        handling.site.call, handling.fn, "signal.signal"
    ):
        return False
    return not _keeps(handling.fn, project) and not is_restored(handling, project)


def _keeps(fn: Fn, project: Project) -> bool:
    """Whether the function, or its class, asks for the previous handler."""
    owner = project.classes.enclosing(fn)
    fns = project.classes.methods(owner).values() if owner is not None else ()
    return any("getsignal" in other.mentions for other in (fn, *fns))


def _side_effect(start: Fn, project: Project) -> tuple[str, tuple[Step, ...]] | None:
    """What runs the function without being asked for it: an import or a constructor; None where a program does."""
    if project.roles.of(start):
        return None
    queue: list[tuple[Fn, tuple[Step, ...]]] = [(start, ())]
    for fn, steps in queue:
        if fn.is_module:
            return (f"importing `{fn.module.name}`", steps) if _is_library(fn, project) else None
        if fn.name == "__init__" and fn.cls is not None:
            return (f"making a `{fn.cls.name}`", steps) if not _is_program(fn, project) else None
        for caller in project.calls.callers(fn) if len(steps) < MAX_CLIMB else ():
            step = caller.fn.step(caller.site.call.span, f"`{text(caller.site.call)}` in `{caller.fn.qualname}`")
            if caller.confidence == "proven" and all(caller.fn is not known for known, _ in queue):
                queue.append((caller.fn, (step, *steps)))
    return None


def _is_library(body: Fn, project: Project) -> bool:
    """Whether the module is imported by another one of the project, and is not run itself."""
    return project.roles.main_guard(body) is None and not _is_program(body, project) and _is_imported(body, project)


def _is_imported(body: Fn, project: Project) -> bool:
    project.modules.loaded_mentioning(body.module.name.rpartition(".")[2])
    return any(
        body.module.name in imported(entry.facts, project)
        for entry in project.modules
        if entry.facts is not body.module
    )


def _is_program(fn: Fn, project: Project) -> bool:
    """By the names of the module and its packages, or of the class and its bases: what is a program is no library."""
    if _PROGRAMS & set(fn.module.name.split(".")):
        return True
    cls = project.classes.enclosing(fn)
    return cls is not None and any(_PROGRAM_CLASS.search(name) for name in (cls.name, *_names_of_bases(cls, project)))


def _names_of_bases(cls: Cls, project: Project) -> Iterator[str]:
    for base in project.classes.mro(cls):
        yield base.name if isinstance(base, Cls) else base.rpartition(".")[2]
