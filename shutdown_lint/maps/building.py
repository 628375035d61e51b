"""From a project to its map."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from shutdown_lint.findings import Finding
from shutdown_lint.maps.layout import Clock, rows_of
from shutdown_lint.maps.records import Left, Map, Program, Stretch, Way
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.courses import course
from shutdown_lint.project.handled import handles
from shutdown_lint.project.imports import program as modules_of_program
from shutdown_lint.project.paths import SIGNALS, Path, children, from_end, paths
from shutdown_lint.project.programs import entries
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.signals import handlings, ignores
from shutdown_lint.walk import text

AGAIN = "again"
_ORDER = ("SIGTERM", "SIGINT", "end")
# CPython installs a handler for SIGINT that raises KeyboardInterrupt (library reference, signal)
_INTERRUPTED = "KeyboardInterrupt, raised where the program is"


def build(
    projects: Iterable[tuple[Project, Sequence[Finding]]], reported: frozenset[str], grace: float, entry: str = ""
) -> Map:
    """The map of all programs of the projects whose file is among the ``reported`` paths.

    ``grace`` is in seconds; ``entry``, given as ``module:function``, leaves that one program. The findings of each project
    tell what its programs leave behind.
    """
    programs = [
        found
        for project, findings in projects
        for found in _programs(project, findings, grace)
        if found.file in reported and (not entry or entry in (found.name, *found.also))
    ]
    return Map(tuple(sorted(programs, key=lambda found: (found.file, found.line, found.name))), grace)


def _programs(project: Project, findings: Sequence[Finding], grace: float) -> list[Program]:
    own: dict[Fn, list[Path]] = {entry: [] for entry in (*entries(project), *children(project))}
    loose: list[Path] = []
    for path in paths(project):
        if path.entry is not None:
            own.setdefault(path.entry, []).append(path)
        elif path.handling is not None and not is_test(path.handling.fn):
            loose.append(path)
    adopted, apart = _assigned(loose, own, project)
    leads = {entry: to for entry in own if (to := _leads_to(entry, own, project)) is not None}
    found = [
        _program(
            entry,
            [other for other, to in leads.items() if to is entry],
            (*ways, *adopted[entry]),
            project,
            findings,
            grace,
        )
        for entry, ways in own.items()
        if entry not in leads
    ]
    return [*found, *(_unknown(path, project, grace) for path in apart)]


def _assigned(
    loose: Sequence[Path], own: dict[Fn, list[Path]], project: Project
) -> tuple[dict[Fn, list[Path]], list[Path]]:
    """Handlers that no entry point is known to install: to the only program whose modules install them, else apart."""
    programs = [entry for entry in own if _leads_to(entry, own, project) is None and entry not in children(project)]
    found: dict[Fn, list[Path]] = {entry: [] for entry in own}
    apart = []
    for path in loose:
        module = path.handling.fn.module.name if path.handling is not None else ""
        owners = [entry for entry in programs if module in modules_of_program([entry.module.name], project)]
        if len(owners) == 1 and all(way.trigger != path.trigger for way in own[owners[0]]):
            found[owners[0]].append(path)
        else:
            apart.append(path)
    return found, apart


def _leads_to(entry: Fn, own: Collection[Fn], project: Project) -> Fn | None:
    """The entry point that a module's ``__main__`` part calls: the same program by another name."""
    if not entry.is_module:
        return None
    calls = course(entry, project).calls
    return next(
        (other for other in own if any(call.fn is entry for call in calls.get(other, ())) and not other.is_module), None
    )


def _program(
    entry: Fn,
    also: Sequence[Fn],
    ways: Sequence[Path],
    project: Project,
    findings: Sequence[Finding],
    grace: float,
) -> Program:
    """One program with its ways."""
    kind = "process" if entry in children(project) else "program"
    modules = [module.facts for module in project.modules.ordered(modules_of_program([entry.module.name], project))]
    files = {facts.path for facts in modules}
    left = [Left(f.code, f.message, f.path, f.span.line) for f in findings if f.path in files]
    rows = [_way(path, project, grace) for path in ways if path.trigger != "end"]
    rows += _ignored(entry, {way.trigger for way in rows}, project)
    known = {way.trigger for way in rows}
    if "SIGTERM" not in known:
        rows.append(_not_seen(entry, kind == "program" and handles("SIGTERM", modules, project)))
    if "SIGINT" not in known:
        rows.append(_way(from_end(entry, project), project, grace)._replace(trigger="SIGINT", origin=_INTERRUPTED))
    rows.sort(key=lambda way: (_ORDER.index(way.trigger.partition(" ")[0]), AGAIN in way.trigger))
    return Program(
        _name(entry), kind, tuple(map(_name, also)), entry.path, entry.facts.span.line, tuple(rows), tuple(left)
    )


def _name(entry: Fn) -> str:
    return f"{entry.module.name}:{'__main__' if entry.is_module else entry.qualname}"


def _unknown(path: Path, project: Project, grace: float) -> Program:
    return Program("", "program", (), path.origin.path, path.origin.line, (_way(path, project, grace),), ())


def _not_seen(entry: Fn, handled: bool) -> Way:
    """SIGTERM without a handler that is seen: what the kernel does (signal(7)), or that something does handle it."""
    origin = (
        "it is handled somewhere, by a framework or on a way that was not found"
        if handled
        else "no handler: the kernel ends the process at once, and no cleanup runs"
    )
    return Way("SIGTERM", origin, entry.path, entry.facts.span.line, False, not handled, (), 0.0, 0, 0)


def _ignored(entry: Fn, known: set[str], project: Project) -> Iterator[Way]:
    """The signals that the program ignores, where nothing handles them."""
    reached = course(entry, project).calls
    for handling in handlings(project):
        if handling.fn in reached and ignores(handling, project):
            for signal in (name for name in handling.signals if name in SIGNALS and name not in known):
                origin = f"it is ignored: `{text(handling.site.call)}` in `{handling.fn.qualname}`"
                line = handling.site.call.span.line
                yield Way(signal, origin, handling.fn.path, line, False, False, (), 0.0, 0, 0)
                known.add(signal)


def _way(path: Path, project: Project, grace: float) -> Way:
    stretches, clock = [], Clock()
    for part in path.parts:
        rows, clock = rows_of(part.steps, clock, grace, project)
        clock = clock._replace(until=())
        stretches.append(Stretch(part.why, tuple(rows), part.current))
    cost = path.whole_cost
    return Way(
        f"{path.trigger} {AGAIN}" if path.again else path.trigger,
        path.origin.text,
        path.origin.path,
        path.origin.line,
        True,
        path.complete,
        tuple(stretches),
        cost.seconds,
        len(cost.endless),
        len(cost.open),
    )
