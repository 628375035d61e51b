"""Every fixture, as it is and in some other lives."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import harness
import pytest

from shutdown_lint.rules import registry

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))

from examples import file_name

FIXTURES = harness.fixtures()
SINGLE_LIFE = re.compile(r"SHD9\d\d/")  # fixtures about encodings and suppressions cannot change theirs
LIVELY = [path for path in FIXTURES if not SINGLE_LIFE.match(harness.fixture_id(path))]
EXAMPLE = re.compile(r"^## (Example|Use instead)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
ANY_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def ids(paths: list[Path]) -> list[str]:
    return [harness.fixture_id(path) for path in paths]


def check(target: Path, marks: list[harness.Mark]) -> None:
    outcome = harness.compare(wanted(marks), harness.run(target))
    assert not outcome.problems, "\n" + "\n".join(outcome.problems)


def wanted(marks: list[harness.Mark]) -> list[harness.Mark]:
    codes = harness.all_codes()
    return [mark for mark in marks if mark.code in codes]


@pytest.mark.parametrize("fixture", FIXTURES, ids=ids(FIXTURES))
def test_fixture(fixture: Path) -> None:
    check(fixture, harness.marks_of(fixture))


@pytest.mark.parametrize("fixture", FIXTURES, ids=ids(FIXTURES))
def test_name_and_marks_agree(fixture: Path) -> None:
    rule, kind = fixture.parent.name, fixture.stem.split("_")[0]
    own = [mark for mark in harness.marks_of(fixture) if mark.code == rule]
    assert kind in ("bad", "ok", "tricky")
    if kind == "bad":
        assert any(mark.kind in ("expect", "todo-expect") for mark in own), "a bad fixture expects its rule"
    else:
        assert not any(mark.kind == "expect" and mark.tier == "D" for mark in own), "the rule is silent here by default"


@pytest.mark.parametrize("fixture", LIVELY, ids=ids(LIVELY))
def test_windows_life(fixture: Path, tmp_path: Path) -> None:
    """A byte order mark and CRLF line ends move nothing."""
    copy = harness.copy_with(fixture, tmp_path, {"encoding": "utf-8-sig", "newline": "\r\n"})
    check(copy, harness.marks_of(fixture))


@pytest.mark.parametrize("fixture", LIVELY, ids=ids(LIVELY))
def test_suppressed_life(fixture: Path, tmp_path: Path) -> None:
    """With each mark turned into a suppression nothing is found, and no suppression is unused."""
    copy = harness.copy_with(fixture, tmp_path, {"marks": "noqa"})
    known = {(mark.line, mark.code) for mark in harness.marks_of(fixture) if mark.kind == "todo-ok"}
    left = [finding for finding in harness.run(copy) if (finding.span.line, finding.code) not in known]
    assert not left, "\n" + "\n".join(map(harness.show, left))


def rules_with_check() -> list[registry.Entry]:
    return [entry for entry in registry.entries() if entry.checks]


@pytest.mark.parametrize("entry", rules_with_check(), ids=lambda entry: entry.code)
def test_fixtures_notice_a_silent_rule(entry: registry.Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a rule that finds nothing, each of its bad fixtures fails; and it has some."""
    load = registry.load
    monkeypatch.setattr(
        registry, "load", lambda e: (lambda module, project: iter(())) if e.code == entry.code else load(e)
    )
    bad = [path for path in FIXTURES if path.parent.name == entry.code and path.stem.startswith("bad_")]
    assert len(bad) >= 1
    for fixture in bad:
        marks = harness.marks_of(fixture)
        only_missed = all(mark.kind == "todo-expect" for mark in marks if mark.code == entry.code)
        assert only_missed or harness.compare(wanted(marks), harness.run(fixture)).problems, fixture


def examples() -> list[tuple[registry.Entry, str, str]]:
    found = []
    for entry in registry.entries():
        for title, section in EXAMPLE.findall(registry.doc(entry) + "\n"):
            codes = [] if entry.on_deployment else FENCE.findall(section)
            found += [(entry, title, code) for code in codes]
    return found


def deployment_examples() -> list[tuple[registry.Entry, str, list[tuple[str, str]]]]:
    return [
        (entry, title, [(file_name(kind, code), code) for kind, code in ANY_FENCE.findall(section)])
        for entry in registry.entries()
        if entry.on_deployment
        for title, section in EXAMPLE.findall(registry.doc(entry) + "\n")
    ]


@pytest.mark.parametrize(
    ("entry", "title", "files"), deployment_examples(), ids=lambda value: getattr(value, "code", str(value)[:11])
)
def test_deployment_examples_in_docs(
    entry: registry.Entry, title: str, files: list[tuple[str, str]], tmp_path: Path
) -> None:
    """The same for the rules on deployment files; the files of one section lie side by side."""
    for name, code in files:
        (tmp_path / name).write_text(code, "utf-8")
    findings = [finding for finding in harness.run(tmp_path) if finding.path != "app.py"]
    found = {finding.code for finding in findings}
    assert found == ({entry.code} if title == "Example" else set()), "\n".join(map(harness.show, findings))


@pytest.mark.parametrize(
    ("entry", "title", "code"), examples(), ids=lambda value: getattr(value, "code", str(value)[:11])
)
def test_examples_in_docs(entry: registry.Entry, title: str, code: str, tmp_path: Path) -> None:
    """The Example makes exactly its rule speak, and what to use instead is clean."""
    file = tmp_path / "example.py"
    file.write_text(code, "utf-8")
    found = {finding.code for finding in harness.run(file)}
    assert found == ({entry.code} if title == "Example" else set()), "\n".join(map(harness.show, harness.run(file)))


def test_known_limits(capsys: pytest.CaptureFixture[str]) -> None:
    """Says how many known misses and false alarms there are; each of them has a reason."""
    marks = [(path, mark) for path in FIXTURES for mark in harness.marks_of(path) if mark.kind != "expect"]
    kinds = [mark.kind for _, mark in marks]
    with capsys.disabled():
        print(f"\nknown misses: {kinds.count('todo-expect')}, known false alarms: {kinds.count('todo-ok')}")
    for path, mark in marks:
        file = path / mark.path if path.is_dir() else path
        line = re.split(r"\r\n|\n|\r", file.read_text("utf-8"))[mark.line - 1]
        assert len(line.partition(f"{mark.kind}:")[2].split()) > 1, f"{file}:{mark.line}: a mark without a reason"
