"""``self.server.close`` without parentheses, or a coroutine ``close()`` without ``await``.

## What it does
Reports a statement that only names a stop method, and a call of a coroutine function named like a stop whose result is
dropped instead of awaited; and a loop over members that ends another object of nearly the same name in each turn
(`for listener in self.listeners: self.listener.stop()`).

## Why it matters
Nothing happens. The line looks like a release to every reader, and the resource stays.

## Example
```python
class Gateway:
    def close(self):
        self.server.close
```

## Use instead
```python
class Gateway:
    def close(self):
        self.server.close()
```

## Fix safety
Safe where it is known which method is named, that it needs no arguments, and whether it is a coroutine: it is then called, and
awaited. Not offered for a method that is handed to a helper.

## Precision
Only whole statements; handing ``x.close`` to a registrar is right, and so is awaiting what objects of the project keep
under such a name (a future). For the missing ``await`` the callee must resolve to a
coroutine function of the project or of a modelled type.

## References
- [Coroutines](https://docs.python.org/3/library/asyncio-task.html#coroutines)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Arg, Attr, Await, Call, Const, ExprStmt, ModuleFacts, Name, With
from shutdown_lint.findings import Finding, Fix
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.handles import Cls
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.values import Function, Instance, Value
from shutdown_lint.rules._texts import ENDINGS
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._wrong_member import Slip, wrong_members
from shutdown_lint.walk import At, Site, same, text

_AWAITERS = frozenset(
    {
        "maybe_awaitable",
        "maybe_await",
        "ensure_awaitable",
        "_maybe_await",
        "run_until_complete",
        "wait_for",
        "shield",
        "ensure_future",
        "create_task",
        "gather",
    }
)
RULE = Rule(
    code="SHD222",
    name="close-not-called",
    summary="a release is named but not called, or its coroutine is not awaited",
    tier="D",
    severity="error",
    fix="safe",
    triggers=(
        rf"re:(?m)\.(?:{ENDINGS})[ \t\r]*(?:[;#]|$)",
        *(rf"{name} & re:\.(?:{ENDINGS})\s*[,)#]" for name in sorted(_AWAITERS)),
        rf"async & re:\.(?:{ENDINGS})\(",
        # the plain end of it first, which costs less to look for
        r"re:\.(?:close|aclose|stop|shutdown|terminate|disconnect|cancel|kill|quit|dispose|join)\(\) & re:\n[ \t]*for \w+ in"
        r" & re:\n[ \t]+(?:await )?(?:self\.)?\w+\.(?:close|aclose|stop|shutdown|terminate|disconnect|cancel|kill|quit|dispose|join)\(\)",
        r"self & re:\.(?:close|stop|shutdown|aclose|disconnect)\(",
    ),
    origin=("G13",),
)
_AWAIT = Fix("safe", "await the release", "shd222", (("await", "yes"),))
_NAMES = frozenset(
    {
        "close",
        "aclose",
        "stop",
        "shutdown",
        "terminate",
        "disconnect",
        "wait_closed",
        "cleanup",
        "server_close",
        "join",
        "cancel",
        "kill",
        "quit",
        "dispose",
        "flush",
    }
)

_LOOP_CALLS = frozenset({"run_until_complete", "wait_for", "shield", "ensure_future", "create_task", "gather"})


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every statement that is a bare attribute, and at dropped calls."""
    for fn in project.functions(module):
        for at in fn.statements:
            stmt = at.stmt
            if isinstance(stmt, ExprStmt) and isinstance(stmt.value, Attr) and stmt.value.name in _NAMES:
                if not _is_property(stmt.value, fn, project) and not _is_left_by_with(stmt.value, at):
                    yield _not_called(module, fn, text(stmt.value), stmt, _fix(stmt.value, fn, project))
        for slip in wrong_members(fn):
            yield _wrong_member(module, fn, slip)
        for site in fn.sites:
            yield from _passed_uncalled(module, site, fn, project)
            if site.dropped and not site.awaited and _is_coroutine(site, fn, project):
                yield _not_awaited(module, site, fn)


def _wrong_member(module: ModuleFacts, fn: Fn, slip: Slip) -> Finding:
    called, meant = text(slip.call), f"`{slip.name}`"
    return RULE.finding(
        module,
        slip.call.span,
        f"`{called}` ends the same object in each turn of the loop, and never {meant}: the members of `{text(slip.members)}` are left",
        lost=(fn.step(slip.call.span, f"`{slip.name}.{slip.ends}()` of each member"),),
        help=f"call `{slip.name}.{slip.ends}()`",
        fix="which object is meant is for you to say",
    )


def _is_left_by_with(attr: Attr, at: At) -> bool:
    """Whether a ``with`` around the statement releases the object all the same: ``with open(p) as f: …; f.close``."""
    return any(
        isinstance(place.outer.stmt, With)
        and any(item.target and same(item.target, attr.value) for item in place.outer.stmt.items)
        for place in at.around()
        if place.outer is not None
    )


def _is_property(attr: Attr, fn: Fn, project: Project) -> bool:
    classes = project.classes.instances(project.evaluate.values(attr.value, fn))
    methods = (project.classes.method(cls, attr.name) for cls in classes)
    return any(m is not None and bool(m.decorator_names & {"property", "cached_property"}) for m in methods)


def _fix(attr: Attr, fn: Fn, project: Project) -> Fix | str:
    """Call the method, where it is known to take no arguments, and await it, where it is known to be a coroutine."""
    found = project.evaluate.values(attr, fn)
    methods = [value.fn for value in found if isinstance(value, Function)]
    if methods and len(methods) == len(found):
        kinds = {method.facts.is_async for method in methods}
        plain = all(not _needs_arguments(method) and not method.decorator_names for method in methods)
        return _call(kinds.pop(), fn) if plain and len(kinds) == 1 else "the method needs more than a call"
    receivers = [value for value in project.evaluate.values(attr.value, fn) if isinstance(value, Instance)]
    models = [project.models.resource(value.cls) for value in receivers if isinstance(value.cls, str)]
    if found == () and models and len(models) == len(project.evaluate.values(attr.value, fn)):
        if all(model is not None and attr.name in model.release for model in models):
            return _call(any(model.is_async for model in models if model is not None), fn)
    return "it is not known which method it is"


def _needs_arguments(method: Fn) -> bool:
    given = method.facts.params[int(method.is_method) :]
    return any(param.default is None and not param.kind.startswith("*") for param in given)


def _call(is_async: bool, fn: Fn) -> Fix | str:
    if not is_async:
        return Fix("safe", "call the release", "shd222")
    return _AWAIT._replace(message="call the release, and await it") if fn.facts.is_async else "it is a coroutine"


def _passed_uncalled(module: ModuleFacts, site: Site, fn: Fn, project: Project) -> Iterator[Finding]:
    """``await maybe_awaitable(x.shutdown)``: a helper that awaits a value gets the function itself."""
    func = site.call.func
    name = func.name if isinstance(func, Attr) else func.id if isinstance(func, Name) else ""
    if name not in _AWAITERS or (name in _LOOP_CALLS and not project.calls.external(site.call, fn)):
        return
    for arg in site.call.args:
        if _is_uncalled(arg) and isinstance(arg.value, Attr) and not _is_kept(arg.value.name, project):
            yield RULE.finding(
                module,
                site.call.span,
                f"`{name}` in `{fn.qualname}` is given `{text(arg.value)}` itself, not its result: the release never runs",
                lost=(fn.step(site.call.span, f"`{text(arg.value)}()`"),),
                help=f"call it: `{name}({text(arg.value)}())`",
            )


def _is_kept(name: str, project: Project) -> bool:
    """Whether objects of the project keep something under that name, a future most likely: ``shutdown: Future[None]``."""
    return any(project.classes.writes(cls, name) for entry in project.modules for cls in entry.classes)


def _is_uncalled(arg: Arg) -> bool:
    return (
        arg.keyword is None
        and not arg.star
        and isinstance(arg.value, Attr)
        and arg.value.name in _NAMES - {"cancel", "join"}
    )


def _is_coroutine(site: Site, fn: Fn, project: Project) -> bool:
    func = site.call.func
    if not isinstance(func, Attr) or func.name not in _NAMES:
        return False
    found = project.evaluate.values(func, fn)
    methods = [v.fn for v in found if isinstance(v, Function)]
    if methods:
        return (
            len(methods) == len(found)
            and all(m.facts.is_async and not m.facts.is_generator for m in methods)
            and not any(
                m.module.path.endswith(".pyi") for m in methods
            )  # a stub may be mistaken about what is compiled
            and _receiver_known(func, fn, project)
            and not _makes_plain(project)
            and not any(_is_wrapped(m, project) for m in methods)
        )
    receivers = project.evaluate.values(func.value, fn)
    return bool(receivers) and all(_releases_by_await(value, func.name, project) for value in receivers)


def _is_wrapped(method: Fn, project: Project) -> bool:
    """Whether a decorator of the project puts a plain function around the coroutine, which may run it to its end."""
    return any(
        isinstance(value, Function)
        and any(inner.parent is value.fn and not inner.facts.is_async for inner in project.functions(value.fn.module))
        for decorator in method.facts.decorators
        for value in project.evaluate.values(decorator, method.parent or project.body(method.module))
    )


def _makes_plain(project: Project) -> bool:
    """Whether the program puts plain functions into the place of coroutine methods (``setattr(cls, name, run(method))``)."""
    return any(
        _replaces(site.call)
        for asking in project.calls.mentioning("iscoroutinefunction")
        for fn in project.functions(asking.module)
        for site in fn.sites
    )


def _replaces(call: Call) -> bool:
    """Whether this is ``setattr`` with a computed name."""
    named = isinstance(call.func, Name) and call.func.id == "setattr" and len(call.args) == 3
    return named and not isinstance(call.args[1].value, Const)


def _releases_by_await(value: Value, name: str, project: Project) -> bool:
    """Whether the method of the library's object is the release of its model, and a coroutine."""
    if not (isinstance(value, Instance) and isinstance(value.cls, str)):
        return False
    model = project.models.resource(value.cls)
    return model is not None and model.is_async and name == model.release[0]


def _receiver_known(func: Attr, fn: Fn, project: Project) -> bool:
    """No subclass overrides it by a plain function."""
    values = project.evaluate.values(func.value, fn)
    classes = [v.cls for v in values if isinstance(v, Instance) and isinstance(v.cls, Cls)]
    below = (sub for cls in classes for sub in project.classes.subclasses(cls))
    return not any(func.name in sub.methods and not sub.methods[func.name].facts.is_async for sub in below)


def _not_called(module: ModuleFacts, fn: Fn, what: str, stmt: ExprStmt, fix: Fix | str) -> Finding:
    return RULE.finding(
        module,
        stmt.span,
        f"`{what}` in `{fn.qualname}` is named but not called: nothing is released",
        lost=(fn.step(stmt.span, f"`{what}()`"),),
        tier="S" if is_test(fn) else None,
        help=f"write `{what}()`",
        fix=fix,
    )


def _not_awaited(module: ModuleFacts, site: Site, fn: Fn) -> Finding:
    what = text(site.call)
    value = site.at.stmt.value if isinstance(site.at.stmt, ExprStmt) else None
    assert not isinstance(value, Await)
    return RULE.finding(
        module,
        site.call.span,
        f"`{what}` in `{fn.qualname}` is a coroutine that nobody awaits: nothing is released",
        lost=(fn.step(site.call.span, f"`{what}`"),),
        help=f"write `await {what}`" if fn.facts.is_async else "run it in the loop and wait for it",
        fix=_AWAIT if fn.facts.is_async else "it can be awaited in a coroutine only",
    )
