"""From a project to its map."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shutdown_lint.findings import Finding
from shutdown_lint.maps.layout import Clock, rows_of
from shutdown_lint.maps.records import Left, Map, Program, Stretch, Way
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.handled import handles
from shutdown_lint.project.imports import program as modules_of_program
from shutdown_lint.project.paths import Path, from_end, paths
from shutdown_lint.project.programs import entries
from shutdown_lint.project.roles import is_test

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
        if found.file in reported and entry in ("", found.name)
    ]
    return Map(tuple(sorted(programs, key=lambda found: (found.file, found.line, found.name))), grace)


def _programs(project: Project, findings: Sequence[Finding], grace: float) -> list[Program]:
    own: dict[Fn, list[Path]] = {entry: [] for entry in entries(project)}
    loose: list[Path] = []
    for path in paths(project):
        if path.entry is not None:
            own.setdefault(path.entry, []).append(path)
        elif path.handling is not None and not is_test(path.handling.fn):
            loose.append(path)
    found = [_program(entry, ways, loose, project, findings, grace) for entry, ways in own.items()]
    shown = {way.origin for program in found for way in program.ways}
    return [*found, *(_unknown(path, grace) for path in loose if path.origin.text not in shown)]


def _program(
    entry: Fn,
    ways: Sequence[Path],
    loose: Sequence[Path],
    project: Project,
    findings: Sequence[Finding],
    grace: float,
) -> Program:
    """One program; handlers that no entry point is known to install are its own if its modules install them."""
    name = f"{entry.module.name}:{'__main__' if entry.is_module else entry.qualname}"
    modules = [module.facts for module in project.modules.ordered(modules_of_program([entry.module.name], project))]
    files = {facts.path for facts in modules}
    left = [Left(f.code, f.message, f.path, f.span.line) for f in findings if f.path in files]
    rows = [_way(path, grace) for path in ways if path.trigger != "end"]
    known = {way.trigger for way in rows}
    rows += [_way(path, grace) for path in loose if path.trigger not in known and path.origin.path in files]
    known = {way.trigger for way in rows}
    if "SIGTERM" not in known:
        rows.append(_not_seen(entry, handles("SIGTERM", modules, project)))
    if "SIGINT" not in known:
        rows.append(_way(from_end(entry, project), grace)._replace(trigger="SIGINT", origin=_INTERRUPTED))
    rows.sort(key=lambda way: _ORDER.index(way.trigger))
    return Program(name, entry.path, entry.facts.span.line, tuple(rows), tuple(left))


def _unknown(path: Path, grace: float) -> Program:
    return Program("", path.origin.path, path.origin.line, (_way(path, grace),), ())


def _not_seen(entry: Fn, handled: bool) -> Way:
    """SIGTERM without a handler that is seen: what the kernel does (signal(7)), or that something does handle it."""
    origin = (
        "it is handled somewhere, by a framework or on a way that was not found"
        if handled
        else "no handler: the kernel ends the process at once, and no cleanup runs"
    )
    return Way("SIGTERM", origin, entry.path, entry.facts.span.line, False, not handled, (), 0.0, 0, 0)


def _way(path: Path, grace: float) -> Way:
    stretches, clock = [], Clock()
    for part in path.parts:
        rows, clock = rows_of(part.steps, clock, grace)
        stretches.append(Stretch(part.why, tuple(rows)))
    cost = path.cost
    return Way(
        path.trigger,
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
