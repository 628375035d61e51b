"""The waits between SIGTERM and the exit add up to more than the grace period.

## What it does
Adds up the limits of all waits that follow one another on the way from a SIGTERM handler to the end of the program: in the handler,
behind the loop that its flag ends (or in the ``finally`` and ``with`` that its exit unwinds), and in ``atexit`` callbacks. Reports
a sum above 30 seconds (by a second and more), and shows it. Waits until one deadline count once.

With a [budget](../map.md#the-budget) in the configuration, its grace period counts, its limits stand for waits that have none, and
a component that may take longer than its own limit is reported too.

## Why it matters
Each limit looks reasonable by itself. But Kubernetes sends SIGKILL 30 seconds after SIGTERM, Docker after 10: when the waits are
used up, the steps that come last are those that never run.

## Example
```python
import signal
import sys
import threading


class Service:
    def __init__(self, consume, publish):
        self.stopping = threading.Event()
        self.consumer = threading.Thread(target=consume, args=(self.stopping,))
        self.publisher = threading.Thread(target=publish, args=(self.stopping,))
        self.consumer.start()
        self.publisher.start()

    def on_term(self, signum, frame):
        self.stopping.set()
        sys.exit(143)

    def run(self):
        signal.signal(signal.SIGTERM, self.on_term)
        try:
            while True:
                self.consumer.join(1)
        finally:
            self.consumer.join(20)
            if self.consumer.is_alive():
                print("the consumer is stuck")
            self.publisher.join(20)
            if self.publisher.is_alive():
                print("the publisher is stuck")


if __name__ == "__main__":
    Service(print, print).run()
```

## Use instead
```python
import signal
import sys
import threading
import time


class Service:
    def __init__(self, consume, publish):
        self.stopping = threading.Event()
        self.consumer = threading.Thread(target=consume, args=(self.stopping,))
        self.publisher = threading.Thread(target=publish, args=(self.stopping,))
        self.consumer.start()
        self.publisher.start()

    def on_term(self, signum, frame):
        self.stopping.set()
        sys.exit(143)

    def run(self):
        signal.signal(signal.SIGTERM, self.on_term)
        try:
            while True:
                self.consumer.join(1)
        finally:
            deadline = time.monotonic() + 20
            self.consumer.join(max(0, deadline - time.monotonic()))
            if self.consumer.is_alive():
                print("the consumer is stuck")
            self.publisher.join(max(0, deadline - time.monotonic()))
            if self.publisher.is_alive():
                print("the publisher is stuck")


if __name__ == "__main__":
    Service(print, print).run()
```

## Precision
Tier D for the path of a SIGTERM handler (1 of 1 in 47 unseen packages). Only limits that are numbers in the code, or constants,
count; of several branches the longest, of what goes on at the same time the longest, of a loop of unknown length one round. Waits
without limit are no part of the sum (SHD401). Tier S for a method that stops its object, or an atexit callback, whose own waits
are above the limit, where no handler is seen to lead to it. Preview for other functions with such a name, and for those that
finish the work first (3 of 3 in unseen packages were commands), and where the sum is only reached by the pauses of retries in one
of several branches, by what a forked child does, or by waits of one object that several calls lead to. Tier S where the handler
puts the default back and sends the signal again, where loops with a deadline in other functions than those that stop something
make up the sum, and where ``atexit`` callbacks wait for what the program is not seen to start.

## References
- [Kubernetes: termination of Pods](https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination)
- [docker stop](https://docs.docker.com/reference/cli/docker/container/stop/)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.findings import Finding, Step as Place
from shutdown_lint.project import Fn, Project, steps
from shutdown_lint.project.budget import limited, of_components
from shutdown_lint.project.costs import Cost, cost
from shutdown_lint.project.courses import course
from shutdown_lint.project.paths import Path, from_signal
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.routes import Part
from shutdown_lint.project.signals import handlings
from shutdown_lint.project.step import Step, leaves
from shutdown_lint.rules._firm import Seen, firm, of_work
from shutdown_lint.rules._texts import JOIN, STOPS
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.signals._replaced import is_for_loops_without
from shutdown_lint.rules.waits._stops import AT_EXIT, STOP_NAME, acquisitions_of, is_patient, receiver

RULE = Rule(
    code="SHD411",
    name="shutdown-budget",
    summary="the waits between SIGTERM and the exit add up to more than the grace period",
    tier="D",
    severity="warning",
    triggers=(
        "SIGTERM",
        *(
            f"{wait} & {stop}"
            for wait in (JOIN, ".wait(", ".result(", "sleep(", "wait_for(", "timeout(")
            for stop in STOPS
        ),
    ),
    origin=("G13",),
)
SLACK = 1.0  # the pauses of polls, beside a limit that is just the grace period
MAX_SHOWN = 4
MAX_LOST = 6
_WAITS = frozenset({"join", "wait", "result", "sleep", "communicate", "wait_for", "timeout", "gather", "fail_after"})
_HELP = "share one deadline between the waits, and end at the same time what does not depend on each other"


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at the paths of the SIGTERM handlers that the module installs, and at its stop functions."""
    covered: set[Fn] = set()
    grace = project.budget.grace
    for handling in handlings(project):
        if is_for_loops_without(handling.site.at):
            continue  # the same way is that of the loop's handler, elsewhere than on Windows
        if "SIGTERM" in handling.signals and not is_test(handling.fn):
            for path in from_signal(handling, project, ("SIGTERM",)) if handling.fn.module is module else ():
                found = path.cost
                if found.seconds >= grace + SLACK:
                    covered |= {step.fn for step, _, _ in found.counted}
                    yield _of_path(module, path, found, project)
                    break
    for fn in project.functions(module):
        if STOP_NAME.match(fn.name) and fn.mentions & _WAITS and fn not in covered and not is_test(fn):
            yield from _of_function(module, fn, project)
        if project.budget.components and not is_test(fn):
            yield from _of_components(module, fn, project)


def _of_components(module: ModuleFacts, fn: Fn, project: Project) -> Iterator[Finding]:
    """The steps written in the function that may take longer than the budget gives to what they end."""
    for step, component, _ in of_components(steps.of_function(fn, project), project):
        found = cost((step,))
        if component.limit is None or step.fn is not fn or step.site is None or found.seconds <= component.limit:
            continue
        yield RULE.finding(
            module,
            step.site.call.span,
            f"`{step.text}` may last {_seconds(found.seconds)} ({_sum(found)}), and the budget gives `{component.name}` "
            f"{_seconds(component.limit)}",
            trace=_waits(found),
            help="lower the limits of its waits, or raise the limit in `[tool.shutdown-lint.budget]`",
        )


def _of_path(module: ModuleFacts, path: Path, found: Cost, project: Project) -> Finding:
    assert path.handling is not None
    grace = project.budget.grace
    enough = grace + SLACK
    seen: Seen = set()
    sure = [(part, cost(tuple(firm(part.steps, project, seen)))) for part in path.parts]
    made = sum(spent.seconds - of_work(spent) for part, spent in sure if not _is_of_others(part, spent, path, project))
    made = 0.0 if _hands_on(path, project) else made
    return RULE.finding(
        module,
        path.handling.site.call.span,
        f"the way from SIGTERM to the exit may last {_seconds(found.seconds)} ({_sum(found)}), and a program is killed after "
        f"{_seconds(grace)}",
        tier="D" if made >= enough else "S" if sum(spent.seconds for _, spent in sure) >= enough else "P",
        lost=_lost(path.steps, grace),
        trace=(path.origin, *_waits(found)),
        help=_HELP,
    )


def _hands_on(path: Path, project: Project) -> bool:
    """Whether the handler puts the default back and sends the signal again: the program does not go on behind it."""
    targets = path.handling.targets if path.handling is not None else ()
    reached = {fn for target in targets for fn in project.protocol.reach(target)}
    return any("SIG_DFL" in fn.mentions and fn.mentions & {"kill", "raise_signal"} for fn in reached)


def _is_of_others(part: Part, spent: Cost, path: Path, project: Project) -> bool:
    """Whether it is a callback of ``atexit`` that waits for nothing which the program is seen to make: another one's."""
    if path.entry is None or not part.at_exit or not spent.counted:
        return False
    run = course(path.entry, project).calls
    waits = [wait for wait, _, _ in spent.counted if wait.site is not None]
    made = [a for wait in waits if wait.site for a in acquisitions_of(receiver(wait.site.call), wait.fn, project)]
    return bool(made) and not any(a.fn.is_module or a.fn in run for a in made)


def _of_function(module: ModuleFacts, fn: Fn, project: Project) -> Iterator[Finding]:
    """A stop function that is above the limit by itself, and not only by one function that it calls."""
    inner, grace = limited(steps.of_function(fn, project), project), project.budget.grace
    found = cost(inner)
    if found.seconds < grace + SLACK or any(
        step.kind == "call" and cost((step,)).seconds >= grace + SLACK for step in inner
    ):
        return
    yield RULE.finding(
        module,
        fn.facts.span,
        f"`{fn.qualname}` may last {_seconds(found.seconds)} ({_sum(found)}), and a program is killed {_seconds(grace)} after SIGTERM",
        tier="S"
        if _ends_owner(fn, project)
        and not is_patient(fn)
        and cost(tuple(firm(inner, project, set()))).seconds >= grace + SLACK
        else "P",
        severity="info",
        confidence="likely",
        lost=_lost(inner, grace),
        trace=_waits(found),
        help=_HELP,
    )


def _ends_owner(fn: Fn, project: Project) -> bool:
    """Whether it ends the object or the program that it belongs to, not something else on demand: ``stop``, not ``kill_node``."""
    bare = not fn.name.strip("_").removeprefix("async_").partition("_")[2]
    return (fn.is_method and (bare or fn.name.startswith("__"))) or any(
        role.kind in AT_EXIT for role in project.roles.seeds().get(fn, ())
    )


def _seconds(value: float) -> str:
    return f"{value:g} s"


def _sum(found: Cost) -> str:
    """``20 s + 3 × 5 s``, the longest first."""
    parts = sorted(found.counted, key=lambda part: -part[1] * part[2])
    shown = [_seconds(limit) if times == 1 else f"{times} × {_seconds(limit)}" for _, limit, times in parts[:MAX_SHOWN]]
    return " + ".join(shown) + (" + …" if len(parts) > MAX_SHOWN else "")


def _waits(found: Cost) -> tuple[Place, ...]:
    shown = (
        Place(step.file, step.line, step.column, f"`{step.text}` in `{step.fn.qualname}`: {_seconds(limit)}")
        for step, limit, _ in found.counted
    )
    return tuple(dict.fromkeys(shown))


def _lost(found: Iterable[Step], grace: float) -> tuple[Place, ...]:
    """The releases that come when the grace period is over."""
    total, late = 0.0, []
    for step, _ in leaves(found):
        if step.kind in ("release", "stop") and total > grace:
            late.append(Place(step.file, step.line, step.column, f"`{step.text}` in `{step.fn.qualname}`"))
        total += step.limit or 0.0
    return tuple(dict.fromkeys(late))[:MAX_LOST]
