"""Python is PID 1 of a container, and the program handles no SIGTERM.

## What it does
Follows the command of an image, a compose service or a Kubernetes container to the code of the project. Reports it where Python is the
first process (exec form, or behind `exec`; no `tini`, `dumb-init` or `init: true`), the program runs until it is stopped, and neither it
nor a framework that it runs handles SIGTERM. Servers of libraries count too, where the models know that they have no handler: waitress, and
`flask run` without its reloader.

## Why it matters
The kernel gives PID 1 no default actions for signals: what it does not handle is ignored. The same program that SIGTERM ends at once on
a developer's machine does not react at all in its container, until the grace period is over and SIGKILL comes.

## Example
```dockerfile
FROM python:3.12-slim
COPY app.py .
CMD ["python", "app.py"]
```
```python
import time

while True:
    print("working", flush=True)
    time.sleep(5)
```

## Use instead
```dockerfile
FROM python:3.12-slim
COPY app.py .
CMD ["python", "app.py"]
```
```python
import signal
import sys
import time

signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(143))

while True:
    print("working", flush=True)
    time.sleep(5)
```

## Precision
Tier S where the base image is not known to have no entry point of its own, which may be an init. Only for code of the project that is found
for sure, that is seen to stay in a loop, a server or a wait, and in which nothing speaks of SIGTERM. An init that the command line of
`docker run` adds (`--init`) cannot be seen.

## References
- [pid_namespaces(7): the init process](https://man7.org/linux/man-pages/man7/pid_namespaces.7.html)
- [docker run --init](https://docs.docker.com/reference/cli/docker/container/run/#init)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.deployment.commands import Program
from shutdown_lint.deployment.facts import DeploymentFile, Unit
from shutdown_lint.deployment.images import has_no_entrypoint
from shutdown_lint.deployment.servers import has
from shutdown_lint.deployment.world import World
from shutdown_lint.facts import Const
from shutdown_lint.findings import Finding, Tier
from shutdown_lint.project.handled import handles
from shutdown_lint.project.programs import Stay, stay
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.deployment._reach import behind_shell, has_init
from shutdown_lint.rules.signals._losses import is_told_elsewhere, lost
from shutdown_lint.walk import sites_at

RULE = Rule(
    code="SHD603",
    name="pid1-without-handler",
    summary="Python is PID 1 and handles no SIGTERM: the signal is ignored until SIGKILL",
    tier="D",
    severity="error",
    triggers=(),
    origin=("G15",),
)
_RELOADERS = frozenset({"debug", "use_reloader", "reload"})
_HELP_SERVER = "run it under `tini` or with `init: true`, or set the stop signal to SIGINT"
_HELP = "handle SIGTERM in the main thread (`signal.signal(signal.SIGTERM, …)`), or run it under `tini` or with `init: true`"


def check(file: DeploymentFile, world: World) -> Iterator[Finding]:
    """The images, services and containers of the file."""
    for unit in file.units:
        if unit.kind in ("image", "compose", "pod") and unit.words and unit.written and _is_first(file, unit, world):
            yield from _of_unit(file, unit, world)


def _is_first(file: DeploymentFile, unit: Unit, world: World) -> bool:
    """Whether the program itself is PID 1. Where a shell stays before it, SHD601 and SHD602 speak."""
    start = world.start(file, unit)
    if start.chain.parent or has_init(file, unit, start.chain, world) or unit.value("pid") == "host":
        return False
    if start.chain.script:
        script = world.entry_script(file, unit)
        return script is not None and all(item.is_exec for item in world.of_script(script))
    shell = start.chain.shell
    if shell is None:
        return True
    name = world.shell(shell.name, start.image)
    return not shell.command.background and not shell.traps and behind_shell(shell, name, start.image) is None


def _reloads(found: Stay) -> bool:
    """Whether a development server may watch its files: the reloader handles SIGTERM (werkzeug/_reloader.py, run_with_reloader)."""
    return any(
        arg.keyword in _RELOADERS and not (isinstance(arg.value, Const) and not arg.value.value)
        for site in sites_at(found.frames[-1].at)
        for arg in site.call.args
    )


def _of_unit(file: DeploymentFile, unit: Unit, world: World) -> Iterator[Finding]:
    program = world.program(file, unit)
    if program is None or program.one_shot or _ends_on_sigint(file, unit, world):
        return
    if program.kind == "server":
        yield from _of_server(file, unit, program, world)
        return
    linked = world.linked(program, file)
    found = stay(linked.entry, world.project) if linked is not None else None
    if linked is None or found is None or is_told_elsewhere(found, world.project):
        return
    if handles("SIGTERM", list(linked.modules), world.project) or _reloads(found):
        return
    losses = lost(found, world.project)
    what = f"; {losses[0].text} never runs" if losses else ""
    yield RULE.finding(
        file,
        unit.place,
        f"`{program.title}` is PID 1 and stays in {found.what} without handling SIGTERM: the kernel drops the signal, and it is killed{what}",
        tier=_tier(file, unit, world),
        lost=losses,
        trace=found.steps(),
        help=_HELP,
    )


def _ends_on_sigint(file: DeploymentFile, unit: Unit, world: World) -> bool:
    """Whether the stop signal is SIGINT, which Python handles itself, also as PID 1."""
    return world.stop_signal(file, unit).upper().removeprefix("SIG") in ("INT", "2")


def _tier(file: DeploymentFile, unit: Unit, world: World) -> Tier | None:
    """The rule's own, unless an entry point of a base image, which may be an init, can stand before the command."""
    is_first = unit.entrypoint is not None or has_no_entrypoint(world.start(file, unit).image)
    return None if is_first else "S"


def _of_server(file: DeploymentFile, unit: Unit, program: Program, world: World) -> Iterator[Finding]:
    """A program of a library that the models know to have no handler for SIGTERM."""
    known = world.known_of(program)
    if known is None or "SIGTERM" in (*known.handles, *known.hard, *known.reloads):
        return
    words = world.options(program, file, unit)
    if words is not None and not has(words, known.orderly):
        yield RULE.finding(
            file,
            unit.place,
            f"`{program.title}` is PID 1 and has no handler for SIGTERM: the kernel drops the signal, and it is killed",
            tier=_tier(file, unit, world),
            help=_HELP_SERVER,
        )
