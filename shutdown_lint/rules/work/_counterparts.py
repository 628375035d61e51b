"""Methods that undo what another method of the same class does: ``disable`` for ``enable``, ``stop_watching`` for ``start_watching``.

A class without ``close`` or ``stop`` may end what it starts there; what the one makes, the other has to end.
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Attr
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.resources import asks_only_how

_UNDONE_BY = {
    "start": ("stop", "shutdown", "end"),
    "open": ("close",),
    "connect": ("disconnect", "close"),
    "begin": ("end", "finish"),
    "enable": ("disable",),
    "activate": ("deactivate",),
    "attach": ("detach",),
    "install": ("uninstall",),
    "mount": ("unmount",),
    "load": ("unload",),
    "setup": ("teardown", "cleanup"),
    "enter": ("exit", "leave"),
    "launch": ("stop", "kill", "terminate"),
    "spawn": ("stop", "kill", "terminate"),
    "init": ("deinit", "shutdown", "cleanup"),
    "create": ("destroy",),
    "initialize": ("finalize", "shutdown", "cleanup"),
}
# how a class may be asked to end whatever it was that made the thing
_ENDS_ALL = (
    "abort",
    "shut_down",
    "on_exit",
    "on_close",
    "closeEvent",
    "on_quit",
    "on_shutdown",
    "on_stop",
    "do_shutdown",
    "do_stop",
    "_shutdown",
    "_teardown",
    "_terminate",
    "_on_exit",
    "_on_shutdown",
    "async_shutdown",
    "shutdown_async",
    "graceful_shutdown",
)
# and these, where they end something that the object holds: a class may keep its end to itself, and be told by who made it
ENDS_MEMBERS = (
    "_close",
    "_stop",
    "_cleanup",
    "_clean_up",
    "_destroy",
    "_dispose",
    "_quit",
    "_close_all",
    "_stop_all",
    "on_before_stop",
    "on_before_shutdown",
    "before_shutdown",
    "handle_shutdown",
)
_ENDINGS = frozenset(
    {"close", "aclose", "stop", "shutdown", "disconnect", "terminate", "quit", "join", "cancel", "kill", "server_close"}
)
_LEAVES = frozenset({"exit", "_exit", "sys_exit"})


def counterparts(project: Project, cls: Cls, maker: Fn) -> Iterator[Fn]:
    """The methods of the class that undo what led to ``maker``, and those that end all, where they have a body.

    One that is told of something else (``initialize()``, ``finalize(order)``) ends that, and not what was made.
    One that leaves the program (``self.exit(2)``) need not end what goes with it.
    """
    methods = project.classes.methods(cls)
    for name in _ENDS_ALL:
        if name in methods and not _LEAVES & methods[name].mentions:
            yield methods[name]
    for name in ENDS_MEMBERS:
        if name in methods and not _LEAVES & methods[name].mentions and _ends_a_member(methods[name]):
            yield methods[name]
    for name, method in methods.items():
        undoing = [methods[other] for other in others(name) if other in methods]
        if undoing and (method is maker or maker in project.protocol.reach(method)):
            given = [param.name for param in method.facts.params]
            yield from (other for other in undoing if asks_only_how(other, *given))


def _ends_a_member(fn: Fn) -> bool:
    """``self._session.close()``."""
    funcs = (site.call.func for site in fn.sites)
    return any(
        isinstance(func, Attr) and func.name in _ENDINGS and fn.own_attribute(func.value) is not None for func in funcs
    )


def others(name: str) -> Iterator[str]:
    """``on_activate`` → ``on_deactivate``, ``_start_server`` → ``_stop_server``."""
    words = name.split("_")
    for position, word in enumerate(words):
        for other in _UNDONE_BY.get(word, ()):
            yield "_".join((*words[:position], other, *words[position + 1 :]))
