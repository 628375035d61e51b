"""The handler that was there before is called without asking whether it can be called.

## What it does
Reports calls of what `signal.getsignal` or `signal.signal` returned (kept in a name, an attribute or a dictionary) with no
`callable()` or other test of it on the way.

## Why it matters
What was there before is often no function: `SIG_DFL` and `SIG_IGN` are numbers (the default for SIGTERM is `SIG_DFL`), and a
handler that C code installed is None. The call raises TypeError in the handler: the program dies by a traceback, or goes on
without having stopped.

## Example
```python
import signal

PARTS = []


def on_term(signum, frame):
    PARTS.clear()
    previous(signum, frame)


previous = signal.signal(signal.SIGTERM, on_term)
```

## Use instead
```python
import os
import signal

PARTS = []


def on_term(signum, frame):
    PARTS.clear()
    if callable(previous):
        previous(signum, frame)
    else:
        signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)


previous = signal.signal(signal.SIGTERM, on_term)
```

## Precision
Silent under any test that mentions the previous handler, where something callable is put in the place of `SIG_DFL` or
`SIG_IGN`, and where TypeError is caught. Strict tier where a bare truth test
lets only `SIG_IGN` pass, and where a main program of the project itself replaces the handler of SIGINT, whose default is
callable; a library may find anything in its place, and a shell starts background jobs with SIGINT ignored.

## References
- [signal.getsignal](https://docs.python.org/3/library/signal.html#signal.getsignal)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Call, Comp, Expr, If, ModuleFacts, Name, Op, Raise, Return, Subscript, Try
from shutdown_lint.findings import Finding, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.endings import catches
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.scopes import Value
from shutdown_lint.project.signal_names import signals_of
from shutdown_lint.project.signals import handlings
from shutdown_lint.rules.base import Rule
from shutdown_lint.walk import Site, argument, last_name, own_exprs, same, subexprs, text

RULE = Rule(
    code="SHD316",
    name="previous-handler-unchecked",
    summary="a previous signal handler is called without `callable()`",
    tier="D",
    severity="warning",
    triggers=(r"re:signal\s*\(|signal as",),
    origin=("G12",),
)

HELP = "call it only if `callable(previous)`; for `SIG_DFL` restore the default and send the signal again"
_GIVE_PREVIOUS = ("signal.signal", "signal.getsignal")


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The calls of previous handlers in the module."""
    if not any(
        project.calls.is_call_to(site.call, fn, *_GIVE_PREVIOUS)
        for fn in project.functions(module)
        for site in fn.sites
    ):
        return
    for fn in project.functions(module):
        for site in fn.sites if not is_test(fn) else ():
            sources = _sources(site.call.func, fn, project)
            guard = _guard(site, fn) if sources else "test"
            if sources and guard != "test" and not _is_asked_around(site.call.func, fn):
                yield _finding(site, fn, sources, guard, project)


def _sources(func: Expr, fn: Fn, project: Project) -> list[tuple[Call, Fn]]:
    """The calls of ``signal.signal`` or ``getsignal`` whose result is called; none where it may be something else too."""
    given = list(_given(func, fn, project))
    found = [
        (value, holder)
        for value, holder in given
        if isinstance(value, Call) and project.calls.is_call_to(value, holder, *_GIVE_PREVIOUS)
    ]
    others = [value for value, _ in given if not (isinstance(value, Call) or getattr(value, "value", 0) is None)]
    if any(last_name(part) in ("SIG_DFL", "SIG_IGN") for value, _ in given for part in subexprs(value)):
        return []  # put in its place: `{SIG_DFL: default_int_handler, …}.get(previous, previous)`
    return found if not others else []


def _given(func: Expr, fn: Fn, project: Project) -> Iterator[tuple[Expr, Fn]]:
    """What is ever stored in the name, attribute or (elements of a) container that is called."""
    if isinstance(func, Subscript):
        yield from _elements(func.value, fn, project)
    elif isinstance(func, Call) and isinstance(func.func, Attr) and func.func.name in ("get", "pop"):
        yield from _elements(func.func.value, fn, project)
    elif isinstance(func, Name):
        scope = project.evaluate.binding_scope(func.id, fn)
        if scope is not None:
            yield from ((b.expr, scope) for b in scope.bindings.get(func.id, ()) if isinstance(b, Value) and b.item < 0)
            yield from _globals(func.id, scope, project)
            for binding in scope.bindings.get(func.id, ()):
                if isinstance(binding, Value) and isinstance(binding.expr, Subscript):
                    yield from _elements(binding.expr.value, scope, project)
    elif isinstance(func, Attr) and isinstance(func.value, Name) and func.value.id == project.classes.self_name(fn):
        owner = project.classes.enclosing(fn)
        for write in project.classes.writes(owner, func.name) if owner is not None else ():
            if write.value is not None and write.item < 0:
                yield write.value, write.fn


def _globals(name: str, scope: Fn, project: Project) -> Iterator[tuple[Expr, Fn]]:
    """What functions that declare the name ``global`` or ``nonlocal`` store in it."""
    for fn in project.functions(scope.module):
        if fn.declared.get(name) is not None:
            yield from ((b.expr, fn) for b in fn.bindings.get(name, ()) if isinstance(b, Value) and b.item < 0)


def _elements(container: Expr, fn: Fn, project: Project) -> Iterator[tuple[Expr, Fn]]:
    """``previous[sig] = signal.signal(…)`` anywhere in the module, and ``{sig: signal.getsignal(sig) for …}``."""
    for other in project.functions(fn.module):
        for at in other.statements:
            if isinstance(at.stmt, Assign) and at.stmt.value is not None:
                for target in at.stmt.targets:
                    if isinstance(target, Subscript) and same(target.value, container):
                        yield at.stmt.value, other
                    elif same(target, container) and isinstance(at.stmt.value, Comp):
                        yield at.stmt.value.elements[-1], other


def _is_asked_around(func: Expr, fn: Fn) -> bool:
    """Whether a function around this one asks whether it is ``callable``, and installs this one only then."""
    while fn.parent is not None and not fn.parent.is_module:
        fn = fn.parent
        tests = (at.stmt.test for at in fn.statements if isinstance(at.stmt, If))
        if any(
            isinstance(part, Call)
            and last_name(part.func) == "callable"
            and any(same(arg.value, func) for arg in part.args)
            for test in tests
            for part in subexprs(test)
        ):
            return True
    return False


def _guard(site: Site, fn: Fn) -> str:
    """How the call is guarded: by a ``test``, by its mere ``truth``, or ``""``."""
    func, found = site.call.func, ""
    for place in site.at.around():
        outer = place.outer.stmt if place.outer is not None else None
        if (
            isinstance(outer, Try)
            and place.part == "body"
            and any(catches(h.types, "TypeError", "Exception") for h in outer.handlers)
        ):
            return "test"
        if isinstance(outer, If) and _mentions(outer.test, func):
            found = "truth" if same(outer.test, func) and found != "test" else "test"
        for stmt in place.before():
            if (
                isinstance(stmt, If)
                and _mentions(stmt.test, func)
                and isinstance((stmt.body or (None,))[-1], (Return, Raise))
            ):
                found = "test"
    for parent in site.parents:
        if (
            isinstance(parent, Op)
            and parent.op in ("and", "or", "if")
            and any(_mentions(o, func) for o in parent.operands if o is not site.expr)
        ):
            found = "test"
    if found:
        return found
    # a local that is read from where the test has looked before
    return "test" if any(_mentions(test, func) for test in _tests(fn)) else ""


def _tests(fn: Fn) -> Iterator[Expr]:
    """The calls of ``callable`` and ``isinstance`` anywhere in the function."""
    for at in fn.statements:
        for root in own_exprs(at.stmt):
            for expr in subexprs(root):
                if (
                    isinstance(expr, Call)
                    and isinstance(expr.func, Name)
                    and expr.func.id in ("callable", "isinstance")
                ):
                    yield expr


def _mentions(test: Expr, func: Expr) -> bool:
    return any(same(expr, func) for expr in subexprs(test))


def _in_own_program(sources: list[tuple[Call, Fn]], project: Project) -> bool:
    """Whether a main program installs the handler: then Python's own handler of SIGINT was there before, as a rule.

    What a library finds in its place is up to its users.
    """
    return all("main" in project.roles.kinds(holder) for _, holder in sources)


def _is_ours(fn: Fn, signals: list[str], sources: list[tuple[Call, Fn]], project: Project) -> bool:
    """Whether the project installs other handlers of its own for each of the signals: as a rule, the previous one is that.

    One that keeps the handler before it is of the same kind as this one.
    """
    places = {scope for _, holder in sources for scope in _around(holder)}
    ours = {
        name
        for handling in handlings(project)
        if handling.via == "signal" and handling.targets and fn not in handling.targets and not is_test(handling.fn)
        if handling.site.dropped and "getsignal" not in handling.fn.mentions and handling.fn not in places
        for name in handling.signals
    }
    return bool(signals) and set(signals) <= ours


def _around(fn: Fn) -> Iterator[Fn]:
    """The function, and those in which it stands."""
    here: Fn | None = fn
    while here is not None and not here.is_module:
        yield here
        here = here.parent


def _finding(site: Site, fn: Fn, sources: list[tuple[Call, Fn]], guard: str, project: Project) -> Finding:
    signals = [name for call, holder in sources for name in signals_of(argument(call, 0, "signalnum"), holder, project)]
    callable_default = bool(signals) and set(signals) == {"SIGINT"} and _in_own_program(sources, project)
    tier: Tier | None = "S" if guard == "truth" or callable_default or _is_ours(fn, signals, sources, project) else None
    what = "SIG_IGN" if guard == "truth" else "SIG_DFL, SIG_IGN or None"
    message = f"`{text(site.call.func)}` is the previous handler and may be {what}: calling it raises TypeError in the handler"
    trace = tuple(holder.step(call.span, f"`{text(call)}` gives the previous handler") for call, holder in sources[:2])
    return RULE.finding(fn.module, site.call.span, message, tier=tier, trace=trace, help=HELP)
