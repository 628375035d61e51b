"""``wait()`` on a child whose output pipe nobody reads.

## What it does
Reports ``Popen(..., stdout=PIPE)`` (or ``stderr``) followed by ``wait()`` before anything reads the pipe, and
``subprocess.call`` with a pipe.

## Why it matters
A pipe holds 64 KiB. A child that writes more blocks for ever, and so does the parent that waits for it.

## Example
```python
import subprocess


def export(command):
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    child.wait()
    return child.stdout.read()
```

## Use instead
```python
import subprocess


def export(command):
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    out, _ = child.communicate()
    return out
```

## Precision
Silent when the pipe is read, iterated, handed over or communicated with before the wait or in another function.

## References
- [Popen.wait, note](https://docs.python.org/3/library/subprocess.html#subprocess.Popen.wait)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, Call, ModuleFacts, Name
from shutdown_lint.findings import Finding
from shutdown_lint.project import Project
from shutdown_lint.project.places import Use
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.rules.base import Rule
from shutdown_lint.walk import argument, text

RULE = Rule(
    code="SHD407",
    name="wait-with-pipe",
    summary="a wait for a child whose output pipe nobody reads",
    tier="D",
    severity="error",
    triggers=("PIPE",),
    origin=("G14",),
)


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every child with a pipe."""
    for acquisition in project.resources.acquisitions(module, "child"):
        pipes = _pipes(acquisition.call)
        if pipes and not is_test(acquisition.fn):
            yield from _judge(module, project, acquisition, pipes)
    for fn in project.functions(module):
        for site in fn.sites:
            if getattr(site.call.func, "name", getattr(site.call.func, "id", "")) in ("call", "check_call") and _pipes(site.call):
                if project.calls.is_call_to(site.call, fn, "subprocess.call", "subprocess.check_call"):
                    yield RULE.finding(
                        module, site.call.span,
                        f"`{text(site.call)}` in `{fn.qualname}` waits for a child whose pipe nobody reads: it hangs after 64 KiB",
                        help="use `subprocess.run(..., capture_output=True)` or `subprocess.DEVNULL`",
                    )


def _pipes(call: Call) -> tuple[str, ...]:
    return tuple(stream for stream in ("stdout", "stderr") if _is_pipe(argument(call, 99, stream)))


def _is_pipe(expr: object) -> bool:
    return (isinstance(expr, Attr) and expr.name == "PIPE") or (isinstance(expr, Name) and expr.id == "PIPE")


def _judge(module: ModuleFacts, project: Project, acquisition: Acquisition, pipes: tuple[str, ...]) -> Iterator[Finding]:
    track = project.resources.track(acquisition)
    waits = track.methods("wait")
    if not waits or track.escaped or track.has("communicate"):
        return
    for stream in pipes:
        reads = [use for use in track.uses if use.name == stream]
        unread = [wait for wait in waits if not wait.site.call.args and not any(_before(read, wait) for read in reads)]
        if unread:
            wait = unread[0]
            yield RULE.finding(
                module,
                wait.site.call.span,
                f"`{text(wait.site.call)}` in `{wait.fn.qualname}` waits for a child whose `{stream}` pipe nobody reads first: it hangs after 64 KiB",
                trace=(acquisition.fn.step(acquisition.call.span, f"`{stream}=PIPE`"), wait.fn.step(wait.site.call.span, "waits")),
                help="use `communicate()`, which reads while it waits",
            )
            return


def _before(read: Use, wait: Use) -> bool:
    """Whether the pipe may be read before the wait: earlier in the same function, or in any other one."""
    if read.fn is not wait.fn:
        return True
    return read.site.at.stmt.span.line <= wait.site.at.stmt.span.line  # type: ignore[union-attr]  # uses stand in statements with a span
