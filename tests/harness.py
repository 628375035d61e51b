"""Runs fixtures and compares what is found with the marks in them.

A fixture is a file ``tests/fixtures/SHDnnn/*.py``, or a folder there; each is linted as a project of its own, with all
rules on and all tiers shown. Marks stand in the line of the finding:

``# expect: SHD101 lost="with open(" via="main" msg="x" tier=S ; SHD202``
    These findings, and no others. ``lost`` is part of the text of something that is lost, ``via`` of a step of the
    path, ``msg`` of the message; each may repeat. The tier is ``D`` unless it is given.
``# todo-expect: SHD101 why``
    A finding that is missed so far: the fixture fails when it is found.
``# todo-ok: SHD101 why``
    A false alarm so far: the fixture fails when it is gone.

In deployment files a mark on a line of its own is about the next line that is no comment.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from shutdown_lint import engine
from shutdown_lint.findings import Finding
from shutdown_lint.rules import registry
from shutdown_lint.settings import Settings
from shutdown_lint.source.kinds import deployment_kind

FIXTURES = Path(__file__).parent / "fixtures"
# While rules are being written, a run may be narrowed to some of them: SHUTDOWN_LINT_RULES=SHD1,SHD202
ONLY = tuple(filter(None, os.environ.get("SHUTDOWN_LINT_RULES", "").split(",")))

_MARK = re.compile(r"#\s*(expect|todo-expect|todo-ok):\s*(.*)")
_ENTRY = re.compile(r'\s*(SHD\d{3})((?:\s+(?:lost|via|msg)="[^"]*"|\s+tier=[DSP])*)\s*(?:;|$)')
_KEY = re.compile(r'(lost|via|msg|tier)=(?:"([^"]*)"|([DSP]))')


class Mark(NamedTuple):
    """One expectation: ``path`` is relative to the fixture's folder, ``line`` 1-based."""

    kind: str
    path: str
    line: int
    code: str
    tier: str
    keys: tuple[tuple[str, str], ...]


class Outcome(NamedTuple):
    """What is wrong with a fixture, line by line; empty when it is as expected."""

    problems: tuple[str, ...]
    todos: int


def fixtures() -> list[Path]:
    """All fixtures, by rule and name."""
    found = (path for folder in sorted(FIXTURES.glob("SHD*")) for path in sorted(folder.iterdir()))
    return [path for path in found if path.suffix == ".py" or (path.is_dir() and path.name != "__pycache__")]


def is_python(path: str) -> bool:
    """Whether comments may stand behind everything in the file."""
    return path.endswith((".py", ".pyi"))


def fixture_id(path: Path) -> str:
    """``SHD101/bad_worker``."""
    return f"{path.parent.name}/{path.stem}"


def files_of(fixture: Path) -> list[Path]:
    """The Python and deployment files of a fixture."""
    found = (path for path in fixture.rglob("*") if path.suffix == ".py" or deployment_kind(path.name))
    return sorted(found) if fixture.is_dir() else [fixture]


def base_of(fixture: Path) -> Path:
    """The folder to which the paths of a fixture's marks are relative."""
    return fixture if fixture.is_dir() else fixture.parent


def marks_of(fixture: Path) -> list[Mark]:
    """The marks of all files of a fixture. A mark that cannot be read is an error, never ignored."""
    base = base_of(fixture)
    return [
        mark
        for file in files_of(fixture)
        for mark in marks_in(file.read_text("utf-8", "surrogateescape"), file.relative_to(base).as_posix())
    ]


def marks_in(text: str, path: str) -> Iterator[Mark]:
    """The marks of one file."""
    lines = re.split(r"\r\n|\n|\r", text)
    for number, line in enumerate(lines, 1):
        match = _MARK.search(line)
        if match and not is_python(path) and line.strip().startswith("#"):
            number = _next_line(lines, number)
        if match and match.group(1) == "expect":
            yield from _expectations(match.group(2), path, number)
        elif match:
            code = match.group(2).split()[0] if match.group(2).split() else ""
            if not re.fullmatch(r"SHD\d{3}", code):
                raise ValueError(f"{path}:{number}: a `{match.group(1)}` mark needs a code")
            yield Mark(match.group(1), path, number, code, "", ())


def _next_line(lines: list[str], number: int) -> int:
    """The line that a mark on a line of its own is about: few deployment files take comments behind something."""
    following = enumerate(lines[number:], number + 1)
    return next((n for n, line in following if line.strip() and not line.strip().startswith("#")), number)


def _expectations(text: str, path: str, line: int) -> Iterator[Mark]:
    position = 0
    while position < len(text):
        match = _ENTRY.match(text, position)
        if not match:
            raise ValueError(f"{path}:{line}: cannot read the mark at `{text[position:]}`")
        keys = tuple((key, quoted or bare) for key, quoted, bare in _KEY.findall(match.group(2)))
        tier = next((value for key, value in keys if key == "tier"), "D")
        yield Mark("expect", path, line, match.group(1), tier, tuple(pair for pair in keys if pair[0] != "tier"))
        position = match.end()


def all_codes() -> tuple[str, ...]:
    """Every rule by its full code, so that all tiers are shown."""
    wanted = {entry.code for selector in ONLY for entry in registry.matching(selector)}
    return tuple(entry.code for entry in registry.entries() if not ONLY or entry.code in wanted)


def run(target: Path, codes: tuple[str, ...] | None = None) -> list[Finding]:
    """The findings of a fixture; paths are relative to its folder."""
    base = base_of(target)
    settings = Settings(
        root=str(base),
        select=codes or all_codes(),
        respect_gitignore=False,
        jobs=1,
        knowledge="project" if target.is_dir() else "paths",
    )
    report = engine.check([str(target)], settings)
    return [
        f._replace(path=os.path.relpath(os.path.abspath(f.path), base).replace(os.sep, "/")) for f in report.findings
    ]


def compare(marks: Iterable[Mark], findings: Iterable[Finding]) -> Outcome:
    """Whether exactly the expected findings were made, with all that the marks say about them."""
    marks = list(marks)
    expected = Counter((m.path, m.line, m.code, m.tier) for m in marks if m.kind == "expect")
    missed = {(m.path, m.line, m.code) for m in marks if m.kind == "todo-expect"}
    wrong = {(m.path, m.line, m.code) for m in marks if m.kind == "todo-ok"}
    problems, rest = [], list(findings)
    for finding in list(rest):
        place = (finding.path, finding.span.line, finding.code)
        if place in missed:
            problems.append(f"{show(finding)}\n    is found now: turn `todo-expect` into `expect`")
            rest.remove(finding)
        elif place in wrong:
            rest.remove(finding)
    found = Counter(map(_key, rest))
    problems += [f"{show(f)}\n    was not expected" for f in rest if found[_key(f)] > expected[_key(f)]]
    problems += [f"{path}:{line}: {code} at tier {tier} is missing" for path, line, code, tier in (expected - found)]
    stale = wrong - {(f.path, f.span.line, f.code) for f in findings}
    problems += [
        f"{path}:{line}: the false alarm {code} is gone: remove `todo-ok`" for path, line, code in sorted(stale)
    ]
    problems += [problem for mark in marks if mark.kind == "expect" for problem in _unmet(mark, rest)]
    return Outcome(tuple(problems), len(missed) + len(wrong))


def _key(finding: Finding) -> tuple[str, int, str, str]:
    return (finding.path, finding.span.line, finding.code, finding.tier)


def _unmet(mark: Mark, findings: list[Finding]) -> Iterator[str]:
    here = [f for f in findings if _key(f) == (mark.path, mark.line, mark.code, mark.tier)]
    for key, part in mark.keys:
        if here and not any(part in text for finding in here for text in _texts(finding, key)):
            shown = " | ".join(text for finding in here for text in _texts(finding, key)) or "nothing"
            yield f"{mark.path}:{mark.line}: {mark.code} has no {key} with `{part}`, but {shown}"


def _texts(finding: Finding, key: str) -> list[str]:
    if key == "msg":
        return [finding.message]
    return [step.text for step in (finding.lost if key == "lost" else finding.trace)]


def show(finding: Finding) -> str:
    """A finding with all that it says, for the message of a failed test."""
    lines = [
        f"{finding.path}:{finding.span.line}:{finding.span.col} {finding.code} tier={finding.tier} {finding.message}"
    ]
    lines += [f"    lost: {step.path}:{step.line} {step.text}" for step in finding.lost]
    lines += [f"    via: {step.path}:{step.line} {step.text}" for step in finding.trace]
    return "\n".join(lines)


def copy_with(fixture: Path, target: Path, change: dict[str, str]) -> Path:
    """A copy of a fixture below ``target``; ``change`` may name another encoding, line end or replace the marks."""
    copy = target / fixture.name
    if fixture.is_dir():
        shutil.copytree(fixture, copy, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(fixture, copy)
    for file in files_of(copy):
        text = file.read_text("utf-8")
        if change.get("marks") == "noqa":
            text = "\n".join(_suppressed(line) for line in text.split("\n"))
        text = text.replace("\n", change.get("newline", "\n"))
        file.write_bytes(text.encode(change.get("encoding", "utf-8")))
    return copy


def _suppressed(line: str) -> str:
    match = _MARK.search(line)
    if not match or match.group(1) == "todo-expect":
        return line
    codes = dict.fromkeys(
        re.findall(r"SHD\d{3}", match.group(2)) if match.group(1) == "expect" else [match.group(2).split()[0]]
    )
    return f"{line[: match.start()]}# noqa: {','.join(codes)}"
