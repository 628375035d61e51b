"""``all(x.shutdown() for x in xs)`` and ``ok = ok and x.close()``: one falsy result skips the rest.

## What it does
Reports releases whose call is skipped by short-circuit evaluation: as element of a generator in ``all``/``any``, on the
right of ``and`` after an accumulator, on the right of ``or``/``and`` after another release.

## Why it matters
``all`` stops at the first falsy element. When the first component reports that its shutdown failed, no other component
is shut down at all.

## Example
```python
def shutdown(processors):
    return all(processor.shutdown() for processor in processors)
```

## Use instead
```python
def shutdown(processors):
    return all([processor.shutdown() for processor in processors])
```

## Fix safety
Unsafe: the releases behind the first failed one then run. Offered for the generator of `all` and `any`, for `ok = ok and …`,
and for the condition of an `if`.

## Precision
Only releases by name; a guard such as ``self.db and self.db.close()`` is right and stays silent. So does `or` between calls that
return nothing (a project's own without a value, a library's, and in a lambda, where that is how two calls are written), and tests.

## References
- [Boolean operations](https://docs.python.org/3/reference/expressions.html#boolean-operations)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Await, Call, Comp, Expr, ModuleFacts, Name, Op
from shutdown_lint.findings import Finding, Fix
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.swallowed._releases import RELEASES
from shutdown_lint.walk import At, enclosing_loops, own_exprs, same, subexprs, text

RULE = Rule(
    code="SHD510",
    name="short-circuit-cleanup",
    summary="short-circuit evaluation skips the releases after the first falsy (or truthy) result",
    tier="D",
    severity="error",
    fix="unsafe",
    triggers=(
        ".shutdown( & and",
        ".shutdown( & all(",
        r"re:\.(?:close|stop)\(\) (?:or|and|for) ",
        "and self.stop",
        "force_flush",
    ),
    origin=("G13",),
)
_NAMES = (RELEASES | {"force_flush", "flush", "join"}) - {"cancel", "release", "abort"}


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at the expressions of every statement."""
    for fn in project.functions(module):
        if not (_NAMES & fn.mentions):
            continue
        for at in fn.statements if not is_test(fn) else ():
            for root in own_exprs(at.stmt):
                for expr in subexprs(root):
                    skipped = _skipped(expr, at)
                    if skipped is not None and _only_chains(expr, fn, project):
                        continue
                    if skipped is not None:
                        yield _finding(module, skipped, fn)


def _only_chains(expr: Expr, fn: Fn, project: Project) -> bool:
    """``a.shutdown() or b.shutdown()`` of what is known to return nothing, or whose result nobody looks at: both run.

    One that is tested or kept may say that something went wrong.
    """
    left = expr.operands[0] if isinstance(expr, Op) and expr.op == "or" else None
    left = left.value if isinstance(left, Await) else left
    if not isinstance(left, Call):
        return False
    targets = [target.fn for target in project.calls.targets(left, fn)]
    if targets:
        return not any(target.returns for target in targets)
    return fn.facts.is_lambda or bool(project.calls.external(left, fn))


def _skipped(expr: Expr, at: At) -> Call | None:
    """The release that may never run because of the expression."""
    if (
        isinstance(expr, Call)
        and isinstance(expr.func, Name)
        and expr.func.id in ("all", "any")
        and len(expr.args) == 1
    ):
        inner = expr.args[0].value
        if isinstance(inner, Comp) and inner.kind == "generator":
            return _release(inner.elements[0])
    if isinstance(expr, Op) and expr.op in ("and", "or") and len(expr.operands) == 2:
        left, right = expr.operands
        release = _release(right)
        if release is not None and (_is_accumulator(left, at) or _different(_release(left), release)):
            return release
    return None


def _release(expr: Expr) -> Call | None:
    inner = expr.value if isinstance(expr, Await) else expr
    if isinstance(inner, Call) and isinstance(inner.func, Attr) and inner.func.name in _NAMES:
        return inner if inner.func.name != "join" or not inner.args else None
    return None


def _is_accumulator(left: Expr, at: At) -> bool:
    """``ok = ok and x.close()`` in a loop, or with another such line before it."""
    if not (isinstance(at.stmt, Assign) and len(at.stmt.targets) == 1 and same(left, at.stmt.targets[0])):
        return False
    return next(enclosing_loops(at), None) is not None or any(
        isinstance(other, Assign)
        and same(other.targets[0], left)
        and other is not at.stmt
        and isinstance(other.value, (Op, Call))
        for other in at.block
    )


def _different(left: Call | None, right: Call) -> bool:
    return (
        left is not None
        and isinstance(left.func, Attr)
        and isinstance(right.func, Attr)
        and not same(left.func.value, right.func.value)
    )


def _finding(module: ModuleFacts, call: Call, fn: Fn) -> Finding:
    return RULE.finding(
        module,
        call.span,
        f"`{text(call)}` in `{fn.qualname}` is skipped as soon as one result decides the expression: the others are never released",
        lost=(fn.step(call.span, f"`{text(call)}` of all that follow"),),
        help="call each release in a statement of its own, then combine the results",
        fix=Fix("unsafe", "call all of them before the results are combined", "shd510"),
    )
