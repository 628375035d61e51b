"""The ``except`` clauses of findings."""

from __future__ import annotations

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree


def clause_at(tree: Tree, span: Span) -> cst.ExceptHandler:
    """The clause that begins where the span does. Raises ``Refused``."""
    start = tree.offset(span.line, span.col)
    for (first, _), nodes in tree.nodes.items():
        if first == start:
            clause = next((node for node in nodes if isinstance(node, cst.ExceptHandler)), None)
            if clause is not None:
                return clause
    raise Refused("no `except` clause stands here")
