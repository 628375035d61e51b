"""``shutdown-lint clean``: remove the cache."""

from __future__ import annotations

import os
from collections.abc import Sequence

from shutdown_lint.cli import FAILED
from shutdown_lint.cli.output import complain, to_stdout
from shutdown_lint.cli.parser import Parser, UsageError


def run(given: Sequence[str]) -> int:
    """Remove the cache of the current project, or the folder that is named. Returns the exit code."""
    from shutdown_lint import cache, config

    parser = Parser("shutdown-lint clean", "shutdown-lint clean [--cache-dir DIR]", "Remove the cache.")
    parser.add_argument("--cache-dir", metavar="DIR", help="the folder of the cache")
    parser.add_argument("-h", "--help", action="store_true", help="print this help")
    try:
        arguments = parser.parse_args(given[1:])
        if arguments.help:
            to_stdout(parser.format_help())
            return 0
        folder = arguments.cache_dir or cache.usual_folder(*config.find_root([os.curdir]))
        to_stdout(f"removed {folder}\n" if cache.clean(folder) else "nothing to remove\n")
    except (UsageError, OSError) as error:
        complain(str(error))
        return FAILED
    return 0
