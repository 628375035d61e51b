"""The platform kills the program before its own shutdown limits are over.

## What it does
Compares the time between the stop signal and SIGKILL (compose `stop_grace_period`, Kubernetes `terminationGracePeriodSeconds` less what a
`preStop` hook sleeps, systemd `TimeoutStopSec`, supervisor `stopwaitsecs`) with what runs there: the limit of a server or worker for work
that is under way (`gunicorn --graceful-timeout`, `uvicorn --timeout-graceful-shutdown`, `dramatiq --worker-shutdown-timeout`), or the sum
of the waits on the code's way from SIGTERM to the exit (see SHD411).

## Why it matters
A limit that is longer than the grace period never comes to its end: the requests that it was to protect are cut off, and
the steps behind it are the ones that never run.

## Example
```yaml
services:
  web:
    image: registry.example.org/shop
    command: gunicorn --graceful-timeout 60 shop.wsgi
    stop_grace_period: 30s
```

## Use instead
```yaml
services:
  web:
    image: registry.example.org/shop
    command: gunicorn --graceful-timeout 25 shop.wsgi
    stop_grace_period: 30s
```

## Precision
A service with `extends` or an override file, and a Pod with an image that the project builds, are judged as they come to run; whether the
signal reaches the program is the question of SHD601 and SHD602. Tier D where at least one of the two limits is written down by the project, or where the
code's own waits are longer than the grace period on a path that is known to its end. Tier S where both are defaults (gunicorn's 30 seconds
in a container that is stopped after 10).

## References
- [Compose: stop_grace_period](https://docs.docker.com/reference/compose-file/services/#stop_grace_period)
- [Kubernetes: termination of Pods](https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination)
- [systemd.service(5): TimeoutStopSec](https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html#TimeoutStopSec=)
- [supervisor: stopwaitsecs](https://supervisord.org/configuration.html#program-x-section-settings)
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from shutdown_lint.deployment.commands import Program
from shutdown_lint.deployment.durations import shown
from shutdown_lint.deployment.facts import DeploymentFile, Unit
from shutdown_lint.deployment.world import Grace, World
from shutdown_lint.facts import Span
from shutdown_lint.findings import Finding, Step
from shutdown_lint.project import Project
from shutdown_lint.project.costs import cost
from shutdown_lint.project.paths import Path, from_signal
from shutdown_lint.project.signals import handlings
from shutdown_lint.rules._firm import Seen, firm
from shutdown_lint.rules.base import Rule

RULE = Rule(
    code="SHD604",
    name="grace-too-short",
    summary="the grace period is shorter than what the program takes to shut down",
    tier="D",
    severity="warning",
    triggers=(),
    origin=("G15",),
)
SLACK = 0.5  # seconds: equal limits are a matter of luck, but no mistake that can be told
_NAMES = {"compose": "compose", "pod": "Kubernetes", "systemd": "systemd", "supervisor": "supervisord"}


def check(file: DeploymentFile, world: World) -> Iterator[Finding]:
    """Every unit with a grace period."""
    for unit in file.units:
        grace = world.grace(unit)
        if grace is None or math.isinf(grace.seconds) or _is_elsewhere(unit, grace):
            continue
        if unit.get("preStop") is not None and grace.left <= 0:
            yield _hook(file, unit, grace)
            continue
        program = world.program(file, unit)
        if program is not None:
            yield from _server(file, unit, grace, program, world)
            yield from _code(file, unit, grace, program, world)


def _is_elsewhere(unit: Unit, grace: Grace) -> bool:
    """Whether the command and the grace period are both taken over: they are judged where they are written."""
    return not unit.written and (grace.setting is None or grace.setting.span == unit.span)


def _hook(file: DeploymentFile, unit: Unit, grace: Grace) -> Finding:
    place = unit.get("preStop")
    assert place is not None
    return RULE.finding(
        file,
        place.span,
        f"the preStop hook sleeps {shown(grace.seconds - grace.left)} of {_words(unit, grace)}: nothing is left for SIGTERM",
        help=f"raise `{grace.key}` by what the program needs after the hook",
    )


def _server(file: DeploymentFile, unit: Unit, grace: Grace, program: Program, world: World) -> Iterator[Finding]:
    limit = world.server_limit(program, file, unit)
    if limit is None or limit[0] <= grace.left + SLACK:
        return
    value, words, written = limit
    yield RULE.finding(
        file,
        _place(unit, grace),
        f"`{program.title}` may take {shown(value)} to end its work ({words}), and {_words(unit, grace)}",
        tier=None if written or grace.setting is not None else "S",
        severity=None if written or grace.setting is not None else "info",
        help=f"raise `{grace.key}` above {shown(value)}, or lower the limit of {program.title.partition(' ')[0]}",
    )


def _code(file: DeploymentFile, unit: Unit, grace: Grace, program: Program, world: World) -> Iterator[Finding]:
    linked = world.linked(program, file)
    if linked is None:
        return
    for handling in handlings(world.project):
        if "SIGTERM" not in handling.signals or handling.fn.module not in linked.modules:
            continue
        for path in from_signal(handling, world.project):
            found = path.cost
            if path.trigger == "SIGTERM" and found.seconds > grace.left + SLACK:
                sure = path.complete and _surely(path, world.project) > grace.left + SLACK
                waits = tuple(
                    Step(step.file, step.line, step.column, f"`{step.text}` in `{step.fn.qualname}`: {shown(limit)}")
                    for step, limit, _ in found.counted
                )
                yield RULE.finding(
                    file,
                    _place(unit, grace),
                    f"the way of `{program.title}` from SIGTERM to its exit may last {shown(found.seconds)}, and {_words(unit, grace)}",
                    tier=None if sure else "S",
                    confidence="proven" if path.complete else "likely",
                    trace=(path.origin, *waits),
                    help=f"raise `{grace.key}`, or share one deadline between the waits",
                )
                return


def _surely(path: Path, project: Project) -> float:
    """The seconds without pauses in one of several branches, and without what is ended a second time."""
    seen: Seen = set()
    return sum(cost(tuple(firm(part.steps, project, seen))).seconds for part in path.parts)


def _place(unit: Unit, grace: Grace) -> Span:
    return grace.setting.span if grace.setting is not None else unit.place


def _words(unit: Unit, grace: Grace) -> str:
    where = f"{_NAMES[unit.kind]} kills `{unit.name}` after"
    default = "" if grace.setting is not None else f", its default for `{grace.key}`"
    slept = (
        f" of which the preStop hook takes {shown(grace.seconds - grace.left)}" if grace.left < grace.seconds else ""
    )
    if unit.get("preStop") is not None and grace.left <= 0:
        return f"the {shown(grace.seconds)} after which {_NAMES[unit.kind]} kills `{unit.name}`{default}"
    return f"{where} {shown(grace.seconds)}{default}{slept}"
