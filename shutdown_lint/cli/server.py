"""``shutdown-lint server``: the language server, on stdin and stdout."""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from shutdown_lint.cli import FAILED
from shutdown_lint.cli.output import complain, to_stdout
from shutdown_lint.cli.stopping import Stopped

if TYPE_CHECKING:
    from types import FrameType

USAGE = """\
usage: shutdown-lint server [--stdio]

Speak the Language Server Protocol on stdin and stdout, for editors. Needs `pip install 'shutdown-lint[lsp]'`.
"""


def run(given: list[str]) -> int:
    """See ``USAGE``."""
    import gc

    if given[1:] in (["-h"], ["--help"]):
        to_stdout(USAGE)
        return 0
    if given[1:] not in ([], ["--stdio"]):
        complain(USAGE.partition("\n")[0])
        return FAILED
    try:
        from shutdown_lint.lsp.server import create
    except ImportError as error:
        if error.name is None or error.name.startswith("shutdown_lint"):
            raise
        complain("the language server needs more packages: pip install 'shutdown-lint[lsp]'")
        return FAILED
    gc.enable()
    server, came = create(), _noted_signals()
    try:
        server.start_io()
    finally:
        server.close()
    if came:  # pygls takes the interrupt for an end like any other; who sent the signal must see that it did its work
        raise Stopped(came[0])
    return 0


def _noted_signals() -> list[int]:
    """The signals that will have come; what handles them goes on to do so."""
    came: list[int] = []
    for signum in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(signum)
        if callable(handler):
            signal.signal(signum, partial(_note, came, handler))
    return came


def _note(came: list[int], handler: Callable[[int, FrameType | None], object], signum: int, frame: Any) -> None:
    came.append(signum)
    handler(signum, frame)
