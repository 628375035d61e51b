"""SHD506: ``except SystemExit`` ends with ``raise``, so that the exit code gets through.

The finding's span is the clause. The rule has shown that it neither raises nor looks at the exception. Unsafe: what runs
behind the ``try`` today no longer does. Checked here: the clause catches nothing else, and jumps away nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes.clauses import clause_at, end_with, require_only
from shutdown_lint.fixes.tree import Tree


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Let the exit go on."""
    clause = clause_at(tree, span)
    require_only(clause, "SystemExit")
    return end_with(tree, clause, "raise")
