"""A supervisor's settings kill a program without warning, or leave its processes behind.

## What it does
Reports in systemd units `KillMode=none` (nothing is stopped), `KillMode=process` with a program that has children (they outlive it),
`KillSignal=SIGKILL`, and `SendSIGKILL=no` (what hangs stays for ever); in supervisord's programs a shell, or a server with
children behind one, without `stopasgroup`.

## Why it matters
systemd and supervisord start the next instance when they believe that the last one is gone. Processes that are left behind hold ports, locks and
connections, and work against the new ones; a program that is killed at once loses what it was about.

## Example
```ini
[Unit]
Description=Shop worker

[Service]
ExecStart=/opt/shop/bin/celery -A shop worker
KillMode=process
```

## Use instead
```ini
[Unit]
Description=Shop worker

[Service]
ExecStart=/opt/shop/bin/celery -A shop worker
KillMode=mixed
TimeoutStopSec=120
```

## Precision
`KillMode=process` only where the program is a shell that stays, or one that the models know to have children. Units that are no Python program's are
left alone. `SendSIGKILL=no` is tier S: some databases ask for it.

## References
- [systemd.kill(5)](https://www.freedesktop.org/software/systemd/man/latest/systemd.kill.html)
- [supervisor: stopasgroup](https://supervisord.org/configuration.html#program-x-section-settings)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.deployment.commands import Program
from shutdown_lint.deployment.facts import DeploymentFile, Setting, Unit
from shutdown_lint.deployment.world import World
from shutdown_lint.findings import Finding, Tier
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.deployment.shd605_stop_signal_mismatch import signal_name

RULE = Rule(
    code="SHD606",
    name="unit-kills-hard",
    summary="systemd or supervisord kills without warning, or leaves processes behind",
    tier="D",
    severity="warning",
    triggers=(),
    origin=("G10", "G15"),
)
_NO = frozenset({"no", "false", "off", "0"})
_YES = frozenset({"yes", "true", "on", "1"})


def check(file: DeploymentFile, world: World) -> Iterator[Finding]:
    """The units and programs that run Python."""
    for unit in file.units:
        program = world.program(file, unit) if unit.kind in ("systemd", "supervisor") else None
        if program is not None and _is_python(program, file, world):
            yield from (_systemd if unit.kind == "systemd" else _supervisor)(file, unit, program, world)


def _is_python(program: Program, file: DeploymentFile, world: World) -> bool:
    return program.kind != "console" or world.linked(program, file) is not None


def _systemd(file: DeploymentFile, unit: Unit, program: Program, world: World) -> Iterator[Finding]:
    mode, number, send = unit.get("KillMode"), unit.get("KillSignal"), unit.get("SendSIGKILL")
    if unit.value("Type") == "oneshot":
        return
    if mode is not None and mode.value == "none":
        yield _finding(
            file,
            mode,
            f"`KillMode=none`: when `{unit.name}` is stopped, no process of it is, and the next start runs beside them",
            "remove the line: `control-group` is the default; `mixed` where the main process ends its children itself",
        )
    elif mode is not None and mode.value == "process" and _has_children(file, unit, program, world):
        yield _finding(
            file,
            mode,
            f"`KillMode=process` stops only the first process: the children of `{program.title}` outlive it when it is killed",
            "write `KillMode=mixed`: SIGTERM for the main process, SIGKILL in the end for all",
        )
    if number is not None and signal_name(number.value) == "SIGKILL":
        message = f"`KillSignal=SIGKILL`: `{unit.name}` is killed without a chance to clean up"
        yield _finding(file, number, message, "leave it at SIGTERM; SIGKILL follows after `TimeoutStopSec`")
    if send is not None and send.value.lower() in _NO:
        message = f"`SendSIGKILL=no`: a process of `{unit.name}` that hangs at its stop stays for ever"
        yield _finding(file, send, message, "remove the line, and raise `TimeoutStopSec` if more time is needed", "S")


def _has_children(file: DeploymentFile, unit: Unit, program: Program, world: World) -> bool:
    known = world.known.get(program.name) if program.kind == "server" else None
    return _behind_shell(file, unit, world) or (known is not None and known.forks)


def _behind_shell(file: DeploymentFile, unit: Unit, world: World) -> bool:
    """Whether a shell stays before the program: one with ``-c`` and no ``exec``, or a script that runs it as a child."""
    chain = world.start(file, unit).chain
    if chain.script:
        script = world.entry_script(file, unit)
        return script is not None and any(not item.is_exec for item in world.of_script(script))
    shell = chain.shell
    if shell is None or shell.exec or shell.traps:
        return False
    # bash takes the program's place where that is its last act; of `sh` it is not known here
    return shell.command.piped or not shell.last or shell.name in ("sh", "dash")


def _supervisor(file: DeploymentFile, unit: Unit, program: Program, world: World) -> Iterator[Finding]:
    if unit.value("stopasgroup").lower() in _YES or not _behind_shell(file, unit, world):
        return
    command = unit.command
    assert command is not None
    yield _finding(
        file,
        Setting("", command.span),
        f"supervisord signals only the shell that runs `{program.title}`: without `stopasgroup` the program outlives its stop",
        "put `exec` before the program, or write `stopasgroup=true`",
    )


def _finding(file: DeploymentFile, setting: Setting, message: str, help: str, tier: Tier | None = None) -> Finding:
    return RULE.finding(file, setting.span, message, tier=tier, severity="info" if tier else None, help=help)
