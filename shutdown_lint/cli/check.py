"""``shutdown-lint check``: arguments and configuration in, one run of the engine, findings out."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from shutdown_lint import config
from shutdown_lint.cli import FAILED
from shutdown_lint.cli.output import complain, to_stderr, to_stdout
from shutdown_lint.cli.outputs import Outputs, on_terminal, show, write
from shutdown_lint.cli.parser import UsageError, check_parser, parse_check, values_by_key
from shutdown_lint.cli.terminal import Progress
from shutdown_lint.cli.texts import line_reader, text_reader
from shutdown_lint.report.view import plural, safe

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from shutdown_lint.engine import Report
    from shutdown_lint.settings import Settings

_STDIN = "-"


class Setup(NamedTuple):
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
        setup = set_up(arguments)
        if arguments.watch:
            return _watch(given)
    except (UsageError, config.ConfigError) as error:
        complain(str(error))
        return FAILED
    if arguments.verbose:
        _tell(setup)
    if arguments.facts:
        return _check_facts(setup)
    return _show_files(setup) if arguments.show_files else _check(setup)


def _watch(given: list[str]) -> int:
    from shutdown_lint.cli.watch import watch

    return watch(lambda: set_up(parse_check(given)), _check)


# --- settings --------------------------------------------------------------------------------------------------------


def set_up(arguments: argparse.Namespace) -> Setup:
    """Defaults, then the configuration file, then inline ``--config``, then flags."""
    if _STDIN in arguments.paths and len(arguments.paths) > 1:
        raise UsageError("`-` (stdin) cannot be combined with other paths")
    _refuse_contradictions(arguments)
    paths = [arguments.stdin_filename or os.curdir if path == _STDIN else path for path in arguments.paths]
    root = config.find_root(paths)
    layer = _layer(arguments, paths)
    values = config.rebase(layer, root.folder)
    for text in _inline(arguments):
        values = config.merge(values, config.inline(text))
    if arguments.baseline:  # unlike in a file, it starts from where the user is
        arguments.baseline = os.path.abspath(arguments.baseline)
    values = config.merge(values, config.check(values_by_key(arguments), "command line"))
    settings = config.to_settings(values, root)._replace(
        jobs=arguments.jobs or 0, stdin_filename=arguments.stdin_filename or "", cache=_cache(arguments, root)
    )
    return Setup(arguments, settings, layer.path)


def _refuse_contradictions(arguments: argparse.Namespace) -> None:
    fixing = arguments.fix or arguments.fix_only or arguments.diff or arguments.unsafe_fixes
    for flag, given in (("--diff-only", arguments.diff_only), ("--add-noqa", arguments.add_noqa)):
        if given and _STDIN in arguments.paths:
            raise UsageError(f"{flag} cannot be combined with `-` (stdin)")
        if given and fixing:
            raise UsageError(f"{flag} cannot be combined with --fix, --unsafe-fixes or --diff")
    if arguments.facts and (fixing or arguments.add_noqa or arguments.show_files or arguments.watch):
        raise UsageError("--facts only checks: for fixes, --add-noqa, --show-files and --watch the sources are needed")
    if arguments.facts and arguments.executor:
        raise UsageError("--facts cannot be combined with --executor: there is nothing to read for it")
    if arguments.facts and _STDIN in arguments.paths:
        raise UsageError("--facts cannot be combined with `-` (stdin)")
    if arguments.watch and (fixing or arguments.add_noqa or arguments.show_files or _STDIN in arguments.paths):
        raise UsageError(
            "--watch only checks files: it cannot be combined with stdin, --fix, --add-noqa or --show-files"
        )
    if arguments.reason and not arguments.add_noqa:
        raise UsageError("--reason goes with --add-noqa")


def _cache(arguments: argparse.Namespace, root: config.Root) -> str:
    from shutdown_lint.cache import unusable, usual_folder

    folder: str = "" if arguments.no_cache else arguments.cache_dir or usual_folder(*root)
    if not folder:
        return ""
    named = bool(arguments.cache_dir or os.environ.get("SHUTDOWN_LINT_CACHE_DIR"))
    problem = unusable(folder, named=named)
    if problem and not arguments.quiet:
        complain(f"nothing is remembered of this run: {folder} {problem}")
    return "" if problem else folder


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


def _tell(setup: Setup) -> None:
    settings = setup.settings
    root, version = os.path.abspath(settings.root), ".".join(map(str, settings.target_version))
    complain(f"configuration: {setup.config_path or 'none'}")
    complain(f"project root: {root}; knowledge: {settings.knowledge}; target: Python {version}")


# --- the run ---------------------------------------------------------------------------------------------------------


def _show_files(setup: Setup) -> int:
    from shutdown_lint.inputs import files_of
    from shutdown_lint.report.view import shown_path

    to_stdout("".join(f"{shown_path(path)}\n" for path in files_of(setup.arguments.paths, setup.settings)))
    return 0


def _check(setup: Setup) -> int:
    from shutdown_lint.adoption import AdoptionError

    arguments = setup.arguments
    _want_traceback(arguments)
    stdin = _read_stdin() if _STDIN in arguments.paths else None
    try:
        report = run_engine(setup, stdin)
        if arguments.add_noqa:
            return _add_noqa(setup, narrowed(setup, report, stdin))
        if arguments.fix or arguments.fix_only or arguments.diff:
            code, report = _fix(setup, report, stdin)
        else:
            report = narrowed(setup, report, stdin)
            _tell_unfixed(arguments, report)
            show(setup.outputs, report, text_reader(stdin))
            code = _exit_code(report, setup)
    except (AdoptionError, UsageError) as error:
        complain(str(error))
        return FAILED
    return _told(setup, report, code)


def _want_traceback(arguments: argparse.Namespace) -> None:
    if arguments.traceback:
        os.environ["SHUTDOWN_LINT_TRACEBACK"] = "1"


def _told(setup: Setup, report: Report, code: int) -> int:
    """What is left to say on stderr; the exit code."""
    arguments = setup.arguments
    for warning in () if arguments.quiet else report.warnings:
        complain(warning)
    if arguments.verbose:
        complain(f"{plural(report.files, 'file')} checked, {plural(report.suppressed, 'finding')} suppressed")
    return 0 if code == 1 and arguments.exit_zero else code


def _check_facts(setup: Setup) -> int:
    """The same on files of facts, instead of sources."""
    from shutdown_lint import linking
    from shutdown_lint.adoption import AdoptionError, narrow
    from shutdown_lint.facts_files import FactsError, read_all
    from shutdown_lint.fixable import WHERE_POSSIBLE

    arguments, settings = setup.arguments, setup.settings
    _want_traceback(arguments)
    try:
        files = read_all(arguments.facts)
        read = linking.text_reader(files)
        with Progress(quiet=bool(arguments.quiet)) as progress:
            report = linking.link(files, arguments.paths, settings, progress=progress.tell, refine=WHERE_POSSIBLE)
        since, checked = arguments.diff_only or "", lambda: [file.path for file in files]
        report = narrow(report, settings, line_reader(read), since=since, checked=checked)
    except (AdoptionError, FactsError) as error:
        complain(str(error))
        return FAILED
    _tell_unfixed(arguments, report)
    show(setup.outputs, report, read)
    return _told(setup, report, _exit_code(report, setup))


def run_engine(setup: Setup, stdin: bytes | None) -> Report:
    """The report of the engine, with a bar on a terminal when it takes long; a fix is in it where it can be made.

    Raises ``UsageError`` for an executor that cannot be used.
    """
    from shutdown_lint import engine
    from shutdown_lint.fixable import WHERE_POSSIBLE

    arguments = setup.arguments
    with Progress(quiet=bool(arguments.quiet)) as progress:
        run = partial(
            engine.check, arguments.paths, setup.settings, stdin=stdin, progress=progress.tell, refine=WHERE_POSSIBLE
        )
        return _on_executor(run, arguments.executor) if arguments.executor else run()


def _on_executor(run: Callable[..., Report], spec: str) -> Report:
    from shutdown_lint.remote import ExecutorError, opener_of

    try:
        return run(executor=opener_of(spec))
    except ExecutorError as error:
        raise UsageError(str(error)) from error


def narrowed(setup: Setup, report: Report, stdin: bytes | None) -> Report:
    """What is shown of the report. Raises ``AdoptionError``."""
    from shutdown_lint.adoption import narrow
    from shutdown_lint.inputs import files_of

    read = line_reader(text_reader(stdin))
    paths, settings = setup.arguments.paths, setup.settings
    checked = (lambda: files_of(paths, settings)) if stdin is None else tuple
    return narrow(report, settings, read, since=setup.arguments.diff_only or "", checked=checked)


def _exit_code(report: Report, setup: Setup) -> int:
    from shutdown_lint.adoption import fails

    code = report.exit_code()
    return 0 if code == 1 and not fails(report, setup.settings) else code


def _add_noqa(setup: Setup, report: Report) -> int:
    from shutdown_lint.cli.noqa import add_comments

    return add_comments(report, setup.settings, setup.arguments.reason or "")


def _tell_unfixed(arguments: argparse.Namespace, report: Report) -> None:
    from shutdown_lint.report.concise import place

    for finding in report.findings if arguments.verbose else ():
        if finding.unfixed:
            complain(f"{place(finding)}: {finding.code} has no fix here: {finding.unfixed}")


def _read_stdin() -> bytes:
    from shutdown_lint.source.reading import MAX_BYTES

    # one byte more than a file may have: the engine refuses it in its own words
    return sys.stdin.buffer.read(MAX_BYTES + 1) if sys.stdin is not None else b""


def _fix(setup: Setup, report: Report, stdin: bytes | None) -> tuple[int, Report]:
    """Mend what can be mended; print the diff, the mended stdin, or what remains."""
    import gc

    from shutdown_lint import fixes

    gc.enable()  # each round builds trees and a project, and leaves them behind
    arguments = setup.arguments
    unsafe, diff = bool(arguments.unsafe_fixes), bool(arguments.diff)
    result = fixes.apply(report, arguments.paths, setup.settings, unsafe=unsafe, diff=diff, stdin=stdin)
    for problem in result.problems:
        complain(f"{problem.path}: not fixed: {problem.message}")
    result = result._replace(report=narrowed(setup, result.report, result.output))
    _tell_unfixed(arguments, result.report)
    done = sum(fixed.number for fixed in result.fixed)
    if diff:
        write(_shown_diff(result.diff, arguments), arguments.targets[0])
        if not arguments.quiet:
            complain(f"would fix {plural(done, 'finding')}")
        return result.exit_code(diff=True), result.report
    if result.output is not None:
        # stdout belongs to the mended text
        to_stdout(result.output)
        if not arguments.fix_only:
            show(setup.outputs, result.report, text_reader(result.output), done, to_stderr)
    elif not arguments.fix_only:
        show(setup.outputs, result.report, text_reader(None), done)
    if arguments.fix_only and not arguments.quiet:
        complain(f"fixed {plural(done, 'finding')}")
    code = result.exit_code()
    if code == 1:
        code = 0 if arguments.fix_only else _exit_code(result.report, setup)
    return code, result.report


def _shown_diff(diff: str, arguments: argparse.Namespace) -> str:
    """The diff as it is, for tools; on a terminal without what could act on it."""
    if not on_terminal(arguments.targets[0]):
        return diff
    return "".join(f"{safe(line)}\n" for line in diff.split("\n")[:-1])
