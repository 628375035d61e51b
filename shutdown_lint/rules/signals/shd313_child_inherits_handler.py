"""A child inherits what its parent does about a signal: a handler that only sets a flag, or that it is ignored.

## What it does
Reports `terminate()` of a `multiprocessing.Process` or `Pool` that is forked after a SIGTERM handler was installed which
neither exits nor raises, where nothing kills the child and the wait for it has no limit. Reports a command that is run while
SIGINT or SIGTERM is ignored, so that Ctrl-C goes to the command alone.

## Why it matters
`terminate()` sends SIGTERM, and a forked child has the handlers of its parent. A flag that is set in the child's memory is
read by nobody there: the child works on, and the `join()` behind it waits for ever, also the one that `multiprocessing`
makes at exit. A handler is gone in a command that is started, but a signal that is ignored stays ignored there, and a shell cannot
even trap it: Ctrl-C then ends neither the program nor the command.

## Example
```python
import multiprocessing
import signal
import time

stopping = []


def work():
    while True:
        time.sleep(1)


def main():
    signal.signal(signal.SIGTERM, lambda signum, frame: stopping.append(signum))
    child = multiprocessing.Process(target=work)
    child.start()
    try:
        while not stopping:
            time.sleep(0.2)
    finally:
        child.terminate()
        child.join()
```

## Use instead
```python
import multiprocessing
import signal
import time

stopping = []


def work():
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while True:
        time.sleep(1)


def main():
    signal.signal(signal.SIGTERM, lambda signum, frame: stopping.append(signum))
    child = multiprocessing.Process(target=work)
    child.start()
    try:
        while not stopping:
            time.sleep(0.2)
    finally:
        child.terminate()
        child.join(10)
        if child.is_alive():
            child.kill()
            child.join()
```

## Precision
The handler must be seen to come before the start of the child, in one function or in what it calls. Silent where the child
installs a handler of its own, tests what the handler sets, or ends by itself; where the start method is not fork, by a call in
the project or because `target-version` is 3.14 or later; and where the child is killed, or waited for with a limit. A command
run while a signal is ignored is strict where no shell is asked for: a client with a prompt of its own handles Ctrl-C by itself.

## References
- [Process.terminate](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Process.terminate)
- [Contexts and start methods](https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, ModuleFacts
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.tracks import Track
from shutdown_lint.rules._inherited import Inherited, inherited
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.signals._ignored_around import Ignored, ignored_around
from shutdown_lint.walk import Site, text

RULE = Rule(
    code="SHD313",
    name="child-inherits-handler",
    summary="a child inherits a handler that does not end it, or an ignored signal",
    tier="D",
    severity="error",
    triggers=("terminate(", "SIG_IGN & subprocess", "SIG_IGN & os.system"),
    origin=("G14",),
)

HELP = "reset SIGTERM to `signal.SIG_DFL` in the child (a pool: in its `initializer`), or start the children before the handler is installed"


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The children that the module terminates, and the commands that it runs with a signal ignored."""
    if any("SIG_IGN" in fn.mentions for fn in project.functions(module)):
        yield from map(_ignored, ignored_around(module, project))
    if not any("terminate" in fn.mentions for fn in project.functions(module)):
        return
    for child in project.resources.everywhere("process", "pool"):
        if is_test(child.fn) or "Thread" in text(child.call.func):
            continue
        track = project.resources.track(child)
        asked = [use for use in track.uses if use.kind == "method" and use.name == "terminate" and not is_test(use.fn)]
        if not asked or asked[0].fn.module is not module or not _is_waited_for(track):
            continue
        found = inherited(child, track, project)
        if found is not None:
            yield _finding(child, asked[0].site, asked[0].fn, found)


def _ignored(found: Ignored) -> Finding:
    fn, command = found.fn, text(found.command.call)
    signal = next(name for name in found.handling.signals if name in ("SIGINT", "SIGTERM"))
    return RULE.finding(
        fn.module,
        found.command.call.span,
        f"`{command}` in `{fn.qualname}` starts a command that ignores {signal}, as its parent does meanwhile: nothing but a kill ends it",
        tier="D" if found.sure else "S",
        severity="warning",
        confidence="likely",
        trace=(fn.step(found.handling.site.call.span, f"{signal} is ignored from here on"),),
        help="install a handler that does nothing instead, which a command does not inherit, or ignore the signal behind the start",
    )


def _is_waited_for(track: Track) -> bool:
    """Whether nothing but the child's own end ends the wait for it (at exit, the one of ``multiprocessing``)."""
    return not track.has("kill") and not any(_is_limited(use.site) for use in track.uses if use.name == "join")


def _is_limited(site: Site) -> bool:
    return isinstance(getattr(site.expr, "func", None), Attr) and bool(site.call.args)


def _finding(child: Acquisition, ask: Site, fn: Fn, found: Inherited) -> Finding:
    handler = found.handler
    if found.handling.via == "loop":
        what = "the loop's handler of SIGTERM, which does nothing there"
    else:
        name = (
            "a handler of SIGTERM"
            if handler is None or handler.facts.is_lambda
            else f"the SIGTERM handler `{handler.qualname}`"
        )
        what = f"{name}, which does not exit"
    kind = "the pool's workers inherit" if child.model.kind == "pool" else "the child inherits"
    message = f"`{text(ask.call)}` does not end anything: {kind} {what}, and waiting for it never ends"
    where = found.handling
    trace = (
        where.fn.step(where.site.call.span, f"`{text(where.site.call)}` installs the handler"),
        child.fn.step(child.call.span, f"`{text(child.call.func)}` is forked with it"),
        fn.step(ask.call.span, "SIGTERM only runs that handler in the child"),
    )
    return RULE.finding(fn.module, ask.call.span, message, trace=trace, help=HELP)
