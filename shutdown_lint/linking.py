"""A run on files of facts instead of sources: the same analysis of the same contents, so the same report."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from shutdown_lint.cache import Known, open_cache
from shutdown_lint.collector import collector_paused
from shutdown_lint.corpus import Contents
from shutdown_lint.engine import Report, no_progress, run
from shutdown_lint.facts_files import FactsFile, source_of, store_of
from shutdown_lint.inputs import Input, plain_files
from shutdown_lint.refining import Refine
from shutdown_lint.schedule import Progress
from shutdown_lint.settings import Settings
from shutdown_lint.source import TroubleError, decode, name_files, read_bytes
from shutdown_lint.source.discover import absolute
from shutdown_lint.source.kinds import deployment_kind


def link(
    files: Sequence[FactsFile],
    paths: Sequence[str],
    settings: Settings,
    *,
    progress: Progress = no_progress,
    refine: Refine | None = None,
) -> Report:
    """Check the sources in files of facts, as if each were at its path below the current folder.

    Findings are reported in those that lie at or below ``paths``; the others are known. See ``engine.check``.
    """
    with collector_paused():
        # a build system remembers results itself
        return run(
            _input(files, paths, settings), settings, open_cache("", ""), lambda: store_of(files), progress, refine
        )


def text_reader(files: Sequence[FactsFile]) -> Callable[[str], str | None]:
    """A function that gives the text of a source by the path that findings show."""
    places = {file.path.replace("/", os.sep): file.place for file in files}

    def read(path: str) -> str | None:
        try:
            return decode(source_of(places[path])) if path in places else None
        except TroubleError:
            return None

    return read


def _input(files: Sequence[FactsFile], paths: Sequence[str], settings: Settings) -> Input:
    by_path = {absolute(file.path): file for file in files}
    asked = [absolute(path) for path in paths]
    reported = {path: any(f"{path}{os.sep}".startswith(os.path.join(one, "")) for one in asked) for path in by_path}
    deployment = {path for path in by_path if deployment_kind(os.path.basename(path))}
    modules = [(path, reported[path]) for path in by_path if path not in deployment]
    return Input(
        tuple(name_files(modules, settings, by_path.__contains__)),
        plain_files({path: reported[path] for path in by_path if path in deployment}) if settings.deployment else (),
        {path: Known(-1, file.size, file.digest, file.packages) for path, file in by_path.items()},
        Contents(lambda path: source_of(by_path[path].place) if path in by_path else read_bytes(path)),
        (),
        () if any(reported.values()) else ("no facts of Python or deployment files found",),
    )
