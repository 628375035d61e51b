"""The platform stops the program with a signal on which the program does not end in order.

## What it does
Looks at `STOPSIGNAL` of a Dockerfile, `stop_signal` of compose, `KillSignal` of systemd and `stopsignal` of supervisor. Reports SIGKILL; a
signal on which a server that the models know does not end in order; and one that the project's code does not handle, where it does handle
SIGTERM. SIGTERM, which is sent where nothing is set, is one of them for two programs: uWSGI's master starts anew on it, unless it has
`die-on-term`, and is killed at the end of the grace period; huey's consumer interrupts its tasks.

## Why it matters
The handler that cleans up is for another signal: the one that comes ends the process on the spot, or (as PID 1) is dropped.

## Example
```dockerfile
FROM python:3.12-slim
STOPSIGNAL SIGQUIT
CMD ["uvicorn", "shop.asgi:app"]
```

## Use instead
```dockerfile
FROM python:3.12-slim
STOPSIGNAL SIGTERM
CMD ["uvicorn", "shop.asgi:app"]
```

## Precision
SIGTERM as the default is reported at tier D for a program that starts anew, and at S for one that drops its work; not where an option, a
file of settings, an environment variable or `ExecStop` changes that or may do so. Whether the signal reaches the program is
the question of SHD601 and SHD602. Silent for SIGINT with Python code that is not seen to handle it, as Python itself raises
KeyboardInterrupt, for signals given by a
variable, and for programs that are not known.

## References
- [Dockerfile reference: STOPSIGNAL](https://docs.docker.com/reference/dockerfile/#stopsignal)
- [systemd.kill(5): KillSignal](https://www.freedesktop.org/software/systemd/man/latest/systemd.kill.html#KillSignal=)
- [uWSGI: signals](https://uwsgi-docs.readthedocs.io/en/latest/Management.html#signals-for-controlling-uwsgi)
- [gunicorn: signal handling](https://docs.gunicorn.org/en/stable/signals.html)
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

from shutdown_lint.deployment.commands import Program
from shutdown_lint.deployment.facts import DeploymentFile, Setting, Unit
from shutdown_lint.deployment.servers import has
from shutdown_lint.deployment.world import STOP_SIGNAL, World
from shutdown_lint.findings import Finding
from shutdown_lint.project.handled import handles
from shutdown_lint.rules.base import Rule

RULE = Rule(
    code="SHD605",
    name="stop-signal-mismatch",
    summary="the stop signal is SIGKILL, or one on which the program does not end in order",
    tier="D",
    severity="warning",
    triggers=(),
    origin=("G15",),
)
_SENDERS = {
    "image": "the container runtime",
    "compose": "compose",
    "pod": "Kubernetes",
    "systemd": "systemd",
    "supervisor": "supervisord",
}
_NAMES = {name.removeprefix("SIG"): name for name in (item.name for item in signal.Signals)}
_NUMBERS = {
    "1": "HUP",
    "2": "INT",
    "3": "QUIT",
    "9": "KILL",
    "10": "USR1",
    "12": "USR2",
    "15": "TERM",
}  # signal(7), x86 and ARM


def check(file: DeploymentFile, world: World) -> Iterator[Finding]:
    """Every unit that names a stop signal."""
    for unit in file.units:
        setting = unit.get(STOP_SIGNAL.get(unit.kind, ""))
        if setting is not None and setting.span == unit.span and not unit.written:
            continue  # taken over from another service, and judged there
        name = signal_name(setting.value) if setting is not None else ""
        if setting is None or name == "SIGTERM":
            yield from _by_default(file, unit, setting, world)
            continue
        if not name:
            continue
        if name == "SIGKILL":
            # of systemd's, SHD606 speaks
            if unit.kind != "systemd":
                yield _killed(file, unit, setting)
        else:
            yield from _unheard(file, unit, setting, name, world)


def signal_name(text: str) -> str:
    """``SIGTERM`` for ``TERM``, ``sigterm``, ``15``; empty for what names no signal."""
    word = text.strip().strip("\"'").upper().removeprefix("SIG")
    return _NAMES.get(_NUMBERS.get(word, word), "") if re.fullmatch(r"\w+", word) else ""


def _killed(file: DeploymentFile, unit: Unit, setting: Setting) -> Finding:
    return RULE.finding(
        file,
        setting.span,
        f"`{STOP_SIGNAL[unit.kind]}` is SIGKILL: `{unit.name}` is killed without a chance to clean up",
        severity="error",
        help="leave it at SIGTERM; SIGKILL follows by itself when the grace period is over",
    )


def _unheard(file: DeploymentFile, unit: Unit, setting: Setting, name: str, world: World) -> Iterator[Finding]:
    program = world.program(file, unit)
    if program is None:
        return
    known = world.known_of(program)
    if known is not None:
        words = world.options(program, file, unit)
        if name not in known.handles and words is not None and not has(words, known.orderly):
            how = "drops its work at once" if name in known.hard else "does not end in order"
            yield RULE.finding(
                file,
                setting.span,
                f"on {name} `{program.title}` {how}: it shuts down in order on {' and '.join(known.handles)}",
                help=f"set `{STOP_SIGNAL[unit.kind]}` to {known.handles[0]}",
            )
    elif name != "SIGINT":
        yield from _in_code(file, unit, setting, name, program, world)


def _by_default(file: DeploymentFile, unit: Unit, setting: Setting | None, world: World) -> Iterator[Finding]:
    """SIGTERM, which all platforms send, to a program that does not end in order on it."""
    if unit.kind not in STOP_SIGNAL or not unit.words or not unit.written or unit.get("ExecStop"):
        return
    program = world.program(file, unit)
    known = world.known_of(program) if program is not None else None
    if program is None or known is None or "SIGTERM" not in (*known.hard, *known.reloads):
        return
    words = world.options(program, file, unit)
    if words is None or has(words, known.orderly) or _is_set_elsewhere(file, unit, world):
        return
    restarts = "SIGTERM" in known.reloads
    if restarts and known.master and not has(words, known.master):
        return
    how = "starts anew instead of ending, and is killed in the end" if restarts else "drops its work at once"
    yield RULE.finding(
        file,
        setting.span if setting is not None else unit.place,
        f"on SIGTERM, which {_SENDERS[unit.kind]} sends, `{program.title}` {how}",
        tier=None if restarts else "S",
        severity=None if restarts else "info",
        help=f"give it `{known.orderly[0]}`, or set `{STOP_SIGNAL[unit.kind]}` to {known.handles[0]}",
    )


def _is_set_elsewhere(file: DeploymentFile, unit: Unit, world: World) -> bool:
    """Whether the image of a service, or a service of the image, sets the signal."""
    if unit.kind == "image":
        return any(world.stop_signal(other, run) for other, run in world.builders(file, unit))
    return unit.get(STOP_SIGNAL[unit.kind]) is None and bool(world.stop_signal(file, unit))


def _in_code(
    file: DeploymentFile, unit: Unit, setting: Setting, name: str, program: Program, world: World
) -> Iterator[Finding]:
    linked = world.linked(program, file)
    if linked is None:
        return
    modules = list(linked.modules)
    if handles("SIGTERM", modules, world.project) and not handles(name, modules, world.project):
        yield RULE.finding(
            file,
            setting.span,
            f"`{unit.name}` is stopped by {name}, and `{program.title}` handles SIGTERM, but not {name}",
            help=f"set `{STOP_SIGNAL[unit.kind]}` to SIGTERM, or handle {name} too",
        )
