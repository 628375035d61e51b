"""A jump out of `finally` swallows the exit request that was on its way.

## What it does
Reports `return`, `break` and `continue` in a `finally` clause where they leave the clause.

## Why it matters
The jump drops whatever exception is passing through: SystemExit of `sys.exit` or a signal handler, KeyboardInterrupt of
Ctrl-C, CancelledError of a cancelled task. The program goes on although it was told to stop. Python 3.14 warns about it
(PEP 765).

## Example
```python
import os


def fetch(source: str, target: str) -> bool:
    done = False
    try:
        os.replace(source, target)
        done = True
    finally:
        print("tried", target)
        return done


if __name__ == "__main__":
    fetch("a.part", "a")
```

## Use instead
```python
import os


def fetch(source: str, target: str) -> bool:
    try:
        os.replace(source, target)
    except OSError:
        return False
    finally:
        print("tried", target)
    return True


if __name__ == "__main__":
    fetch("a.part", "a")
```

## Precision
Silent for the `break` and `continue` of a loop inside the clause and for functions defined there.

## References
- [PEP 765](https://peps.python.org/pep-0765/)
- [The try statement](https://docs.python.org/3/reference/compound_stmts.html#finally-clause)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Break, Continue, Expr, For, If, ModuleFacts, Name, Op, Return, Try, While
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.rules.base import Rule
from shutdown_lint.walk import At, subexprs

RULE = Rule(
    code="SHD107",
    name="finally-swallows-exit",
    summary="`return`, `break` or `continue` in `finally`",
    tier="D",
    severity="error",
    triggers=("finally",),
    origin=("G4",),
)

HELP = "move the jump behind the `try` statement, or into an `except` clause for the errors that are meant"


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The jumps of the module that leave a ``finally`` clause."""
    for fn in project.functions(module):
        for at in fn.statements:
            if isinstance(at.stmt, (Return, Break, Continue)) and _leaves_final(at):
                yield RULE.finding(module, at.stmt.span, _message(at, fn), help=HELP)


def _leaves_final(at: At) -> bool:
    """Whether the jump leaves a ``finally`` clause; one that belongs to a loop inside the clause does not."""
    for place in at.around():
        outer = place.outer
        if outer is None:
            return False
        if isinstance(outer.stmt, Try) and place.part == "final":
            return not _only_on_success(at, place, outer.stmt)
        if isinstance(outer.stmt, (While, For)) and place.part == "body" and not isinstance(at.stmt, Return):
            return False
    return False


def _only_on_success(at: At, final: At, stmt: Try) -> bool:
    """``finally: if done: return``, ``done`` set by the last statement of the ``try``: no exception passes then."""
    last = (stmt.orelse or stmt.body)[-1:]
    flags = {target.id for end in last if isinstance(end, Assign) for target in end.targets if isinstance(target, Name)}
    for place in at.around():
        outer = place.outer
        if place is final or outer is None:
            return False
        if isinstance(outer.stmt, If) and place.part == "body":
            tested = outer.stmt.test
            if (isinstance(tested, Name) and tested.id in flags) or _finds_no_exception(tested):
                return True
    return False


def _finds_no_exception(test: Expr) -> bool:
    """``sys.exc_info()[0] is None``, ``not sys.exc_info()[0]``, ``sys.exception() is None``."""
    asks = {part.name for part in subexprs(test) if isinstance(part, Attr)} & {"exc_info", "exception"}
    return bool(asks) and isinstance(test, Op) and test.op in ("is", "not")


def _message(at: At, fn: Fn) -> str:
    word = type(at.stmt).__name__.lower()
    swallowed = (
        "CancelledError, SystemExit and KeyboardInterrupt" if fn.facts.is_async else "SystemExit and KeyboardInterrupt"
    )
    return f"`{word}` in `finally` swallows {swallowed}: the program goes on although it was told to stop"
