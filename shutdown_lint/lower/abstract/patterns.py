"""What a ``case`` pattern binds. The values it compares are of no use to a rule."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def lower_case(pattern: ast.pattern) -> tuple[tuple[str, ...], bool]:
    """The names bound, and whether the pattern matches anything (``_`` or a bare name)."""
    return tuple(_names(pattern)), isinstance(pattern, ast.MatchAs) and pattern.pattern is None


def _names(node: ast.pattern) -> Iterator[str]:
    for part in _parts(node):
        yield from _names(part)
    bound = node.rest if isinstance(node, ast.MatchMapping) else getattr(node, "name", None)
    if bound is not None:
        yield bound


def _parts(node: ast.pattern) -> list[ast.pattern]:
    if isinstance(node, ast.MatchClass):
        return [*node.patterns, *node.kwd_patterns]
    if isinstance(node, (ast.MatchSequence, ast.MatchMapping, ast.MatchOr)):
        return node.patterns
    return [node.pattern] if isinstance(node, ast.MatchAs) and node.pattern is not None else []
