"""Waits of a handler that come after SIGKILL: a killed child ends at once."""

from __future__ import annotations

from shutdown_lint.facts import Attr, Call, Expr
from shutdown_lint.project import Fn, Project
from shutdown_lint.rules.signals._context import Reached
from shutdown_lint.walk import Site, sites, text


def follows_kill(site: Site) -> bool:
    """``child.kill()`` before ``child.wait()``: a killed child ends at once."""
    func = site.call.func
    receiver = text(func.value) if isinstance(func, Attr) else ""
    return any(
        f"{receiver}.kill()" == text(getattr(stmt, "value", None))
        for place in site.at.around()
        for stmt in place.before()
    )


def behind_a_kill(site: Site, reached: Reached, project: Project) -> bool:
    """The wait, or the handler's call that leads to it, comes after SIGKILL was sent, here or by a function of its own."""
    calls = [(site.at, reached.fn)]
    if reached.fn is not reached.handler:
        handler = reached.handler
        calls += [
            (s.at, handler)
            for s in handler.sites
            if any(t.fn is reached.fn for t in project.calls.targets(s.call, handler))
        ]
    return any(
        _sends_sigkill(earlier.call, fn, project)
        for at, fn in calls
        for place in at.around()
        for earlier in sites(place.before())
    )


def _sends_sigkill(call: Call, fn: Fn, project: Project, deep: bool = True) -> bool:
    if isinstance(call.func, Attr) and call.func.name == "kill" and not call.args:
        return True
    if project.calls.is_call_to(call, fn, "os.kill", "os.killpg"):
        return any("SIGKILL" in text(part) for part in (*(a.value for a in call.args), *_defaults(fn)))
    targets = project.calls.targets(call, fn) if deep else ()
    return any(_sends_sigkill(s.call, t.fn, project, deep=False) for t in targets for s in t.fn.sites)


def _defaults(fn: Fn) -> list[Expr]:
    return [param.default for param in fn.facts.params if param.default is not None]
