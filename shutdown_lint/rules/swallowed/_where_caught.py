"""Places where a clause that swallows the request to stop is most likely meant, or where no request arrives."""

from __future__ import annotations

import re

from shutdown_lint.facts import Attr, For, Name, Try
from shutdown_lint.project import Fn, Project
from shutdown_lint.rules.swallowed._catching import last_name, leaves
from shutdown_lint.rules.swallowed._releases import RELEASES
from shutdown_lint.rules.swallowed._steps import is_release_name
from shutdown_lint.rules.swallowed._tried import waits
from shutdown_lint.rules.waits._stops import is_stop
from shutdown_lint.walk import At, enclosing_loops, exprs, last_name as last_part, same, sites, subexprs

_ASKS_CHILD = frozenset({"poll", "is_alive", "returncode", "exitcode"})
_ASKS = re.compile(r"(raw_)?input$|prompt")
_SHELLS = re.compile(r"repl|shell|console|prompt|interact|terminal", re.IGNORECASE)
_SERVES = re.compile(r"(^|_)(serve_(?!forever)|receive|recv|handle_|worker)")
THREADS = ("thread", "timer", "pool-thread")


def is_a_thread(fn: Fn) -> bool:
    """Whether the name says that a thread runs it, started by means that are not seen here."""
    return "thread" in fn.name.lower() or (fn.cls is not None and fn.cls.name.endswith("Thread"))


def only_threads_call(fn: Fn, project: Project) -> bool:
    """Whether no caller is known, and all that call a method of its name are run by threads alone."""
    if fn.cls is None or fn.name.startswith("__") or project.calls.callers(fn):
        return False
    callers = [caller for caller, _ in project.calls.calls_named(fn.name) if caller is not fn]
    return bool(callers) and all(project.roles.only(caller, *THREADS) for caller in callers)


def may_be_a_thread(fn: Fn, project: Project) -> bool:
    """Whether nobody is known to call what serves others by its name: servers run that in threads of their own."""
    return bool(_SERVES.search(fn.name)) and not project.calls.callers(fn) and not project.roles.kinds(fn)


def is_prompt(stmt: Try, fn: Fn) -> bool:
    """The loop of a shell, which Ctrl-D ends."""
    ends = any(
        handler.types is not None and last_part(handler.types) == "EOFError" and leaves(handler.body)
        for handler in stmt.handlers
    )
    return ends and bool(_SHELLS.search(fn.qualname))


def in_chat(at: At) -> bool:
    """In a loop that asks a person for the next line: there the next Ctrl-C ends it."""
    return any(_ASKS.match(last_name(site.call)) for loop in enclosing_loops(at) for site in sites((loop.stmt,)))


def waits_for_child(at: At, stmt: Try) -> bool:
    """``while child.poll() is None: try: child.wait() except: pass``: Ctrl-C goes to the child too, and its end ends the loop."""
    calls = [site.call.func for site in sites(stmt.body)]
    first = calls[0] if len(calls) == 1 else None
    if not isinstance(first, Attr) or first.name not in ("wait", "communicate", "join"):
        return False
    loop = next(enclosing_loops(at)).stmt
    asked = (part for root in exprs((loop,)) for part in subexprs(root) if isinstance(part, Attr))
    return any(part.name in _ASKS_CHILD and same(part.value, first.value) for part in asked)


def is_command(fn: Fn, project: Project) -> bool:
    """One command of a shell, behind which it prompts for the next: ``do_…`` of a ``cmd.Cmd``."""
    return fn.cls is not None and fn.name.startswith("do_") and project.classes.is_a(fn.cls, "cmd.Cmd")


def ends_in_final(at: At, stmt: Try) -> bool:
    """Whether the ``finally`` of the ``try`` shuts down, and nothing that waits follows: what the interrupt asks for happens."""
    ends = any(is_release_name(last_name(site.call)) for site in sites(stmt.final))
    return ends and not any(waits(after) for place in at.around() for after in place.after())


def closes_behind(at: At, stmt: Try) -> bool:
    """Whether the clause releases what the ``try`` used, and nothing that waits follows: the interrupt ends the work."""
    closes = any(last_name(site.call) in RELEASES for handler in stmt.handlers for site in sites(handler.body))
    return closes and not any(waits(after) for place in at.around() for after in place.after())


def calls_each(at: At, stmt: Try, fn: Fn, project: Project) -> bool:
    """A stop function that goes from one member to the next, or a loop that runs one callback after the other: each must get its turn."""
    loop = next(enclosing_loops(at)).stmt
    if not isinstance(loop, For):
        return False
    callbacks = [site.call for site in sites(stmt.body) if isinstance(site.call.func, Name)]
    held = {part.id for part in subexprs(loop.target) if isinstance(part, Name)}
    return is_stop(fn, project) or any(call.func.id in held for call in callbacks if isinstance(call.func, Name))


def in_cleanup(at: At) -> bool:
    """In ``finally`` and ``except`` blocks the loop is a cleanup that must go through."""
    return any(place.part in ("final", "handler") for place in at.around())
