"""What LibCST could not take is stopped before it sees it; what people write is let through."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from shutdown_lint import bounds, scanner
from shutdown_lint.source import decode


def nest(opening: str, closing: str, count: int) -> str:
    return "x = " + opening * count + "1" + closing * count + "\n"


HARMLESS = {
    "brackets": nest("(", ")", 150),
    "brackets in strings": "x = '" + "(" * 500 + "'  # " + "[" * 500 + "\n",
    "brackets in f-string text": "x = f'" + "(" * 500 + "{a}'\n",
    "long table": "x = [\n" + "    (-1, a.b, f(1)),\n" * 5000 + "]\n",
    "long dict": "x = {\n" + "    'a': -1 + 2,\n" * 5000 + "}\n",
    "lambdas in a list": "x = [" + "lambda a, b: a, " * 2000 + "]\n",
    "many statements": "a.b.c(d)[0] = -e\n" * 5000,
    "statements on a line": "a = -b; " * 3000 + "\n",
    "elif": "if a: pass\n" + "elif b: pass\n" * 900,
    "elif chains one after the other": ("if a: pass\n" + "elif b: pass\n" * 400) * 10,
    "decorators": "@a.b\n" * 5000 + "def f(): pass\n",
    "quotes in fields": "x = [" + "f'{a['b']}({c:{d}})', " * 3000 + "]\n",
    "string pieces": "x = (" + "'a'\n" * 2500 + ")\n",
    "case": "match x:\n" + "    case {'a': {'b': [C(d=(1, 2))]}}: pass\n" * 50,
}
EXCESSIVE = {
    "300 brackets": (nest("[", "]", 300), "SHD900"),
    "1,000 brackets": (nest("(", ")", 1000), "SHD900"),
    "100,000 brackets": (nest("(", ")", 100_000), "SHD903"),
    "100,000 open brackets": ("x = " + "[" * 100_000, "SHD903"),
    "sum": ("x = " + "1 + " * 5000 + "1\n", "SHD903"),
    "calls": ("x = a" + ".b()" * 5000 + "\n", "SHD903"),
    "subscripts": ("x = a" + "[0]" * 5000 + "\n", "SHD903"),
    "not": ("x = " + "not " * 5000 + "1\n", "SHD903"),
    "lambda": ("x = " + "lambda a, b: " * 5000 + "1\n", "SHD903"),
    "conditional": ("x = " + "1 if a else " * 2000 + "1\n", "SHD903"),
    "elif": ("if a:\n    pass\n" + "elif b:\n    pass\n" * 5000, "SHD903"),
    "elif in one line": ("if a: pass\n" + "elif b: pass\n" * 5000, "SHD903"),
    "string pieces": ("x = (" + "'a' " * 5000 + ")\n", "SHD903"),
    "case": ("match x:\n    case " + "[" * 30 + "]" * 30 + ": pass\n", "SHD903"),
    "del": ("del " + "(" * 40 + "a" + ")" * 40 + "\n", "SHD903"),
    "brackets and chains": ("x = " + "(1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + " * 150 + ")" * 150 + "\n", "SHD903"),
    "hidden in a field": ('x = f"{' + '" " + ' + "[" * 300 + "]" * 300 + '}"\n', "SHD900"),
    "hidden behind a string without space": ('x = a"b"' + nest("[", "]", 300), "SHD900"),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_people_write_is_let_through(name: str) -> None:
    assert bounds.check(HARMLESS[name]) is None
    assert scanner.scan(HARMLESS[name], bounds.LIMITS) is None


@pytest.mark.parametrize("name", EXCESSIVE)
def test_what_libcst_cannot_take_is_stopped(name: str) -> None:
    text, code = EXCESSIVE[name]
    trouble = bounds.check("import os\n\n" + text)
    assert trouble is not None
    assert trouble.code == code
    assert trouble.line >= 3


def test_the_quick_look_clears_nothing_that_the_scanner_stops() -> None:
    for text, _ in EXCESSIVE.values():
        assert not bounds.looks_harmless(text)


def test_place_of_the_trouble() -> None:
    trouble = bounds.check("a = 1\r\nb = 2\rx = " + "[" * 250 + "]" * 250)
    assert trouble is not None
    assert (trouble.line, trouble.col) == (3, 5 + 200)


@given(st.text(alphabet="()[]{}'\"\\\n#f:!=, .+lambdecsi*", max_size=200))
def test_scanner_reads_any_text(text: str) -> None:
    assert scanner.scan(text, bounds.LIMITS) is None
    assert scanner.layout(text) == scanner.layout(text)


def test_scanner_agrees_with_the_standard_library() -> None:
    """No bracket is left open at the end of any module of the standard library, whatever its strings hold."""
    folder = Path(os.__file__).parent
    for path in sorted(folder.glob("*.py"))[:60]:
        text = decode(path.read_bytes())
        ends = scanner.layout(text).line_ends
        assert ends[-1][1], path
        assert bounds.check(text) is None, path
