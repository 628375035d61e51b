"""A subprocess that nobody waits for, or that runs on when the wait for it is over.

## What it does
Reports a ``subprocess.Popen`` that is never waited for, polled, communicated with or used in ``with``: at tier D when it
has a pipe that nobody reads, or when its owner has a stop method that forgets it. Reports too a ``wait(timeout=…)`` or
``communicate(timeout=…)`` behind which nobody ends the child: the limit ends the wait, not the child; and the
``returncode`` of a child that nobody has waited for, which is None whatever becomes of it. A child too that a function hands on in the end, and leaves
running where it gives up before: it raises, returns nothing, or waits in vain until the child is ready.

## Why it matters
The child stays a zombie while the parent lives and goes on as an orphan when the parent ends; a pipe that nobody reads
stops the child after 64 KiB.

## Example
```python
import subprocess


class Tunnel:
    def start(self):
        self._ssh = subprocess.Popen(["ssh", "-N", "host"])

    def stop(self):
        print("stopped")
```

## Use instead
```python
import subprocess


class Tunnel:
    def start(self):
        self._ssh = subprocess.Popen(["ssh", "-N", "host"])

    def stop(self):
        self._ssh.terminate()
        self._ssh.wait(10)
```

## Precision
Silent for detached children (``start_new_session=True``), where the process id is used, for those that leave
what the analysis sees, and where the program ends right behind the start. With neither pipe nor stop method
tier S where a program of the project leads there, else a preview: of 10 read in 56 packages, 2 were more than a viewer or a
restart that is left to run. A wait with a limit is reported at tier D where a clause raises for that, at
tier S where the clause returns or nothing here catches what the limit raises; never in a loop, beside a poll, or where the clause goes on.
A child that is ended only where ``poll() is not None``, that is where it has ended by itself, is left running as well.
What is left behind where a start fails is strict, as in SHD212.

## References
- [subprocess.Popen](https://docs.python.org/3/library/subprocess.html#popen-objects)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Call, ModuleFacts
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.tracks import Track, Use
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._common import acquired, is_true, keyword, label, names, owner, stop_method, stop_step
from shutdown_lint.rules.work._left_early import held_name, left_early, manner
from shutdown_lint.rules.work._result import never_set
from shutdown_lint.rules.work._timed_out import ended_too_late, left_running, raises
from shutdown_lint.walk import At, Site, sites, text

RULE = Rule(
    code="SHD207",
    name="child-not-waited",
    summary="a subprocess is never waited for, or runs on behind its wait",
    tier="D",
    severity="warning",
    triggers=("Popen", "create_subprocess", r"re:poll\(\)\s+is\s+not\s+None"),
    origin=("G14",),
)


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every child that the module starts, and at those that it ends."""
    for fn in project.functions(module):
        yield from (_spared(module, asked, site, fn) for asked, site in ended_too_late(fn) if not is_test(fn))
    for acquisition, track in acquired(project, project.functions(module), "child"):
        ends_alone = _detached(acquisition.call) or names(keyword(acquisition.call, "stdin")) == "stdout"
        way_out = None if ends_alone else left_early(acquisition, track, project)
        if way_out is not None:
            yield _left_early(module, acquisition, way_out)
            continue
        if project.resources.released(acquisition):
            yield from _left_running(module, acquisition, track, project)
            continue
        result = never_set(acquisition, track)
        if result is not None:
            yield _unknown(module, acquisition, track, result)
            continue
        if (
            track.escaped
            or track.entered
            or _detached(acquisition.call)
            or track.has("kill", "terminate", "pid")
            or _is_left_to_the_system(acquisition, project)
            or _looks_after_itself(acquisition, project)
        ):
            continue
        unread = _pipe_unread(acquisition.call, track)
        if track.has("returncode", "stdout", "stdin", "stderr") and not unread:
            continue
        held = owner(project, track)
        stop = stop_method(project, held[0], acquisition.fn) if held else None
        yield RULE.finding(
            module,
            acquisition.call.span,
            f"child `{label(acquisition, track)}` is never waited for: it stays a zombie and outlives the program{_why(unread, stop)}",
            tier="D" if unread or stop else "S" if project.roles.role(acquisition.fn, "main") else "P",
            trace=(stop_step(stop),) if stop else (),
            help="end it and `wait()` for it where its owner ends, or use `with`",
        )


def _spared(module: ModuleFacts, asked: Site, site: Site, fn: Fn) -> Finding:
    child = text(getattr(site.call.func, "value", None))
    return RULE.finding(
        module,
        site.call.span,
        f"`{text(site.call)}` is reached only where `{child}` has ended: one that runs is left running",
        trace=(fn.step(asked.call.span, f"`{text(asked.call)}` is None as long as it runs"),),
        help=f"ask `{text(asked.call)} is None`",
    )


def _left_early(module: ModuleFacts, acquisition: Acquisition, way_out: At) -> Finding:
    name = held_name(acquisition)
    return RULE.finding(
        module,
        getattr(way_out.stmt, "span", acquisition.call.span),
        f"`{acquisition.fn.qualname}` {manner(way_out)} and leaves its child `{name}` behind: it runs on, and nobody knows it any more",
        tier="S",
        lost=(acquisition.fn.step(acquisition.call.span, f"`{text(acquisition.call)}`"),),
        help=f"before that, end it by `{name}.kill()` and `{name}.wait()`",
    )


def _unknown(module: ModuleFacts, acquisition: Acquisition, track: Track, result: Use) -> Finding:
    name = label(acquisition, track)
    span = getattr(result.site.at.stmt, "span", result.fn.facts.span)
    return RULE.finding(
        module,
        acquisition.call.span,
        f"nobody waits for the child `{name}`: its `returncode` is None for ever, so that no failure is seen, and it stays a zombie",
        trace=(result.fn.step(span, f"`{result.fn.qualname}` looks at it"),),
        help=f"take the result of `{name}.wait()`",
    )


def _left_running(module: ModuleFacts, acquisition: Acquisition, track: Track, project: Project) -> Iterator[Finding]:
    """The child runs on behind a wait whose limit is reached."""
    found = (
        None
        if track.escaped or track.entered or _detached(acquisition.call)
        else left_running(track, acquisition.fn, project)
    )
    if found is None:
        return
    handler, use = found.handler, found.use
    clause = (use.fn.step(handler.span, "gives it up, and does not end it"),) if handler is not None else ()
    yield RULE.finding(
        module,
        use.site.call.span if use.fn.module is module else acquisition.call.span,
        f"`{text(use.site.call)}` stops waiting when its limit is reached, and nothing ends `{label(acquisition, track)}`: the child runs on",
        tier="D" if handler is not None and raises(handler) else "S",
        trace=(acquisition.fn.step(acquisition.call.span, f"`{acquisition.fn.qualname}` starts it"), *clause),
        help="where the time is over, `kill()` the child and `wait()` for it",
    )


def _why(unread: str, stop: Fn | None) -> str:
    if unread:
        return f"; nobody reads its `{unread}`, which stops it after 64 KiB"
    return f"; `{stop.qualname}` forgets it" if stop else ""


def _looks_after_itself(acquisition: Acquisition, project: Project) -> bool:
    """A subclass whose own methods poll, wait or read the pipes."""
    methods = project.classes.methods(acquisition.cls).values() if acquisition.cls is not None else ()
    return any(fn.mentions & {"poll", "wait", "communicate", "stdout"} for fn in methods if fn.name != "__init__")


def _is_left_to_the_system(acquisition: Acquisition, project: Project) -> bool:
    """Whether the process ends right behind the start: init waits for the child of a process that is gone."""
    ahead = acquisition.site.at.after()[:1]
    return any(project.calls.is_call_to(site.call, acquisition.fn, *project.models.exits) for site in sites(ahead))


def _detached(call: Call) -> bool:
    return (
        is_true(keyword(call, "start_new_session"))
        or keyword(call, "preexec_fn") is not None
        or keyword(call, "creationflags") is not None
    )


def _pipe_unread(call: Call, track: Track) -> str:
    """The name of an output pipe that is asked for and never touched."""
    for stream in ("stdout", "stderr"):
        if names(keyword(call, stream)) == "PIPE" and not track.has(stream):
            return stream
    return ""
