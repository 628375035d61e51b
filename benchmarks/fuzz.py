"""Give the linter what chance makes of real files, and check what it promises of everything that it reads.

    python benchmarks/fuzz.py                     10,000 cases, and the table in docs/robustness.md anew
    python benchmarks/fuzz.py --cases 500         fewer; nothing is written
    python benchmarks/fuzz.py --seed 7            other cases
    python benchmarks/fuzz.py --case 7:123        one case again, in this process, and its files
    python benchmarks/fuzz.py --programs 1000     programs of hypothesmith (requirements/fuzz.txt), 1,000 of each sort

``benchmarks/guided.py`` looks for further cases where coverage leads it.

A case is made from its number alone. Each is looked at in a process that it may be the end of; one that takes longer than
``LIMIT`` seconds of processor time, dies, raises, or breaks a promise (benchmarks/subjects.py) is told, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks"), str(ROOT / "scripts")]

from subjects import SUBJECTS, Data, scratch  # noqa: E402
from writing import put  # noqa: E402

from shutdown_lint.workers import Died, spread  # noqa: E402

LIMIT = 20  # seconds of processor time, for one case
PAGE, PART = ROOT / "docs" / "robustness.md", "benchmarks/fuzz.py"
_WEIGHTED = [name for name, subject in SUBJECTS.items() for _ in range(subject.share)]


class Case(NamedTuple):
    """A case by the seed of its run and its number, and its files where they were made already."""

    seed: int
    number: int
    data: Data | None = None

    @property
    def subject(self) -> str:
        """What it is given to."""
        return next(iter(SUBJECTS)) if self.data is not None else _WEIGHTED[self.number % len(_WEIGHTED)]

    def files(self) -> Data:
        """The files."""
        if self.data is not None:
            return self.data
        return SUBJECTS[self.subject].make(random.Random(f"{self.seed}:{self.number}"))


class _TooLong(BaseException):
    """The limit is over."""


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _TooLong


def look(case: Case) -> str:
    """What is wrong with a case; empty if nothing is."""
    signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    try:
        with scratch():
            SUBJECTS[case.subject].check(case.files())
    except _TooLong:
        return f"no end after {LIMIT} s"
    except BaseException:  # noqa: BLE001  # that nothing is raised is what is looked at
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return ""


def run(cases: Sequence[Case], jobs: int) -> dict[Case, str]:
    """What is wrong, by case."""
    begun, shown = time.monotonic(), [0.0]

    def tell(done: int) -> None:
        if sys.stderr.isatty() and time.monotonic() - shown[0] > 1:
            shown[0] = time.monotonic()
            print(f"\r\x1b[K{done}/{len(cases)}", end="", file=sys.stderr, flush=True)

    outcomes = spread(look, cases, [1000] * len(cases), jobs, apart=True, tell=tell)
    print(f"{len(cases)} cases in {time.monotonic() - begun:.0f} s", file=sys.stderr)
    told = (f"the process died: {found.how}" if isinstance(found, Died) else found for found in outcomes)
    return {case: text for case, text in zip(cases, told, strict=True) if text}


# --- programs from grammars -------------------------------------------------------------------------------------------


def programs(count: int, seed: int) -> list[Case]:
    """Programs of hypothesmith: from CPython's grammar, and from LibCST's nodes."""
    import hypothesmith
    from hypothesis import HealthCheck, Phase, given, seed as with_seed, settings

    texts: list[str] = []

    def keep(text: str) -> None:
        texts.append(text)

    for strategy in (hypothesmith.from_grammar(), hypothesmith.from_node()):
        generated = settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        generated(with_seed(seed)(given(strategy)(keep)))()
    return [Case(seed, n, (("a.py", text.encode("utf-8", "surrogatepass")),)) for n, text in enumerate(texts)]


# --- telling ----------------------------------------------------------------------------------------------------------


def table(cases: Sequence[Case], wrong: dict[Case, str]) -> str:
    """The counts, for the page."""
    of = lambda name: sum(case.subject == name and case.data is None for case in cases)  # noqa: E731
    rows = [(name, of(name), sum(c.subject == name and c.data is None for c in wrong)) for name in SUBJECTS]
    made = [case for case in cases if case.data is not None]
    rows += [("programs from grammars (hypothesmith)", len(made), sum(c.data is not None for c in wrong))] * bool(made)
    rows.append(("**all**", len(cases), len(wrong)))
    body = "".join(f"| {name} | {number:,} | {bad} |\n" for name, number, bad in rows)
    return f"\n| what was fuzzed | cases | promises broken |\n|---|---:|---:|\n{body}\n"


def again(text: str) -> int:
    """One case in this process."""
    seed, number = map(int, text.split(":"))
    case = Case(seed, number)
    for name, data in case.files():
        print(f"--- {name}\n{data.decode('utf-8', 'backslashreplace')}", flush=True)
    error = look(case)
    print(f"--- {case.subject}\n{error or 'all is well'}")
    return int(bool(error))


def main(given: Sequence[str]) -> int:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cases", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", default="")
    parser.add_argument("--programs", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="put the table into the page whatever the number of cases")
    options = parser.parse_args(given)
    if options.case:
        return again(options.case)
    whole = not options.cases and not options.programs
    cases = [Case(options.seed, number) for number in range(options.cases or (10_000 if whole else 0))]
    cases += programs(options.programs, options.seed) if options.programs else []
    wrong = run(cases, options.jobs)
    for case, text in wrong.items():
        what = f"--case {case.seed}:{case.number}" if case.data is None else repr(case.data)
        print(f"=== {what} ({case.subject})\n{text}")
    print(table(cases, wrong))
    print(dict(Counter(text.strip().rpartition("\n")[2][:120] for text in wrong.values())))
    if whole or options.write:
        put(PAGE, PART, table(cases, wrong))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
