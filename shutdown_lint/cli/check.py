"""``shutdown-lint check``: arguments and configuration in, one run of the engine, findings out."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint import config
from shutdown_lint.cli.output import complain, to_stderr, to_stdout
from shutdown_lint.cli.outputs import Outputs, on_terminal, show, write
from shutdown_lint.cli.parser import UsageError, check_parser, parse_check, values_by_key
from shutdown_lint.cli.terminal import Progress
from shutdown_lint.report.view import plural, safe

if TYPE_CHECKING:
    import argparse

    from shutdown_lint.engine import Report
    from shutdown_lint.settings import Settings

FAILED = 2
_STDIN = "-"


class _Setup(NamedTuple):
    """What a run is about: arguments, merged settings, the configuration file that they come from (or empty)."""

    arguments: argparse.Namespace
    settings: Settings
    config_path: str

    @property
    def outputs(self) -> Outputs:
        """Where and how findings are told."""
        given = self.arguments
        return Outputs(
            given.targets, bool(given.statistics), bool(given.quiet), given.color or "auto", self.settings.root
        )


def run(given: list[str]) -> int:
    """Check the paths and print the findings; the exit code."""
    try:
        arguments = parse_check(given)
        if arguments.help:
            to_stdout(check_parser().format_help())
            return 0
        setup = _set_up(arguments)
    except (UsageError, config.ConfigError) as error:
        complain(str(error))
        return FAILED
    if arguments.verbose:
        _tell(setup)
    return _show_files(setup) if arguments.show_files else _check(setup)


# --- settings --------------------------------------------------------------------------------------------------------


def _set_up(arguments: argparse.Namespace) -> _Setup:
    """Defaults, then the configuration file, then inline ``--config``, then flags."""
    if _STDIN in arguments.paths and len(arguments.paths) > 1:
        raise UsageError("`-` (stdin) cannot be combined with other paths")
    paths = [arguments.stdin_filename or os.curdir if path == _STDIN else path for path in arguments.paths]
    root = config.find_root(paths)
    layer = _layer(arguments, paths)
    values = config.rebase(layer, root.folder)
    for text in _inline(arguments):
        values = config.merge(values, config.check(config.parse(text, "--config"), "--config"))
    values = config.merge(values, config.check(values_by_key(arguments), "command line"))
    settings = config.to_settings(values, root)._replace(
        jobs=arguments.jobs or 0, stdin_filename=arguments.stdin_filename or "", cache=_cache(arguments, root)
    )
    return _Setup(arguments, settings, layer.path)


def _cache(arguments: argparse.Namespace, root: config.Root) -> str:
    from shutdown_lint.cache import usual_folder

    return "" if arguments.no_cache else arguments.cache_dir or usual_folder(*root)


def _layer(arguments: argparse.Namespace, paths: list[str]) -> config.Layer:
    files = [text for text in arguments.config or () if not _is_inline(text)]
    if len(files) > 1:
        raise UsageError("only one configuration file can be named by --config")
    if files and arguments.isolated:
        raise UsageError("--isolated cannot be combined with a configuration file")
    if files:
        return config.read(files[0])
    return config.Layer({}) if arguments.isolated else config.find(paths)


def _inline(arguments: argparse.Namespace) -> list[str]:
    return [text for text in arguments.config or () if _is_inline(text)]


def _is_inline(text: str) -> bool:
    return "=" in text and not os.path.exists(text)


def _tell(setup: _Setup) -> None:
    settings = setup.settings
    root, version = os.path.abspath(settings.root), ".".join(map(str, settings.target_version))
    complain(f"configuration: {setup.config_path or 'none'}")
    complain(f"project root: {root}; knowledge: {settings.knowledge}; target: Python {version}")


# --- the run ---------------------------------------------------------------------------------------------------------


def _show_files(setup: _Setup) -> int:
    from shutdown_lint.engine import files_of
    from shutdown_lint.report.view import shown_path

    to_stdout("".join(f"{shown_path(path)}\n" for path in files_of(setup.arguments.paths, setup.settings)))
    return 0


def _check(setup: _Setup) -> int:
    from shutdown_lint import engine

    arguments, settings = setup.arguments, setup.settings
    if arguments.traceback:
        os.environ["SHUTDOWN_LINT_TRACEBACK"] = "1"
    stdin = _read_stdin() if _STDIN in arguments.paths else None
    with Progress(quiet=bool(arguments.quiet)) as progress:
        report = engine.check(arguments.paths, settings, stdin=stdin, progress=progress.tell)
    if arguments.fix or arguments.diff:
        code = _fix(setup, report, stdin)
    else:
        show(setup.outputs, report, stdin)
        code = report.exit_code()
    for warning in () if arguments.quiet else report.warnings:
        complain(warning)
    if arguments.verbose:
        complain(f"{plural(report.files, 'file')} checked, {plural(report.suppressed, 'finding')} suppressed")
    return 0 if code == 1 and arguments.exit_zero else code


def _read_stdin() -> bytes:
    from shutdown_lint.source.reading import MAX_BYTES

    # one byte more than a file may have: the engine refuses it in its own words
    return sys.stdin.buffer.read(MAX_BYTES + 1) if sys.stdin is not None else b""


def _fix(setup: _Setup, report: Report, stdin: bytes | None) -> int:
    """Mend what can be mended; print the diff, the mended stdin, or what remains."""
    import gc

    from shutdown_lint import fixes

    gc.enable()  # each round builds trees and a project, and leaves them behind
    arguments = setup.arguments
    unsafe, diff = bool(arguments.unsafe_fixes), bool(arguments.diff)
    result = fixes.apply(report, arguments.paths, setup.settings, unsafe=unsafe, diff=diff, stdin=stdin)
    for problem in result.problems:
        complain(f"{problem.path}: not fixed: {problem.message}")
    done = sum(fixed.number for fixed in result.fixed)
    if diff:
        write(_shown_diff(result.diff, arguments), arguments.targets[0])
        if not arguments.quiet:
            complain(f"would fix {plural(done, 'finding')}")
    elif result.output is not None:
        # stdout belongs to the mended text
        to_stdout(result.output)
        show(setup.outputs, result.report, result.output, done, to_stderr)
    else:
        show(setup.outputs, result.report, None, done)
    return result.exit_code(diff=diff)


def _shown_diff(diff: str, arguments: argparse.Namespace) -> str:
    """The diff as it is, for tools; on a terminal without what could act on it."""
    if not on_terminal(arguments.targets[0]):
        return diff
    return "".join(f"{safe(line)}\n" for line in diff.split("\n")[:-1])
