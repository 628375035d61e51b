"""The deployment files of a run: from their bytes to the findings in them. Loaded only when there are some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shutdown_lint import suppress
from shutdown_lint.analysis import Context, Enabled, Result, Taken, project_of, rules_of, run_rules, trouble_findings
from shutdown_lint.deployment.facts import BrokenError, DeploymentFile, Note
from shutdown_lint.deployment.read import read, text_of
from shutdown_lint.deployment.world import World
from shutdown_lint.findings import Finding
from shutdown_lint.grouping import Group
from shutdown_lint.intake import internal_error
from shutdown_lint.project import Project
from shutdown_lint.rules import registry
from shutdown_lint.source import SourceFile, Trouble
from shutdown_lint.source.kinds import deployment_kind
from shutdown_lint.suppressions import hash_layout
from shutdown_lint.triggers import SUPPRESSION_WORDS

_PATCH = "a patch (of Kustomize or the like), which is no object by itself: it counts for the one that it changes"


class Deployed(NamedTuple):
    """The result, the number of files that were checked, and why others were left out."""

    result: Result
    files: int
    warnings: tuple[str, ...]


def concerns(name: str, data: bytes) -> bool:
    """Whether a file that may be one by its name is a deployment file."""
    from shutdown_lint.deployment import kubernetes

    return deployment_kind(name) != "kubernetes" or kubernetes.concerns(data)


def analyse(files: Sequence[SourceFile], sources: Group, context: Context) -> Deployed:
    """The findings in the deployment files that are to be reported on; ``sources`` are the Python files of the project."""
    outcomes = [(file, _taken(file, context)) for file in files]
    troubles = [(file.path, one) for file, one in outcomes if file.reported and isinstance(one, Trouble)]
    warnings = tuple(
        f"{file.path}: skipped, {one}" for file, one in outcomes if file.reported and isinstance(one, Note)
    )
    known = [one for _, one in outcomes if isinstance(one, DeploymentFile)]
    patches = [one.path for one in known if _is_patch(one)]
    warnings += tuple(f"{file.path}: skipped, {_PATCH}" for file in known if file.reported and file.path in patches)
    found: list[Finding] = trouble_findings(troubles, context.enabled)
    hidden = 0
    checks = rules_of(context.enabled, on_deployment=True)
    if checks and any(file.reported for file in known):
        world = World(known, sources.files, _project(sources, context))
        for file in world.files:
            if file.reported:
                result = _of_file(file, world, checks, context)
                found += result.kept
                hidden += result.hidden
    checked = sum(file.reported and file.path not in patches for file in known)
    return Deployed(Result(tuple(found), hidden), checked, warnings)


def _is_patch(file: DeploymentFile) -> bool:
    """Whether the file holds a patch and nothing else; a kustomization holds more than its patches."""
    name = file.absolute.replace("\\", "/").rpartition("/")[2]
    return bool(file.units) and all(unit.kind == "patch" for unit in file.units) and "kustomization" not in name.lower()


def _taken(file: SourceFile, context: Context) -> DeploymentFile | Trouble | Note | None:
    kind = deployment_kind(file.absolute.replace("\\", "/").rpartition("/")[2])
    try:
        return read(file, kind, context.contents.get(file.absolute))
    except Exception as error:  # noqa: BLE001  # a mistake in a reader must cost this file only
        return internal_error("reading the file", error)


def _project(sources: Group, context: Context) -> Project:
    """A project of which nothing is lowered yet: commands lead to the modules that matter."""
    return project_of(sources, [Taken(None, None)] * len(sources.files), context)


def _of_file(file: DeploymentFile, world: World, checks: Sequence[Enabled], context: Context) -> suppress.Result:
    found: list[Finding] = []
    failed: set[str] = set()
    for part in (file, *file.inner):
        findings, wrong = run_rules(checks, file.path, context.enabled, part, world)
        found += findings
        failed |= wrong
    ran = {check.entry.code for check in checks} - failed
    data = context.contents.get(file.absolute)
    result = suppress.Result(tuple(found), 0)
    if suppress.may_hold_suppressions(data) and (found or any(word.encode() in data for word in SUPPRESSION_WORDS)):
        try:
            result = suppress.apply(found, text_of(data), file.path, ran, hash_layout)
        except BrokenError:  # the file has changed meanwhile
            pass
    kept = tuple(_with_own_fix(f) for f in result.kept if f.tier in context.enabled.get(f.code, ""))
    return result._replace(kept=kept)


def _with_own_fix(finding: Finding) -> Finding:
    """The finding; one of a rule for all files without its fix, which knows Python's comments only."""
    return finding if finding.code in registry.on_deployment() else finding._replace(fix=None)
