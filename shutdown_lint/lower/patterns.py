"""What a ``case`` pattern binds. The values it compares are of no use to a rule."""

from __future__ import annotations

import libcst as cst

from shutdown_lint.lower.scope import normal


def lower_case(pattern: cst.MatchPattern) -> tuple[tuple[str, ...], bool]:
    """The names bound, and whether the pattern matches anything (``_`` or a bare name)."""
    irrefutable = isinstance(pattern, cst.MatchAs) and pattern.pattern is None
    return tuple(_binds(pattern)), irrefutable


def _binds(pattern: cst.CSTNode) -> list[str]:
    names: list[str] = []
    stack: list[cst.CSTNode] = [pattern]
    while stack:
        node = stack.pop()
        if isinstance(node, (cst.MatchAs, cst.MatchStar)) and node.name is not None:
            names.append(normal(node.name.value))
        elif isinstance(node, cst.MatchMapping) and node.rest is not None:
            names.append(normal(node.rest.value))
        stack += [
            child for child in node.children if not isinstance(child, (cst.Name, cst.BaseParenthesizableWhitespace))
        ]
    return names
