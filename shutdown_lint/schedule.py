"""Which process does what: the parts of a run, and single files where a part is too large for one process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from shutdown_lint.analysis import Context, Program, Result, Taken, analyse, prepare, take, trouble_findings
from shutdown_lint.lowered import Memory
from shutdown_lint.parts import Part
from shutdown_lint.rules.registry import TROUBLES
from shutdown_lint.source import SourceFile, Trouble
from shutdown_lint.workers import Died, cores, may_fork, spread

if TYPE_CHECKING:
    from shutdown_lint.project import Project
    from shutdown_lint.refining import Refiner

Progress: TypeAlias = Callable[[str, int, int, str], None]

# In so many bytes every process finds something that can be mended. What tells whether it can takes a quarter of a second
# to import: once for all of them rather than by each.
_FIXES_LIKELY = 4_000_000
_DIED_ONCE = "the process that analysed this file died ({how}); it was analysed again, and no finding is lost"


def analyse_all(
    parts: Sequence[Part], context: Context, jobs: int, progress: Progress, refiner: Refiner | None = None
) -> list[Result]:
    """What is found in each part; ``jobs`` processes (0: as many as there are cores) change nothing but the time.

    ``refiner`` has the last word on the findings of each part. ``progress`` is called now and then with what is being
    done, how much of it is done, how much there is, and of what.

    A part that is a good share of the whole would leave the other processes idle: its files are taken in one by one
    first, by all of them; unless most of them are remembered, which costs less than to hand them over.
    """
    schedule, jobs = _Schedule(context, jobs, progress, refiner), jobs or cores()
    if jobs > 1:
        total = sum(part.size for part in parts)
        large = [part for part in parts if part.size * 2 * jobs > total or not may_fork()]
        schedule.take_in([part for part in large if not schedule.knows(part)])
    results = schedule.run(parts)
    dead = [number for number, result in enumerate(results) if isinstance(result, Died)]
    if dead:
        # which file was it? each is taken in where it harms no other
        suspects = [parts[number] for number in dead]
        schedule.take_in(suspects, apart=True)
        again = schedule.run(suspects, apart=True)
        for number, result in zip(dead, again, strict=True):
            results[number] = _lost(parts[number], result, context) if isinstance(result, Died) else result
    kept = [result for result in results if not isinstance(result, Died)]
    return [schedule.with_deaths(part, result) for part, result in zip(parts, kept, strict=True)]


class _Schedule:
    """The files that are taken in already, and what to do with the rest."""

    def __init__(self, context: Context, jobs: int, progress: Progress, refiner: Refiner | None) -> None:
        self._context, self._jobs, self._progress, self._refiner = context, jobs, progress, refiner
        self._known: dict[str, Taken] = {}
        self._deaths: dict[str, str] = {}  # path of the file in hand → how the process died
        self._spent: list[Project] = []

    def knows(self, part: Part) -> bool:
        """Whether most of the part is remembered."""
        contents, memory = self._context.contents, Memory(self._context.store)
        files = ((file, contents.get(file.absolute)) for file in part.files)
        return 2 * sum(len(data) for file, data in files if memory.has(file, data)) > part.size

    def take_in(self, parts: Sequence[Part], *, apart: bool = False) -> None:
        """Take in all files of the parts, each on its own."""
        contents = self._context.contents
        files = [(file, contents.get(file.absolute)) for part in parts for file in part.files]
        programs = {root: self._context.programs[root] for root in {file.root for file, _ in files}}
        do, costs = partial(_take, programs), [len(data) for _, data in files]
        tell = self._teller("reading", len(files), "files")

        def mourn(number: int, died: Died) -> None:
            self._deaths[files[number][0].path] = died.how

        all_taken = spread(do, files, costs, self._jobs, apart=apart, tell=tell, mourn=mourn)
        for (file, _), taken in zip(files, all_taken, strict=True):
            self._known[file.absolute] = _killed(taken) if isinstance(taken, Died) else taken

    def run(self, parts: Sequence[Part], *, apart: bool = False) -> list[Result | Died]:
        """Analyse the parts."""
        jobs, costs = self._jobs if may_fork() else 1, [part.size for part in parts]
        tell = self._teller("checking", len(parts), "parts")

        def mourn(number: int, died: Died) -> None:
            self._deaths[died.place or _first(parts[number])] = died.how

        return spread(
            self._analyse,
            parts,
            costs,
            jobs,
            partial(self._prepare, parts),
            apart=apart,
            tell=tell,
            noting=True,
            mourn=mourn,
        )

    def _prepare(self, parts: Sequence[Part]) -> None:
        prepare(self._context)
        if self._refiner is not None and sum(part.size for part in parts if not self.knows(part)) > _FIXES_LIKELY:
            self._refiner.refine.load()

    def with_deaths(self, part: Part, result: Result) -> Result:
        """The result, and what is to be said of files on which a process died although all is known of them now."""
        told = {finding.path for finding in result.findings if finding.code in TROUBLES}
        deaths = [
            (path, self._deaths[path]) for path in {file.path for file in part.files} & self._deaths.keys() - told
        ]
        troubles = [(path, Trouble("SHD904", _DIED_ONCE.format(how=how))) for path, how in sorted(deaths)]
        return result._replace(findings=(*result.findings, *trouble_findings(troubles, self._context.enabled)))

    def _teller(self, phase: str, total: int, unit: str) -> Callable[[int], None]:
        return lambda done: self._progress(phase, done, total, unit)

    def _analyse(self, part: Part, note: Callable[[str], object]) -> Result:
        # what was known of the last one goes with the process, at no cost
        while self._spent:
            self._spent.pop().dissolve()
        result = analyse(part, self._context, self._known, note, self._spent.append)
        return result._replace(findings=self._refiner.refined(result.findings)) if self._refiner is not None else result


def _first(part: Part) -> str:
    return next(file.path for file in part.files if file.reported)


def _take(programs: Mapping[str, Program], item: tuple[SourceFile, bytes]) -> Taken:
    file, data = item
    return take(file, data, programs[file.root].prefilter, programs[file.root].memory)


def _killed(died: Died) -> Taken:
    return Taken(None, Trouble("SHD903", f"cannot be analysed: the parser died on it twice ({died.how})"))


def _lost(part: Part, died: Died, context: Context) -> Result:
    """No rule's result: told at the file that was in hand, or at the first one that was to be reported on."""
    path = died.place or _first(part)
    others = sum(file.reported for file in part.files) - 1
    what = f"this and {others} other file{'s' * (others > 1)}" if others else "this file"
    trouble = Trouble("SHD904", f"the analysis of {what} died twice ({died.how})")
    return Result(tuple(trouble_findings([(path, trouble)], context.enabled)), 0)
