"""An override of ``close`` or ``stop`` that does not call the one it overrides.

## What it does
Reports a method named like a stop (``close``, ``stop``, ``shutdown``, ``__exit__``, …) that overrides a project method
which releases something (itself, by private methods of its class, or by a helper: `cancel_task(self._reader)`),
without calling it, or one of a library's class that does (``join`` of a thread, ``close`` of a
logging handler); and a bare ``super()`` that calls nothing.

## Why it matters
What the base class started is never ended, only for objects of the subclass. The base's tests do not see it.

## Example
```python
import threading


class Runner:
    def start(self, limit):
        self._timer = threading.Timer(limit, print)
        self._timer.start()

    def stop(self):
        self._timer.cancel()


class Remote(Runner):
    def stop(self):
        self.channel = None
```

## Use instead
```python
import threading


class Runner:
    def start(self, limit):
        self._timer = threading.Timer(limit, print)
        self._timer.start()

    def stop(self):
        self._timer.cancel()


class Remote(Runner):
    def stop(self):
        super().stop()
        self.channel = None
```

## Precision
Silent when the base method is abstract, empty or only raises, when it is called in any spelling and by whichever method of the
subclass, when the override does all that the base does itself (also by `getattr(self, "name")`, or through other methods of its
class), for a lock that the base takes and lets go, when others set the member of this class (``pane.session = self.session``),
when the member is another object's (``self._link = parent._link``), and when the subclass overrides what starts the member too
(``__enter__`` with ``__exit__``). Strict where the base only cancels a task that has no endless loop: 4 of 9 findings in some 180
applications were of that kind, and harmless. A bare ``super()`` elsewhere than in a method that ends something is strict. Of a library's
method: silent when the override ends things itself, or the class takes over how it is started; strict where little is lost.

## References
- [super](https://docs.python.org/3/library/functions.html#super)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Call, Const, ExprStmt, ModuleFacts, Name, Seq, Subscript
from shutdown_lint.findings import Finding
from shutdown_lint.models import Chain
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.classes import AttributeWrite
from shutdown_lint.project.ended_members import Ended, ended_in, member_of, with_helpers
from shutdown_lint.project.resources import STOP_METHODS
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.values import Container, Instance
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.work._chained import outside
from shutdown_lint.rules.work._own_answer import is_asked_no_more, is_left_out, is_made_for_others
from shutdown_lint.walk import Site, last_name, loop_over, same, subexprs, text

_CHAINED = frozenset(STOP_METHODS) - {"join", "kill", "exit", "end", "__del__", "release", "finalize", "unload"}
# hooks that a base calls on the way out, which it may fill itself
_HOOK = re.compile(
    r"_?on_(?:\w+_)?(?:stop(?:ped|ping)?|clos(?:e|ed|ing)|shutdown|exit|quit|end|disconnect(?:ed)?|teardown)(?:_\w+)?"
)
RULE = Rule(
    code="SHD221",
    name="stop-chain-broken",
    summary="an override of a stop method does not call the one that it overrides",
    tier="D",
    severity="error",
    triggers=(
        r"re:super\(\)\s*(?:[#;\n]|\Z)",
        f"re:class\\s+\\w+\\(\\s*(?!object\\b|\\w*Exception\\s*\\)|\\)) & re:def (?:{'|'.join(sorted(_CHAINED))})\\b",
        r"re:class\s+\w+\(\s*(?!object\b|\w*Exception\s*\)|\)) & re:def (?:join|terminate|kill|stopService)\(",
        r"re:class\s+\w+\(\s*(?!object\b|\w*Exception\s*\)|\)) & re:def _?on_\w*(?:stop|clos|shutdown|exit|quit|end|disconnect|teardown)",
    ),
    origin=("G13",),
)


_ADDS = frozenset({"append", "add", "insert", "setdefault", "update", "extend"})
_STARTS = frozenset({"start", "open", "connect", "run", "begin", "__enter__", "__aenter__", "enter", "launch"})


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every stop method and every bare ``super()``."""
    for fn in project.functions(module):
        yield from _bare_super(module, fn)
        if fn.cls is not None and _ends(fn) and not is_test(fn):
            base = project.classes.super_method(fn.cls, fn.name)
            if base is not None and not _calls_base(fn, base, project):
                released = _released(base, project)
                lost = [r for r in released if not _done_by(r, fn, project) and _is_still_there(r, fn, project)]
                if lost:
                    found = _finding(module, fn, base, lost)
                    sure = len(lost) == len(released) and not all(_is_brief(r, fn, project) for r in lost)
                    yield found if sure else found._replace(tier="S")
        chain = outside(fn, project) if fn.cls is not None and not is_test(fn) else None
        if chain is not None:
            yield _outside(module, fn, *chain)


def _bare_super(module: ModuleFacts, fn: Fn) -> Iterator[Finding]:
    for at in fn.statements:
        stmt = at.stmt
        if (
            isinstance(stmt, ExprStmt)
            and isinstance(stmt.value, Call)
            and isinstance(stmt.value.func, Name)
            and stmt.value.func.id == "super"
        ):
            yield RULE.finding(
                module,
                stmt.span,
                f"bare `super()` in `{fn.qualname}` calls nothing: the base's `{fn.name}` never runs",
                tier=None if _ends(fn) else "S",
                help=f"write `super().{fn.name}()`",
            )


def _ends(fn: Fn) -> bool:
    return fn.name in _CHAINED or bool(_HOOK.fullmatch(fn.name))


def _calls_base(fn: Fn, base: Fn, project: Project) -> bool:
    """``super().stop()``, ``Base.stop(self)``, by way of a helper that does, or by the subclass's own thread as it ends."""
    if "super" in fn.mentions and any(isinstance(s.call.func, Name) and s.call.func.id == "super" for s in fn.sites):
        return True
    others = fn.cls.methods.values() if fn.cls is not None else ()
    if _has_a_helper_call_it(fn, project):
        return True
    family = set(project.classes.family(fn.cls)) if fn.cls is not None else set()
    return any(
        target.fn is base
        for f in {*project.protocol.reach(fn), *(method for method in others if fn.name in method.mentions)}
        if f.cls is None or f.cls in family  # another class that calls it does so for its own object
        for site in f.sites
        if not _is_on_an_element(site)
        for target in project.calls.targets(site.call, f)
    )


def _has_a_helper_call_it(fn: Fn, project: Project) -> bool:
    """``stop_and_pause(self)``, which runs ``super(type(producer), producer).stop()``."""
    handed = (s.call for s in fn.sites if any(fn.is_self(arg.value) for arg in s.call.args))
    return any("super" in target.fn.mentions for call in handed for target in project.calls.targets(call, fn))


def _is_on_an_element(site: Site) -> bool:
    """``for part in self._parts: part.close()``: the same method of other objects, whatever their class."""
    func = site.call.func
    return isinstance(func, Attr) and isinstance(func.value, Name) and loop_over(func.value.id, site) is not None


def _released(base: Fn, project: Project) -> list[Ended]:
    """What the base releases, by private methods of its own too; nothing for abstract methods."""
    if base.decorator_names & {"abstractmethod"} or "NotImplementedError" in base.mentions:
        return []
    found = [release for fn in with_helpers(base, project) for release in ended_in(fn)]
    taken = ((s.call.func, s) for s in base.sites if last_name(s.call.func) == "acquire")
    locks = {member_of(func.value, site, base) for func, site in taken if isinstance(func, Attr)}
    return [r for r in found if r.member not in locks or last_name(r.call.func) != "release"]


def _done_by(release: Ended, fn: Fn, project: Project) -> bool:
    """Whether the override (or what it calls) touches the same member itself, or ends in the same way the one that it has of many."""
    reached = _reached(fn, project)
    said = frozenset().union(*(f.mentions for f in reached if f.cls is fn.cls))
    for f in reached:
        # the base's method, and what it releases with, run for another object here unless this class calls them
        is_of_another = f.cls is not fn.cls and (f.name == fn.name or (f is release.fn and f.name not in said))
        if not is_of_another and (release.member in f.mentions or _names(f, release.member)):
            return True
    func = release.call.func
    return (
        isinstance(func, Attr)
        and isinstance(func.value, Name)
        and any(
            isinstance(s.call.func, Attr) and s.call.func.name == func.name and member_of(s.call.func.value, s, fn)
            for s in fn.sites
        )
    )


def _reached(fn: Fn, project: Project) -> tuple[Fn, ...]:
    """What the override calls, through as many methods of its own class as it takes."""
    found = dict.fromkeys((fn,))
    while new := [inner for method in found if method.cls is fn.cls for inner in project.protocol.reach(method)]:
        if found.keys() >= set(new):
            break
        found.update(dict.fromkeys(new))
    return tuple(found)


def _names(fn: Fn, member: str) -> bool:
    """``getattr(self, "process", None)``, ``self.__dict__.pop("process")``."""
    return any(
        isinstance(arg.value, Const) and arg.value.value == member for site in fn.sites for arg in site.call.args
    )


def _is_still_there(release: Ended, fn: Fn, project: Project) -> bool:
    if isinstance(release.call.func, Attr) and release.call.func.name == "set" and not _is_heard(release, fn, project):
        return False
    if (
        _is_borrowed(release, fn, project)
        or _is_started_no_more(release, fn, project)
        or _is_filled_no_more(release, fn, project)
        or _is_kept_empty(release, fn, project)
    ):
        return False
    return _still_acquired(release, fn, project)


def _is_brief(release: Ended, fn: Fn, project: Project) -> bool:
    """Whether what the base cancels is a task that comes to its end without that."""
    assert fn.cls is not None
    makers = dict.fromkeys(write.fn for write in project.classes.writes(fn.cls, release.member))
    held = [
        made
        for maker in makers
        for made in project.resources.of_function(maker)
        if any(place.name == release.member for place in project.resources.track(made).attribute_places())
    ]
    return bool(held) and all(made.model.kind == "task" and not project.resources.loops(made) for made in held)


def _is_borrowed(release: Ended, fn: Fn, project: Project) -> bool:
    """Whether the subclass takes the member from another object: ``self._link = parent._link``, which the parent ends."""
    assert fn.cls is not None
    if _is_set_from_outside(release.member, fn.cls, project):
        return True
    writes = [w for w in project.classes.writes(fn.cls, release.member) if w.fn.cls is fn.cls]
    return bool(writes) and all(
        isinstance(w.value, Attr) and isinstance(w.value.value, Name) and w.value.value.id != w.fn.self_name
        for w in writes
    )


def _is_set_from_outside(member: str, cls: Cls, project: Project) -> bool:
    """``terminal.session = self._session``: others hand this class what the base makes for itself, and end it."""
    return any(
        isinstance(target, Attr)
        and target.name == member
        and not (isinstance(target.value, Name) and target.value.id == fn.self_name)
        and any(isinstance(v, Instance) and v.cls is cls for v in project.evaluate.values(target.value, fn))
        for fn in project.calls.mentioning(member)
        for at in fn.statements
        if isinstance(at.stmt, Assign)
        for target in at.stmt.targets
    )


def _is_filled_no_more(release: Ended, fn: Fn, project: Project) -> bool:
    """Whether only methods that do not run for the subclass put something into the container that the base empties."""
    assert fn.cls is not None
    fillers = [
        method
        for member in project.classes.mro(fn.cls)
        if isinstance(member, Cls)
        for method in member.methods.values()
        if release.member in method.mentions and _fills(method, release.member)
    ]
    return bool(fillers) and not any(_runs(filler, fn.cls, project) for filler in fillers)


def _is_kept_empty(release: Ended, fn: Fn, project: Project) -> bool:
    """Whether the constructor of the subclass gives the member None, and does not run the base's: it works without one."""
    assert fn.cls is not None
    made = fn.cls.methods.get("__init__")
    return (
        made is not None
        and "super" not in made.mentions
        and any(
            write.fn is made and isinstance(write.value, Const) and write.value.value is None
            for write in project.classes.writes(fn.cls, release.member)
        )
    )


def _fills(method: Fn, member: str) -> bool:
    """``self.member[key] = …``, ``self.member.append(…)``."""
    held = Attr(Name(method.self_name or ""), member)
    stored = (target for at in method.statements if isinstance(at.stmt, Assign) for target in at.stmt.targets)
    if any(isinstance(target, Subscript) and same(target.value, held) for target in stored):
        return True
    funcs = (site.call.func for site in method.sites)
    return any(isinstance(func, Attr) and func.name in _ADDS and same(func.value, held) for func in funcs)


def _runs(method: Fn, cls: Cls, project: Project) -> bool:
    """Whether instances of the class run the method: it is not overridden, and neither are all that call a private one."""
    if project.classes.method(cls, method.name) is not method and not _is_called_by_super(method, cls, project):
        return False
    callers = project.calls.callers(method) if method.name.startswith("_") else ()
    own = [c.fn for c in callers if c.fn.cls is not None and c.fn is not method]
    return (
        not own
        or len(own) < len(callers)
        or any(
            project.classes.method(cls, caller.name) is caller or _is_called_by_super(caller, cls, project)
            for caller in own
        )
    )


def _is_started_no_more(release: Ended, fn: Fn, project: Project) -> bool:
    """Whether only methods start the member that the subclass overrides too: ``__aenter__`` along with ``__aexit__``."""
    assert fn.cls is not None
    starters = [
        method
        for member in project.classes.mro(fn.cls)
        if isinstance(member, Cls)
        for method in member.methods.values()
        if release.member in method.mentions and any(_starts(site, method, release) for site in method.sites)
    ]
    return bool(starters) and not any(
        project.classes.method(fn.cls, starter.name) is starter or _is_called_by_super(starter, fn.cls, project)
        for starter in starters
    )


def _starts(site: Site, method: Fn, release: Ended) -> bool:
    func = site.call.func
    return isinstance(func, Attr) and func.name in _STARTS and member_of(func.value, site, method) == release.member


def _is_heard(release: Ended, fn: Fn, project: Project) -> bool:
    """Whether a method that runs for the subclass looks at the event: the loop that it ends may be overridden too."""
    assert fn.cls is not None
    return any(
        (project.classes.method(fn.cls, reader.name) is reader or _is_called_by_super(reader, fn.cls, project))
        and not _is_for_others(reader, fn.cls, project)
        and not is_asked_no_more(reader, fn.cls, project)
        for member in project.classes.family(fn.cls)
        for reader in member.methods.values()
        if reader.name not in ("__init__", fn.name) and release.member in reader.mentions
    )


def _is_for_others(reader: Fn, cls: Cls, project: Project) -> bool:
    """Whether only other subclasses name the method: ``Thread(target=self.speech_to_text)`` in the constructor of one."""
    bases = [base for base in project.classes.mro(cls) if isinstance(base, Cls)]
    naming = {
        member
        for member in {member for base in bases for member in (base, *project.classes.subclasses(base))}
        for method in member.methods.values()
        if method is not reader and reader.name in method.mentions
    }
    return bool(naming) and not naming & {*project.classes.mro(cls), *project.classes.subclasses(cls)}


def _is_called_by_super(reader: Fn, cls: Cls, project: Project) -> bool:
    method = project.classes.method(cls, reader.name)
    return method is not None and "super" in method.mentions


def _still_acquired(release: Ended, fn: Fn, project: Project) -> bool:
    """Whether the member gets an object of known type in a method that the subclass inherits or calls by ``super()``."""
    assert fn.cls is not None
    for write in project.classes.writes(fn.cls, release.member):
        method = project.classes.method(fn.cls, write.fn.name)
        runs = method is write.fn or (method is not None and "super" in method.mentions)
        if _is_handed_in(write) or _is_left_at_default(write, fn.cls, project) or is_left_out(write, fn.cls, project):
            continue
        if is_made_for_others(write, fn.cls, project):
            continue
        values = project.evaluate.values(write.value, write.fn)
        if runs and any(isinstance(v, (Instance, Container)) for v in values):
            return True
    return False


def _is_left_at_default(write: AttributeWrite, cls: Cls, project: Project) -> bool:
    """``super().__init__()`` of a base that keeps ``parents``: this class gives it none, and there are none to end."""
    base, own = write.fn, project.classes.method(cls, "__init__")
    used = {part.id for part in subexprs(write.value) if isinstance(part, Name)} if write.value is not None else set()
    params = [param for param in base.facts.params if param.name in used and param.default is not None]
    if base.name != "__init__" or own is None or own is base or not params:
        return False
    calls = [site.call for site in own.sites if any(t.fn is base for t in project.calls.targets(site.call, own))]
    return bool(calls) and all(project.calls.passed(call, base, param) is None for call in calls for param in params)


def _is_handed_in(write: AttributeWrite) -> bool:
    """``self._tunnel = tunnel``, ``self._sources = [source]``: whether this subclass is handed one is not known."""
    params = {param.name for param in write.fn.facts.params}
    items = write.value.items if isinstance(write.value, Seq) else (write.value,)
    return bool(items) and all(isinstance(item, Name) and item.id in params for item in items)


def _outside(module: ModuleFacts, fn: Fn, base: str, chain: Chain) -> Finding:
    return RULE.finding(
        module,
        fn.facts.span,
        f"`{fn.qualname}` overrides `{base}.{fn.name}` and does not call it: {chain.loses}",
        tier="S" if chain.loss == "untidy" else None,
        severity="info" if chain.loss == "untidy" else None,
        lost=(fn.step(fn.facts.span, f"`{base}.{fn.name}`"),),
        help=f"call `super().{fn.name}()` in `{fn.qualname}`",
    )


def _finding(module: ModuleFacts, fn: Fn, base: Fn, lost: list[Ended]) -> Finding:
    owner: Cls | None = base.cls
    where = owner.name if owner else "the base"
    return RULE.finding(
        module,
        fn.facts.span,
        f"`{fn.qualname}` overrides `{base.qualname}` and does not call it: `{text(lost[0].call)}` never runs for this class",
        lost=tuple(r.fn.step(r.call.span, f"`{text(r.call)}` in {r.fn.qualname}") for r in lost),
        trace=(base.step(base.facts.span, f"`{where}.{base.name}` is overridden"),),
        help=f"call `super().{fn.name}()` in `{fn.qualname}`",
    )
