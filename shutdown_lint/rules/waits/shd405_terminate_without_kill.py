"""``terminate()``, then a wait without limit, and no ``kill()`` for a child that does not listen.

## What it does
Reports a ``subprocess.Popen`` (or asyncio child) that is terminated and then waited for without limit in the same function, when
nothing ever kills it; and a ``multiprocessing.Process`` treated so in a program that installs a SIGTERM handler, which forked
children may inherit (where they surely do, SHD313 speaks).

## Why it matters
SIGTERM is a request: a child that ignores it, handles it badly or hangs in its own cleanup keeps its parent waiting for ever.

## Example
```python
import subprocess


class Proxy:
    def start(self):
        self._child = subprocess.Popen(["nginx", "-g", "daemon off;"])

    def stop(self):
        self._child.terminate()
        self._child.wait()
```

## Use instead
```python
import subprocess


class Proxy:
    def start(self):
        self._child = subprocess.Popen(["nginx", "-g", "daemon off;"])

    def stop(self):
        self._child.terminate()
        try:
            self._child.wait(10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
```

## Fix safety
Unsafe: a child that needs more than 5 seconds to end is killed.

## Precision
The child's type comes from its constructor. Silent when it is killed on any alias, leaves what the analysis sees, runs
``sys.executable`` (a Python program of the same project is taken to handle SIGTERM), is only asked where it has ended, or the wait
has a limit. Strict: of 7 read in packages that nothing was built on, 4 were true and of little weight, 3 of children that surely end.

## References
- [Popen.terminate](https://docs.python.org/3/library/subprocess.html#subprocess.Popen.terminate)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, Call, Expr, If, ModuleFacts, Name, Op, Seq
from shutdown_lint.findings import Finding, Fix
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.tracks import Track
from shutdown_lint.rules._inherited import inherited
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._children import fatal_signal, tracks, uses
from shutdown_lint.rules.waits._polls import is_limited
from shutdown_lint.walk import Site, last_name, subexprs, text

RULE = Rule(
    code="SHD405",
    name="terminate-without-kill",
    summary="a child is terminated and waited for without limit, and never killed",
    tier="S",
    severity="warning",
    fix="unsafe",
    triggers=("terminate(",),
    origin=("G14",),
)
_WAITS = ("wait", "communicate", "join")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at the waits that follow a ``terminate()`` in every function."""
    for fn in project.functions(module):
        if "terminate" not in fn.mentions or is_test(fn):
            continue
        asked = [site for site in fn.sites if isinstance(site.call.func, Attr) and site.call.func.name == "terminate"]
        for site in fn.sites:
            earlier = [ask for ask in asked if ask.call.span.line < site.call.span.line]
            if earlier and isinstance(site.call.func, Attr) and site.call.func.name in _WAITS:
                yield from _judge(module, project, fn, earlier, site)


def _judge(module: ModuleFacts, project: Project, fn: Fn, asked: list[Site], site: Site) -> Iterator[Finding]:
    wait = project.protocol.wait(site, fn)
    if wait is None or wait.bounded or wait.model.wakes not in ("child", "process") or is_limited(site):
        return
    found = tracks(_receiver(site), fn, project)
    ask = next((ask for ask in asked if found is not None and _same_child(ask, found[0], fn, project)), None)
    if (
        found is None
        or ask is None
        or _has_ended(ask)
        or _ends(found[1], project)
        or not _may_ignore(found[0], project)
    ):
        return
    yield RULE.finding(
        module,
        site.call.span,
        f"`{text(site.call)}` in `{fn.qualname}` waits without limit for a child that may ignore `{text(ask.call)}`, and nothing kills it",
        trace=(
            found[0].fn.step(found[0].call.span, f"child started in `{found[0].fn.qualname}`"),
            fn.step(ask.call.span, "asked to end"),
            fn.step(site.call.span, "waited for without limit"),
        ),
        help="wait with a limit, then `kill()` it and wait",
        fix=_fix(found[0], site),
    )


def _fix(child: Acquisition, site: Site) -> Fix | str:
    method = {"subprocess.Popen": "wait", "multiprocessing.Process": "join"}.get(child.model.name)
    if not isinstance(site.call.func, Attr) or site.call.func.name != method:
        return "this is neither the `wait()` of a `subprocess.Popen` nor the `join()` of a `multiprocessing.Process`"
    return Fix("unsafe", "wait with a limit, then kill the child", "shd405")


def _receiver(site: Site) -> Expr | None:
    return site.call.func.value if isinstance(site.call.func, Attr) else None


def _same_child(ask: Site, child: Acquisition, fn: Fn, project: Project) -> bool:
    found = tracks(_receiver(ask), fn, project)
    return found is not None and found[0].call is child.call


def _has_ended(ask: Site) -> bool:
    """``if child.returncode is not None: child.terminate()``: it is only asked where it has ended."""
    return any(
        isinstance(test, Op)
        and test.op == "is-not"
        and last_name(getattr(part, "func", part)) in ("returncode", "poll")
        for place in ask.at.around()
        if place.outer is not None and isinstance(place.outer.stmt, If) and place.part == "body"
        for test in subexprs(place.outer.stmt.test)
        for part in getattr(test, "operands", ())[:1]
    )


def _ends(found: tuple[Track, ...], project: Project) -> bool:
    """Whether anything kills the child, or sends it a signal of its own."""
    if any(track.has("kill", "send_signal") for track in found):
        return True
    return any(use.name == "pid" and fatal_signal(use, project) is not None for use in uses(found))


def _may_ignore(child: Acquisition, project: Project) -> bool:
    if child.model.kind == "process":
        return any(
            r.callback.role == "signal-handler" and _is_sigterm(r.site.call) for r in project.roles.registrations()
        ) and not inherited(child, project.resources.track(child), project)  # surely ignored: SHD313
    command = child.call.args[0].value if child.call.args else None
    first = command.items[0] if isinstance(command, Seq) and command.items else command
    return not (isinstance(first, Attr) and first.name == "executable")


def _is_sigterm(call: Call) -> bool:
    signal = call.args[0].value if call.args else None
    return isinstance(signal, (Attr, Name)) and "SIGTERM" in (getattr(signal, "name", ""), getattr(signal, "id", ""))
