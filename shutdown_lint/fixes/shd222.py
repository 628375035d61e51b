"""SHD222: a release that is only named is called, and awaited where it is a coroutine.

The finding's span is the statement ``x.close``, or the call ``x.close()`` whose coroutine is dropped; ``args["await"]`` says
that it must be awaited. The rule has shown what the method is, and that it needs no arguments. Checked here: it is a
statement of its own, in a coroutine where it is to be awaited.
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes.blocks import function
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Add the parentheses and the ``await`` that are missing."""
    node = tree.at(span, cst.Attribute) or tree.at(span, cst.Call)
    if node is None or not isinstance(tree.parents[id(node)], cst.Expr):
        raise Refused("no statement that names a release stands here")
    start, end = tree.range(node)
    around = function(tree, node)
    is_coroutine = isinstance(around, cst.FunctionDef) and around.asynchronous is not None
    if args.get("await") and not is_coroutine:
        raise Refused("it can be awaited in a coroutine only")
    if node.lpar:
        raise Refused("it stands in parentheses")
    found = [tree.edit(start, start, "await ")] if args.get("await") else []
    return [*found, *([tree.edit(end, end, "()")] if isinstance(node, cst.Attribute) else [])]
