"""Methods that are for others to implement, and who does: classes of the project, or its users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shutdown_lint.facts import Call, Const, ExprStmt, Raise
from shutdown_lint.project.handles import Cls, Fn
from shutdown_lint.project.memo import Memo
from shutdown_lint.project.roles import is_test
from shutdown_lint.walk import last_name

if TYPE_CHECKING:
    from shutdown_lint.project import Project

_SHORTEST = 4
# Parts that a program leaves to others by their very name.
_PARTS = frozenset({
    "extension", "plugin", "addon", "handler", "listener", "observer", "backend", "provider", "driver", "hook", "middleware", "sink",
    "target", "source", "client", "service", "server", "transport", "adapter", "component", "module", "resource", "callback", "cache", "store",
})  # fmt: skip
_PROTOCOLS = ("typing.Protocol", "typing_extensions.Protocol")
# asked for each step of each cleanup
_FOR_OTHERS: Memo[dict[Fn, bool]] = Memo()


def implementations(targets: tuple[Fn, ...], project: Project, *, brought: bool) -> tuple[Fn, ...]:
    """What runs of the functions that a call may run: the project's own in the place of those which others implement.

    ``brought``: the receiver is handed in from outside. Where the project then makes none of its own implementers
    itself, its users choose them, and theirs may be any.
    """
    theirs = tuple(target for target in targets if is_for_others(target, project))
    if not theirs:
        return targets
    own = tuple(target for target in targets if target not in theirs)
    found = (method for target in theirs for method in (*_overriding(target, project), *_matching(target, project)))
    own += tuple(dict.fromkeys(method for method in found if method not in own))
    if not own and not brought and all(_is_left_empty(target, project) for target in theirs):
        return ()
    if not own or (brought and not any(_is_used(method, project) for method in own)):
        return theirs
    return own


def _is_left_empty(fn: Fn, project: Project) -> bool:
    """Whether the method may stay as it is, without a body, and does so in the classes below it, of which the project uses some."""
    return fn.cls is not None and not is_abstract(fn) and _is_used(fn, project)


def is_for_others(fn: Fn, project: Project) -> bool:
    """Whether the method's body is left to implementers: abstract, or an empty hook of an abstract class."""
    if fn.cls is None:
        return False
    memo = _FOR_OTHERS.setdefault(project, {})
    if fn not in memo:
        memo[fn] = (is_abstract(fn) and not _is_of_stubs(fn, project)) or _is_hook(fn, project)
    return memo[fn]


def _is_of_stubs(fn: Fn, project: Project) -> bool:
    """Whether all of the module, functions beside the classes too, only raises: it stands for what is compiled, and runs never."""
    others = [other for other in project.functions(fn.module) if not other.is_module]
    return any(other.cls is None for other in others) and all(map(_only_refuses, others))


def _only_refuses(fn: Fn) -> bool:
    body = [stmt for stmt in fn.facts.body if not (isinstance(stmt, ExprStmt) and isinstance(stmt.value, Const))]
    return not body or (len(body) == 1 and isinstance(body[0], Raise) and _raised(body[0]) == "NotImplementedError")


def is_abstract(fn: Fn) -> bool:
    """A method for others to implement: it raises ``NotImplementedError``, or is declared abstract and does nothing."""
    if fn.cls is None:
        return False
    body = [stmt for stmt in fn.facts.body if not (isinstance(stmt, ExprStmt) and isinstance(stmt.value, Const))]
    return _only_refuses(fn) if body else "abstractmethod" in fn.decorator_names


def _is_hook(fn: Fn, project: Project) -> bool:
    """A method without a body in an abstract base class, which others may fill: ``def close(self): pass``."""
    if fn.cls is None or fn.name.startswith("_") or any(not isinstance(stmt, ExprStmt) for stmt in fn.facts.body):
        return False
    if any(not isinstance(stmt.value, Const) for stmt in fn.facts.body if isinstance(stmt, ExprStmt)):
        return False
    return (
        "abc.ABC" in project.classes.external_bases(fn.cls)
        or _is_protocol(fn.cls, project)
        or any("abstractmethod" in method.decorator_names for method in fn.cls.methods.values())
    )


def _is_protocol(cls: Cls, project: Project) -> bool:
    return project.classes.is_a(cls, *_PROTOCOLS)


def _overriding(fn: Fn, project: Project) -> Iterator[Fn]:
    for cls in project.classes.subclasses(fn.cls) if fn.cls is not None else ():
        method = cls.methods.get(fn.name)
        if method is not None and not is_test(method) and not is_for_others(method, project):
            yield method


def _matching(fn: Fn, project: Project) -> Iterator[Fn]:
    """The methods of classes that have all that a protocol asks for, without deriving from it (PEP 544)."""
    if fn.cls is None or not _is_protocol(fn.cls, project):
        return
    asked = {name for name in project.classes.methods(fn.cls) if not name.startswith("__")}
    project.modules.loaded_mentioning(max(asked | {fn.name}, key=len))
    for method in project.calls.methods_named(fn.name):
        cls = method.cls
        if cls is None or is_test(method) or is_for_others(method, project):
            continue
        if asked <= project.classes.methods(cls).keys():
            yield method


def methods_by_name(receiver: str, name: str, project: Project) -> Iterator[Fn]:
    """The methods of the classes that the object's name speaks of, and that the project makes: ``record`` is a ``LogRecord``.

    One that is for others to implement stands for those who do: ``stream_opener`` is a ``StreamOpener`` of some kind.
    """
    wanted = receiver.strip("_").replace("_", "").lower()
    if len(wanted) >= _SHORTEST and wanted not in _PARTS:
        for method in project.calls.methods_named(name):
            called = method.cls.name.lower() if method.cls is not None else ""
            if (called.endswith(wanted) or called.startswith(wanted)) and not is_test(method):
                if is_for_others(method, project) or _is_used(method, project):
                    yield method


def _is_used(fn: Fn, project: Project) -> bool:
    """Whether the program itself names the class of the method (or one below it), outside of it and of tests: to make one."""
    if fn.cls is None:
        return True
    family = {fn.cls, *project.classes.subclasses(fn.cls)}
    return any(_is_named(cls, family, project) for cls in family)


def _is_named(cls: Cls, family: set[Cls], project: Project) -> bool:
    return any(
        not is_test(fn)
        and project.classes.enclosing(fn) not in family
        and (fn.names(cls.name) or fn.attributes(cls.name))
        for fn in project.calls.mentioning(cls.name)
    )


def _raised(stmt: Raise) -> str:
    return last_name(stmt.exc.func if isinstance(stmt.exc, Call) else stmt.exc)
