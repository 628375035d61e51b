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
``spawn``, where the function may run in the parent as well, where what the child runs calls the callback itself or runs all of them,
and for finalizers of objects that do not rest in a module: those end before the child does.

## References
- [gh-83856: atexit in multiprocessing children](https://github.com/python/cpython/issues/83856)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, Call, Const, ModuleFacts, Name, Span
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.values import External
from shutdown_lint.rules.base import Rule
from shutdown_lint.walk import Site, same, text

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
        if is_test(fn):
            continue
        yield from _decorated(module, fn, project)
        if not fn.mentions & {"register", "finalize"} or fn.is_module:
            continue
        for site in fn.sites:
            if project.calls.is_call_to(site.call, fn, *_CALLS) and _is_in_child(fn, project):
                if not _runs_before(site, fn, project):
                    for registration in project.roles.at(site, fn):
                        yield _finding(
                            module, fn, site.call.span, text(site.call.func), text(registration.argument), project
                        )
                        break


def _decorated(module: ModuleFacts, fn: Fn, project: Project) -> Iterator[Finding]:
    """``@atexit.register`` on a function that is defined in what a child runs."""
    maker = fn.parent
    if maker is None or maker.is_module or not fn.decorator_names & {"register"} or not _is_in_child(maker, project):
        return
    for decorator in fn.facts.decorators:
        if External("atexit.register") in project.evaluate.values(decorator, maker):
            yield _finding(module, maker, fn.facts.span, f"@{text(decorator)}", fn.name, project)


def _is_in_child(fn: Fn, project: Project) -> bool:
    return project.roles.only(fn, *_CHILDREN) and not _spawns(project)


def _runs_before(site: Site, fn: Fn, project: Project) -> bool:
    """Whether the callback runs before the child has ended: it is called by hand, or its object is collected before."""
    if project.calls.is_call_to(site.call, fn, "weakref.finalize"):
        subject = site.call.args[0].value if site.call.args else None
        scope = project.evaluate.binding_scope(subject.id, fn) if isinstance(subject, Name) else None
        return scope is None or not scope.is_module
    role = project.roles.role(fn, *_CHILDREN)
    inside = project.protocol.reach(role.seed) if role is not None else (fn,)
    given = site.call.args[0].value if site.call.args else None
    by_hand = isinstance(given, Attr) or bool(project.calls.callables(given, fn))
    return any("_run_exitfuncs" in other.mentions or (by_hand and _calls(other, site.call)) for other in inside)


def _calls(fn: Fn, registered: Call) -> bool:
    """Whether the function itself makes the call that was registered."""
    callback, *given = (arg.value for arg in registered.args)
    calls = (site.call for site in fn.sites if same(site.call.func, callback))
    return any(
        len(call.args) == len(given)
        and all(same(arg.value, value) for arg, value in zip(call.args, given, strict=True))
        for call in calls
    )


def _spawns(project: Project) -> bool:
    """Whether the project asks for ``spawn``: such a child ends like a program, with its exit callbacks."""
    return any(
        isinstance(arg.value, Const) and arg.value.value == "spawn"
        for name in ("set_start_method", "get_context")
        for _, site in project.calls.calls_named(name)
        for arg in site.call.args
    )


def _finding(module: ModuleFacts, fn: Fn, span: Span, call: str, callback: str, project: Project) -> Finding:
    role = project.roles.role(fn, *_CHILDREN)
    return RULE.finding(
        module,
        span,
        f"`{call}` in `{fn.qualname}`, which a child process runs: before Python 3.13 a forked child never calls `{callback}`",
        lost=(fn.step(span, f"`{callback}`"),),
        trace=role.steps if role is not None else (),
        help=f"call `{callback}` in a `finally` of what the child runs",
    )
