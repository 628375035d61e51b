"""Whether a cleanup does something that is seen outside of the process, and that nobody else would do.

The operating system closes sockets, releases locks and frees memory by itself when a process ends. It does not write
buffers, commit, rename, remove files, tell a server, or wait for the work of others.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from shutdown_lint.facts import Attr, Await, Call, Const, Expr, For, Name, Stmt, Try, While, With, WithItem
from shutdown_lint.findings import Step
from shutdown_lint.models import Resource
from shutdown_lint.project.failing import is_closed_here
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.scopes import Element
from shutdown_lint.project.values import Instance
from shutdown_lint.walk import At, Site, argument, last_name, same, sites, text, walk

if TYPE_CHECKING:
    from shutdown_lint.project import Project

MAX_DEPTH = 2
# Calls that open a file, and the (0-based) position of the mode; -1: always open for writing.
OPENERS = {
    "builtins.open": 1, "io.open": 1, "gzip.open": 1, "gzip.GzipFile": 1, "bz2.open": 1, "lzma.open": 1, "codecs.open": 1, "os.fdopen": 1,
    "pathlib.Path.open": 0, "zipfile.ZipFile": 1, "tarfile.open": 1, "tempfile.NamedTemporaryFile": -1,
    "tempfile.TemporaryFile": -1,
}  # fmt: skip
_ENDED_BY_SYSTEM = frozenset({
    "os.close", "_winapi.CloseHandle", "socket.socket.close", "socket.socket.shutdown", "signal.signal", "signal.alarm",
    "selectors.DefaultSelector.close", "threading.Lock.release", "threading.RLock.release", "builtins.print",
    "threading.Condition.release", "threading.Semaphore.release", "sys.stdout.flush", "sys.stderr.flush",
    "sys.stdout.write", "sys.stderr.write", "socketserver.BaseServer.shutdown", "io.StringIO.close", "io.BytesIO.close",
})  # fmt: skip
_STACKS = ("contextlib.ExitStack", "contextlib.AsyncExitStack")
_PUSHES = ("callback", "push", "push_async_callback", "push_async_exit")
_THREADING = re.compile(r"Threading(TCP|UDP|Unix\w*|Mixin|MixIn)|Forking")
# Calls that let the work of others end before the process does.
_WAITS = frozenset({
    "threading.Thread.join", "multiprocessing.Process.join", "multiprocessing.pool.Pool.join", "queue.Queue.join",
    "concurrent.futures.ThreadPoolExecutor.shutdown", "concurrent.futures.ProcessPoolExecutor.shutdown",
})  # fmt: skip
# A line in a log is no cleanup, wherever it is written.
_TALKS = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "print", "echo"})
_CLOSED_BY_SYSTEM = ("socket", "fd", "selector")
_KINDS = ("file", "tempdir", "executor", "pool", "process", "child", "server", "session", "connection", "producer")
# Names of calls in a `finally` whose effect is seen outside of the process.
_OUTSIDE = re.compile(
    r"commit|rollback|flush|save|persist|write|dump(?!s)|store|close|unlink|remove|rmtree|rename|delete|cleanup|clean_up|purge|publish|"
    r"shutdown|disconnect|deregister|unregister|unlock|release|restore|fsync|upload|sync$|logout|quit|notify|terminate|kill|nack$|^ack",
    re.IGNORECASE,
)
# What only takes something out of a list in memory, or back from another object of the process.
_IN_MEMORY = re.compile(
    r"remove_?(\w*_)?(handler|filter|listener|callback|observer|hook|reader|writer|subscriber|watcher)s?$",
    re.IGNORECASE,
)
# What a mere `close` gives back that has this name, the system gives back too.
_SOCKETS = re.compile(r"(^|_)(conn|connection|sock(et)?|session|websession|transport|listener|loop)\d*$", re.IGNORECASE)
# Names of context managers (called with arguments or not) that stand for something outside of the process.
_OUTSIDE_CONTEXT = re.compile(
    r"open|lock_?file|file_?lock|pid_?file|temp|tmp|closing|connect|transaction|atomic|session|exit_?stack|pool|executor|popen|writer|"
    r"archive|zipfile|tarfile|lease|mount|raw_?mode|cbreak|alternate_?screen",
    re.IGNORECASE,
)


def of_statement(at: At, fn: Fn, project: Project, depth: int = 0) -> Iterator[Step]:
    """The cleanup of one ``try`` or ``with`` statement that reaches outside of the process, as steps."""
    stmt = at.stmt
    if isinstance(stmt, Try) and stmt.final:
        site = next((site for site in sites(stmt.final) if reaches_outside(site, fn, project)), None)
        if site is not None:
            yield fn.step(site.call.span, f"`finally: {text(site.call)}` in {fn.qualname}")
    elif isinstance(stmt, With):
        for item in stmt.items:
            if _is_stack(item.context, fn, project):
                yield from _of_stack(item, stmt, fn, project, depth)
            elif context_matters(item.context, fn, project, depth):
                yield project.cleanup.with_step(item, stmt, fn)


def _is_stack(context: Expr, fn: Fn, project: Project) -> bool:
    return isinstance(context, Call) and any(name in _STACKS for name in project.calls.external(context, fn))


def _of_stack(item: WithItem, stmt: With, fn: Fn, project: Project, depth: int) -> Iterator[Step]:
    """What the function itself puts on the stack tells what its end does; what others put there is not known."""
    for site in sites(stmt.body):
        func = site.call.func
        if not isinstance(func, Attr) or not same(func.value, item.target) or not site.call.args:
            continue
        given = site.call.args[0].value
        if func.name in ("enter_context", "enter_async_context"):
            matters = context_matters(given, fn, project, depth)
        else:
            called = Call(given, site.call.args[1:], site.call.span)
            matters = func.name in _PUSHES and reaches_outside(site._replace(expr=called), fn, project)
        if matters:
            yield project.cleanup.with_step(item, stmt, fn)
            return


def held(fn: Fn, project: Project, depth: int = 0) -> Iterator[Step]:
    """The same for every ``try`` and ``with`` that the function holds anywhere."""
    for at in fn.statements:
        yield from of_statement(at, fn, project, depth)


def held_long(fn: Fn, project: Project) -> Iterator[Step]:
    """The same without what is over at once: ``with open(path, "w") as out: out.write(number)``."""
    for at in fn.statements:
        body = at.stmt.body if isinstance(at.stmt, (Try, With)) else ()
        if any(_lasts(stmt, fn, project) for stmt in body):
            yield from of_statement(at, fn, project)


def _lasts(stmt: Stmt, fn: Fn, project: Project) -> bool:
    """Whether the statement has a loop, waits, or calls something of the project."""
    if any(isinstance(inner.stmt, (For, While)) for inner in walk((stmt,))):
        return True
    calls = sites((stmt,))
    return any(project.protocol.wait(site, fn) is not None or project.calls.targets(site.call, fn) for site in calls)


def _is_ended_by_system(name: str, fn: Fn, project: Project) -> bool:
    """A server without threads of its own closes its socket, an event loop its selector, a client its pooled sockets, and no more."""
    if is_closed_here(name, project):
        return True
    owner, _, last = name.rpartition(".")
    model = project.models.resource(owner)
    if model is not None and last in (*model.release, *model.stop) and _is_given_back(model, fn, project):
        return True
    if model is not None and last in model.release and model.kind in (*_CLOSED_BY_SYSTEM, "loop"):
        return True
    if last == "close" and owner.endswith(".socket") and owner.partition(".")[0] in sys.stdlib_module_names:
        return True  # `server.socket.close()` of a server of the library
    known = f"{project.models.canonical(owner)}.{last}"
    return bool({name, known} & _ENDED_BY_SYSTEM) or (last == "server_close" and not _THREADING.search(owner))


def _is_given_back(model: Resource, fn: Fn, project: Project) -> bool:
    """Whether the system takes all of it back: always, or as long as nothing in the file has burdened it."""
    if not model.burdens:
        return model.given_back
    return not any(word in other.mentions for other in project.functions(fn.module) for word in model.burdens)


def reaches_outside(site: Site, fn: Fn, project: Project, depth: int = 0) -> bool:
    """Whether a cleanup call does what the operating system would not do by itself; followed two calls deep."""
    if last_name(site.call.func) in _TALKS:
        return False
    if last_name(site.call.func) == "close" and isinstance(site.call.func, Attr):
        if _only_reads(site.call.func.value, fn, project):
            return False
    names = project.calls.external(site.call, fn)
    if _is_in_memory(site.call, names):
        return False
    if names:
        return any(
            name in _WAITS or (_OUTSIDE.search(name.rpartition(".")[2]) and not _is_ended_by_system(name, fn, project))
            for name in names
        )
    targets = [target.fn for target in project.calls.targets(site.call, fn) if target.fn is not fn]
    if targets:
        return depth <= MAX_DEPTH and any(
            reaches_outside(inner, target, project, depth + 1) for target in targets for inner in target.sites
        )
    if isinstance(site.call.func, Attr) and project.cleanup.is_harmless(site.call.func.value, fn):
        return False
    if last_name(site.call.func) == "close" and isinstance(site.call.func, Attr):
        if _SOCKETS.search(last_name(site.call.func.value)):
            return False
    return bool(_OUTSIDE.search(last_name(site.call.func)))


def _is_in_memory(call: Call, names: tuple[str, ...]) -> bool:
    """``callbacks.remove(one)``, ``logger.removeHandler(handler)``: with the process goes the list, too."""
    last = last_name(call.func)
    is_of_list = last == "remove" and isinstance(call.func, Attr) and len(call.args) == 1 and all(map(_of_data, names))
    return is_of_list or bool(_IN_MEMORY.match(last))


def _of_data(name: str) -> bool:
    return name.startswith(("builtins.", "collections.", "typing.", "weakref."))


def _only_reads(file: Expr, fn: Fn, project: Project) -> bool:
    """Whether it is a file that was opened for reading, or one of several that this function opens so: the system closes it as well."""
    values = [value for value in project.evaluate.values(file, fn) if isinstance(value, Instance)]
    made = [(value.call, value.fn) for value in values if value.call is not None and value.fn is not None]
    if not made and isinstance(file, Name) and any(isinstance(b, Element) for b in fn.bindings.get(file.id, ())):
        made = [(site.call, fn) for site in fn.sites if _opener(site.call, fn, project) is not None]
    openers = [(call, _opener(call, maker, project)) for call, maker in made]
    return bool(openers) and all(opener is not None and not writes(call, OPENERS[opener]) for call, opener in openers)


def _opener(call: Call, fn: Fn, project: Project) -> str | None:
    return next((name for name in project.calls.external(call, fn) if name in OPENERS), None)


def does_something(fn: Fn, project: Project) -> bool:
    """Whether a function calls anything that reaches outside of the process."""
    return any(reaches_outside(site, fn, project) for site in fn.sites)


def context_matters(context: Expr, fn: Fn, project: Project, depth: int = 0) -> bool:
    """Whether leaving the context manager unfinished is seen outside of the process."""
    inner = context.value if isinstance(context, Await) else context
    if depth > MAX_DEPTH or (project.cleanup.is_harmless(inner, fn) and not _OUTSIDE_CONTEXT.search(text(inner))):
        return False
    if isinstance(inner, Call):
        known = _call_matters(inner, fn, project, depth)
        if known is not None:
            return known
    for value in project.evaluate.values(inner, fn):
        if isinstance(value, Instance) and isinstance(value.cls, Cls):
            return _exit_matters(value.cls, project)
        if isinstance(value, Instance) and isinstance(value.cls, str):
            return _external_matters(value.cls, inner, fn, project)
    return isinstance(inner, Call) and bool(_OUTSIDE_CONTEXT.search(last_name(inner.func)))


def _call_matters(call: Call, fn: Fn, project: Project, depth: int) -> bool | None:
    """The answer for a call that opens a file or runs a ``@contextmanager`` of the project; None for any other."""
    names = project.calls.external(call, fn)
    if call.args and any(name in ("contextlib.closing", "contextlib.aclosing") for name in names):
        return context_matters(call.args[0].value, fn, project, depth + 1)
    opener = _opener(call, fn, project)
    if opener is not None:
        return writes(call, OPENERS[opener])
    targets = [target.fn for target in project.calls.targets(call, fn)]
    generators = [target for target in targets if target.decorator_names & {"contextmanager", "asynccontextmanager"}]
    if generators:
        return any(True for generator in generators for _ in held(generator, project, depth + 1))
    if isinstance(call.func, Attr) and call.func.name == "open":
        return writes(call, 0) or writes(call, 1)
    return None


def writes(call: Call, position: int) -> bool:
    """Whether an opening call opens for writing: a constant mode with ``w``, ``a``, ``x`` or ``+``."""
    if position < 0:
        return True
    mode = argument(call, position, "mode")
    if not (isinstance(mode, Const) and isinstance(mode.value, str)):
        return False
    return len(mode.value) < 5 and bool(set("wax+") & set(mode.value))


def _external_matters(name: str, context: Expr, fn: Fn, project: Project) -> bool:
    model = project.models.resource(name)
    if model is not None and (
        model.kind in _CLOSED_BY_SYSTEM
        or any(_is_ended_by_system(f"{name}.{release}", fn, project) for release in model.release)
    ):
        return False
    if model is not None and (model.kind in _KINDS or model.loss != "real"):
        return model.loss == "real"
    return bool(_OUTSIDE_CONTEXT.search(name.rpartition(".")[2]) or _OUTSIDE_CONTEXT.search(text(context)))


def _exit_matters(cls: Cls, project: Project) -> bool:
    for name in ("__exit__", "__aexit__"):
        method = project.classes.method(cls, name)
        if method is not None:
            return does_something(method, project)
    # the exit method is inherited from a class that we do not see
    return bool(project.classes.external_bases(cls)) and bool(_OUTSIDE_CONTEXT.search(cls.name))
