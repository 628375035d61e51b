"""An entry-point script runs the program as a child, and does not pass SIGTERM on.

## What it does
Looks at shell scripts that a Dockerfile, a compose service or a Kubernetes container starts, also under the name that `COPY`
gives them, and where a heredoc of the Dockerfile holds them.
Reports the command that is the program (the last one, in each branch, or a server wherever it stands in the foreground) where it is run
without `exec` and the script installs no `trap`.

## Why it matters
The script is PID 1. No shell handles SIGTERM while it waits for a child, and PID 1 ignores a signal that it does not handle: the
program goes on until the grace period is over, and is killed.

## Example
```dockerfile
FROM python:3.12-slim
COPY entrypoint.sh /entrypoint.sh
ENTRYPOINT ["/entrypoint.sh"]
```
```sh
#!/bin/sh
set -e
python manage.py migrate
gunicorn shop.wsgi:application
```

## Use instead
```dockerfile
FROM python:3.12-slim
COPY entrypoint.sh /entrypoint.sh
ENTRYPOINT ["/entrypoint.sh"]
```
```sh
#!/bin/sh
set -e
python manage.py migrate
exec gunicorn shop.wsgi:application
```

## Fix safety
The fix puts `exec` before the last command of the script, where nothing else changes: not in a branch, a pipeline or the background, not
where a trap may be set (also by `eval`, or a file that is read), not beside processes in the background, which would become the program's
children, and not where the name is a function of the script. Nor in a script that nothing of the project starts: another one may read it.

## Precision
Tier D for scripts that something in the project starts, and for servers and code that stays until it is stopped. Tier S for other
programs, and for a script of which only its name says that it is an entry point. Silent where the script has a `trap` for its end or a signal.

## References
- [Dockerfile reference: ENTRYPOINT](https://docs.docker.com/reference/dockerfile/#entrypoint)
- [POSIX: signals and error handling](https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_12)
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from shutdown_lint.deployment.commands import InScript
from shutdown_lint.deployment.facts import DeploymentFile
from shutdown_lint.deployment.world import World
from shutdown_lint.facts import Span
from shutdown_lint.findings import Finding, Fix, Step
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.deployment._reach import matters
from shutdown_lint.source.kinds import deployment_kind

RULE = Rule(
    code="SHD602",
    name="entrypoint-without-exec",
    summary="an entry-point script that runs the program as a child, without `exec` or `trap`",
    tier="D",
    severity="warning",
    triggers=(),
    fix="safe",
    origin=("G15",),
)
_ENTRY = re.compile(r"(?:docker-?)?entry-?_?point", re.IGNORECASE)
_HELP = "write `exec` before it, so that it takes the shell's place"


def check(file: DeploymentFile, world: World) -> Iterator[Finding]:
    """The script, if the file is one."""
    if file.kind != "script" or not file.units:
        return
    starters = world.starters(file)
    if not starters and not _ENTRY.match(file.units[0].name):
        return
    trace = tuple(
        Step(other.path, unit.place.line, unit.place.col, f"starts `{file.units[0].name}`") for other, unit in starters
    )
    for item in world.of_script(file):
        if not item.is_exec and not item.command.background:
            needed = _needed(item, file, world)
            if needed is not False:
                yield _finding(file, item, trace, bool(starters) and needed is True)


def _needed(item: InScript, file: DeploymentFile, world: World) -> bool | None:
    """``"$@"`` is the container's command, whatever it is: a script that hands it on is there to run it."""
    return True if item.passes_on else matters(item.program, file, world) if item.program is not None else False


def _finding(file: DeploymentFile, item: InScript, trace: tuple[Step, ...], sure: bool) -> Finding:
    command = item.command
    name = f"`{item.program.title}`" if item.program is not None else 'its command, `"$@"`'
    why = "in a pipeline" if command.piped else "as a child" if item.last else "as a child, before its last command"
    return RULE.finding(
        file,
        Span(command.line, command.col, command.line, command.end_col),
        f"the script runs {name} {why} and passes no signal on: SIGTERM never reaches it",
        tier=None if sure else "S",
        confidence="proven" if sure else "likely",
        trace=trace,
        help=_HELP if item.last and not command.piped else "make it the script's last act, behind `exec`",
        fix=_fix(file, started=bool(trace)),
    )


def _fix(file: DeploymentFile, *, started: bool) -> Fix | str:
    if deployment_kind(os.path.basename(file.absolute)) != "script":
        return "the script stands in another file"
    if not started:
        return "nothing of the project starts the script; where another script reads it, `exec` would end that one"
    return Fix("safe", "put `exec` before the command", "shd602")
