"""A release that stands after work which can raise, with nothing that releases when it does.

## What it does
Reports ``x.close()``, ``x.stop()`` and the like for a local ``x`` that the same function acquired (or for the elements of a
local container, or a member that nobody else ends), when calls or awaits
stand between the two and neither ``finally``, ``with`` nor an ``except`` clause releases ``x`` too. So it does for the
``release()`` of a lock (once for all places of the file in which that lock is), the ``cancel()`` of a task of its own (strict:
behind an ``asyncio.wait`` for several, and tasks that go on when another one of a ``gather`` raises), for what a
coroutine lets the loop call while it waits (`add_reader` … `remove_reader`;
strict: any other listener), for a connection or socket (strict) that is returned behind a step which may fail,
and the handler of a signal that is put back; for what is taken from a pool and given back to
it; for temporary files and folders that are removed behind the work, and the settings of a terminal;
and (strict) for the own `self._cleanup()` at the end of a `run` or `main`. Behind the `yield` of a
`@contextmanager` it reports what takes back a step before it, since the `yield` raises what the `with` block raises
(strict: variables that are set back, files, and what a `lifespan` does at the end of its program). In a main program also
the stop of what was started, right behind a wait without limit: Ctrl-C is raised in the wait, and the stop never runs. And in
a generator what it ends behind the loop in which it yields, since who stops iterating early never gets it there (strict for what
is a local of the generator, or comes from its caller).

## Why it matters
One exception, one cancellation, one Ctrl-C between the two lines, and the release never runs: the worker thread keeps the
process alive, the pool's processes stay, the session leaks.

## Example
```python
from multiprocessing import Pool


def render(pages):
    pool = Pool(4)
    results = pool.map(print, pages)
    pool.terminate()
    return results
```

## Use instead
```python
from multiprocessing import Pool


def render(pages):
    pool = Pool(4)
    try:
        return pool.map(print, pages)
    finally:
        pool.terminate()
```

## Precision
Only objects whose type is known to own something that outlives the exception (threads, processes, pools, servers,
sessions, or a project class that starts such), locals whose ``stop()`` follows their own ``run()``, and what a library makes
whose end is awaited behind other awaits (strict: what only a name like ``conn`` tells of). Plain files and
sockets are closed when they are collected, and stay silent; so do what a function only asks for (`get_event_loop`), the
server of a main program that ends there, temporary files behind work that fails only on a full disk or whose errors are
caught and logged, and those that a caller gets or may keep, and mere waits of a function with a handler for SIGINT. In unseen packages 14 of 18 were
right before that, and 3 of 3 since. In 430 more, 17 of 22 that were drawn; the others were locks around what cannot fail, errors that
are logged, and what ends with the program. In 700 more, 64 of 74: silent since are pools behind which work is only handed out, pools and
clients with daemon threads in a main program, event loops and objects that end themselves when they are collected, and locks under which
attributes are only asked for.

## References
- [The try statement](https://docs.python.org/3/reference/compound_stmts.html#the-try-statement)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shutdown_lint.facts import Attr, Call, Expr, ModuleFacts, Name
from shutdown_lint.findings import Confidence, Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.roles import is_test
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.swallowed._between import NAMES, can_raise
from shutdown_lint.rules.swallowed._catching import statement_call
from shutdown_lint.rules.swallowed._interrupted import Interrupted, interrupted
from shutdown_lint.rules.swallowed._iterated import Iterated, ended_behind_yields
from shutdown_lint.rules.swallowed._left_on_disk import left_on_disk
from shutdown_lint.rules.swallowed._listening import LOOPS, left_listening
from shutdown_lint.rules.swallowed._local_group import groups
from shutdown_lint.rules.swallowed._local_release import hazard, is_guessed, released_local
from shutdown_lint.rules.swallowed._own_end import OwnEnd, own_ends
from shutdown_lint.rules.swallowed._own_member import worked_with
from shutdown_lint.rules.swallowed._pairs import Pair, pairs
from shutdown_lint.rules.swallowed._raced import Abandoned, Raced, abandoned, raced
from shutdown_lint.rules.swallowed._set_up import SetUp, set_up
from shutdown_lint.rules.swallowed._steps import is_release_name
from shutdown_lint.rules.swallowed._yielded import Left, left_at_yield
from shutdown_lint.walk import last_name, text

RULE = Rule(
    code="SHD507",
    name="release-not-in-finally",
    summary="a release stands after work that can raise, and nothing releases when it does",
    tier="D",
    severity="warning",
    triggers=(
        ".stop()",
        ".shutdown(",
        ".terminate()",
        ".aclose(",
        ".disconnect()",
        "await & .close(",
        "Pool & .close(",
        *(
            f"{name}.close("
            for name in ("conn", "connection", "client", "session", "channel", "server", "browser", "driver", "cluster")
        ),
        ".quit()",
        ".server_close(",
        ".acquire( & .release()",
        r"re:\.(?:get|take|acquire|borrow|checkout|pop|next)\w*\( & re:\.(?:release|putconn|put_back|give_back|return)\w*\(\w",
        "signal.signal(",
        r"mkdtemp( & re:\b(?:rmtree|rmdir|removedirs)\(",
        *(rf"{made}( & re:\b(?:remove|unlink)\(" for made in ("mkstemp", "mktemp", "NamedTemporaryFile")),
        "tcgetattr( & tcsetattr(",
        "create_task( & .cancel()",
        "create_task( & gather(",
        "ensure_future( & gather(",
        "ensure_future( & .cancel()",
        r"async def & re:\.remove_(?:reader|writer|signal_handler|listener|done_callback|callback|handler|observer)\(",
        r"re:return & re:\.(?:bind|connect|login|authenticate|do_handshake|starttls|sendall)\(",
        r"async def & re:await [\w.]*(?:connect|create_connection|open_connection)",
        "async def & .subscribe( & .unsubscribe(",
        "async def & .register( & .unregister(",
        r"contextmanager & re:\n[ \t]+(?:\w+ = |\(?)yield\b",
        r"start & re:\.(?:join|wait\w*)\(\)",
        # the plain end of it first, which costs less to look for
        r"yield & re:\.(?:close|aclose|stop|shutdown|terminate|kill|quit|disconnect|release|cancel)\(\)"
        r" & re:\n[ \t]+(?:await )?[\w.]+\.(?:close|aclose|stop|shutdown|terminate|kill|quit|disconnect|release|cancel)\(\)",
        r"re:async def _*(?:async_)?(?:run|main|serve|work|loop|execute|process|listen|consume) & re:(?:self)\._*(?:clean|close|stop|shut|tear|dispose|final|disc)",
    ),
    origin=("G4",),
)
_UNDO = frozenset(
    {"release", "cancel", "signal", "putconn", "put_back", "give_back", "release_connection", "return_connection"}
)


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every release of a local, standing as a statement of its own."""
    locks: dict[tuple[object, str], list[tuple[Fn, Pair]]] = {}
    for fn in project.functions(module):
        if is_test(fn) or fn.facts.is_lambda:
            continue
        said: set[Call] = set()
        for found in interrupted(fn, project) if any(map(is_release_name, fn.mentions)) else ():
            said.add(found.stop.call)
            yield _skipped_by_interrupt(module, fn, found)
        for own in own_ends(fn, project):
            yield _own_skipped(module, fn, own)
        for left in left_at_yield(fn, project):
            yield _left(module, fn, left)
        for iterated in ended_behind_yields(fn, project):
            said.add(iterated.step)
            yield _not_iterated(module, fn, iterated)
        for pair in left_on_disk(fn, project):
            yield _not_undone(module, fn, pair)
        for pair in left_listening(fn):
            yield _not_undone(module, fn, pair)._replace(tier="D" if last_name(pair.undo.func) in LOOPS else "S")
        for one in set_up(fn, project):
            yield _half_set_up(module, fn, one)
        for left_alone in abandoned(fn, project):
            yield _not_ended(module, fn, left_alone)
        if not (NAMES | _UNDO) & fn.mentions:
            continue
        for worked in worked_with(fn, project):
            said.add(worked.end)
            yield _finding(module, fn, worked.end, f"self.{worked.member}", worked.confidence)
        for group in groups(fn, project):
            said.add(group.end)
            yield _finding(module, fn, group.end, group.held, "proven")
        handlers: list[tuple[Fn, Pair]] = []
        for pair in pairs(fn, project) if _UNDO & fn.mentions else ():
            if can_raise(pair.between) and pair.lock is not None:
                locks.setdefault(_whose(pair.lock, fn), []).append((fn, pair))
            elif can_raise(pair.between) and last_name(pair.undo.func) == "signal":
                handlers.append((fn, pair))
            elif can_raise(pair.between):
                yield _not_undone(module, fn, pair)
        for (_, pair), *others in (handlers,) if handlers else ():
            yield _not_undone(module, fn, pair, others)  # one `finally` puts back the handlers of all signals
        for race in raced(fn, project):
            yield _not_cancelled(module, fn, race)
        reported: set[str] = set()
        for at in fn.statements if not fn.is_module else ():  # an exception in a script's own lines ends its process
            call = statement_call(at.stmt)
            name = released_local(call)
            if call is not None and call not in said and name is not None and name not in reported:
                confidence = hazard(at, call, name, fn, project)
                if confidence is not None:
                    reported.add(name)
                    finding = _finding(module, fn, call, name, confidence)
                    yield finding._replace(tier="S") if is_guessed(at, call, fn, project) else finding
    for (fn, pair), *others in locks.values():
        yield _not_undone(module, fn, pair, others)


def _whose(lock: Expr, fn: Fn) -> tuple[object, str]:
    """One lock of a class, a module or a function: who forgets `finally` does so all over the file, and is told once."""
    local = isinstance(lock, Name) and lock.id in fn.bindings
    return (fn if local else fn.cls if isinstance(lock, Attr) else None), text(lock)


def _not_undone(module: ModuleFacts, fn: Fn, pair: Pair, others: Sequence[tuple[Fn, Pair]] = ()) -> Finding:
    undo = text(pair.undo)
    more = f", and so it is in {len(others)} more place{'s' * (len(others) > 1)} of the file" if others else ""
    start = getattr(pair.start.stmt, "span", fn.facts.span)
    return RULE.finding(
        module,
        pair.undo.span,
        f"`{undo}` in `{fn.qualname}` is skipped when the work before it raises: {pair.so}{more}",
        lost=(
            fn.step(pair.undo.span, f"`{undo}`"),
            *(
                other.step(skipped.undo.span, f"`{text(skipped.undo)}` in `{other.qualname}`")
                for other, skipped in others
            ),
        ),
        trace=(fn.step(start, "what it takes back"),),
        help=f"put the work into `try` and `{undo}` into `finally`",
    )


def _left(module: ModuleFacts, fn: Fn, found: Left) -> Finding:
    step = text(found.step) if isinstance(found.step, Call) else text(found.step.targets[0]) + " = …"
    return RULE.finding(
        module,
        found.step.span,
        f"`{step}` in `{fn.qualname}` is skipped when the `with` block raises or is cancelled: that is raised in the `yield`",
        tier="S" if found.minor else None,
        lost=(fn.step(found.step.span, f"`{step}`"),),
        trace=(fn.step(getattr(found.start.stmt, "span", fn.facts.span), "what it takes back"),),
        help="put the `yield` into `try`, and what takes things back into `finally`",
    )


def _not_iterated(module: ModuleFacts, fn: Fn, found: Iterated) -> Finding:
    step = text(found.step)
    return RULE.finding(
        module,
        found.step.span,
        f"`{step}` in `{fn.qualname}` is skipped when who iterates stops early: GeneratorExit is raised in the `yield`",
        tier=found.tier,
        lost=(fn.step(found.step.span, f"`{step}`"),),
        trace=(fn.step(getattr(found.given.stmt, "span", fn.facts.span), "the last `yield` that is reached"),),
        help=f"put the loop into `try` and `{step}` into `finally`",
    )


def _half_set_up(module: ModuleFacts, fn: Fn, found: SetUp) -> Finding:
    step = text(found.step)
    return RULE.finding(
        module,
        found.step.span,
        f"when `{step}` in `{fn.qualname}` fails{' or is cancelled' if fn.facts.is_async else ''}, nobody has `{found.name}` who could release it",
        tier="S",
        confidence="likely",
        trace=(fn.step(found.made.span, f"`{found.name}` is made here"), fn.step(found.step.span, "this may fail")),
        help=f"put the step into `try`, and release `{found.name}` in an `except BaseException` that raises on",
    )


def _own_skipped(module: ModuleFacts, fn: Fn, found: OwnEnd) -> Finding:
    end = text(found.end)
    return RULE.finding(
        module,
        found.end.span,
        f"`{end}` in `{fn.qualname}` is skipped when the work before it raises or is cancelled",
        tier="S",
        confidence="likely",
        lost=(fn.step(found.end.span, f"`{end}`"),),
        trace=(fn.step(found.work.span, "the work"),),  # type: ignore[union-attr]  # a statement that works has a span
        help=f"put the work into `try` and `{end}` into `finally`",
    )


def _not_cancelled(module: ModuleFacts, fn: Fn, race: Raced) -> Finding:
    return RULE.finding(
        module,
        race.wait.span,
        f"when `{fn.qualname}` is cancelled in `{text(race.wait)}`, {race.what} go on: `asyncio.wait` cancels none of them",
        tier="S",
        lost=(fn.step(race.cancel.span, f"`{text(race.cancel)}`"),),
        help="put the wait into `try`, and cancel what is not done in `finally`",
    )


def _not_ended(module: ModuleFacts, fn: Fn, found: Abandoned) -> Finding:
    return RULE.finding(
        module,
        found.gather.span,
        f"when another one in `{text(found.gather)}` raises in `{fn.qualname}`, {found.what} goes on: `asyncio.gather` cancels none of the others",
        tier="S",
        help="use a `TaskGroup`, or cancel what is not done in `finally`",
    )


def _skipped_by_interrupt(module: ModuleFacts, fn: Fn, found: Interrupted) -> Finding:
    stop, wait = text(found.stop.call), text(found.wait.call)
    return RULE.finding(
        module,
        found.stop.call.span,
        f"`{stop}` in `{fn.qualname}` is skipped when Ctrl-C ends the program in `{wait}`, which is where it waits",
        lost=(fn.step(found.stop.call.span, f"`{stop}`"),),
        trace=(
            fn.step(found.start.call.span, "what it stops"),
            fn.step(found.wait.call.span, "KeyboardInterrupt is raised here"),
        ),
        help=f"put the wait into `try` and `{stop}` into `finally`",
    )


def _finding(module: ModuleFacts, fn: Fn, call: Call, name: str, confidence: Confidence) -> Finding:
    return RULE.finding(
        module,
        call.span,
        f"`{text(call)}` in `{fn.qualname}` is skipped when the work before it raises: `{name}` is never released",
        confidence=confidence,
        lost=(fn.step(call.span, f"`{text(call)}`"),),
        help=f"put the work into `try` and `{text(call)}` into `finally`",
    )
