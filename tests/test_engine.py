"""One run as a whole: scopes, tiers, failures, suppressions, files that are lowered on demand."""

from __future__ import annotations

from pathlib import Path

import made_up
import pytest
from made_up import HAZARD, check, told, write

from shutdown_lint import corpus, engine, inputs
from shutdown_lint.facts import ModuleFacts
from shutdown_lint.rules.registry import UnknownSelector
from shutdown_lint.settings import Settings


@pytest.fixture(autouse=True)
def made_up_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    made_up.install(monkeypatch)


# --- what is reported ------------------------------------------------------------------------------------------------


def test_exit_codes(tmp_path: Path) -> None:
    write(tmp_path, a=HAZARD, b="x = 1\n", c="def f(:\n")
    assert check(tmp_path, "b.py").exit_code() == 0
    assert check(tmp_path, "a.py").exit_code() == 1
    report = check(tmp_path)
    assert (report.exit_code(), report.files) == (2, 3)
    assert told(report) == [("a.py", 2, "SHD198"), ("c.py", 1, "SHD900")]


def test_findings_are_sorted_and_unique(tmp_path: Path) -> None:
    write(tmp_path, b=HAZARD, a="hazard()\nhazard()\n", pkg__c="hazard()\n")
    report = check(tmp_path, "b.py", "", "a.py", "pkg/c.py")
    assert told(report) == [("a.py", 1, "SHD198"), ("a.py", 2, "SHD198"), ("b.py", 2, "SHD198"), ("c.py", 1, "SHD198")]


def test_report_scope_and_knowledge_scope(tmp_path: Path) -> None:
    """A caller in a file that was not asked for is known, and nothing is reported there."""
    write(tmp_path, a=HAZARD, b="import a\na.stop()\nhazard()\n", c="def f(:\nhazard\n")
    report = check(tmp_path, "a.py")
    assert told(report) == [("a.py", 2, "SHD198")]
    assert report.findings[0].message == "1 callers"
    assert check(tmp_path, "a.py", knowledge="paths").findings[0].message == "0 callers"
    assert report.files == 1


def test_skipped_files_are_lowered_when_a_question_leads_to_them(tmp_path: Path) -> None:
    write(tmp_path, a=HAZARD, b="from a import stop\nstop()\n", c="stopped = 1\n", d="import a\na.stop('\n")
    assert check(tmp_path, "a.py").findings[0].message == "1 callers"


def test_subclasses_in_skipped_files_are_known(tmp_path: Path) -> None:
    """Also those below one that is found on the way."""
    write(tmp_path, a="class Base:\n    def stop(self):\n        hazard()\n", b="import a\nclass Mid(a.Base): ...\n")
    write(tmp_path, c="from b import Mid\nclass Last( Mid , metaclass=type): ...\n", d="# class Other(Nobody)\nx = 1\n")
    [(project, _)] = engine.projects([str(tmp_path)], Settings(root=str(tmp_path)))
    assert [entry.facts.name for entry in project.modules] == ["a"]
    (base,) = project.modules.of(project.modules.all[0].facts).classes
    assert [cls.name for cls in project.classes.subclasses(base)] == ["Mid", "Last"]
    assert [entry.facts.name for entry in project.modules] == ["a", "b", "c"]


def test_a_word_that_is_everywhere_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "MAX_PER_WORD", 2)
    write(tmp_path, a=HAZARD, **{f"b{n}": "from a import stop\nstop()\n" for n in range(3)})
    assert check(tmp_path, "a.py").findings[0].message == "0 callers"


def test_stubs_are_read_for_names_only(tmp_path: Path) -> None:
    write(tmp_path, a=HAZARD)
    (tmp_path / "b.pyi").write_text("hazard()\ndef f(:\n")
    report = check(tmp_path)
    assert told(report) == [("a.py", 2, "SHD198")]
    assert report.files == 2


def test_stdin_stands_for_its_file(tmp_path: Path) -> None:
    write(tmp_path, a="x = 1\n", b="import a\na.stop()\n")
    settings = Settings(root=str(tmp_path), stdin_filename=str(tmp_path / "a.py"))
    report = engine.check(["-"], settings, stdin=HAZARD.encode())
    assert told(report) == [("a.py", 2, "SHD198")]
    assert report.findings[0].message == "1 callers"
    nameless = engine.check(["-"], Settings(root=str(tmp_path)), stdin=b"\nhazard()\n")
    assert told(nameless) == [("-", 2, "SHD198")]
    assert engine.check(["-"], settings, stdin=b"").exit_code() == 0


def test_no_files_is_a_warning(tmp_path: Path) -> None:
    assert check(tmp_path).warnings == ("no Python or deployment files found",)
    assert check(tmp_path).exit_code() == 0


def test_files_of(tmp_path: Path) -> None:
    write(tmp_path, a="", pkg__b="")
    assert inputs.files_of([str(tmp_path)], Settings(root=str(tmp_path))) == (
        str(tmp_path / "a.py"),
        str(tmp_path / "pkg/b.py"),
    )


# --- tiers and selection ---------------------------------------------------------------------------------------------

BOTH = "hazard()\nhazard(1)\nrisk()\n"


@pytest.mark.parametrize(
    ("select", "extend", "lines"),
    [
        ((), (), [1]),
        (("SHD1",), (), [1, 2]),
        (("calls-hazard",), (), [1, 2]),
        ((), ("SHD2",), [1, 3]),
        (("ALL",), (), [1, 2, 3]),
    ],
)
def test_findings_have_a_tier_of_their_own(
    tmp_path: Path, select: tuple[str, ...], extend: tuple[str, ...], lines: list[int]
) -> None:
    write(tmp_path, a=BOTH)
    assert [line for _, line, _ in told(check(tmp_path, select=select, extend_select=extend))] == lines


def test_unknown_selectors_end_the_run(tmp_path: Path) -> None:
    with pytest.raises(UnknownSelector):
        check(tmp_path, select=("SHD777",))
    write(tmp_path, a=HAZARD)
    with pytest.raises(UnknownSelector):
        check(tmp_path, per_file_ignores=(("*", ("nothing",)),))


@pytest.mark.parametrize(
    ("glob", "selector", "left"),
    [
        ("tests/*", "SHD1", 1),
        ("b.py", "ALL", 1),
        ("*.py", "calls-hazard", 0),
        ("src/*", "ALL", 2),
        ("tests", "ALL", 2),
        ("*", "SHD2", 2),
    ],
)
def test_per_file_ignores(tmp_path: Path, glob: str, selector: str, left: int) -> None:
    write(tmp_path, a=HAZARD, tests__b=HAZARD)
    report = check(tmp_path, per_file_ignores=((glob, (selector,)),))
    assert (len(report.findings), report.suppressed) == (left, 2 - left)


def test_input_troubles_can_be_ignored_per_file_or_by_code(tmp_path: Path) -> None:
    write(tmp_path, a="def f(:\n")
    assert check(tmp_path, ignore=("SHD9",)).exit_code() == 2
    assert check(tmp_path, ignore=("SHD900",)).exit_code() == 0
    assert check(tmp_path, per_file_ignores=(("a.py", ("syntax-error",)),)).exit_code() == 0


# --- suppressions ----------------------------------------------------------------------------------------------------


def test_suppressed_findings_are_counted(tmp_path: Path) -> None:
    write(tmp_path, a="hazard()  # noqa: SHD198\nhazard()  # shutdown-lint: ignore[calls-hazard]\nhazard()\n")
    report = check(tmp_path)
    assert (told(report), report.suppressed) == ([("a.py", 3, "SHD198")], 2)


def test_unused_suppressions_are_found_where_no_rule_could_fire(tmp_path: Path) -> None:
    write(tmp_path, a="x = 1  # noqa: SHD198\n", b="x = 1  # noqa: SHD298\n", c="risk()  # noqa: SHD298\n")
    assert told(check(tmp_path)) == [("a.py", 1, "SHD910")]
    assert told(check(tmp_path, select=("ALL",))) == [("a.py", 1, "SHD910"), ("b.py", 1, "SHD910")]


def test_a_suppression_of_a_tier_that_is_not_shown_is_in_use(tmp_path: Path) -> None:
    write(tmp_path, a="hazard(1)  # noqa: SHD198\n")
    assert told(check(tmp_path)) == []


# --- failures of our own ---------------------------------------------------------------------------------------------


def test_a_rule_that_fails_costs_no_other_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, a=HAZARD, b="hazard()  # noqa: SHD398\n")
    report = check(tmp_path, select=("ALL", "SHD398"))
    assert told(report) == [("a.py", 1, "SHD904"), ("a.py", 2, "SHD198"), ("b.py", 1, "SHD198"), ("b.py", 1, "SHD904")]
    message = report.findings[0].message
    assert "SHD398" in message and "RuntimeError: not today" in message and "second" not in message
    assert "--traceback" in report.findings[0].help
    monkeypatch.setenv("SHUTDOWN_LINT_TRACEBACK", "1")
    assert "made_up.py" in check(tmp_path, select=("SHD398",)).findings[0].help


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError(), MemoryError()])
def test_lowering_that_fails_costs_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    import shutdown_lint.lower

    lower = shutdown_lint.lower.lower_module

    def fail(text: str, **rest: object) -> ModuleFacts:
        if "hazard(9)" in text:
            raise error
        return lower(text, **rest)  # type: ignore[arg-type]  # handed through

    # both parsers: what one cannot do is tried with the other
    monkeypatch.setattr(shutdown_lint.lower, "lower_module", fail)
    monkeypatch.setattr(shutdown_lint.lower, "lower_newer", fail)
    write(tmp_path, a="hazard(9)\n", b=HAZARD)
    expected = "SHD904" if isinstance(error, KeyError) else "SHD903"
    assert told(check(tmp_path)) == [("a.py", 1, expected), ("b.py", 2, "SHD198")]
