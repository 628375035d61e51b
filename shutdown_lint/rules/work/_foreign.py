"""Coroutines that a loop gets from the callers of its owner: what tasks they start is not known here."""

from __future__ import annotations

from shutdown_lint.facts import Attr, Call, Expr, Name
from shutdown_lint.project import Fn, Project
from shutdown_lint.walk import Site, argument, same


def handed_in(runs: list[tuple[Fn, Site]], loop: Expr, fn: Fn, project: Project) -> tuple[Fn, Call] | None:
    """``loop.run_until_complete(coro)`` with a parameter; or ``run_coroutine_threadsafe(coro, self.loop)`` where the loop runs for ever."""
    for runner, site in runs:
        if getattr(site.call.func, "name", "") == "run_until_complete" and _is_param(
            argument(site.call, 0, "future"), runner
        ):
            return runner, site.call
    if not any(getattr(site.call.func, "name", "") == "run_forever" for _, site in runs):
        return None
    cls = project.classes.enclosing(fn)
    methods = project.classes.functions_in(cls) if cls is not None and isinstance(loop, Attr) else ()
    for method in methods:
        for site in method.sites if "run_coroutine_threadsafe" in method.mentions else ():
            call = site.call
            if site.parents and isinstance(site.parents[0], Attr):
                continue  # `run_coroutine_threadsafe(…).result()`: it is waited for on the spot
            if project.calls.is_call_to(call, method, "asyncio.run_coroutine_threadsafe"):
                if _is_param(argument(call, 0, "coro"), method) and same(argument(call, 1, "loop"), loop):
                    return method, call
    return None


def _is_param(expr: Expr | None, fn: Fn) -> bool:
    return (
        isinstance(expr, Name)
        and expr.id in {param.name for param in fn.facts.params}
        and len(fn.bindings.get(expr.id, ())) < 2
    )
