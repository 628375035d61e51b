"""Whether a program may do something about a signal: a handler, a framework that installs one, or any mention of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shutdown_lint.facts import Attr, Call, Const, Expr, ModuleFacts, Name
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.memo import Memo
from shutdown_lint.project.signals import handlings
from shutdown_lint.walk import argument, children, last_name, own_exprs

if TYPE_CHECKING:
    from shutdown_lint.project import Project

# Sending a signal is no handling of it, nor is asking whether the system has it.
_SENDERS = frozenset(
    {"hasattr", "kill", "killpg", "send_signal", "pidfd_send_signal", "tgkill", "raise_signal", "pthread_kill"}
)
_LISTENERS = frozenset({"sigwait", "sigwaitinfo", "sigtimedwait", "set_wakeup_fd", "pthread_sigmask", "signalfd"})


def handles(name: str, modules: Sequence[ModuleFacts], project: Project) -> bool:
    """Whether the program may do something about the signal: a handler, a framework, or any mention that is no sending of it."""
    known = {module.name for module in modules}
    for handling in handlings(project):
        if handling.fn.module.name in known and (not handling.signals or name in handling.signals):
            return True
    functions = [fn for module in modules for fn in project.functions(module)]
    # what is read off the text first, what must be evaluated only if that finds nothing
    return any(_speaks_of(name, fn) for fn in functions) or any(_calls_handler(fn, project) for fn in functions)


def _speaks_of(name: str, fn: Fn) -> bool:
    if not fn.mentions.isdisjoint(_LISTENERS) or _in_decorator(name, fn):
        return True
    if name not in fn.mentions and name not in fn.strings:
        return False
    return any(_mentions(name, root) for at in fn.statements for root in own_exprs(at.stmt))


_MEMO: Memo[dict[Fn, bool]] = Memo()


def _calls_handler(fn: Fn, project: Project) -> bool:
    """Whether it calls something in a library that handles signals; asked of every function, for every program."""
    memo = _MEMO.setdefault(project, {})
    if fn not in memo:
        memo[fn] = any(
            takes_signals(called, site.call, project)
            for site in fn.sites
            for called in project.calls.external(site.call, fn)
        )
    return memo[fn]


def _in_decorator(name: str, fn: Fn) -> bool:
    """``@on_signal(signal.SIGTERM)``: decorators belong to no statement of a body."""
    return any(isinstance(part, Call) and _mentions(name, part) for part in fn.facts.decorators)


def takes_signals(called: str, call: Call, project: Project) -> bool:
    """Whether the library call handles SIGTERM, and is not told to leave that alone."""
    model = project.models.handles_signals.get(called)
    if model is None:
        return False
    given = argument(call, 99, model.unless) if model.unless else None
    return not (isinstance(given, Const) and not given.value)


def _mentions(name: str, expr: Expr) -> bool:
    """Whether the signal is named in the expression, other than as what is sent."""
    if isinstance(expr, Call) and last_name(expr.func) in _SENDERS:
        return False
    if (
        (isinstance(expr, Attr) and expr.name == name)
        or (isinstance(expr, Name) and expr.id == name)
        or getattr(expr, "value", None) == name
    ):
        return True
    return any(_mentions(name, child) for child in children(expr))
