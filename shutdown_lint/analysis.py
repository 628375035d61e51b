"""One part of a run: from its files' bytes to the findings in them. A pure function, so that it may run anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint import suppress
from shutdown_lint.corpus import Contents, SkippedFiles
from shutdown_lint.facts import ModuleFacts, Span
from shutdown_lint.findings import Finding, Step
from shutdown_lint.grouping import Group
from shutdown_lint.intake import Outcome, Task, internal_error, take_in
from shutdown_lint.lowered import NO_MEMORY, Memory, Store
from shutdown_lint.parts import Part
from shutdown_lint.prefilter import Prefilter
from shutdown_lint.rules import registry
from shutdown_lint.source import SourceFile, Trouble, decode
from shutdown_lint.triggers import SUPPRESSION_WORDS

if TYPE_CHECKING:
    from shutdown_lint.models import Models
    from shutdown_lint.project import Project
    from shutdown_lint.project.modules import ModuleEntry
    from shutdown_lint.settings import Budget


class Program(NamedTuple):
    """What belongs to one project of a run: its ``prefilter``, and what is known of contents under it.

    ``scripts`` are its console scripts, ``windows`` is where it says that it runs there. ``shown`` is how findings show the
    paths of its folder.
    """

    prefilter: Prefilter
    memory: Memory = NO_MEMORY
    scripts: tuple[tuple[str, str], ...] = ()
    windows: Step | None = None
    shown: str = ""


class Context(NamedTuple):
    """What all parts of a run have in common; ``enabled`` maps codes to tiers, ``programs`` are by the root of the project.

    ``lower`` takes in what was skipped at first, and ``entry_of`` makes what the project derives from one module (the
    usual, when None): both may remember.
    """

    enabled: dict[str, str]
    programs: Mapping[str, Program]
    models: Models
    target_version: tuple[int, int]
    contents: Contents
    budget: Budget
    store: Store | None = None
    lower: Callable[[Task], Outcome] = take_in
    entry_of: Callable[[ModuleFacts], ModuleEntry] | None = None


class Taken(NamedTuple):
    """A file that was taken in: the rules that may fire in it, its facts or trouble. Without ``codes`` it was not lowered."""

    codes: frozenset[str] | None
    outcome: Outcome


class Result(NamedTuple):
    """What was found in a part; ``hidden`` counts the findings that comments hide."""

    findings: tuple[Finding, ...]
    hidden: int


class Enabled(NamedTuple):
    """A rule that is run: its index entry, its function."""

    entry: registry.Entry
    run: Callable[..., Iterable[Finding]]


def prepare(context: Context) -> None:
    """Load what every analysis needs, once for all processes that are forked from this one."""
    import shutdown_lint.lower
    import shutdown_lint.project  # noqa: F401

    for check in rules_of(context.enabled):
        registry.load(check.entry)


def take(file: SourceFile, data: bytes, prefilter: Prefilter, memory: Memory = NO_MEMORY) -> Taken:
    """Take in one file: lower it where a rule may fire or another file may need it, else look at its syntax only."""
    if file.stub:
        return Taken(None, None)
    known = memory.recall(file, data)
    new = memory.judged(known, file, data, prefilter.codes)
    codes, outcome = (None if new.codes is None else frozenset(new.codes)), None
    if codes is not None or file.reported:
        outcome, new = memory.lowered(new, Task(file, data, codes is not None), take_in)
    if new != known:
        memory.keep(file, data, new)
    return Taken(codes, outcome)


def analyse(
    part: Part,
    context: Context,
    known: Mapping[str, Taken],
    note: Callable[[str], object] = str,
    spent: Callable[[Project], object] = id,
) -> Result:
    """The findings in the files of a part that are to be reported on; ``known`` files, by absolute path, are taken in already.

    ``note`` is given the path of each file that is looked at next, as findings show it; ``spent`` what was known of each
    group, of which no more is asked.
    """
    results = []
    for group in part.groups:
        project, result = analyse_group(group, context, known, note)
        results.append(result)
        spent(project)
    findings = tuple([finding for result in results for finding in result.findings])
    return Result(findings, sum(result.hidden for result in results))


def analyse_group(
    group: Group, context: Context, known: Mapping[str, Taken], note: Callable[[str], object] = str
) -> tuple[Project, Result]:
    """The same for one group of it, with what is known of that, for further questions."""
    contents = context.contents
    taken = []
    for file in group.files:
        note(file.path)
        data, program = contents.get(file.absolute), context.programs[file.root]
        one = known.get(file.absolute) or take(file, data, program.prefilter, program.memory)
        taken.append(one)
    project = project_of(group, taken, context)
    checks = rules_of(context.enabled)
    results = []
    for file, one in zip(group.files, taken, strict=True):
        if file.reported and isinstance(one.outcome, ModuleFacts):
            note(file.path)
            some = [check for check in checks if check.entry.code in (one.codes or ()) or not check.entry.triggers]
            results.append(_findings_of(one.outcome, contents.get(file.absolute), project, some, context.enabled))
    found = [finding for result in results for finding in result.kept]
    troubles = [
        (file.path, one.outcome)
        for file, one in zip(group.files, taken, strict=True)
        if file.reported and isinstance(one.outcome, Trouble)
    ]
    return project, Result(
        (*found, *trouble_findings(troubles, context.enabled)), sum(result.hidden for result in results)
    )


def project_of(group: Group, taken: Sequence[Taken], context: Context) -> Project:
    """What is known of the files of a group, which were taken in so."""
    from shutdown_lint.project import Project
    from shutdown_lint.project.modules import ModuleEntry

    skipped = [file for file, one in zip(group.files, taken, strict=True) if one.codes is None]
    modules = [one.outcome for one in taken if isinstance(one.outcome, ModuleFacts)]
    lowered: dict[str, int] = {}
    for file, one in zip(group.files, taken, strict=True):
        size = len(context.contents.get(file.absolute)) if one.codes is not None else 0
        lowered[file.root] = lowered.get(file.root, 0) + size
    programs = [context.programs[root] for root in group.roots]
    return Project(
        modules,
        loader=SkippedFiles(group.files, skipped, context.contents, lowered, context.lower),
        scripts=_scripts(group, context),
        windows=[(program.shown, program.windows) for program in programs],
        target_version=context.target_version,
        models=context.models,
        entry_of=context.entry_of or ModuleEntry,
        budget=context.budget,
    )


def _scripts(group: Group, context: Context) -> tuple[tuple[str, str], ...]:
    """The console scripts of all projects in a group, by the names that modules have in it."""
    found = []
    renamed = {(root, old): new for root, old, new in group.renamed}
    for root in group.roots:
        for script, target in context.programs[root].scripts:
            module, colon, function = target.partition(":")
            top, dot, rest = module.partition(".")
            found.append((script, f"{renamed.get((root, top), top)}{dot}{rest}{colon}{function}"))
    return tuple(found)


def _findings_of(
    module: ModuleFacts, data: bytes, project: Project, checks: Sequence[Enabled], enabled: dict[str, str]
) -> suppress.Result:
    """The findings of all enabled rules in one file, after its comments have hidden some."""
    raw, failed = run_rules(checks, module.path, enabled, module, project)
    found = [finding for finding in raw if finding.path == module.path]
    result = suppress.Result(tuple(found), 0)
    if (found and suppress.may_hold_suppressions(data)) or any(word.encode() in data for word in SUPPRESSION_WORDS):
        result = suppress.apply(found, decode(data), module.path, enabled.keys() - failed)
    # Only now: a suppression is used when it hides a finding, also one of a tier that this run does not show.
    return result._replace(kept=tuple(f for f in result.kept if f.tier in enabled.get(f.code, "")))


def run_rules(
    checks: Iterable[Enabled], path: str, enabled: dict[str, str], *given: object
) -> tuple[list[Finding], set[str]]:
    """The raw findings of rules that are given a file, and the codes of those that failed on it (each a SHD904)."""
    findings: list[Finding] = []
    failed: set[str] = set()
    for entry, run in checks:
        try:
            findings += list(run(*given))  # all of them or none
        except Exception as error:  # noqa: BLE001  # a mistake in one rule must cost no other result
            trouble = internal_error(f"rule {entry.code} ({entry.name})", error)
            findings += trouble_findings([(path, trouble)], enabled)
            failed.add(entry.code)
    return findings, failed


def rules_of(enabled: Iterable[str], *, on_deployment: bool = False) -> list[Enabled]:
    """The enabled rules on modules, or on deployment files."""
    codes = set(enabled)
    return [
        Enabled(entry, _on_first_use(entry))
        for entry in registry.entries()
        if entry.checks and entry.code in codes and entry.on_deployment == on_deployment
    ]


def _on_first_use(entry: registry.Entry) -> Callable[..., Iterable[Finding]]:
    """The rule's function; importing a rule costs a millisecond or more, and in most runs many rules have nothing to do."""
    load = cache(lambda: registry.load(entry))

    def run(*given: object) -> Iterable[Finding]:
        return load()(*given)

    return run


def trouble_findings(troubles: Iterable[tuple[str, Trouble]], enabled: dict[str, str]) -> list[Finding]:
    entries = {entry.code: entry for entry in registry.entries()}
    found = []
    for path, (code, message, line, col, help_text) in troubles:
        if code in enabled:
            entry, span = entries[code], Span(line, col, line, col)
            found.append(Finding(path, span, code, entry.name, message, entry.severity, entry.tier, help=help_text))
    return found
