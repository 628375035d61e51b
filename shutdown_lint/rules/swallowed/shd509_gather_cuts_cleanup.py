"""``asyncio.gather`` over several closes without ``return_exceptions=True``.

## What it does
Reports ``await asyncio.gather(...)`` whose arguments are coroutines named ``close``, ``stop``, ``shutdown``,
``disconnect``, ``wait_closed`` and the like, without ``return_exceptions=True``.

## Why it matters
The first close that fails ends the wait: ``gather`` raises, the others run on unawaited, and when the loop ends they are
cancelled in the midst of closing.

## Example
```python
import asyncio


async def stop_all(services):
    await asyncio.gather(*[service.stop() for service in services])
```

## Use instead
```python
import asyncio


async def stop_all(services):
    await asyncio.gather(*[service.stop() for service in services], return_exceptions=True)
```

## Precision
Only calls whose every coroutine is a release by name.

## References
- [asyncio.gather](https://docs.python.org/3/library/asyncio-task.html#asyncio.gather)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, Call, Comp, Const, Expr, ModuleFacts, Name
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.scopes import Value
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.swallowed._releases import RELEASES
from shutdown_lint.walk import argument, text

RULE = Rule(
    code="SHD509",
    name="gather-cuts-cleanup",
    summary="asyncio.gather over several closes without return_exceptions: the first failure leaves the others",
    tier="D",
    severity="warning",
    triggers=("gather(",),
    origin=("G13",),
)
_NAMES = RELEASES - {"cancel", "release", "abort", "rollback"}


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every call of ``asyncio.gather``."""
    for fn in project.functions(module):
        for site in fn.sites:
            if getattr(site.call.func, "name", getattr(site.call.func, "id", "")) != "gather":
                continue
            if not site.awaited or not project.calls.is_call_to(site.call, fn, "asyncio.gather"):
                continue
            closes = _closes(site.call, fn)
            if closes and not _returns_exceptions(site.call):
                yield _finding(module, site.call, fn, closes)


def _returns_exceptions(call: Call) -> bool:
    given = argument(call, 99, "return_exceptions")
    return given is not None and not (isinstance(given, Const) and given.value is False)


def _closes(call: Call, fn: Fn) -> list[Call]:
    """The release calls that the arguments consist of; empty where some argument is something else, or there is just one."""
    found: list[Call] = []
    many = False
    for arg in call.args:
        if arg.keyword is not None:
            continue
        elements = _elements(arg.value, fn) if arg.star else (arg.value,)
        many = many or bool(arg.star)
        for element in elements:
            if not _is_release(element):
                return []
            assert isinstance(element, Call)
            found.append(element)
        if not elements:
            return []
    return found if many or len(found) > 1 else []


def _elements(expr: Expr, fn: Fn) -> tuple[Expr, ...]:
    if isinstance(expr, Comp):
        return expr.elements
    if isinstance(expr, Name):
        values = [b.expr for b in fn.bindings.get(expr.id, ()) if isinstance(b, Value)]
        return values[0].elements if len(values) == 1 and isinstance(values[0], Comp) else ()
    return ()


def _is_release(expr: Expr) -> bool:
    return isinstance(expr, Call) and isinstance(expr.func, Attr) and expr.func.name in _NAMES


def _finding(module: ModuleFacts, call: Call, fn: Fn, closes: list[Call]) -> Finding:
    return RULE.finding(
        module,
        call.span,
        f"the first failing `{text(closes[0])}` ends this `gather` in `{fn.qualname}`: the other closes run on unawaited",
        lost=tuple(fn.step(close.span, f"`{text(close)}` of the others") for close in closes),
        help="pass `return_exceptions=True` and look at the results",
    )
