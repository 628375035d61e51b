"""``wait()`` on a child whose output pipe nobody reads.

## What it does
Reports ``Popen(..., stdout=PIPE)`` (or ``stderr``) followed by ``wait()``, or by a loop around ``poll()``, before anything reads
the pipe, ``subprocess.call`` with a pipe, and a child with two pipes of which one is read to its end before the other.

## Why it matters
A pipe holds 64 KiB. A child that writes more blocks for ever, and so does the parent that waits for it, or for the end of its
other pipe.

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

## Fix safety
Safe in one shape: the pipes are read whole right behind the `wait()`, and nothing else uses them or the child's stdin. The
wait and the reads become one `communicate()`.

## Precision
Silent when the pipe is read, iterated, handed over or communicated with before the wait or in another function. A wait
with a limit is strict, where all reads follow it in the same function and nothing ends the child before.
One pipe before the other is told only where both are pipes for sure, and nothing else reads the
second one. Tier S for commands that are known to print a few lines (`git describe`, `--version`, `--quiet`): of eight findings in
unseen packages three were such. So is a helper to which the project hands
only such commands, a child of whose output nobody reads more than a `readline()`, and one that was asked to end before.

## References
- [Popen.wait, note](https://docs.python.org/3/library/subprocess.html#subprocess.Popen.wait)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, Call, Const, Expr, ModuleFacts, Name, Try, While, With
from shutdown_lint.findings import Finding, Fix
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.tracks import Track, Use
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._brief import is_brief
from shutdown_lint.rules.waits._children import tracks, uses
from shutdown_lint.rules.waits._pipes_in_turn import InTurn, in_turn
from shutdown_lint.rules.waits._polls import is_limited
from shutdown_lint.rules.waits._stops import same_receiver
from shutdown_lint.walk import At, Site, argument, enclosing_loops, last_name, same, subexprs, text

RULE = Rule(
    code="SHD407",
    name="wait-with-pipe",
    summary="a wait for a child whose output pipe nobody reads",
    tier="D",
    severity="error",
    fix="safe",
    triggers=(
        r"re:\.(?:wait|poll)\(\s*[)#]",
        "PIPE",
        r"re:stdout\.read(?:lines)?\(\s*[)#]",
        r"re:stderr\.read(?:lines)?\(\s*[)#]",
        r"stdout & re:for\b[^\n]*\bstdout\s*[:)\]]",
        r"stderr & re:for\b[^\n]*\bstderr\s*[:)\]]",
    ),
    origin=("G14",),
)
_CALLS = ("subprocess.call", "subprocess.check_call")
# What ends a child before it is waited for, or writes to it.
_ASKED = frozenset({"terminate", "send_signal", "pid", "stdin", "poll"})


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every wait for a child, and at every call with a pipe."""
    seen: set[int] = set()
    for fn in project.functions(module):
        if is_test(fn):
            continue
        for site in fn.sites if "PIPE" in fn.mentions else ():
            if _pipes(site.call) and not _has_limit(site.call) and project.calls.is_call_to(site.call, fn, *_CALLS):
                yield _call(module, fn, site.call, project)
        for site in fn.sites if fn.mentions & {"wait", "poll"} else ():
            found = (
                tracks(site.call.func.value, fn, project)
                if _waits(site) and isinstance(site.call.func, Attr) and not _follows(site, fn, "kill", "killpg")
                else None
            )
            if found is not None and id(found[0].call) not in seen:
                judge = _judge_limited if site.call.args or is_limited(site) else _judge
                for finding in judge(module, fn, site, *found, project):
                    seen.add(id(found[0].call))
                    yield finding
        turn = in_turn(fn, project)
        if turn is not None and id(turn.child.call) not in seen:
            seen.add(id(turn.child.call))
            yield _turn(module, fn, turn, project)


def _waits(site: Site) -> bool:
    """``child.wait()``, with a limit or without, or ``child.poll()`` in the condition of a loop."""
    name = site.call.func.name if isinstance(site.call.func, Attr) else ""
    return name == "wait" or (not site.call.args and name == "poll" and isinstance(site.at.stmt, While))


def _has_limit(call: Call) -> bool:
    """``call(…, timeout=5)``: the child that fills its pipe is killed then."""
    limit = argument(call, 99, "timeout")
    return limit is not None and not (isinstance(limit, Const) and limit.value is None)


def _follows(site: Site, fn: Fn, *names: str) -> bool:
    """Whether the same child was sent a signal on the way to the wait: SIGKILL, which a full pipe does not hold up, or SIGTERM."""
    blocks = {id(place.block) for place in site.at.around()}
    return any(
        isinstance(kill.call.func, Attr)
        and kill.call.func.name in names
        and kill.call.span.line < site.call.span.line
        and (same_receiver(kill, site) or _is_by_number(kill.call, site))
        and _is_passed(kill.at, blocks)
        for kill in fn.sites
    )


def _is_by_number(kill: Call, site: Site) -> bool:
    """``os.kill(child.pid, SIGKILL)``."""
    child = site.call.func.value if isinstance(site.call.func, Attr) else None
    named = [
        part for arg in kill.args[:1] for part in subexprs(arg.value) if isinstance(part, Attr) and part.name == "pid"
    ]
    signal = kill.args[1].value if len(kill.args) > 1 else None
    return child is not None and last_name(signal) == "SIGKILL" and any(same(part.value, child) for part in named)


def _is_passed(kill: At, blocks: set[int]) -> bool:
    """Whether who comes to the blocks has come by the kill, which may stand in a ``try`` or ``with suppress(…)`` of its own."""
    for place in kill.around():
        if id(place.block) in blocks:
            return True
        if place.outer is None or not isinstance(place.outer.stmt, (Try, With)) or place.part != "body":
            return False
    return False


def _pipes(call: Call) -> tuple[str, ...]:
    return tuple(stream for stream in ("stdout", "stderr") if _is_pipe(argument(call, 99, stream)))


def _is_pipe(expr: Expr | None) -> bool:
    return (isinstance(expr, Attr) and expr.name == "PIPE") or (isinstance(expr, Name) and expr.id == "PIPE")


def _judge(
    module: ModuleFacts, fn: Fn, site: Site, child: Acquisition, found: tuple[Track, ...], project: Project
) -> Iterator[Finding]:
    if any(track.has("communicate") for track in found):
        return
    for stream in _pipes(child.call):
        if not any(_in_time(use, site, fn) for use in uses(found) if use.name == stream):
            weak = _is_one_line(stream, found) or _follows(site, fn, "terminate")
            yield _finding(module, fn, site.call, child, stream, project, weak)
            return


def _is_one_line(stream: str, found: tuple[Track, ...]) -> bool:
    """Whether nothing but a ``readline()`` ever takes from the pipe: who starts the child knows of a line."""
    reads = [use.site for use in uses(found) if use.name == stream]
    return bool(reads) and all(
        any(isinstance(parent, Attr) and parent.name == "readline" for parent in read.parents[:2]) for read in reads
    )


def _judge_limited(
    module: ModuleFacts, fn: Fn, site: Site, child: Acquisition, found: tuple[Track, ...], project: Project
) -> Iterator[Finding]:
    """``wait(timeout=9)`` and then ``communicate()``: a child with much to say is taken for one that hangs."""
    streams = _pipes(child.call)
    reads = [use for use in uses(found) if use.name in (*streams, "communicate")]
    line = site.at.stmt.span.line  # type: ignore[union-attr]  # a wait stands in a statement with a span
    asked = any(use.name in _ASKED and use.fn is fn and _line(use) <= line for use in uses(found))
    if not streams or not reads or asked:
        return
    late = [use for use in reads if use.fn is fn and _line(use) > line]
    elsewhere = [use for use in reads if use.fn is not fn and use.name == "communicate"]
    if late and len(late) + len(elsewhere) == len(reads) and next(enclosing_loops(site.at), None) is None:
        yield _too_late(module, fn, site.call, child, streams[0])


def _line(use: Use) -> int:
    return use.site.at.stmt.span.line  # type: ignore[union-attr]  # uses stand in statements with a span


def _in_time(read: Use, site: Site, fn: Fn) -> bool:
    """Whether the pipe may be read before the wait: earlier in the same function or loop, or in any other function."""
    if read.fn is not fn:
        return True
    if any(loop.stmt is site.at.stmt for loop in enclosing_loops(read.site.at)):
        return True
    return _line(read) <= site.at.stmt.span.line  # type: ignore[union-attr]  # a wait stands in one, too


def _finding(
    module: ModuleFacts, fn: Fn, call: Call, child: Acquisition, stream: str, project: Project, weak: bool
) -> Finding:
    return RULE.finding(
        module,
        call.span,
        f"`{text(call)}` in `{fn.qualname}` waits for a child whose `{stream}` pipe nobody reads first: it hangs after 64 KiB",
        tier="S" if weak or is_brief(child.call, child.fn, project) else "D",
        trace=(child.fn.step(child.call.span, f"`{stream}=PIPE`"), fn.step(call.span, f"`{fn.qualname}` waits")),
        help="use `communicate()`, which reads while it waits",
        fix=_fix(call, child),
    )


def _too_late(module: ModuleFacts, fn: Fn, call: Call, child: Acquisition, stream: str) -> Finding:
    return RULE.finding(
        module,
        call.span,
        f"`{text(call)}` in `{fn.qualname}` waits for a child whose `{stream}` pipe is read afterwards: "
        "after 64 KiB it blocks, and is taken for one that hangs",
        tier="S",
        severity="warning",
        trace=(child.fn.step(child.call.span, f"`{stream}=PIPE`"), fn.step(call.span, f"`{fn.qualname}` waits")),
        help="use `communicate(timeout=…)`, which reads while it waits",
        fix="the wait has a limit",
    )


def _turn(module: ModuleFacts, fn: Fn, found: InTurn, project: Project) -> Finding:
    read, other = found.read.name, found.other
    return RULE.finding(
        module,
        found.span,
        f"`{text(found.whole)}` in `{fn.qualname}` waits for the end of the child, whose `{other}` pipe nobody reads meanwhile: "
        "it hangs after 64 KiB",
        tier="S" if is_brief(found.child.call, found.child.fn, project) else "D",
        trace=(
            found.child.fn.step(found.child.call.span, f"`{read}=PIPE` and `{other}=PIPE`"),
            fn.step(found.span, f"`{read}` is read to its end first"),
        ),
        help="use `communicate()`, which reads both at once",
    )


def _call(module: ModuleFacts, fn: Fn, call: Call, project: Project) -> Finding:
    return RULE.finding(
        module,
        call.span,
        f"`{text(call)}` in `{fn.qualname}` waits for a child whose pipe nobody reads: it hangs after 64 KiB",
        tier="S" if is_brief(call, fn, project) else "D",
        help="use `subprocess.run(..., capture_output=True)` or `subprocess.DEVNULL`",
    )


def _fix(call: Call, child: Acquisition) -> Fix | str:
    if child.model.name != "subprocess.Popen" or not isinstance(call.func, Attr) or call.func.name != "wait":
        return "this is not the `wait()` of a `subprocess.Popen`"
    return Fix("safe", "read the pipe while waiting, by `communicate()`", "shd407")
