"""A Python file reduced to what bears on some findings: as many lines, but definitions that none of them touches are hollow.

Whether a fix is possible is asked in every run, its edits only when they are wanted; and LibCST needs a millisecond for
ten lines.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from typing import TypeAlias, Union

from shutdown_lint.findings import Finding

Definition: TypeAlias = Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef]
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_GLOBAL = re.compile(r"\bglobal\b")  # binds names of the module, wherever it stands
_MIN_LINES = 100  # what a shorter file costs is not worth the look


def outline(text: str, findings: Iterable[Finding]) -> str:
    """The text with empty bodies in the functions, classes and methods that hold no line that a finding speaks of.

    Lines and columns of everything else stay. Where it cannot be told what may go, the text itself.
    """
    if text.count("\n") < _MIN_LINES or "\r" in text or "\f" in text:
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text
    lines, wanted = text.split("\n"), {line for finding in findings for line in _lines_of(finding)}
    for node in _untouched(module.body, wanted):
        _empty(lines, node)
    return "\n".join(lines)


def _untouched(body: Iterable[ast.stmt], wanted: set[int]) -> Iterator[Definition]:
    """The outermost definitions in the body of a module or class that hold none of the lines."""
    for node in body:
        if isinstance(node, _DEFINITIONS):
            if wanted.isdisjoint(_range(node)):
                yield node
            elif isinstance(node, ast.ClassDef):
                yield from _untouched(node.body, wanted)


def _lines_of(finding: Finding) -> Iterator[int]:
    """The lines of the finding and those that its fix names, 1-based."""
    yield from range(finding.span.line, finding.span.end_line + 1)
    args = finding.fix.args if finding.fix is not None else ()
    yield from (int(value) for _, value in args if value.isdigit())


def _first_line(node: ast.stmt) -> int:
    """The line of the first decorator, or of the statement itself."""
    return min((decorator.lineno for decorator in getattr(node, "decorator_list", ())), default=node.lineno)


def _range(node: Definition) -> range:
    return range(_first_line(node), (node.end_lineno or node.lineno) + 1)


def _empty(lines: list[str], node: Definition) -> None:
    """Put one string in place of the body; nodes for its lines would cost as much as those of the code."""
    body = node.body[0]
    first = _first_line(body)
    last = node.end_lineno or first
    indent = re.match(r"[ \t]*", lines[first - 1])[0]  # type: ignore[index]  # it always matches
    stands_alone = first < body.lineno or len(indent) == body.col_offset
    if first == last or not stands_alone or lines[first - 2].endswith("\\") or ";" in lines[last - 1]:
        return
    if any(map(_GLOBAL.search, lines[first - 1 : last])):
        return
    lines[first - 1] = f'{indent}"""'
    lines[first : last - 1] = [""] * (last - 1 - first)
    lines[last - 1] = '"""'
