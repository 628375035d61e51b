"""The ``shutdown-lint`` command: arguments in, findings out. No analysis."""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FAILED = 2  # exit code: wrong usage, or something that could not be read or written


def command() -> int:
    """The life of the process: ``main``. What it has built goes with the process; nobody need search it for cycles."""
    gc.disable()
    try:
        return main()
    except KeyboardInterrupt as asked:  # just before or after what main guards
        from shutdown_lint.cli.stopping import Stopped, die_by

        return die_by(asked.signum if isinstance(asked, Stopped) else 2)
    finally:
        gc.freeze()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    0: clean; 1: findings; 2: usage, configuration, or input or output that failed. SIGINT and SIGTERM end the process
    by the signal itself, after everything has been cleaned up.
    """
    _forget_current_folder()
    from shutdown_lint.cli import stopping
    from shutdown_lint.cli.output import OutputError, ReaderGone, complain

    given = list(sys.argv[1:] if arguments is None else arguments)
    previous = stopping.take_signals()
    try:
        return _command(given)(given)
    except stopping.Stopped as stopped:
        return stopping.die_by(stopped.signum)
    except ReaderGone:
        return stopping.die_by_broken_pipe()
    except OutputError as error:
        complain(str(error))
        return FAILED
    finally:
        stopping.give_back(previous)


def _forget_current_folder() -> None:
    """An empty entry of PYTHONPATH stands for the current folder, whose ``re.py`` must never be imported."""
    try:
        here = os.getcwd()
    except OSError:  # it is gone
        here = os.curdir
    own = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.path[:] = [entry for entry in sys.path if entry not in ("", os.curdir) and (entry != here or entry == own)]


def _command(given: list[str]) -> Callable[[list[str]], int]:
    first = given[0] if given else ""
    if first in ("-h", "--help", "-V", "--version"):
        from shutdown_lint.cli.about import run
    elif first == "rules":
        from shutdown_lint.cli.rules import table as run
    elif first == "models":
        from shutdown_lint.cli.models import run
    elif first == "map":
        from shutdown_lint.cli.map import run
    elif first == "facts":
        from shutdown_lint.cli.facts import run
    elif first == "clean":
        from shutdown_lint.cli.clean import run
    elif first == "baseline":
        from shutdown_lint.cli.baseline import run
    elif first == "config":
        from shutdown_lint.cli.configuration import run
    elif first == "server":
        from shutdown_lint.cli.server import run
    elif first == "completion":
        from shutdown_lint.cli.completion import run
    elif first == "init":
        from shutdown_lint.cli.init import run
    elif first == "rule":
        from shutdown_lint.cli.rules import explain as run
    else:
        from shutdown_lint.cli.check import run
    return run
