"""One run: files → bytes → facts → project → findings. Every interface is a thin adapter over ``check``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint import suppress
from shutdown_lint.collector import collector_paused
from shutdown_lint.corpus import Contents, SkippedFiles
from shutdown_lint.facts import ModuleFacts, Span
from shutdown_lint.findings import Finding
from shutdown_lint.intake import Task, internal_error
from shutdown_lint.prefilter import SUPPRESSION_WORDS, compile_prefilter
from shutdown_lint.rules import registry
from shutdown_lint.settings import Settings
from shutdown_lint.source import Found, SourceFile, Trouble, TroubleError, decode, discover, name_files, read_bytes
from shutdown_lint.source.discover import absolute
from shutdown_lint.source.ignores import glob_regex
from shutdown_lint.source.names import shown, working_folder

if TYPE_CHECKING:
    from shutdown_lint.models import Models
    from shutdown_lint.project import Project
    from shutdown_lint.rules.registry import Check


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


class _Enabled(NamedTuple):
    """A rule that is run: its index entry, its function."""

    entry: registry.Entry
    run: Check


class _Input(NamedTuple):
    """What was read: all files of the project, their bytes, the rules that may fire in them, and what stood in the way (by shown path)."""

    files: tuple[SourceFile, ...]
    contents: Contents
    tasks: tuple[Task, ...]
    codes: dict[str, frozenset[str]]
    troubles: tuple[tuple[str, Trouble], ...]
    warnings: tuple[str, ...]


def check(paths: Sequence[str], settings: Settings, *, stdin: bytes | None = None) -> Report:
    """Check the files that ``paths`` name, knowing the whole project.

    With ``stdin``, its bytes stand for the file ``settings.stdin_filename``, and only that file is reported on. Raises
    ``registry.UnknownSelector`` for a selector in the settings that names no rule.
    """
    with collector_paused():
        return _check(paths, settings, stdin)


def _check(paths: Sequence[str], settings: Settings, stdin: bytes | None) -> Report:
    from shutdown_lint.models import with_users
    from shutdown_lint.packaging import scripts

    enabled = registry.resolve(settings.select, settings.extend_select, settings.ignore)
    models = with_users(settings.models)
    programs = scripts(settings.root)
    functions = tuple(dict.fromkeys(target.partition(":")[2].strip().partition(".")[0] for _, target in programs))
    given = _read(paths, settings, stdin, enabled, models, tuple(filter(None, functions)))
    modules, troubles = _take_in(given, settings.jobs)
    project = _project(given, modules, settings, models, programs)
    reported = [file for file in given.files if file.reported]
    checks = _checks(enabled)
    results = [
        _findings_of(
            modules[file.path],
            given.contents.get(file.absolute),
            project,
            [
                check
                for check in checks
                if check.entry.code in given.codes.get(file.path, ()) or not check.entry.triggers
            ],
            enabled,
        )
        for file in reported
        if file.path in modules
    ]
    findings = [f for result in results for f in result.kept]
    findings += _trouble_findings([*given.troubles, *troubles], enabled)
    kept = _without_ignored(findings, settings)
    hidden = sum(result.hidden for result in results) + len(findings) - len(kept)
    return Report(tuple(sorted(set(kept), key=Finding.sort_key)), len(reported), hidden, given.warnings)


def files_of(paths: Sequence[str], settings: Settings) -> tuple[str, ...]:
    """The files that a run on ``paths`` would report on, as findings show them."""
    here = working_folder()
    return tuple(shown(path, here) for path in discover(paths, settings).files)


def _read(
    paths: Sequence[str],
    settings: Settings,
    stdin: bytes | None,
    enabled: dict[str, str],
    models: Models,
    functions: Sequence[str],
) -> _Input:
    asked = _asked(paths, settings, stdin)
    known = discover([settings.root], settings).files if settings.knowledge == "project" else ()
    files = tuple(name_files({**dict.fromkeys(known, False), **dict.fromkeys(asked.files, True)}.items(), settings))
    if stdin is not None and not settings.stdin_filename:
        files = (*files, SourceFile("-", "-", "stdin", False, False, True))
    own = frozenset(file.name.partition(".")[0] for file in files)
    prefilter = compile_prefilter(enabled, models, functions, own)
    here = working_folder()
    contents, tasks, codes = Contents(), [], {}
    troubles = [(shown(path, here), trouble) for path, trouble in asked.troubles]
    for file in files:
        try:
            data = stdin if stdin is not None and file.reported else read_bytes(file.absolute)
        except TroubleError as error:
            if file.reported:
                troubles.append((file.path, error.trouble))
            continue
        contents.put(file.absolute, data)
        found = None if file.stub else prefilter.codes(data, file.name)
        lower = found is not None
        if found is not None and file.reported:
            codes[file.path] = found
        if lower or (file.reported and not file.stub):
            tasks.append(Task(file, data, lower))
    warnings = asked.warnings or (() if asked.files or stdin is not None else ("no Python files found",))
    return _Input(files, contents, tuple(tasks), codes, tuple(troubles), tuple(warnings))


def _asked(paths: Sequence[str], settings: Settings, stdin: bytes | None) -> Found:
    if stdin is None:
        return discover(paths, settings)
    return Found((absolute(settings.stdin_filename),) if settings.stdin_filename else (), (), ())


def _take_in(given: _Input, jobs: int) -> tuple[dict[str, ModuleFacts], list[tuple[str, Trouble]]]:
    """Facts by path, and the troubles of the files that were asked for."""
    from shutdown_lint.workers import take_in_all

    modules: dict[str, ModuleFacts] = {}
    troubles: list[tuple[str, Trouble]] = []
    for task, outcome in zip(given.tasks, take_in_all(given.tasks, jobs), strict=True):
        if isinstance(outcome, Trouble):
            if task.file.reported:
                troubles.append((task.file.path, outcome))
        elif outcome is not None:
            modules[task.file.path] = outcome
    return modules, troubles


def _project(
    given: _Input,
    modules: dict[str, ModuleFacts],
    settings: Settings,
    models: Models,
    programs: tuple[tuple[str, str], ...],
) -> Project:
    from shutdown_lint.project import Project

    seen = {task.file.path for task in given.tasks if task.lower}
    skipped = [file for file in given.files if file.path not in seen]
    lowered = sum(len(task.data) for task in given.tasks if task.lower)
    return Project(
        modules.values(),
        loader=SkippedFiles(given.files, skipped, given.contents, lowered),
        scripts=programs,
        target_version=settings.target_version,
        models=models,
    )


def _findings_of(
    module: ModuleFacts, data: bytes, project: Project, checks: Sequence[_Enabled], enabled: dict[str, str]
) -> suppress.Result:
    """The findings of all enabled rules in one file, after its comments have hidden some."""
    found, failed = _run_rules(module, project, checks, enabled)
    result = suppress.Result(tuple(found), 0)
    if (found and suppress.may_hold_suppressions(data)) or any(word.encode() in data for word in SUPPRESSION_WORDS):
        result = suppress.apply(found, decode(data), module.path, enabled.keys() - failed)
    # Only now: a suppression is used when it hides a finding, also one of a tier that this run does not show.
    return result._replace(kept=tuple(f for f in result.kept if f.tier in enabled.get(f.code, "")))


def _run_rules(
    module: ModuleFacts, project: Project, checks: Sequence[_Enabled], enabled: dict[str, str]
) -> tuple[list[Finding], set[str]]:
    """The raw findings in one module, and the codes of the rules that failed on it (each a SHD904)."""
    findings: list[Finding] = []
    failed: set[str] = set()
    for entry, run in checks:
        try:
            findings += [finding for finding in run(module, project) if finding.path == module.path]
        except Exception as error:  # noqa: BLE001  # a mistake in one rule must cost no other result
            trouble = internal_error(f"rule {entry.code} ({entry.name})", error)
            findings += _trouble_findings([(module.path, trouble)], enabled)
            failed.add(entry.code)
    return findings, failed


def _checks(enabled: Iterable[str]) -> list[_Enabled]:
    codes = set(enabled)
    return [
        _Enabled(entry, _on_first_use(entry)) for entry in registry.entries() if entry.checks and entry.code in codes
    ]


def _on_first_use(entry: registry.Entry) -> Check:
    """The rule's function; importing a rule costs a millisecond or more, and in most runs many rules have nothing to do."""
    load = cache(lambda: registry.load(entry))

    def run(module: ModuleFacts, project: Project) -> Iterator[Finding]:
        return load()(module, project)

    return run


def _trouble_findings(troubles: Iterable[tuple[str, Trouble]], enabled: dict[str, str]) -> list[Finding]:
    entries = {entry.code: entry for entry in registry.entries()}
    found = []
    for path, (code, message, line, col, help_text) in troubles:
        if code in enabled:
            entry, span = entries[code], Span(line, col, line, col)
            found.append(Finding(path, span, code, entry.name, message, entry.severity, entry.tier, help=help_text))
    return found


def _without_ignored(findings: Sequence[Finding], settings: Settings) -> list[Finding]:
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
