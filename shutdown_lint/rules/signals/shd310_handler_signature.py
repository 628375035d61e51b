"""A signal handler is called with the number of the signal and the frame; one that cannot take them fails.

## What it does
Reports functions given to `signal.signal` that cannot be called with two positional arguments, and callbacks given to
`loop.add_signal_handler` that need other arguments than those that the call hands on (a loop passes no number and no
frame). Methods, lambdas, `functools.partial` and callable objects are followed.

## Why it matters
Registering works, so nothing shows until the signal comes. Then TypeError is raised in the midst of whatever the program
does, and the cleanup that the handler stood for does not run.

## Example
```python
import signal
import sys


def on_term():
    sys.exit(143)


signal.signal(signal.SIGTERM, on_term)
```

## Use instead
```python
import signal
import sys


def on_term(signum, frame):
    sys.exit(143)


signal.signal(signal.SIGTERM, on_term)
```

## Fix safety
Safe: the new parameters have defaults (`signum=None, frame=None`), so that direct calls of the handler stay valid. No fix
where the handler is in another file, and none for callbacks of a loop.

## Precision
Silent for functions with decorators, and where one of several possible handlers fits.

## References
- [signal.signal](https://docs.python.org/3/library/signal.html#signal.signal)
- [loop.add_signal_handler](https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.add_signal_handler)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.findings import Finding, Fix, Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.signals import LOOP_INSTALLER, Handling, handlings
from shutdown_lint.rules._texts import SIGNALS
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.signals._callables import Callee, callee, is_plain, takes
from shutdown_lint.walk import has_star, text

RULE = Rule(
    code="SHD310",
    name="handler-signature",
    summary="a signal handler that cannot be called with `(signum, frame)`",
    tier="D",
    severity="error",
    triggers=SIGNALS,
    fix="safe",
    origin=("G1",),
)

HELP = "let the handler take the number of the signal and the frame: `def handler(signum, frame)`"
LOOP_HELP = "a loop calls the callback without arguments: give the ones that it needs to `add_signal_handler`, behind the callback"


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The registrations of the module whose handler does not fit; each handler once."""
    seen: set[Fn] = set()
    for handling in handlings(project):
        if handling.fn.module is module:
            called = _misfit(handling, project)
            if called is not None and called.fn not in seen:
                seen.add(called.fn)
                yield _finding(handling, called)


def _misfit(handling: Handling, project: Project) -> Callee | None:
    """The handler, where none of those that the expression may stand for can take the arguments."""
    given = _given(handling, project)
    if given is None:
        return None
    found = [callee(value, project) for value in project.evaluate.values(handling.handler, handling.fn)]
    known = [called for called in found if called is not None and is_plain(called.fn) and not called.fn.facts.is_async]
    if not known or len(known) < len(found) or any(takes(called, given) for called in known):
        return None
    return known[0]


def _given(handling: Handling, project: Project) -> int | None:
    """How many arguments the handler gets."""
    if handling.via == "signal":
        return 2
    call = handling.site.call
    direct = project.calls.is_call_to(call, handling.fn, LOOP_INSTALLER) or not project.calls.targets(call, handling.fn)
    return None if has_star(call) or not direct else len(call.args) - 2


def _finding(handling: Handling, called: Callee) -> Finding:
    fn, name = called.fn, "this lambda" if called.fn.facts.is_lambda else f"`{called.fn.qualname}`"
    step = Step(fn.path, fn.facts.span.line, fn.facts.span.col, f"{name} takes {_parameters(called)}")
    if handling.via == "loop":
        message = f"{name} takes {_parameters(called)}, but the loop calls it with {len(handling.site.call.args) - 2}: TypeError when the signal comes"
        return RULE.finding(handling.fn.module, handling.site.call.span, message, trace=(step,), help=LOOP_HELP)
    signal = handling.signals[0] if handling.signals else "the signal"
    message = (
        f"{name} takes {_parameters(called)}, but a signal handler is called with two: TypeError when {signal} comes"
    )
    return RULE.finding(
        handling.fn.module, handling.site.call.span, message, trace=(step,), help=HELP, fix=_fix(handling, called)
    )


def _parameters(called: Callee) -> str:
    wanted = [p for p in called.fn.facts.params if p.kind in ("positional", "positional-only")][called.given :]
    needed = sum(param.default is None for param in wanted)
    if called.fn.facts.params and needed < len(wanted):
        return f"{needed} to {len(wanted)} arguments"
    return "no argument" if not wanted else "1 argument" if len(wanted) == 1 else f"{len(wanted)} arguments"


def _fix(handling: Handling, called: Callee) -> Fix | str:
    """Parameters are added to a function or lambda of the same file that takes too few; nothing is taken away."""
    params = [p for p in called.fn.facts.params if p.kind in ("positional", "positional-only")]
    if (
        called.fn.module is not handling.fn.module
        or called.named
        or len(params) - called.given >= 2
        or not takes(called, len(params) - called.given)
    ):
        return "more than parameters is missing, or the handler stands in another file"
    span = called.fn.facts.span
    message = f"add the parameters of a handler to {text(handling.handler) if called.fn.facts.is_lambda else f'`{called.fn.name}`'}"
    return Fix("safe", message, "shd310", (("line", str(span.line)), ("column", str(span.col))))
