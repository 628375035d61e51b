"""Polling loops: ``while self.connections: sleep(0.1)``, and limits that stand around a place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Body, Break, Call, Const, Expr, If, Name, Op, Return, While, With
from shutdown_lint.project import Fn, Project
from shutdown_lint.rules.waits._stops import method_name
from shutdown_lint.walk import (
    At,
    Site,
    enclosing_with,
    last_name,
    own_exprs,
    root_name,
    sites,
    subexprs,
    text,
    unnegated,
    walk,
)

_DEADLINE = re.compile(
    r"time|deadline|elapsed|until|tries|retr|attempt|count|remaining|limit|max|expire|left|budget|grace|\bend\b|patience|monotonic|perf_counter|"
    r"cancel|fail_after|move_on",
    re.IGNORECASE,
)
_TIMEOUT = re.compile(r"time_?out|deadline|time_?limit", re.IGNORECASE)
_ENDED = re.compile(
    r"done|clos|stop|finish|empt|complet|exit|end|dead|idle|free|terminat|gone|over|quit|shut|join|flush|drain",
    re.IGNORECASE,
)
# Names that say that one waits.
WAITING = re.compile(r"^_*(async_)?(wait|join)(_|$)")
_CLOCKS = ("time", "monotonic", "perf_counter", "now", "utcnow", "clock", "current_time", "process_time")
_LOGS = ("debug", "info", "warning", "error", "print", "log", "msg", "format", "len")
_OWN = frozenset(
    {"len", "any", "all", "bool", "isinstance", "is_alive", "is_set", "qsize", "empty", "values", "items", "keys"}
)
_SLEEPS = ("time.sleep", "asyncio.sleep", "gevent.sleep", "eventlet.sleep", "trio.sleep", "anyio.sleep", "curio.sleep")
_LIMITERS = (
    "wait_for",
    "timeout",
    "timeout_at",
    "fail_after",
    "move_on_after",
    "move_on_at",
    "fail_at",
    "with_timeout",
    "run_with_timeout",
)


def polls(at: At, fn: Fn, project: Project) -> Expr | None:
    """What a loop of nothing but a sleep polls; None for one with a deadline or another way out."""
    stmt = at.stmt
    body = stmt.body if isinstance(stmt, While) else ()
    if not isinstance(stmt, While) or not 1 <= len(body) <= 2 or not any(site.call for site in sites(body)):
        return None
    polled = stmt.test
    if isinstance(polled, Const):  # `while True:`, `if done: break`, a sleep
        first = body[0]
        if (
            not polled.value
            or not isinstance(first, If)
            or first.orelse
            or not isinstance(first.body[-1], (Break, Return))
            or len(first.body) > 1
        ):
            return None
        polled, body = first.test, body[1:]
    if (
        any(isinstance(inner.stmt, (If, Assign)) for inner in walk(body))  # an assignment tells again and again
        or _has_clock(polled)
        or any(_DEADLINE.search(name) for name in _names(polled, body))
    ):
        return None
    calls = [site.call for site in sites(body)]
    slept = [call for call in calls if project.calls.is_call_to(call, fn, *_SLEEPS)]
    others = [call for call in calls if method_name(call) not in _LOGS and not any(call is nap for nap in slept)]
    return polled if slept and not others else None


def over_already(polled: Expr, at: At, fn: Fn, project: Project) -> bool:
    """Whether a call just before the loop has cleared the polled flag as a step of its own: ``await self._leave()``."""
    wanted = set(project.protocol.places_read(polled, fn)) if isinstance(polled, (Attr, Name)) else set()
    for site in sites(at.before()) if wanted else ():
        for target in project.calls.targets(site.call, fn):
            if target.fn.facts.is_async and not site.awaited:
                continue
            cleared = (stmt for stmt in target.fn.facts.body if isinstance(stmt, Assign) and _is_falsy(stmt.value))
            places = (
                place
                for stmt in cleared
                for part in stmt.targets
                if isinstance(part, (Attr, Name))
                for place in project.protocol.places_read(part, target.fn)
            )
            if any(place in wanted for place in places):
                return True
    return False


def cleared_in_finally(polled: Expr, fn: Fn, project: Project) -> bool:
    """Whether a ``finally`` of the same class ends the loop: the polled flag falls with the worker, whatever ends that."""
    flag, holds = unnegated(polled)
    writes = project.classes.writes(fn.cls, flag.name) if fn.cls is not None and isinstance(flag, Attr) else ()
    return any(
        isinstance(write.value, Const)
        and bool(write.value.value) is not holds
        and any(place.part == "final" for place in write.at.around())
        for write in writes
        if write.fn.cls is fn.cls and write.fn is not fn
    )


def _is_falsy(value: Expr | None) -> bool:
    return isinstance(value, Const) and not value.value


def _has_clock(test: Expr) -> bool:
    return any(isinstance(part, Call) and method_name(part) in _CLOCKS for part in subexprs(test))


def _names(test: Expr, body: Body) -> Iterator[str]:
    """Every identifier of the loop, modules aside."""
    for root in (test, *(expr for at in walk(body) for expr in own_exprs(at.stmt))):
        for expr in subexprs(root):
            if isinstance(expr, Name) and expr.id not in ("time", "asyncio"):
                yield expr.id
            elif isinstance(expr, Attr):
                yield expr.name


def limited(fn: Fn, at: At, project: Project) -> bool:
    """Whether a ``with timeout(…)`` stands around the place, or every caller awaits the function with a limit."""
    if _in_limit(at):
        return True
    callers = project.calls.callers(fn) if fn.facts.is_async else ()
    return bool(callers) and all(is_limited(caller.site) for caller in callers)


def is_limited(site: Site) -> bool:
    """Whether the call stands in a ``wait_for(…)`` or under a ``with timeout(…)``, or where the caller chose to have no limit."""
    return (
        any(isinstance(parent, Call) and method_name(parent) in _LIMITERS for parent in site.parents)
        or _in_limit(site.at)
        or _is_wanted(site.at)
    )


def _is_wanted(at: At) -> bool:
    """``if timeout is not None: … else: queue.join()``, ``if policy == "timeout": … else: …``."""
    tests = (place.outer.stmt.test for place in at.around() if place.outer and isinstance(place.outer.stmt, If))
    return any(
        (isinstance(part, (Name, Attr)) and _TIMEOUT.search(last_name(part)))
        or (isinstance(part, Const) and isinstance(part.value, str) and _TIMEOUT.fullmatch(part.value))
        for test in tests
        for part in subexprs(test)
    )


def asks_others(polled: Expr, fn: Fn) -> bool:
    """Whether the answer is that of a call, other than whether a worker is alive, or of an object that the caller gives."""
    given = {param.name for param in fn.facts.params} - {fn.self_name}
    return any(
        (isinstance(part, Call) and method_name(part) not in _OWN)
        or (isinstance(part, Attr) and part.name not in _OWN and root_name(part) in given)
        for part in subexprs(polled)
    )


def awaits_a_start(polled: Expr) -> bool:
    """``while not self.socket:``: until something is there, not until it has ended."""
    asked = polled.operands[0] if isinstance(polled, Op) and (polled.op == "not" or _is_false(polled)) else None
    return isinstance(asked, (Attr, Name)) and _ENDED.search(last_name(asked)) is None


def _is_false(test: Op) -> bool:
    """``self.connected == False``."""
    return test.op in ("==", "is") and isinstance(test.operands[-1], Const) and test.operands[-1].value is False


def chosen(at: At, fn: Fn) -> bool:
    """Whether the caller asks to wait, by a flag or the name of the function: ``if wait: while …``, ``def wait_closed()``."""
    if WAITING.match(fn.name) or _is_wanted(at):
        return True
    tests = [place.outer.stmt.test for place in at.around() if place.outer and isinstance(place.outer.stmt, If)]
    own = at.stmt.test if isinstance(at.stmt, While) else None
    tests += own.operands if isinstance(own, Op) and own.op == "and" else ()
    asked = {test.id for test in tests if isinstance(test, Name)}
    return any(
        param.name in asked and isinstance(param.default, Const) and isinstance(param.default.value, bool)
        for param in fn.facts.params
    )


def _in_limit(at: At) -> bool:
    contexts = (
        item.context for outer in enclosing_with(at) if isinstance(outer.stmt, With) for item in outer.stmt.items
    )
    return any(_DEADLINE.search(text(context)) for context in contexts)


def retried_for_ever(site: Site) -> bool:
    """``while t.is_alive(): t.join(1)``: a limit that starts again and again."""
    outer = site.at.outer
    if outer is None or not isinstance(outer.stmt, While) or site.at.part != "body" or _has_clock(outer.stmt.test):
        return False
    test = outer.stmt.test
    asks = isinstance(test, Call) and method_name(test) == "is_alive"
    return asks and all(method_name(inner.call) in ("join", *_LOGS) for inner in sites(outer.stmt.body))
