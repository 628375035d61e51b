"""Members of a kind: a stop method calls ``stop()`` of one, and forgets another of the same class, or of a class with the same base."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Assert, Assign, Attr, Call, If, Name, Op, Raise, While
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.values import Instance
from shutdown_lint.rules.work._ended_otherwise import ENDS
from shutdown_lint.walk import Site, last_name, subexprs

_STOPS = frozenset(
    {"stop", "close", "shutdown", "aclose", "terminate", "exit", "quit", "cleanup", "disconnect", "async_stop"}
)
_ENDINGS = frozenset({"stop", "close", "shutdown", "aclose", "terminate", "async_stop"})
_STARTS = frozenset(
    {"start", "open", "connect", "run", "begin", "setup", "launch", "listen", "__enter__", "__aenter__"}
)
_MAKERS = frozenset({"__init__", "start", "open", "setup", "connect", "__enter__", "__aenter__"})


class Forgotten(NamedTuple):
    """The member and where it is made, its method, and the stop method that ends its like."""

    member: str
    made: Call
    maker: Fn
    ends: Fn
    stop: Fn
    like: Call


def forgotten_siblings(cls: Cls, project: Project) -> Iterator[Forgotten]:
    """``self.a = A(); self.b = B()`` in the constructor, ``self.a.stop()`` in ``stop``, where ``B.stop`` ends something too."""
    for name, stop in cls.methods.items():
        if name not in _STOPS or is_test(stop) or stop.self_name is None or stop.decorator_names:
            continue
        reached = project.protocol.reach(stop)
        mentioned = frozenset().union(*(fn.mentions for fn in reached))
        ended = [(site, kinds) for fn in reached if fn.cls is cls for site, kinds in _ends(fn, project)]
        said: set[str] = set()
        for site, kinds in ended:
            for found in _others(cls, last_name(site.call.func), kinds, project):
                if found.member not in mentioned | said and not _is_seen_to(found.member, project):
                    said.add(found.member)
                    yield found._replace(stop=stop, like=site.call)
        if ended:
            return


def _ends(fn: Fn, project: Project) -> Iterator[tuple[Site, frozenset[Cls]]]:
    """The calls that end a member which is an instance of a class of the project, with that class and its bases."""
    for site in fn.sites:
        func = site.call.func
        if isinstance(func, Attr) and func.name in _ENDINGS and fn.own_attribute(func.value) is not None:
            values = project.evaluate.values(func.value, fn)
            kinds = {
                base
                for v in values
                if isinstance(v, Instance) and isinstance(v.cls, Cls)
                for base in _above(v.cls, project)
            }
            if kinds:
                yield site, frozenset(kinds)


def _above(cls: Cls, project: Project) -> Iterator[Cls]:
    return (base for base in project.classes.mro(cls) if isinstance(base, Cls))


def _others(cls: Cls, ending: str, kinds: frozenset[Cls], project: Project) -> Iterator[Forgotten]:
    for maker in cls.methods.values():
        if maker.name not in _MAKERS or maker.self_name is None:
            continue
        for site in maker.sites:
            member = _kept_as(site, maker)
            made = _class_of(site.call, maker, project)
            method = project.classes.method(made, ending) if made is not None and member is not None else None
            if member is None or method is None or not does_something(method) or _knows_owner(site.call, maker):
                continue
            if made is None or not kinds & {*_above(made, project)} or not _is_started(member, made, project):
                continue
            if len(project.classes.writes(cls, member)) - _blanks(cls, member, project) == 1:
                yield Forgotten(member, site.call, maker, method, maker, site.call)


def _kept_as(site: Site, fn: Fn) -> str | None:
    stmt = site.at.stmt
    if site.parents or not isinstance(stmt, Assign) or len(stmt.targets) != 1:
        return None
    return fn.own_attribute(stmt.targets[0])


def _class_of(call: Call, fn: Fn, project: Project) -> Cls | None:
    values = project.evaluate.values(call, fn)
    value = next(iter(values), None) if len(values) == 1 else None
    return value.cls if isinstance(value, Instance) and isinstance(value.cls, Cls) else None


def does_something(method: Fn) -> bool:
    """Whether the method ends something of its own: not abstract, not a hook that is empty."""
    body = method.facts.body
    if not body or isinstance(body[-1], Raise) or "abstractmethod" in method.decorator_names:
        return False
    return any(
        isinstance(site.call.func, Attr) and (ENDS.match(site.call.func.name) or site.call.func.name == "set")
        for site in method.sites
    )


def _knows_owner(call: Call, fn: Fn) -> bool:
    """Whether it is made with its owner or with something of its owner's, which may see to its end."""
    for arg in call.args:
        for part in subexprs(arg.value):
            if isinstance(part, Name) and part.id == fn.self_name:
                return True
    return False


def _is_started(member: str, made: Cls, project: Project) -> bool:
    """Whether making it starts it, or somebody calls the method that does."""
    if not any(project.classes.method(made, name) is not None for name in _STARTS):
        return True
    return any(
        isinstance(site.parents[0], Attr) and site.parents[0].name in _STARTS
        for fn in project.calls.mentioning(member)
        for site in fn.attributes(member)
        if site.parents
    )


def _blanks(cls: Cls, member: str, project: Project) -> int:
    writes = project.classes.writes(cls, member)
    return sum(1 for write in writes if getattr(write.value, "value", "") is None)


def _is_seen_to(member: str, project: Project) -> bool:
    """Whether anybody ends what an attribute of that name holds, or takes the object from there."""
    return any(_takes(site) for fn in project.calls.mentioning(member) for site in fn.attributes(member))


def _takes(site: Site) -> bool:
    parent = site.parents[0] if site.parents else None
    if isinstance(parent, Attr):
        return bool(ENDS.match(parent.name))
    stmt = site.at.stmt
    if isinstance(parent, Op) or isinstance(stmt, (If, While, Assert)):
        return False
    return not any(site.expr is target for target in getattr(stmt, "targets", ()))
