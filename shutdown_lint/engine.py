"""One run: files → bytes → facts → project → findings. Every interface is a thin adapter over ``check``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint.analysis import Result, analyse_group, trouble_findings
from shutdown_lint.cache import Cache, Remembered, key_of, open_cache, version
from shutdown_lint.collector import collector_paused
from shutdown_lint.common import Common
from shutdown_lint.findings import Finding
from shutdown_lint.grouping import whole
from shutdown_lint.inputs import Input, read, reader
from shutdown_lint.parts import parts_of
from shutdown_lint.rules import registry
from shutdown_lint.schedule import Progress, analyse_all
from shutdown_lint.settings import Settings
from shutdown_lint.source import PASSING, digest
from shutdown_lint.source.discover import absolute
from shutdown_lint.source.ignores import glob_regex

if TYPE_CHECKING:
    from shutdown_lint.facts_cache import FolderStore
    from shutdown_lint.lowered import Store
    from shutdown_lint.project import Project
    from shutdown_lint.refining import Refine, Refiner
    from shutdown_lint.remote import Opener


class Report(NamedTuple):
    """The result of a run.

    ``findings`` are sorted, after suppressions; input troubles (SHD900–904) are among them. ``files`` counts the files
    that were checked, ``suppressed`` the findings that a comment or ``per-file-ignores`` hides. ``warnings`` are for
    stderr.
    """

    findings: tuple[Finding, ...]
    files: int
    suppressed: int = 0
    warnings: tuple[str, ...] = ()

    def exit_code(self) -> int:
        """0: clean, 1: findings, 2: some input could not be analysed."""
        if any(finding.code in registry.TROUBLES for finding in self.findings):
            return 2
        return 1 if self.findings else 0


def no_progress(_phase: str, _done: int, _total: int, _unit: str) -> None:
    """Nobody wants to know."""


def check(
    paths: Sequence[str],
    settings: Settings,
    *,
    stdin: bytes | None = None,
    held: Mapping[str, bytes] | None = None,
    progress: Progress = no_progress,
    refine: Refine | None = None,
    executor: Opener | None = None,
) -> Report:
    """Check the files that ``paths`` name, knowing the whole project.

    ``progress`` is called now and then, see ``schedule.analyse_all``. With ``stdin``, its bytes stand for the file
    ``settings.stdin_filename``, and only that file is reported on. Other files are taken to contain what ``held`` says,
    by path. ``executor`` opens an executor that lowers files (see ``remote``); it is closed before anything else is done.
    ``refine`` says what becomes of findings that carry a fix, file by file, before they are remembered; it gets a reader
    of the files' texts.
    Raises ``registry.UnknownSelector`` for a selector in the settings that names no rule.
    """
    with collector_paused():
        return _check(
            paths,
            settings,
            stdin,
            {absolute(path): data for path, data in (held or {}).items()},
            progress,
            refine,
            executor,
        )


def _check(
    paths: Sequence[str],
    settings: Settings,
    stdin: bytes | None,
    held: Mapping[str, bytes],
    progress: Progress,
    refine: Refine | None,
    executor: Opener | None,
) -> Report:
    cache = open_cache("" if stdin is not None or held else settings.cache, settings.root)
    given = read(paths, settings, stdin, held, cache)
    store = partial(_held if executor is not None else _facts, cache)
    return run(given, settings, cache, store, progress, refine, executor)


def run(
    given: Input,
    settings: Settings,
    cache: Cache,
    store: Callable[[], Store | None],
    progress: Progress,
    refine: Refine | None,
    executor: Opener | None = None,
) -> Report:
    """The report on what was read; ``store`` opens what is known of contents, if anything has to be analysed."""
    enabled = registry.resolve(settings.select, settings.extend_select, settings.ignore)
    common = Common(given.files, given.contents, settings, enabled, store)
    results, told = _results(given, common, cache, progress, settings.jobs, refine, executor)
    findings = [finding for result in results for finding in result.findings]
    findings += trouble_findings(given.troubles, enabled)
    deployed = _deployed(given, common, cache, refine)
    if deployed is not None:
        findings += deployed.findings
    cache.save()
    kept = without_ignored(findings, settings)
    hidden = sum(result.hidden for result in results) + len(findings) - len(kept)
    reported, warnings = sum(file.reported for file in given.files), (*given.warnings, *told)
    if deployed is not None:
        hidden, reported = hidden + deployed.hidden, reported + deployed.files
        warnings = (*warnings, *deployed.warnings)
    return Report(tuple(sorted(set(kept), key=Finding.sort_key)), reported, hidden, warnings)


def _refiner(given: Input, cache: Cache, refine: Refine) -> Refiner:
    from shutdown_lint.refining import Refiner

    return Refiner(refine, reader(given), {file.path: given.digest(file) for file in given.files}, _facts(cache))


def _facts(cache: Cache) -> FolderStore | None:
    """The facts of earlier runs. Loaded only where something is to be analysed."""
    folder = cache.folder_of_facts()
    if not folder:
        return None
    from shutdown_lint.facts_cache import FolderStore

    return FolderStore(folder, version())


def _held(cache: Cache) -> Store:
    """The same, and room for what comes from an executor."""
    from shutdown_lint.remote import HeldStore

    return HeldStore(_facts(cache))


def _results(
    given: Input,
    common: Common,
    cache: Cache,
    progress: Progress,
    jobs: int,
    refine: Refine | None,
    executor: Opener | None,
) -> tuple[list[Result], Sequence[str]]:
    """What is found in each part of the run: remembered, or found now and remembered; and warnings."""
    parts, about = parts_of(given.files, given.known), (common.key, bool(refine))
    keys = [
        key_of(*about, common.keys(part.files), [(file, given.digest(file)) for file in part.files]) for part in parts
    ]
    found = {key: Result(*result[:2]) for key in keys if (result := cache.result(key)) is not None}
    left = [(key, part) for key, part in zip(keys, parts, strict=True) if key not in found]
    warnings: Sequence[str] = ()
    if left:
        if executor is not None:
            from shutdown_lint.remote import lower_all

            warnings = lower_all([file for _, part in left for file in part.files], common.context, executor, progress)
        last = _refiner(given, cache, refine) if refine is not None else None
        results = analyse_all([part for _, part in left], common.context, jobs, progress, last)
        for (key, _), new in zip(left, results, strict=True):
            found[key] = new
            if not _passes(new.findings):
                cache.put_result(key, Remembered(*new))
        if (store := common.context.store) is not None:
            store.prune(given.digest(file) for file in given.files)
    return [found[key] for key in keys], warnings


def projects(paths: Sequence[str], settings: Settings) -> Iterator[tuple[Project, tuple[Finding, ...]]]:
    """What is known of each part of a run, and the findings in it, for questions that no rule asks."""
    enabled = registry.resolve(settings.select, settings.extend_select, settings.ignore)
    with collector_paused():
        given = read(paths, settings, None, {}, open_cache("", settings.root))
        context = Common(given.files, given.contents, settings, enabled).context
        for part in parts_of(given.files, given.known):
            for group in part.groups:
                project, result = analyse_group(group, context, {})
                yield project, tuple(without_ignored(result.findings, settings))


def _deployed(given: Input, common: Common, cache: Cache, refine: Refine | None) -> Remembered | None:
    """What is found in deployment files; without one to report on, nothing of it is loaded."""
    if not any(file.reported for file in given.deployment):
        return None
    files = [(file, digest(given.contents.get(file.absolute))) for file in given.deployment]
    sources = [(file, given.digest(file)) for file in given.files]
    key = key_of(common.key, bool(refine), common.keys(given.files), files, sources)
    found = cache.result(key)
    if found is None:
        from shutdown_lint.deployments import analyse

        result, count, warnings = analyse(given.deployment, whole(given.files, given.known), common.context)
        found = Remembered(*result, count, warnings)
        if refine is not None:
            found = found._replace(findings=refine.apply(found.findings, reader(given)))
        if not _passes(found.findings):
            cache.put_result(key, found)
    return found


def _passes(findings: Iterable[Finding]) -> bool:
    return any(finding.code in PASSING for finding in findings)


def without_ignored(findings: Sequence[Finding], settings: Settings) -> list[Finding]:
    """The findings that ``per-file-ignores`` leaves."""
    if not settings.per_file_ignores:
        return list(findings)
    root = absolute(settings.root)
    rules = [
        (glob_regex([glob]), {entry.code for selector in selectors for entry in registry.matching(selector)})
        for glob, selectors in settings.per_file_ignores
    ]
    kept = []
    for finding in findings:
        path = absolute(finding.path)
        relative = os.path.relpath(path, root).replace(os.sep, "/")
        names = (relative, os.path.basename(path), path)
        if not any(finding.code in codes and regex and any(map(regex.match, names)) for regex, codes in rules):
            kept.append(finding)
    return kept
