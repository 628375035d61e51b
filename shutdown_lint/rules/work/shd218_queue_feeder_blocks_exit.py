"""A process is joined before the queue that it fills is read.

## What it does
Reports the ``join()`` without limit of a ``multiprocessing.Process`` to which a ``multiprocessing.Queue`` was handed, when the
function reads that queue only behind the join and the process puts into it.

## Why it matters
A process that has put something into a queue waits at its end until its feeder thread has written everything into the pipe.
A pipe holds about 64 KiB: with more than that, the process waits for the reader, the reader waits for the process.

## Example
```python
import multiprocessing


def crunch(numbers, results):
    for number in numbers:
        results.put(number * number)


def squares(numbers):
    results = multiprocessing.Queue()
    child = multiprocessing.Process(target=crunch, args=(numbers, results))
    child.start()
    child.join()
    return [results.get() for _ in numbers]
```

## Use instead
```python
import multiprocessing


def crunch(numbers, results):
    for number in numbers:
        results.put(number * number)


def squares(numbers):
    results = multiprocessing.Queue()
    child = multiprocessing.Process(target=crunch, args=(numbers, results))
    child.start()
    found = [results.get() for _ in numbers]
    child.join()
    return found
```

## Precision
Preview. Silent where anything reads the queue before the join or elsewhere in the project, where the join has a limit, and for
``SimpleQueue`` and queues of a ``Manager``, which have no feeder. What fits into the pipe does no harm.

## References
- [multiprocessing, joining processes that use queues](https://docs.python.org/3/library/multiprocessing.html#programming-guidelines)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, ModuleFacts, Name
from shutdown_lint.findings import Finding, Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.tracks import Local, Use
from shutdown_lint.rules.base import Rule
from shutdown_lint.walk import Site, argument, subexprs, text

RULE = Rule(
    code="SHD218",
    name="queue-feeder-blocks-exit",
    summary="a process is joined before the queue that it fills is read",
    tier="P",
    severity="warning",
    triggers=("Process & Queue & .join(",),
    origin=("G11",),
)
_PUTS = frozenset({"put", "put_nowait"})
_READS = frozenset({"get", "get_nowait"})


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every queue that a function makes and hands to the processes that it starts."""
    for fn in project.functions(module):
        if not {"Process", "join"} <= fn.mentions or is_test(fn):
            continue
        made = project.resources.of_function(fn)
        queues = [a for a in made if a.model.name == "multiprocessing.Queue"]
        processes = [a for a in made if a.model.name == "multiprocessing.Process"] if queues else []
        for queue in queues:
            for process in processes:
                yield from _judge(module, queue, process, fn, project)


def _judge(
    module: ModuleFacts, queue: Acquisition, process: Acquisition, fn: Fn, project: Project
) -> Iterator[Finding]:
    name = next((p.name for p in project.resources.track(queue).places if isinstance(p, Local) and p.fn is fn), None)
    put = _put(process, name, project) if name is not None else None
    joins = [use for use in project.resources.track(process).methods("join") if use.fn is fn]
    if put is None or not joins or name is None:
        return
    reads = _reads(name, fn)
    joined = min(joins, key=lambda use: use.site.call.span.line)
    later = [site for site in reads if site.call.span > joined.site.call.span]
    if joined.site.call.args or not later or len(later) < len(reads) or _is_read_elsewhere(queue, fn, project):
        return
    yield _finding(module, fn, joined, name, later[0], put)


def _put(process: Acquisition, name: str, project: Project) -> Step | None:
    """Where the process puts into the parameter that stands for the queue."""
    given = argument(process.call, 99, "args")
    items = getattr(given, "items", ())
    position = next((n for n, item in enumerate(items) if isinstance(item, Name) and item.id == name), None)
    for body in project.resources.bodies(process) if position is not None else ():
        params = body.facts.params[1:] if body.is_method else body.facts.params
        if position is not None and position < len(params):
            for site in body.sites:
                func = site.call.func
                if isinstance(func, Attr) and func.name in _PUTS and isinstance(func.value, Name):
                    if func.value.id == params[position].name:
                        return body.step(site.call.span, f"`{body.qualname}` fills the queue")
    return None


def _reads(name: str, fn: Fn) -> list[Site]:
    return [
        site
        for site in fn.sites
        if isinstance(site.call.func, Attr)
        and site.call.func.name in _READS
        and isinstance(site.call.func.value, Name)
        and site.call.func.value.id == name
    ]


def _is_read_elsewhere(queue: Acquisition, fn: Fn, project: Project) -> bool:
    """Whether another function (a thread, a callee) may drain it, or a nested one, or it left what can be seen."""
    track = project.resources.track(queue)
    if track.has("cancel_join_thread") or any(use.fn is not fn and use.name in _READS for use in track.uses):
        return True
    return any(
        any(isinstance(expr, Name) and expr.id == name for arg in site.call.args for expr in subexprs(arg.value))
        for place in track.places
        if isinstance(place, Local) and place.fn is fn
        for name in (place.name,)
        for site in fn.sites
        if not _is_process(site)
    )


def _is_process(site: Site) -> bool:
    func = site.call.func
    return (func.name if isinstance(func, Attr) else func.id if isinstance(func, Name) else "") in ("Process", "print")


def _finding(module: ModuleFacts, fn: Fn, joined: Use, name: str, read: Site, put: Step) -> Finding:
    call = joined.site.call
    return RULE.finding(
        module,
        call.span,
        f"`{text(call)}` waits for a process that waits until `{name}` is read, and `{fn.qualname}` reads it only afterwards",
        trace=(put, fn.step(read.call.span, f"`{text(read.call)}` comes too late")),
        help=f"read `{name}` before the process is joined",
    )
