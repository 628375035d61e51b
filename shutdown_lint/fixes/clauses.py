"""The ``except`` clauses of findings: which one it is, what it names, another end for it."""

from __future__ import annotations

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes import names
from shutdown_lint.fixes.blocks import insert, jumps, only, site
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


def require_only(clause: cst.ExceptHandler, name: str) -> None:
    """The clause names one type, with this last name. Raises ``Refused``."""
    written = names.code(clause.type) if clause.type is not None else ""
    if written.rpartition(".")[2] != name:
        raise Refused(f"the clause does not catch `{name}` alone")


def end_with(tree: Tree, clause: cst.ExceptHandler, jump: str) -> list[Edit]:
    """Let the clause end with ``raise`` or ``break``, in the place of a last ``pass`` or ``continue``."""
    if not isinstance(clause.body, cst.IndentedBlock):
        return [_in_one_line(tree, clause, jump)]
    last = clause.body.body[-1]
    idle = only(last, cst.Pass) or only(last, cst.Continue)
    if idle is not None:
        start, end = tree.range(idle)
        return [tree.edit(start, end, jump)]
    if len(jumps(tree, clause)) > 0:
        raise Refused("the clause jumps away on some way through it")
    return [insert(tree, site(tree, last).node, (jump,))]


def _in_one_line(tree: Tree, clause: cst.ExceptHandler, jump: str) -> Edit:
    """``except KeyboardInterrupt: pass``."""
    last = clause.body.body[-1]
    start, end = tree.range(last)
    if isinstance(last, (cst.Pass, cst.Continue)):
        return tree.edit(start, end, jump)
    return tree.edit(end, end, f"; {jump}")
