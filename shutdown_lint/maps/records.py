"""What a map holds: data only, for all formats. Times are seconds from the trigger, lines and columns 1-based."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Late: TypeAlias = Literal["", "grace", "endless"]


class Row(NamedTuple):
    """A step at the latest time at which it may begin.

    ``kind`` is that of ``project.steps.Step``, or ``maybe`` for
    what runs under a condition and ``part`` for one of a group. ``seconds`` is how long it lasts at most: 0 for what does not wait, None
    where there is no limit (``endless``) or the limit is only known at run time. ``times`` is how often a loop runs its
    steps (None: not known). ``late`` tells why the step may never run: ``grace`` when the grace period is over by then,
    ``endless`` when a wait without a limit is before it; else it is empty. ``subject`` is the thing that it tells, stops,
    waits for or closes, ``sort`` what kind of thing that is (``thread``, ``process``, ``task``, ``file``, …); both may be empty.
    """

    depth: int
    kind: str
    text: str
    file: str
    line: int
    column: int
    start: float
    seconds: float | None
    endless: bool
    times: int | None
    late: Late
    subject: str
    sort: str


class Stretch(NamedTuple):
    """Steps that run for one reason: the handler, the function that goes on, a callback of ``atexit``.

    ``current`` marks the round of a loop that is under way when the signal comes.
    """

    why: str
    rows: tuple[Row, ...]
    current: bool


class Way(NamedTuple):
    """What happens after one trigger: ``SIGTERM``, ``SIGINT``, or ``end`` of the program.

    ``handled`` False: nothing catches the signal, and the kernel ends the process. ``complete`` tells whether the way
    from the handler to the end of the program was found. ``seconds`` is the sum of the limits on the critical path;
    ``endless`` and ``open`` count the waits that have none, or one that is only known at run time.
    """

    trigger: str
    origin: str
    file: str
    line: int
    handled: bool
    complete: bool
    stretches: tuple[Stretch, ...]
    seconds: float
    endless: int
    open: int


class Left(NamedTuple):
    """Something that is left behind or lost, as a rule reports it."""

    code: str
    message: str
    file: str
    line: int


class Program(NamedTuple):
    """One entry point with its ways to the end; ``name`` is ``module:function``, empty for what no entry point is known of.

    ``kind`` is ``program``, or ``process`` for what a child process runs. ``also`` are entry points that only lead into this
    one: the ``__main__`` part of a module that calls the function of a console script.
    """

    name: str
    kind: str
    also: tuple[str, ...]
    file: str
    line: int
    ways: tuple[Way, ...]
    left: tuple[Left, ...]


class Map(NamedTuple):
    """The programs of a run, and the grace period (seconds) that they have."""

    programs: tuple[Program, ...]
    grace: float
