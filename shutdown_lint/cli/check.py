"""``shutdown-lint check``: arguments and configuration in, one run of the engine, findings out."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint import config
from shutdown_lint.cli.output import complain, to_file, to_stderr, to_stdout
from shutdown_lint.cli.parser import UsageError, check_parser, parse_check, values_by_key
from shutdown_lint.report.view import plural, safe

if TYPE_CHECKING:
    import argparse

    from shutdown_lint.engine import Report
    from shutdown_lint.report import View
    from shutdown_lint.settings import Settings

FAILED = 2
_STDIN = "-"


class _Setup(NamedTuple):
    """What a run is about: arguments, merged settings, the configuration file that they come from (or empty)."""

    arguments: argparse.Namespace
    settings: Settings
    config_path: str


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
    report = engine.check(arguments.paths, settings, stdin=stdin)
    if arguments.fix or arguments.diff:
        code = _fix(setup, report, stdin)
    else:
        _print(_rendered(arguments, report, stdin), arguments)
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
        _print(_shown_diff(result.diff, arguments), arguments)
        if not arguments.quiet:
            complain(f"would fix {plural(done, 'finding')}")
    elif result.output is not None:
        # stdout belongs to the mended text
        to_stdout(result.output)
        to_stderr(_rendered(arguments, result.report, result.output, done))
    else:
        _print(_rendered(arguments, result.report, None, done), arguments)
    return result.exit_code(diff=diff)


def _shown_diff(diff: str, arguments: argparse.Namespace) -> str:
    """The diff as it is, for tools; on a terminal without what could act on it."""
    if not _on_terminal(arguments):
        return diff
    return "".join(f"{safe(line)}\n" for line in diff.split("\n")[:-1])


def _print(text: str, arguments: argparse.Namespace) -> None:
    if arguments.output_file:
        to_file(text, arguments.output_file)
    else:
        to_stdout(text)


# --- output ----------------------------------------------------------------------------------------------------------


def _rendered(arguments: argparse.Namespace, report: Report, stdin: bytes | None, fixed: int = 0) -> str:
    from shutdown_lint.report import renderer
    from shutdown_lint.report.summary import summary

    name = arguments.output_format or "full"
    if arguments.statistics:
        name = "statistics_json" if name == "json" else "statistics"
    text = renderer(name)(report.findings, _view(arguments, report, stdin))
    if "json" in name or arguments.quiet:
        return text
    return f"{text}{summary(report.findings, report.files, fixed)}\n"


def _view(arguments: argparse.Namespace, report: Report, stdin: bytes | None) -> View:
    from shutdown_lint.cli.texts import edits_of, line_reader, text_reader
    from shutdown_lint.report import View

    on_terminal = _on_terminal(arguments)
    read = text_reader(stdin)
    return View(
        color=_wants_color(arguments.color or "auto", on_terminal),
        width=_width(on_terminal),
        read=line_reader(read),
        edits=edits_of(report.findings, read) if arguments.output_format == "json" else {},
        terminal=on_terminal,
    )


def _on_terminal(arguments: argparse.Namespace) -> bool:
    return arguments.output_file is None and sys.stdout is not None and sys.stdout.isatty()


def _wants_color(when: str, on_terminal: bool) -> bool:
    if when != "auto":
        return when == "always"
    if os.environ.get("NO_COLOR"):  # no-color.org
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (on_terminal and os.environ.get("TERM") != "dumb")


def _width(on_terminal: bool) -> int:
    """Columns to print in: the terminal's, else the same for everybody."""
    try:
        return max(60, os.get_terminal_size(sys.stdout.fileno()).columns) if on_terminal else 120
    except (OSError, ValueError):
        return 120
