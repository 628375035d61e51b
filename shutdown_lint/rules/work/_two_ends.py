"""Two ways to end an object, of which the shorter forgets a member: ``stop()`` ends the mixer, ``cancel()`` all but the mixer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Attr, Call
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.ended_members import with_helpers
from shutdown_lint.project.roles import is_test
from shutdown_lint.rules.work._ended_otherwise import ENDS
from shutdown_lint.walk import Site, last_name, text

# a way to end, and those that are another way to the same end
_OTHER_WAYS = {
    "stop": ("cancel", "abort", "kill", "terminate", "force_stop", "stop_now", "async_stop", "astop", "stop_async"),
    "close": (
        "cancel",
        "abort",
        "kill",
        "terminate",
        "force_close",
        "close_now",
        "async_close",
        "aclose",
        "close_async",
    ),
    "shutdown": ("cancel", "abort", "kill", "terminate", "force_shutdown", "ashutdown", "async_shutdown"),
    "aclose": ("cancel", "abort", "kill", "terminate", "close"),
}
_GIVES_UP = re.compile(r"abort|kill|terminate|force|now$")
_LEAVES = ("leave", "unsubscribe", "unregister", "detach", "deactivate")


class LeftOut(NamedTuple):
    """``other`` ends its object as ``whole`` does, and forgets the ``member``, which ``ending`` in ``by`` ends.

    It is not sure where the other way is to give up: who is killed may be meant to leave things as they are.
    """

    whole: Fn
    other: Fn
    member: str
    ending: Call
    by: Fn
    sure: bool


def left_out(cls: Cls, project: Project) -> Iterator[LeftOut]:
    """The members that one of two stop methods of the class forgets."""
    for name, others in _OTHER_WAYS.items():
        whole = cls.methods.get(name)
        for other in (cls.methods[other] for other in others if other in cls.methods) if whole is not None else ():
            if whole is not None and not is_test(whole) and _are_ways_out(whole, other, project):
                yield from _forgotten(whole, other, project)


def _are_ways_out(whole: Fn, other: Fn, project: Project) -> bool:
    """Whether each ends the object by itself: neither calls the other, and both are called in the same way."""
    if whole.self_name is None or other.self_name is None or not other.facts.body:
        return False
    needed = [{p.name for p in fn.facts.params[1:] if p.default is None} for fn in (whole, other)]
    if needed[1] - needed[0] or "NotImplementedError" in whole.mentions | other.mentions:
        return False
    return other not in project.protocol.reach(whole) and whole not in project.protocol.reach(other)


def _forgotten(whole: Fn, other: Fn, project: Project) -> Iterator[LeftOut]:
    ended = [found for fn in with_helpers(whole, project) for found in _endings(fn)]
    shared = _steps(with_helpers(whole, project)) & _steps(with_helpers(other, project))
    mentioned = frozenset().union(*(fn.mentions for fn in project.protocol.reach(other)))
    said: set[str] = set()
    for site, member, fn in ended if shared else ():
        if whole.name == "close" and last_name(site.call.func) == "close":
            continue  # to close may be to complete: what is given up is left as it is on purpose
        if member not in mentioned | said and not _is_ended_elsewhere(member, {whole, fn}, project):
            said.add(member)
            yield LeftOut(whole, other, member, site.call, fn, sure=not _GIVES_UP.search(other.name))


def _steps(fns: list[Fn]) -> set[str]:
    """The steps of an end: what is ended, and by which methods of its own."""
    own = (site.call.func for fn in fns for site in fn.sites if fn.own_attribute(site.call.func) is not None)
    methods = {text(func) for func in own if ENDS.match(last_name(func))}
    return methods | {text(site.call.func) for fn in fns for site, _, _ in _endings(fn)}


def _endings(fn: Fn) -> Iterator[tuple[Site, str, Fn]]:
    """``await self._mixer.stop()``, ``self._params.filter.stop()``, with the name of what is ended."""
    for site in fn.sites:
        func = site.call.func
        if isinstance(func, Attr) and (ENDS.match(func.name) or func.name in _LEAVES):
            receiver = func.value
            while isinstance(receiver, Attr) and fn.own_attribute(receiver) is None:
                receiver = receiver.value
            if isinstance(func.value, Attr) and fn.own_attribute(receiver) is not None:
                yield site, func.value.name, fn


def _is_ended_elsewhere(member: str, by: set[Fn], project: Project) -> bool:
    """Whether others end what an attribute of that name holds too."""
    return any(
        isinstance(site.parents[0], Attr) and ENDS.match(site.parents[0].name)
        for fn in project.calls.mentioning(member)
        if fn not in by
        for site in fn.attributes(member)
        if site.parents
    )
