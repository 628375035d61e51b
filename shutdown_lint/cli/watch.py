"""``--watch``: check again whenever a file of the project changes, until a signal ends it."""

from __future__ import annotations

import gc
import os
import sys
from time import sleep
from typing import TYPE_CHECKING

from shutdown_lint.cli.output import complain, to_stdout
from shutdown_lint.report.view import plural

if TYPE_CHECKING:
    from collections.abc import Callable

    from shutdown_lint.cli.check import Setup

PAUSE = 0.5  # seconds between two looks; an editor's save is complete by the next
_CLEAR = "\x1b[H\x1b[2J\x1b[3J"
_CONFIGURATION = ("pyproject.toml", "shutdown-lint.toml", ".shutdown-lint.toml")
_State = dict[str, tuple[int, int]]


def watch(set_up: Callable[[], Setup], check: Callable[[Setup], int]) -> int:
    """Check, wait for a change, and so on. A configuration that is wrong meanwhile is told, and waited for."""
    from shutdown_lint.config import ConfigError

    gc.enable()  # a single run leaves what it built to the end of the process; this one has no end
    setup = set_up()
    while True:
        before = _state(setup)
        if sys.stdout is not None and sys.stdout.isatty():
            to_stdout(_CLEAR)
        try:
            setup = set_up()
            check(setup)
        except ConfigError as error:
            complain(str(error))
        complain(f"watching {plural(len(before), 'file')}; Ctrl-C ends")
        while _state(setup) == before:
            sleep(PAUSE)


def _state(setup: Setup) -> _State:
    """When each file of the project was last changed, and its size: of all of them, since all are known to the rules."""
    from shutdown_lint.inputs import files_of

    root = os.path.abspath(setup.settings.root)
    known = [root] if setup.settings.knowledge == "project" else []
    files = {*files_of([*setup.arguments.paths, *known], setup.settings), setup.config_path}
    out = {}
    for path in (*files, *(os.path.join(root, name) for name in _CONFIGURATION)):
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            continue
        out[os.path.abspath(path)] = (status.st_mtime_ns, status.st_size)
    return out
