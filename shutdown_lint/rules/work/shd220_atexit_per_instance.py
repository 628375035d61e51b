"""A constructor registers a method of the new object with ``atexit``, and nothing takes it back.

## What it does
Reports ``atexit.register(self.method)`` (or a lambda, partial or nested function that holds ``self``) in a constructor, when no
method of the class or its bases and subclasses calls ``atexit.unregister``.

## Why it matters
The registry keeps every instance alive until the program ends, closed or not. The callbacks pile up, and at exit they run on
objects that were closed long ago, in the reverse of the order in which they were made.

## Example
```python
import atexit


class Spool:
    def __init__(self, path):
        self._file = open(path, "a")
        atexit.register(self.close)

    def close(self):
        self._file.close()
```

## Use instead
```python
import atexit


class Spool:
    def __init__(self, path):
        self._file = open(path, "a")
        atexit.register(self.close)

    def close(self):
        atexit.unregister(self.close)
        self._file.close()
```

## Precision
Tier S: true, and without harm where a program makes one instance. Silent for a class whose only instance is made once by a module's
body or by the main program, for singletons by ``__new__`` or a metaclass, and for callbacks that hold the object weakly.

## References
- [atexit.unregister](https://docs.python.org/3/library/atexit.html#atexit.unregister)
- [weakref.finalize](https://docs.python.org/3/library/weakref.html#weakref.finalize)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, Call, Expr, Lambda, ModuleFacts, Name
from shutdown_lint.findings import Finding
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.values import Class
from shutdown_lint.rules.base import Rule
from shutdown_lint.walk import Site, enclosing_loops, subexprs, text

RULE = Rule(
    code="SHD220",
    name="atexit-per-instance",
    summary="a constructor registers its object with atexit and nothing unregisters it",
    tier="S",
    severity="warning",
    triggers=("atexit",),
    origin=("G3",),
)
_CONSTRUCTORS = frozenset({"__init__", "__post_init__", "__attrs_post_init__"})


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at the registrations in constructors."""
    for fn in project.functions(module):
        if fn.name not in _CONSTRUCTORS or fn.cls is None or "register" not in fn.mentions or is_test(fn):
            continue
        for site in fn.sites:
            if not project.calls.is_call_to(site.call, fn, "atexit.register") or not site.call.args:
                continue
            given = site.call.args[0].value
            if _holds_self(given, fn, project) and not _is_taken_back(fn.cls, project):
                if not _is_single(fn.cls, project):
                    yield _finding(module, site, fn, given)


def _holds_self(given: Expr, fn: Fn, project: Project) -> bool:
    """``self.close``, ``partial(self.close, …)``, a lambda or nested function that mentions ``self``."""
    if isinstance(given, Attr):
        return isinstance(given.value, Name) and given.value.id == fn.self_name
    if isinstance(given, Call):
        return _callee(given) == "partial" and any(
            isinstance(expr, Name) and expr.id == fn.self_name for arg in given.args for expr in subexprs(arg.value)
        )
    if isinstance(given, (Lambda, Name)):
        return any(
            target.parent is fn and fn.self_name in target.mentions for target in project.calls.callables(given, fn)
        )
    return False


def _callee(call: Call) -> str:
    return call.func.name if isinstance(call.func, Attr) else call.func.id if isinstance(call.func, Name) else ""


def _is_taken_back(cls: Cls, project: Project) -> bool:
    return any(
        "unregister" in fn.mentions
        for member in project.classes.family(cls)
        for fn in project.classes.functions_in(member)
    )


def _is_single(cls: Cls, project: Project) -> bool:
    """Whether the program makes one instance at most, as far as its classes and calls say."""
    if "__new__" in project.classes.methods(cls) or any(arg.keyword == "metaclass" for arg in cls.facts.keywords):
        return True
    family = (cls, *project.classes.subclasses(cls))
    made = [found for member in family for found in _constructions(member, project)]
    if len(made) != 1:
        return False
    fn, site = made[0]
    once = fn.is_module or project.roles.only(fn, "main") or bool(set(fn.declared.values()) & {"global"})
    return once and not any(True for _ in enclosing_loops(site.at))


def _constructions(cls: Cls, project: Project) -> Iterator[tuple[Fn, Site]]:
    for fn, site in project.calls.calls_named(cls.name):
        if not is_test(fn) and Class(cls) in project.evaluate.values(site.call.func, fn):
            yield fn, site


def _finding(module: ModuleFacts, site: Site, fn: Fn, given: Expr) -> Finding:
    name = fn.cls.name if fn.cls is not None else fn.qualname
    what = text(given) if isinstance(given, (Attr, Name)) else "lambda" if isinstance(given, Lambda) else text(given)
    return RULE.finding(
        module,
        site.call.span,
        f"`atexit.register({what})` keeps every `{name}` alive until the exit, and no method of it calls `atexit.unregister`",
        help=f"call `atexit.unregister({what})` where `{name}` is closed, or use `weakref.finalize`"
        if isinstance(given, Attr)
        else f"use `weakref.finalize` with a function that does not hold the `{name}`",
    )
