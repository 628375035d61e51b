"""The output formats: what they say, and what they keep from acting on terminals and readers."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from reporting import EVIL, SOURCE, finding, hostile

from shutdown_lint.facts import Span
from shutdown_lint.findings import Applicability, Edit, Finding, Fix, Step
from shutdown_lint.report import View, renderer
from shutdown_lint.report.summary import summary
from shutdown_lint.report.view import columns, lines_of, safe, shown_path


def full(
    *findings: Finding, width: int = 120, color: bool = False, source: str | None = SOURCE, terminal: bool = False
) -> list[str]:
    view = View(color, width, lambda _path: None if source is None else lines_of(source), terminal=terminal)
    return renderer("full")(findings, view).splitlines()


def frame(span: Span, source: str = SOURCE, width: int = 120) -> tuple[str, str]:
    """The echoed line and the marks below it, without the gutter."""
    lines = full(finding(span), width=width, source=source)
    return lines[1][len("    3 | ") :], lines[2][len("      | ") :]


# --- full ------------------------------------------------------------------------------------------------------------


def test_full_shows_place_loss_path_and_help() -> None:
    lost = (Step("app/spool.py", 41, 9, "`with open(path)` in flush"), Step("app/spool.py", 57, 9, "`db.commit()`"))
    trace = (Step("app/main.py", 20, 1, "`main` returns"), Step("app/worker.py", 3, 9, "daemon threads are killed"))
    assert full(finding(lost=lost, trace=trace)) == [
        "app/worker.py:3:9 SHD202 [error] daemon thread `flusher` is killed mid-cleanup at exit",
        "    3 |         threading.Thread(target=self._flush_loop, daemon=True).start()",
        "      |         ^^^^^^^^^^^^^^^^",
        "   lost: `with open(path)` in flush (app/spool.py:41), `db.commit()` (app/spool.py:57)",
        "   path: `main` returns (app/main.py:20) → daemon threads are killed (app/worker.py:3)",
        "   help: keep the thread and join it [docs: SHD202]",
        "",
    ]


def test_full_breaks_long_lists_between_steps() -> None:
    lost = tuple(Step("app/spool.py", number, 1, f"`release_number_{number}()`") for number in range(1, 5))
    lines = full(finding(lost=lost), width=80)
    assert lines[3:5] == [
        "   lost: `release_number_1()` (app/spool.py:1),",
        "         `release_number_2()` (app/spool.py:2),",
    ]
    assert all(len(line) <= 80 for line in lines[3:])


def test_on_a_terminal_long_messages_break_between_words() -> None:
    message = " ".join(f"word{number}" for number in range(30))
    broken = [line for line in full(finding(message=message), width=80, terminal=True) if "word" in line]
    assert len(broken) > 2 and all(len(line) <= 80 for line in broken)
    assert " ".join(line.strip() for line in broken) == f"app/worker.py:3:9 SHD202 [error] {message}"
    assert full(finding(message=message), width=80)[0].endswith(message), "elsewhere it is one line to search for"


def test_a_step_longer_than_the_line_breaks_between_words() -> None:
    step = Step("app/spool.py", 41, 9, " ".join(["`with something_long(path)`"] * 6))
    lines = full(finding(lost=(step,)), width=80)[3:-2]
    assert len(lines) > 1 and all(len(line) <= 80 for line in lines)
    assert all(line.startswith(" " * 9) for line in lines[1:])


def test_full_without_source_has_no_frame() -> None:
    assert [line for line in full(finding(), source=None) if " | " in line] == []
    assert [line for line in full(finding(Span(99, 1, 99, 1))) if " | " in line] == []
    assert [line for line in full(finding(Span(1, 1, 1, 1)), source="") if " | " in line] == []


def test_full_without_help_tells_where_to_read() -> None:
    assert full(finding(help=""))[3] == "   docs: SHD202"


def test_full_keeps_the_lines_of_a_traceback() -> None:
    lines = full(finding(help="Traceback\n  File x\nKeyError: 'a'"))
    assert lines[3:6] == ["   help: Traceback", "           File x", "         KeyError: 'a'"]


def test_marks_stand_below_wide_characters_and_tabs() -> None:
    assert frame(Span(6, 12, 6, 19)) == ('名前 = "値" + leave()', " " * 14 + "^" * 7)
    assert frame(Span(4, 2, 4, 9)) == ("    self.go(", "    ^^^^^^^")
    assert frame(Span(1, 3, 1, 4), "e\u0301x") == ("e\u0301x", " ^")


def test_marks_of_several_lines_end_with_the_first() -> None:
    assert frame(Span(4, 2, 5, 11)) == ("    self.go(", "    ^^^^^^^^")


def test_an_empty_span_has_one_mark() -> None:
    assert frame(Span(1, 1, 1, 1)) == ("class Worker:", "^")
    assert frame(Span(1, 14, 1, 14)) == ("class Worker:", " " * 13 + "^")


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_long_lines_are_cut_around_the_mark(width: int) -> None:
    line, marks = frame(Span(7, 401, 7, 406), width=width)
    assert line.startswith("…x") and line.endswith("y…")
    assert columns(line) <= min(width, 120)
    assert line[marks.index("^") : marks.rindex("^") + 1] == "BAD()"


def test_indentation_gives_way_first() -> None:
    line, marks = frame(Span(1, 41, 1, 90), source=" " * 40 + "x" * 49, width=80)
    assert (line, marks) == ("    " + "x" * 49, "    " + "^" * 49)


def test_a_mark_longer_than_the_line_is_cut() -> None:
    line, marks = frame(Span(7, 1, 7, 800))
    assert columns(line) <= 120 and len(marks) <= 120 and set(marks) == {"^"}


@given(st.text(max_size=300), st.integers(1, 310), st.integers(0, 310), st.integers(60, 130))
@settings(deadline=None)
def test_frames_of_any_line_fit_and_are_printable(line: str, col: int, length: int, width: int) -> None:
    for text in full(finding(Span(1, col, 1, col + length)), width=width, source=line):
        assert not any(char in text for char in "\x1b\r\x00\u202e\x85\u2028")
        assert columns(text) <= width or not text.startswith(("    1 |", "      |"))


# --- safety ----------------------------------------------------------------------------------------------------------


def test_escapes_are_shown() -> None:
    assert safe(EVIL) == r"a\x1b[31m\u202e\x0d\x0a\u200b\u2028\xff\x9b\x7f\ud800\U000e0001"
    assert safe("naïve 名前 👋") == "naïve 名前 👋"


@pytest.mark.parametrize("name", ["full", "concise", "grouped", "statistics"])
def test_text_formats_let_nothing_act_on_the_terminal(name: str) -> None:
    evil = hostile(EVIL)
    text = renderer(name)([evil], View(read=lambda _path: ["", "", EVIL * 20]))
    assert re.findall(r"[^\n\x20-\x7e→…]", text) == []


def test_json_stays_valid_and_free_of_lone_surrogates() -> None:
    step = Step(EVIL, 1, 1, EVIL)
    evil = finding(path=EVIL, message=EVIL, lost=(step,), trace=(step,), help=EVIL, fix=Fix("safe", EVIL, "shd1"))
    text = renderer("json")([evil], View(edits={evil: (Edit(Span(1, 1, 1, 1), EVIL),)}))
    row = json.loads(text)[0]
    assert text.isascii()
    assert json.dumps(row, ensure_ascii=False).encode("utf-8")  # fails on a lone surrogate
    assert row["filename"].endswith("\u202e\r\n\u200b\u2028\\xff\x9b\x7f\\ud800\U000e0001")


def test_paths_are_shown_relative_to_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown_path(str(tmp_path / "app/a.py")) == os.path.join("app", "a.py")
    assert shown_path(str(tmp_path.parent / "a.py")) == str(tmp_path.parent / "a.py")
    assert shown_path("..a.py") == "..a.py"


# --- colours ---------------------------------------------------------------------------------------------------------


def test_colours_change_nothing_but_colours() -> None:
    items = [finding(lost=(Step("a.py", 1, 1, "x"),), trace=(Step("a.py", 1, 1, "y"),)), finding(severity="info")]
    for name in ("full", "concise", "grouped", "statistics"):
        views = (View(color, 80, lambda _path: lines_of(SOURCE)) for color in (False, True))
        plain, colored = (renderer(name)(items, view) for view in views)
        assert "\x1b[" in colored and "\x1b" not in plain
        assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain
        # each line stands for itself: a cut or interrupted output leaves no colour behind
        assert all(line.count("\x1b[0m") * 2 == line.count("\x1b[") for line in colored.splitlines())


# --- the other formats -----------------------------------------------------------------------------------------------


def test_concise_is_one_line_a_finding() -> None:
    text = renderer("concise")([finding(), finding(path="b.py", severity="warning", message="m")], View())
    assert text == (
        "app/worker.py:3:9 SHD202 [error] daemon thread `flusher` is killed mid-cleanup at exit\n"
        "b.py:3:9 SHD202 [warning] m\n"
    )


def test_json_has_the_keys_of_ruff_and_ours() -> None:
    lost, trace = (Step("a.py", 4, 5, "x"),), (Step("b.py", 6, 7, "y"),)
    fixed = finding(fix=Fix("unsafe", "Join it", "shd202"), lost=lost, trace=trace)
    text = renderer("json")([fixed, finding()], View(edits={fixed: (Edit(Span(3, 1, 3, 2), "z"),)}))
    first, second = json.loads(text)
    assert first == {
        "code": "SHD202",
        "name": "name-of-SHD202",
        "severity": "error",
        "tier": "D",
        "confidence": "proven",
        "message": "daemon thread `flusher` is killed mid-cleanup at exit",
        "help": "keep the thread and join it",
        "filename": os.path.abspath("app/worker.py"),
        "location": {"row": 3, "column": 9},
        "end_location": {"row": 3, "column": 25},
        "noqa_row": 3,
        "url": fixed.url,
        "lost": [{"filename": os.path.abspath("a.py"), "row": 4, "column": 5, "text": "x"}],
        "trace": [{"filename": os.path.abspath("b.py"), "row": 6, "column": 7, "text": "y"}],
        "fix": {
            "applicability": "unsafe",
            "message": "Join it",
            "edits": [{"content": "z", "location": {"row": 3, "column": 1}, "end_location": {"row": 3, "column": 2}}],
        },
    }
    assert second["fix"] is None


def test_nothing_found_is_an_empty_output() -> None:
    empty = ("full", "concise", "grouped", "jsonl", "github", "azure", "statistics")
    assert {name: renderer(name)([], View()) for name in empty} == dict.fromkeys(empty, "")
    assert {renderer(name)([], View()) for name in ("json", "gitlab", "statistics_json")} == {"[]\n"}


def test_statistics_count_by_rule() -> None:
    items = [finding(code="SHD103"), finding(), finding(fix=Fix("safe", "m", "k")), finding(code="SHD101")]
    assert renderer("statistics")(items, View()).splitlines() == [
        "2  SHD202  [*] name-of-SHD202",
        "1  SHD101      name-of-SHD101",
        "1  SHD103      name-of-SHD103",
    ]
    assert json.loads(renderer("statistics_json")(items, View()))[0] == {
        "code": "SHD202",
        "name": "name-of-SHD202",
        "count": 2,
        "fixable": 1,
    }


KINDS: tuple[Applicability, ...] = ("safe", "unsafe")
SAFE, UNSAFE = finding(fix=Fix("safe", "m", "k")), finding(fix=Fix("unsafe", "m", "k"))


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([], "No findings in 2 files"),
        ([finding()], "Found 1 finding"),
        ([finding(), SAFE, SAFE], "Found 3 findings (2 fixable with --fix)"),
        ([UNSAFE], "Found 1 finding (1 fixable with --unsafe-fixes)"),
        ([SAFE, UNSAFE, UNSAFE], "Found 3 findings (1 fixable with --fix, 2 more with --unsafe-fixes)"),
    ],
)
def test_the_summary_counts_what_can_be_fixed(findings: list[Finding], expected: str) -> None:
    assert summary(findings, 2) == expected


@pytest.mark.parametrize(
    ("findings", "fixed", "expected"),
    [
        ([], 0, "0 fixed, 0 remaining"),
        ([finding()], 2, "2 fixed, 1 remaining"),
        ([finding(), UNSAFE], 3, "3 fixed, 2 remaining (1 fixable with --unsafe-fixes)"),
    ],
)
def test_the_summary_of_a_run_with_fixes(findings: list[Finding], fixed: int, expected: str) -> None:
    assert summary(findings, 2, fixed) == expected


def test_text_formats_tell_safe_fixes_from_unsafe_ones() -> None:
    plain = finding(path="a.py", message="wrong")
    safe, join = (plain._replace(fix=Fix(kind, "join it", "shd201")) for kind in KINDS)
    assert renderer("concise")([plain, safe, join], View()).splitlines() == [
        "a.py:3:9 SHD202 [error] wrong",
        "a.py:3:9 SHD202 [error] wrong [safe fix]",
        "a.py:3:9 SHD202 [error] wrong [unsafe fix]",
    ]
    assert "   fix: join it (--fix)\n" in renderer("full")([safe], View())
    assert "   fix: join it (unsafe: --fix --unsafe-fixes)\n" in renderer("full")([join], View())
    assert "fix:" not in renderer("full")([plain], View())


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="no output format 'view'"):
        renderer("view")
