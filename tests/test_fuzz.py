"""A small, seeded part of ``benchmarks/fuzz.py``: what chance makes of real files is read, told or refused, and never costs more."""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path

import pytest

from shutdown_lint import engine, intake
from shutdown_lint.rules import registry

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "scripts")]

import fuzz  # noqa: E402
import subjects  # noqa: E402

CASES = 200
SEED = 20


@pytest.mark.parametrize("part", range(4))
def test_seeded_cases(part: int) -> None:
    wrong = {case: fuzz.look(case) for case in (fuzz.Case(SEED, number) for number in range(part, CASES, 4))}
    assert {case.number: text for case, text in wrong.items() if text} == {}


def test_every_subject_is_among_the_cases() -> None:
    assert {fuzz.Case(SEED, number).subject for number in range(CASES)} == set(subjects.SUBJECTS)


def test_a_case_is_made_of_its_number_alone() -> None:
    for name in subjects.SUBJECTS:
        make = subjects.SUBJECTS[name].make
        assert make(random.Random("7:1")) == make(random.Random("7:1")) != make(random.Random("7:2"))


# --- what is looked for would be seen --------------------------------------------------------------------------------


def case(**files: bytes) -> fuzz.Case:
    return fuzz.Case(0, 0, tuple((f"{name}.py", data) for name, data in files.items()))


HAZARD = b"import sys\n\n\ndef main():\n    exit(1)  # bye\n\n\nmain()\n"


def test_an_error_in_a_rule_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fuzz.look(case(a=HAZARD)) == ""
    monkeypatch.setattr(registry, "load", lambda entry: lambda *_: 1 / 0)
    assert "no internal error" in fuzz.look(case(a=HAZARD))


def test_a_disagreement_of_the_front_ends_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    lowered = intake.take_in(intake.Task(subjects.SourceFile("a", "a", "b", False, False, True), b"x = 1\n", True))
    monkeypatch.setattr(subjects, "lower_newer", lambda *_, **__: lowered)
    assert "both front ends" in fuzz.look(case(a=HAZARD))


def test_a_text_that_is_refused_without_reason_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subjects, "take_in", lambda task: intake.Trouble("SHD900", "syntax error"))
    assert "no syntax error" in fuzz.look(case(a=HAZARD))


def test_an_exception_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "check", lambda *_: {}["paths"])
    assert "KeyError" in fuzz.look(case(a=HAZARD))


def test_a_fix_that_loses_a_comment_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = subjects._contents

    def lossy() -> dict[str, bytes]:
        return {name: data.replace(b"sys.exit(1)  # bye", b"sys.exit(1)") for name, data in whole().items()}

    monkeypatch.setattr(subjects, "_contents", lossy)
    assert "comments are kept" in fuzz.look(case(a=HAZARD))


def test_a_death_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "look", lambda case: os.kill(os.getpid(), signal.SIGKILL))
    monkeypatch.setattr("shutdown_lint.workers.process.has_threads", lambda: False)
    (text,) = fuzz.run([case(a=HAZARD)], 1).values()
    assert "signal 9" in text
