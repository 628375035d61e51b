"""SHD508: ``except Exception`` becomes ``except BaseException`` where the clause only releases and raises again.

The finding's span is the clause. The rule has shown that every statement of it but the last is a release; checked here:
the last is a bare ``raise``, the clause names ``Exception`` alone and is the last of its ``try``, and ``BaseException`` is
the builtin. What the clause lets through it still lets through; what passed by it is now released too.
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes import names
from shutdown_lint.fixes.blocks import only
from shutdown_lint.fixes.clauses import clause_at
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Replace the type that the clause names."""
    clause = clause_at(tree, span)
    if clause.type is None or names.code(clause.type) not in ("Exception", "builtins.Exception"):
        raise Refused("the clause does not catch `Exception` alone")
    raised = only(clause.body.body[-1], cst.Raise) if isinstance(clause.body, cst.IndentedBlock) else None
    if raised is None or raised.exc is not None:
        raise Refused("the clause does not end with a bare `raise`")
    parent = tree.parents[id(clause)]
    if not isinstance(parent, cst.Try) or parent.handlers[-1] is not clause:
        raise Refused("another clause stands behind it")
    if names.is_bound(tree, clause, "BaseException"):
        raise Refused("`BaseException` means something else here")
    _, end = tree.range(clause.type)
    return [tree.edit(end - len("Exception"), end, "BaseException")]
