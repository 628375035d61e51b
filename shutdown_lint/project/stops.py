"""How a signal handler ends a program: the place where the program rests, and what the handler does that ends it there.

A handler ends a program in one of these ways: it writes or sets what a loop (or something that the loop calls) looks at; it
ends, or cancels, what the program waits for; it raises; or it only ends the children that the program waits for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from shutdown_lint.facts import Assign, Attr, Await, Body, Call, Const, Expr, For, If, Name, Raise, Return, Try, While
from shutdown_lint.project import endings, programs
from shutdown_lint.project.courses import AWAITS, Course, Rest
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.iterating import rounds
from shutdown_lint.project.programs import Frame, span_of
from shutdown_lint.project.protocol import Loop
from shutdown_lint.project.signals import Handling
from shutdown_lint.project.tracks import Place
from shutdown_lint.project.values import Class, Instance
from shutdown_lint.walk import At, Site, enclosing_loops, last_name, own_exprs, sites_at, subexprs, walk

if TYPE_CHECKING:
    from shutdown_lint.project import Project

# ``loop``: the loop's own test; ``round``: something in its round sees it and leaves; ``wait``: what is waited for ends.
How: TypeAlias = Literal["loop", "round", "wait", "cancelled", "raised", "children"]
Leaves: TypeAlias = Literal["next", "return", "raise"]

_CANCELLED = ("CancelledError", "BaseException")
EXIT = ("SystemExit", "BaseException")
ENDS_WAIT = frozenset(
    {"set", "stop", "shutdown", "close", "cancel", "put", "put_nowait", "notify", "notify_all", "release", "send", "clear",
     "call_soon_threadsafe", "terminate", "kill", "stop_serving", "cancel_all", "interrupt"}
)  # fmt: skip
_ENDS_CHILD = frozenset({"kill", "killpg", "terminate", "send_signal", "pidfd_send_signal"})


class Stop(NamedTuple):
    """Where the program rests when the signal comes, and how that ends.

    ``leaves`` tells how the innermost function goes on: behind the rest (``next``), with a ``return``, or by an exception that
    an ``except`` clause for one of ``exceptions`` catches. ``tests`` are the places that the rest looks at.
    """

    rest: Rest
    how: How
    leaves: Leaves
    exceptions: tuple[str, ...]
    tests: tuple[Place, ...] = ()


class Handler:
    """What an installed handler does, as far as the end of a program is concerned; ``fn`` is None for an event's ``set``.

    ``installed`` is where the program comes to it: where the first handler is installed, for one that another handler installs.
    """

    def __init__(self, fn: Fn | None, handling: Handling, installed: Handling, project: Project) -> None:
        self.fn, self.handling, self.installed, self._project = fn, handling, installed, project
        self.reach = project.protocol.reach(fn) if fn is not None else ()

    def tells(self, places: Iterable[Place]) -> bool:
        """Whether it sets, writes or puts into one of the places."""
        wanted = tuple(places)
        if self.fn is not None:
            return bool(wanted) and self._project.protocol.tells(self.fn, wanted)
        handler = self.handling.handler
        given = handler.value if isinstance(handler, Attr) else handler
        return any(place in wanted for place in self._project.protocol.places_read(given, self.handling.fn))

    def calls_on(self, places: Iterable[Place]) -> frozenset[str]:
        """The methods that it calls on what rests in one of the places."""
        wanted = {_key(place) for place in places}
        names = {name for _, _, name in wanted}
        return frozenset(
            site.call.func.name
            for fn in self.reach
            if names & fn.mentions
            for site in fn.sites
            if isinstance(site.call.func, Attr)
            and any(_key(place) in wanted for place in self._project.protocol.places_read(site.call.func.value, fn))
        )

    @property
    def ends_children(self) -> bool:
        """Whether it sends signals to other processes; a method of the project's own that is only called so does not."""
        targets = self._project.calls.targets
        return any(
            last_name(site.call.func) in _ENDS_CHILD and not targets(site.call, fn)
            for fn in self.reach
            if fn.mentions & _ENDS_CHILD
            for site in fn.sites
        )

    def raises(self) -> tuple[str, ...]:
        """The exceptions by which its last line leaves, with their bases; nothing if it may fall off its end.

        A ``return`` before that is a guard: against a second signal, or one that comes too early.
        """
        return () if any(end.kind == "next" for end in self._endings()) else self.may_raise()

    def may_raise(self) -> tuple[str, ...]:
        """The exceptions by which it leaves in some cases, its own or those of what it calls."""
        return tuple(dict.fromkeys(name for end in self._endings() for name in self._exception(end))) or self._called()

    def _called(self) -> tuple[str, ...]:
        """The exceptions of the project's own that the functions raise which it calls outside of any ``try``."""
        fn = self.fn
        if fn is None or fn.facts.is_async:
            return ()
        outside = (s for s in fn.sites if not any(isinstance(p.outer.stmt, Try) for p in s.at.around() if p.outer))
        called = [t.fn for s in outside for t in self._project.calls.targets(s.call, fn) if t.confidence == "proven"]
        found = [
            (end.stmt.exc, target)
            for target in called
            for end in endings.of_function(target, self._project)
            if end.kind == "raise" and isinstance(end.stmt, Raise) and end.stmt.exc is not None
        ]
        own = (pair for pair in found if self._is_own(*pair))
        return tuple(dict.fromkeys(name for exc, target in own for name in _bases(exc, target, self._project)))

    def _is_own(self, exc: Expr, fn: Fn) -> bool:
        """Whether the exception is a class of the project: it is there to end something."""
        values = self._project.evaluate.values(exc, fn)
        return any(isinstance(v, (Class, Instance)) and not isinstance(v.cls, str) for v in values)

    def _endings(self) -> tuple[endings.Ending, ...]:
        return endings.of_function(self.fn, self._project) if self.fn is not None else ()

    def _exception(self, end: endings.Ending) -> Iterator[str]:
        if end.kind == "exit":
            yield from EXIT
        elif end.kind == "raise" and isinstance(end.stmt, Raise) and end.stmt.exc is not None and self.fn is not None:
            yield from _bases(end.stmt.exc, self.fn, self._project)


def _bases(exc: Expr, fn: Fn, project: Project) -> Iterator[str]:
    """The name of the exception and of the classes above it."""
    made = exc.func if isinstance(exc, Call) else exc
    yield last_name(made)
    for value in project.evaluate.values(made, fn):
        if isinstance(value, (Class, Instance)) and not isinstance(value.cls, str):
            bases = project.classes.mro(value.cls)
            yield from (base.rpartition(".")[2] if isinstance(base, str) else base.name for base in bases)
    if getattr(made, "id", "") not in ("KeyboardInterrupt", "SystemExit", "GeneratorExit", "BaseException"):
        yield "Exception"
    yield "BaseException"


def _key(place: Place) -> tuple[type, object, str]:
    return type(place), getattr(place, "cls", None) or getattr(place, "fn", None), place.name


# --- search ----------------------------------------------------------------------------------------------------------


def find(handler: Handler, course: Course, project: Project) -> Stop | None:
    """Where the program of the course rests, and how the handler ends it; None where neither is seen."""
    rests = [rest for rest in course.rests if _is_behind(handler.installed, rest, course, project)]
    raised = handler.raises()
    if raised:
        rest = _foreseen(rests, raised[0]) or longest(rests, course, project) or _somewhere(handler.installed, course)
        return Stop(rest, "raised", "raise", raised) if rest is not None else None
    for rest in rests:
        for search in (_told_loop, _told_next, _ended_wait, _told_round):
            found = search(handler, rest, project)
            if found is not None:
                return found
    first = next((rest for rest in rests if rest.loop is not None or _waits_for_child(rest)), None)
    if first is not None and handler.ends_children:
        return Stop(first, "children", _way_out(first, project), ())
    raised = handler.may_raise()
    rest = (_foreseen(rests, raised[0]) or longest(rests, course, project)) if raised else None
    return Stop(rest, "raised", "raise", raised) if rest is not None else None


def _foreseen(rests: Iterable[Rest], exception: str) -> Rest | None:
    """Where an ``except`` clause around the rest names the very exception that the handler raises."""
    for rest in rests:
        for frame in rest.frames:
            for place in frame.at.around():
                outer = place.outer.stmt if place.outer is not None and place.part == "body" else None
                for clause in outer.handlers if isinstance(outer, Try) else ():
                    parts = getattr(clause.types, "items", (clause.types,))
                    if clause.types is not None and any(last_name(part) == exception for part in parts):
                        return rest
    return None


def _is_behind(handling: Handling, rest: Rest, course: Course, project: Project) -> bool:
    """Whether the program comes to the rest after it has installed the handler."""
    if any(_is_replaced(handling.fn, frame.fn, project) for frame in rest.frames):
        return False
    return any(_comes_later(handling, way, rest, project) for way in course.ways(handling.fn))


def _is_replaced(installer: Fn, fn: Fn, project: Project) -> bool:
    """Whether ``fn`` is a method of a class that has another method in the installer's place."""
    if installer.cls is None or fn.cls is None or installer.cls not in project.classes.mro(fn.cls):
        return False
    own = project.classes.method(fn.cls, installer.name)
    return own is not None and own is not installer and not any(_is_super_call(site, installer) for site in own.sites)


def _is_super_call(site: Site, installer: Fn) -> bool:
    func = site.call.func
    return isinstance(func, Attr) and func.name == installer.name and isinstance(func.value, Call)


def _comes_later(handling: Handling, way: tuple[Frame, ...], rest: Rest, project: Project) -> bool:
    before: Frame | None = None
    for ours, theirs in zip((*way, Frame(handling.fn, handling.site.at)), rest.frames):
        if ours.fn is not theirs.fn:
            return before is None or not _alternatives(before, ours.fn, theirs.fn, project)
        before = ours
        if ours.at.stmt is not theirs.at.stmt:
            if any(place.stmt is theirs.at.stmt for place in ours.at.around()):
                return True  # a loop that installs the handler in its round
            return span_of(ours.at).line <= span_of(theirs.at).line and not _exclude(ours.at, theirs.at)
    return True


def _alternatives(frame: Frame, left: Fn, right: Fn, project: Project) -> bool:
    """Whether one call runs either of the functions, not both: ``COMMANDS[name](args)``."""
    for site in sites_at(frame.at):
        targets = {target.fn for target in project.calls.targets(site.call, frame.fn)}
        if left in targets and right in targets:
            return True
    return False


def _exclude(left: At, right: At) -> bool:
    """Whether the statements stand in different branches of one ``if``."""
    parts = {id(place.outer.stmt): place.part for place in left.around() if place.outer is not None}
    return any(
        place.outer is not None
        and isinstance(place.outer.stmt, If)
        and parts.get(id(place.outer.stmt), place.part) != place.part
        for place in right.around()
    )


def longest(rests: Sequence[Rest], course: Course, project: Project) -> Rest | None:
    """Where the program is for most of its life: what surely lasts until it is stopped, or the first endless loop."""
    surely = programs.stay(course.entry, project)
    if surely is not None:
        return Rest(surely.frames, None, None)
    endless = (r for r in rests if r.loop is not None and _is_endless(r.loop))
    waiting = (r for r in rests if r.wait is not None and r.wait.model.forever)
    return next(endless, None) or next(waiting, None) or next(iter(rests), None)


def _somewhere(handling: Handling, course: Course) -> Rest | None:
    """The last call of the function that installs the handler, for a program of which no more is seen."""
    last = None
    for at in handling.fn.statements:
        cleanup = any(place.part in ("final", "handler") for place in at.around())
        if not cleanup and span_of(at).line >= handling.site.call.span.line and next(sites_at(at), None) is not None:
            last = at
    way = next(iter(course.ways(handling.fn)), None)
    return Rest((*way, Frame(handling.fn, last)), None, None) if way is not None and last is not None else None


def _is_endless(loop: Loop) -> bool:
    test = getattr(loop.at.stmt, "test", None)
    return isinstance(test, Const) and bool(test.value)


def _waits_for_child(rest: Rest) -> bool:
    return rest.wait is not None and rest.wait.model.call.rpartition(".")[2] in (
        "join",
        "wait",
        "communicate",
        "waitpid",
    )


# --- what the handler tells ------------------------------------------------------------------------------------------


def _told_loop(handler: Handler, rest: Rest, project: Project) -> Stop | None:
    """The loop's own condition, or an ``if`` in its body that leaves it, reads what the handler writes."""
    if rest.loop is None:
        return None
    fn, stmt = rest.loop.fn, rest.loop.at.stmt
    tests = tuple(project.protocol.places_read(stmt.test, fn)) if isinstance(stmt, While) else ()
    if handler.tells(tests):
        return Stop(rest, "loop", "next", (), tests)
    for at in walk(getattr(stmt, "body", ())):
        if isinstance(at.stmt, If):
            leaves = _leaving(at, fn, project)
            tests = tuple(project.protocol.places_read(at.stmt.test, fn)) if leaves is not None else ()
            if leaves is not None and handler.tells(tests):
                return Stop(rest, "loop", leaves, (), tests)
    return None


def _told_next(handler: Handler, rest: Rest, project: Project) -> Stop | None:
    """The project's own iterator, over which the loop runs, reads what the handler writes, and ends."""
    loop = rest.loop.at.stmt if rest.loop is not None else None
    for target in rounds(loop, rest.frames[-1].fn, project) if isinstance(loop, For) else ():
        for fn in project.protocol.reach(target):
            for at in fn.statements:
                if isinstance(at.stmt, If) and _leads_out(at.stmt.body, fn, project):
                    tests = tuple(project.protocol.places_read(at.stmt.test, fn))
                    if handler.tells(tests):
                        return Stop(rest, "loop", "next", (), tests)
    return None


def _leaving(at: At, fn: Fn, project: Project) -> Leaves | None:
    """How a branch of the ``if``, in the body of a loop, leaves that loop."""
    assert isinstance(at.stmt, If)
    kinds = {end.kind for block in (at.stmt.body, at.stmt.orelse) for end in endings.of_block(block, fn, project)}
    if "break" in kinds and next(enclosing_loops(at), None) is None:
        return "next"
    return "return" if "return" in kinds else "raise" if kinds & {"raise", "exit"} else None


def _ended_wait(handler: Handler, rest: Rest, project: Project) -> Stop | None:
    """A frame on the way waits for what the handler sets, stops or cancels."""
    for number in range(len(rest.frames), 0, -1):
        frame = rest.frames[number - 1]
        here = Rest(rest.frames[:number], None, rest.wait if number == len(rest.frames) else None)
        if rest.wait is None and number == len(rest.frames):
            continue
        places = tuple(_awaited(frame.at, frame.fn, project))
        if handler.fn is None and handler.tells(places):
            if last_name(handler.handling.handler) == "cancel":
                return Stop(rest, "cancelled", "raise", _CANCELLED)
            return Stop(here, "wait", "next", ())
        called = handler.calls_on(places) & ENDS_WAIT
        if called == {"cancel"}:
            return Stop(rest, "cancelled", "raise", _CANCELLED)
        if called:
            return Stop(here, "wait", "next", ())
    return None


def _awaited(at: At, fn: Fn, project: Project) -> Iterator[Place]:
    """The places that a statement waits for: an awaited name, the receiver and the arguments of a wait."""
    waits = [
        site.call
        for site in sites_at(at)
        if project.protocol.wait(site, fn) is not None or project.calls.is_call_to(site.call, fn, *AWAITS)
    ]
    awaited = (part.value for expr in own_exprs(at.stmt) for part in subexprs(expr) if isinstance(part, Await))
    for root in (*waits, *(value for value in awaited if isinstance(value, (Name, Attr)))):
        for expr in subexprs(root):
            if isinstance(expr, (Name, Attr)):
                yield from project.protocol.places_read(expr, fn)


def _told_round(handler: Handler, rest: Rest, project: Project) -> Stop | None:
    """Something in the loop's round looks at what the handler writes, and leads out of the loop."""
    if rest.loop is None or not isinstance(rest.loop.at.stmt, (While, For)):
        return None
    stmt = rest.loop.at.stmt
    body = stmt.body
    inner = [t.fn for at in walk(body) for site in sites_at(at) for t in project.calls.targets(site.call, rest.loop.fn)]
    blocks = [(body, rest.loop.fn), *((fn.facts.body, fn) for target in inner for fn in project.protocol.reach(target))]
    for block, fn in blocks:
        for at in walk(block):
            if isinstance(at.stmt, If) and _leads_out(at.stmt.body, fn, project):
                tests = tuple(project.protocol.places_read(at.stmt.test, fn))
                if handler.tells(tests):
                    return Stop(rest, "round", _way_out(rest, project), (), tests)
    return None


def _leads_out(block: Body, fn: Fn, project: Project) -> bool:
    """Whether the block leaves its function with an answer or an error, or sets a local that decides on leaving it."""
    if any(_is_answer(end) for end in endings.of_block(block, fn, project)):
        return True
    names = {
        target.id
        for at in walk(block)
        for target in (at.stmt.targets if isinstance(at.stmt, Assign) else ())
        if isinstance(target, Name)
    }
    return any(
        isinstance(at.stmt, If)
        and bool(names & _names(at.stmt.test))
        and any(end.kind in ("return", "raise", "exit") for end in endings.of_block(at.stmt.body, fn, project))
        for at in fn.statements
    )


def _is_answer(end: endings.Ending) -> bool:
    if end.kind == "return":
        value = end.stmt.value if isinstance(end.stmt, Return) else None
        return value is not None and not (isinstance(value, Const) and not value.value)
    return end.kind in ("raise", "exit")


def _names(test: Expr) -> set[str]:
    return {expr.id for expr in subexprs(test) if isinstance(expr, Name)}


def _way_out(rest: Rest, project: Project) -> Leaves:
    """How the loop is left, by all that is written in it."""
    if rest.loop is None or not isinstance(rest.loop.at.stmt, (While, For)):
        return "next"
    stmt = rest.loop.at.stmt
    kinds = {end.kind for end in endings.of_block(stmt.body, rest.loop.fn, project)}
    if "break" in kinds or not _is_endless(rest.loop):
        return "next"
    return "return" if "return" in kinds else "raise"


def same_place(left: Place, right: Place) -> bool:
    """Whether the two are one place: a name of one function, an attribute of one class."""
    return _key(left) == _key(right)
