"""Commands that are known to print a few lines, whatever their input: they never fill a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shutdown_lint.facts import Call, Const, Expr, Name, Seq, Star
from shutdown_lint.project import Fn, Project

# Commands of a few lines, and options by which others are.
_BRIEF = frozenset({
    "type", "which", "command", "uname", "hostname", "whoami", "id", "kill", "mkdir", "rmdir", "rm", "cp", "mv", "chmod", "chown",
    "ln", "touch", "test", "true", "screencapture", "scrot", "xdg-open", "open", "sync", "pidof", "nproc", "tty", "stty", "tput",
    "mknod", "mkfifo", "modprobe", "rmmod", "xset", "amixer", "git describe", "git rev-parse", "git symbolic-ref", "git checkout",
    "git init", "git branch",
})  # fmt: skip
_QUIET = frozenset({"--version", "-version", "-V", "-q", "-qq", "--quiet", "--silent"})


def is_brief(started: Call, fn: Fn, project: Project) -> bool:
    """Whether the command of the call is such a one; of a helper's parameter, all that the project hands to it."""
    command = started.args[0].value if started.args else None
    name = command.id if isinstance(command, Name) else ""
    param = next((n for n, param in enumerate(fn.facts.params) if param.name == name), None)
    if param is None:
        return _is_brief(list(_words(command, fn)))
    calls = [(caller.site.call, caller.fn) for caller in project.calls.callers(fn)]
    return bool(calls) and all(_is_brief(_handed(call, caller, param, fn)) for call, caller in calls)


def _handed(call: Call, caller: Fn, param: int, fn: Fn) -> list[str]:
    """The words of the command that a call hands over, as one argument or as the rest of them."""
    given = call.args[param - int(fn.is_method) :]
    if fn.facts.params[param].kind == "*":
        return list(_constants([arg.value for arg in given]))
    return list(_words(given[0].value, caller)) if given and not given[0].keyword else []


def _is_brief(words: Sequence[str]) -> bool:
    first, rest = words[:1], words[1:]
    return bool({*first, " ".join(words[:2])} & _BRIEF) or not _QUIET.isdisjoint(rest)


def _words(command: Expr | None, fn: Fn) -> Iterator[str]:
    """The words of a command that are written out."""
    if isinstance(command, Name):
        bound = fn.given(command.id)
        command = getattr(bound[0], "expr", None) if len(bound) == 1 else None
    if isinstance(command, Const) and isinstance(command.value, str):
        yield from command.value.split()
    if isinstance(command, Seq) and command.kind != "fstring":
        yield from _constants(command.items)


def _constants(items: Sequence[Expr]) -> Iterator[str]:
    for item in items:
        if isinstance(item, Star):
            return
        yield item.value if isinstance(item, Const) and isinstance(item.value, str) else ""
