"""Why a call may raise: it talks to a server, it runs code that others supply, or nobody knows.

A cleanup that a failing step cuts short is a hazard where that step can fail in practice. Closing a local socket or
setting an event cannot; a good-bye to a broker can whenever the network is down, which is when programs are stopped.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from shutdown_lint.facts import Attr, Await, Call, Expr, If, Name, Seq, Try, With
from shutdown_lint.findings import Step
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.implementers import implementations, is_for_others, methods_by_name
from shutdown_lint.project.memo import Memo
from shutdown_lint.project.peer_errors import peer_errors
from shutdown_lint.project.scopes import Element, Value
from shutdown_lint.project.supplied import added, is_supplied, last_part
from shutdown_lint.project.values import External
from shutdown_lint.walk import At, same, sites, subexprs, text

if TYPE_CHECKING:
    from shutdown_lint.project import Project

Kind: TypeAlias = Literal["time", "network", "foreign", "supplied", "unknown"]

MAX_DEPTH = 3
# Parts of a name (split at underscores) that stand for a peer to which a close says good-bye. Not sessions, clients, web
# sockets and connections: many of those are local, or catch what their close meets.
_PEERS = frozenset({
    "broker", "producer", "producers", "publisher", "subscriber", "redis", "kafka", "mqtt", "amqp", "smtp", "imap", "ftp", "consumer",
    "consumers", "mailbox", "ldap", "nats", "zookeeper", "etcd", "consul",
})  # fmt: skip
# Classes of what a server has sent: what stands in it is asked of nobody.
_ANSWERS = frozenset({"Response", "ClientResponse", "HTTPResponse"})
# What the system or a toolkit alone closes: that fails only where the program is broken.
_LOCAL = re.compile(
    r"(^|_)(sock(et)?|fd|file|file_?obj(ect)?|file_?handle|fp|fh|stdin|stdout|stderr|pipe|stream|thread|lock|t|f|s|window|widget|dialog|menu|toolbar|progress_?bar|figure)(s|\d)?$",
    re.IGNORECASE,
)
# Verbs whose calls say something to a peer, whoever it is; many a `disconnect`, `unsubscribe` or `publish` is a local affair.
_SAYS = re.compile(r"^_?(async_)?(log_?out|deregister\w*|commit\w*|sign_?off|logoff)$")
# Calls that compute, look up or log.
QUIET_NAMES = frozenset({
    "debug", "info", "warning", "error", "exception", "critical", "log", "print", "len", "isinstance", "getattr", "hasattr", "bool", "list", "tuple",
    "set", "dict", "str", "repr", "cancel", "append", "clear", "discard", "pop", "values", "items", "keys", "copy", "get", "is_set", "is_alive", "done",
    "super", "sleep", "add", "format", "cancelled", "id", "int", "float", "sorted", "reversed", "time", "monotonic", "locked", "is_running", "closed",
    "encode", "decode", "join", "split", "strip", "lower", "upper", "replace", "startswith", "endswith", "extend", "update", "remove", "popleft",
    "hex", "call_soon", "call_soon_threadsafe", "create_task", "ensure_future", "set_result", "isEnabledFor", "getLogger", "get_logger", "enumerate",
    "zip", "range", "min", "max", "sum", "any", "all", "type", "hash", "iter", "next", "empty", "qsize", "notify_all", "notify", "getpid",
})  # fmt: skip
_CLOSES = frozenset({"close", "aclose", "close_connection", "__exit__", "__aexit__"})


class Why(NamedTuple):
    """The reason for which a call may raise: its kind, in words, and the calls on the way to it."""

    kind: Kind
    what: str
    steps: tuple[Step, ...] = ()


_ORDER: tuple[Kind, ...] = ("time", "network", "foreign", "supplied", "unknown")


def why(call: Call, fn: Fn, project: Project, *, awaited: bool = False, depth: int = 0) -> Why | None:
    """Why the call, written in ``fn``, may raise; None where it cannot, or only for a local reason."""
    names = project.calls.external(call, fn)
    if names:
        return _external(names, call, awaited, project)
    targets = tuple(target.fn for target in project.calls.targets(call, fn) if target.fn is not fn)
    if targets:
        if any(is_for_others(target, project) for target in targets):
            receiver = call.func.value if isinstance(call.func, Attr) else None
            brought = receiver is not None and is_supplied(receiver, fn, project)
            targets = implementations(targets, project, brought=brought)
        return _strongest(_of_function(target, call, fn, project, depth) for target in targets)
    return _unresolved(call, fn, awaited, depth, project)


def shielded(at: At) -> bool:
    """Whether an exception raised at the place ends in its own function: ``except Exception`` or ``suppress`` around it."""
    for place in at.around():
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, Try) and place.part == "body" and outer.handlers:
            return True
        if isinstance(outer, With) and any(is_suppress(item.context) for item in outer.items):
            return True
    return False


def is_suppress(context: Expr) -> bool:
    func = context.func if isinstance(context, Call) else None
    return last_part(func).lower() in ("suppress", "ignore", "ignored", "ignoring", "raises", "log_errors")


def _strongest(reasons: Iterable[Why | None]) -> Why | None:
    found = [reason for reason in reasons if reason is not None]
    return min(found, key=lambda reason: _ORDER.index(reason.kind), default=None)


def _external(names: tuple[str, ...], call: Call, awaited: bool, project: Project) -> Why | None:
    models = project.models
    if any(name in models.never_raises or models.canonical(name) in models.never_raises for name in names):
        return None
    if any(is_closed_here(name, project) for name in names):
        return None
    for name in names:
        if talks_to_server(name, project):
            return Why("network", f"`{text(call)}` talks to a server (`{name}`)")
    if all(name.partition(".")[0] in sys.stdlib_module_names for name in names):
        return None
    return (_by_name(call) if awaited else None) or Why("unknown", f"`{text(call)}`")


def talks_to_server(name: str, project: Project) -> bool:
    """Whether the call talks to a server: one of a client's, unless it closes what says no good-bye, or is its own affair."""
    last = name.rpartition(".")[2]
    if last.startswith("_") and not last.startswith("__"):
        return False  # `client._reset_sockets()`
    if not _is_of(name, project.models.network) or is_closed_here(name, project):
        return False
    return _ANSWERS.isdisjoint(name.split(".")[:-2])  # `response.text.strip`: what has been received is here


def is_closed_here(name: str, project: Project) -> bool:
    """Whether this gives back pooled connections, and says nothing to a server."""
    return name.rpartition(".")[2] in _CLOSES and _is_of(name, project.models.closed_here)


def _is_of(name: str, packages: frozenset[str]) -> bool:
    return name in packages or name.partition(".")[0] in packages or any(name.startswith(f"{p}.") for p in packages)


def _is_quiet(maker: str, method: str, project: Project) -> bool:
    """Whether the method of what the function makes is known not to raise."""
    if method in _CLOSES and _is_of(maker, project.models.closed_here):
        return True
    model = project.models.acquire.get(project.models.canonical(maker))
    return model is not None and f"{model.name}.{method}" in project.models.never_raises


def _made_by(receiver: Expr, method: str, fn: Fn, project: Project) -> str | None:
    """The function of a network package that makes the object: ``self.pool = await asyncpg.create_pool(dsn)``."""
    for value, scope in _written(receiver, fn, project):
        inner = value.value if isinstance(value, Await) else value
        for name in project.calls.external(inner, scope) if isinstance(inner, Call) else ():
            if talks_to_server(name, project) and not _is_quiet(name, method, project):
                return name
    return None


def _written(receiver: Expr, fn: Fn, project: Project) -> Iterator[tuple[Expr, Fn]]:
    """What is assigned to a local name or to an attribute of ``self``."""
    if isinstance(receiver, Name):
        for binding in fn.bindings.get(receiver.id, ()):
            if isinstance(binding, Value):
                yield binding.expr, fn
            elif isinstance(binding, Element):
                yield from _put_into(binding.iter, fn, project)
    elif isinstance(receiver, Attr):
        for cls in project.classes.instances(project.evaluate.values(receiver.value, fn)):
            for write in project.classes.writes(cls, receiver.name):
                if write.value is not None:
                    yield write.value, write.fn


def _put_into(container: Expr, fn: Fn, project: Project) -> Iterator[tuple[Expr, Fn]]:
    """What the methods of a class put into the container in an attribute of it: ``self.name[key] = …``, ``.append(…)``."""
    if isinstance(container, Call) and isinstance(container.func, Attr) and container.func.name == "values":
        container = container.func.value
    if not isinstance(container, Attr):
        return
    for cls in project.classes.instances(project.evaluate.values(container.value, fn)):
        methods = (method for member in project.classes.family(cls) for method in member.methods.values())
        for method in methods if cls.module is fn.module else ():
            for value in added(method, container.name) if container.name in method.mentions else ():
                bindings = method.bindings.get(value.id, ()) if isinstance(value, Name) else ()
                yield from ((b.expr, method) for b in bindings if isinstance(b, Value))
                yield value, method


# asked again for each call of a method that has many overrides
_BODIES: Memo[dict[tuple[Fn, int], Why | None]] = Memo()


def of_body(target: Fn, project: Project, depth: int = 0) -> Why | None:
    """Why something that the function does outside of any ``try`` may raise."""
    memo = _BODIES.setdefault(project, {})
    if (target, depth) not in memo:
        said = (raised.exc for at, raised in peer_errors(target) if not shielded(at))
        memo[target, depth] = _strongest(
            (
                *(Why("network", f"`{target.qualname}` raises `{text(exc)}`") for exc in said),
                *(
                    why(site.call, target, project, awaited=site.awaited, depth=depth + 1)
                    for site in target.sites
                    if not shielded(site.at) and last_part(site.call.func) not in QUIET_NAMES
                ),
            )
        )
    return memo[target, depth]


def _of_function(target: Fn, call: Call, fn: Fn, project: Project, depth: int) -> Why | None:
    if is_for_others(target, project):
        return Why("foreign", f"`{target.qualname}` is for others to implement")
    if depth >= MAX_DEPTH or (target.facts.is_generator and not target.facts.is_async):
        return None
    found = of_body(target, project, depth)
    if found is None or found.kind == "unknown":
        return found
    return found._replace(
        steps=(target.step(target.facts.span, f"`{text(call)}` runs `{target.qualname}`"), *found.steps)
    )


def _unresolved(call: Call, fn: Fn, awaited: bool, depth: int, project: Project) -> Why | None:
    by_name = _by_name(call) if awaited else None
    if by_name is not None:
        return by_name
    receiver = call.func.value if isinstance(call.func, Attr) else None
    if receiver is None or last_part(call.func) in QUIET_NAMES:
        return None
    if last_part(call.func) == "release" and not call.args and not awaited:
        return None  # an answer gives its connection back
    if (
        _LOCAL.search(last_part(receiver))
        or _has_ended(call, receiver, fn)
        or _is_transport(call, receiver, fn)
        or _is_tested(call, receiver, fn, project)
    ):
        return None
    made_by = _made_by(receiver, last_part(call.func), fn, project)
    if made_by is not None:
        return Why("network", f"`{text(receiver)}` talks to a server (`{made_by}`)")
    if depth or not is_supplied(receiver, fn, project):
        # further down, only what is awaited: helpers that compute something are not what fails in a cleanup
        return Why("unknown", f"`{text(call)}`") if awaited or not depth else None
    typed = tuple(_methods_of_known(receiver, last_part(call.func), fn, project))
    known = typed or tuple(methods_by_name(last_part(receiver), last_part(call.func), project))
    if known:
        known = implementations(known, project, brought=not typed)
        return _strongest(_of_function(method, call, fn, project, depth) for method in known)
    return Why("supplied", f"`{text(receiver)}` is supplied from outside")


def _has_ended(call: Call, receiver: Expr, fn: Fn) -> bool:
    """``p.join()`` right before ``p.close()``: a process that has ended is given back quietly."""
    if last_part(call.func) != "close" or "join" not in fn.mentions:
        return False
    at = next((site.at for site in fn.sites if site.call is call), None)
    before = at.before()[-1:] if at is not None else ()
    return any(
        isinstance(site.call.func, Attr) and site.call.func.name == "join" and same(site.call.func.value, receiver)
        for site in sites(before)
        if not site.call.args
    )


def _is_transport(call: Call, receiver: Expr, fn: Fn) -> bool:
    """A transport or stream of asyncio, by the question that only they answer: ``if not w.is_closing(): w.close()``."""
    asked = (site.call.func for site in fn.sites if "is_closing" in fn.mentions and not site.call.args)
    return last_part(call.func) in ("close", "abort") and any(
        isinstance(func, Attr) and func.name == "is_closing" and same(func.value, receiver) for func in asked
    )


def _is_tested(call: Call, receiver: Expr, fn: Fn, project: Project) -> bool:
    """Whether a test around the call says that it is a class of the standard library: ``if isinstance(h, FileHandler):``."""
    around = (place for site in fn.sites if site.expr is call for place in site.at.around())
    tests = (place.outer.stmt.test for place in around if place.outer and isinstance(place.outer.stmt, If))
    return any(
        isinstance(part, Call) and last_part(part.func) == "isinstance" and _is_stdlib(part, receiver, fn, project)
        for test in tests
        for part in subexprs(test)
    )


def _is_stdlib(test: Call, receiver: Expr, fn: Fn, project: Project) -> bool:
    if len(test.args) != 2 or not same(test.args[0].value, receiver):
        return False
    tested = test.args[1].value
    parts = tested.items if isinstance(tested, Seq) else (tested,)
    values = [value for part in parts for value in project.evaluate.values(part, fn)]
    names = [value.name for value in values if isinstance(value, External)]
    return (
        bool(names) and len(names) == len(values) and all(_is_of(n, frozenset(sys.stdlib_module_names)) for n in names)
    )


def _methods_of_known(receiver: Expr, name: str, fn: Fn, project: Project) -> Iterator[Fn]:
    """The methods that run where the project itself shows what is supplied: its callers, or an annotation."""
    for value, scope in _written(receiver, fn, project):
        for cls in project.classes.instances(project.evaluate.values(value, scope)):
            method = project.classes.method(cls, name)
            if method is not None:
                yield method


def _by_name(call: Call) -> Why | None:
    """A peer by the name of the receiver, or a verb that says something to one; where it is awaited, the name is enough."""
    if not isinstance(call.func, Attr):
        return None
    if _SAYS.match(call.func.name) or _PEERS & set(last_part(call.func.value).lower().strip("_").split("_")):
        return Why("network", f"`{text(call)}` talks to a peer")
    return None
