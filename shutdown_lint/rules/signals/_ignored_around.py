"""Signals that a program ignores while it waits for a command: the command is started with them ignored as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Arg, Const, ModuleFacts
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.signals import Handling, handlings, ignores
from shutdown_lint.walk import Site

_RUNS = ("subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output", "os.system")
_STARTS = "subprocess.Popen"
_WAITS = frozenset({"wait", "communicate"})
_ENDING = frozenset({"SIGINT", "SIGTERM"})
# What gives the child dispositions, or a terminal, of its own.
_APART = frozenset({"preexec_fn", "start_new_session", "process_group"})


class Ignored(NamedTuple):
    """The call that ignores the signal, and the command that is started and waited for before it is handled again."""

    handling: Handling
    command: Site
    fn: Fn
    sure: bool


def ignored_around(module: ModuleFacts, project: Project) -> Iterator[Ignored]:
    """``old = signal(SIGINT, SIG_IGN)``, ``run(command, shell=True)``, ``signal(SIGINT, old)``."""
    for handling in handlings(project):
        fn = handling.fn
        if fn.module is not module:
            continue
        if handling.via != "signal" or not _ENDING & set(handling.signals) or fn.is_module or is_test(fn):
            continue
        start = handling.site.call.span.line
        end = _handled_again(fn, start, project) if ignores(handling, project) else None
        if end is None or project.roles.role(fn, "process", "pool-process", "signal-handler") is not None:
            continue
        command = next(
            (site for site in fn.sites if start < site.call.span.line < end and _is_waited_for(site, fn, end, project)),
            None,
        )
        if command is not None:
            yield Ignored(handling, command, fn, sure=_is_shell(command, fn, project))


def _handled_again(fn: Fn, start: int, project: Project) -> int | None:
    """The line of the next ``signal.signal`` in the function."""
    lines = [
        site.call.span.line
        for site in fn.sites
        if site.call.span.line > start and project.calls.is_call_to(site.call, fn, "signal.signal")
    ]
    return min(lines, default=None)


def _is_waited_for(site: Site, fn: Fn, end: int, project: Project) -> bool:
    if any(arg.keyword in _APART or arg.star == "**" for arg in site.call.args):
        return False
    if project.calls.is_call_to(site.call, fn, *_RUNS):
        return True
    line = site.call.span.line
    return project.calls.is_call_to(site.call, fn, _STARTS) and any(
        getattr(other.call.func, "name", "") in _WAITS and line < other.call.span.line < end for other in fn.sites
    )


def _is_shell(site: Site, fn: Fn, project: Project) -> bool:
    """Whether it is a command of the user's: a client with a prompt of its own sees to Ctrl-C itself."""
    return project.calls.is_call_to(site.call, fn, "os.system") or any(map(_asks_for_shell, site.call.args))


def _asks_for_shell(arg: Arg) -> bool:
    return arg.keyword == "shell" and isinstance(arg.value, Const) and arg.value.value is True
