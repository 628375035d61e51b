"""Which signals the program catches: where a handler is installed, for which signals, and what it is.

Handlers are installed by ``signal.signal`` and by ``add_signal_handler`` of an asyncio loop. A project function that
hands a parameter of its own on to one of them counts as an installer too: its callers are then the places.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from shutdown_lint.facts import Arg, Attr, Body, Call, Const, Expr, Name, Param
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.memo import Memo
from shutdown_lint.project.signal_names import signals_at, signals_of
from shutdown_lint.project.values import External, Function, Values
from shutdown_lint.walk import Site, argument, subexprs, walk

if TYPE_CHECKING:
    from shutdown_lint.project import Project

Via: TypeAlias = Literal["signal", "loop"]

LOOP_INSTALLER = "asyncio.AbstractEventLoop.add_signal_handler"


class Handling(NamedTuple):
    """One place that installs a handler.

    ``signals`` are names (``SIGTERM``), empty where they are unknown. ``handler`` is the expression in ``fn`` that is
    installed and ``targets`` the project functions that it stands for; ``site`` is the call, in ``fn``, that hands it
    over: the installing call, or the call of a project function that passes it on.
    """

    signals: tuple[str, ...]
    via: Via
    handler: Expr
    targets: tuple[Fn, ...]
    site: Site
    fn: Fn


_MEMO: Memo[tuple[Handling, ...]] = Memo()


def handlings(project: Project) -> tuple[Handling, ...]:
    """Every place of the project that installs a handler."""
    found = _MEMO.get(project)
    if found is None:
        found = _MEMO[project] = tuple(_find(project))
    return found


def _find(project: Project) -> Iterator[Handling]:
    for name in ("signal", "add_signal_handler"):
        for fn, site in project.calls.calls_named(name):
            via = installs(site, fn, project)
            if via is not None:
                yield from _at(site, fn, via, project)


def installs(site: Site, fn: Fn, project: Project) -> Via | None:
    """Whether a call installs a handler itself, and how.

    ``add_signal_handler`` of an object of unknown type counts where its first argument is a signal.
    """
    call = site.call
    if project.calls.is_call_to(call, fn, "signal.signal"):
        return "signal"
    if project.calls.is_call_to(call, fn, LOOP_INSTALLER):
        return "loop"
    if (
        isinstance(call.func, Attr)
        and call.func.name == "add_signal_handler"
        and not project.evaluate.values(call.func, fn)
    ):
        return "loop" if signals_of(argument(call, 0, "sig"), fn, project) else None
    return None


def number_of(call: Call, via: Via) -> Expr | None:
    """The argument that names the signal."""
    return argument(call, 0, "signalnum" if via == "signal" else "sig")


def handler_of(call: Call, via: Via) -> Expr | None:
    """The argument that is the handler."""
    return argument(call, 1, "handler" if via == "signal" else "callback")


def _at(site: Site, fn: Fn, via: Via, project: Project) -> Iterator[Handling]:
    number, handler = number_of(site.call, via), handler_of(site.call, via)
    if handler is None:
        return
    param = _own_param(_called_later(handler, fn, project), fn)
    if param is None:
        signals = signals_at(number, site, fn, project)
        yield Handling(signals, via, handler, project.calls.callables(handler, fn), site, fn)
        return
    yield from _decorated(fn, param, number, via, project)
    number_param = _own_param(number, fn)
    for caller in project.calls.callers(fn):
        call = caller.site.call
        given = project.calls.passed(call, fn, param)
        if given is not None:
            signals = signals_at(number, site, fn, project)
            if number_param is not None:
                signals = signals_at(project.calls.passed(call, fn, number_param), caller.site, caller.fn, project)
            yield Handling(signals, via, given, project.calls.callables(given, caller.fn), caller.site, caller.fn)


def _decorated(installer: Fn, param: Param, number: Expr | None, via: Via, project: Project) -> Iterator[Handling]:
    """The functions that get the installer as their decorator: ``@on_signal(SIGTERM)``, ``@handles_sigterm``."""
    if not installer.facts.params or installer.facts.params[installer.is_method] is not param:
        return
    factory = installer.parent if installer.parent is not None and not installer.parent.is_module else None
    name = factory.name if factory is not None else installer.name
    project.modules.loaded_mentioning(name)
    for entry in project.modules:
        for fn in entry.functions:
            for decorator in fn.facts.decorators if name in fn.decorator_names and fn.parent is not None else ():
                scope = fn.parent or fn
                if not any(isinstance(v, Function) and v.fn is installer for v in _values(decorator, scope, project)):
                    continue
                at = next(at for at in walk(scope_body(fn)) if getattr(at.stmt, "function", -1) == fn.facts.number)
                call = Call(decorator, (Arg(Name(fn.name), None, ""),), fn.facts.span)
                signals = _decorator_signals(decorator, number, installer, factory, scope, project)
                yield Handling(signals, via, Name(fn.name), (fn,), Site(call, at, ()), scope)


def _values(decorator: Expr, scope: Fn, project: Project) -> Values:
    return project.evaluate.values(decorator, scope)


def scope_body(fn: Fn) -> Body:
    """The block that holds the definition: its class's body, or that of the function or module around it."""
    if fn.cls is not None:
        return fn.cls.facts.body
    return fn.parent.facts.body if fn.parent is not None else ()


def _decorator_signals(
    decorator: Expr, number: Expr | None, installer: Fn, factory: Fn | None, scope: Fn, project: Project
) -> tuple[str, ...]:
    """The signals that the decorator is given, or that the installer names itself."""
    if factory is not None and isinstance(decorator, Call):
        param = _own_param(number, factory)
        if param is not None:
            given = project.calls.passed(decorator, factory, param)
            if given is None and param.kind == "*":
                return tuple(n for arg in decorator.args for n in signals_of(arg.value, scope, project))
            return signals_of(given or param.default, scope, project)
    return signals_of(number, installer, project)


def _called_later(handler: Expr, fn: Fn, project: Project) -> Expr:
    """The function that is called in the end: ``f`` in ``partial(f, signum)``."""
    if isinstance(handler, Call) and handler.args and project.calls.is_call_to(handler, fn, "functools.partial"):
        return handler.args[0].value
    return handler


def _own_param(expr: Expr | None, fn: Fn) -> Param | None:
    """The parameter of ``fn`` that the expression is, where nothing else is ever bound to its name."""
    bindings = fn.bindings.get(expr.id, ()) if isinstance(expr, Name) else ()
    return bindings[0] if len(bindings) == 1 and isinstance(bindings[0], Param) else None


def is_restored(handling: Handling, project: Project) -> bool:
    """Whether the same function, class or (for module code) module later puts something back in the handler's place.

    What is put back is a default, or a name or attribute that is no function of the project: the previous handler.
    """
    return any(
        other.via == handling.via
        and other is not handling
        and not other.targets
        and (_same_owner(handling.fn, other.fn, project) or _hands_over(handling, other))
        and (not other.signals or not handling.signals or set(other.signals) & set(handling.signals))
        and _puts_back(other, project)
        for other in handlings(project)
    )


def _hands_over(handling: Handling, other: Handling) -> bool:
    """Whether the installer returns the handlers that were there, for a function of the same module to put back."""
    fn = handling.fn
    keeps = "getsignal" in fn.mentions or not handling.site.dropped
    return keeps and bool(fn.returns) and other.fn.module is fn.module


def _same_owner(left: Fn, right: Fn, project: Project) -> bool:
    if left is right:
        return True
    owner = project.classes.enclosing(left)
    if owner is not None and owner is project.classes.enclosing(right):
        return True
    return left in _around(right) or right in _around(left)


def _around(fn: Fn) -> Iterator[Fn]:
    scope = fn.parent
    while scope is not None and not scope.is_module:
        yield scope
        scope = scope.parent


def _puts_back(handling: Handling, project: Project) -> bool:
    values = project.evaluate.values(handling.handler, handling.fn)
    return not any(isinstance(value, External) and value.name.endswith("SIG_IGN") for value in values)


def ignores(handling: Handling, project: Project) -> bool:
    """Whether ``SIG_IGN`` is installed."""
    values = project.evaluate.values(handling.handler, handling.fn)
    return any(isinstance(value, External) and value.name.endswith("SIG_IGN") for value in values)


def mentions_signal(expr: Expr, name: str) -> bool:
    """Whether the name of the signal is written anywhere in the expression."""
    for inner in subexprs(expr):
        if (isinstance(inner, Attr) and inner.name == name) or (isinstance(inner, Name) and inner.id == name):
            return True
        if isinstance(inner, Const) and inner.value == name:
            return True
    return False
