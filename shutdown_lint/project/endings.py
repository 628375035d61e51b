"""How a block can end: by falling off its end, a jump, an exit request, a hard exit, or never.

Only what is written counts: every branch is taken to be possible, and a call ends the program only where it is known
to (``os._exit``, ``sys.exit``, ``os.exec*``, a project function that never comes back). Exceptions that a call may
raise are not endings; ``raise`` statements are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from shutdown_lint.facts import (
    Await,
    Body,
    Break,
    Call,
    Const,
    Continue,
    Expr,
    For,
    If,
    Match,
    Raise,
    Return,
    Seq,
    Stmt,
    Try,
    While,
    With,
)
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.values import Class, External, Instance
from shutdown_lint.walk import children, own_exprs

if TYPE_CHECKING:
    from shutdown_lint.project import Project

Kind: TypeAlias = Literal["next", "return", "raise", "exit", "hard", "break", "continue", "endless"]
# What a test is known to be under the present assumption (None: unknown).
Assume: TypeAlias = Callable[[Expr], "bool | None"]

SOFT_EXITS = ("sys.exit", "builtins.exit", "builtins.quit")
MAX_DEPTH = 3


class Ending(NamedTuple):
    """One way in which a block ends, and the statement that does it (``next``: the last one; None: empty block)."""

    kind: Kind
    stmt: Stmt | None


def known(test: Expr) -> bool | None:
    """The value of a literal test."""
    return bool(test.value) if isinstance(test, Const) else None


def of_block(block: Body, fn: Fn, project: Project, assume: Assume = known, depth: int = 0) -> tuple[Ending, ...]:
    """The endings of a block of ``fn``, in source order; several may be of one kind."""
    found: list[Ending] = []
    for stmt in block:
        here = _of_stmt(stmt, fn, project, assume, depth)
        found += [ending for ending in here if ending.kind != "next"]
        if not _goes_on(here):
            return tuple(found)
    return (*found, Ending("next", block[-1] if block else None))


def of_function(fn: Fn, project: Project, depth: int = 0) -> tuple[Ending, ...]:
    """The endings of a function's body."""
    return of_block(fn.facts.body, fn, project, depth=depth)


def comes_back(endings: Iterable[Ending]) -> bool:
    """Whether a function with these endings can return to its caller."""
    return any(ending.kind in ("next", "return") for ending in endings)


def is_exit_request(exc: Expr | None, fn: Fn, project: Project) -> bool:
    """Whether the expression of a ``raise`` is a SystemExit (or of a project class derived from it)."""
    for value in project.evaluate.values(exc, fn):
        if isinstance(value, External):
            return value.name == "builtins.SystemExit"
        if isinstance(value, (Class, Instance)):
            return (
                value.cls == "builtins.SystemExit"
                if isinstance(value.cls, str)
                else project.classes.is_a(value.cls, "builtins.SystemExit")
            )
    return False


def catches(types: Expr | None, *names: str) -> bool:
    """Whether an ``except`` clause with these types catches one of the exceptions named; a bare one catches all."""
    if types is None:
        return True
    parts = types.items if isinstance(types, Seq) else (types,)
    return any(getattr(part, "id", getattr(part, "name", "")) in (*names, "BaseException") for part in parts)


def _goes_on(endings: Iterable[Ending]) -> bool:
    return any(ending.kind == "next" for ending in endings)


def _of_stmt(stmt: Stmt, fn: Fn, project: Project, assume: Assume, depth: int) -> tuple[Ending, ...]:
    if isinstance(stmt, Return):
        return (*_of_calls(stmt, fn, project, depth), Ending("return", stmt))[:1]
    if isinstance(stmt, Raise):
        return (Ending("exit" if is_exit_request(stmt.exc, fn, project) else "raise", stmt),)
    if isinstance(stmt, Break):
        return (Ending("break", stmt),)
    if isinstance(stmt, Continue):
        return (Ending("continue", stmt),)
    if isinstance(stmt, Try):
        return _of_try(stmt, fn, project, assume, depth)
    if isinstance(stmt, (While, For)):
        return _of_loop(stmt, fn, project, assume, depth)
    if isinstance(stmt, If):
        return _of_if(stmt, fn, project, assume, depth)
    if isinstance(stmt, With):
        return _marked(of_block(stmt.body, fn, project, assume, depth), stmt)
    if isinstance(stmt, Match):
        cases = tuple(e for case in stmt.cases for e in of_block(case.body, fn, project, assume, depth))
        return _marked(cases if any(case.irrefutable for case in stmt.cases) else (*cases, Ending("next", stmt)), stmt)
    return tuple(_of_calls(stmt, fn, project, depth)) or (Ending("next", stmt),)


def _of_if(stmt: If, fn: Fn, project: Project, assume: Assume, depth: int) -> tuple[Ending, ...]:
    test = assume(stmt.test)
    found: tuple[Ending, ...] = ()
    if test is not False:
        found += of_block(stmt.body, fn, project, assume, depth)
    if test is not True:
        found += of_block(stmt.orelse, fn, project, assume, depth)
    return _marked(found, stmt)


def _of_loop(stmt: While | For, fn: Fn, project: Project, assume: Assume, depth: int) -> tuple[Ending, ...]:
    body = of_block(stmt.body, fn, project, assume, depth)
    leaving = tuple(ending for ending in body if ending.kind not in ("next", "break", "continue"))
    if isinstance(stmt, While) and known(stmt.test) and not any(ending.kind == "break" for ending in body):
        return leaving or (Ending("endless", stmt),)
    return (
        *leaving,
        *(e for e in of_block(stmt.orelse, fn, project, assume, depth) if e.kind != "next"),
        Ending("next", stmt),
    )


def _of_try(stmt: Try, fn: Fn, project: Project, assume: Assume, depth: int) -> tuple[Ending, ...]:
    body = of_block(stmt.body, fn, project, assume, depth)
    found = [e for e in body if e.kind != "next" and not (e.kind in ("exit", "raise") and _is_caught(e, stmt))]
    if _goes_on(body):
        found += of_block(stmt.orelse, fn, project, assume, depth)
    for handler in stmt.handlers:
        found += of_block(handler.body, fn, project, assume, depth)
    final = of_block(stmt.final, fn, project, assume, depth)
    if not _goes_on(final):
        return final
    return _marked((*found, *(e for e in final if e.kind != "next")), stmt)


def _is_caught(ending: Ending, stmt: Try) -> bool:
    names = ("SystemExit",) if ending.kind == "exit" else ("Exception",)
    return any(catches(handler.types, *names) for handler in stmt.handlers)


def _marked(endings: tuple[Ending, ...], stmt: Stmt) -> tuple[Ending, ...]:
    """One ``next`` at most: blocks that go on meet behind the statement; an empty one goes on with the statement."""
    first = next((e for e in endings if e.kind == "next"), None)
    others = tuple(e for e in endings if e.kind != "next")
    return others if first is None else (*others, first if first.stmt is not None else Ending("next", stmt))


def _of_calls(stmt: Stmt, fn: Fn, project: Project, depth: int) -> Iterator[Ending]:
    """The ending that a call of the statement makes, where one of them never comes back."""
    for root in own_exprs(stmt):
        for call, awaited in _certain_calls(root):
            kind = call_ending(call, fn, project, awaited, depth)
            if kind is not None:
                yield Ending(kind, stmt)
                return


def _certain_calls(expr: Expr, awaited: bool = False) -> Iterator[tuple[Call, bool]]:
    """The calls that run whenever the expression is evaluated, and whether each is awaited on the spot."""
    if isinstance(expr, Await):
        yield from _certain_calls(expr.value, True)
    elif isinstance(expr, Call):
        for child in children(expr):
            yield from _certain_calls(child)
        yield expr, awaited


def _how(name: str, project: Project) -> str:
    """How the model of an exit says that it ends; empty for a call that may come back."""
    known = project.models.exits.get(name)
    return known.how if known is not None else ""


def call_ending(call: Call, fn: Fn, project: Project, awaited: bool = False, depth: int = 0) -> Kind | None:
    """How a call ends the flow of its caller; None where it may come back."""
    names = project.calls.external(call, fn)
    if names:
        if all(_how(name, project) == "hard" for name in names):
            return "hard"
        return "exit" if all(_how(name, project) == "soft" for name in names) else None
    targets = project.calls.targets(call, fn)
    if len(targets) != 1 or depth >= MAX_DEPTH:
        return None
    target = targets[0].fn
    if target.facts.is_generator or (target.facts.is_async and not awaited):
        return None
    endings = of_function(target, project, depth + 1)
    return None if comes_back(endings) or not endings else endings[-1].kind
