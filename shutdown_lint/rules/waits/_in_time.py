"""Whether a thread that was told to stop surely ends before the limit of its join: nothing in it lasts as long.

Everything errs towards "it may last": what is not known may.
"""

from __future__ import annotations

import re
import sys

from shutdown_lint.facts import Attr, Call, Const, Name
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.failing import QUIET_NAMES, talks_to_server
from shutdown_lint.project.limits import seconds
from shutdown_lint.project.protocol import Wait
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.supplied import is_supplied
from shutdown_lint.project.values import Instance
from shutdown_lint.rules._told import QUERIES
from shutdown_lint.rules.waits._polls import is_limited
from shutdown_lint.rules.waits._stops import acquisitions_of, method_name, receiver
from shutdown_lint.walk import Site, argument, last_name

_TIMEOUT = re.compile(r"time_?out")
_LIMITS = frozenset({"settimeout", "create_connection"})
_PEERS = frozenset({"peer", "close"})
_LASTING = frozenset({"subprocess", "urllib", "http", "ftplib", "smtplib", "imaplib", "shutil", "asyncio", "ssl"})
_QUICK = (
    QUIET_NAMES
    | QUERIES
    | frozenset(
        {
            "close",
            "put",
            "put_nowait",
            "get_nowait",
            "popitem",
            "index",
            "count",
            "write",
            "insert",
            "sub",
            "group",
            "isoformat",
            "tobytes",
        }
    )
)


def ends_in_time(wait: Wait, project: Project) -> bool:
    """Whether each thread that the timed join stands for was told before, and waits for nothing as long as the join does."""
    limit = argument(wait.site.call, 0, "timeout")
    most = seconds(limit, wait.fn, project) if limit is not None else None
    found = acquisitions_of(receiver(wait.site.call), wait.fn, project) if most is not None else []
    return bool(found) and all(_is_told(a, wait, project) and _is_short(a, most or 0.0, project) for a in found)


def ends_later(wait: Wait, project: Project) -> bool:
    """Whether each is a daemon thread, was told before, and no start of another one takes that back: it ends, though later."""
    found = acquisitions_of(receiver(wait.site.call), wait.fn, project)
    return bool(found) and all(
        made.daemon is True and _is_told(made, wait, project) and not _is_revived(made, project) for made in found
    )


def _is_revived(made: Acquisition, project: Project) -> bool:
    """``self._stop.clear()``, ``self._running = True`` where a thread is started: one that still runs goes on for ever."""
    tests = [place for loop in project.resources.loops(made) for place in loop.tests]
    return made.fn.name != "__init__" and project.protocol.tells(made.fn, tests)


def _is_told(made: Acquisition, wait: Wait, project: Project) -> bool:
    bodies = set(project.resources.bodies(made))
    loops = [loop for loop in project.resources.loops(made) if loop.waits or loop.fn in bodies or not loop.leaves]
    return bool(loops) and all(project.protocol.tells(wait.fn, loop.tests, wait.site) for loop in loops)


def _is_short(made: Acquisition, most: float, project: Project) -> bool:
    reached = [fn for body in project.resources.bodies(made) for fn in project.protocol.reach(body)]
    return bool(reached) and all(_returns_soon(site, fn, most, project) for fn in reached for site in fn.sites)


def _returns_soon(site: Site, fn: Fn, most: float, project: Project) -> bool:
    wait = project.protocol.wait(site, fn)
    if wait is not None:
        return _wakes_soon(wait, most, project)
    if method_name(site.call) not in _QUICK and is_supplied(site.call.func, fn, project):
        return gives_limit(site.call)  # code of others
    names = project.calls.external(site.call, fn)
    if names:
        return all(_is_quick(name, site.call, project) for name in names)
    return method_name(site.call) in _QUICK or gives_limit(site.call) or bool(project.calls.targets(site.call, fn))


def _wakes_soon(wait: Wait, most: float, project: Project) -> bool:
    if wait.model.wakes in _PEERS and not wait.bounded:
        return is_limited(wait.site) or _has_timeout(wait, project)
    if method_name(wait.site.call) == "put" and _takes_all(wait, project):
        return True
    model = wait.model
    limit = argument(wait.site.call, model.position if model.position >= 0 else 99, model.timeout or "\0")
    if not wait.bounded or limit is None:
        return wait.bounded
    known = seconds(limit, wait.fn, project)
    return known is not None and known < most


def _takes_all(wait: Wait, project: Project) -> bool:
    """Whether what it puts into is a queue without a size, which never is full."""
    made = project.evaluate.values(receiver(wait.site.call), wait.fn)
    calls = [value.call for value in made if isinstance(value, Instance) and value.call is not None]
    return bool(calls) and not any(call.args for call in calls)


def _has_timeout(wait: Wait, project: Project) -> bool:
    """Whether who makes what is waited on gives it a limit: ``s.settimeout(1)``, ``create_connection(…, timeout=5)``."""
    name = last_name(receiver(wait.site.call))
    makers = (fn for fn in project.functions(wait.fn.module) if _LIMITS & fn.mentions and name in fn.mentions)
    return any(
        (method_name(site.call) == "settimeout" and not _is_none(site.call))
        or (method_name(site.call) == "create_connection" and gives_limit(site.call))
        for fn in makers
        for site in fn.sites
    )


def _is_none(call: Call) -> bool:
    given = call.args[0].value if call.args else None
    return isinstance(given, Const) and given.value is None


def gives_limit(call: Call) -> bool:
    """``timeout=5``, ``connect_timeout=5``."""
    return any(_TIMEOUT.search(arg.keyword or "") for arg in call.args)


def _is_quick(name: str, call: Call, project: Project) -> bool:
    if talks_to_server(name, project):
        return False
    package = name.partition(".")[0]
    if package in sys.stdlib_module_names:
        return package not in _LASTING
    return gives_limit(call) or (isinstance(call.func, (Attr, Name)) and method_name(call) in _QUICK)
