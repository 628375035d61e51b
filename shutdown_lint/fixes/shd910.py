"""SHD910: what a suppression comment names in vain is taken out of it.

The finding's span is the suppression, from its ``#`` to its last code or closing bracket. ``args["codes"]`` are the
unused entries as they are written, parted by commas.

===================================================  ==================================
before (``SHD101`` is unused)                        after
===================================================  ==================================
``x()  # noqa: SHD101``                              ``x()``
``x()  # noqa: SHD101, E501``                        ``x()  # noqa: E501``
``x()  # noqa: SHD101  # type: ignore``              ``x()  # type: ignore``
``# shutdown-lint: ignore[SHD101, SHD202] reason``   ``# shutdown-lint: ignore[SHD202] reason``
===================================================  ==================================

A line that held nothing but the comment goes with it. The reason of a suppression stays as long as the suppression.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree, walk

_ENTRY = re.compile(r"[,\s]*([A-Za-z][\w-]*)")
# further comments on the same line, each with a sign of its own; an issue number is none
_NEXT_PART = re.compile(r"#[ \t]*[A-Za-z]")


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Remove the entries, the suppression if none is left, the comment if nothing is left of it, the line likewise."""
    start, end = tree.offset(span.line, span.col), tree.offset(span.end_line, span.end_col)
    comment_start, comment_end = _comment(tree, start, end)
    unused = [code.strip() for code in args.get("codes", "").split(",") if code.strip()]
    entries = list(_entries(tree.text, start, end))
    kept = [entry for entry in entries if tree.text[entry[0] : entry[1]] not in unused]
    if not unused or len(entries) - len(kept) < len(unused):
        raise Refused("the comment does not name these codes")
    if kept:
        return [_rewrite(tree, entries, kept)]
    following = _NEXT_PART.search(tree.text, end, comment_end)
    if following:
        return [tree.edit(start, following.start(), "")]
    return [_remove(tree, comment_start, start, comment_end)]


def _comment(tree: Tree, start: int, end: int) -> tuple[int, int]:
    for node in walk(tree.module):
        if isinstance(node, cst.Comment):
            first, last = tree.range(node)
            if first <= start and end <= last:
                return first, last
    raise Refused("no comment stands here")


def _entries(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The ranges of the codes and names in the suppression."""
    bracket = text.find("[", start, end)
    position = bracket + 1 if bracket >= 0 else text.rfind(":", start, end) + 1
    while match := _ENTRY.match(text, position, end):
        yield match.span(1)
        position = match.end()


def _rewrite(tree: Tree, entries: list[tuple[int, int]], kept: list[tuple[int, int]]) -> Edit:
    """The list without its unused entries, separated as it was."""
    start, end = entries[0][0], entries[-1][1]
    separator = tree.text[entries[0][1] : entries[1][0]]
    return tree.edit(start, end, separator.join(tree.text[first:last] for first, last in kept))


def _remove(tree: Tree, comment_start: int, start: int, comment_end: int) -> Edit:
    before = tree.text[comment_start:start].rstrip(" \t")
    if before.strip("#"):
        return tree.edit(comment_start + len(before), comment_end, "")
    line = tree.line_start(comment_start)
    if tree.text[line:comment_start].strip():
        code_end = line + len(tree.text[line:comment_start].rstrip())
        return tree.edit(code_end, comment_end, "")
    return _remove_line(tree, line, comment_end)


def _remove_line(tree: Tree, start: int, end: int) -> Edit:
    """The line with its line end; of the last line, the line end before it."""
    following = next((first for first in tree.lines if first > end), None)
    if following is not None or start == 0:
        return tree.edit(start, following if following is not None else end, "")
    return tree.edit(start, end, "")
