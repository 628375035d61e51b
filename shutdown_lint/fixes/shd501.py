"""SHD501: a bare ``except:`` or ``except BaseException`` in a loop catches ``Exception`` only.

The finding's span is the clause. The rule has shown that nothing in the clause raises or keeps the exception, and that
the ``try`` runs nothing that ends by SystemExit in its normal course. Unsafe: an error outside of ``Exception``, or a
cleanup in the clause that was meant for these too, takes another way. Checked here: no clause before it catches
``Exception``, which would tell that the others are meant.
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes import names
from shutdown_lint.fixes.clauses import clause_at
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree, walk


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Name the type, or another one."""
    clause = clause_at(tree, span)
    parent = tree.parents[id(clause)]
    others = parent.handlers if isinstance(parent, cst.Try) else (clause,)
    before = others[: next(number for number, other in enumerate(others) if other is clause)]
    if any(_names_exception(other) for other in before):
        raise Refused("a clause before it catches `Exception`, so that the rest is meant")
    if names.is_bound(tree, clause, "Exception"):
        raise Refused("`Exception` means something else here")
    if clause.type is None:
        end = tree.range(clause)[0] + len("except")
        return [tree.edit(end, end, " Exception")]
    if names.code(clause.type) != "BaseException":
        raise Refused("the clause does not catch `BaseException` alone")
    return [tree.edit(*tree.range(clause.type), "Exception")]


def _names_exception(clause: cst.ExceptHandler) -> bool:
    nodes = walk(clause.type) if clause.type is not None else ()
    return any(isinstance(node, cst.Name) and node.value == "Exception" for node in nodes)
