"""SHD503: a clause that catches Ctrl-C in a loop leaves the loop.

The finding's span is the clause. The rule has shown that it does nothing but print, and that the loop asks nobody for
input. Unsafe: Ctrl-C may be meant to end one step only. Checked here: the clause catches nothing else; its ``try`` stands
in the loop itself, with no function or further loop in between.
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes.clauses import clause_at, end_with, require_only
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """End the loop."""
    clause = clause_at(tree, span)
    require_only(clause, "KeyboardInterrupt")
    kinds = (cst.While, cst.For, cst.FunctionDef, cst.ClassDef)
    inner: cst.CSTNode = clause
    for node in tree.ancestors(clause):
        if isinstance(node, kinds):
            if not isinstance(node, cst.While) or inner is not node.body:
                break
            return end_with(tree, clause, "break")
        inner = node
    raise Refused("the loop around it is not a `while`")
