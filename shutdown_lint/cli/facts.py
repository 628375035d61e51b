"""``shutdown-lint facts``: the first step of a build in two steps, file by file; ``check --facts`` is the second."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

from shutdown_lint.cli import FAILED
from shutdown_lint.cli.output import complain, to_stdout
from shutdown_lint.cli.parser import Parser, UsageError, positive

_HELP = "Write what is to be known of each file to DIR/PATH.facts, for `shutdown-lint check --facts DIR`."


def run(given: Sequence[str]) -> int:
    """Write the facts of files. Returns the exit code: 0, or 2 where a file cannot be read or written."""
    parser = Parser("shutdown-lint facts", "shutdown-lint facts FILE ... --out DIR", _HELP)
    parser.add_argument("files", nargs="*", metavar="FILE", help="files and folders below the current folder")
    parser.add_argument("--out", metavar="DIR", help="the folder to write to")
    parser.add_argument("--jobs", type=positive, default=0, metavar="N", help="number of processes")
    parser.add_argument("-h", "--help", action="store_true", help="print this help")
    try:
        arguments = parser.parse_intermixed_args(given[1:])
        if arguments.help:
            to_stdout(parser.format_help())
            return 0
        if not (arguments.files and arguments.out):
            raise UsageError("FILE and --out are needed (see `shutdown-lint facts --help`)")
        return _write_facts(_found(arguments.files), arguments.out, arguments.jobs)
    except UsageError as error:
        complain(str(error))
        return FAILED


def _found(paths: Sequence[str]) -> list[str]:
    """The files, relative to the current folder. Their configuration does not matter. Raises ``UsageError``."""
    from shutdown_lint.settings import Settings
    from shutdown_lint.source import discover

    found = discover(paths, Settings())
    for path, trouble in found.troubles:
        raise UsageError(f"{path}: {trouble.message}")
    files = [os.path.relpath(path) for path in (*found.files, *found.deployment)]
    for path in files:
        if path.startswith(os.pardir) or os.path.isabs(path):
            raise UsageError(f"{path} is not below the current folder, from which paths in facts start")
    return files


def _write_facts(files: Sequence[str], out: str, jobs: int) -> int:
    from shutdown_lint.workers import Died, spread

    costs = [os.path.getsize(path) if os.path.exists(path) else 0 for path in files]
    written = spread(partial(_written, out), files, costs, jobs)
    for path, problem in zip(files, written, strict=True):
        if isinstance(problem, Died):  # whoever reads the facts will tell
            problem = _written(out, path, lower=False)
        if problem:
            complain(problem)
    return FAILED if any(written) else 0


def _written(out: str, path: str, *, lower: bool = True) -> str:
    """Write the facts of one file; what is wrong, or nothing."""
    from shutdown_lint.facts_files import SUFFIX, compiled
    from shutdown_lint.source import TroubleError, read_bytes
    from shutdown_lint.source.reading import reason

    place = os.path.join(out, path + SUFFIX)
    try:
        data = compiled(path.replace(os.sep, "/"), read_bytes(path), lower=lower)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        temporary = f"{place}.{os.getpid()}"
        with open(temporary, "wb") as stream:
            stream.write(data)
        os.replace(temporary, place)
    except TroubleError as error:
        return f"{path}: {error.trouble.message}"
    except OSError as error:
        return f"{place}: cannot be written: {reason(error)}"
    return ""
