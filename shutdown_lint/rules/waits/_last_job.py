"""Pools that have nothing left to do: of one thread, whose last job was awaited; and those that only a child gives jobs."""

from __future__ import annotations

from shutdown_lint.facts import Attr, Const, Expr
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Wait
from shutdown_lint.project.values import Instance
from shutdown_lint.rules.waits._stops import method_name, receiver
from shutdown_lint.walk import Site, argument, same


def has_done_its_last(wait: Wait, project: Project) -> bool:
    """``await loop.run_in_executor(pool, f)`` before, of a pool of one thread: what was submitted earlier is done as well."""
    pool, fn = receiver(wait.site.call), wait.fn
    made = [value.call for value in project.evaluate.values(pool, fn) if isinstance(value, Instance)]
    sizes = [argument(call, 0, "max_workers") for call in made if call is not None]
    return (
        bool(sizes)
        and all(isinstance(size, Const) and size.value == 1 for size in sizes)
        and any(
            site.awaited
            and method_name(site.call) == "run_in_executor"
            and site.call.span.line < wait.site.call.span.line
            and bool(site.call.args)
            and same(site.call.args[0].value, pool)
            for site in fn.sites
        )
    )


def has_jobs_in_child_only(wait: Wait, project: Project) -> bool:
    """``class Worker(Process)``: what ``run`` gives its pool, the child's pool gets; that of the parent, who stops it, has none."""
    cls = project.classes.enclosing(wait.fn)
    pool = wait.fn.own_attribute(receiver(wait.site.call))
    if cls is None or pool is None or not project.classes.is_process(cls):
        return False
    methods = project.classes.methods(cls)
    child = set(project.protocol.reach(methods["run"])) if "run" in methods else set()
    giving = {fn for fn in methods.values() if pool in fn.mentions for site in fn.sites if _gives(site, pool, fn)}
    return bool(giving) and giving <= child and wait.fn not in child


def _gives(site: Site, pool: str, fn: Fn) -> bool:
    func, first = site.call.func, site.call.args[0].value if site.call.args else None
    given: Expr | None = first if method_name(site.call) == "run_in_executor" else None
    if isinstance(func, Attr) and func.name in ("submit", "map"):
        given = func.value
    return fn.own_attribute(given) == pool
