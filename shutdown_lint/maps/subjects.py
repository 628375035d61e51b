"""What a step is about: the thread, process, task or resource that it tells, stops, waits for or closes."""

from __future__ import annotations

from shutdown_lint.facts import Attr, Call, Expr, Name, Subscript
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.step import Step
from shutdown_lint.project.values import External, Module
from shutdown_lint.walk import text

_ABOUT = frozenset({"wait", "stop", "release", "tell", "limit", "lost"})
_SENT_TO = ("os.kill", "os.killpg", "signal.pidfd_send_signal")


def subject(step: Step, project: Project) -> tuple[str, str]:
    """Its name (``Feeder._thread``, ``server``) and what kind of thing it is, as models have it; empty for what is about nothing else."""
    call = step.site.call if step.site is not None else None
    if step.kind not in _ABOUT or call is None:
        return "", ""
    if project.calls.is_call_to(call, step.fn, *_SENT_TO):
        return (_process(call.args[0].value), "process") if call.args else ("", "")
    made = project.resources.model_of(call, step.fn)
    if made is not None and made.kind in ("thread", "process"):  # it is waited for, or lost, where it was made
        return step.text.partition(" in ")[0], made.kind
    expr = call if step.text.startswith("end of") else _receiver(call, step.fn, project)
    if expr is None:
        return "", ""
    model = project.resources.model_of(expr, step.fn)
    return _name(expr, step, project), model.kind if model is not None else ""


def _process(expr: Expr) -> str:
    """``process`` for ``process.pid``."""
    return text(expr.value if isinstance(expr, Attr) and expr.name == "pid" else expr)


def _receiver(call: Call, fn: Fn, project: Project) -> Expr | None:
    """The object whose method is called; the argument of a function of a module (``asyncio.wait_for(task, 5)``)."""
    func = call.func
    if isinstance(func, Attr) and not _is_module(func.value, fn, project):
        return func.value
    given = call.args[0].value if call.args else None
    while isinstance(given, Call):
        given = _receiver(given, fn, project)
    return given if isinstance(given, (Name, Attr, Subscript)) else None


def _is_module(expr: Expr, fn: Fn, project: Project) -> bool:
    return any(isinstance(value, (Module, External)) for value in project.evaluate.values(expr, fn))


def _name(expr: Expr, step: Step, project: Project) -> str:
    """As it is written; attributes of ``self`` by the class."""
    owner = project.classes.enclosing(step.fn)
    said = text(expr)
    own = project.classes.self_name(step.fn)
    if owner is not None and own is not None and (said == own or said.startswith(f"{own}.")):
        return f"{owner.name}{said[len(own) :]}"
    return said
