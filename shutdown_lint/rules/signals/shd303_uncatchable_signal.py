"""SIGKILL and SIGSTOP cannot be caught: installing a handler for them fails.

## What it does
Reports `signal.signal` and `loop.add_signal_handler` for SIGKILL or SIGSTOP, by name, by number or as one of several
signals of a loop, and waits for them by `signal.sigwait` and its kin.

## Why it matters
The operating system ends (or halts) the process without asking it. The call raises OSError (in a loop: RuntimeError) when
it runs, so the program does not start; and whatever cleanup counts on that handler does not exist.

## Example
```python
import signal
import sys


def on_kill(signum, frame):
    sys.exit(1)


signal.signal(signal.SIGKILL, on_kill)
```

## Use instead
```python
import signal
import sys


def on_term(signum, frame):
    sys.exit(143)


signal.signal(signal.SIGTERM, on_term)
```

## Precision
Silent where the error is caught around the call, where a test in the function names the signal (and so may leave it out),
and in tests.

## References
- [signal.signal](https://docs.python.org/3/library/signal.html#signal.signal)
- [signal(7)](https://man7.org/linux/man-pages/man7/signal.7.html)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Call, Comp, Expr, If, ModuleFacts, Seq, Try, While, With
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.signal_names import signals_at, signals_of
from shutdown_lint.project.signals import installs, mentions_signal, number_of
from shutdown_lint.rules._texts import SIGNALS
from shutdown_lint.rules.base import Rule
from shutdown_lint.walk import Site, argument, own_exprs, subexprs, text

RULE = Rule(
    code="SHD303",
    name="uncatchable-signal",
    summary="a handler for SIGKILL or SIGSTOP",
    tier="D",
    severity="error",
    triggers=SIGNALS,
    origin=("G10",),
)

HELP = "handle SIGTERM, which comes before it, and keep on disk at all times what must survive a SIGKILL"
_UNCATCHABLE = ("SIGKILL", "SIGSTOP")
_WAITS = ("signal.sigwait", "signal.sigwaitinfo", "signal.sigtimedwait")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The handlers of the module that cannot be installed."""
    for fn in project.functions(module):
        for site in fn.sites if not is_test(fn) else ():
            name = _uncatchable(site, fn, project)
            if name is not None and not _is_meant(site, name, fn):
                yield RULE.finding(fn.module, site.call.span, _message(site, name, fn, project), help=HELP)


def _message(site: Site, name: str, fn: Fn, project: Project) -> str:
    if installs(site, fn, project) is None:
        return f"`{text(site.call.func)}` waits for {name}, which never comes: the process is {_fate(name)} at once"
    return f"`{text(site.call)}` fails: {name} cannot be caught, so the handler never runs"


def _fate(name: str) -> str:
    return "killed" if name == "SIGKILL" else "halted"


def _uncatchable(site: Site, fn: Fn, project: Project) -> str | None:
    """The uncatchable signal that the call is about."""
    via = installs(site, fn, project)
    if via is not None:
        names = signals_at(number_of(site.call, via), site, fn, project)
    elif project.calls.is_call_to(site.call, fn, *_WAITS):
        names = tuple(
            name for expr in _members(argument(site.call, 0, "sigset")) for name in signals_of(expr, fn, project)
        )
    else:
        return None
    return next((name for name in names if name in _UNCATCHABLE), None)


def _members(expr: Expr | None) -> tuple[Expr, ...]:
    return expr.items if isinstance(expr, Seq) else ()


def _is_meant(site: Site, name: str, fn: Fn) -> bool:
    """Whether the error is caught, or the code knows that this signal is special."""
    for place in site.at.around():
        outer = place.outer.stmt if place.outer is not None else None
        if place.part == "body" and (
            (isinstance(outer, Try) and outer.handlers) or (isinstance(outer, With) and _catches(outer))
        ):
            return True
    tests = (at.stmt.test for at in fn.statements if isinstance(at.stmt, (If, While)))
    return any(mentions_signal(test, name) for test in (*tests, *_filters(fn)))


def _catches(stmt: With) -> bool:
    return any(
        isinstance(item.context, Call) and text(item.context.func).endswith(("suppress", "raises"))
        for item in stmt.items
    )


def _filters(fn: Fn) -> Iterator[Expr]:
    """The conditions of the comprehensions of the function."""
    for at in fn.statements:
        for root in own_exprs(at.stmt):
            for expr in subexprs(root):
                if isinstance(expr, Comp):
                    yield from (test for clause in expr.clauses for test in clause.ifs)
