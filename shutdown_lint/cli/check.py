"""``shutdown-lint check``: settings from configuration and flags, one run of the engine, output."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from shutdown_lint import config
from shutdown_lint.settings import Settings

if TYPE_CHECKING:
    from shutdown_lint.engine import Report


def run(arguments: argparse.Namespace) -> int:
    """Check the paths and print the findings; the exit code."""
    try:
        settings = _settings(arguments)
    except config.ConfigError as error:
        sys.stderr.write("".join(f"shutdown-lint: {line}\n" for line in str(error).splitlines()))
        return 2
    if "-" in arguments.paths and len(arguments.paths) > 1:
        sys.stderr.write("shutdown-lint: `-` cannot be combined with other paths\n")
        return 2
    if arguments.traceback:
        os.environ["SHUTDOWN_LINT_TRACEBACK"] = "1"
    if arguments.show_files:
        return _show_files(arguments.paths, settings)
    return _check(arguments, settings)


def _check(arguments: argparse.Namespace, settings: Settings) -> int:
    from shutdown_lint import engine

    stdin = sys.stdin.buffer.read() if "-" in arguments.paths else None
    report = engine.check(arguments.paths, settings, stdin=stdin)
    _write(list(_output(arguments, report)), arguments.output_file)
    for warning in report.warnings:
        sys.stderr.write(f"shutdown-lint: {warning}\n")
    code = report.exit_code()
    return 0 if code == 1 and arguments.exit_zero else code


def _output(arguments: argparse.Namespace, report: Report) -> Iterable[str]:
    from shutdown_lint.report import Style, render, statistics, summary

    name = arguments.output_format or "full"
    style = Style(_wants_color(arguments.color or "auto", arguments.output_file))
    if arguments.statistics and name != "json":
        yield from statistics(report.findings, style)
    else:
        yield from render(name, report.findings, style)
    if name != "json" and not arguments.quiet:
        yield summary(report.findings, report.files)


def _wants_color(when: str, output_file: str | None) -> bool:
    if when != "auto":
        return when == "always"
    if os.environ.get("NO_COLOR"):  # no-color.org
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return output_file is None and sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _write(lines: Iterable[str], output_file: str | None) -> None:
    text = "".join(f"{line}\n" for line in lines)
    if output_file is None:
        if sys.stdout is None:
            raise OSError(9, "stdout is closed")
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        return
    if os.path.exists(output_file) and not os.path.isfile(output_file):
        with open(output_file, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
        return
    temporary = f"{output_file}.{os.getpid()}.tmp"
    try:
        with open(temporary, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
        os.replace(temporary, output_file)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def _show_files(paths: list[str], settings: Settings) -> int:
    from shutdown_lint.report.render import shown_path
    from shutdown_lint.source import discover

    for file in discover(paths, settings).files:
        print(shown_path(file))
    return 0


# --- settings ----------------------------------------------------------------------------------------------------------


def _settings(arguments: argparse.Namespace) -> Settings:
    """Defaults, then the configuration file, then inline ``--config``, then flags."""
    paths = [arguments.stdin_filename or "." if path == "-" else path for path in arguments.paths]
    values = _from_files(arguments, paths)
    for inline in (text for text in arguments.config if "=" in text and not os.path.exists(text)):
        values.update(config.check(config.parse(inline, "--config"), "--config"))
    values.update(config.check(_from_flags(arguments), "command line"))
    settings = config.to_settings(values, config.find_root(paths))
    return settings._replace(jobs=arguments.jobs or 0, stdin_filename=arguments.stdin_filename or "")


def _from_files(arguments: argparse.Namespace, paths: list[str]) -> dict[str, Any]:
    named = [text for text in arguments.config if "=" not in text or os.path.exists(text)]
    if named:
        return {key: value for path in named for key, value in config.read(path).items()}
    found = None if arguments.isolated else config.find_config(paths)
    return dict(config.read(found)) if found else {}


def _from_flags(arguments: argparse.Namespace) -> dict[str, Any]:
    from shutdown_lint.options import OPTIONS

    out: dict[str, Any] = {}
    for option in OPTIONS:
        given = getattr(arguments, option.flag[2:].replace("-", "_"), None) if option.key and option.flag else None
        if given is None:
            continue
        if option.kind in ("selectors", "patterns"):
            given = [part.strip() for text in given for part in text.split(",") if part.strip()]
        out[option.key] = given
    return out
