"""How the child of a fork goes on: the ways in which it comes back into its parent's code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import Assign, Body, Call, Const, ExprStmt, If, Name, Return, Span, Stmt, Try, While
from shutdown_lint.findings import Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.endings import Assume, Ending, catches, comes_back, of_block
from shutdown_lint.project.forks import assuming, test_side
from shutdown_lint.walk import At, Site, sites, sites_at, walk


class Leak(NamedTuple):
    """One way of a forked child into its parent's code.

    ``kind`` is ``exit``, ``return``, ``next``, ``raise`` or ``risk`` (an exception passes the hard exit by);
    the span is that of the statement that lets it through, ``inner`` the hard exit in the function that it calls.
    """

    kind: str
    span: Span
    inner: Step | None = None


def leak(fork: Site, fn: Fn, project: Project) -> Leak | None:
    """The way by which the child of this fork comes back (the surest of several); None where it does not."""
    branch = _child_branch(fork, fn, project)
    child = _onward(fork.at, fn, project, assuming("child", fn, project))
    if branch is None or _is_kept(fork, branch) or any(_hands_on(ending) for ending in child):
        return None
    ending = next((e for kind in ("exit", "return", "raise", "next") for e in child if e.kind == kind), None)
    if ending is None:
        return _risk(branch, child, fn, project)
    parent = _onward(fork.at, fn, project, assuming("parent", fn, project))
    if not comes_back(parent) and any(e.kind != "exit" for e in child):
        return None  # the parent ends here: the child is the program
    if ending.kind == "exit" and not _goes_on(parent):
        return None
    if ending.kind == "next":
        return Leak("next", getattr(branch[-1], "span", fork.call.span) if branch else fork.call.span)
    return Leak(ending.kind, getattr(ending.stmt, "span", fork.call.span))


def parent_exit(fork: Site, fn: Fn, project: Project) -> Ending | None:
    """The exit request by which the parent leaves while the child goes on as the program: it unwinds, and runs what is registered."""
    parent = _onward(fork.at, fn, project, assuming("parent", fn, project))
    child = _onward(fork.at, fn, project, assuming("child", fn, project))
    leaving = next((ending for ending in parent if ending.kind == "exit"), None)
    return leaving if not comes_back(parent) and comes_back(child) else None


def _goes_on(parent: tuple[Ending, ...]) -> bool:
    """Whether the parent has something to do after the fork, and does not leave hard at once."""
    return any(ending.kind not in ("hard",) for ending in parent)


def _onward(at: At, fn: Fn, project: Project, assume: Assume) -> tuple[Ending, ...]:
    """How one of the two processes ends the function, from the fork on."""
    here = (at.stmt,) if isinstance(at.stmt, (If, While)) else ()
    endings = of_block((*here, *at.after()), fn, project, assume)
    for place in at.around():
        outer = place.outer
        if outer is None:
            break
        if isinstance(outer.stmt, Try):
            endings = _through(endings, place, outer.stmt, fn, project, assume)
        if any(ending.kind in ("next", "break", "continue") for ending in endings):
            stay = tuple(ending for ending in endings if ending.kind not in ("next", "break", "continue"))
            endings = (*stay, *of_block(outer.after(), fn, project, assume))
    return endings


def _through(
    endings: tuple[Ending, ...], place: At, stmt: Try, fn: Fn, project: Project, assume: Assume
) -> tuple[Ending, ...]:
    """The endings behind a ``try`` around the place: what its handlers catch, and what its ``finally`` overrules."""
    caught = {"exit": "SystemExit", "raise": "Exception"}
    for handler in stmt.handlers if place.part == "body" else ():
        left = tuple(e for e in endings if e.kind not in caught or not catches(handler.types, caught[e.kind]))
        if len(left) < len(endings):
            endings = (*left, *of_block(handler.body, fn, project, assume))
    final = of_block(stmt.final, fn, project, assume) if place.part != "final" else ()
    return final if final and not any(ending.kind == "next" for ending in final) else endings


def _child_branch(fork: Site, fn: Fn, project: Project) -> Body | None:
    """The statements that only the child runs, by the first test on the fork's result; None where nothing tests it."""
    for at in fn.statements:
        if isinstance(at.stmt, If) and at.stmt.span.line >= fork.at.stmt.span.line:  # type: ignore[union-attr]  # a statement with a call has a span
            if_true, if_false = test_side(at.stmt.test, fn, project)
            if if_true == "child":
                return at.stmt.body
            if if_false == "child":
                return at.stmt.orelse or at.after()
    return None


def _is_kept(fork: Site, branch: Body) -> bool:
    """Whether others learn which process they are: an attribute keeps the number, or the child notes what it is."""
    targets = fork.at.stmt.targets if isinstance(fork.at.stmt, Assign) else ()
    if any(not isinstance(target, Name) for target in targets if not hasattr(target, "items")):
        return True
    return _notes(branch)


def _notes(block: Body) -> bool:
    """``self.is_child = True``: the child notes what it is."""
    return any(isinstance(stmt, Assign) and isinstance(stmt.value, (Const, Name)) for stmt in block)


def _hands_on(ending: Ending) -> bool:
    """``return pid``, ``return True``: the caller tells the two apart."""
    return (
        isinstance(ending.stmt, Return)
        and ending.stmt.value is not None
        and ending.kind == "return"
        and not (isinstance(ending.stmt.value, Const) and ending.stmt.value.value is None)
    )


def _risk(branch: Body, child: tuple[Ending, ...], fn: Fn, project: Project) -> Leak | None:
    """The hard exit that an exception of the child's work passes by: it stands behind the work, not in ``finally``.

    It may stand in the function that the child runs as its last step.
    """
    last = branch[-1] if branch else None
    if isinstance(last, ExprStmt) and isinstance(last.value, Call):
        for work, _ in project.calls.targets(last.value, fn):
            body = work.facts.body
            found = None if _notes(body) else _passed_by(body, of_block(body, work, project), work, project)
            if found is not None:
                step = work.step(found.span, f"`{work.qualname}` ends the child here, where its work does not raise")
                return Leak("risk", last.span, step)
    return _passed_by(branch, child, fn, project)


def _passed_by(branch: Body, endings: tuple[Ending, ...], fn: Fn, project: Project) -> Leak | None:
    for ending in endings:
        if (
            ending.kind != "hard"
            or not isinstance(ending.stmt, ExprStmt)
            or not any(stmt is ending.stmt for stmt in branch)
        ):
            continue
        if not any(project.calls.is_call_to(site.call, fn, "os._exit", "os.abort") for site in sites((ending.stmt,))):
            continue  # an exec, or a function that never comes back
        position = next(n for n, stmt in enumerate(branch) if stmt is ending.stmt)
        if any(_may_raise(stmt, fn, project) for stmt in branch[:position]):
            return Leak("risk", ending.stmt.span)
    return None


def _may_raise(stmt: Stmt, fn: Fn, project: Project) -> bool:
    """Whether work of the project's own runs in the statement without a handler for what it raises."""
    if isinstance(stmt, Try) and any(catches(handler.types, "Exception") for handler in stmt.handlers):
        return False
    return any(_is_work(site, fn, project) for at in walk((stmt,)) for site in _own(at))


def _own(at: At) -> Iterator[Site]:
    guarded = any(
        isinstance(place.outer.stmt, Try)
        and place.part == "body"
        and any(catches(h.types, "Exception") for h in place.outer.stmt.handlers)
        for place in at.around()
        if place.outer
    )
    return iter(()) if guarded else sites_at(at)


def _is_work(site: Site, fn: Fn, project: Project) -> bool:
    return any(target.fn.sites for target in project.calls.targets(site.call, fn))
