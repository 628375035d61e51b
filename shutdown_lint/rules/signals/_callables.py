"""What is handed to a registrar: can it be called as the registrar will, what does it return."""

from __future__ import annotations

from typing import NamedTuple

from shutdown_lint.facts import Call, Const, Expr, Function, Raise, Return
from shutdown_lint.project import Cls, Fn, Project, values as v
from shutdown_lint.walk import dotted

PLAIN_DECORATORS = frozenset({"staticmethod", "classmethod"})


class Callee(NamedTuple):
    """A project function as it stands for a value: ``given`` positional arguments are bound already (``self``, those of a
    partial), and so are the keywords ``named``."""

    fn: Fn
    given: int
    named: frozenset[str]


def is_plain(fn: Fn) -> bool:
    """Whether no decorator may have replaced the function by something else."""
    return fn.decorator_names <= PLAIN_DECORATORS and len(fn.facts.decorators) <= 1


def callee(value: v.Value, project: Project) -> Callee | None:
    """The project function that calling the value runs, with what is bound already; None where it is not known."""
    if isinstance(value, v.Function):
        binds_first = "classmethod" in value.fn.decorator_names or (value.bound and value.fn.is_method)
        return Callee(value.fn, int(binds_first), frozenset())
    if isinstance(value, v.Partial):
        inner = callee(value.func, project)
        if inner is None or any(arg.star for arg in value.call.args):
            return None
        positional = sum(arg.keyword is None for arg in value.call.args) - 1
        named = frozenset(arg.keyword for arg in value.call.args if arg.keyword is not None)
        return Callee(inner.fn, inner.given + positional, inner.named | named)
    if isinstance(value, v.Instance) and isinstance(value.cls, Cls):
        method = project.classes.method(value.cls, "__call__")
        return Callee(method, 1, frozenset()) if method is not None else None
    return None


def takes(called: Callee, arguments: int) -> bool:
    """Whether the function can be called with so many further positional arguments."""
    facts, total = called.fn.facts, called.given + arguments
    positional = [param for param in facts.params if param.kind in ("positional", "positional-only")]
    if total > len(positional) and not any(param.kind == "*" for param in facts.params):
        return False
    return not _missing(facts, total, called.named)


def _missing(facts: Function, total: int, named: frozenset[str]) -> bool:
    positional = [param for param in facts.params if param.kind in ("positional", "positional-only")]
    late = [*positional[total:], *(param for param in facts.params if param.kind == "keyword-only")]
    return any(param.default is None and param.name not in named for param in late)


def returns_nothing(fn: Fn) -> bool:
    """Whether calling the function surely gives None: no value is returned, nothing is yielded, no stub or decorator."""
    facts = fn.facts
    if facts.is_async or facts.is_generator or facts.is_lambda or not facts.body or not is_plain(fn) or is_abstract(fn):
        return False
    return all(isinstance(value, Const) and value.value is None for value in fn.returns)


def is_abstract(fn: Fn) -> bool:
    """Whether the body does nothing but raise NotImplementedError."""
    if len(fn.facts.body) != 1 or not isinstance(fn.facts.body[0], Raise):
        return False
    exc = fn.facts.body[0].exc
    return (dotted(getattr(exc, "func", exc)) or "").endswith("NotImplementedError")


def coroutine_of(argument: Expr, fn: Fn, project: Project) -> Fn | None:
    """The coroutine function that the callback is or returns the coroutine of; only where all that it may be are such."""
    values = project.evaluate.values(argument, fn)
    found = [_of(value, project) for value in values]
    return found[0] if found and all(found) else None


def _of(value: v.Value, project: Project) -> Fn | None:
    if isinstance(value, v.Partial):
        return _of(value.func, project)
    if isinstance(value, v.Coroutine):
        return value.fn if is_plain(value.fn) else None
    if not isinstance(value, v.Function):
        return None
    if value.fn.facts.is_lambda:
        return _returned(value.fn, project)
    return value.fn if value.fn.facts.is_async and is_plain(value.fn) else None


def _returned(fn: Fn, project: Project) -> Fn | None:
    """The coroutine function that a lambda only calls."""
    body = fn.facts.body[0] if fn.facts.body else None
    if not isinstance(body, Return) or not isinstance(body.value, Call):
        return None
    values = project.evaluate.values(body.value.func, fn)
    found = [
        value.fn for value in values if isinstance(value, v.Function) and value.fn.facts.is_async and is_plain(value.fn)
    ]
    return found[0] if len(found) == len(values) == 1 else None
