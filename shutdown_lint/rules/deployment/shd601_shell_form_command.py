"""A container's command runs behind a shell that does not pass SIGTERM on.

## What it does
Looks at the shell form of `CMD` and `ENTRYPOINT` (also behind `ONBUILD`), and at `sh -c` in compose files and Kubernetes objects, where the
program is a Python one. Reports it where the shell stays as the first process: dash (Debian, Ubuntu and images made from them) always does
without `exec`; bash and BusyBox ash (Alpine) replace themselves by the last command, bash not where that is redirected; none of them does
in a pipeline, or where more follows the command.

## Why it matters
The platform sends SIGTERM to PID 1 only. A shell as PID 1 ignores it, and the program never hears of it: after the grace period both
are killed, with everything that was under way.

## Example
```dockerfile
FROM python:3.12-slim
COPY . /app
CMD gunicorn --bind 0.0.0.0:8000 shop.wsgi:application
```

## Use instead
```dockerfile
FROM python:3.12-slim
COPY . /app
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "shop.wsgi:application"]
```
Where a variable must be expanded: `CMD exec gunicorn --bind 0.0.0.0:$PORT shop.wsgi:application`.

## Fix safety
The fix makes a list of a `CMD` that has no syntax of the shell, where neither the Dockerfile nor its base image has an `ENTRYPOINT`, which would
get the list as its arguments. Everywhere else it only puts `exec` before the last command: in an `ENTRYPOINT`, where a list would begin to
take arguments from `CMD`; where a variable, a redirection or `&&` needs the shell; in YAML. There is no fix where more follows the command, and where
`exec` would change more than the process: behind a `trap`, beside background processes, for functions and builtins of the shell.

The program is PID 1 then: without a handler of its own it still drops SIGTERM, which SHD603 reports.

## Precision
Tier D where the shell is known: by `SHELL`, by its own name, or by the base image's, also across stages. Tier S where `sh` may be either
kind, and for programs of which it is not known whether they run until they are stopped. Silent for commands that end by themselves (tests,
migrations), behind `trap`, and where the program is no Python one.

## References
- [Dockerfile reference: shell and exec form](https://docs.docker.com/reference/dockerfile/#shell-and-exec-form)
- [Debian Policy 10.4: scripts](https://www.debian.org/doc/debian-policy/ch-files.html#scripts)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.deployment.commands import Shell
from shutdown_lint.deployment.dockerfile import DEFAULT_SHELL
from shutdown_lint.deployment.facts import DeploymentFile, Unit
from shutdown_lint.deployment.images import has_no_entrypoint
from shutdown_lint.deployment.replacing import shell_text
from shutdown_lint.deployment.shell import commands
from shutdown_lint.deployment.world import World
from shutdown_lint.findings import Finding, Fix
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.deployment._reach import behind_shell, has_init, matters

RULE = Rule(
    code="SHD601",
    name="shell-form-command",
    summary="a shell without `exec` keeps SIGTERM from the program of a container",
    tier="D",
    severity="warning",
    triggers=(),
    fix="safe",
    origin=("G15",),
)
_HELP = "use the exec form, a list of words, or put `exec` before the program"
_HELP_MORE = "make the program the shell's last act, behind `exec`"


def check(file: DeploymentFile, world: World) -> Iterator[Finding]:
    """The images, services and containers of the file."""
    for unit in file.units:
        if unit.kind in ("image", "compose", "pod") and unit.words and unit.written:
            yield from _of_unit(file, unit, world)


def _of_unit(file: DeploymentFile, unit: Unit, world: World) -> Iterator[Finding]:
    start = world.start(file, unit)
    shell, program = start.chain.shell, start.chain.program
    if shell is None or program is None:
        return
    lost = behind_shell(shell, world.shell(shell.name, start.image), start.image)
    needed = matters(program, file, world)
    if lost is None or needed is False:
        return
    if has_init(file, unit, start.chain, world):
        lost = lost._replace(why=f"{lost.why}; the init passes it to the shell only")
    form = "the shell form" if _is_shell_form(unit) else f"`{shell.name} -c` without `exec`"
    sure = lost.sure and needed is True
    yield RULE.finding(
        file,
        unit.place,
        f"{form} keeps SIGTERM from `{program.title}`: {lost.why}",
        tier=None if sure else "S",
        confidence="proven" if sure else "likely",
        help=_HELP if shell.last and not shell.command.piped else _HELP_MORE,
        fix=_fix(file, unit, shell, start.image),
    )


def _fix(file: DeploymentFile, unit: Unit, shell: Shell, image: str) -> Fix | str:
    if shell_text(unit.words) != shell.text:
        return "the shell is started by another file, or by another shell"
    if commands(shell.text)[-1] != shell.command and not shell.command.piped:
        return "more follows the command"
    as_list = _means_the_same_as_list(file, unit, image)
    message = "give the command as a list, or put `exec` before it" if as_list else "put `exec` before the command"
    return Fix("safe", message, "shd601", (("form", "list"),) if as_list else ())


def _means_the_same_as_list(file: DeploymentFile, unit: Unit, image: str) -> bool:
    """Whether nothing but the shell sees that a CMD is a line of text: it goes to no entry point, of the image or a later stage."""
    command = unit.command
    if unit.kind != "image" or command is None or not command.shell_form or command.words[:-1] != DEFAULT_SHELL:
        return False
    return has_no_entrypoint(image) and all(
        other.entrypoint is None for other in file.units if other.command == command
    )


def _is_shell_form(unit: Unit) -> bool:
    return any(part is not None and part.shell_form for part in (unit.entrypoint, unit.command))
