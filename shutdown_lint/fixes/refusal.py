"""How a fix says no."""

from __future__ import annotations


class Refused(Exception):
    """A place cannot be mended, or a file not be written, without risk; the message says why, lower case start."""


def refuse_if(problem: str) -> None:
    """Raise ``Refused`` for a problem that is not empty."""
    if problem:
        raise Refused(problem)
