"""The Python API: what the command line does, as functions that print nothing and leave signals and exit codes alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from shutdown_lint import config as configuration
from shutdown_lint.adoption import AdoptionError, narrow
from shutdown_lint.config import ConfigError, Layer
from shutdown_lint.engine import Report, check as run
from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit, Finding, Fix, Step
from shutdown_lint.fixable import WHERE_POSSIBLE, edits_of
from shutdown_lint.inputs import files_of
from shutdown_lint.report.view import lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from shutdown_lint.settings import Settings

Path: TypeAlias = Union[str, "os.PathLike[str]"]
Config: TypeAlias = Union[Path, Mapping[str, Any], None]

__all__ = [
    "AdoptionError",
    "Config",
    "ConfigError",
    "Edit",
    "Finding",
    "Fix",
    "Report",
    "Span",
    "Step",
    "check",
    "check_source",
    "edits",
    "render",
]


def check(
    paths: Iterable[Path],
    config: Config = None,
    *,
    jobs: int = 0,
    diff_only: str = "",
    executor: Executor | None = None,
) -> Report:
    """Check files and folders, knowing the project that they are in.

    ``config`` is None for the configuration file nearest to the paths, the path of one, or a mapping with the keys of
    ``[tool.shutdown-lint]``, which then stands for any file. ``jobs`` is the number of processes (0: as many as the
    machine has cores, when the work repays them). With ``diff_only`` only findings on lines changed since that revision
    of git are reported. ``executor`` reads the files, on this machine or on others; its workers must have this version of
    shutdown-lint. Raises ``ConfigError``, and ``AdoptionError`` for a baseline or revision that cannot be used;
    what cannot be analysed is told by findings (SHD900 to SHD904).
    """
    given = [os.fspath(path) for path in paths]
    settings = _settings(given, config)._replace(jobs=jobs)
    opener = None if executor is None else lambda: nullcontext(executor)
    report = run(given, settings, refine=WHERE_POSSIBLE, executor=opener)
    return narrow(report, settings, _lines, since=diff_only, checked=partial(files_of, given, settings))


def check_source(source: str | bytes, filename: Path = "", config: Config = None) -> Report:
    """Check a text as if the file ``filename`` held it; without a name it is judged by itself.

    The file need not be there, the rest of its project is read as it is. A ``str`` is taken as UTF-8.
    """
    name = os.fspath(filename)
    data = source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source
    settings = _settings([name or os.curdir], config)._replace(stdin_filename=name, jobs=1)
    if not name:
        settings = settings._replace(knowledge="paths")
    report = run([name or "-"], settings, stdin=data, refine=WHERE_POSSIBLE)
    return narrow(report, settings, lambda _path: lines_of(_decoded(data)))


def edits(report: Report, *, unsafe: bool = False) -> dict[Finding, tuple[Edit, ...]]:
    """The edits that mend findings of the report, as far as they carry a fix that can be made on the files as they are."""
    fixable = (f for f in report.findings if f.fix is not None and (unsafe or f.fix.applicability == "safe"))
    return {finding: made for finding, made in edits_of(fixable, _text).items() if made}


def render(report: Report, format: str, *, base: Path = "", color: bool = False, width: int = 120) -> str:
    """The findings in a format of ``--output-format``.

    ``base`` is the folder from which paths start in formats that name them relative to the repository (default: the
    current one). Raises ``ValueError`` for an unknown format.
    """
    from shutdown_lint.report import WITH_EDITS, View, renderer

    made = edits(report, unsafe=True) if format in WITH_EDITS else {}
    view = View(color=color, width=width, read=_lines, edits=made, base=os.fspath(base), files=report.files)
    return renderer(format)(report.findings, view)


# --- settings --------------------------------------------------------------------------------------------------------


def _settings(paths: Sequence[str], config: Config) -> Settings:
    root = configuration.find_root(paths)
    if config is None:
        layer = configuration.find(paths)
    elif isinstance(config, Mapping):
        layer = Layer(configuration.check(_plain(config), "config"))
    else:
        layer = configuration.read(os.fspath(config))
    return configuration.to_settings(configuration.rebase(layer, root.folder), root)


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping with keys as in TOML; ``extend_select`` may stand for ``extend-select``, tuples for arrays."""
    for key in ("extend", "required-version"):
        if key in config:
            raise ConfigError(f"config: `{key}` can only stand in a file")
    return {
        key.replace("_", "-"): list(value) if isinstance(value, (tuple, set, frozenset)) else value
        for key, value in config.items()
    }


# --- texts -----------------------------------------------------------------------------------------------------------


def _text(path: str) -> str | None:
    from shutdown_lint.source import TroubleError, read_text

    try:
        return read_text(path)
    except TroubleError:
        return None


def _lines(path: str) -> Sequence[str] | None:
    text = _text(path)
    return None if text is None else lines_of(text)


def _decoded(data: bytes) -> str:
    from shutdown_lint.source import TroubleError, decode

    try:
        return decode(data)
    except TroubleError:
        return ""
