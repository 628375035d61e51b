"""What keeps a step of a worker from being reached: the first call before it that may raise, or a ``continue``."""

from __future__ import annotations

from shutdown_lint.facts import Attr, Body, Call, Const, Continue, For, FunctionDef, Raise, Return, Stmt, Try, While
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.endings import catches
from shutdown_lint.project.values import Class, Container
from shutdown_lint.walk import At, Site, argument, enclosing_loops, last_name, parts_of, sites, sites_at, text, walk

_STOPPING = frozenset({"CancelledError", "KeyboardInterrupt", "SystemExit", "GeneratorExit"})
# Waits that hand out no exception of what they wait for.
_QUIET_WAITS = ("asyncio.wait",)
_MAKERS = ("create_task", "ensure_future")
# Calls that do not raise, by their last name: output, time, containers, flags.
_SURE = frozenset(
    {
        *("debug", "info", "warning", "error", "exception", "critical", "log", "print", "sleep"),
        *("discard", "extend", "update", "setdefault", "appendleft", "insert", "copy", "items", "keys", "values"),
        *("append", "add", "set", "clear", "len", "str", "repr", "isinstance", "time", "monotonic", "perf_counter"),
        *("get_event_loop", "get_running_loop"),
        *(
            "done",
            "cancel",
            "cancelled",
            "id",
            "type",
            "bool",
            "range",
            "xrange",
            "enumerate",
            "zip",
            "getattr",
            "hasattr",
        ),
        *("is_set", "empty", "full", "qsize", "task_done", "current_thread", "getpid", "get_name", "put_nowait", "put"),
        *(*_MAKERS, "add_done_callback", "call_soon", "call_soon_threadsafe", "call_later"),
    }
)


def breaker(between: Body, fn: Fn, all_done: list[Site], project: Project) -> str | None:
    """The first call that may raise, or a ``continue``; a ``try`` that catches all and goes on holds what is in it."""
    for stmt in between:
        if isinstance(stmt, FunctionDef):
            continue
        if isinstance(stmt, Try) and _holds(stmt):
            found = breaker((*stmt.orelse, *stmt.final), fn, all_done, project)
        elif isinstance(stmt, Try) and _is_made_good(stmt, all_done):
            found = None
        elif isinstance(stmt, Continue):
            found = "`continue`"
        else:
            inner = (
                (block for _, block, _ in parts_of(stmt) if not _ends(block)) if not _reports(stmt, all_done) else ()
            )
            found = _raiser(stmt, fn, project) or next(
                (why for block in inner if (why := breaker(block, fn, all_done, project)) is not None), None
            )
            if found == "`continue`" and isinstance(stmt, (While, For)):
                found = None
        if found is not None:
            return found
    return None


def _ends(block: Body) -> bool:
    """Whether the worker is through behind it: ``if item is None: lock.release(); return``."""
    return bool(block) and isinstance(block[-1], (Return, Raise))


def _reports(stmt: Stmt, all_done: list[Site]) -> bool:
    """Whether the item is reported inside of the statement: ``if item is None: q.task_done(); continue``."""
    inside = {id(inner.stmt) for inner in walk((stmt,))}
    return any(id(site.at.stmt) in inside for site in all_done)


def _holds(stmt: Try) -> bool:
    """Whether an error of the body is caught, and the code behind goes on; who is cancelled may leave."""
    return any(catches(handler.types, "Exception") for handler in stmt.handlers) and not any(
        type(at.stmt).__name__ in ("Raise", "Return", "Break", "Continue")
        for handler in stmt.handlers
        if handler.types is None or last_name(handler.types) not in _STOPPING
        for at in walk(handler.body)
    )


def _is_made_good(stmt: Try, all_done: list[Site]) -> bool:
    """Whether each clause that catches all leaves the loop, and what is open is reported behind it."""
    if not any(catches(handler.types, "Exception") for handler in stmt.handlers):
        return False
    leaves = all(any(type(at.stmt).__name__ == "Break" for at in walk(handler.body)) for handler in stmt.handlers)
    behind = any(
        site.call.span.line > stmt.span.line and next(enclosing_loops(site.at), None) is not None for site in all_done
    )
    return leaves and behind and len(all_done) > 1


def _raiser(stmt: Stmt, fn: Fn, project: Project) -> str | None:
    """The first call of the statement itself that may raise."""
    at = At(stmt, (stmt,), 0, "", None, None)
    for site in sites_at(at):
        maker = site.parents[0] if site.parents else None
        if isinstance(maker, Call) and last_name(maker.func) in _MAKERS:
            continue  # a coroutine, which begins later
        if not _is_held(site) and may_raise(site.call, fn, project):
            return f"`{text(site.call)}` raises"
    return None


def may_raise(call: Call, fn: Fn, project: Project) -> bool:
    """Whether the call is none of those that do not raise."""
    return last_name(call.func).strip("_") not in _SURE and not _never_raises(call, fn, project)


def _is_held(site: Site) -> bool:
    """``gather(…, return_exceptions=True)``, or what is handed to it."""
    calls = (site.call, *(parent for parent in site.parents if isinstance(parent, Call)))
    given = (argument(call, 99, "return_exceptions") for call in calls if last_name(call.func) == "gather")
    return any(isinstance(value, Const) and value.value is True for value in given)


def _never_raises(call: Call, fn: Fn, project: Project) -> bool:
    """A method of a text; a function of the project whose body is one ``try`` that catches all, or nothing but sure calls."""
    if isinstance(call.func, Attr) and isinstance(call.func.value, Const):
        return True  # `"item {}".format(item)`, `", ".join(names)`
    if _asks_a_mapping(call, fn, project):
        return True
    targets = project.calls.targets(call, fn)
    if not targets:
        return not call.args and _is_plain_class(call, fn, project)
    return all(_is_sure(target.fn, project) for target in targets)


def _asks_a_mapping(call: Call, fn: Fn, project: Project) -> bool:
    """``self._waiting.get(key)``, and ``pop`` with a default, of a dictionary."""
    if not isinstance(call.func, Attr) or call.func.name not in ("get", "pop"):
        return False
    if not call.args or (call.func.name == "pop" and len(call.args) < 2):
        return False
    values = project.evaluate.values(call.func.value, fn)
    return bool(values) and all(
        isinstance(value, Container) or getattr(value, "cls", "") == "builtins.dict" for value in values
    )


def _is_plain_class(call: Call, fn: Fn, project: Project) -> bool:
    """Whether a class of the project is made, which has no constructor of its own: a sentinel."""
    made = project.evaluate.values(call.func, fn)
    return bool(made) and all(
        isinstance(value, Class)
        and not isinstance(value.cls, str)
        and not project.classes.external_bases(value.cls)
        and not any(project.classes.method(value.cls, name) for name in ("__init__", "__new__", "__post_init__"))
        for value in made
    )


def _is_sure(fn: Fn, project: Project) -> bool:
    """Whether the whole body is one ``try`` that catches all, beside calls that do not raise."""
    for stmt in fn.facts.body:
        if isinstance(stmt, Try) and any(catches(handler.types, "Exception") for handler in stmt.handlers):
            continue
        if type(stmt).__name__ in ("Raise", "With", "For", "While", "Assert"):
            return False
        for site in sites((stmt,)):
            if last_name(site.call.func) not in _SURE and not project.calls.is_call_to(site.call, fn, *_QUIET_WAITS):
                return False
    return True
