"""Cleanup of a worker whose loss is seen outside of the process."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Await, Call, Const, Expr, Try, With
from shutdown_lint.findings import Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.walk import argument, last_name, sites

MAX_DEPTH = 3
_WRITES = re.compile(r"[wax+]")
_CONTEXTS = re.compile(
    r"transaction|atomic|begin|lock_?file|file_?lock|TemporaryDirectory|NamedTemporaryFile|writer|ZipFile|TarFile|batch",
    re.IGNORECASE,
)
_FINALS = re.compile(
    r"commit|rollback|unlink|rmtree|remove_file|rename|os_replace|save|dump|fsync|deregister|unregister_service|rmdir|truncate",
    re.IGNORECASE,
)


def durable_cleanup(fn: Fn, project: Project, depth: int = 0) -> tuple[Step, ...]:
    """The ``with`` and ``finally`` of the body and of what it calls that finish something outside the process."""
    found = list(_own(fn, project))
    if depth < MAX_DEPTH:
        for site in fn.sites:
            for target in project.calls.targets(site.call, fn):
                if target.fn is not fn and target.confidence == "proven" and target.fn.name != "__init__":
                    found += durable_cleanup(target.fn, project, depth + 1)
    return tuple(dict.fromkeys(found))[:6]


def _own(fn: Fn, project: Project) -> Iterator[Step]:
    for at in fn.statements:
        if isinstance(at.stmt, With):
            for item in at.stmt.items:
                if _durable_context(item.context, fn, project):
                    yield project.cleanup.with_step(item, at.stmt, fn)
        elif (
            isinstance(at.stmt, Try)
            and at.stmt.final
            and any(_FINALS.search(last_name(site.call.func)) for site in sites(at.stmt.final))
        ):
            yield project.cleanup.final_step(at.stmt, fn)


def _durable_context(context: Expr, fn: Fn, project: Project) -> bool:
    inner = context.value if isinstance(context, Await) else context
    if isinstance(inner, Call):
        if any(
            name in ("builtins.open", "io.open", "gzip.open", "bz2.open", "os.fdopen")
            for name in project.calls.external(inner, fn)
        ):
            mode = argument(inner, 1, "mode")
            return isinstance(mode, Const) and isinstance(mode.value, str) and bool(_WRITES.search(mode.value))
        model = project.resources.model_of(inner, fn)
        if model is not None and model.kind in ("connection", "producer", "tempdir"):
            return model.loss == "real"
        return bool(_CONTEXTS.search(last_name(inner.func)))
    return False
