"""``except SystemExit`` drops the exit code.

## What it does
Reports ``except SystemExit`` whose clause neither raises, exits, returns a code, nor looks at the exception, around work
that asks to exit with a failure.

## Why it matters
``sys.exit(3)`` is how the work says that it failed. Caught and forgotten, the program ends with 0: the supervisor, the CI
job, the shell script take it for a success, and nothing is restarted or retried.

## Example
```python
import sys


def check_args(path):
    if not path:
        sys.exit(3)


def main():
    try:
        check_args("")
    except SystemExit:
        print("stopped")


main()
```

## Use instead
```python
import sys


def check_args(path):
    if not path:
        sys.exit(3)


def main():
    try:
        check_args("")
    except SystemExit:
        print("stopped")
        raise


main()
```

## Fix safety
Unsafe: what stands behind the `try` statement no longer runs after an exit.

## Precision
By default only where an exit with a failure (a literal other than 0 and None, or a text) is found in what the ``try``
runs, a few calls deep. Strict: in the program's own entry points, where the clause names `Exception` beside it, which
takes the exit of a part for an error on purpose, and where the `try` gives a name a value that it does not have before, nor in
the clause, by which the failure is seen. Silent where user code, a prompt or an argument parser
runs in the ``try``, where a function that no program here leads to goes on behind it (a command inside of a host), where
only threads run it, and in tests.

## References
- [SystemExit](https://docs.python.org/3/library/exceptions.html#SystemExit)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Assign, Body, Break, Call, Const, Expr, Handler, ModuleFacts, Name, Raise, Return, Try
from shutdown_lint.findings import Finding, Fix, Step, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.endings import is_exit_request
from shutdown_lint.project.roles import Role, is_test
from shutdown_lint.project.scopes import Value
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.signals._losses import talks
from shutdown_lint.rules.swallowed._catching import caught, last_name, raises, tries
from shutdown_lint.walk import (
    At,
    Site,
    enclosing_loops,
    line_of,
    own_exprs,
    sites,
    subexprs,
    text,
    walk,
    what_runs_after,
)

RULE = Rule(
    code="SHD506",
    name="exit-code-swallowed",
    summary="except SystemExit drops the exit code",
    tier="D",
    severity="warning",
    fix="unsafe",
    triggers=("except & SystemExit",),
    origin=("G8",),
)
_EMBEDS = re.compile(
    r"^(exec|eval|execfile|run_path|run_module|parse_args|parse_known_args|parse_intermixed_args|interact|cmdloop|onecmd|runcode|input|"
    r"raw_input|import_module|__import__|load_module|exec_module|communicate|invoke|runsource|standalone_mode)$"
)
_PROMPTS = re.compile(r"^(raw_)?input$|^readline$|prompt")
# where an exit ends one thread, and its code is nobody's
_THREADS = ("thread", "timer", "pool-thread")
_ENDINGS = frozenset({"put", "put_nowait", "set_exception", "send", "kill", "terminate", "set_result"})
_FIX = Fix("unsafe", "end the clause with `raise`", "shd506")
MAX_DEPTH = 3
MAX_STEPS = 2


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every ``except SystemExit``."""
    for fn in project.functions(module):
        if "SystemExit" not in fn.mentions or is_test(fn) or project.roles.only(fn, *_THREADS):
            continue
        for at, stmt in tries(fn):
            if _is_a_part(at, fn, project) or _answers(at, fn, project) or _tries_the_next(at, stmt):
                continue
            for handler in stmt.handlers:
                if handler.types is not None and "SystemExit" in caught(handler, fn, project):
                    yield from _of_clause(module, stmt, handler, fn, project)


def _is_a_part(at: At, fn: Fn, project: Project) -> bool:
    """Whether a function that no program of this project leads to goes on behind the ``try``: what exited is a part of a host."""
    return bool(tuple(what_runs_after(at))) and project.roles.role(fn, "main") is None


def _answers(at: At, fn: Fn, project: Project) -> bool:
    """Whether the exit is that of one command in a loop that prompts for the next, here or one call deep."""
    calls = [site.call for loop in enclosing_loops(at) for site in sites((loop.stmt,))]
    asked = (target.fn for call in calls for target in project.calls.targets(call, fn))
    return any(_PROMPTS.match(last_name(call)) for call in calls) or talks(asked, project)


def _tries_the_next(at: At, stmt: Try) -> bool:
    """``for folder in folders: try: return load(folder)``: an exit is the answer of one, and the loop asks the next."""
    tried = (*stmt.body, *stmt.orelse)
    return any(enclosing_loops(at)) and any(isinstance(inner, (Return, Break)) for inner in tried)


def _of_clause(module: ModuleFacts, stmt: Try, handler: Handler, fn: Fn, project: Project) -> Iterator[Finding]:
    if _deals_with_it(handler) or raises(stmt.final) or _embeds(stmt.body, fn, project):
        return
    failure = _failure(tuple(sites(stmt.body)), tuple(walk(stmt.body)), fn, project)
    if failure is not None:
        # who names `Exception` beside it takes the exit of a part for one of its errors, on purpose
        on_purpose = "Exception" in caught(handler, fn, project) or _is_noted(stmt, handler, fn)
        yield _finding(module, handler, fn, failure, "S" if on_purpose else None)
    elif (role := project.roles.role(fn, "main")) is not None:
        yield RULE.finding(
            module,
            handler.span,
            f"`except SystemExit` in `{fn.qualname}` drops the exit code: the program ends with 0 whatever was asked",
            tier="S" if _is_the_end(fn, role, project) else "P",
            confidence="likely",
            help="end the clause with `raise`, or exit with `exc.code`",
            fix=_FIX,
        )


def _is_the_end(fn: Fn, role: Role, project: Project) -> bool:
    """Whether the program itself ends here: near its first line, and in no thread."""
    return len(role.steps) <= MAX_STEPS and not {"thread", "pool-thread", "timer"} & project.roles.kinds(fn)


def _deals_with_it(handler: Handler) -> bool:
    """Whether the clause raises, exits, returns something, or looks at the exception."""
    if raises(handler.body) or any(last_name(site.call) in _ENDINGS for site in sites(handler.body)):
        return True
    for at in walk(handler.body):
        if isinstance(at.stmt, Return) and at.stmt.value is not None:
            return True
        for root in own_exprs(at.stmt):
            if any(isinstance(e, Name) and e.id in (handler.name, "exc_info") for e in subexprs(root)):
                return True
    return any(last_name(site.call) == "exc_info" for site in sites(handler.body))


def _is_noted(stmt: Try, handler: Handler, fn: Fn) -> bool:
    """``ready = False`` / ``try: connect(); ready = True``: what is given a name in the ``try`` says by another value that it failed.

    The name has that value before, or gets it in the clause: ``except SystemExit: config = None``.
    """
    first, last = stmt.span.line, stmt.span.end_line
    instead = _named(handler.body)
    return any(
        (name in instead or _is_constant_before(name, first, fn))
        and any(line_of(site.at.stmt) > last for site in fn.names(name))
        for name in _named(stmt.body)
    )


def _named(block: Body) -> set[str]:
    """The names that statements of the block assign to."""
    targets = (target for stmt in block if isinstance(stmt, Assign) for target in stmt.targets)
    return {target.id for target in targets if isinstance(target, Name)}


def _is_constant_before(name: str, line: int, fn: Fn) -> bool:
    return any(isinstance(b, Value) and isinstance(b.expr, Const) and line_of(b.at.stmt) < line for b in fn.given(name))


def _embeds(body: Body, fn: Fn, project: Project) -> bool:
    """Whether the block runs code of others, a prompt or an argument parser, here or one call deep."""
    for site in sites(body):
        if _EMBEDS.match(last_name(site.call)):
            return True
        for target in project.calls.targets(site.call, fn):
            if any(_EMBEDS.match(last_name(inner.call)) for inner in target.fn.sites):
                return True
    return False


def _failure(
    calls: tuple[Site, ...], places: tuple[At, ...], fn: Fn, project: Project, depth: int = 0
) -> tuple[Step, ...] | None:
    """The way to an exit with a failure among these calls and ``raise`` statements, as steps."""
    for at in places:
        if isinstance(at.stmt, Raise) and isinstance(at.stmt.exc, Call) and _fails(at.stmt.exc):
            if is_exit_request(at.stmt.exc, fn, project):
                return (fn.step(at.stmt.span, f"`raise {text(at.stmt.exc)}` in {fn.qualname}"),)
    for site in calls:
        if project.calls.is_call_to(site.call, fn, "sys.exit") and _fails(site.call):
            return (fn.step(site.call.span, f"`{text(site.call)}` in {fn.qualname}"),)
    for site in calls if depth < MAX_DEPTH else ():
        for target in project.calls.targets(site.call, fn):
            if target.fn is fn or target.confidence != "proven" or target.fn.facts.is_generator:
                continue
            found = _failure(target.fn.sites, target.fn.statements, target.fn, project, depth + 1)
            if found is not None:
                return (fn.step(site.call.span, f"`{fn.qualname}` calls `{target.fn.qualname}`"), *found)
    return None


def _fails(call: Call) -> bool:
    """Whether the exit's argument says failure for sure."""
    given: Expr | None = call.args[0].value if call.args else None
    return isinstance(given, Const) and given.value not in (None, 0, False)


def _finding(module: ModuleFacts, handler: Handler, fn: Fn, failure: tuple[Step, ...], tier: Tier | None) -> Finding:
    return RULE.finding(
        module,
        handler.span,
        f"`except SystemExit` in `{fn.qualname}` drops the exit code of {failure[-1].text}: the failure ends as a success",
        tier=tier,
        lost=(failure[-1]._replace(text=f"the exit code of {failure[-1].text}"),),
        trace=failure,
        help="end the clause with `raise`, or exit with `exc.code`",
        fix=_FIX,
    )
