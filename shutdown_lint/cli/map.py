"""``shutdown-lint map``: what happens between SIGTERM and the last line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from shutdown_lint.cli import FAILED
from shutdown_lint.cli.output import complain, to_file, to_stdout
from shutdown_lint.cli.parser import Parser, UsageError, parse_check

if TYPE_CHECKING:
    from shutdown_lint.maps import Map
    from shutdown_lint.settings import Settings

FORMATS = ("text", "json", "mermaid", "svg", "html")


def run(given: Sequence[str]) -> int:
    """Print the map of the programs in the paths. Returns the exit code: 0, or 2 where there is nothing to draw."""
    from shutdown_lint import config
    from shutdown_lint.cli.check import set_up

    parser = _parser()
    try:
        arguments, rest = parser.parse_known_args(given[1:])
        if arguments.help:
            to_stdout(parser.format_help())
            return 0
        setup = set_up(parse_check(rest))
    except (UsageError, config.ConfigError) as error:
        complain(str(error))
        return FAILED
    shown = _map(setup.arguments.paths, setup.settings, arguments)
    if arguments.entry and not shown.programs:
        complain(f"no program `{arguments.entry}`; without --entry, all programs are shown")
        return FAILED
    text = _rendered(shown, arguments, setup.arguments.color or "auto")
    if arguments.output_file:
        to_file(text, arguments.output_file)
    else:
        to_stdout(text)
    return 0


def _parser() -> Parser:
    usage = "shutdown-lint map [OPTIONS] [PATH ...]"
    parser = Parser(
        "shutdown-lint map", usage, "Show what happens between SIGTERM and the last line, and how long it may take."
    )
    parser.add_argument("--entry", default="", metavar="MODULE:FUNCTION", help="only this program (`app.cli:main`)")
    parser.add_argument(
        "--grace",
        type=_seconds,
        default=None,
        metavar="SECONDS",
        help="the time until SIGKILL (default: that of the budget, 30)",
    )
    parser.add_argument("--output-format", choices=FORMATS, default="text", help="how the map is drawn (default: text)")
    parser.add_argument("--output-file", metavar="FILE", help="write the map to this file")
    parser.add_argument(
        "-h",
        "--help",
        action="store_true",
        help="print this help; the options of `check` that say what is read are taken too",
    )
    return parser


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value


def _map(paths: Sequence[str], settings: Settings, arguments: argparse.Namespace) -> Map:
    from shutdown_lint.engine import projects
    from shutdown_lint.inputs import files_of
    from shutdown_lint.maps import build

    # what is left behind is what the rules on work say, whatever else is selected; the others lead to more files
    selected = settings._replace(select=("SHD2", "SHD3", "SHD4"), extend_select=())
    found = [
        (project, [finding for finding in findings if finding.code.startswith("SHD2")])
        for project, findings in projects(paths, selected)
    ]
    grace = settings.budget.grace if arguments.grace is None else arguments.grace
    return build(found, frozenset(files_of(paths, settings)), grace, arguments.entry)


def _rendered(shown: Map, arguments: argparse.Namespace, color: str) -> str:
    from shutdown_lint.cli.texts import line_reader, text_reader

    name = arguments.output_format
    if name == "text":
        from shutdown_lint.cli.terminal import wants_color, width
        from shutdown_lint.maps.text import render
        from shutdown_lint.report.view import View

        on_terminal = arguments.output_file is None and sys.stdout is not None and sys.stdout.isatty()
        return render(shown, View(color=wants_color(color, on_terminal), width=width(on_terminal)))
    if name in ("json", "mermaid"):
        from shutdown_lint.maps import data

        return data.as_json(shown) if name == "json" else data.as_mermaid(shown)
    from shutdown_lint.maps import drawing

    read = line_reader(text_reader(None))
    return drawing.as_svg(shown, read) if name == "svg" else drawing.as_html(shown, read)
