"""Fixes proven by running: each program is run as it is written, and again after its fix."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import proofs
import pytest

from shutdown_lint import engine, fixes
from shutdown_lint.engine import Report
from shutdown_lint.fixes.planning import KINDS, settle
from shutdown_lint.settings import Settings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
PROOFS, COUNTERS = proofs.proofs(), proofs.counters()
# removing a comment changes no run
NOT_RUN = {"shd910"}


def _report(code: str) -> tuple[Report, Settings]:
    settings = Settings(root=os.getcwd(), select=(code,), jobs=1)
    return engine.check(["."], settings), settings


def _run_all(proof: proofs.Proof, program: Path, when: str) -> list[str]:
    wrong = []
    for number, run in enumerate(proof.runs):
        expected = getattr(run, when)
        for name in {**run.before.get("files", {}), **run.after.get("files", {})}:
            (program.parent / name).unlink(missing_ok=True)
        ended = proofs.ending(program, run, may_hang=bool(expected.get("hang")))
        wrong += [f"run {number} {when}: {text}" for text in proofs.differences(ended, expected, program.parent)]
    return wrong


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.path.stem)
def test_the_loss_is_there_before_the_fix_and_gone_after_it(
    proof: proofs.Proof, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Path(shutil.copy(proof.path, tmp_path))
    monkeypatch.chdir(tmp_path)
    assert _run_all(proof, program, "before") == []

    report, settings = _report(proof.code)
    result = fixes.apply(report, ["."], settings, unsafe=proof.unsafe)
    assert {item.code for item in result.fixed} == {proof.code} and result.problems == ()
    assert [finding for finding in result.report.findings if finding.code == proof.code] == []

    assert _run_all(proof, program, "after") == []


@pytest.mark.parametrize("proof", [proof for proof in PROOFS if proof.unsafe], ids=lambda proof: proof.path.stem)
def test_unsafe_fixes_are_not_made_unasked(
    proof: proofs.Proof, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(proof.path, tmp_path)
    monkeypatch.chdir(tmp_path)
    report, settings = _report(proof.code)
    assert [finding.fix.applicability for finding in report.findings if finding.fix] == ["unsafe"]
    assert fixes.apply(report, ["."], settings).fixed == ()


@pytest.mark.parametrize("counter", COUNTERS, ids=lambda counter: counter.path.stem)
def test_no_fix_is_offered_where_it_would_do_harm(
    counter: proofs.Counter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = counter.path.read_text("utf-8")
    shutil.copy(counter.path, tmp_path)
    monkeypatch.chdir(tmp_path)
    report, settings = _report(counter.code)
    found = settle(report.findings, lambda _: text)
    assert [finding.fix for finding in found] == [None] * len(found)
    assert fixes.apply(report, ["."], settings, unsafe=True).fixed == ()
    reasons = [finding.unfixed for finding in found]
    assert [counter.reason in reason for reason in reasons] == [True] * len(reasons) if counter.reason else not reasons
    assert bool(reasons) == bool(counter.reason)


def test_every_fixer_is_proven() -> None:
    assert {proof.code.lower() for proof in (*PROOFS, *proofs.deployed())} == KINDS - NOT_RUN


@pytest.mark.parametrize("proof", [*PROOFS, *proofs.deployed()], ids=lambda proof: proof.path.stem)
def test_every_proof_shows_a_difference_and_every_safe_one_what_stays_the_same(proof: proofs.Proof) -> None:
    same = {run.is_same for run in proof.runs}
    assert False in same
    assert proof.unsafe or True in same, "a run that the hazard does not touch"
