"""An exit callback that a forked child of multiprocessing registers, and that never runs.

## What it does
Reports ``atexit.register`` and ``weakref.finalize`` in code that only runs in a child of ``multiprocessing``, where the project
still runs on a Python before 3.13.

## Why it matters
Up to Python 3.12 a child that was made by ``fork`` or ``forkserver`` ends by ``os._exit`` and runs neither: the callback is
registered, and its cleanup never happens.

## Example
```python
import atexit
import multiprocessing


def crunch(path):
    log = open(path, "a", buffering=1)
    atexit.register(log.write, "done")
    log.write("started")


def start(path):
    child = multiprocessing.Process(target=crunch, args=(path,))
    child.start()
    child.join(60)
    return child.exitcode
```

## Use instead
```python
import multiprocessing


def crunch(path):
    with open(path, "a", buffering=1) as log:
        try:
            log.write("started")
        finally:
            log.write("done")


def start(path):
    child = multiprocessing.Process(target=crunch, args=(path,))
    child.start()
    child.join(60)
    return child.exitcode
```

## Precision
Tier S: the start method may be another one at run time. Silent where the project runs on 3.13 and later only, where it asks for
``spawn``, and where the function may run in the parent as well.

## References
- [gh-83856: atexit in multiprocessing children](https://github.com/python/cpython/issues/83856)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Const, ModuleFacts
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.roles import Registration, is_test
from shutdown_lint.rules.base import Rule
from shutdown_lint.walk import text

RULE = Rule(
    code="SHD217",
    name="atexit-in-child",
    summary="an exit callback in a forked multiprocessing child, which runs none before Python 3.13",
    tier="S",
    severity="warning",
    triggers=("atexit", "weakref & finalize"),
    origin=("G3",),
)
_CHILDREN = ("process", "pool-process")
_FIXED_IN = (3, 13)
_CALLS = ("atexit.register", "weakref.finalize")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at the registrations in functions that only children run."""
    if project.target_version >= _FIXED_IN:
        return
    for fn in project.functions(module):
        if not fn.mentions & {"register", "finalize"} or fn.is_module or is_test(fn):
            continue
        for site in fn.sites:
            if project.calls.is_call_to(site.call, fn, *_CALLS) and _is_in_child(fn, project):
                for registration in project.roles.at(site, fn):
                    yield _finding(module, registration, project)
                    break


def _is_in_child(fn: Fn, project: Project) -> bool:
    return project.roles.only(fn, *_CHILDREN) and not _spawns(project)


def _spawns(project: Project) -> bool:
    """Whether the project asks for another start method than fork."""
    return any(
        isinstance(arg.value, Const) and arg.value.value == "spawn"
        for name in ("set_start_method", "get_context")
        for _, site in project.calls.calls_named(name)
        for arg in site.call.args
    )


def _finding(module: ModuleFacts, registration: Registration, project: Project) -> Finding:
    fn, call = registration.fn, registration.site.call
    role = project.roles.role(fn, *_CHILDREN)
    return RULE.finding(
        module,
        call.span,
        f"`{text(call.func)}` in `{fn.qualname}`, which a child process runs: before Python 3.13 a forked child never calls `{text(registration.argument)}`",
        lost=(fn.step(call.span, f"`{text(registration.argument)}`"),),
        trace=role.steps if role is not None else (),
        help=f"call `{text(registration.argument)}` in a `finally` of what the child runs",
    )
