"""An exit request in an exit callback or destructor is printed and dropped.

## What it does
Reports `sys.exit()`, `raise SystemExit` and `exit()` that run in an `atexit` callback, in `__del__`, or in the callback
of a weak reference or finalizer, here or in any function that these call.

## Why it matters
Python swallows exceptions there, SystemExit as well: the exit code that the program meant to set is lost (it stays 0),
and a program that meant to stop goes on.

## Example
```python
import atexit
import sys

FAILED: list[str] = []


def verdict() -> None:
    if FAILED:
        sys.exit(1)


if __name__ == "__main__":
    atexit.register(verdict)
    FAILED.append("disk")
```

## Use instead
```python
import sys

FAILED: list[str] = []


def main() -> int:
    FAILED.append("disk")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
```

## Precision
Silent where the exit request is caught on the way.

## References
- [atexit](https://docs.python.org/3/library/atexit.html)
- [object.\\_\\_del\\_\\_](https://docs.python.org/3/reference/datamodel.html#object.__del__)
- [weakref.finalize](https://docs.python.org/3/library/weakref.html#weakref.finalize)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Const, Expr, If, ModuleFacts, Name, Op
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.endings import SOFT_EXITS
from shutdown_lint.project.roles import Registration, is_test
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.exits._requests import TRIGGERS, Request, registrations_of, requests, ways

RULE = Rule(
    code="SHD105",
    name="exit-ignored",
    summary="`sys.exit` in an atexit callback, `__del__` or weak reference callback",
    tier="D",
    severity="error",
    triggers=TRIGGERS,
    origin=("G7",),
)

HELP = "return the exit code from `main`, and do the check before the program starts to end"
_WHERE = {
    "atexit": "an atexit callback",
    "del": "`__del__`",
    "finalizer": "a weakref finalizer",
    "weakref-callback": "a weakref callback",
}


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The exit requests of the module that Python swallows."""
    for request in requests(module, project):
        way = next(ways(request, project, *_WHERE), None)
        if way is None or is_test(request.fn) or _is_for_another(request, project):
            continue
        message = f"`{request.text}` in {_WHERE[way.role.kind]} is swallowed: it ends nothing and its exit code is lost"
        yield RULE.finding(
            request.fn.module, request.span, message, confidence=way.confidence, trace=way.steps, help=HELP
        )
    for registration, name in registrations_of(module, project, SOFT_EXITS, *_WHERE):
        where = _WHERE[registration.callback.role]
        message = f"`{name}` as {where} is swallowed: it ends nothing and its exit code is lost"
        yield RULE.finding(module, registration.site.call.span, message, help=HELP)


def _is_for_another(request: Request, project: Project) -> bool:
    """``if reason == signal.SIGTERM: sys.exit()`` of a function that ``atexit`` is to give another reason: ``"the end"``."""
    tests = [
        p.outer.stmt.test for p in request.at.around() if p.outer and isinstance(p.outer.stmt, If) and p.part == "body"
    ]
    made = (
        [r for r in project.roles.registrations() if request.fn in r.targets and r.callback.role in _WHERE]
        if tests
        else []
    )
    return bool(made) and all(any(_excludes(test, _given(r, request.fn)) for test in tests) for r in made)


def _given(registration: Registration, fn: Fn) -> dict[str, Const]:
    """The constants that the function is to be called with, by the names of its parameters."""
    args = [arg.value for arg in registration.site.call.args if arg.keyword is None and not arg.star]
    behind = args[args.index(registration.argument) + 1 :] if registration.argument in args else []
    return {param.name: value for param, value in zip(fn.facts.params, behind) if isinstance(value, Const)}


def _excludes(test: Expr, given: dict[str, Const]) -> bool:
    """Whether the test asks for something else in each of its alternatives."""
    if isinstance(test, Op) and test.op in ("or", "and"):
        found = [_excludes(operand, given) for operand in test.operands]
        return all(found) if test.op == "or" else any(found)
    if not isinstance(test, Op) or test.op != "==" or len(test.operands) != 2:
        return False
    for one, other in (test.operands, tuple(reversed(test.operands))):
        value = given.get(one.id) if isinstance(one, Name) else None
        if value is not None and isinstance(value.value, str):
            return not isinstance(other, Name) and not (isinstance(other, Const) and other.value == value.value)
    return False
