"""How the tool itself stops: the signal raises, everything unwinds, and the process dies by the signal that asked."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, TypeAlias, Union

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

Handler: TypeAlias = Union[Callable[[int, Union[FrameType, None]], object], int, None]

# Nothing that unwinds is worth more than this many seconds: files are replaced whole, workers die with their parent.
PATIENCE = 0.4
_SOON = 0.005


class Stopped(KeyboardInterrupt):
    """A signal asks to stop. A ``KeyboardInterrupt``, so that whatever lets Ctrl-C through lets SIGTERM through."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


def take_signals() -> Mapping[int, Handler]:
    """From now on the signals that ask to stop raise ``Stopped`` in the main thread; the handlers that were there before.

    A signal that the caller ignores (``nohup``) or handles stays as it is.
    """
    previous: dict[int, Handler] = {}
    for signum, default in _asking().items():
        handler = signal.getsignal(signum)
        if handler in (default, signal.SIG_DFL):
            try:
                signal.signal(signum, _stop)
            except ValueError:  # not the main thread: it is up to the program around us
                return previous
            previous[signum] = handler
    return previous


def _asking() -> dict[int, Handler]:
    """The signals that ask a program to stop, each with what Python does about it if nobody says otherwise."""
    found: dict[int, Handler] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    if hasattr(signal, "SIGHUP"):
        # Python ignores SIGPIPE, so that writing fails instead
        found |= {signal.SIGHUP: signal.SIG_DFL, signal.SIGPIPE: signal.SIG_IGN}
    return found


@contextmanager
def broken_pipe_held() -> Iterator[None]:
    """What is written meanwhile to a pipe that nobody reads only raises ``BrokenPipeError``; it must get out of the block."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
    try:
        yield
    except BrokenPipeError:
        # ours is still pending, and would arrive now; one that somebody sends meanwhile does arrive
        if signal.SIGPIPE in signal.sigpending() and signal.SIGPIPE not in held:
            signal.sigwait({signal.SIGPIPE})
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def give_back(previous: Mapping[int, Handler]) -> None:
    """Restore the handlers."""
    for signum, handler in previous.items():
        signal.signal(signum, handler)


def _stop(signum: int, frame: FrameType | None) -> None:
    # a second signal, or the end of our patience, ends the process at once
    signal.signal(signum, signal.SIG_DFL)
    if hasattr(signal, "setitimer"):
        sys.unraisablehook = partial(_once_more, signum)
        signal.signal(signal.SIGALRM, lambda *_: die_by(signum))
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    raise Stopped(signum)


def _once_more(signum: int, unraisable: UnraisableHookArgs) -> None:
    """Where nothing can be raised (a finalizer, a callback of the import system), the request would be lost: raise it later."""
    if not isinstance(unraisable.exc_value, Stopped):
        sys.__unraisablehook__(unraisable)
        return
    signal.signal(signal.SIGALRM, lambda *_: _stop(signum, None))
    signal.setitimer(signal.ITIMER_REAL, _SOON)


def die_by(signum: int) -> int:
    """End the process by the signal, so that the caller sees how it ended, as with any well-behaved program."""
    signal.signal(signum, signal.SIG_DFL)
    os.kill(os.getpid(), signum)
    return 128 + signum  # where the signal is blocked


def die_by_broken_pipe() -> int:
    """What reads our output is gone (``| head``): end as tools do that never heard of it."""
    return die_by(signal.SIGPIPE) if hasattr(signal, "SIGPIPE") else 2
