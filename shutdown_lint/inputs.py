"""What a run is about: the project's files, what is known of them, and what could not be read."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from shutdown_lint.cache import Cache, Known
from shutdown_lint.corpus import Contents
from shutdown_lint.settings import Settings
from shutdown_lint.source import Found, SourceFile, Trouble, TroubleError, decode, discover, name_files, read_bytes
from shutdown_lint.source.discover import absolute
from shutdown_lint.source.kinds import deployment_kind
from shutdown_lint.source.names import shown, working_folder
from shutdown_lint.triggers import imported_packages


class Input(NamedTuple):
    """What was read: all files of the project (and those that may be deployment files), what is known of them, and troubles."""

    files: tuple[SourceFile, ...]
    deployment: tuple[SourceFile, ...]
    known: dict[str, Known]
    contents: Contents
    troubles: tuple[tuple[str, Trouble], ...]
    warnings: tuple[str, ...]

    def digest(self, file: SourceFile) -> str:
        """The digest of a file's content; empty for one that could not be read."""
        known = self.known.get(file.absolute)
        return known.digest if known is not None else ""


def read(
    paths: Sequence[str], settings: Settings, stdin: bytes | None, held: Mapping[str, bytes], cache: Cache
) -> Input:
    """What a run on ``paths`` is about, see ``engine.check``; files that the cache knows are not opened."""
    asked = _asked(paths, settings, stdin)
    everything = discover([settings.root], settings) if settings.knowledge == "project" else Found((), (), ())
    files = tuple(
        name_files({**dict.fromkeys(everything.files, False), **dict.fromkeys(asked.files, True)}.items(), settings)
    )
    if stdin is not None and not settings.stdin_filename:
        files = (*files, SourceFile("-", "-", "stdin", False, False, True))
    deployment = plain_files({**dict.fromkeys(everything.deployment, False), **dict.fromkeys(asked.deployment, True)})
    here, contents, known = working_folder(), Contents(), {}
    troubles = [(shown(path, here), trouble) for path, trouble in asked.troubles]
    for file in (*sorted(files, key=lambda file: not file.reported), *deployment):
        path = file.absolute
        remembered = cache.file(path)
        if remembered is not None:
            known[path] = remembered
            continue
        told = stdin if stdin is not None and file.reported else held.get(path)
        try:
            data = read_bytes(path) if told is None else told
        except TroubleError as error:
            if file.reported:
                troubles.append((file.path, error.trouble))
            continue
        contents.put(path, data, differs=told is not None)
        if file.name:  # a module
            known[path] = cache.put_file(path, data, imported_packages(data))
    some = asked.files or asked.deployment or stdin is not None
    warnings = asked.warnings or (() if some else ("no Python or deployment files found",))
    return Input(files, deployment, known, contents, tuple(troubles), tuple(warnings))


def plain_files(paths: dict[str, bool]) -> tuple[SourceFile, ...]:
    """Files that are no modules, given as absolute path → reported."""
    here = working_folder()
    return tuple(SourceFile(shown(path, here), path, "", False, False, reported) for path, reported in paths.items())


def _asked(paths: Sequence[str], settings: Settings, stdin: bytes | None) -> Found:
    if stdin is None:
        return discover(paths, settings)
    name = settings.stdin_filename
    if name and settings.deployment and deployment_kind(os.path.basename(name)):
        return Found((), (), (), (absolute(name),))
    return Found((absolute(name),) if name else (), (), ())


def files_of(paths: Sequence[str], settings: Settings) -> tuple[str, ...]:
    """The files that a run on ``paths`` would report on, as findings show them."""
    here, found = working_folder(), discover(paths, settings)
    more = [path for path in found.deployment if _concerns(path)]
    return tuple(shown(path, here) for path in (sorted([*found.files, *more]) if more else found.files))


def _concerns(path: str) -> bool:
    from shutdown_lint.deployments import concerns

    try:
        return concerns(os.path.basename(path), read_bytes(path))
    except TroubleError:
        return True


def reader(given: Input) -> Callable[[str], str | None]:
    """Texts of the files by the path that findings show."""
    places = {file.path: file.absolute for file in (*given.files, *given.deployment)}

    def read(path: str) -> str | None:
        try:
            return decode(given.contents.get(places[path]), path) if path in places else None
        except TroubleError:
            return None

    return read
