"""Cleanup of a worker whose loss is seen outside of the process."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Await, Call, Const, Expr, Name, Seq, Try, With
from shutdown_lint.findings import Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.conditions import as_called
from shutdown_lint.project.endings import catches
from shutdown_lint.project.outside import OPENERS, writes
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.settled import given
from shutdown_lint.rules._ruled_out import is_ruled_out
from shutdown_lint.rules.work._whole_files import is_flushed, is_put_in_place, removes_the_draft
from shutdown_lint.walk import At, last_name, sites

MAX_DEPTH = 3
_FAILS = re.compile(r"(Error|Exception|Failure)$")
_USUAL = re.compile(r"Time_?out|Key|Index|Attribute|Blocking|File(NotFound|Exists)|Import|ModuleNotFound|Stop|Empty")
_CONTEXTS = re.compile(
    r"transaction|atomic|begin|lock_?file|file_?lock|TemporaryDirectory|NamedTemporaryFile|writer|ZipFile|TarFile|batch",
    re.IGNORECASE,
)
# what writes a file under another name first, and moves it when it is whole
_WHOLE = re.compile(r"atomic_?(writ|open|sav|file|replac|creat|updat)|(writ|open|sav)\w*_?atomic", re.IGNORECASE)
_FINALS = re.compile(
    r"commit|rollback|unlink|rmtree|remove_file|rename|os_replace|save|dump|fsync|deregister|unregister_service|rmdir|truncate",
    re.IGNORECASE,
)


def worker_cleanup(acquisition: Acquisition, project: Project) -> tuple[Step, ...]:
    """That of what a worker runs, with what it is started with: ``Thread(target=fetch, args=(url, None))``."""
    if acquisition.cls is None:
        for registration in project.roles.at(acquisition.site, acquisition.fn):
            call, caller = as_called(registration), acquisition.fn
            found = (step for body in registration.targets for step in durable_cleanup(body, project, 0, call, caller))
            return tuple(dict.fromkeys(found))
    bodies = project.resources.bodies(acquisition)
    return tuple(dict.fromkeys(step for body in bodies for step in durable_cleanup(body, project)))


def durable_cleanup(
    fn: Fn, project: Project, depth: int = 0, call: Call | None = None, caller: Fn | None = None
) -> tuple[Step, ...]:
    """The ``with`` and ``finally`` of the body and of what it calls that finish something outside the process.

    What stands under a condition on a parameter that the ``call`` of a ``caller`` does not meet is none of them.
    """
    found = list(_own(fn, project, call, caller))
    if depth < MAX_DEPTH:
        for site in fn.sites:
            for target in project.calls.targets(site.call, fn):
                if target.fn is fn or target.fn.name == "__init__" or is_test(target.fn):
                    continue  # what a test hands to a library is not what the library runs
                if _is_amiss(site.at):
                    continue
                if target.confidence == "proven":
                    if call is None or not is_ruled_out(site.at, fn, call, project, caller):
                        inner = _handed_on(site.call, site.at, fn, call, project)
                        found += durable_cleanup(target.fn, project, depth + 1, inner, fn)
    return tuple(dict.fromkeys(found))[:6]


def _handed_on(inner: Call, at: At, fn: Fn, call: Call | None, project: Project) -> Call:
    """The inner call, with what the outer one gives for the parameters that it hands on, where that is a constant."""

    def settled(value: Expr) -> Expr:
        found = given(value.id, fn, call, project, at) if isinstance(value, Name) and call is not None else None
        return found if isinstance(found, Const) else value

    return inner._replace(args=tuple(arg._replace(value=settled(arg.value)) for arg in inner.args))


def _own(fn: Fn, project: Project, call: Call | None, caller: Fn | None) -> Iterator[Step]:
    for at in fn.statements:
        if not isinstance(at.stmt, (With, Try)) or _is_amiss(at):
            continue
        if call is not None and is_ruled_out(at, fn, call, project, caller):
            continue
        if isinstance(at.stmt, With):
            for item in at.stmt.items:
                if not _durable_context(item.context, fn, project) or is_put_in_place(item, at.stmt, fn, project):
                    continue
                if not is_flushed(item, at.stmt):
                    yield project.cleanup.with_step(item, at.stmt, fn)
        elif (
            isinstance(at.stmt, Try)
            and at.stmt.final
            and any(
                _FINALS.search(last_name(site.call.func)) and not removes_the_draft(site, fn, project)
                for site in sites(at.stmt.final)
            )
        ):
            yield project.cleanup.final_step(at.stmt, fn)


def _is_amiss(at: At) -> bool:
    """Whether the place is reached only when something has failed, which is not when the exit finds a worker in it."""
    clauses = (place.handler for place in at.around() if place.part == "handler")
    return any(clause is not None and _is_of_failure(clause.types) for clause in clauses)


def _is_of_failure(types: Expr | None) -> bool:
    """``except Exception``, ``except ConnectionError``; a worker may come by ``except TimeoutError`` all the time."""
    if catches(types, "Exception"):
        return True
    parts = types.items if isinstance(types, Seq) else (types,)
    return all(_FAILS.search(last_name(part)) and not _USUAL.search(last_name(part)) for part in parts)


def _durable_context(context: Expr, fn: Fn, project: Project) -> bool:
    inner = context.value if isinstance(context, Await) else context
    if isinstance(inner, Call):
        opener = next((name for name in project.calls.external(inner, fn) if name in OPENERS), None)
        if opener is not None:
            return opener != "tempfile.TemporaryFile" and writes(inner, OPENERS[opener])
        model = project.resources.model_of(inner, fn)
        if model is not None and model.kind in ("connection", "producer", "tempdir"):
            return model.loss == "real"
        return bool(_CONTEXTS.search(last_name(inner.func))) and not _WHOLE.search(last_name(inner.func))
    return False
