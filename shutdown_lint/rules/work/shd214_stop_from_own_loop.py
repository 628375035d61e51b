"""A worker waits for its own end: the stop hangs, or raises.

## What it does
Reports `server.shutdown()` called in the thread that runs `serve_forever` (from a request handler of a server with one
thread, from a signal handler while the main thread serves, from a hook of the server's loop), a thread that joins itself,
`executor.shutdown()` in a job of that executor, and, in an executor with one worker, a job that waits for another one. Strict:
a public method that joins a thread which runs callbacks of whoever uses the object, as one of them may call it.

## Why it matters
`shutdown()` waits until `serve_forever` has returned, which cannot return before the caller does: the server hangs, and
the stop request with it. A thread that joins itself gets a RuntimeError, and the steps behind the join are skipped.

## Example
```python
import signal
from http.server import HTTPServer, SimpleHTTPRequestHandler

server = HTTPServer(("", 8000), SimpleHTTPRequestHandler)


def stop(signum, frame):
    server.shutdown()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    with server:
        server.serve_forever()
```

## Use instead
```python
import signal
import sys
from http.server import HTTPServer, SimpleHTTPRequestHandler

server = HTTPServer(("", 8000), SimpleHTTPRequestHandler)


def stop(signum, frame):
    sys.exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    with server:
        server.serve_forever()
```

## Precision
Silent for `Thread(target=server.shutdown)`, for servers with a thread per request, behind `serve_forever` (in a `finally` or
`except` of it), where the code asks which thread it is in, and for calls on another object of the same class.

## References
- [BaseServer.shutdown](https://docs.python.org/3/library/socketserver.html#socketserver.BaseServer.shutdown): "must be
  called while serve_forever() is running in a different thread otherwise it will deadlock"
- [Thread.join](https://docs.python.org/3/library/threading.html#threading.Thread.join)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shutdown_lint.facts import Attr, Call, Const, ModuleFacts, Name, Try
from shutdown_lint.findings import Finding, Step, Tier
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.scopes import Value
from shutdown_lint.project.tracks import Attribute, Local, Track, Use
from shutdown_lint.project.values import Class
from shutdown_lint.rules._texts import JOIN
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._common import is_true, label, names
from shutdown_lint.rules.work._from_callback import callback_of
from shutdown_lint.rules.work._inside import way
from shutdown_lint.walk import Site, argument, line_of, text

RULE = Rule(
    code="SHD214",
    name="stop-from-own-loop",
    summary="a worker waits for its own end: `shutdown()` or `join()` in the thread that should end",
    tier="D",
    severity="error",
    triggers=(
        "shutdown(",
        JOIN,
        ".result(",
    ),
    origin=("G11",),
)
_SERVER = "socketserver.BaseServer"
_HANDLERS = (
    "socketserver.BaseRequestHandler",
    "socketserver.StreamRequestHandler",
    "http.server.BaseHTTPRequestHandler",
)
_HANDLER_BASES = (*_HANDLERS, "http.server.SimpleHTTPRequestHandler", "xmlrpc.server.SimpleXMLRPCRequestHandler")
# Hooks that `serve_forever` calls in its own thread, whatever serves the requests.
_HOOKS = ("service_actions", "handle_timeout", "verify_request", "get_request")
_IN_THREAD = "call it in a thread of its own, `threading.Thread(target=server.shutdown).start()`, or raise `SystemExit`"


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at the waits of the module that may stand in what they wait for."""
    called = {names(site.call.func) for fn in project.functions(module) if not is_test(fn) for site in fn.sites}
    if "shutdown" in called:
        yield from _servers(module, project)
        yield from _handlers(module, project)
    if called & {"shutdown", "result"}:
        yield from _executors(module, project)
    if "join" in called:
        yield from _threads(module, project)
        yield from _subclasses(module, project)


# --- servers ---------------------------------------------------------------------------------------------------------------


def _servers(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """`shutdown()` in a signal handler while the main thread serves."""
    for acquisition in project.resources.everywhere("server"):
        if acquisition.model.name != _SERVER:
            continue
        track = project.resources.track(acquisition)
        serves = [use for use in track.methods("serve_forever") if _in_main(use.fn, project)]
        for use in track.methods("shutdown") if serves else ():
            role = project.roles.role(use.fn, "signal-handler")
            if use.fn.module is module and role is not None and role.confidence == "proven":
                served = serves[0].fn.step(
                    serves[0].site.call.span, f"the main thread is in `{text(serves[0].site.call)}`"
                )
                message = (
                    "runs in the main thread, in the midst of `serve_forever`, and waits for its end: the stop hangs"
                )
                yield _finding(use.fn, use.site, message, (served, *role.steps), _IN_THREAD)


def _in_main(fn: Fn, project: Project) -> bool:
    """Whether the main thread runs the function: it has that role, or nobody gives it another one."""
    kinds = project.roles.kinds(fn)
    return "main" in kinds or not kinds


def _handlers(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """`self.server.shutdown()` in a request handler, `self.shutdown()` in a hook of the server."""
    for cls in project.modules.of(module).classes:
        bases = project.classes.external_bases(cls)
        if any(base in _HANDLER_BASES for base in bases):
            tier = _single_threaded(cls, project)
            if tier is None:
                continue
            for fn, site in _own_calls(cls, "server", "shutdown"):
                message = "runs in the thread of `serve_forever` and waits for its end: the server hangs"
                yield _finding(fn, site, message, (), _IN_THREAD, tier)
        elif project.resources.class_model(cls) is not None and _is_server(cls, project):
            for fn, site in _own_calls(cls, "", "shutdown"):
                if fn.name in _HOOKS:
                    message = (
                        f"runs in `serve_forever`, which calls `{fn.name}`, and waits for its end: the server hangs"
                    )
                    yield _finding(fn, site, message, (), _IN_THREAD)


def _is_server(cls: Cls, project: Project) -> bool:
    model = project.resources.class_model(cls)
    return model is not None and model.name == _SERVER and project.classes.method(cls, "shutdown") is None


def _own_calls(cls: Cls, attribute: str, method: str) -> Iterator[tuple[Fn, Site]]:
    """`self.method()`, or `self.attribute.method()`, in the methods of the class."""
    for fn in cls.methods.values():
        for site in fn.sites:
            receiver = site.call.func.value if isinstance(site.call.func, Attr) else None
            if attribute and isinstance(receiver, Attr) and receiver.name == attribute:
                receiver = receiver.value
            elif attribute:
                continue
            if names(site.call.func) == method and isinstance(receiver, Name) and receiver.id == fn.self_name:
                yield fn, site


def _single_threaded(handler: Cls, project: Project) -> Tier | None:
    """D where every server that gets the handler class has one thread, None where one has more, S where none is seen."""
    servers = [
        a for a in project.resources.everywhere("server") if a.model.name == _SERVER and _gets(a, handler, project)
    ]
    if any(_is_threading(server, project) for server in servers):
        return None
    return "D" if servers else "S"


def _gets(server: Acquisition, handler: Cls, project: Project) -> bool:
    given = argument(server.call, 1, "RequestHandlerClass")
    return any(isinstance(v, Class) and v.cls is handler for v in project.evaluate.values(given, server.fn))


def _is_threading(server: Acquisition, project: Project) -> bool:
    called = project.calls.external(server.call, server.fn) if server.cls is None else ()
    bases = project.classes.external_bases(server.cls) if server.cls is not None else ()
    return any("Threading" in name or "Forking" in name for name in (*called, *bases, text(server.call.func)))


# --- threads ---------------------------------------------------------------------------------------------------------------


def _threads(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """A thread whose target comes to the join of the attribute in which the thread rests."""
    for acquisition in project.resources.everywhere("thread"):
        if acquisition.model.name != "threading.Thread" or acquisition.cls is not None or is_test(acquisition.fn):
            continue
        track = project.resources.track(acquisition)
        for use in track.methods("join"):
            if use.fn.module is not module or _is_caught(use.site) or _is_another(use, project):
                continue
            if _is_earlier(use, acquisition):
                continue
            if _is_member(use, track):
                found = tuple(_joins_itself(acquisition, use, track, project))
                yield from found or _asked_by_callback(project.resources.bodies(acquisition), use.site, use.fn, project)


def _is_member(use: Use, track: Track) -> bool:
    """Whether the join is of one attribute that holds this thread, and no list of threads."""
    return any(isinstance(place, Attribute) and not place.contains for place in track.places) and not any(
        place.contains for place in track.places
    )


def _is_another(use: Use, project: Project) -> bool:
    """Whether the function has put another thread into the attribute by then: the join waits for that one."""
    place = use.place
    return isinstance(place, Attribute) and any(
        write.fn is use.fn and line_of(write.at.stmt) < line_of(use.site.at.stmt)
        for write in project.classes.writes(place.cls, place.name)
    )


def _is_earlier(use: Use, acquisition: Acquisition) -> bool:
    """``earlier = self._worker`` before the thread is made, and ``earlier.join()`` in it: that is the one before."""
    thread = use.site.call.func.value if isinstance(use.site.call.func, Attr) else None
    if not isinstance(thread, Name) or thread.id in use.fn.bindings or use.fn.parent is not acquisition.fn:
        return False
    taken = acquisition.fn.given(thread.id)
    return bool(taken) and all(isinstance(b, Value) and line_of(b.at.stmt) < acquisition.call.span.line for b in taken)


def _is_caught(site: Site) -> bool:
    return any(
        place.outer is not None
        and isinstance(place.outer.stmt, Try)
        and place.part == "body"
        and any(
            handler.types is None
            or "Runtime" in text(handler.types)
            or text(handler.types) in ("Exception", "BaseException")
            for handler in place.outer.stmt.handlers
        )
        for place in site.at.around()
    )


def _joins_itself(acquisition: Acquisition, use: Use, track: Track, project: Project) -> Iterator[Finding]:
    for body in project.resources.bodies(acquisition):
        steps = way(body, use.fn, project, same_object=True, place=use.site.at)
        if steps is not None:
            started = acquisition.fn.step(
                acquisition.call.span, f"thread `{label(acquisition, track)}` runs `{body.qualname}`"
            )
            message = "is reached by the thread itself: it raises RuntimeError, and what stands behind it is skipped"
            yield _finding(use.fn, use.site, message, (started, *steps), _ASK)
            return


def _asked_by_callback(bodies: Sequence[Fn], site: Site, fn: Fn, project: Project) -> Iterator[Finding]:
    """The join in a method that a user's callback may call in the thread itself."""
    found = callback_of(bodies, site, fn, project)
    if found is not None:
        holder, call = found
        message = f"waits for the thread that calls `{text(call.func)}`: a callback that calls `{fn.name}` joins itself"
        calls = holder.step(call.span, f"`{holder.qualname}` runs in the thread and calls what a user has given")
        yield _finding(fn, site, message, (calls,), _ASK, "S")


_ASK = "let the thread only set the stop flag, or join it only if `threading.current_thread()` is another one"


def _subclasses(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """`self.join()` on the way of a Thread subclass's own `run`."""
    for cls in project.modules.of(module).classes:
        run = cls.methods.get("run")
        if run is None or is_test(run) or not project.classes.is_a(cls, "threading.Thread"):
            continue
        if project.classes.method(cls, "join") is not None:
            continue
        for fn, site in _own_calls(cls, "", "join"):
            steps = way(run, fn, project, same_object=True, place=site.at) if not _is_caught(site) else None
            if steps is not None:
                started = run.step(run.facts.span, f"`{cls.name}.run` is the thread")
                message = (
                    "is reached by the thread itself: it raises RuntimeError, and what stands behind it is skipped"
                )
                yield _finding(fn, site, message, (started, *steps), _ASK)
            elif not _is_caught(site):
                yield from _asked_by_callback((run,), site, fn, project)


# --- executors -------------------------------------------------------------------------------------------------------------


def _executors(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    for acquisition in project.resources.everywhere("executor"):
        if "Thread" not in acquisition.model.name or is_test(acquisition.fn):
            continue
        track = project.resources.track(acquisition)
        for use in track.methods("shutdown", "submit"):
            caught = use.name == "shutdown" and _is_caught(use.site)
            if _is_of_its_call(use, acquisition, track):
                continue
            if use.fn.module is module and _waits(use, acquisition) and not caught:
                yield from _from_own_job(acquisition, use, track, project)


def _is_of_its_call(use: Use, acquisition: Acquisition, track: Track) -> bool:
    """Whether the executor is a local of the very function: a job that comes to it again has made another one by then."""
    mine = all(isinstance(place, Local) and place.fn is acquisition.fn for place in track.places)
    return mine and use.fn is acquisition.fn and not acquisition.fn.is_module


def _waits(use: Use, acquisition: Acquisition) -> bool:
    """`shutdown()` that waits; `submit(…).result()` where only one worker can run it."""
    if use.name == "shutdown":
        given = argument(use.site.call, 0, "wait")
        return given is None or is_true(given)  # `wait=wait`: what the job passes is not followed
    workers = argument(acquisition.call, 0, "max_workers")
    return isinstance(workers, Const) and workers.value == 1 and _is_fetched(use.site)


def _is_fetched(site: Site) -> bool:
    parents = site.parents
    return (
        len(parents) > 1
        and isinstance(parents[0], Attr)
        and parents[0].name == "result"
        and isinstance(parents[1], Call)
    )


def _from_own_job(acquisition: Acquisition, use: Use, track: Track, project: Project) -> Iterator[Finding]:
    own = any(isinstance(place, Attribute) for place in track.places)
    for submit in track.methods("submit", "map"):
        given = submit.site.call.args[0].value if submit.site.call.args else None
        for job in project.calls.callables(given, submit.fn):
            steps = way(job, use.fn, project, same_object=own, place=use.site.at)
            if steps is not None and not (use.site is submit.site and not steps):
                started = submit.fn.step(
                    submit.site.call.span, f"`{job.qualname}` is a job of `{label(acquisition, track)}`"
                )
                yield _finding(
                    use.fn,
                    use.site,
                    f"is reached by a job of the same executor, {_FROM_JOB[use.name]}",
                    (started, *steps),
                    "leave it to who made the executor, or use `wait=False`",
                )
                return


_FROM_JOB = {
    "shutdown": "whose thread it joins: it raises RuntimeError, and what stands behind it is skipped",
    "submit": "which it waits for: neither of them ever ends",
}


def _finding(fn: Fn, site: Site, message: str, trace: tuple[Step, ...], help: str, tier: Tier = "D") -> Finding:
    return RULE.finding(fn.module, site.call.span, f"`{text(site.call)}` {message}", tier=tier, trace=trace, help=help)
