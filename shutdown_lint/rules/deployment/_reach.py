"""Whether a signal that is sent to the first process of a container reaches the program."""

from __future__ import annotations

from typing import NamedTuple

from shutdown_lint.deployment.commands import Chain, Program, Shell
from shutdown_lint.deployment.facts import DeploymentFile, Unit
from shutdown_lint.deployment.images import SHELLS
from shutdown_lint.deployment.world import World
from shutdown_lint.project.handled import handles
from shutdown_lint.project.programs import stay
from shutdown_lint.project.roles import is_test


class Lost(NamedTuple):
    """Why a shell does not pass the signal on; not ``sure`` where that depends on which shell ``sh`` is."""

    why: str
    sure: bool


def behind_shell(shell: Shell, shell_name: str, image: str) -> Lost | None:
    """Why a shell with ``-c`` stays between PID 1 and the program; None where the program takes its place.

    Measured with dash 0.5.12, bash 5.2 and BusyBox 1.35: dash never replaces itself without ``exec``; bash and BusyBox
    do for the last command (bash not where it is redirected); none does for a pipeline, or when more follows.
    """
    command = shell.command
    if (shell.exec and not command.piped) or shell.traps or command.background:
        return None
    if command.piped:
        return Lost("the shell stays, as it runs a pipeline", True)
    if not shell.last:
        return Lost("the shell stays, as more follows the command", True)
    if shell_name == "dash":
        where = f" of `{image}`" if image else ""
        return Lost(
            f"`{shell.name}`{where} is {SHELLS['dash']}, which runs it as a child and passes no signal on", True
        )
    if shell_name == "bash" and command.redirected:
        return Lost("bash runs a redirected command as a child and passes no signal on", True)
    if not shell_name and shell.name == "sh":
        return Lost("where `sh` is dash (Debian, Ubuntu), it runs it as a child and passes no signal on", False)
    return None


def matters(program: Program, file: DeploymentFile, world: World) -> bool | None:
    """Whether the program runs until it is stopped: yes for servers and for code that stays; None where it is not known."""
    if program.one_shot:
        return False
    if program.kind == "server":
        return True
    linked = world.linked(program, file)
    if linked is None:
        return None if program.kind != "console" else False
    if is_test(linked.entry):
        return False
    found = stay(linked.entry, world.project) is not None
    return found or handles("SIGTERM", list(linked.modules), world.project) or None


def has_init(file: DeploymentFile, unit: Unit, chain: Chain, world: World) -> bool:
    """Whether an init is PID 1: in the command, or given by the platform to all that run the unit."""
    if chain.init or unit.value("init") in ("true", "yes") or unit.value("shareProcessNamespace") == "true":
        return True
    runs = world.builders(file, unit) if unit.kind == "image" else []
    return bool(runs) and all(run.value("init") in ("true", "yes") for _, run in runs)
