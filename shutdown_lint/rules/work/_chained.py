"""Methods of a library's class that end something: an override must call them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Attr, Const, Name, Raise
from shutdown_lint.models import Chain
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.walk import dotted, last_name

_ENDS = frozenset(
    {"close", "join", "stop", "shutdown", "server_close", "terminate", "kill", "wait", "flush", "enqueue_sentinel"}
)
_MANGLED = re.compile(r"_[A-Z]\w*?__\w+$")  # a private name of a class, as Language Reference 6.2.1 writes it
# A subclass that takes over how the work is started is its own master.
_STARTS = frozenset({"start", "serve_forever", "submit", "run_forever", "startService"})


def outside(fn: Fn, project: Project) -> tuple[str, Chain] | None:
    """The class of a library whose method this overrides without calling it, and what the models say of that."""
    cls = fn.cls
    if cls is None or fn.decorator_names:
        return None
    if fn.facts.body and isinstance(fn.facts.body[-1], Raise):
        return None  # not to be called
    found = _overridden(cls, fn, project)
    if found is None or _calls_up(fn, project):  # what this reaches is asked last: it costs the most
        return None
    return None if found[1].loss == "real" and _ends_itself(fn, project) else found


def _overridden(cls: Cls, fn: Fn, project: Project) -> tuple[str, Chain] | None:
    """The first base of a library that the models know to end something in the method; none behind an own base that has it too."""
    for base in project.classes.mro(cls):
        if isinstance(base, Cls):
            if (base is not cls and fn.name in base.methods) or _STARTS & base.methods.keys():
                return None
            continue
        names = (base, project.models.canonical(base))
        rows = next((project.models.chains[name] for name in names if name in project.models.chains), ())
        found = next((row for row in rows if fn.name in row.methods), None)
        if found is not None:
            return base, found
    return None


def _ends_itself(fn: Fn, project: Project) -> bool:
    """Whether the override does the work of the method itself: ``self._thread.join(5)``, ``self.socket.close()``.

    It may as well set what belongs to the base alone: ``self._BaseServer__shutdown_request = True``.
    """
    reached = project.protocol.reach(fn)
    return any(last_name(site.call.func) in _ENDS for other in reached for site in other.sites) or any(
        _MANGLED.match(name) for other in reached for name in (*other.mentions, *_texts(other))
    )


def _texts(fn: Fn) -> Iterator[str]:
    """The texts that the function hands to calls."""
    for site in fn.sites:
        given = (arg.value.value for arg in site.call.args if isinstance(arg.value, Const))
        yield from (value for value in given if isinstance(value, str))


def _calls_up(fn: Fn, project: Project) -> bool:
    """``super().join()``, ``Thread.join(self)``, here or in what this calls of its own."""
    for other in project.protocol.reach(fn):
        if "super" in other.mentions:
            return True
        for site in other.sites:
            func = site.call.func
            if isinstance(func, Attr) and func.name == fn.name and site.call.args:
                first = site.call.args[0].value
                if isinstance(first, Name) and first.id == other.self_name and dotted(func.value) is not None:
                    return True
    return False
