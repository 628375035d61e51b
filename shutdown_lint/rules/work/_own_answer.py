"""Members of a base that a subclass never gets: what makes them is another answer of one of its own methods."""

from __future__ import annotations

from shutdown_lint.facts import Attr, Call, Const, Expr, If, Name, Return
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.classes import AttributeWrite
from shutdown_lint.walk import subexprs

STARTS = frozenset({"start", "open", "connect", "run", "begin", "setup", "launch"})


def is_left_out(write: AttributeWrite, cls: Cls, project: Project) -> bool:
    """``work = self.prepare(); if work is not None: self.task = create_task(work)``, and the class's ``prepare`` returns None."""
    for place in write.at.around():
        branch = place.outer.stmt if place.outer is not None and place.part == "body" else None
        for part in subexprs(branch.test) if isinstance(branch, If) else ():
            bound = write.fn.bindings.get(part.id, ()) if isinstance(part, Name) else ()
            method = _own_method(getattr(bound[0], "expr", None), write.fn, cls, project) if len(bound) == 1 else None
            if method is not None and _answers_none(method):
                return True
    return False


def is_made_for_others(write: AttributeWrite, cls: Cls, project: Project) -> bool:
    """Whether a method makes it that only other classes call on themselves: ``self.register(link)`` of those that have links."""
    if write.fn.name.startswith("__") or write.fn.name in STARTS:
        return False
    callers = project.calls.callers(write.fn)
    ours = {*project.classes.mro(cls), *project.classes.subclasses(cls)}
    own = [c.fn for c in callers if isinstance(c.site.call.func, Attr) and c.fn.own_attribute(c.site.call.func)]
    return bool(own) and len(own) == len(callers) and not any(fn.cls in ours for fn in own)


def is_asked_no_more(reader: Fn, cls: Cls, project: Project) -> bool:
    """Whether only methods call it that the class overrides: ``should_go_on`` of a base whose ``loop`` is another here."""
    callers = [caller.fn for caller in project.calls.callers(reader) if caller.fn is not reader]
    own = [fn for fn in callers if fn.cls is not None and fn.cls in project.classes.mro(cls)]
    return bool(own) and not any(project.classes.method(cls, fn.name) is fn for fn in own)


def _own_method(value: Expr | None, fn: Fn, cls: Cls, project: Project) -> Fn | None:
    name = fn.own_attribute(value.func) if isinstance(value, Call) else None
    return project.classes.method(cls, name) if name is not None else None


def _answers_none(method: Fn) -> bool:
    if method.facts.is_async or method.facts.is_generator or "NotImplementedError" in method.mentions:
        return False
    answers = (at.stmt.value for at in method.statements if isinstance(at.stmt, Return))
    return all(value is None or (isinstance(value, Const) and value.value is None) for value in answers)
