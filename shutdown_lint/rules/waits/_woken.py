"""Whether those who tell a worker to end also wake it from what it waits for."""

from __future__ import annotations

from shutdown_lint.facts import Assign, Attr, Const, Expr, For, Name, While
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.protocol import Loop, Wait
from shutdown_lint.project.scopes import Value
from shutdown_lint.project.tracks import Attribute, Local, Place, Track
from shutdown_lint.rules._handed_flags import tracks_of
from shutdown_lint.rules._told import QUEUES, are_kin, tellers_of, told_flags
from shutdown_lint.rules.waits._stops import STOP_NAME, is_stop, method_name, receiver
from shutdown_lint.walk import Site, enclosing_loops, last_name, subexprs

_LIMITS = frozenset({"settimeout", "setblocking", "set_timeout", "setsockopt"})
_LIMIT_OPTIONS = frozenset({"RCVTIMEO", "rcvtimeo"})  # attributes of a socket of ZeroMQ
_CLOSES = frozenset({"close", "shutdown", "detach", "cancel", "abort"})
_CONNECTS = frozenset({"connect", "create_connection", "urlopen", "connect_ex", "sendto", "socketpair"})
_ENDS_CONTEXT = frozenset({"term", "destroy"})
_PUTS = frozenset({"put", "put_nowait", "append", "appendleft"})
_SIGNALS = frozenset({"set", "notify", "notify_all", "notifyAll", "release"})
_KILLS = frozenset({"kill", "terminate", "send_signal", "killpg"})


def waited_name(expr: Expr | None, fn: Fn) -> str | None:
    """The name of the attribute or global that is waited on, behind a local alias; None for a parameter or anything else."""
    if isinstance(expr, Attr):
        return expr.name
    if not isinstance(expr, Name) or any(param.name == expr.id for param in fn.facts.params):
        return None
    bindings = fn.bindings.get(expr.id, ())
    if not bindings:
        return expr.id
    values = [binding.expr if isinstance(binding, Value) else None for binding in bindings]
    names = {value.name if isinstance(value, Attr) else None for value in values}
    return names.pop() if len(names) == 1 else None


def tellers(project: Project, loop: Loop, flag: Place) -> list[tuple[Fn, Site]]:
    """Where code outside the worker sets the flag."""
    worker = _own(project, loop)
    return [(fn, site) for fn, site in tellers_of(project, loop, flag) if fn not in worker]


def flag_from_outside(project: Project, loop: Loop) -> Place | None:
    """The flag that code outside the worker sets; one that only the worker sets tells that it is done."""
    return next((flag for flag in told_flags(project, loop) if tellers(project, loop, flag)), None)


def _own(project: Project, loop: Loop) -> set[Fn]:
    """What only the worker runs: not a stop that it calls as others do."""
    reached = set(project.protocol.reach(loop.fn))
    return {fn for fn in reached if fn is loop.fn or not _is_shared_stop(fn, reached, project)}


def _is_shared_stop(fn: Fn, worker: set[Fn], project: Project) -> bool:
    if not STOP_NAME.match(fn.name):
        return False
    return not fn.name.startswith("_") or any(caller.fn not in worker for caller in project.calls.callers(fn))


def woken(project: Project, wait: Wait, loop: Loop, flag: Place) -> bool:
    """Whether anything that stops the worker may end the wait. Errs towards yes."""
    name = waited_name(receiver(wait.site.call), wait.fn)
    if name is None:
        return _is_handed_woken(project, wait, loop, flag)
    project.modules.loaded_mentioning(name)
    if _is_answered(project, wait, name, flag):
        return True
    region = _region(project, loop, flag)
    if wait.model.call.startswith("zmq.") and any(_ENDS_CONTEXT & fn.mentions for fn in region | {wait.fn, loop.fn}):
        return True
    if any(_CONNECTS & {method_name(site.call) for site in fn.sites} for fn in region):
        return True
    worker = _own(project, loop)
    if wait.model.wakes in ("set", "notify") and _is_told_by_reader(project, name, region, worker):
        return True
    for fn in project.calls.mentioning(name):
        for site in fn.sites:
            if _is_about(site, name) and _wakes(site, wait, fn in region, fn in worker):
                return True
        if _gets_limit(fn, name) or _LIMIT_OPTIONS & fn.mentions:
            return True
        if fn not in worker and fn.name != "__init__" and _passes_on(fn, name):
            return True
    return False


def handed_tracks(wait: Wait, project: Project) -> list[Track]:
    """The queues and sockets that the worker is handed under the name that it waits on; empty where not all are known."""
    what = receiver(wait.site.call)
    if not isinstance(what, Name):
        return []
    return tracks_of(project, Local(wait.fn, what.id, False), (*QUEUES, "socket.socket"))


def _is_handed_woken(project: Project, wait: Wait, loop: Loop, flag: Place) -> bool:
    """The same for an object that was handed to the worker, which has any name elsewhere: by what is done with it."""
    tracks = handed_tracks(wait, project)
    if not tracks or any(track.truncated or not all(map(_is_to_worker, track.escapes)) for track in tracks):
        return True
    region, worker = _region(project, loop, flag), _own(project, loop)
    uses = [use for track in tracks for use in track.uses]
    if any(use.kind not in ("method", "test") for use in uses):
        return True
    return any(_wakes(use.site, wait, use.fn in region, use.fn in worker) for use in uses if use.kind == "method")


def _is_to_worker(escape: str) -> bool:
    """Whether it only goes to a thread, which gets it as an argument."""
    return escape in ("handed to `threading.Thread`", "handed to `threading.Timer`")


def _is_answered(project: Project, wait: Wait, name: str, flag: Place) -> bool:
    """Whether the wait is for the answer of another object, one that has a worker of its own which notifies."""
    cls = project.classes.enclosing(wait.fn)
    if wait.model.wakes not in ("set", "notify") or cls is None or not isinstance(flag, Attribute):
        return False
    if are_kin(cls, flag.cls, project):
        return False
    return any(
        project.roles.role(fn, "thread", "pool-thread") is not None
        and any(_is_about(site, name) and method_name(site.call) in _SIGNALS for site in fn.sites)
        for fn in project.classes.methods(cls).values()
    )


def _is_told_by_reader(project: Project, name: str, region: set[Fn], worker: set[Fn]) -> bool:
    """Whether the stop closes what another loop reads, and that one signals where its reading ends."""
    closed = {
        last_name(receiver(site.call)) for fn in region for site in fn.sites if method_name(site.call) in _CLOSES
    } - {""}
    return bool(closed) and any(
        fn not in worker
        and any(closed & reached.mentions for reached in project.protocol.reach(fn))
        and any(
            _is_about(site, name) and method_name(site.call) in _SIGNALS and _is_at_end(site, fn) for site in fn.sites
        )
        for fn in project.calls.mentioning(name)
    )


def _is_at_end(site: Site, fn: Fn) -> bool:
    """In a handler or ``finally``, or behind the loop of the function."""
    if any(place.part in ("handler", "final") for place in site.at.around()):
        return True
    loops = any(isinstance(at.stmt, (For, While)) for at in fn.statements)
    return loops and next(enclosing_loops(site.at), None) is None


def _region(project: Project, loop: Loop, flag: Place) -> set[Fn]:
    """The functions that set the flag, those that stop things, and what they call."""
    setters = [fn for fn, _ in tellers(project, loop, flag)]
    callers = [caller.fn for fn in setters for caller in project.calls.callers(fn)]
    owner = project.classes.enclosing(loop.fn)
    methods = project.classes.methods(owner).values() if owner is not None else project.functions(loop.fn.module)
    stops = [fn for fn in methods if STOP_NAME.match(fn.name) or is_stop(fn, project)]
    return {reached for fn in (*setters, *callers, *stops) for reached in project.protocol.reach(fn)}


def _is_about(site: Site, name: str) -> bool:
    """Whether the call is made on the name, or gets it as an argument."""
    roots = [receiver(site.call), *(arg.value for arg in site.call.args)]
    return any(
        (isinstance(part, Attr) and part.name == name) or (isinstance(part, Name) and part.id == name)
        for root in roots
        if root is not None
        for part in subexprs(root)
    )


def _wakes(site: Site, wait: Wait, in_region: bool, in_worker: bool) -> bool:
    method = method_name(site.call)
    if method in _LIMITS:
        return True
    if in_worker:
        return False
    if method in _CLOSES and not wait.model.call.startswith(
        "multiprocessing."
    ):  # the parent's end of a queue is not the child's
        return True
    if wait.model.wakes == "put":
        return method in _PUTS and (in_region or any(isinstance(arg.value, Const) for arg in site.call.args))
    if wait.model.wakes == "child":
        return method in _KILLS
    if wait.model.wakes in ("set", "notify"):
        return method in _SIGNALS and in_region
    return in_region


def _gets_limit(fn: Fn, name: str) -> bool:
    """``server.settimeout(0.5); self._server = server``: the limit is set while the object has another name."""
    if not _LIMITS & fn.mentions:
        return False
    stored = (at.stmt for at in fn.statements if isinstance(at.stmt, Assign) and isinstance(at.stmt.value, Name))
    others = {stmt.value.id for stmt in stored if any(last_name(target) == name for target in stmt.targets)}  # type: ignore[union-attr]  # a name
    return any(method_name(site.call) in _LIMITS and last_name(receiver(site.call)) in others for site in fn.sites)


def _passes_on(fn: Fn, name: str) -> bool:
    """Whether the object leaves by a ``return``: others may wake it."""
    return any(
        isinstance(value, (Attr, Name)) and name in (getattr(value, "name", ""), getattr(value, "id", ""))
        for value in fn.returns
    )
