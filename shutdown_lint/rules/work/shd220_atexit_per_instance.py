"""A constructor registers a method of the new object with ``atexit`` and nothing takes it back, or a finalizer holds its own object.

## What it does
Reports ``atexit.register(self.method)`` (or a lambda, partial or nested function that holds ``self``) in a constructor, when no
method of the class or its bases and subclasses calls ``atexit.unregister``; and ``weakref.finalize(x, x.method)``, or
``multiprocessing.util.Finalize`` in that way, whose callback or arguments hold the very object that it waits for.

## Why it matters
The registry keeps every instance alive until the program ends, closed or not. The callbacks pile up, and at exit they run on
objects that were closed long ago, in the reverse of the order in which they were made.

A finalizer that holds its object is worse: the object can never be collected, so that the cleanup that was meant for its end runs at
the exit of the program only.

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
body or by the main program, for singletons by ``__new__`` or a metaclass, and for callbacks that hold the object weakly. A finalizer
that holds its object is tier D, and S where the class takes it back (`detach`, `cancel`); silent for static and class methods, for
what a call returns, and for ``Finalize`` with an ``exitpriority`` outside of a constructor: that is an exit hook on purpose, the one
that a child of multiprocessing runs.

## References
- [atexit.unregister](https://docs.python.org/3/library/atexit.html#atexit.unregister)
- [weakref.finalize: "func should not be a bound method of obj"](https://docs.python.org/3/library/weakref.html#weakref.finalize)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr, Call, Const, Expr, Lambda, ModuleFacts, Name, Seq
from shutdown_lint.findings import Finding, Tier
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.roles import Registration, is_test
from shutdown_lint.project.tracks import Attribute
from shutdown_lint.project.values import Class
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._held import holds
from shutdown_lint.walk import Site, argument, enclosing_loops, last_name, same, text

RULE = Rule(
    code="SHD220",
    name="atexit-per-instance",
    summary="a constructor registers its object with atexit and nothing unregisters it, or a finalizer holds its own object",
    tier="D",
    severity="warning",
    triggers=("atexit", "finalize(", "Finalize("),
    origin=("G3",),
)
_CONSTRUCTORS = frozenset({"__init__", "__post_init__", "__attrs_post_init__"})


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at the registrations in constructors, and at all finalizers."""
    for fn in project.functions(module):
        if is_test(fn):
            continue
        if fn.mentions & {"finalize", "Finalize"}:
            yield from _finalizers(module, fn, project)
        if fn.name in _CONSTRUCTORS and fn.cls is not None and "register" in fn.mentions:
            yield from _registrations(module, fn, fn.cls, project)


def _registrations(module: ModuleFacts, fn: Fn, cls: Cls, project: Project) -> Iterator[Finding]:
    for site in fn.sites:
        if not project.calls.is_call_to(site.call, fn, "atexit.register") or not site.call.args:
            continue
        given = site.call.args[0].value
        if holds(given, Name(fn.self_name or ""), fn, project) and not _is_taken_back(cls, project):
            if not _is_single(cls, project):
                yield _finding(module, site, fn, given)


def _finalizers(module: ModuleFacts, fn: Fn, project: Project) -> Iterator[Finding]:
    """``weakref.finalize(thing, thing.close)``."""
    for site in fn.sites:
        subject = site.call.args[0].value if site.call.args and not site.call.args[0].star else None
        if not isinstance(subject, (Name, Attr)) or last_name(site.call.func) not in ("finalize", "Finalize"):
            continue
        if fn.name not in _CONSTRUCTORS and _is_exit_hook(site.call):
            continue
        for registration in project.roles.at(site, fn):
            if registration.callback.role != "finalizer":
                continue
            held = next((part for part in _kept(registration) if _keeps(part, subject, registration, project)), None)
            if held is not None:
                yield _self_held(module, site, subject, held, "S" if _is_detached(site, fn, project) else "D")


def _is_exit_hook(call: Call) -> bool:
    """``Finalize(tracer, tracer.save, exitpriority=1)``: children of multiprocessing run no ``atexit``, and this is meant for their exit."""
    priority = argument(call, 4, "exitpriority")
    return (
        last_name(call.func) == "Finalize"
        and priority is not None
        and not (isinstance(priority, Const) and priority.value is None)
    )


def _is_detached(site: Site, fn: Fn, project: Project) -> bool:
    """Whether the finalizer is kept, and taken back or called by hand where its object is closed."""
    track = project.resources.track_site(site, fn)
    return track.has("detach", "cancel", "__call__") or any(
        isinstance(place, Attribute) and _calls_attribute(place, project) for place in track.places
    )


def _calls_attribute(place: Attribute, project: Project) -> bool:
    """``self._finalizer()``."""
    methods = (fn for cls in project.classes.family(place.cls) for fn in project.classes.functions_in(cls))
    return any(
        isinstance(site.call.func, Attr) and site.call.func.name == place.name
        for fn in methods
        if place.name in fn.mentions
        for site in fn.sites
    )


def _kept(registration: Registration) -> Iterator[Expr]:
    """The callback, and what it will be given."""
    yield registration.argument
    for arg in registration.site.call.args[registration.callback.position + 1 :]:
        yield arg.value
    yield from (arg.value for arg in registration.site.call.args if arg.keyword)


def _keeps(part: Expr, subject: Name | Attr, registration: Registration, project: Project) -> bool:
    """Whether the part holds the object: a bound method of it, a function around it, or the object itself as an argument."""
    if part is not registration.argument:
        return any(same(item, subject) for item in (part.items if isinstance(part, Seq) else (part,)))
    if isinstance(part, Attr):
        return same(part.value, subject) and _is_bound(part, registration, project)
    return isinstance(subject, Name) and holds(part, subject, registration.fn, project)


def _is_bound(method: Attr, registration: Registration, project: Project) -> bool:
    """Whether the attribute is a method of the instance: it is known, takes ``self``, and is no object that can be called."""
    targets = project.calls.callables(method, registration.fn)
    return bool(targets) and all(
        target.self_name is not None and target.is_method and target.name in (method.name, method.name.lstrip("_"))
        for target in targets
    )


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
        tier="S",
        help=f"call `atexit.unregister({what})` where `{name}` is closed, or use `weakref.finalize`"
        if isinstance(given, Attr)
        else f"use `weakref.finalize` with a function that does not hold the `{name}`",
    )


def _self_held(module: ModuleFacts, site: Site, subject: Expr, held: Expr, tier: Tier) -> Finding:
    what = "lambda" if isinstance(held, Lambda) else text(held)
    return RULE.finding(
        module,
        site.call.span,
        f"the finalizer holds `{text(subject)}` itself by `{what}`: the object is never collected, and the cleanup runs at the exit of the program only",
        tier=tier,
        help="give the finalizer a function that does not hold the object, and the parts that it needs as arguments; or clean up where the object is closed",
    )
