"""SHD502: a clause that catches the coroutine's own cancellation ends with ``raise``.

The finding's span is the clause. The rule has shown that it stands in a loop of a coroutine that cancels nothing itself
and goes on. Unsafe: who awaits the task now gets ``CancelledError``. Checked here: the clause catches nothing else, and
jumps away nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes.clauses import clause_at, end_with, require_only
from shutdown_lint.fixes.tree import Tree


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Let the cancellation go on."""
    clause = clause_at(tree, span)
    require_only(clause, "CancelledError")
    return end_with(tree, clause, "raise")
