"""An override of ``close`` or ``stop`` that does not call the one it overrides.

## What it does
Reports a method named like a stop (``close``, ``stop``, ``shutdown``, ``__exit__``, …) that overrides a project method
which releases something, without calling it; and a bare ``super()`` that calls nothing.

## Why it matters
What the base class started is never ended, only for objects of the subclass. The base's tests do not see it.

## Example
```python
import threading


class Runner:
    def start(self, limit):
        self._timer = threading.Timer(limit, print)
        self._timer.start()

    def stop(self):
        self._timer.cancel()


class Remote(Runner):
    def stop(self):
        self.channel = None
```

## Use instead
```python
import threading


class Runner:
    def start(self, limit):
        self._timer = threading.Timer(limit, print)
        self._timer.start()

    def stop(self):
        self._timer.cancel()


class Remote(Runner):
    def stop(self):
        super().stop()
        self.channel = None
```

## Precision
Silent when the base method is abstract, empty or only raises, when it is called in any spelling, and when the override
does all that the base does itself.

## References
- [super](https://docs.python.org/3/library/functions.html#super)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, Call, ExprStmt, ModuleFacts, Name
from shutdown_lint.findings import Finding
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.resources import STOP_METHODS
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.values import Instance
from shutdown_lint.rules.base import Rule
from shutdown_lint.walk import text

_CHAINED = frozenset(STOP_METHODS) - {"join", "kill", "exit", "end", "__del__", "release", "finalize", "unload"}
RULE = Rule(
    code="SHD221",
    name="stop-chain-broken",
    summary="an override of a stop method does not call the one that it overrides",
    tier="D",
    severity="error",
    triggers=(
        r"super() & re:(?m)^\s*super\(\)\s*$",
        r"re:super\(\)\s*[#;]",
        f"re:class\\s+\\w+\\(\\s*(?!object\\b|\\w*Exception\\s*\\)|\\)) & re:def (?:{'|'.join(sorted(_CHAINED))})\\b",
    ),
    origin=("G13",),
)
_RELEASES = frozenset(
    {
        "close",
        "aclose",
        "stop",
        "shutdown",
        "cancel",
        "join",
        "terminate",
        "kill",
        "disconnect",
        "set",
        "unregister",
        "release",
        "server_close",
        "cleanup",
        "wait",
        "quit",
        "dispose",
    }
)


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every stop method and every bare ``super()``."""
    for fn in project.functions(module):
        yield from _bare_super(module, fn)
        if fn.cls is not None and fn.name in _CHAINED and not is_test(fn):
            base = project.classes.super_method(fn.cls, fn.name)
            if base is not None and not _calls_base(fn, base, project):
                lost = [
                    call
                    for call in _released(base)
                    if not _done_by(call, fn, project) and _still_acquired(call, fn, project)
                ]
                if lost and len(lost) == len(_released(base)):
                    yield _finding(module, fn, base, lost)


def _bare_super(module: ModuleFacts, fn: Fn) -> Iterator[Finding]:
    for at in fn.statements:
        stmt = at.stmt
        if (
            isinstance(stmt, ExprStmt)
            and isinstance(stmt.value, Call)
            and isinstance(stmt.value.func, Name)
            and stmt.value.func.id == "super"
        ):
            yield RULE.finding(
                module,
                stmt.span,
                f"bare `super()` in `{fn.qualname}` calls nothing: the base's `{fn.name}` never runs",
                help=f"write `super().{fn.name}()`",
            )


def _calls_base(fn: Fn, base: Fn, project: Project) -> bool:
    """``super().stop()``, ``Base.stop(self)``, or by way of a helper that does."""
    if "super" in fn.mentions and any(isinstance(s.call.func, Name) and s.call.func.id == "super" for s in fn.sites):
        return True
    return any(
        target.fn is base
        for f in project.protocol.reach(fn)
        for site in f.sites
        for target in project.calls.targets(site.call, f)
    )


def _released(base: Fn) -> list[Call]:
    """What the base releases; nothing for abstract methods."""
    if base.decorator_names & {"abstractmethod"} or "NotImplementedError" in base.mentions:
        return []
    return [
        s.call
        for s in base.sites
        if isinstance(s.call.func, Attr) and s.call.func.name in _RELEASES and _on_self(s.call.func, base)
    ]


def _on_self(func: Attr, base: Fn) -> bool:
    value = func.value
    while isinstance(value, Attr) and isinstance(value.value, Attr):
        value = value.value
    return (
        value is func.value
        and isinstance(value, Attr)
        and isinstance(value.value, Name)
        and value.value.id == base.self_name
    )


def _done_by(call: Call, fn: Fn, project: Project) -> bool:
    """Whether the override (or what it calls) touches the same member itself."""
    assert isinstance(call.func, Attr)
    member = call.func.value.name if isinstance(call.func.value, Attr) else ""
    return any(member in f.mentions for f in project.protocol.reach(fn))


def _still_acquired(call: Call, fn: Fn, project: Project) -> bool:
    """Whether the member gets an object of known type in a method that the subclass inherits or calls by ``super()``."""
    assert isinstance(call.func, Attr) and isinstance(call.func.value, Attr) and fn.cls is not None
    for write in project.classes.writes(fn.cls, call.func.value.name):
        method = project.classes.method(fn.cls, write.fn.name)
        runs = method is write.fn or (method is not None and "super" in method.mentions)
        if runs and any(isinstance(v, Instance) for v in project.evaluate.values(write.value, write.fn)):
            return True
    return False


def _finding(module: ModuleFacts, fn: Fn, base: Fn, lost: list[Call]) -> Finding:
    owner: Cls | None = base.cls
    where = owner.name if owner else "the base"
    return RULE.finding(
        module,
        fn.facts.span,
        f"`{fn.qualname}` overrides `{base.qualname}` and does not call it: `{text(lost[0])}` never runs for this class",
        lost=tuple(base.step(call.span, f"`{text(call)}` in {base.qualname}") for call in lost),
        trace=(base.step(base.facts.span, f"`{where}.{base.name}` is overridden"),),
        help=f"call `super().{fn.name}()` in `{fn.qualname}`",
    )
