"""What a program loses when a signal kills it where it stays, and whether it handles the signal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from shutdown_lint.facts import Break, Const, ExprStmt, For, Handler, ModuleFacts, Return, Stmt, Try, While, With
from shutdown_lint.findings import Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.imports import program
from shutdown_lint.project.outside import held, reaches_outside
from shutdown_lint.project.platforms import imports_windows, is_windows_module
from shutdown_lint.project.programs import Frame, Stay, worker_bodies
from shutdown_lint.project.stakes import around, live, registered
from shutdown_lint.project.values import Instance
from shutdown_lint.walk import At, enclosing_loops, sites, text, walk, what_runs_after

MAX_LOST = 8
_SPEAKS_OF_SIGNALS = re.compile(
    r"sigterm|signal_?handler|(install|handle|setup|register|capture|trap)_?signals?|(graceful)|on_?term", re.IGNORECASE
)
_INTERACTIVE = re.compile(
    r"^(builtins\.input|getpass\.getpass|curses\..*|code\.interact|cmd\.Cmd\.cmdloop|readline\..*|prompt_toolkit\..*|questionary\..*|pdb\..*|"
    r"click\.(prompt|confirm|pause|getchar)|typer\.(prompt|confirm)|tkinter\..*|msvcrt\.getch|textual\..*|webbrowser\.open|IPython\..*)$"
)
_EXAMPLES = re.compile(
    r"(examples?|demos?|docs?|samples?|bench(marks?)?|tutorials?|snippets?|experiments?)$", re.IGNORECASE
)
_EXAMPLE_FILE = re.compile(r"(^|[-_])(example|demo(?=$|[-_]|server|app))")  # `example_server.py`, `acme-demoserver.py`


def modules_of(stay: Stay, project: Project) -> list[ModuleFacts]:
    """The modules of the program, as far as they are loaded."""
    starts = dict.fromkeys([stay.entry.module.name, *(frame.fn.module.name for frame in stay.frames)])
    return modules_named(starts, project)


def modules_named(starts: Iterable[str], project: Project) -> list[ModuleFacts]:
    """The loaded modules of the program that begins with these."""
    return [entry.facts for entry in project.modules.ordered(program(starts, project))]


def is_told_elsewhere(stay: Stay, project: Project) -> bool:
    """Whether a function on the way calls something that speaks of signals by its name, which may install a handler."""
    return any(speaks_of_signals(frame.fn, project) for frame in stay.frames)


def speaks_of_signals(fn: Fn, project: Project) -> bool:
    """Whether a name in the function says that it, or what it calls, installs handlers.

    To end gracefully is the work of many a function that installs nothing: of one that stands in the file, that is seen.
    """
    found = ((word, match) for word in fn.mentions if (match := _SPEAKS_OF_SIGNALS.search(word)))
    return any(not match[2] or not _installs_nothing(word, fn, project) for word, match in found)


def _installs_nothing(word: str, fn: Fn, project: Project) -> bool:
    named = [other for other in project.functions(fn.module) if other.name == word]
    reached = (inner for other in named for inner in project.protocol.reach(other))
    return bool(named) and not any(
        "signal" in inner.mentions or "add_signal_handler" in inner.mentions for inner in reached
    )


def is_for_windows(module: ModuleFacts, project: Project) -> bool:
    """Whether the module runs on Windows only, where nobody sends SIGTERM."""
    return is_windows_module(module.name) or imports_windows(project.body(module).statements)


def is_interactive(stay: Stay, project: Project) -> bool:
    """Whether the program talks with a person at a terminal, who ends it by Ctrl-C."""
    return talks(dict.fromkeys(inner for frame in stay.frames for inner in project.protocol.reach(frame.fn)), project)


def talks(functions: Iterable[Fn], project: Project) -> bool:
    """Whether one of the functions asks a person."""
    return any(
        _INTERACTIVE.match(name)
        for fn in functions
        for site in fn.sites
        for name in project.calls.external(site.call, fn)
    )


def is_example(fn: Fn) -> bool:
    """Whether the file is an example, by its name or that of a folder close to it.

    A module of a package is looked at from its package outwards by one folder, a script by two: what lies further out
    is where somebody keeps the project.
    """
    module = fn.module.name.split(".")
    folders = re.split(r"[/\\]", fn.path)[:-1]
    inside = len(module) - (0 if fn.module.is_package else 1)
    root = folders[: len(folders) - inside]
    near = root[-2:] if inside == 0 else root[-1:]
    return any(_EXAMPLES.match(name) for name in (*module, *near)) or _EXAMPLE_FILE.search(module[-1]) is not None


# --- losses ----------------------------------------------------------------------------------------------------------


def lost(stay: Stay, project: Project, clause: Handler | None = None) -> tuple[Step, ...]:
    """The cleanup that does not run when the process is killed where it stays, innermost first.

    ``clause`` is the ``except KeyboardInterrupt`` that ends the program: what it jumps over does not run on Ctrl-C either.
    """
    functions = tuple(dict.fromkeys(frame.fn for frame in stay.frames))
    found = [step for frame, at in _behind(stay, clause) for step in _of_frame(frame, at, project)]
    found += [
        step for step in live(stay.frames[-1].at, functions, project) if not step.text.startswith(("thread ", "timer "))
    ]
    found += registered(functions, project)
    found += [step for fn in functions for step in _of_workers(fn, project)]
    return tuple(dict.fromkeys(found))[:MAX_LOST]


def is_sure(stay: Stay, project: Project) -> bool:
    """Whether an orderly end surely comes to some of it: to what stands around the place, or is registered, or held by workers.

    Steps behind the place are cleanup for sure only where the loop foresees its end; of a server that serves for ever they
    may be whatever comes next.
    """
    functions = tuple(dict.fromkeys(frame.fn for frame in stay.frames))
    if any(True for frame in stay.frames for _ in around(frame.at, frame.fn, project)):
        return True
    if any(True for _ in registered(functions, project)) or any(
        True for fn in functions for _ in _of_workers(fn, project)
    ):
        return True
    loops = isinstance(stay.frames[-1].at.stmt, (While, For)) and not _is_never_left(stay.frames[-1].at)
    return loops and any(True for frame in stay.frames for _ in after(frame.at, frame.fn, project))


def told(losses: tuple[Step, ...], stay: Stay, project: Project) -> str:
    """The losses in words: a cleanup that does not run, or what is left as it is."""
    functions = tuple(dict.fromkeys(frame.fn for frame in stay.frames))
    left = losses[0] in set(live(stay.frames[-1].at, functions, project))
    more = f" and {len(losses) - 1} more" if len(losses) > 1 else ""
    return f"{losses[0].text}{more} {'is left as it is' if left else 'never runs'}"


def _behind(stay: Stay, clause: Handler | None) -> Iterator[tuple[Frame, At | None]]:
    """The frames, innermost first, each with the place in it behind which the program goes on after Ctrl-C; None where it does not."""
    if clause is None:
        jumping = _is_never_left(stay.frames[-1].at)
    else:
        jumping = any(_try_of(frame.at, clause) is not None for frame in stay.frames)
    for frame in reversed(stay.frames):
        caught = _try_of(frame.at, clause) if clause is not None else None
        jumping = jumping and caught is None
        yield frame, None if jumping else caught or frame.at


def _is_never_left(at: At) -> bool:
    """``while True`` without a ``break``: no way of stopping comes to what stands behind it."""
    stmt = at.stmt
    if not isinstance(stmt, While) or not isinstance(stmt.test, Const) or not stmt.test.value:
        return False
    return not any(
        isinstance(inner.stmt, Return) or (isinstance(inner.stmt, Break) and next(enclosing_loops(inner), None) is None)
        for inner in walk(stmt.body)
    )


def _try_of(at: At, clause: Handler) -> At | None:
    """The last place in the body of the ``try`` that has the clause."""
    for place in at.around():
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, Try) and place.part == "body" and any(handler is clause for handler in outer.handlers):
            return place._replace(position=len(place.block) - 1)
    return None


def _of_frame(frame: Frame, at: At | None, project: Project) -> Iterator[Step]:
    held_here = tuple(around(frame.at, frame.fn, project))
    yield from held_here
    told = {step.line for step in held_here}  # a `finally` around the place is what runs behind it, too
    if at is not None:
        yield from (step for step in after(at, frame.fn, project) if step.line not in told)


def after(at: At, fn: Fn, project: Project) -> Iterator[Step]:
    """The steps behind the place, and in the handlers of an interrupt around it, that do something outside of the process."""
    for place in at.around():
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, Try) and place.part == "body":
            for handler in outer.handlers:
                if is_interrupt(handler):
                    yield from _calls(handler.body, fn, project)
    yield from _calls(tuple(_behind_in_program(at, fn, project)), fn, project)


def _behind_in_program(at: At, fn: Fn, project: Project) -> Iterator[Stmt]:
    """What runs behind the place; in a module, up to the end of its ``__main__`` part: the rest is there for who imports it."""
    guard = project.roles.main_guard(fn) if fn.is_module else None
    inside = None if guard is None else {id(inner.stmt) for inner in walk(guard.body)}
    return (stmt for stmt in what_runs_after(at) if inside is None or id(stmt) in inside)


def is_interrupt(handler: Handler) -> bool:
    """``except KeyboardInterrupt``, alone or among others."""
    return any(
        getattr(part, "id", getattr(part, "name", "")) == "KeyboardInterrupt"
        for part in getattr(handler.types, "items", (handler.types,))
    )


def _calls(block: tuple[Stmt, ...], fn: Fn, project: Project) -> Iterator[Step]:
    """The calls of a block that are cleanup; what stands in a definition or a loop's body counts, work of its own does not."""
    for stmt in block:
        if isinstance(stmt, ExprStmt):
            for site in sites((stmt,)):
                if site.dropped and reaches_outside(site, fn, project):
                    yield fn.step(site.call.span, f"`{text(site.call)}` in {fn.qualname}")
        elif isinstance(stmt, (Try, With)):
            yield from _calls(stmt.body, fn, project)


def _of_workers(fn: Fn, project: Project) -> Iterator[Step]:
    """The cleanup that started threads hold in their bodies."""
    for acquisition in project.resources.of_function(fn):
        if acquisition.model.kind not in ("thread", "process") or not project.resources.started(acquisition):
            continue
        if acquisition.daemon is True and not project.resources.track(acquisition).has("join"):
            continue  # an orderly exit breaks it off as well
        for value in project.evaluate.values(acquisition.call, fn):
            if isinstance(value, Instance):
                for body in worker_bodies(value, project):
                    for reached in project.protocol.reach(body):
                        yield from held(reached, project)
