"""Why a file could not be analysed: the data behind SHD900–904."""

from __future__ import annotations

from typing import NamedTuple

# not of the content, but of the moment: what failed may go well the next time
PASSING = frozenset({"SHD901", "SHD903", "SHD904"})


class Trouble(NamedTuple):
    """One of SHD900–904 at a place; ``line`` and ``col`` are 1-based."""

    code: str
    message: str
    line: int = 1
    col: int = 1
    help: str = ""


class TroubleError(Exception):
    """Carries a ``Trouble`` up to where the file's name is known."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble
