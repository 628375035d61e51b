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

## Fix safety
Unsafe: errors that the jump swallowed, on purpose perhaps, get out.

## Precision
Silent for the `break` and `continue` of a loop inside the clause, for functions defined there, and for a jump under a
flag that the last statement of the `try` sets, or an error that only a clause gives a name to, or that is so only where
the `try` leaves at once (no exception passes then), and behind a clause that takes every exception and raises none: what
swallows is that clause. Where the `try` does nothing but quick work in memory, an exit request hardly ever comes just
then, and to a thread Ctrl-C never does: only the strict tier speaks.

## References
- [PEP 765](https://peps.python.org/pep-0765/)
- [The try statement](https://docs.python.org/3/reference/compound_stmts.html#finally-clause)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import (
    Assign,
    Attr,
    Await,
    Break,
    Const,
    Continue,
    Expr,
    For,
    If,
    ModuleFacts,
    Name,
    Op,
    Raise,
    Return,
    Span,
    Try,
    While,
    Yield,
)
from shutdown_lint.findings import Finding, Fix
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.endings import catches
from shutdown_lint.rules.base import Rule
from shutdown_lint.walk import At, Site, own_exprs, same, sites, subexprs, walk

RULE = Rule(
    code="SHD107",
    name="finally-swallows-exit",
    summary="`return`, `break` or `continue` in `finally`",
    tier="D",
    severity="error",
    fix="unsafe",
    triggers=(
        r"re:finally\s*: & return",
        r"re:finally\s*: & break",
        r"re:finally\s*: & continue",
    ),
    origin=("G4",),
)

_SLOW = ("builtins.open", "builtins.input", "builtins.exec", "builtins.eval", "builtins.exit", "builtins.quit")
_IN_MEMORY = frozenset({
    "append", "appendleft", "extend", "add", "insert", "clear", "items", "keys", "values", "match", "search",
    "strip", "split", "lower", "upper", "encode", "decode", "startswith", "endswith", "format", "index", "count",
    "pop", "popleft", "setdefault", "update", "copy", "sort", "reverse", "splitlines", "rstrip", "lstrip", "rsplit",
})  # fmt: skip
_FIX = Fix("unsafe", "move the jump behind the `try` statement", "shd107")
HELP = "move the jump behind the `try` statement, or into an `except` clause for the errors that are meant"


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The jumps of the module that leave a ``finally`` clause."""
    for fn in project.functions(module):
        for at in fn.statements:
            if isinstance(at.stmt, (Return, Break, Continue)):
                stmt = _left(at)
                if stmt is not None:
                    yield _finding(at, at.stmt.span, stmt, fn, project)


def _finding(at: At, span: Span, stmt: Try, fn: Fn, project: Project) -> Finding:
    word = type(at.stmt).__name__.lower()
    swallowed = "SystemExit and KeyboardInterrupt"
    if fn.facts.is_async:
        swallowed = f"CancelledError, {swallowed}"
    message = f"`{word}` in `finally` swallows {swallowed}: the program goes on although it was told to stop"
    quick = all(_is_quick(site, fn, project) for site in _guarded(stmt)) and not _waits(stmt)
    # The exception that ends a `with` body is no longer in flight here: a bare return lets it go on (PEP 343).
    leaves_with = fn.name in ("__exit__", "__aexit__") and isinstance(at.stmt, Return) and at.stmt.value is None
    kinds = project.roles.kinds(fn) - {"test"}
    # no Ctrl-C comes there
    in_thread = bool(kinds) and kinds <= {"thread", "timer", "pool-thread"} and not fn.facts.is_async
    quick = quick or leaves_with or in_thread
    return RULE.finding(
        fn.module,
        span,
        message,
        tier="S" if quick else "D",
        severity="warning" if quick else "error",
        help=HELP,
        fix=_FIX,
    )


def _left(at: At) -> Try | None:
    """The ``try`` whose ``finally`` the jump leaves; one that belongs to a loop inside the clause leaves none."""
    for place in at.around():
        outer = place.outer
        if outer is None:
            return None
        if isinstance(outer.stmt, Try) and place.part == "final":
            return None if _only_on_success(at, place, outer.stmt) or _is_all_caught(outer.stmt) else outer.stmt
        if isinstance(outer.stmt, (While, For)) and place.part == "body" and not isinstance(at.stmt, Return):
            return None
    return None


def _guarded(stmt: Try) -> Iterator[Site]:
    """The calls whose exceptions the ``finally`` clause sees."""
    for block in (stmt.body, *(handler.body for handler in stmt.handlers), stmt.orelse):
        yield from sites(block)


def _is_quick(site: Site, fn: Fn, project: Project) -> bool:
    """A builtin or a method of data in memory: an exit request hardly ever comes just then."""
    names = project.calls.external(site.call, fn)
    if names:
        return all(name.startswith(("builtins.", "re.")) and name not in _SLOW for name in names)
    func = site.call.func
    return not project.calls.targets(site.call, fn) and isinstance(func, Attr) and func.name in _IN_MEMORY


def _waits(stmt: Try) -> bool:
    """Whether the ``try`` awaits, yields or loops over something."""
    places = [at for block in (stmt.body, stmt.orelse, *(h.body for h in stmt.handlers)) for at in walk(block)]
    exprs = (part for at in places for root in own_exprs(at.stmt) for part in subexprs(root))
    return any(isinstance(part, (Await, Yield)) for part in exprs) or any(isinstance(at.stmt, For) for at in places)


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
            if _is_known_first(tested, stmt):
                return True
    return False


def _is_known_first(tested: Expr, stmt: Try) -> bool:
    """``finally: if not valid: return``, where the ``try`` and its clauses have left, or dealt with an error, once that is so."""
    name, wanted = _asked(tested)
    if name is None:
        return False
    writes = [at for at in walk(stmt.body) if _sets(at, name)]
    dealt = any(
        handler.name == name.id or any(_sets(at, name) for at in walk(handler.body)) for handler in stmt.handlers
    )
    return bool(writes or dealt) and all(_leaves_next(at, tested) or _is_constant(at, not wanted) for at in writes)


def _asked(tested: Expr) -> tuple[Name | None, bool]:
    """The name in ``valid``, ``not valid``, ``error is None`` and ``error is not None``, and the truth that it must have."""
    wanted = True
    if isinstance(tested, Op) and tested.op in ("not", "is", "is-not"):
        if tested.op != "not" and getattr(tested.operands[-1], "value", "") is not None:
            return None, wanted
        wanted = tested.op == "is-not"
        tested = tested.operands[0]
    return (tested if isinstance(tested, Name) else None), wanted


def _sets(at: At, name: Name) -> bool:
    return isinstance(at.stmt, Assign) and any(same(target, name) for target in at.stmt.targets)


def _leaves_next(at: At, tested: Expr) -> bool:
    after = at.after()[0] if at.after() else None
    return isinstance(after, If) and after.test == tested and isinstance(after.body[-1], (Return, Raise))


def _is_constant(at: At, value: bool) -> bool:
    given = at.stmt.value if isinstance(at.stmt, Assign) else None
    return isinstance(given, Const) and bool(given.value) is value


def _is_all_caught(stmt: Try) -> bool:
    """``except BaseException: log()`` before it: what swallows is that clause, and the ``finally`` sees no exception.

    Also where such a ``try`` is all that stands in it, beside plain assignments.
    """
    if not stmt.handlers and not stmt.orelse:
        inner = [part for part in stmt.body if not (isinstance(part, Assign) and not any(sites((part,))))]
        return bool(inner) and all(isinstance(part, Try) and not part.final and _is_all_caught(part) for part in inner)
    last = stmt.handlers[-1] if stmt.handlers and not stmt.orelse else None
    return (
        last is not None
        and catches(last.types)
        and not any(isinstance(at.stmt, Raise) for handler in stmt.handlers for at in walk(handler.body))
    )


def _finds_no_exception(test: Expr) -> bool:
    """``sys.exc_info()[0] is None``, ``not sys.exc_info()[0]``, ``sys.exception() is None``."""
    asks = {part.name for part in subexprs(test) if isinstance(part, Attr)} & {"exc_info", "exception"}
    return bool(asks) and isinstance(test, Op) and test.op in ("is", "not")
