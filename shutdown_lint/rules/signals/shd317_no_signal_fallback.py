"""`add_signal_handler` with no way out for Windows in a program that runs there, or whose failure is passed over.

## What it does
Reports `loop.add_signal_handler` without a test of the platform and without `except NotImplementedError`, in a package that
declares that it runs on Windows (or on every system) or provides for it elsewhere; and calls whose RuntimeError or ValueError
(the loop runs in another thread than the main one) is dropped without another handler in its place.

## Why it matters
The loops of Windows raise NotImplementedError: the program does not start there. Where the error of a loop in another thread is
swallowed, the program starts without a handler, and SIGTERM kills it in the midst of its work.

## Example
```python
import asyncio
import signal
import sys


async def serve(stop: asyncio.Event):
    loop = asyncio.get_running_loop()
    for sig in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sig, stop.set)
    await stop.wait()


def main():
    if sys.platform == "win32":
        asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
    asyncio.run(serve(asyncio.Event()))
```

## Use instead
```python
import asyncio
import signal
import sys


async def serve(stop: asyncio.Event):
    loop = asyncio.get_running_loop()
    for sig in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(sig, stop.set)
        except NotImplementedError:
            signal.signal(sig, lambda signum, frame: loop.call_soon_threadsafe(stop.set))
    await stop.wait()


def main():
    if sys.platform == "win32":
        asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
    asyncio.run(serve(asyncio.Event()))
```

## Precision
Tier D where a class of a package that is published for Windows installs the handler: each of its users there fails. Tier S
for the rest. Silent in packages that say nothing of Windows, beside signals that Windows does not have, under any test of the platform,
where a caller catches the error, and where NotImplementedError alone is dropped: Ctrl-C still ends the program on
Windows, which knows no SIGTERM.

## References
- [loop.add_signal_handler](https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.add_signal_handler)
- [asyncio: platform support](https://docs.python.org/3/library/asyncio-platforms.html#windows)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import (
    Attr,
    Call,
    Const,
    Expr,
    ExprStmt,
    Handler,
    If,
    ModuleFacts,
    Op,
    Return,
    Seq,
    Span,
    Subscript,
    Try,
    With,
)
from shutdown_lint.findings import Finding, Step, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.endings import catches
from shutdown_lint.project.memo import Memo
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.signals import installs
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.signals._losses import is_example
from shutdown_lint.walk import At, Site, dotted, last_name, sites, subexprs, text

RULE = Rule(
    code="SHD317",
    name="no-signal-fallback",
    summary="`add_signal_handler` with no way out where it fails",
    tier="D",
    severity="warning",
    triggers=("add_signal_handler",),
    origin=("G12",),
)

HELP = (
    "catch NotImplementedError and install a handler by `signal.signal` that goes through `loop.call_soon_threadsafe`"
)
_WINDOWS = re.compile(r"win|nt$|posix|unix|platform", re.IGNORECASE)
_WINDOWS_ONLY = (
    "WindowsSelectorEventLoopPolicy",
    "WindowsProactorEventLoopPolicy",
    "ProactorEventLoop",
    "SIGBREAK",
    "CTRL_BREAK_EVENT",
    "CTRL_C_EVENT",
    "CREATE_NEW_PROCESS_GROUP",
    "STARTUPINFO",
    "SetConsoleCtrlHandler",
)
# Signals that Windows does not have: code that names them does not run there.
_POSIX_ONLY = frozenset(
    {"SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGWINCH", "SIGTSTP", "SIGTTIN", "SIGTTOU"}
)
_PLATFORMS = frozenset({"sys.platform", "os.name"})
_OFF_MAIN = ("RuntimeError", "ValueError", "Exception")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The handlers that the module gives to a loop."""
    for fn in project.functions(module):
        if "add_signal_handler" not in fn.mentions or is_test(fn):
            continue
        if _POSIX_ONLY & fn.mentions:
            continue
        seen: set[Span] = set()
        for site in fn.sites:
            if getattr(site.call.func, "name", "") != "add_signal_handler" or installs(site, fn, project) != "loop":
                continue
            found = _dropped(site, fn) or _unguarded(site, fn, project)
            # several calls in a row have one cause and one mend
            if found is not None and _block(site) not in seen:
                seen.add(_block(site))
                tier: Tier = "D" if project.windows(module) in found[1] else "S"
                yield RULE.finding(module, site.call.span, found[0], tier=tier, trace=found[1], help=HELP)


def _block(site: Site) -> Span:
    """The span of the first statement of the block."""
    return getattr(site.at.block[0], "span", site.call.span)


# --- the error is dropped --------------------------------------------------------------------------------------------


def _dropped(site: Site, fn: Fn) -> tuple[str, tuple[Step, ...]] | None:
    """The clause that drops the error of a loop outside of the main thread."""
    for handler in _clauses(site.at):
        if catches(handler.types, *_OFF_MAIN) and not _does_something(handler):
            message = f"`{text(site.call)}` may fail off the main thread, and its error is dropped: the program then runs without a handler"
            return message, (fn.step(handler.span, "drops the error"),)
    return None


def _clauses(at: At) -> Iterator[Handler]:
    """The clauses of the ``try`` whose whole body sets up signal handlers."""
    for place in at.around():
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, Try) and place.part == "body":
            if all("signal" in text(site.call.func, 200) for site in sites(outer.body)):
                yield from outer.handlers
            return


def _does_something(handler: Handler) -> bool:
    """Anything but ``pass`` and a quiet line in the log may be the fallback."""
    return any(not (isinstance(stmt, ExprStmt) and _is_log(stmt.value)) for stmt in handler.body)


def _is_log(expr: Expr) -> bool:
    return isinstance(expr, Call) and isinstance(expr.func, Attr) and expr.func.name in ("debug", "info")


# --- nothing catches it ----------------------------------------------------------------------------------------------


def _unguarded(site: Site, fn: Fn, project: Project) -> tuple[str, tuple[Step, ...]] | None:
    declared = project.windows(fn.module) if fn.cls is not None and not is_example(fn) else None
    evidence = declared or _for_windows(project).get(fn.module.name.partition(".")[0])
    if evidence is None or _is_guarded(site.at, fn):
        return None
    if any(_is_guarded(caller.site.at, caller.fn) for caller in project.calls.callers(fn)):
        return None
    what = "on which this package says that it runs" if declared else "for which this package provides"
    return f"`{text(site.call)}` raises NotImplementedError on Windows, {what}", (evidence,)


def _is_guarded(at: At, fn: Fn) -> bool:
    """Whether the platform is tested around the place or before it, or the error is caught."""
    for place in at.around():
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, If) and _asks(outer.test):
            return True
        if isinstance(outer, Try) and place.part == "body":
            if any(catches(h.types, "NotImplementedError", "RuntimeError", "Exception") for h in outer.handlers):
                return True
        if isinstance(outer, With) and any("suppress" in text(item.context) for item in outer.items):
            return True
        if any(isinstance(stmt, If) and _asks(stmt.test) and _leaves(stmt) for stmt in place.before()):
            return True
    return _chooses_signals(fn)


def _chooses_signals(fn: Fn) -> bool:
    """``{"win32": ()}.get(sys.platform, (SIGTERM, SIGINT))``: which signals there are depends on the platform."""
    return any(
        dotted(site.expr) in _PLATFORMS
        and site.parents
        and (
            isinstance(site.parents[0], Subscript)
            or (isinstance(site.parents[0], Call) and last_name(site.parents[0].func) == "get")
        )
        for name in ("platform", "name")
        for site in fn.attributes(name)
    )


def _leaves(stmt: If) -> bool:
    return bool(stmt.body) and isinstance(stmt.body[-1], Return)


def _asks(test: Expr) -> bool:
    """Whether a condition is about the platform, or about whether the loop or module has what is called."""
    for expr in subexprs(test):
        word = getattr(expr, "name", getattr(expr, "id", ""))
        if _WINDOWS.search(word) or word == "hasattr":
            return True
        if isinstance(expr, Const) and isinstance(expr.value, str) and _WINDOWS.search(expr.value):
            return True
    return False


_MEMO: Memo[dict[str, Step]] = Memo()


def _for_windows(project: Project) -> dict[str, Step]:
    """For each top-level package the first place that provides for Windows."""
    found = _MEMO.get(project)
    if found is None:
        found = _MEMO[project] = {}
        for fn, step in _evidence(project):
            found.setdefault(fn.module.name.partition(".")[0], step)
    return found


def _evidence(project: Project) -> Iterator[tuple[Fn, Step]]:
    for name in _WINDOWS_ONLY:
        for fn in project.calls.mentioning(name):
            for site in fn.attributes(name) if not is_test(fn) else ():
                yield fn, fn.step(getattr(site.at.stmt, "span", fn.facts.span), f"`{name}` is for Windows")
    for name in ("platform", "name", "system"):
        for fn in project.calls.mentioning(name):
            for at in fn.statements if not is_test(fn) else ():
                if isinstance(at.stmt, If) and _is_windows(at.stmt.test):
                    yield fn, fn.step(at.stmt.span, "provides for Windows")


def _is_windows(test: Expr) -> bool:
    """``sys.platform == "win32"``, ``os.name == "nt"``, ``platform.system() == "Windows"``, ``sys.platform.startswith("win")``."""
    if isinstance(test, Op) and test.op in ("==", "in"):
        left, right = test.operands[0], test.operands[-1]
        items = right.items if isinstance(right, Seq) else (right,)
        words = {getattr(item, "value", None) for item in items}
        return text(left) in ("sys.platform", "os.name", "platform.system()") and bool(
            words & {"win32", "nt", "Windows"}
        )
    return text(test) == "sys.platform.startswith('win')"
