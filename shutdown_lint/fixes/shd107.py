"""SHD107: a jump at the end of a ``finally`` goes behind the ``try`` statement.

The finding's span is the jump. Unsafe: errors that it swallowed, on purpose perhaps, now get out. Checked here: it is the
last statement of the clause itself; nothing in the ``try`` jumps away, which the jump in ``finally`` would have overridden;
a clause that held nothing else goes where the ``try`` has other clauses, and is an error where it has not.

====================  ====================
before                after
====================  ====================
``try:``              ``try:``
``    work()``        ``    work()``
``finally:``          ``finally:``
``    close()``       ``    close()``
``    return done``   ``return done``
====================  ====================
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes.blocks import indent, jumps, only, site
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree, comments


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Move the line one level out."""
    jump = tree.at(span, cst.Return, cst.Break, cst.Continue)
    if jump is None:
        raise Refused("no jump stands here")
    line = site(tree, jump)
    statement = _left(tree, line.node)
    if line.after or only(line.node, type(jump)) is None:
        raise Refused("more stands behind it in the `finally`")
    parts = [statement.body, *statement.handlers, *([statement.orelse] if statement.orelse else [])]
    if any(jumps(tree, part) for part in parts) or len(jumps(tree, statement)) > 1:
        raise Refused("the `try` statement jumps away in other places too")
    around = site(tree, statement)
    if line.before:
        return [_move(tree, line.node, around.node)]
    if not statement.handlers or comments(statement.finalbody or statement):
        raise Refused("nothing would be left of the `finally`")
    return [_instead(tree, statement, around.node, line.node)]


def _left(tree: Tree, line: cst.CSTNode) -> cst.Try:
    block = tree.parents[id(line)]
    clause = tree.parents[id(block)]
    statement = tree.parents[id(clause)] if isinstance(clause, cst.Finally) else None
    if not isinstance(statement, cst.Try):
        raise Refused("it is not the `finally` itself that it stands in")
    return statement


def _move(tree: Tree, line: cst.CSTNode, around: cst.CSTNode) -> Edit:
    """The line is the last of the statement: less indentation is all."""
    start = tree.range(line)[0]
    return tree.edit(tree.line_start(start), start, indent(tree, around))


def _instead(tree: Tree, statement: cst.Try, around: cst.CSTNode, line: cst.CSTNode) -> Edit:
    """The jump in the place of the whole ``finally`` clause."""
    assert statement.finalbody is not None
    start, end = tree.range(statement.finalbody)[0], tree.range(line)[1]
    return tree.edit(start, end, tree.code(line))
