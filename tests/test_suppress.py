"""Which findings a comment hides, and what is said about comments."""

from __future__ import annotations

import pytest

from shutdown_lint import suppress
from shutdown_lint.facts import Span
from shutdown_lint.findings import Finding
from shutdown_lint.rules import registry
from shutdown_lint.rules.registry import Entry
from shutdown_lint.suppress import Result
from shutdown_lint.suppressions import read_suppressions

RULES = (
    Entry("SHD101", "exit-skips-cleanup", "text", "D", "error", "none", (), "", "0.1.0", (), True),
    Entry("SHD104", "exit-in-thread", "text", "D", "error", "none", (), "", "0.1.0", (), True),
    Entry("SHD202", "daemon-killed", "text", "S", "error", "none", (), "", "0.1.0", (), True),
)
ALL = ("SHD101", "SHD104", "SHD202", "SHD910", "SHD911", "SHD912")


@pytest.fixture(autouse=True)
def some_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = (*RULES, *(entry for entry in registry.entries() if entry.code.startswith("SHD9")))
    monkeypatch.setattr(registry, "entries", lambda: rules)


def finding(line: int, code: str = "SHD101") -> Finding:
    return Finding("a.py", Span(line, 1, line, 2), code, "name", "message", "error", "D")


def apply(text: str, *findings: Finding, ran: tuple[str, ...] = ALL) -> Result:
    return suppress.apply(findings, text, "a.py", ran)


def told(result: Result) -> list[tuple[int, str]]:
    return [(f.span.line, f.code) for f in result.kept]


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: SHD101",
        "# noqa:SHD101",
        "#noqa : shd101",
        "# NOQA: E501,SHD101",
        "# noqa: E501 SHD101",
        "# noqa: SHD1",
        "# noqa: SHD101, E501 because",
        "# type: ignore  # noqa: SHD101",
        "# noqa: SHD101  # pragma: no cover",
        "# shutdown-lint: ignore[SHD101]",
        "# shutdown-lint: ignore[exit-skips-cleanup] a reason",
        "# shutdown-lint:ignore[SHD101]",
        "# shutdown-lint: ignore [ SHD101 ] reason ]",
        "# x # shutdown-lint: ignore[SHD1]",
        "# shutdown-lint: ignore-file[SHD101]",
    ],
)
def test_forms_that_hide(comment: str) -> None:
    assert apply(f"x = 1  {comment}\n", finding(1)) == Result((), 1)


@pytest.mark.parametrize(
    "line",
    [
        "x = 1  # noqa: E501",
        "x = 1  # noqa: SHD104",
        "x = '# noqa: SHD101'",
        "x = 1  # SHD101",
        "x = 1  # noqa-SHD101",
        "x = 1  # noqatest",
        "x = 1  # see noqa: SHD101",
        "x = 1  # flake8: noqa: SHD101",
        "x = 1  # noqa: X9SHD101",
        "x = 1  # about shutdown-lint: ignore[SHD101]",
        "x = 1  # shutdown-lint: ignore",
    ],
)
def test_forms_that_do_not_hide(line: str) -> None:
    assert finding(1) in apply(f"{line}\n", finding(1)).kept


def test_blanket_comments_hide_and_are_told() -> None:
    result = apply("x = 1  # noqa\ny = 1  # noqa: because\n", finding(1), finding(1, "SHD104"), finding(2))
    assert told(result) == [(1, "SHD911"), (2, "SHD911")]
    assert "SHD101, SHD104" in result.kept[0].message
    assert result.hidden == 3


def test_whole_file() -> None:
    text = "x = 1\n# flake8: noqa: SHD101\ny = 1\n"
    assert told(apply(text, finding(1), finding(3), finding(3, "SHD104"))) == [(3, "SHD104")]
    assert told(apply("# flake8: noqa\nx = 1\n", finding(2))) == [(1, "SHD911")]
    assert told(apply("# shutdown-lint: ignore-file[exit-in-thread]\nx = 1\n", finding(2), finding(2, "SHD104"))) == [
        (2, "SHD101")
    ]


STATEMENT = 'call(\n    a,  {middle}\n    """\n    text\n    """, b,  {string}\n    c,\n)  {last}\nnext = 1\n'


def lines_hidden(text: str) -> set[int]:
    findings = [finding(line) for line in range(1, text.count("\n") + 1)]
    kept = {f.span.line for f in apply(text, *findings).kept if f.code == "SHD101"}
    return {f.span.line for f in findings} - kept


@pytest.mark.parametrize(("place", "lines"), [("last", {1, 2, 3, 4, 5, 6, 7}), ("middle", {2}), ("string", {3, 4, 5})])
def test_lines_for_which_a_comment_counts(place: str, lines: set[int]) -> None:
    comments = dict.fromkeys(("middle", "string", "last"), "") | {place: "# noqa: SHD101"}
    assert lines_hidden(STATEMENT.format(**comments)) == lines


def test_first_line_of_a_statement_counts_for_all_of_it_and_a_header_for_the_header_only() -> None:
    assert lines_hidden("call(  # noqa: SHD101\n    a,\n)\nb = 1\n") == {1, 2, 3}
    assert lines_hidden("with a(  # noqa: SHD101\n    b\n):\n    c()\n") == {1, 2, 3}
    assert lines_hidden("a = 1 + \\\n    2  # noqa: SHD101\nb = 1\n") == {1, 2}


def test_line_ends_of_all_kinds() -> None:
    assert lines_hidden("a = 1\r\nb = 2  # noqa: SHD101\r\nc = 3\r\n") == {2}
    kept = apply("a = 1\rb = '\x0b\x85\u2028'  # noqa: SHD101\rc = 3", *(finding(line) for line in (1, 2, 3))).kept
    assert [f.span.line for f in kept] == [1, 3]


def test_a_comment_line_of_ours_counts_for_the_next_statement() -> None:
    text = "a = 1\n# shutdown-lint: ignore[SHD101] why\n# and more\n\nb(\n    1\n)\nc = 2\n"
    assert lines_hidden(text) == {5, 6, 7}
    assert lines_hidden("a = 1\n# noqa: SHD101\nb = 1\n") == {2}
    assert lines_hidden("a = 1\n# shutdown-lint: ignore[SHD101] at the end") == set()


def test_unused_codes() -> None:
    text = "x = 1  # noqa: SHD101, E501, SHD104 reason\n"
    (unused,) = apply(text, finding(1)).kept
    assert unused.code == "SHD910"
    assert unused.fix is not None
    assert (unused.fix.kind, unused.fix.applicability, unused.fix.args) == ("shd910", "safe", (("codes", "SHD104"),))
    span = unused.span
    assert text[span.col - 1 : span.end_col - 1] == "# noqa: SHD101, E501, SHD104"


def test_unused_is_said_only_of_rules_that_ran() -> None:
    text = "x = 1  # noqa: SHD101\ny = 1  # noqa: SHD1\nz = 1  # noqa: E501\nw = 1  # noqa\n"
    assert told(apply(text)) == [(1, "SHD910"), (2, "SHD910")]
    assert told(apply(text, ran=("SHD101",))) == [(1, "SHD910")]
    assert told(apply(text, ran=())) == []


def test_a_finding_of_a_hidden_tier_uses_its_suppression() -> None:
    strict = finding(1, "SHD202")._replace(tier="S")
    assert apply("x = 1  # noqa: SHD202\n", strict) == Result((), 1)


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ("# shutdown-lint: ignore", "lacks its list"),
        ("# shutdown-lint: ignore[SHD1", "lacks its list"),
        ("# shutdown-lint: ignore[]", "names no code"),
        ("# shutdown-lint: disable=SHD101", "`shutdown-lint: disable`"),
        ("# shutdown-lint:", "is no suppression"),
        ("# shutdown-lint: ignore[SHD777]", "`SHD777`"),
        ("# noqa: SHD777", "`SHD777`"),
        ("# flake8: noqa: exit-in-thread", "every linter"),
    ],
)
def test_malformed(comment: str, words: str) -> None:
    (told_of,) = [f for f in apply(f"{comment}\nx = 1\n").kept if f.code == "SHD912"]
    assert words in told_of.message


def test_near_names_are_offered() -> None:
    (told_of,) = apply("x = 1  # shutdown-lint: ignore[exit-in-threads]\n").kept
    assert "`exit-in-thread`" in told_of.help


def test_findings_about_suppressions_can_be_suppressed_by_code() -> None:
    assert told(apply("x = 1  # noqa: SHD104, SHD910\n")) == []
    assert told(apply("x = 1  # noqa: SHD910\n")) == []
    assert told(apply("x = 1  # noqa  # shutdown-lint: ignore[SHD911]\n", finding(1))) == []


def test_markers_are_found_in_any_case() -> None:
    assert suppress.may_hold_suppressions(b"x  # NoQA")
    assert suppress.may_hold_suppressions(b"# shutdown-lint: ignore[x]")
    assert not suppress.may_hold_suppressions(b"# nothing")


def test_bait_for_regular_expressions() -> None:
    """100 kB of almost-suppressions are read in one go; a pattern that backtracks would not end."""
    text = "x = 1  # noqa: " + "A1," * 40_000 + "!\n# " + "noqa " * 20_000 + "\n#" + " " * 100_000 + "noqa\n"
    text += "# shutdown-lint: ignore" + "[" * 100_000 + "\n" + "y = 1  # noqa: SHD101\n" * 5000
    suppressions, _ = read_suppressions(text)
    assert len(suppressions) > 5000
