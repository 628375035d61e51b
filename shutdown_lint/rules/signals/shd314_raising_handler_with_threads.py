"""A signal handler raises while the main thread waits for its workers: their work is dropped.

## What it does
Reports handlers of SIGTERM and SIGINT that raise (also by `sys.exit`) in programs whose main thread joins threads, or shuts an
executor down, where no `try` or `with` around the wait waits again.

## Why it matters
Up to Python 3.12 a `join()` that an exception leaves marks the thread as ended although it runs: the exit no longer waits for
it, and what it was writing is cut off. In every version a handler that raises while the interpreter waits for threads at exit
ends them, with exit code 0.

## Example
```python
import signal
import sys
import threading


def export(path):
    with open(path, "w") as out:
        out.write("rows")


def main():
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(143))
    worker = threading.Thread(target=export, args=("rows.csv",))
    worker.start()
    worker.join()


if __name__ == "__main__":
    main()
```

## Use instead
```python
import signal
import threading

stopping = []


def export(path):
    with open(path, "w") as out:
        out.write("rows")


def main():
    signal.signal(signal.SIGTERM, lambda signum, frame: stopping.append(signum))
    worker = threading.Thread(target=export, args=("rows.csv",))
    worker.start()
    worker.join()


if __name__ == "__main__":
    main()
```

## Precision
Strict: a program that is asked to stop may mean to drop its work. Silent for daemon threads, for workers that hold no cleanup,
and where `target-version` is 3.13 or later.

## References
- [Thread.join](https://docs.python.org/3/library/threading.html#threading.Thread.join)
- [cpython#90882](https://github.com/python/cpython/issues/90882)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, ModuleFacts, Raise, Try
from shutdown_lint.findings import Finding, Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.imports import program
from shutdown_lint.project.programs import worker_bodies
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.signals import Handling, handlings, is_restored
from shutdown_lint.project.values import Instance
from shutdown_lint.rules._texts import SIGNALS
from shutdown_lint.rules.base import Rule
from shutdown_lint.walk import Site, text

RULE = Rule(
    code="SHD314",
    name="raising-handler-with-threads",
    summary="a signal handler raises while threads are joined",
    tier="S",
    severity="info",
    triggers=SIGNALS,
    origin=("G12",),
)

HELP = "let the handler set a flag that the workers and the main thread test, and join them before the exit"
_EXITS = ("sys.exit", "builtins.exit", "builtins.quit")
_FIXED = (3, 13)


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The handlers that the module installs in the main thread; the first wait that each may leave."""
    if project.target_version >= _FIXED:
        return
    for handling in handlings(project):
        if handling.fn.module is not module or not _raises(handling, project) or is_restored(handling, project):
            continue
        found = next(_waits(handling, project), None)
        if found is not None:
            yield _finding(handling, *found)
            return


def _raises(handling: Handling, project: Project) -> bool:
    if handling.via != "signal" or is_test(handling.fn) or not {"SIGTERM", "SIGINT"} & set(handling.signals):
        return False
    return "main" in project.roles.kinds(handling.fn) and any(_leaves(fn, project) for fn in handling.targets)


def _leaves(fn: Fn, project: Project) -> bool:
    """Whether the handler's own body raises or exits."""
    if any(isinstance(at.stmt, Raise) for at in fn.statements):
        return True
    return any(project.calls.is_call_to(site.call, fn, *_EXITS) for site in fn.sites)


def _waits(handling: Handling, project: Project) -> Iterator[tuple[Site, Fn, Step]]:
    """The joins of the program's main thread that wait for work with cleanup, and what that is."""
    modules = program([handling.fn.module.name], project)
    for fn, site in project.calls.calls_named("join"):
        if fn.module.name not in modules or is_test(fn) or site.call.args or _is_caught(site):
            continue
        if not isinstance(site.call.func, Attr) or "main" not in project.roles.kinds(fn):
            continue
        for value in project.evaluate.values(site.call.func.value, fn):
            if isinstance(value, Instance) and _is_thread(value, project):
                for body in worker_bodies(value, project):
                    held = next(iter(project.cleanup.held_by(body)), None)
                    if held is not None:
                        yield site, fn, held


def _is_thread(value: Instance, project: Project) -> bool:
    if value.call is None or value.fn is None:
        return False
    made = [a for a in project.resources.of_function(value.fn) if a.call is value.call]
    return any(a.model.name == "threading.Thread" and a.daemon is False for a in made)


def _is_caught(site: Site) -> bool:
    """Whether a ``try`` around the wait, or the wait's place in a ``finally``, may wait again."""
    return any(place.outer is not None and isinstance(place.outer.stmt, Try) for place in site.at.around())


def _finding(handling: Handling, wait: Site, fn: Fn, held: Step) -> Finding:
    signal = next(name for name in handling.signals if name in ("SIGTERM", "SIGINT"))
    message = f"the handler of {signal} raises out of `{text(wait.call)}`: the thread is no longer waited for, and {held.text} is cut off"
    trace = (fn.step(wait.call.span, "the main thread waits here when the signal comes"),)
    return RULE.finding(handling.fn.module, handling.site.call.span, message, lost=(held,), trace=trace, help=HELP)
