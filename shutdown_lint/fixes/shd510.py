"""SHD510: releases that short-circuit evaluation may skip are all called before their results are combined.

The finding's span is the release that may be skipped. Unsafe: the releases behind the first failed one now run. Checked
here: the expression has one of these shapes; ``all`` and ``any`` are the builtins.

=========================================  =========================================
before                                     after
=========================================  =========================================
``all(x.close() for x in xs)``             ``all([x.close() for x in xs])``
``ok = ok and x.close()``                  ``ok = x.close() and ok``
``if a.close() or b.close():``             ``if any([a.close(), b.close()]):``
=========================================  =========================================
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes import names
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree, comments


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Evaluate all of them."""
    node: cst.CSTNode | None = tree.at(span, cst.Call)
    parent = tree.parents[id(node)] if node is not None else None
    if isinstance(parent, cst.Await):
        node, parent = parent, tree.parents[id(parent)]
    if isinstance(parent, cst.GeneratorExp) and parent.elt is node:
        return _list(tree, parent)
    if isinstance(parent, cst.BooleanOperation) and parent.right is node and not comments(parent):
        return _operation(tree, parent)
    raise Refused("no release that may be skipped stands here")


def _list(tree: Tree, generator: cst.GeneratorExp) -> list[Edit]:
    """Brackets around the generator."""
    argument = tree.parents[id(generator)]
    call = tree.parents[id(argument)]
    if not isinstance(call, cst.Call) or names.code(call.func) not in ("all", "any") or len(call.args) != 1:
        raise Refused("the generator is not that of `all` or `any`")
    start, end = tree.range(generator)
    return [tree.edit(start, start, "["), tree.edit(end, end, "]")]


def _operation(tree: Tree, operation: cst.BooleanOperation) -> list[Edit]:
    left, right = tree.code(operation.left), tree.code(operation.right)
    if operation.left.lpar or operation.right.lpar:
        raise Refused("the operands stand in parentheses")
    parent = tree.parents[id(operation)]
    if isinstance(parent, cst.Assign) and tree.code(parent.targets[0].target) == left and names.code(operation.left):
        start, end = tree.range(operation)
        return [tree.edit(start, end, f"{right} {_word(operation)} {left}")]
    if not isinstance(parent, (cst.If, cst.While)) or not isinstance(operation.left, (cst.Call, cst.Await)):
        raise Refused("the value of the expression is used")
    function = "all" if _word(operation) == "and" else "any"
    if names.is_bound(tree, operation, function):
        raise Refused(f"`{function}` means something else here")
    return [tree.edit(*tree.range(operation), f"{function}([{left}, {right}])")]


def _word(operation: cst.BooleanOperation) -> str:
    return "and" if isinstance(operation.operator, cst.And) else "or"
